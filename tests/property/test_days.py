"""Rules 5, 8 to 11, 13 and 30: starts, work, stops, rates and causes, day by day.

Every drawn plan is walked through again by the loops of `tests.naive`; the corners are worked
out by hand.
"""

import dataclasses
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import sim
from sim.engine.reference import run_reference
from sim.engine.rules import NANO_DAYS, NEVER, PPM, Cause, Happening, Wait
from sim.engine.trajectory import Event
from tests.cutting import LUOYANG, cut_luoyang
from tests.naive import book_plan, walk_days, walk_files
from tests.property.test_rules import check_order
from tests.worlds import (
    CALENDAR,
    DRIVERS,
    GATES,
    TYPES,
    Lived,
    Row,
    live,
    project,
    small_folder,
    small_plans,
    write_world,
)

Stops = Mapping[int, Sequence[tuple[int, int]]]


def relive(lived: Lived, **changed: object) -> Lived:
    """Live the same plan once more with something in its realization replaced."""
    drawn = dataclasses.replace(lived.drawn, **changed)  # type: ignore[arg-type]
    events: list[Event] = []
    trajectory = run_reference(lived.frame, drawn, events)
    return dataclasses.replace(lived, drawn=drawn, trajectory=trajectory, events=events)


def with_stops(lived: Lived, stops: Stops) -> Lived:
    """Live it again with stops: by project, position in milli-days and length (-1 drops it)."""
    by_project = [sorted(stops.get(i, ())) for i in range(lived.portfolio.size)]
    first = np.cumsum([0, *(len(mine) for mine in by_project)])
    at = [position for mine in by_project for position, _ in mine]
    days = [length for mine in by_project for _, length in mine]
    return relive(
        lived,
        stop_first=first.astype(np.int64),
        stop_at=np.array(at, dtype=np.int64),
        stop_days=np.array(days, dtype=np.int64),
    )


def check_sum(lived: Lived) -> None:
    """Rule 30: waits and causes are all of finish less planned finish, to the billionth."""
    frame, life = lived.frame, lived.trajectory
    for i in range(lived.portfolio.size):
        if life.start[i] == NEVER and life.dropped[i] == NEVER:
            until_horizon = max(frame.days - int(frame.baseline_start[i]), 0)
            assert life.waits[i].sum() == until_horizon
    for i in range(lived.portfolio.size):
        if frame.finished[i] or life.start[i] == NEVER:
            assert not life.causes[i].any()
            continue
        last = min(int(life.finish[i]), int(life.dropped[i]), frame.days - 1)
        late = last - int(frame.planned_finish[i])
        booked = int(life.waits[i].sum()) * NANO_DAYS + sum(life.causes[i].tolist())
        assert booked == late * NANO_DAYS, lived.portfolio.plan.projects[i].id


def check_days(lived: Lived) -> None:
    """Dates, progress, causes and the wait for money, against a loop over days."""
    frame, drawn, life = lived.frame, lived.drawn, lived.trajectory
    files = walk_files(frame, drawn, frame.gate_begin.tolist())
    sites = walk_days(frame, drawn, life, files.passed)
    for i, site in enumerate(sites):
        name = lived.portfolio.plan.projects[i].id
        dates = [int(life.start[i]), int(life.finish[i]), int(life.delivered[i]),
                 int(life.dropped[i])]  # fmt: skip
        assert dates == [site.started, site.finished, site.delivered, site.dropped], name
        if frame.finished[i]:
            continue
        if site.started >= 0:
            ready = min(site.ready, frame.days)
            until = min(site.started, frame.days)
            if site.dropped == NEVER or site.started != NEVER:
                assert life.waits[i, Wait.EQUITY] == until - ready, name
        if site.started == NEVER:
            continue
        assert life.causes[i].tolist() == book_plan(frame, drawn, i, site), name
        whole = int(drawn.work[i])
        for month, worked in enumerate(site.worked):
            if frame.month_ends[month] >= site.started:
                expected = worked * PPM // whole if whole else PPM
                assert life.progress[i, month] == expected, (name, month)


