"""What each project draws of its own beside a shared driver (`each` in drivers.toml)."""

from pathlib import Path

import numpy as np
import pytest
from scipy import stats

import sim
from sim.plan.portfolio import build_portfolio
from sim.sampling.draws import draw
from sim.sampling.realization import Realization
from sim.sampling.sampler import build_sampler
from tests.worlds import project, write_world

PROJECTS = 40
REPLICATIONS = 60
ROWS = [
    project(f"P{k:02}", "2020-01-01", "2023-12-31", 100_000, 20_000, done_before_year=20_000)
    for k in range(PROJECTS)
]


def driver(acts_on: str, shared: str, each: str = "", more: str = "") -> str:
    own = f'each = "{each}"\n' if each else ""
    return f'[d]\ntitle = "d"\ndistribution = "{shared}"\nacts_on = "{acts_on}"\n{own}{more}'


def drawn(folder: Path, *changes: str) -> list[Realization]:
    portfolio = build_portfolio(sim.load_scenario(folder, changes).plan)
    return list(draw(build_sampler(portfolio, 3), range(REPLICATIONS)))


def reports(folder: Path, *changes: str) -> np.ndarray:
    """Share by which each project's reports run ahead, (R, P)."""
    return np.stack([one.overstatement for one in drawn(folder, *changes)]) / 1e6


def test_it_is_added_to_what_is_shared(tmp_path: Path) -> None:
    found = reports(
        write_world(tmp_path, ROWS, drivers=driver("report", "fixed(0.1)", "uniform(0, 0.4)"))
    )
    assert found.min() >= 0.1
    assert found.max() <= 0.5
    assert stats.kstest((found - 0.1).ravel(), stats.uniform(0, 0.4).cdf).pvalue > 1e-3
    # Projects are independent of each other, and replications too.
    matrix = np.corrcoef(found.T) - np.eye(PROJECTS)
    assert np.abs(matrix).max() < 5 / np.sqrt(REPLICATIONS)


def test_elsewhere_it_multiplies(tmp_path: Path) -> None:
    folder = write_world(tmp_path, ROWS, drivers=driver("duration", "fixed(2)", "uniform(0.5, 1)"))
    found = np.stack([one.work for one in drawn(folder)]).astype(np.float64)
    planned = build_portfolio(sim.load_scenario(folder).plan).work_left
    ratio = found / planned
    assert ratio.min() >= 1 - 1e-6
    assert ratio.max() <= 2 + 1e-6
    assert stats.kstest(ratio.ravel(), stats.uniform(1, 1).cdf).pvalue > 1e-3


def test_exposure_weakens_what_is_shared_only(tmp_path: Path) -> None:
    text = driver("report", "fixed(0.1)", "fixed(0.2)", "exposure = { default = 0.5 }\n")
    assert reports(write_world(tmp_path, ROWS, drivers=text)) == pytest.approx(0.25)


def test_stress_leaves_it(tmp_path: Path) -> None:
    text = driver("report", "fixed(0.1)", "fixed(0.2)", 'stress = "fixed(0.4)"\n')
    folder = write_world(tmp_path, ROWS, drivers=text)
    assert reports(folder, "uncertainties.d=stress") == pytest.approx(0.6)


def test_off_it_is_off(tmp_path: Path) -> None:
    text = driver("report", "fixed(0.1)", "fixed(0.2)")
    folder = write_world(tmp_path, ROWS, drivers=text)
    assert (reports(folder, "uncertainties.d=off") == 0).all()


def test_no_other_draw_moves(tmp_path: Path) -> None:
    """Nor does a project's own one where others come and go."""
    text = driver("report", "uniform(0, 0.1)", "uniform(0, 0.4)")
    before = write_world(tmp_path / "a", ROWS, drivers=driver("report", "uniform(0, 0.1)"))
    after = write_world(tmp_path / "b", ROWS, drivers=text)
    for one, other in zip(drawn(before), drawn(after), strict=True):
        assert one.drivers == other.drivers
        for name in ("work", "total", "year_end_value", "slip", "acceptance"):
            assert np.array_equal(getattr(one, name), getattr(other, name))
    fewer = write_world(tmp_path / "c", ROWS[5:], drivers=text)
    assert np.array_equal(reports(fewer), reports(after)[:, 5:])


def test_it_can_be_set(tmp_path: Path) -> None:
    folder = write_world(tmp_path, ROWS, drivers=driver("report", "fixed(0.1)"))
    assert reports(folder, "uncertainties.d.each=fixed(0.3)") == pytest.approx(0.4)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (driver("loan", "fixed(1)", "fixed(1)"), "bad_value"),
        (driver("report", "fixed(0)", "fixed(-2)"), "draws_too_small"),
        (driver("duration", "fixed(1)", "fixed(-1)"), "draws_too_small"),
        (driver("report", "fixed(0)", "unifrom(0, 1)"), "not_a_distribution"),
        (driver("report", "fixed(0)", "days: fixed(1)"), "unit_not_allowed"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told(tmp_path: Path, text: str, code: str) -> None:
    folder = write_world(tmp_path, ROWS, drivers=text)
    with pytest.raises(sim.InputError) as refused:
        sim.load_scenario(folder)
    errors = [one for one in refused.value.problems if one.level == "error"]
    assert [(one.code, one.column) for one in errors] == [(code, "d.each")]


def test_what_is_to_end_in_the_year_is_meant_whole(tmp_path: Path) -> None:
    """A negative intent lowers the year of works that go on, and of no other."""
    rows = [
        project("ends", "2020-01-01", "2021-11-30", 50_000, 30_000, done_before_year=20_000),
        project("goes on", "2020-01-01", "2022-11-30", 90_000, 30_000, done_before_year=20_000),
    ]
    text = driver("intent", "fixed(0)", "fixed(-0.5)")
    found = drawn(write_world(tmp_path, rows, drivers=text))[0].year_end_value
    assert found.tolist() == [50_000 * 10_000, 35_000 * 10_000]
