"""Correlated draws: only what is named moves, and marginals never do."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats

import sim
from sim.plan.language import parse_distribution
from sim.plan.rows import Correlation
from sim.sampling.dependence import given_correlation
from sim.sampling.sampler import build_sampler
from tests.worlds import Row, project, write_world

COUNT = 2_000
COLUMNS = {"duration": "work", "cost": "total"}
TYPES: list[Row] = [
    {"type": "t", "duration": "lognormal(median=1, sigma=0.3)",
     "cost": "lognormal(median=1, sigma=0.3)", "duration_cost_correlation": 0.9},
]  # fmt: skip
ROWS = [project(name, "2021-01-01", "2021-12-31", 100_000, 100_000, type="t") for name in "ABCD"]


Draws = dict[str, np.ndarray[tuple[int, int], np.dtype[np.float64]]]


def drawn(folder: Path, *changes: str) -> Draws:
    """Logarithms of works and costs over many replications."""
    return {key: np.log(values) for key, values in values_drawn(folder, *changes).items()}


def values_drawn(folder: Path, *changes: str) -> Draws:
    """Works and costs over many replications."""
    from sim.sampling.draws import draw

    plan = sim.load_scenario(folder, changes).plan
    realizations = list(draw(build_sampler(sim.build_portfolio(plan), 2021), range(COUNT)))
    return {
        key: np.array([getattr(one, column) for one in realizations], dtype=np.float64)
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


def pair(correlation: float, a: str = "A", b: str = "B") -> Row:
    return {"variable": "cost", "project_a": a, "project_b": b, "correlation": correlation}


def standard_error(first: np.ndarray, second: np.ndarray) -> float:
    """Standard error of a sample correlation, whatever the distributions (delta method)."""
    x, y = ((one - one.mean()) / one.std() for one in (first, second))
    influence = x * y - (x * y).mean() * (x**2 + y**2) / 2
    return float(influence.std() / np.sqrt(len(x)))


@pytest.mark.parametrize(
    ("first", "second", "asked"),
    [
        ("discrete(0.8:0.15, 1:0.6, 1.5:0.25)", "discrete(0.9:0.85, 1.4:0.15)", 0.5),
        ("discrete(0.8:0.15, 1:0.6, 1.5:0.25)", "discrete(0.9:0.85, 1.4:0.15)", -0.4),
        ("discrete(0.9:0.93, 1.4:0.07)", "discrete(0.9:0.93, 1.4:0.07)", 0.97),
        ("discrete(0.9:0.9, 1.4:0.1)", "normal(1, 0.1, 0, 2)", 0.55),
        ("discrete(0.9:0.9, 1.4:0.1)", "normal(1, 0.1, 0, 2)", -0.3),
        ("amount: chance(0.1, lognormal(5000, 0.6))", "lognormal(1, 0.4)", 0.6),
        ("amount: chance(0.3, discrete(50:0.5, 80:0.5))", "amount: chance(0.2, fixed(7))", 0.7),
        ("empirical(costs.txt)", "empirical(costs.txt)", 0.8),
        ("empirical(costs.txt)", "uniform(0.5, 1.5)", -0.5),
    ],
)
def test_the_correlation_asked_for_is_what_is_drawn(
    tmp_path: Path, first: str, second: str, asked: float
) -> None:
    """Quantities with steps too, whose correlation is far from that of their scores."""
    rows = [dict(ROWS[0]) | {"cost": first}, dict(ROWS[1]) | {"cost": second}]
    folder = write_world(tmp_path, rows, types=TYPES, correlations=[pair(asked)])
    (folder / "costs.txt").write_text("cost\n0.7\n0.7\n0.7\n1\n1.1\n1.1\n1.9\n2.4\n", "utf-8")
    first_costs, second_costs = values_drawn(folder)["cost"].T
    found = correlation(first_costs, second_costs)
    assert abs(found - asked) <= 4 * standard_error(first_costs, second_costs)


def score_correlation(first: str, second: str, linear: float) -> float:
    """Return the correlation of normal scores found for a linear correlation."""
    distributions = {"A": parse_distribution(first), "B": parse_distribution(second)}
    found = given_correlation(
        [Correlation("cost", "A", "B", linear)], "cost", {"A": 0, "B": 1}, distributions
    )
    assert found is not None
    return float(found.triangle[1, 0])


@pytest.mark.parametrize("score", [-0.999, -0.9, -0.3, 0.2, 0.7, 0.99, 0.9999])
def test_scores_against_closed_forms(score: float) -> None:
    """Normal, uniform and lognormal pairs (closed forms), two coins (Sheppard 1899)."""
    grown = np.exp(0.8**2)
    for text, linear in (
        ("normal(0, 1)", score),
        ("uniform(0, 1)", 6 / np.pi * np.arcsin(score / 2)),
        ("lognormal(1, 0.8)", (grown**score - 1) / (grown - 1)),
    ):
        # Cells of 1/32 standard deviation: the linear correlation is met to 2 in 10,000, and the
        # slope of the scores' against it is steepest, 2.7, where lognormals run against each other.
        assert score_correlation(text, text, linear) == pytest.approx(score, abs=2.7 * 2e-4), text
    coin = "discrete(0:0.5, 1:0.5)"
    exact = score_correlation(coin, coin, 2 / np.pi * np.arcsin(score))
    assert exact == pytest.approx(score, abs=1e-9)


def test_a_matrix_on_the_edge_of_possible_is_accepted() -> None:
    """The scores lie in a plane: their matrix is singular, and found to a few in 10,000."""
    grown = np.exp(0.5**2)
    scores = {("A", "B"): 0.6, ("A", "C"): 0.8, ("B", "C"): 0.96}
    rows = [
        Correlation("cost", a, b, (grown**score - 1) / (grown - 1))
        for (a, b), score in scores.items()
    ]
    texts = dict.fromkeys("ABC", parse_distribution("lognormal(1, 0.5)"))
    found = given_correlation(rows, "cost", {"A": 0, "B": 1, "C": 2}, texts)
    assert found is not None
    matrix = found.triangle @ found.triangle.T
    for (a, b), score in scores.items():
        assert matrix["ABC".index(a), "ABC".index(b)] == pytest.approx(score, abs=6e-4)


@pytest.mark.parametrize(
    ("text", "sign"),
    [
        ("normal(1, 0.1, 0, 2)", -1),
        ("uniform(0.5, 1.5)", -1),
        ("uniform(0.5, 1.5)", 1),
        ("lognormal(1, 0.3)", 1),
        ("discrete(0.9:0.5, 1.3:0.5)", -1),
    ],
)
def test_perfect_correlations_are_accepted_at_both_ends(
    tmp_path: Path, text: str, sign: int
) -> None:
    rows = [dict(row) | {"cost": text} for row in ROWS[:2]]
    folder = write_world(tmp_path, rows, types=TYPES, correlations=[pair(sign)])
    first, second = values_drawn(folder)["cost"].T
    assert correlation(first, second) == pytest.approx(sign, abs=1e-9)


@pytest.mark.parametrize("correlation", [-0.87, 0.92, -1.0, 1.0])
def test_what_is_out_of_reach_is_refused_with_the_span(tmp_path: Path, correlation: float) -> None:
    """A uniform and a coin of 1 to 1 reach sqrt(3) / 2 at most, and no less against each other."""
    rows = [
        dict(ROWS[0]) | {"cost": "uniform(0.5, 1.5)"},
        dict(ROWS[1]) | {"cost": "discrete(0.9:0.5, 1.3:0.5)"},
    ]
    folder = write_world(tmp_path, rows, types=TYPES, correlations=[pair(correlation)])
    with pytest.raises(sim.InputError) as refused:
        values_drawn(folder)
    (problem,) = refused.value.problems
    assert problem.code == "correlation_out_of_reach"
    assert problem.details == {"low": f"{-np.sqrt(3) / 2:.3f}", "high": f"{np.sqrt(3) / 2:.3f}"}


def test_ranks_move_no_draw(tmp_path: Path) -> None:
    """Who comes first in a queue is no matter of luck."""
    drivers = "[dependence]\ncity = 0.3\n"
    given = [pair(0.6), pair(-0.4, "B", "D"), pair(0.3, "D", "A")]
    given += [row | {"variable": "duration"} for row in map(dict, given)]
    drawn_by_id = []
    for ranks in ((1, 2, 3, 4), (3, 1, 4, 2)):
        rows = [dict(row) | {"rank": rank} for row, rank in zip(ROWS, ranks, strict=True)]
        folder = write_world(tmp_path / str(ranks), rows, drivers=drivers, types=TYPES,
                             correlations=given)  # fmt: skip
        values = values_drawn(folder)
        drawn_by_id.append({key: table[:, np.argsort(np.argsort(ranks))]
                            for key, table in values.items()})  # fmt: skip
    for key, table in drawn_by_id[0].items():
        assert np.array_equal(table, drawn_by_id[1][key]), key


IMPOSSIBLE = (
    ("A", "B", -0.8), ("A", "C", 0.8), ("A", "D", 0.8), ("B", "C", 0.8), ("B", "D", 0.8),
    ("C", "D", 0.8),
)  # fmt: skip
MARGINALS = {
    "lognormal(median=1, sigma=0.3)": stats.lognorm(0.3),
    "uniform(0.5, 1.5)": stats.uniform(0.5, 1),
    "triangular(0.7, 1, 1.6)": stats.triang(1 / 3, 0.7, 0.9),
    "normal(1, 0.2, 0.4, 1.6)": stats.truncnorm(-3, 3, 1, 0.2),
}
SETTINGS: dict[str, tuple[str, list[Row]]] = {
    "independent": ("", []),
    "factors": ("[dependence]\ncity = 0.3\ntype = 0.2\nfunding = 0.4\n", []),
    "given": ("", [pair(0.6), pair(-0.4, "B", "D"), pair(0.3, "D", "A")]),
    "repaired": ("[dependence]\nrepair = true\n", [pair(r, a, b) for a, b, r in IMPOSSIBLE]),
}


class TestMarginals:
    """However projects depend on each other, each is distributed as its own row says."""

    @staticmethod
    def ratios(folder: Path, setting: str) -> Draws:
        drivers, costs = SETTINGS[setting]
        rows = [
            dict(row) | {"cost": text} for row, text in zip(ROWS, MARGINALS, strict=True)
        ]  # fmt: skip
        given = [*costs, *(dict(row) | {"variable": "duration"} for row in costs)]
        tables: dict[str, Any] = {"correlations": given} if given else {}
        write_world(folder, rows, drivers=drivers, types=TYPES, **tables)
        work = sim.build_portfolio(sim.load_plan(folder)).work_left
        drawn = values_drawn(folder)
        return {"duration": drawn["duration"] / work, "cost": drawn["cost"] / 1e9}

    @pytest.mark.parametrize("setting", SETTINGS)
    def test_each_is_what_its_row_says(self, tmp_path: Path, setting: str) -> None:
        """Kolmogorov and Smirnov: one false alarm in 1,000 over all 32 tests (Bonferroni)."""
        level = 0.001 / (len(SETTINGS) * 2 * len(ROWS))
        critical = stats.kstwo.isf(level, COUNT)
        found = self.ratios(tmp_path, setting)
        for column, cost in enumerate(MARGINALS.values()):
            for name, law in (("duration", stats.lognorm(0.3)), ("cost", cost)):
                distance = stats.kstest(found[name][:, column], law.cdf).statistic
                assert distance <= critical, (name, column, distance)

    @pytest.mark.parametrize("setting", SETTINGS)
    def test_the_mean_of_the_total_stays(self, tmp_path: Path, setting: str) -> None:
        total = self.ratios(tmp_path, setting)["cost"].sum(axis=1)
        expected = sum(law.mean() for law in MARGINALS.values())
        error = total.std(ddof=1) / np.sqrt(COUNT)
        assert abs(total.mean() - expected) <= 4 * error

    def test_dependence_is_there(self, tmp_path: Path) -> None:
        """Else the tests above would hold of nothing: the spread of the total differs."""
        spread = {}
        for setting in SETTINGS:
            total = self.ratios(tmp_path / setting, setting)["duration"].sum(axis=1)
            spread[setting] = total.std()
        assert spread["factors"] > 1.3 * spread["independent"]
        assert spread["repaired"] > 1.3 * spread["independent"]

    def test_what_is_repaired_is_drawn_as_told(self, tmp_path: Path) -> None:
        """Correlations of what is drawn are those told as used, all pairs within four errors."""
        found = self.ratios(tmp_path, "repaired")["cost"]
        plan = sim.load_plan(tmp_path)
        told = next(
            one
            for one in build_sampler(sim.build_portfolio(plan), 1).repairs
            if one.variable == "cost"
        )
        assert len(told.pairs) == len(IMPOSSIBLE)
        for one in told.pairs:
            a, b = (found[:, "ABCD".index(one[key])] for key in ("project_a", "project_b"))
            assert abs(correlation(a, b) - one["used"]) <= 4 * standard_error(a, b), one
