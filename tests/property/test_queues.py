"""Rules 1, 2, 3 and 8: files, windows and queues, recomputed from the log of events."""

import dataclasses
import math
import shutil
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import sim
from sim.engine.reference import run_reference
from sim.engine.rules import NEVER, PPM, Happening, Wait
from sim.engine.trajectory import Event
from tests.naive import after_workdays, walk_files
from tests.worlds import Lived, Row, live, project, small_folder, write_world

LUOYANG = Path(__file__).parents[2] / "scenarios" / "luoyang-2021"
GATES = ("land", "environment", "planning", "permit")
AFTER = {"land": "", "environment": "", "planning": "land", "permit": "planning;environment"}


@st.composite
def busy_plans(draw: st.DrawFn) -> tuple[list[Row], list[Row], list[Row]]:
    """Draw projects, gates and windows: few places, many files, ties of day."""
    times = st.sampled_from(["fixed(1)", "fixed(2)", "fixed(7)", "triangular(1, 4, 30)"])
    windows: list[Row] = [
        {
            "window": f"W{k}",
            "places": draw(st.sampled_from(["", 0, 1, 1, 1, 2, 3])),
            "outside_load": draw(st.sampled_from([0, 0, 0.4, 0.9, 1])),
        }
        for k in range(draw(st.integers(1, 3)))
    ]
    names = ["", *(str(one["window"]) for one in windows)]
    gates: list[Row] = [
        {
            "procedure": "approval",
            "gate": gate,
            "after": AFTER[gate],
            "preparation": draw(times),
            "review": draw(times),
            "window": draw(st.sampled_from(names)),
            "cushion": draw(st.sampled_from([0, 1])),
        }
        for gate in GATES
    ]
    start = st.sampled_from(["2021-03-01", "2021-03-01", "2021-03-02", "2021-06-15", "2022-02-01"])
    subset = st.sets(st.sampled_from(GATES), min_size=1)
    count = draw(st.integers(1, 8))
    ranks = draw(st.permutations(range(1, count + 1)))
    projects = [
        project(f"P{k}", draw(start), "2022-12-31", 1000, 100, gates=";".join(sorted(draw(subset))),
                rank=ranks[k])
        for k in range(count)
    ]  # fmt: skip
    return projects, gates, windows


def days_of(lived: Lived, what: Happening) -> dict[int, int]:
    return {one.place: one.day for one in lived.events if one.happening == what}


def window_places(lived: Lived) -> list[int | None]:
    """Places for the plan, from the table itself; None where the window never binds."""
    found: list[int | None] = []
    for one in lived.scenario.plan.windows:
        share = 1 - Fraction(str(one.outside_load))
        if one.places is None:
            found.append(None)
        elif one.places == 0 or share == 0:
            found.append(0)
        else:
            found.append(max(1, math.floor(one.places * share)))
    return found


def check_windows(lived: Lived) -> None:
    """No window above its places, none idle while a file waits, first come first served."""
    ready = days_of(lived, Happening.FILE_READY)
    taken = days_of(lived, Happening.REVIEW_BEGUN)
    passed = days_of(lived, Happening.GATE_PASSED)
    window_of = lived.frame.gate_window.tolist()
    for window, places in enumerate(window_places(lived)):
        mine = [gate for gate in ready if window_of[gate] == window]
        if places is None:
            assert all(taken[gate] == ready[gate] for gate in mine)
            continue
        if places == 0:
            assert not [gate for gate in mine if gate in taken]
        served = sorted((gate for gate in mine if gate in taken), key=lambda g: (ready[g], g))
        assert [taken[gate] for gate in served] == sorted(taken[gate] for gate in served)
        assert set(served) == set(sorted(mine, key=lambda g: (ready[g], g))[: len(served)])
        # Occupancy changes on days on which files come, are taken or leave; check each of them.
        for day in sorted({*(ready[g] for g in mine), *(taken[g] for g in served),
                           *(passed[g] for g in served if g in passed)}):  # fmt: skip
            inside = sum(taken[gate] <= day < passed.get(gate, NEVER) for gate in served)
            waiting = sum(ready[gate] <= day < taken.get(gate, NEVER) for gate in mine)
            assert inside <= places
            assert inside == places or not waiting


