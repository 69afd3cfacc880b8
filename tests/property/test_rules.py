"""Each rule of the engine as a property, written from the rule and not from the code."""

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import sim
from sim.engine.rules import NEVER, PPM, Happening, Phase
from tests.worlds import (
    CALENDAR,
    GATES,
    TYPES,
    Lived,
    Row,
    live,
    luck,
    project,
    small_plans,
    small_world,
    write_world,
)


def gate_names(lived: Lived) -> list[tuple[int, str]]:
    """Project and code of every open gate, as the events number them."""
    return [
        (i, gate)
        for i, chain in enumerate(lived.portfolio.chains)
        if chain is not None
        for gate in chain.gates
    ]


def days_by_gate(lived: Lived, what: Happening) -> dict[tuple[int, str], int]:
    """Day on which something happened to each open gate, from the log."""
    names = gate_names(lived)
    return {names[one.place]: one.day for one in lived.events if one.happening == what}


def check_gates(lived: Lived) -> None:
    """A gate passes after those it waits for; every review takes a working day at least."""
    names = gate_names(lived)
    passed = days_by_gate(lived, Happening.GATE_PASSED)
    ready = days_by_gate(lived, Happening.FILE_READY)
    after = {row["gate"]: str(row.get("after", "")).split(";") for row in GATES}
    for (i, gate), day in passed.items():
        assert day > ready[i, gate]
        for other in after[gate]:
            if (i, other) in names:
                assert ready[i, gate] > passed[i, other]
    for i, one in enumerate(lived.portfolio.plan.projects):
        mine = [key for key in names if key[0] == i]
        if lived.trajectory.start[i] != NEVER and mine:
            assert all(passed[key] <= lived.trajectory.start[i] for key in mine), one.id


def check_starts(lived: Lived) -> None:
    """A project starts on the first day on which nothing holds it, and books why it waited."""
    portfolio, life = lived.portfolio, lived.trajectory
    names = gate_names(lived)
    passed = days_by_gate(lived, Happening.GATE_PASSED)
    for i, one in enumerate(portfolio.plan.projects):
        if portfolio.begun[i] or portfolio.finished[i]:
            assert life.start[i] < 0
            continue
        allowed = lived.drawn.may_start[portfolio.class_of[i]]
        before = [lived.position(name) for name in one.predecessors]
        held_until = [int(portfolio.baseline_start[i] + lived.drawn.slip[i])]
        held_until += [int(life.delivered[other]) + 1 for other in before]
        held_until += [day for key, day in passed.items() if key[0] == i]
        first = max(held_until)
        if life.start[i] == NEVER:
            waits_for_gate = any(key[0] == i and key not in passed for key in names)
            assert waits_for_gate or first >= portfolio.days or not allowed[first:].any()
            until_horizon = max(portfolio.days - int(portfolio.baseline_start[i]), 0)
            assert life.waits[i].sum() == until_horizon
            continue
        free = first + int(np.flatnonzero(allowed[first:])[0])
        assert life.start[i] == free, one.id
        assert life.waits[i].sum() == free - portfolio.baseline_start[i]
        assert (life.waits[i] >= 0).all()


def check_work(lived: Lived) -> None:
    """Work is finished on the first day by whose end the calendar has given enough of it."""
    portfolio, life = lived.portfolio, lived.trajectory
    for i in range(portfolio.size):
        if portfolio.finished[i] or life.start[i] == NEVER:
            continue
        given_by = np.diff(lived.drawn.calendar[portfolio.class_of[i]])
        first = max(int(life.start[i]), 0)
        whole = int(lived.drawn.work[i])
        if life.finish[i] == NEVER:
            assert given_by[first:].sum() < whole
            continue
        finish = int(life.finish[i])
        assert given_by[first : finish + 1].sum() >= whole
        assert finish == first or given_by[first:finish].sum() < whole
        if life.delivered[i] != NEVER:
            assert life.delivered[i] == finish + lived.drawn.acceptance[i]


