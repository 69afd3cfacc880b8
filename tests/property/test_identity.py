"""With uncertainty off and money unlimited the simulation is the ledger, to day and yuan."""

import json
import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

import sim
from sim.cli import main
from sim.engine.rules import NEVER, Happening, Wait
from tests.worlds import (
    CALENDAR,
    DRIVERS,
    GATES,
    TYPES,
    Lived,
    Row,
    live_as_planned,
    project,
    small_folder,
    small_plans,
    small_world,
    write_world,
)

LUOYANG = Path(__file__).parents[2] / "scenarios" / "luoyang-2021"
TEN_THOUSAND = 10_000


def assert_identity(lived: Lived) -> None:
    """Check starts, finishes and filed amounts of every project without a late predecessor."""
    portfolio, lived_through = lived.portfolio, lived.trajectory
    late = {
        one.value for one in lived.scenario.warnings if one.code == "late_predecessor"
    } | _behind_late(lived)
    month, settled = portfolio.year_end_month, 0
    for i, one in enumerate(portfolio.plan.projects):
        if one.id in late:
            continue
        planned = (portfolio.baseline_start[i], portfolio.planned_finish[i])
        if planned[1] >= portfolio.days:
            assert lived_through.finish[i] == NEVER, one.id
        else:
            assert (lived_through.start[i], lived_through.finish[i]) == planned, one.id
        year_end = max(one.done, one.done_before_year + one.annual_plan)
        assert lived_through.value[i, month] == year_end, one.id
        assert (lived_through.reported[i] == lived_through.value[i]).all(), one.id
        if lived_through.delivered[i] < portfolio.month_ends[-1]:
            assert lived_through.value[i, -1] == one.total, one.id
            settled += 1
    assert lived_through.value.min() >= 0


def _behind_late(lived: Lived) -> set[str]:
    """Projects whose predecessors are themselves late."""
    late = {one.value for one in lived.scenario.warnings if one.code == "late_predecessor"}
    while True:
        more = {
            one.id
            for one in lived.portfolio.plan.projects
            if set(one.predecessors) & late and one.id not in late
        }
        if not more:
            return late
        late |= more


def test_the_whole_luoyang_plan() -> None:
    lived = live_as_planned(LUOYANG)
    assert not [one for one in lived.scenario.warnings if one.code == "late_predecessor"]
    assert_identity(lived)
    in_target = lived.portfolio.in_target
    month = lived.portfolio.year_end_month
    of_year = (lived.trajectory.value[:, month] - lived.portfolio.before_year)[in_target].sum()
    filed = [one.annual_plan for one in lived.portfolio.plan.projects if one.stage != "reserve"]
    assert of_year == sum(filed)


@pytest.mark.usefixtures("told_once", "no_charts")
def test_through_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["run", str(LUOYANG / "baseline.toml"), "-n", "2", "--out", str(tmp_path), "--quiet"]
    with pytest.raises(SystemExit) as ended:
        main([*words, "--set", "uncertainties.all=off"])
    assert ended.value.code == 0
    folder = Path(capsys.readouterr().out.strip().split("：", 1)[1])
    summary = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
    for measure in ("work_done", "reported"):
        found = summary["year_end"][measure]
        assert found["p5"] == found["p95"] == summary["annual_plan_yuan"]
        assert found["sd"] == 0


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(rows=small_plans())
def test_generated_plans(rows: Sequence[Row]) -> None:
    folder = small_world(rows)
    lived, refused = None, set[str]()
    try:
        lived = live_as_planned(folder)
    except sim.InputError as error:
        refused = {one.code for one in error.problems if one.level == "error"}
    finally:
        shutil.rmtree(folder)
    # A drawn plan may hold a total thousands of times the others; nothing else is wrong with it.
    assert refused <= {"unit_slip"}
    if lived is not None:
        assert_identity(lived)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(rows=small_plans())
