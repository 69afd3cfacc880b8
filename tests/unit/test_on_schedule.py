"""Who is active, what is due, who keeps up: against hand-made years."""

from pathlib import Path

import numpy as np
import pytest

import sim
from sim.engine.rules import NEVER
from sim.plan.portfolio import Portfolio, build_portfolio
from sim.runs.on_schedule import (
    ProjectYears,
    filed_curve,
    is_active,
    project_years,
    proportional_plan,
    share_reaching,
)
from tests.worlds import Row, project, write_world

SETTINGS = 'calendar = "continuous"'
ROWS: list[Row] = [
    project("A", "2020-07-01", "2022-06-30", 900, 365, done_before_year=200),
    project("B", "2021-07-01", "2022-06-30", 900, 184, gates="none"),
    project("C", "2021-01-01", "2021-03-31", 90, 90, gates="none"),
    project("D", "2021-11-01", "2022-06-30", 900, 100, gates="none"),
    project("E", "2020-02-01", "2022-06-30", 900, 0, done_before_year=800),
]


@pytest.fixture
def portfolio(tmp_path: Path) -> Portfolio:
    return build_portfolio(sim.load_plan(write_world(tmp_path / "plan", ROWS, SETTINGS)))


def order(portfolio: Portfolio) -> list[int]:
    ids = [one.id for one in portfolio.plan.projects]
    return [ids.index(name) for name in "ABCDE"]


def test_what_runs_evenly_is_due_by_days(portfolio: Portfolio) -> None:
    august = portfolio.month_ends[7]
    due = proportional_plan(portfolio, int(august))[order(portfolio)] / 1e4
    # A: 243 of 365 days; B: 62 of 184; C: all; D: not begun; E: nothing filed.
    assert due.tolist() == pytest.approx([243, 62, 90, 0, 0])


def made(portfolio: Portfolio, start: list[list[int]], done: list[list[float]]) -> ProjectYears:
    """Return years in which August alone is told; columns in the order of the rows."""
    columns = np.argsort(order(portfolio))
    starts = np.array(start)[:, columns]
    amounts = (np.array(done) * 1e4).astype(np.int64)[:, columns, None]
    ends = portfolio.month_ends[7:8]
    return ProjectYears(portfolio, (8,), ends, starts, starts, amounts, 2 * amounts)


def test_who_is_active_and_keeps_up(portfolio: Portfolio) -> None:
    late = 10_000
    years = made(
        portfolio,
        [[-100, 181, 0, 300, -300], [-100, late, 0, 200, -300]],
        [[243, 41, 90, 0, 0], [161.9, 0, 90, 5, 0]],
    )
    active = is_active(years, 8)[:, order(portfolio)]
    # B counts though it has not begun, as it should have; D once it has; E has no plan.
    assert active.tolist() == [
        [True, True, True, False, False], [True, True, True, True, False],
    ]  # fmt: skip
    due = proportional_plan(portfolio, int(portfolio.month_ends[7]))
    # First year: B has 41 of 62, below two thirds. Second: A 161.9 of 243 is just below as well.
    assert share_reaching(years, 8, due, 2 / 3).tolist() == pytest.approx([2 / 3, 2 / 4])
    assert share_reaching(years, 8, due, 0.66).tolist() == pytest.approx([1.0, 3 / 4])
    assert share_reaching(years, 8, due, 2 / 3, "reported").tolist() == pytest.approx([1.0, 3 / 4])


def test_simulated_years_are_those_of_a_run(tmp_path: Path) -> None:
    folder = write_world(tmp_path / "plan", ROWS, SETTINGS + "\ntarget = 1")
    scenario = sim.load_scenario(folder, ["uncertainties.all=off"])
    years = project_years(scenario, 1)
    run = sim.simulate(scenario, replications=1)
    target = years.portfolio.in_target
    for measure in ("work_done", "reported"):
        whole = getattr(years, measure)[:, target, -1].sum(axis=1)
        assert whole.tolist() == run.samples[f"{measure}_yuan"].tolist()
    assert years.months == tuple(range(1, 13))
    assert (years.start < NEVER).all()
    # Nothing uncertain: everybody is on the filed curve, at every month-end.
    for month in years.months:
        assert share_reaching(years, month, filed_curve(years.portfolio, month - 1), 1.0) == 1.0