def check_value(lived: Lived) -> None:
    """Value never falls, never passes the total, and is all there in the end."""
    portfolio, life = lived.portfolio, lived.trajectory
    assert (np.diff(life.value, axis=1) >= 0).all()
    assert (life.value >= portfolio.done[:, None]).all()
    assert (life.value <= lived.drawn.total[:, None]).all()
    for i in range(portfolio.size):
        if life.delivered[i] < portfolio.month_ends[-1] > portfolio.year_end_day:
            grown = int(lived.drawn.total[i]) > int(portfolio.total[i])
            # What grew beyond the estimate may still wait for its adjustment at the horizon.
            limit = int(portfolio.total[i]) * 11 // 10
            assert life.value[i, -1] == lived.drawn.total[i] or (
                grown and life.value[i, -1] == limit
            )
        grown = (life.value[i] - portfolio.done[i]).astype(object)
        over = int(lived.drawn.overstatement[i])
        expected = [
            min(int(portfolio.done[i]) + g * (PPM + over) // PPM, int(lived.drawn.total[i]))
            for g in grown
        ]
        assert life.reported[i].tolist() == expected


def check_payment(lived: Lived) -> None:
    """Nothing is paid before it is payable; in the end everything measured is paid."""
    portfolio, life = lived.portfolio, lived.trajectory
    ends = portfolio.month_ends
    for i in range(portfolio.size):
        kind = portfolio.type_of(i)
        ratio = round(kind.pay_ratio * PPM)
        opening = portfolio.opening_claims[i].cumsum()
        assert (np.diff(life.paid[i]) >= 0).all()
        for month, day in enumerate(ends.tolist()):
            measured_by = day - kind.pay_lag_days
            value = life.value[i][ends <= measured_by].max(initial=portfolio.done[i])
            settled = life.delivered[i] < measured_by or portfolio.finished[i]
            entitled = int(value) if settled else int(value) * ratio // PPM
            before = int(portfolio.done[i]) * ratio // PPM
            assert life.paid[i, month] - opening[month] <= max(entitled - before, 0)
        # December's run comes before the month-end.
        last_lag = portfolio.pay_days[-1] - kind.pay_lag_days
        # What grew beyond the estimate may still wait for its adjustment at the horizon.
        if portfolio.finished[i] or lived.drawn.total[i] > portfolio.total[i]:
            continue
        settlement = ends[(ends > life.delivered[i]) & (ends > portfolio.year_end_day)]
        if len(settlement) and settlement[0] <= last_lag:
            whole = int(lived.drawn.total[i]) - int(portfolio.done[i]) * ratio // PPM
            assert life.paid[i, -1] == whole + opening[-1]


def check_order(lived: Lived) -> None:
    """Within a day phases run in order, inside a phase rank decides.

    But windows take files by the day of their coming, accounts pay one after the other, and bond
    money is called idle release by release.
    """
    assert [one[:2] for one in lived.events] == sorted(one[:2] for one in lived.events)
    keys = [
        one[:3]
        for one in lived.events
        if (one.phase, one.happening) != (Phase.REVIEWS, Happening.REVIEW_BEGUN)
        and one.happening != Happening.IDLE
        and not (lived.frame.policy.money_limited and one.phase in (Phase.RECEIVE, Phase.PAY))
    ]
    assert keys == sorted(keys)


CHECKS = (check_gates, check_order, check_starts, check_work, check_value, check_payment)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(rows=small_plans(), replication=st.integers(0, 10_000))
def test_generated_plans(rows: Sequence[Row], replication: int) -> None:
    folder = small_world(rows)
    try:
        lived = live(folder, replication)
    except sim.InputError:
        return
    finally:
        shutil.rmtree(folder)
    for check in CHECKS:
        check(lived)


LUOYANG = Path(__file__).parents[2] / "scenarios" / "luoyang-2021"


def plain_terms() -> list[str]:
    """Changes that leave the Luoyang plan unlimited money, no advance, retention or stops.

    What money does stands in its own tests; `test_days` walks through the plan as it is.
    """
    types = sim.load_plan(LUOYANG).types
    terms = [f"types.{kind}.{term}=0" for kind in types for term in ("advance", "retention")]
    off = ["uncertainties.money=off", "uncertainties.risks=off", "levers.acceleration=off"]
    return [*off, *terms]


def test_the_luoyang_plan() -> None:
    lived = live(LUOYANG, 11, changes=plain_terms())
    for check in CHECKS[1:]:
        check(lived)


class TestCorners:
    def test_a_start_on_a_month_end_is_measured_that_day(self, tmp_path: Path) -> None:
        rows = [
            project("A", "2021-01-01", "2021-12-31", 100, 100),
            project("B", "2021-03-31", "2021-12-31", 276, 276),
        ]
        value = live(write_world(tmp_path, rows)).trajectory.value[1]
        assert value[1] == 0
        # One day of 276, read from the curve in whole ppm and floored.
        assert value[2] == 2_760_000 * (10**6 // 276) // 10**6

    def test_day_arithmetic(self, tmp_path: Path) -> None:
        """D whole days from day s end on s + D - 1; a successor starts the day after delivery."""
        rows = [
            project("A", "2021-01-04", "2021-01-31", 1, 1, duration="days: fixed(10)"),
            project("B", "2021-01-01", "2021-01-31", 1, 1, duration="days: fixed(5)",
                    predecessors="A"),
            project("late", "2021-03-01", "2021-03-31", 1, 1, duration="days: fixed(5)",
                    predecessors="A"),
        ]  # fmt: skip
        lived = live(write_world(tmp_path, rows, 'calendar = "continuous"'))
        start, finish = lived.trajectory.start.tolist(), lived.trajectory.finish.tolist()
        assert (start[0], finish[0]) == (3, 12)
        assert (start[1], finish[1]) == (13, 17)
        assert str(lived.date(start[2])) == "2021-03-01"

    def test_acceptance_delays_successors(self, tmp_path: Path) -> None:
        rows = [
            project("A", "2021-01-01", "2021-01-10", 1, 1, type="slow"),
            project("B", "2021-01-01", "2021-12-31", 1, 1, predecessors="A"),
        ]
        types = [{"type": "slow", "acceptance_days": "fixed(7)"}]
        lived = live(write_world(tmp_path, rows, types=types))
        assert lived.trajectory.delivered[0] == 9 + 7
        assert lived.trajectory.start[1] == 17

    def test_no_work_at_all_finishes_on_the_start_day(self, tmp_path: Path) -> None:
        rows = [project("A", "2021-05-05", "2021-08-31", 1, 1, duration="fixed(0)")]
        lived = live(write_world(tmp_path, rows))
        assert lived.trajectory.start[0] == lived.trajectory.finish[0]

    def test_nothing_starts_in_a_no_start_period(self, tmp_path: Path) -> None:
        rows = [project("A", "2021-01-25", "2021-12-31", 1, 1, type="road")]
        types = [{"type": "road", "season": "site"}]
        lived = live(write_world(tmp_path, rows, calendar=CALENDAR, types=types))
        assert str(lived.date(lived.trajectory.start[0])) == "2021-02-11"
        assert lived.trajectory.waits[0].tolist() == [0, 0, 0, 0, 17, 0]

    def test_waits_are_split_by_a_running_maximum(self, tmp_path: Path) -> None:
        """Gates first, then the predecessor until day 30; a slip until day 25 adds nothing."""
        rows = [
            project("first", "2021-01-01", "2021-01-30", 1, 1, gates="none"),
            project("A", "2021-01-01", "2021-12-31", 1, 1, gates="g", predecessors="first",
                    type="slips"),
        ]  # fmt: skip
        gates = [{"procedure": "approval", "gate": "g", "preparation": "fixed(1)",
                  "review": "fixed(1)", "cushion": 0}]  # fmt: skip
        types = [{"type": "slips", "slip": "fixed(25)"}]
        lived = live(write_world(tmp_path, rows, gates=gates, types=types))
        passed = days_by_gate(lived, Happening.GATE_PASSED)[1, "g"]
        assert lived.trajectory.start[1] == 30
        assert lived.trajectory.waits[1].tolist() == [passed, 0, 30 - passed, 0, 0, 0]

    def test_waits_beyond_the_horizon_count_up_to_it(self, tmp_path: Path) -> None:
        rows = [
            project("A", "2021-07-01", "2021-12-31", 1, 1, gates="g"),
            project("B", "2021-01-01", "2021-12-31", 1, 1, gates="none", predecessors="A"),
        ]
        gates = [{"procedure": "approval", "gate": "g", "preparation": "fixed(1)",
                  "review": "fixed(5000)", "cushion": 0}]  # fmt: skip
        lived = live(write_world(tmp_path, rows, gates=gates))
        assert (lived.trajectory.start == NEVER).all()
        assert lived.trajectory.waits[0].tolist() == [lived.portfolio.days - 181, 0, 0, 0, 0, 0]
        assert lived.trajectory.waits[1].tolist() == [0, 0, lived.portfolio.days, 0, 0, 0]

    def test_what_is_planned_beyond_the_horizon_waits_for_nothing(self, tmp_path: Path) -> None:
        rows = [
            project("A", "2022-02-01", "2022-12-31", 1, 0, gates="g", type="slips"),
            project("B", "2021-01-01", "2021-12-31", 1, 1),
        ]
        gates = [{"procedure": "approval", "gate": "g", "preparation": "fixed(90)",
                  "review": "fixed(5000)", "cushion": 0}]  # fmt: skip
        types = [{"type": "slips", "slip": "fixed(25)"}]
        settings = "horizon = 2021-12-31"
        lived = live(write_world(tmp_path, rows, settings, gates=gates, types=types))
        assert lived.trajectory.start[0] == NEVER
        assert not lived.trajectory.waits[0].any()

    def test_a_finished_project_keeps_its_dates_and_amounts(self, tmp_path: Path) -> None:
        rows = [project("A", "2019-03-01", "2020-08-31", 1000, 0, done_before_year=1000,
                        stage="completing", cost="amount: fixed(2000)", arrears=7, type="t"),
                project("B", "2021-01-01", "2021-12-31", 1, 1)]  # fmt: skip
        types = [{"type": "t", "pay_ratio": 0.7, "pay_lag_days": 200}]
        lived = live(write_world(tmp_path, rows, types=types))
        days = (lived.trajectory.start[0], lived.trajectory.finish[0])
        assert [str(lived.date(day)) for day in days] == ["2019-03-01", "2020-08-31"]
        assert (lived.trajectory.value[0] == 10_000_000).all()
        assert (lived.trajectory.paid[0] == 70_000).all()

    def test_gate_times_are_working_days(self, tmp_path: Path) -> None:
        """New Year's Day 2021 was a Friday; the festival week has none; make-up days count."""
        rows = [project("A", "2021-02-05", "2021-12-31", 1, 1, gates="g")]
        gates = [{"procedure": "approval", "gate": "g", "preparation": "fixed(2)",
                  "review": "fixed(6)", "cushion": 0}]  # fmt: skip
        lived = live(write_world(tmp_path, rows, gates=gates))
        days = {one.happening: str(lived.date(one.day)) for one in lived.events}
        # After Friday 5 February: Sunday the 7th (a make-up day) and Monday the 8th.
        assert days[Happening.FILE_READY] == "2021-02-08"
        # Then 9, 10, 18, 19, 20 (a Saturday, make-up day) and 22 February.
        assert days[Happening.GATE_PASSED] == "2021-02-22"

    def test_later_years_know_statutory_holidays_only(self, tmp_path: Path) -> None:
        """260, 260 and 262 weekdays of 2022 to 2024, less the eleven statutory days of 2021's law.

        The official calendars, with days moved and made up, have as many: moving changes no count.
        """
        rows = [project("A", "2021-06-01", "2021-12-31", 1, 1, gates="land")]
        counted = live(write_world(tmp_path, rows, gates=GATES)).drawn.workdays
        year_ends = [365, 365 + 365, 365 + 730, 365 + 730 + 366]
        assert np.diff(counted[year_ends]).tolist() == [249, 249, 251]
        # 31 January 2022, a Monday, became a day off by the announcement of October 2021.
        assert counted[396] - counted[395] == 1

    def test_gates_open_by_default_follow_the_graph_not_the_rows(self, tmp_path: Path) -> None:
        rows = [project("A", "2021-09-01", "2022-12-31", 1, 1)]
        for name, gates in (("a", GATES), ("b", GATES[::-1]), ("c", GATES[1:] + GATES[:1])):
            plan = sim.load_plan(write_world(tmp_path / name, rows, gates=gates))
            # The permit waits for both others; of those the later name comes second.
            assert plan.projects[0].gates == ("land", "permit")

    def test_of_a_gate_under_way_the_rest_is_drawn(self, tmp_path: Path) -> None:
        rows = [project("A", "2021-01-20", "2021-12-31", 1, 1, gates="g")]
        gates = [{"procedure": "approval", "gate": "g", "preparation": "fixed(60)",
                  "review": "fixed(40)", "cushion": 1.0}]  # fmt: skip
        folder = write_world(tmp_path, rows, gates=gates)
        rest = np.array([
            int(one.gate_preparation[0] + one.gate_review[0]) for one in luck(folder, 200)
        ])  # fmt: skip
        assert rest.min() >= 2
        assert rest.max() <= 100
        # A uniform share of 100 days: mean 50, standard error 100 / sqrt(12 n).
        assert abs(rest.mean() - 50) <= 4 * 100 / np.sqrt(12 * 200) + 1

    def test_overstatement_moves_reports_and_nothing_else(self, tmp_path: Path) -> None:
        rows = [project("A", "2020-06-01", "2022-12-31", 1000, 400, done_before_year=200)]
        driver = '[over]\ntitle = "o"\ndistribution = "fixed(0.2)"\nacts_on = "report"\n'
        plain = live(write_world(tmp_path / "a", rows)).trajectory
        over = live(write_world(tmp_path / "b", rows, drivers=driver)).trajectory
        for name in ("start", "finish", "delivered", "value", "paid", "progress"):
            assert np.array_equal(getattr(plain, name), getattr(over, name)), name
        of_year = plain.value[0, 11] - 2_000_000
        assert over.reported[0, 11] == 2_000_000 + of_year * 6 // 5

    def test_understatement_raises_the_year_and_never_the_total(self, tmp_path: Path) -> None:
        rows = [
            project("A", "2020-06-01", "2022-12-31", 1000, 400, done_before_year=200),
            project("B", "2021-01-01", "2021-12-31", 1000, 1000),
        ]
        driver = '[under]\ntitle = "u"\ndistribution = "fixed(0.25)"\nacts_on = "intent"\n'
        lived = live(write_world(tmp_path, rows, drivers=driver))
        assert lived.trajectory.value[:, 11].tolist() == [7_000_000, 10_000_000]

    def test_slow_work_reaches_the_year_end_knot_later(self, tmp_path: Path) -> None:
        """The knot is a share of the work: at half the pace half of the year's plan is done."""
        rows = [project("A", "2021-01-01", "2022-12-31", 730, 400, duration="fixed(2)")]
        value = live(write_world(tmp_path, rows)).trajectory.value[0]
        assert value[[11, 23]].tolist() == [2_000_000, 4_000_000]

    def test_work_and_cost_multiply_what_remains(self, tmp_path: Path) -> None:
        rows = [project("A", "2020-01-01", "2021-12-31", 1000, 200, done_before_year=800,
                        duration="fixed(2)", cost="fixed(1.5)")]  # fmt: skip
        lived = live(write_world(tmp_path, rows))
        assert lived.trajectory.finish[0] == 2 * 365 - 1
        assert lived.drawn.total[0] == 8_000_000 + 3_000_000

    def test_zero_probability_leaves_no_trace(self, tmp_path: Path) -> None:
        rows = [project("A", "2021-01-04", "2021-12-31", 100, 100, type="road", county="north")]
        driver = '[flood]\ntitle = "f"\ndistribution = "fixed(30)"\nacts_on = "calendar"\n'
        driver += 'window = ["06-25", "08-25"]\nprobability = 0\n'
        tables: dict[str, Any] = {"calendar": CALENDAR, "types": TYPES}
        plain = live(write_world(tmp_path / "a", rows, **tables))
        never = live(write_world(tmp_path / "b", rows, drivers=driver, **tables))
        # Baselines give a dead day one milli-day, realized calendars none: compare those that may.
        difference = plain.drawn.calendar[:, -1] - never.drawn.calendar[:, -1]
        assert (difference == 9).all()  # the nine dead days of July 2021
        assert np.array_equal(plain.trajectory.start, never.trajectory.start)

    @pytest.mark.parametrize(("state", "days"), [("on", 10), ("stress", 40)])
    def test_a_stop_takes_its_days(self, tmp_path: Path, state: str, days: int) -> None:
        rows = [project("A", "2021-01-01", "2021-12-31", 100, 100, type="road", county="north")]
        driver = '[flood]\ntitle = "f"\ndistribution = "fixed(10)"\nstress = "fixed(40)"\n'
        driver += 'acts_on = "calendar"\nwindow = ["06-25", "08-25"]\n'
        types = [{"type": "road", "season": "site"}]
        calendar = [{"season": "inside", "from": "01-01", "to": "01-02", "cause": "x"}]
        folder = write_world(tmp_path, rows, drivers=driver, types=types, calendar=calendar)
        lived = live(folder, changes=[f"uncertainties.flood.state={state}"])
        given_by = np.diff(lived.drawn.calendar[0])
        dead = np.flatnonzero(given_by[:365] == 0)
        assert len(dead) == days
        assert dead[-1] - dead[0] == days - 1
        assert lived.date(dead[0]).isoformat() >= "2021-06-25"
        assert lived.date(dead[-1]).isoformat() <= "2021-08-25"
        assert lived.trajectory.finish[0] == 364 + days

    @pytest.mark.parametrize(
        ("window", "years"),
        [('["06-25", "08-25"]', ["2021", "2022", "2023"]), ("[2022-06-25, 2022-08-25]", ["2022"])],
    )
    def test_a_window_with_a_year_strikes_once(
        self, tmp_path: Path, window: str, years: list[str]
    ) -> None:
        rows = [project("A", "2021-01-01", "2021-12-31", 100, 100, type="road", county="north")]
        driver = '[flood]\ntitle = "f"\ndistribution = "fixed(10)"\nacts_on = "calendar"\n'
        driver += f"window = {window}\n"
        types = [{"type": "road", "season": "site"}]
        settings = "horizon = 2023-12-31"
        lived = live(write_world(tmp_path, rows, settings, drivers=driver, types=types))
        closed = np.flatnonzero(np.diff(lived.drawn.calendar[0]) == 0).tolist()
        dead = [lived.date(day) for day in closed]
        assert [f"{day:%Y}" for day in dead] == [year for year in years for _ in range(10)]
        assert all("06-25" <= f"{day:%m-%d}" <= "08-25" for day in dead)

    def test_episodes_share_one_occurrence_and_its_days(self, tmp_path: Path) -> None:
        """Three stops of four days or none: a year with probability a half has either."""
        rows = [project("A", "2021-01-01", "2021-12-31", 100, 100, type="road", county="north")]
        driver = '[dust]\ntitle = "d"\ndistribution = "fixed(12)"\nacts_on = "calendar"\n'
        driver += 'window = ["01-01", "12-31"]\nepisodes = 3\nprobability = 0.5\n'
        types = [{"type": "road", "season": "site"}]
        folder = write_world(tmp_path, rows, drivers=driver, types=types)
        dead = np.array([(np.diff(one.calendar[0])[:365] == 0).sum() for one in luck(folder, 100)])
        assert dead.max() <= 12
        assert set(dead[dead < 6].tolist()) <= {0, 4, 5}  # stops may overlap, and cross new year
        struck = (dead > 0).mean()
        assert abs(struck - 0.5) <= 4 * np.sqrt(0.25 / 100)

    def test_a_driver_resizes_the_spells_of_its_cause(self, tmp_path: Path) -> None:
        rows = [project("A", "2021-01-01", "2021-12-31", 100, 100, type="road", county="north")]
        driver = '[festival]\ntitle = "f"\ndistribution = "fixed(11)"\nacts_on = "calendar"\n'
        driver += 'cause = "festival"\n'
        calendar = [{"season": "site", "from": "2021-02-04", "to": "2021-02-24",
                     "availability": 0, "cause": "festival"}]  # fmt: skip
        types = [{"type": "road", "season": "site"}]
        world = write_world(tmp_path, rows, drivers=driver, types=types, calendar=calendar)
        dead = np.flatnonzero(np.diff(live(world).drawn.calendar[0]) == 0)
        lived = live(world)
        assert [lived.date(day).isoformat() for day in (dead[0], dead[-1])] == [
            "2021-02-09", "2021-02-19",
        ]  # fmt: skip

    def test_pay_terms(self, tmp_path: Path) -> None:
        """60 % of measured value after a month and a half; the rest after delivery."""
        rows = [project("A", "2021-01-01", "2021-04-30", 120, 120, type="t")]
        types = [
            {"type": "t", "pay_ratio": 0.6, "pay_lag_days": 45, "acceptance_days": "fixed(20)"}
        ]
        lived = live(write_world(tmp_path, rows, types=types))
        paid = (lived.trajectory.paid[0] // 10_000).tolist()
        value = (lived.trajectory.value[0] // 10_000).tolist()
        assert value[3] == 120
        # January's value is payable on 17 March and paid at the end of March.
        assert paid[:2] == [0, 0]
        assert paid[2] == int(lived.trajectory.value[0, 0] * 0.6) // 10_000
        # Delivered on 20 May, settled at the end of May, payable on 15 July.
        assert paid[5] == 72
        assert paid[6] == 120

    def test_work_of_earlier_months_is_still_to_be_paid(self, tmp_path: Path) -> None:
        """A straight year at one pace pays what it measures, shifted by the lag."""
        rows = [project("A", "2020-01-01", "2022-12-31", 1096, 365, done_before_year=366, type="t")]
        types = [{"type": "t", "pay_ratio": 0.5, "pay_lag_days": 45}]
        lived = live(write_world(tmp_path, rows, types=types))
        # Measured between mid-November 2020 and mid-November 2021, half of it payable.
        assert lived.trajectory.paid[0, 11] / 10_000 == pytest.approx(365 * 0.5, abs=1)

    def test_arrears_at_the_status_date_are_paid_first(self, tmp_path: Path) -> None:
        rows = [project("A", "2020-01-01", "2022-12-31", 1000, 300, done_before_year=300,
                        arrears=50)]  # fmt: skip
        assert live(write_world(tmp_path, rows)).trajectory.paid[0, 0] >= 50 * 10_000