def check_queue_tables(lived: Lived) -> None:
    """Tables of queues by month, counted from the log."""
    ready = days_of(lived, Happening.FILE_READY)
    begun = [one for one in lived.events if one.happening == Happening.REVIEW_BEGUN]
    window_of = lived.frame.gate_window.tolist()
    taken = days_of(lived, Happening.REVIEW_BEGUN)
    life, first = lived.trajectory, 0
    assert all(one.number == one.day - ready[one.place] for one in begun)
    for month, last in enumerate(lived.portfolio.month_ends.tolist()):
        for window in range(len(lived.scenario.plan.windows)):
            of_month = [g for g, day in taken.items()
                        if window_of[g] == window and first <= day <= last]  # fmt: skip
            queue = [g for g, day in ready.items()
                     if window_of[g] == window and day <= last < taken.get(g, NEVER)]  # fmt: skip
            assert life.taken[window, month] == len(of_month)
            assert life.waited[window, month] == sum(taken[g] - ready[g] for g in of_month)
            assert life.queued[window, month] == len(queue)
        first = last + 1


def check_files(lived: Lived) -> None:
    """Every file's days, and what gates and queues add to the wait, against a loop over days."""
    frame, drawn, life = lived.frame, lived.drawn, lived.trajectory
    files = walk_files(frame, drawn, frame.gate_begin.tolist())
    for what, expected in (
        (Happening.FILE_READY, files.ready),
        (Happening.REVIEW_BEGUN, files.taken),
        (Happening.GATE_PASSED, files.passed),
    ):
        assert days_of(lived, what) == {g: d for g, d in enumerate(expected) if 0 <= d < NEVER}
    # Had no file queued, one that is never reached now might have come, and ended its project.
    kept = dataclasses.replace(drawn, gate_dropped=np.zeros_like(drawn.gate_dropped))
    alone = walk_files(frame, kept, frame.gate_begin.tolist(), with_windows=False)
    for i in range(len(frame.begun)):
        mine = range(int(frame.gate_first[i]), int(frame.gate_first[i + 1]))
        if frame.begun[i] or frame.finished[i] or life.dropped[i] != NEVER:
            continue
        planned = int(frame.baseline_start[i])
        without = max((min(alone.passed[g], frame.days) for g in mine), default=planned)
        queued = max((min(files.passed[g], frame.days) for g in mine), default=planned)
        waits = life.waits[i]
        assert waits[Wait.GATE] == max(without - planned, 0)
        assert waits[Wait.WINDOW] == max(queued - max(without, planned), 0)


