"""Correlated draws: only what is named moves, and marginals never do."""

from pathlib import Path

import numpy as np
import pytest

import sim
from tests.worlds import Row, project, write_world

COUNT = 2_000
COLUMNS = {"duration": "work", "cost": "total"}
TYPES: list[Row] = [
    {"type": "t", "duration": "lognormal(median=1, sigma=0.3)",
     "cost": "lognormal(median=1, sigma=0.3)", "duration_cost_correlation": 0.9},
]  # fmt: skip
ROWS = [project(name, "2021-01-01", "2021-12-31", 100_000, 100_000, type="t") for name in "ABCD"]


def drawn(
    folder: Path, *changes: str
) -> dict[str, np.ndarray[tuple[int, int], np.dtype[np.float64]]]:
    """Logarithms of works and costs over many replications."""
    from sim.sampling.draws import draw
    from sim.sampling.sampler import build_sampler

    plan = sim.load_scenario(folder, changes).plan
    realizations = list(draw(build_sampler(sim.build_portfolio(plan), 2021), range(COUNT)))
    return {
        key: np.log(np.array([getattr(one, column) for one in realizations], dtype=np.float64))
        for key, column in COLUMNS.items()
    }


def correlation(first: object, second: object) -> float:
    return float(np.corrcoef(np.asarray(first), np.asarray(second))[0, 1])


def near(found: float, expected: float) -> bool:
    """Within four standard errors of a sample correlation."""
    return bool(abs(found - expected) <= 4 * (1 - expected**2) / np.sqrt(COUNT))


def test_duration_and_cost_of_a_project(tmp_path: Path) -> None:
    logs = drawn(write_world(tmp_path, ROWS, types=TYPES))
    assert near(correlation(logs["duration"][:, 0], logs["cost"][:, 0]), 0.9)
    assert near(correlation(logs["duration"][:, 0], logs["cost"][:, 1]), 0.0)


def test_a_given_pair_leaves_all_others_alone(tmp_path: Path) -> None:
    given: list[Row] = [
        {"variable": "cost", "project_a": "A", "project_b": "B", "correlation": 0.6}
    ]
    plain = drawn(write_world(tmp_path / "a", ROWS, types=TYPES))
    paired = drawn(write_world(tmp_path / "b", ROWS, types=TYPES, correlations=given))
    assert np.array_equal(plain["duration"], paired["duration"])
    assert np.array_equal(plain["cost"][:, 2:], paired["cost"][:, 2:])
    linear = np.exp(paired["cost"])
    assert near(correlation(linear[:, 0], linear[:, 1]), 0.6)


def test_one_factor(tmp_path: Path) -> None:
    """Share of variance in common: city 0.3; type 0.2 more."""
    drivers = "[dependence]\ncity = 0.3\ntype = 0.2\nfunding = 0.0\nenterprise = 0.5\n"
    rows = [*ROWS[:2], dict(ROWS[2]) | {"type": "u"}, dict(ROWS[3]) | {"investor": "enterprise"}]
    types = [*TYPES, dict(TYPES[0]) | {"type": "u"}]
    logs = drawn(write_world(tmp_path, rows, drivers=drivers, types=types))["duration"]
    assert near(correlation(logs[:, 0], logs[:, 1]), 0.5)
    assert near(correlation(logs[:, 0], logs[:, 2]), 0.3)
    assert near(correlation(logs[:, 0], logs[:, 3]), np.sqrt(0.3 * 0.15) + 0.2)
    assert logs.std(axis=0) == pytest.approx(0.3, rel=0.1)


def test_switched_off(tmp_path: Path) -> None:
    drivers = "[dependence]\ncity = 0.5\n"
    given: list[Row] = [
        {"variable": "duration", "project_a": "A", "project_b": "B", "correlation": 0.9}
    ]
    folder = write_world(tmp_path, ROWS, drivers=drivers, types=TYPES, correlations=given)
    logs = drawn(folder, "uncertainties.dependence=off")
    for other in (1, 2):
        assert near(correlation(logs["duration"][:, 0], logs["duration"][:, other]), 0.0)


def test_impossible_matrices_are_refused_with_the_pair(tmp_path: Path) -> None:
    given: list[Row] = [
        {"variable": "duration", "project_a": a, "project_b": b, "correlation": r}
        for a, b, r in (
            ("A", "B", -0.8), ("A", "C", 0.8), ("A", "D", 0.8), ("B", "C", 0.8), ("B", "D", 0.8),
            ("C", "D", 0.8),
        )
    ]  # fmt: skip
    folder = write_world(tmp_path, ROWS, types=TYPES, correlations=given)
    with pytest.raises(sim.InputError) as refused:
        drawn(folder)
    (problem,) = refused.value.problems
    assert problem.code == "not_positive_semidefinite"
    assert {problem.details["first"], problem.details["second"]} == {"A", "B"}


def test_correlations_out_of_reach_are_refused(tmp_path: Path) -> None:
    """Two lognormals with sigma 0.3 cannot be correlated by -1."""
    given: list[Row] = [
        {"variable": "cost", "project_a": "A", "project_b": "B", "correlation": -0.999}
    ]
    with pytest.raises(sim.InputError) as refused:
        drawn(write_world(tmp_path, ROWS, types=TYPES, correlations=given))
    assert refused.value.problems[0].code == "correlation_out_of_reach"