CHECKS = (check_order, check_sum, check_days)

HARD_TYPES: tuple[Row, ...] = tuple(
    dict(row) | {"funding": "general_budget:0.5;loan:0.5", "advance": 0.2,
                 "advance_recovery": "0.2-0.8", "arrears_tolerance": 0.05, "slow_rate": rate,
                 "acceleration": 1.5}
    for row, rate in zip(TYPES, (0.5, 0.25, 0), strict=True)
)  # fmt: skip


@st.composite
def hard_years(draw: st.DrawFn) -> tuple[list[Row], list[Row], list[Row]]:
    """Draw projects in chains and diamonds, and accounts that run short."""
    rows = draw(small_plans())
    if len(rows) >= 4 and draw(st.booleans()):  # a diamond, whatever else was drawn
        top, left, right, bottom = (str(row["id"]) for row in rows[:4])
        before = {left: top, right: top, bottom: f"{left};{right}"}
        rows = [
            dict(row) | {"predecessors": before.get(str(row["id"]), row["predecessors"])}
            for row in rows
        ]
    sizes = st.sampled_from([0, 3, 500, 40_000, 1_000_000])
    accounts: list[Row] = [
        {"id": "B", "name": "B", "class": "general_budget", "opening": draw(sizes),
         "year_end": draw(st.sampled_from(["carry", "lapse"]))},
        {"id": "L", "name": "L", "class": "loan", "opening": draw(sizes)},
    ]  # fmt: skip
    releases: list[Row] = [
        {"account": draw(st.sampled_from("BL")), "amount": draw(sizes),
         "available": f"2021-{draw(st.integers(1, 12)):02d}-{draw(st.integers(1, 28)):02d}"}
        for _ in range(draw(st.integers(1, 5)))
    ]  # fmt: skip
    return rows, accounts, releases