def check_prework(lived: Lived) -> None:
    """Rule 4: until the start spending is in step with the gate-days that lie behind."""
    frame, life = lived.frame, lived.trajectory
    files = walk_files(frame, lived.drawn, frame.gate_begin.tolist())
    workdays = lived.drawn.workdays.tolist()
    for i in np.flatnonzero(frame.prework_weight).tolist():
        mine = range(int(frame.gate_first[i]), int(frame.gate_first[i + 1]))
        if any(files.passed[gate] == NEVER for gate in mine) or life.dropped[i] != NEVER:
            continue  # how long a review beyond the horizon takes is nobody's business
        value = int(frame.done[i])
        for month, day in enumerate(lived.portfolio.month_ends.tolist()):
            if day >= life.start[i]:
                break
            behind = 0
            for gate in mine:
                prepared = range(files.begun[gate] + 1, files.ready[gate] + 1)
                taken, passed = files.taken[gate], files.passed[gate]
                if taken > day:  # nobody knows yet how long the review will take: as if at once
                    taken = files.ready[gate]
                    passed = after_workdays(workdays, taken, int(lived.drawn.gate_review[gate]))
                reviewed = range(taken + 1, passed + 1)
                gone = sum(one <= day for one in prepared)
                if files.taken[gate] <= day:
                    gone += sum(one <= day for one in reviewed)
                whole = len(prepared) + len(reviewed)
                behind += int(frame.gate_weight[gate]) * gone // whole
            share = min(behind * PPM // int(frame.prework_weight[i]), PPM)
            value = max(value, int(frame.done[i]) + int(frame.annual_plan[i]) * share // PPM)
            assert life.value[i, month] == value


CHECKS = (check_windows, check_queue_tables, check_files, check_prework)


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(plan=busy_plans(), replication=st.integers(0, 1000), data=st.data())
def test_generated_queues(
    plan: tuple[Sequence[Row], Sequence[Row], Sequence[Row]],
    replication: int,
    data: st.DataObject,
) -> None:
    projects, gates, windows = plan
    folder = small_folder()
    try:
        world = write_world(folder, projects, "horizon = 2023-06-30", gates=gates, windows=windows)
        lived = live(world, replication)
    finally:
        shutil.rmtree(folder)
    lived = struck(lived, data)
    for check in CHECKS:
        check(lived)


def struck(lived: Lived, choose: st.DataObject) -> Lived:
    """Live it again with gates struck by risks: files later or sooner, or given up."""
    count = len(lived.drawn.gate_delay)
    delay = choose.draw(st.lists(st.sampled_from([0, 0, -30, -1, 3, 40]), min_size=count,
                                 max_size=count))  # fmt: skip
    dropped = choose.draw(st.lists(st.sampled_from([False] * 9 + [True]), min_size=count,
                                   max_size=count))  # fmt: skip
    drawn = dataclasses.replace(
        lived.drawn,
        gate_delay=np.array(delay, dtype=np.int64),
        gate_dropped=np.array(dropped, dtype=np.bool_),
    )
    events: list[Event] = []
    trajectory = run_reference(lived.frame, drawn, events)
    return dataclasses.replace(lived, drawn=drawn, trajectory=trajectory, events=events)


def one_window(
    folder: Path, projects: Sequence[Row], places: object, load: object = 0, **gate: object
) -> Lived:
    """Live a plan whose one gate takes a day to prepare and two to review, at one window."""
    row: Row = {"procedure": "approval", "gate": "g", "preparation": "fixed(1)",
                "review": "fixed(2)", "window": "W", "cushion": 0, **gate}  # fmt: skip
    windows = [{"window": "W", "places": places, "outside_load": load}]
    return live(write_world(folder, projects, gates=[row], windows=windows))


def three(rank: Sequence[int] = (1, 2, 3)) -> list[Row]:
    return [
        project(name, "2021-03-01", "2021-12-31", 1, 1, gates="g", rank=rank[k])
        for k, name in enumerate("ABC")
    ]


class TestByHand:
    """1 March 2021 is a Monday and day 59: files are ready on Tuesday the 2nd."""

    @pytest.mark.parametrize(
        ("places", "load", "passed"),
        [
            # One place: Tuesday to Thursday, to the Monday after, to Wednesday.
            (1, 0, ["03-04", "03-08", "03-10"]),
            (2, 0, ["03-04", "03-04", "03-08"]),
            (3, 0, ["03-04", "03-04", "03-04"]),
            ("", 0, ["03-04", "03-04", "03-04"]),
            # Six tenths of five places are taken: two are left; 0.9 of one still leaves one.
            (5, 0.6, ["03-04", "03-04", "03-08"]),
            (1, 0.9, ["03-04", "03-08", "03-10"]),
            (10, 0.7, ["03-04", "03-04", "03-04"]),
        ],
    )
    def test_places(self, tmp_path: Path, places: object, load: object, passed: list[str]) -> None:
        lived = one_window(tmp_path, three(), places, load)
        starts = [lived.date(day).isoformat() for day in lived.trajectory.start]
        assert starts == [f"2021-{day}" for day in passed]

    def test_rank_breaks_ties(self, tmp_path: Path) -> None:
        lived = one_window(tmp_path, three(rank=(3, 1, 2)), 1)
        day = {one.id: lived.date(lived.trajectory.start[i]).isoformat()[5:]
               for i, one in enumerate(lived.portfolio.plan.projects)}  # fmt: skip
        assert day == {"B": "03-04", "C": "03-08", "A": "03-10"}

    def test_the_day_of_coming_goes_before_rank(self, tmp_path: Path) -> None:
        """The file of rank 1 comes a day after that of rank 2, while both have to wait."""
        rows = three()
        rows[0] = dict(rows[0]) | {"planned_start": "2021-03-02"}
        rows[1] = dict(rows[1]) | {"planned_start": "2021-02-26"}
        lived = one_window(tmp_path, rows, 1)
        starts = [lived.date(day).isoformat()[5:] for day in lived.trajectory.start]
        # B: ready 1 March, passed on the 3rd; C: ready on the 2nd, taken on the 3rd.
        assert starts == ["03-09", "03-03", "03-05"]

    @pytest.mark.parametrize(("places", "load"), [(0, 0), (4, 1)])
    def test_a_window_of_no_places_passes_nothing(
        self, tmp_path: Path, places: int, load: int
    ) -> None:
        lived = one_window(tmp_path, three(), places, load)
        assert (lived.trajectory.start == NEVER).all()
        # A file alone would have been through by 4 March, day 62: three days of the wait.
        left = lived.portfolio.days - 62
        assert lived.trajectory.waits[:, : Wait.PREDECESSOR].tolist() == [[3, left]] * 3
        assert (lived.trajectory.queued[0, 2:] == 3).all()

    def test_windows_do_not_bind_where_gates_are_sure(self, tmp_path: Path) -> None:
        rows = [dict(row) | {"planned_start": "2021-06-01"} for row in three()]
        gate = [{"procedure": "approval", "gate": "g", "preparation": "fixed(5)",
                 "review": "fixed(20)", "window": "W"}]  # fmt: skip
        world = write_world(tmp_path, rows, gates=gate, windows=[{"window": "W", "places": 0}])
        lived = live(world, changes=["uncertainties.gates=off"])
        assert [lived.date(day).isoformat() for day in lived.trajectory.start] == ["2021-06-01"] * 3

    def test_a_place_freed_today_is_taken_today(self, tmp_path: Path) -> None:
        lived = one_window(tmp_path, three(), 1)
        passed, taken = (
            sorted(days_of(lived, what).values())
            for what in (Happening.GATE_PASSED, Happening.REVIEW_BEGUN)
        )
        assert taken[1:] == passed[:-1]

    def test_the_wait_is_split_into_gate_and_window(self, tmp_path: Path) -> None:
        lived = one_window(tmp_path, three(), 1)
        # Alone each file takes until Thursday, 3 days; queues add four and six.
        assert lived.trajectory.waits[:, : Wait.PREDECESSOR].tolist() == [[3, 0], [3, 4], [3, 6]]


def test_a_window_without_files_takes_none(tmp_path: Path) -> None:
    rows = [project("A", "2021-03-01", "2021-12-31", 1, 1, gates="none")]
    lived = one_window(tmp_path, rows, 1)
    assert lived.trajectory.start[0] == 59
    assert not lived.trajectory.taken.any()


def test_the_luoyang_plan_at_crowded_windows(tmp_path: Path) -> None:
    """Its windows ship without numbers; with a few places its files queue for months."""
    plan = tmp_path / "luoyang-2021"
    shutil.copytree(LUOYANG, plan, ignore=shutil.ignore_patterns("builder"))
    windows = [one.window for one in sim.load_scenario(plan).plan.windows]
    rows = [f"{window},{1 + k % 3}\n" for k, window in enumerate(windows)]
    (plan / "windows.csv").write_text("window,places\n" + "".join(rows), encoding="utf-8")
    lived = live(plan, 2)
    assert (lived.trajectory.queued.max(axis=1) > 0).all()
    check_windows(lived)
    check_queue_tables(lived)