def test_neither_empty_accounts_nor_closed_windows_hold_the_ledger_up(rows: Sequence[Row]) -> None:
    """With all uncertainty off money is unlimited, windows do not bind and nobody accelerates."""
    folder = small_folder()
    windows = [{"window": "closed", "places": 0}]
    gates = [dict(row) | {"window": "closed"} for row in GATES]
    hard: dict[str, object] = {
        "funding": "general_budget:1", "advance": 0.3, "advance_recovery": "0.1-0.5",
        "retention": 0.05, "arrears_tolerance": 0, "slow_rate": 0, "acceleration": 3,
    }  # fmt: skip
    accounts = [{"id": "empty", "name": "empty", "class": "general_budget", "opening": 0,
                 "year_end": "lapse"}]  # fmt: skip
    lived, refused = None, set[str]()
    try:
        write_world(
            folder, rows, "", DRIVERS, calendar=CALENDAR, gates=gates, windows=windows,
            accounts=accounts, types=[dict(row) | hard for row in TYPES],
        )  # fmt: skip
        lived = live_as_planned(folder)
    except sim.InputError as error:
        refused = {one.code for one in error.problems if one.level == "error"}
    finally:
        shutil.rmtree(folder)
    assert refused <= {"unit_slip"}
    if lived is not None:
        assert_identity(lived)
        late = lived.trajectory.start - lived.portfolio.baseline_start
        assert (lived.trajectory.waits[:, Wait.WINDOW] == 0).all()
        assert (lived.trajectory.waits[:, Wait.EQUITY] == 0).all()
        on_time = (late == 0) & (lived.trajectory.finish < lived.portfolio.days)
        assert not lived.trajectory.causes[on_time].any()