def drawn_stops(lived: Lived, choose: st.DataObject) -> Stops:
    """Draw stops at and around the positions that matter: nothing, a day, the end, beyond."""
    stops: dict[int, list[tuple[int, int]]] = {}
    for i, whole in enumerate(lived.drawn.work.tolist()):
        places = st.sampled_from([0, 1, 1000, whole // 2, max(whole - 1, 0), whole])
        lengths = st.sampled_from([0, 1, 5, 40, 400, -1])
        stops[i] = choose.draw(st.lists(st.tuples(places, lengths), max_size=3))
    return stops


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(plan=hard_years(), limited=st.booleans(), replication=st.integers(0, 1000), data=st.data())
def test_generated_plans(
    plan: tuple[Sequence[Row], Sequence[Row], Sequence[Row]],
    limited: bool,
    replication: int,
    data: st.DataObject,
) -> None:
    rows, accounts, releases = plan
    folder = small_folder()
    money = {"accounts": accounts, "releases": releases} if limited else {}
    lived = None
    try:
        write_world(
            folder, rows, "horizon = 2023-12-31", DRIVERS, calendar=CALENDAR, gates=GATES,
            types=HARD_TYPES if limited else TYPES, **money,
        )  # fmt: skip
        lived, refused = live(folder, replication), set[str]()
    except sim.InputError as error:
        refused = {one.code for one in error.problems if one.level == "error"}
    finally:
        shutil.rmtree(folder)
    # A drawn plan may hold a total thousands of times the others; nothing else is wrong with it.
    assert refused <= {"unit_slip"}
    if lived is not None:
        lived = with_stops(lived, drawn_stops(lived, data))
        for check in CHECKS:
            check(lived)


def with_stops_in_every_fifth(plan: Path) -> None:
    """Check a plan with its accounts and calendars, and stops half-way through its projects."""
    plain = live(plan, 3)
    work = plain.drawn.work.tolist()
    lived = with_stops(plain, {i: [(work[i] // 2, 30)] for i in range(0, len(work), 5)})
    for check in CHECKS:
        check(lived)
    for cause in (Cause.STOPS, Cause.ARREARS, Cause.ACCELERATION, Cause.LAST_DAY):
        assert lived.trajectory.causes[:, cause].any(), cause


def test_part_of_the_luoyang_plan(tmp_path: Path) -> None:
    counties = ("laocheng", "chanhe", "city")
    with_stops_in_every_fifth(cut_luoyang(tmp_path / "part", counties, "2024-12-31"))


@pytest.mark.slow
def test_the_luoyang_plan() -> None:
    with_stops_in_every_fifth(LUOYANG)


def one_site(folder: Path, start: str, finish: str, **row: object) -> Lived:
    """Live a plan of one project that has a day's work for each of its days."""
    return live(write_world(folder, [project("A", start, finish, 1000, 1000, **row)]))


class TestStops:
    """Ten days of work from 1 January, a thousand milli-days each."""

    @pytest.mark.parametrize(
        ("stops", "finish", "stopped"),
        [
            # Reached at the end of the third day; the five days after it are lost.
            ([(3_000, 5)], 14, 5),
            # Crossed within the third day: that day counts in full.
            ([(2_001, 5)], 14, 5),
            # One milli-day further, and it is the day after.
            ([(3_001, 5)], 14, 5),
            # Two on the same day add up, two on different days too.
            ([(2_500, 5), (2_600, 4)], 18, 9),
            ([(2_000, 5), (7_000, 4)], 18, 9),
            # At the very start it is the end of the first day.
            ([(0, 2)], 11, 2),
            # On the last day the finish comes first, and so it does against a drop.
            ([(10_000, 5)], 9, 0),
            ([(9_500, 5)], 9, 0),
            ([(9_500, -1)], 9, 0),
            ([(9_000, 5)], 14, 5),
            # No days at all.
            ([(3_000, 0)], 9, 0),
            # Over the end of January.
            ([(9_000, 40)], 49, 40),
        ],
    )
    def test_days(
        self, tmp_path: Path, stops: Sequence[tuple[int, int]], finish: int, stopped: int
    ) -> None:
        lived = with_stops(one_site(tmp_path, "2021-01-01", "2021-01-10"), {0: stops})
        assert lived.trajectory.finish[0] == finish
        assert lived.trajectory.causes[0, Cause.STOPS] == stopped * NANO_DAYS
        check_sum(lived)
        check_days(lived)

    def test_when_it_strikes(self, tmp_path: Path) -> None:
        """The log has the day on which the position is reached, not the one after."""
        plain = one_site(tmp_path, "2021-01-01", "2021-01-10")
        for position, day in ((2_999, 2), (3_000, 2), (3_001, 3)):
            lived = with_stops(plain, {0: [(position, 5)]})
            struck = [one.day for one in lived.events if one.happening == Happening.STOPPED]
            assert struck == [day]

    def test_a_drop(self, tmp_path: Path) -> None:
        """Given up on the fourth day: no finish, value stands still, the successor goes on."""
        rows = [
            project("A", "2021-01-01", "2021-01-10", 1000, 1000),
            project("B", "2021-01-03", "2021-12-31", 1000, 1000, predecessors="A"),
        ]
        lived = with_stops(live(write_world(tmp_path, rows)), {0: [(4_000, -1)]})
        life = lived.trajectory
        assert (life.dropped[0], life.finish[0], life.delivered[0]) == (3, NEVER, NEVER)
        assert life.start[1] == 4
        assert (life.value[0] == 4_000_000).all()
        check_sum(lived)
        check_days(lived)

    def test_over_the_horizon(self, tmp_path: Path) -> None:
        plain = one_site(tmp_path, "2021-01-01", "2021-01-10")
        lived = with_stops(plain, {0: [(5_000, 100_000)]})
        assert lived.trajectory.finish[0] == NEVER
        assert lived.trajectory.causes[0, Cause.STOPS] == (lived.frame.days - 5) * NANO_DAYS
        check_sum(lived)

    def test_only_what_could_be_worked_is_charged_to_a_stop(self, tmp_path: Path) -> None:
        """Five days of two fifths each: two days lost to the stop, three to the frost as ever."""
        rows = [project("A", "2021-03-01", "2021-03-20", 1000, 1000, type="t")]
        frost: Row = {"season": "s", "from": "2021-03-06", "to": "2021-03-10",
                      "availability": 0.4, "cause": "frost"}  # fmt: skip
        types = [{"type": "t", "season": "s"}]
        plain = live(write_world(tmp_path, rows, calendar=[frost], types=types))
        lived = with_stops(plain, {0: [(5_000, 5)]})
        assert lived.trajectory.finish[0] == plain.trajectory.finish[0] + 2
        assert lived.trajectory.causes[0, Cause.STOPS] == 2 * NANO_DAYS
        assert not lived.trajectory.causes[0, len(Cause) :].any()
        check_sum(lived)

    def test_no_work_finishes_on_the_start_day_whatever_stops(self, tmp_path: Path) -> None:
        plain = one_site(tmp_path, "2021-05-05", "2021-08-31", duration="fixed(0)")
        lived = with_stops(plain, {0: [(0, 30)]})
        assert lived.trajectory.start[0] == lived.trajectory.finish[0] == 124
        may = lived.month("2021-05")
        assert lived.trajectory.progress[0, may - 1 : may + 1].tolist() == [0, PPM]
        check_sum(lived)

    def test_finish_on_the_last_day_of_the_year(self, tmp_path: Path) -> None:
        lived = with_stops(one_site(tmp_path, "2021-12-01", "2021-12-21"), {0: [(11_000, 10)]})
        assert str(lived.date(lived.trajectory.finish[0])) == "2021-12-31"
        assert lived.trajectory.value[0, lived.month("2021-12")] == 10_000_000
        later = with_stops(lived, {0: [(11_000, 11)]})
        # Twenty of twenty-one days by the year's end, in ppm read with floor.
        assert later.trajectory.value[0, later.month("2021-12")] == (
            10_000_000 * (20 * PPM // 21) // PPM
        )


def test_the_surplus_of_the_last_day_is_lost(tmp_path: Path) -> None:
    """Ten and a quarter days of work take eleven days; three quarters of the last are surplus."""
    lived = relive(
        one_site(tmp_path, "2021-01-01", "2021-01-10"), work=np.array([10_250], dtype=np.int64)
    )
    assert lived.trajectory.finish[0] == 10
    causes = lived.trajectory.causes[0]
    assert causes[Cause.WORK] == 250 * PPM
    assert causes[Cause.LAST_DAY] == 750 * PPM
    check_sum(lived)


def test_opportunities_are_told_apart_from_work(tmp_path: Path) -> None:
    """Two days saved of twelve drawn: ten days planned, work two more, opportunities two less."""
    plain = one_site(tmp_path, "2021-01-01", "2021-01-10")
    lived = relive(plain, work_saved=np.array([2_000], dtype=np.int64))
    causes = lived.trajectory.causes[0]
    assert [causes[Cause.WORK], causes[Cause.OPPORTUNITIES]] == [2 * NANO_DAYS, -2 * NANO_DAYS]
    check_sum(lived)


def test_causes_of_a_day_are_charged_by_name_on_what_is_left(tmp_path: Path) -> None:
    """Frost leaves 0.4 of a day, wind 0.5: frost takes 600 milli-days, wind half of the rest."""
    rows = [project("A", "2021-01-01", "2021-12-31", 1000, 1000, type="t", duration="fixed(1)")]
    calendar = [
        {"season": "s", "from": "2021-03-01", "to": "2021-03-10", "availability": 0.5,
         "cause": "wind"},
        {"season": "s", "from": "2021-03-01", "to": "2021-03-10", "availability": 0.4,
         "cause": "frost"},
    ]  # fmt: skip
    types = [{"type": "t", "season": "s"}]
    lived = live(write_world(tmp_path, rows, calendar=calendar, types=types))
    assert lived.portfolio.causes == ("frost", "wind")
    losses = lived.drawn.calendar_losses[:, lived.frame.class_of[0]]
    assert (losses[:, 69] - losses[:, 59]).tolist() == [6_000, 2_000]
    assert losses[:, -1].tolist() == [6_000, 2_000]
    # All of a day is work or has a cause.
    assert lived.drawn.calendar[lived.frame.class_of[0], -1] == lived.frame.days * 1000 - 8_000


class TestRates:
    """Rule 11, worked out by hand."""

    @staticmethod
    def behind(folder: Path, cap: float, **more: object) -> Lived:
        """A year's work that begins late: a slip of sixty days behind the filed curve."""
        rows = [project("A", "2021-01-01", "2021-12-31", 3650, 3650, type="t", **more)]
        types = [{"type": "t", "slip": "fixed(60)", "acceleration": cap}]
        return live(write_world(folder, rows, types=types))

    def rates(self, lived: Lived) -> dict[str, int]:
        return {str(lived.date(one.day)): one.number
                for one in lived.events if one.happening == Happening.RATE_SET}  # fmt: skip

    def test_the_gap_is_closed(self, tmp_path: Path) -> None:
        """By 31 August 183 days are done of 365: 182 are left for the 122 days of the year."""
        lived = self.behind(tmp_path, 3)
        rates = self.rates(lived)
        assert rates == {"2021-08-31": -(-182 * PPM // 122), **{
            # Afterwards it keeps the pace that it needs, or one ppm less.
            day: rate for day, rate in rates.items() if day != "2021-08-31"
        }}  # fmt: skip
        assert set(rates) <= {"2021-08-31", "2021-09-30", "2021-10-31", "2021-11-30", "2021-12-31"}
        assert str(lived.date(lived.trajectory.finish[0])) == "2021-12-31"
        check_sum(lived)
        check_days(lived)

    def test_the_gap_ends_with_the_year(self, tmp_path: Path) -> None:
        """Of a project that goes on, only the work planned for the year is made up: 182 days."""
        rows = [project("A", "2021-01-01", "2022-12-31", 7300, 3650, type="t")]
        types = [{"type": "t", "slip": "fixed(60)", "acceleration": 3}]
        rates = self.rates(live(write_world(tmp_path, rows, types=types)))
        assert rates["2021-08-31"] == -(-182 * PPM // 122)

    def test_the_calendar_of_the_rest_of_the_year_counts(self, tmp_path: Path) -> None:
        """The last day is half a day: 181.5 days are left for the 121.5 of the year."""
        rows = [project("A", "2021-01-01", "2021-12-31", 3650, 3650, type="t")]
        types = [{"type": "t", "slip": "fixed(60)", "acceleration": 3, "season": "s"}]
        half: Row = {"season": "s", "from": "2021-12-31", "to": "2021-12-31",
                     "availability": 0.5, "cause": "eve"}  # fmt: skip
        rates = self.rates(live(write_world(tmp_path, rows, types=types, calendar=[half])))
        assert rates["2021-08-31"] == -(-1815 * PPM // 1215)

    def test_the_cap(self, tmp_path: Path) -> None:
        """At 1.25 the 122 days give 152.5 days of work; the other 29.5 take thirty days more."""
        lived = self.behind(tmp_path, 1.25)
        rates = self.rates(lived)
        assert rates.pop("2021-08-31") == 1_250_000
        # Back to the ordinary pace with the new year.
        assert rates == {"2021-12-31": PPM}
        assert str(lived.date(lived.trajectory.finish[0])) == "2022-01-30"
        gained = -lived.trajectory.causes[0, Cause.ACCELERATION]
        assert gained == 122 * 250_000 * 1000
        check_days(lived)

    def test_not_where_a_lever_forbids_it(self, tmp_path: Path) -> None:
        self.behind(tmp_path, 1.25)
        lived = live(tmp_path, changes=["levers.acceleration=off"])
        assert not self.rates(lived)
        assert str(lived.date(lived.trajectory.finish[0])) == "2022-03-01"

    def test_not_where_all_uncertainty_is_off(self, tmp_path: Path) -> None:
        self.behind(tmp_path, 1.25)
        lived = live(tmp_path, changes=["uncertainties.all=off", "projects.A.duration=fixed(2)"])
        assert not self.rates(lived)

    def test_not_by_one_who_is_on_his_curve(self, tmp_path: Path) -> None:
        rows = [project("A", "2021-01-01", "2021-12-31", 3650, 3650, type="t")]
        world = write_world(tmp_path, rows, types=[{"type": "t", "acceleration": 3}])
        assert not self.rates(live(world))

    def test_arrears_slow_the_month_after(self, tmp_path: Path) -> None:
        """No money at all and no tolerance: the rate falls to the floor, and only from February."""
        rows = [project("A", "2020-12-01", "2021-12-31", 3960, 3650, done_before_year=310,
                        stage="continuing", funding="B:1", type="t")]  # fmt: skip
        types = [{"type": "t", "arrears_tolerance": 0.3, "slow_rate": 0.4}]
        accounts = [{"id": "B", "name": "B", "class": "general_budget", "opening": 0}]
        lived = live(write_world(tmp_path, rows, types=types, accounts=accounts))
        life = lived.trajectory
        # All claimed is owed by the end of January: 310 of 620, half of what is done.
        assert life.arrears[0, 0] <= life.value[0, 0]
        excess = life.arrears[0, 0] - life.value[0, 0] * 3 // 10
        rates = self.rates(lived)
        assert rates["2021-01-31"] == max(400_000, PPM - excess * PPM // life.value[0, 0])
        assert life.progress[0, 0] == 31_000 * PPM // int(lived.drawn.work[0])
        assert life.finish[0] > lived.portfolio.planned_finish[0]
        check_sum(lived)
        check_days(lived)


def test_cutting_a_month_in_two_changes_nothing(tmp_path: Path) -> None:
    """A month-end in mid-month, at which nothing is decided, moves no date and no cause."""
    plan = sim.load_scenario(write_world(tmp_path, *hundred())).plan
    assert plan.projects
    lived = live(tmp_path, 5)
    cut = cut_months(lived)
    for name in ("start", "finish", "delivered", "waits", "causes"):
        whole, halves = getattr(lived.trajectory, name), getattr(cut.trajectory, name)
        assert np.array_equal(whole, halves), name
    assert np.array_equal(lived.trajectory.value, cut.trajectory.value[:, 1::2])


def hundred() -> tuple[list[Row]]:
    """Projects of odd lengths, none of them accelerating or owed anything."""
    return (
        [
            project(f"P{k}", "2021-01-05", f"2021-{5 + k % 7:02d}-17", 777 + k, 777 + k,
                    duration=f"fixed({1 + k / 13:.3f})")
            for k in range(20)
        ],
    )  # fmt: skip


def cut_months(lived: Lived) -> Lived:
    """Live it again with a measuring day in the middle of every month."""
    frame, ends = lived.frame, lived.frame.month_ends
    halves = np.sort(np.concatenate([ends - 15, ends]))
    twice = 2 * len(ends)
    terms = frame.terms
    due = np.minimum(np.arange(twice), twice)[None, :].repeat(len(frame.done), axis=0)
    cut_terms = dataclasses.replace(
        terms, pay_days=halves, due_run=due, retention_run=due, advance_run=np.arange(twice),
        opening=np.zeros((len(frame.done), twice), dtype=np.int64),
    )  # fmt: skip
    cut = dataclasses.replace(
        frame,
        month_ends=halves,
        year_end_month=2 * frame.year_end_month + 1,
        terms=cut_terms,
        accounts=dataclasses.replace(frame.accounts, year_closes=np.zeros(twice, dtype=np.bool_)),
        policy=dataclasses.replace(frame.policy, accelerates=np.zeros(twice, dtype=np.bool_)),
    )
    # A rate change that never comes: the engine must look from one half month to the next.
    cut = dataclasses.replace(cut, policy=dataclasses.replace(cut.policy, money_limited=True),
                              cash_gated=np.zeros_like(frame.begun))  # fmt: skip
    trajectory = run_reference(cut, lived.drawn)
    return dataclasses.replace(lived, frame=cut, trajectory=trajectory)