class TestCorners:
    """The corners of the baseline, one small plan each."""

    def test_planned_start_past_and_not_begun_starts_on_day_0(self, tmp_path: Path) -> None:
        row = project("A", "2020-06-01", "2021-12-31", 100, 100, stage="new")
        lived = live_as_planned(write_world(tmp_path, [row]))
        assert (lived.trajectory.start[0], lived.trajectory.finish[0]) == (0, 364)

    def test_filed_plan_leaves_value_over(self, tmp_path: Path) -> None:
        """Settlement is booked at the first month-end after delivery and after the plan year."""
        row = project("A", "2021-02-01", "2021-09-30", 100, 80, type="slow")
        types = [{"type": "slow", "acceptance_days": "fixed(150)"}]
        lived = live_as_planned(write_world(tmp_path, [row], types=types))
        value = lived.trajectory.value[0] // TEN_THOUSAND
        assert value[lived.month("2021-09") : lived.month("2022-02")].tolist() == [80] * 5
        assert str(lived.date(lived.trajectory.delivered[0])) == "2022-02-27"
        assert value[lived.month("2022-02")] == 100

    def test_delivered_on_a_month_end_settles_at_the_next(self, tmp_path: Path) -> None:
        row = project("A", "2021-02-01", "2022-01-31", 100, 80, stage="new")
        rows = [dict(row) | {"planned_finish": "2021-12-31"}]
        types = [{"type": "t", "acceptance_days": "fixed(31)"}]
        lived = live_as_planned(write_world(tmp_path, [rows[0] | {"type": "t"}], types=types))
        value = lived.trajectory.value[0] // TEN_THOUSAND
        assert str(lived.date(lived.trajectory.delivered[0])) == "2022-01-31"
        assert value[lived.month("2022-01")] == 80
        assert value[lived.month("2022-02")] == 100

    def test_total_reached_early_stays_flat(self, tmp_path: Path) -> None:
        row = project("A", "2021-01-01", "2022-12-31", 100, 100)
        lived = live_as_planned(write_world(tmp_path, [row]))
        assert (lived.trajectory.value[0][11:] == 100 * TEN_THOUSAND).all()
        assert lived.trajectory.finish[0] == 729

    def test_pre_work_accrues_as_gates_pass(self, tmp_path: Path) -> None:
        row = project(
            "A", "2022-04-01", "2023-12-31", 1000, 40, gates="land;environment;permit"
        )  # fmt: skip
        lived = live_as_planned(write_world(tmp_path, [row], gates=GATES))
        assert_identity(lived)
        value = lived.trajectory.value[0]
        assert 0 < value[lived.month("2021-06")] < 40 * TEN_THOUSAND
        assert (np.diff(value[:12]) > 0).all()
        passed = [e for e in lived.events if e[3] == Happening.GATE_PASSED]
        assert max(day for day, *_ in passed) == lived.trajectory.start[0]

    def test_gates_take_the_time_that_the_plan_leaves_them(self, tmp_path: Path) -> None:
        rows = [
            project("roomy", "2021-09-01", "2022-12-31", 10, 5, gates="land;environment;permit"),
            project("tight", "2021-01-05", "2022-12-31", 10, 5, gates="land;environment;permit"),
            project("none left", "2021-01-01", "2022-12-31", 10, 5, gates="permit"),
        ]
        lived = live_as_planned(write_world(tmp_path, rows, gates=GATES))
        assert_identity(lived)
        passed = [e for e in lived.events if e[3] == Happening.GATE_PASSED]
        # Three gates cannot pass in four days, nor one in none: they count as passed.
        assert {i for _, _, i, *_ in passed} == {0}

    def test_a_finish_on_a_dead_day_is_exact(self, tmp_path: Path) -> None:
        row = project("A", "2021-03-20", "2021-07-05", 10, 10, type="road")
        world = write_world(tmp_path, [row], calendar=CALENDAR, types=TYPES)
        lived = live_as_planned(world)
        assert str(lived.date(lived.trajectory.finish[0])) == "2021-07-05"

    def test_no_start_periods_are_off_with_uncertainty(self, tmp_path: Path) -> None:
        row = project("A", "2021-01-25", "2021-12-31", 10, 10, type="plain")
        types = [{"type": "plain", "season": "site"}]
        world = write_world(tmp_path, [row], calendar=CALENDAR, types=types)
        assert str(live_as_planned(world).date(live_as_planned(world).trajectory.start[0])) == (
            "2021-01-25"
        )

    def test_reserve_is_simulated_but_not_in_the_target(self, tmp_path: Path) -> None:
        rows = [
            project("A", "2021-01-01", "2021-12-31", 10, 10),
            project("R", "2021-01-01", "2021-12-31", 30, 30, stage="reserve"),
        ]
        run = sim.simulate(sim.load_scenario(write_world(tmp_path, rows)), replications=1)
        assert sim.summarise(run)["year_end"]["work_done"]["p50"] == 10 * TEN_THOUSAND

    def test_beyond_the_horizon_is_counted(self, tmp_path: Path) -> None:
        rows = [
            project("A", "2021-01-01", "2030-12-31", 10, 1),
            project("B", "2021-01-01", "2021-06-30", 10, 10),
        ]
        run = sim.simulate(sim.load_scenario(write_world(tmp_path, rows)), replications=3)
        summary = sim.summarise(run)
        assert summary["projects"]["finished_in_horizon"]["p50"] == 1
        assert summary["makespan_days"]["p_after_horizon"] == 1
        assert summary["makespan_days"]["p50"] is None

    def test_status_in_mid_year(self, tmp_path: Path) -> None:
        row = project(
            "A", "2020-05-01", "2022-05-31", 100, 40, done_before_year=30, done_this_year=15
        )  # fmt: skip
        lived = live_as_planned(write_world(tmp_path, [row], "status_date = 2021-06-30"))
        assert_identity(lived)
        assert lived.date(0).isoformat() == "2021-07-01"
        assert lived.trajectory.value[0, lived.month("2021-12")] == 70 * TEN_THOUSAND

    def test_finished_before_the_status_date(self, tmp_path: Path) -> None:
        rows = [
            project("done", "2019-01-01", "2020-06-30", 10, 0, done_before_year=10),
            project("next", "2021-01-01", "2021-06-30", 10, 10, predecessors="done"),
        ]
        lived = live_as_planned(write_world(tmp_path, rows))
        assert lived.trajectory.start[1] == 0
        assert (lived.trajectory.value[0] == 10 * TEN_THOUSAND).all()

    def test_nothing_to_build(self, tmp_path: Path) -> None:
        rows = [project("empty", "2021-03-01", "2021-03-01", 0, 0)]
        lived = live_as_planned(write_world(tmp_path, rows))
        assert_identity(lived)
