"""Rules 27 to 29: decisions about projects, and the revision of the plan in mid-year."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

import sim
from sim.engine.rules import NANO_DAYS, NEVER, Cause, Happening, Wait
from tests.property.test_days import check_sum, with_stops
from tests.worlds import Lived, Row, live, project, write_world

GATE: list[Row] = [{"procedure": "approval", "gate": "g", "preparation": "fixed(10)",
                    "review": "fixed(10)", "cushion": 1}]  # fmt: skip
ROWS = [
    project("A", "2020-07-01", "2021-12-31", 1000, 500, done_before_year=200,
            stage="continuing", gates="none", rank=1),
    project("B", "2021-03-01", "2021-12-31", 900, 900, stage="new", gates="none", rank=2),
    project("C", "2021-06-01", "2022-12-31", 800, 300, stage="new", gates="g", rank=3),
    project("D", "2021-03-01", "2021-12-31", 700, 700, stage="new", gates="none", rank=4,
            predecessors="B"),
    project("R", "2021-11-01", "2022-10-31", 600, 200, stage="reserve", gates="g", rank=5),
    project("S", "2021-10-01", "2022-10-31", 500, 100, stage="reserve", gates="none", rank=6),
]  # fmt: skip


def decide(
    folder: Path, *changes: str, rows: Sequence[Row] = ROWS, types: Sequence[Row] = ()
) -> Lived:
    """Live the plan without luck but with its gates, under some decisions."""
    world = write_world(folder, rows, gates=GATE, types=types or [{"type": "plain"}])
    return live(world, changes=changes)


def of(lived: Lived, name: str) -> dict[str, int]:
    i = lived.position(name)
    life = lived.trajectory
    return {
        "start": int(life.start[i]), "finish": int(life.finish[i]),
        "delivered": int(life.delivered[i]), "dropped": int(life.dropped[i]),
        "joined": bool(life.joined[i]), "left": bool(life.left[i]),
    }  # fmt: skip


def events_of(lived: Lived, name: str) -> set[Happening]:
    i = lived.position(name)
    return {Happening(one.happening) for one in lived.events if one.project == i}


def others_unmoved(lived: Lived, plain: Lived, *moved: str) -> None:
    for one in lived.portfolio.plan.projects:
        if one.id not in moved:
            assert of(lived, one.id) == of(plain, one.id), one.id


@pytest.mark.parametrize(
    ("change", "code", "value"),
    [
        ("levers.drop=Z", "unknown_reference", "Z"),
        ("levers.postpone=B;Z", "unknown_reference", "Z"),
        ("levers.pull_forward=Z", "unknown_reference", "Z"),
        ("levers.mitigate=Z", "unknown_reference", "Z"),
        ("levers.pull_forward=R;B", "not_in_reserve", "B"),
        ("levers.postpone=A", "already_begun", "A"),
        ("levers.revision_date=2020-12-31", "revision_outside", "2020-12-31"),
        ("levers.revision_date=2022-01-01", "revision_outside", "2022-01-01"),
    ],
)
def test_a_decision_that_cannot_be_taken_is_refused(
    tmp_path: Path, change: str, code: str, value: str
) -> None:
    with pytest.raises(sim.InputError) as refused:
        decide(tmp_path, change)
    (problem,) = [one for one in refused.value.problems if one.level == "error"]
    assert (problem.code, problem.value) == (code, value)
    assert problem.column == change.partition("=")[0]
    assert problem.file != "levers"  # but the scenario or option that gave it


@pytest.mark.parametrize(
    "change", ["levers.revision_date=2021-01-01", "levers.revision_date=2021-12-31"]
)
def test_the_plan_can_be_revised_on_any_later_day_of_its_year(tmp_path: Path, change: str) -> None:
    assert decide(tmp_path, change).frame.policy.revision_day in (0, 364)


class TestDrop:
    def test_nothing_of_it_is_built(self, tmp_path: Path) -> None:
        plain, lived = decide(tmp_path), decide(tmp_path, "levers.drop=C")
        found = of(lived, "C")
        assert (found["start"], found["finish"], found["delivered"]) == (NEVER, NEVER, NEVER)
        assert found["dropped"] < 0
        assert found["left"]
        assert not events_of(lived, "C")
        assert not lived.trajectory.value[lived.position("C")].any()
        others_unmoved(lived, plain, "C")

    def test_one_under_way_stands_still_and_is_owed_what_it_has_done(self, tmp_path: Path) -> None:
        rows = [dict(ROWS[0]) | {"arrears": 30}, *ROWS[1:]]
        lived = decide(tmp_path, "levers.drop=A", rows=rows)
        i, life = lived.position("A"), lived.trajectory
        assert life.finish[i] == NEVER
        assert (life.value[i] == 2_000_000).all()
        assert not life.progress[i].any()
        assert life.paid[i, 0] == 300_000
        assert of(lived, "A")["left"]

    def test_successors_do_not_wait_for_it(self, tmp_path: Path) -> None:
        waiting = decide(tmp_path)
        # B is delivered on 31 December, D starts on the day after.
        assert str(waiting.date(of(waiting, "D")["start"])) == "2022-01-01"
        lived = decide(tmp_path, "levers.drop=B")
        assert str(lived.date(of(lived, "D")["start"])) == "2021-03-01"

    def test_its_files_leave_the_window_to_others(self, tmp_path: Path) -> None:
        gates = [dict(GATE[0]) | {"window": "W", "cushion": 0}]
        rows = [project(name, "2021-03-01", "2021-12-31", 10, 10, gates="g") for name in "XY"]
        world = write_world(tmp_path, rows, gates=gates, windows=[{"window": "W", "places": 1}])
        plain, lived = live(world), live(world, changes=["levers.drop=X"])
        assert of(lived, "Y")["start"] == of(plain, "X")["start"] < of(plain, "Y")["start"]


class TestPostpone:
    def test_not_before_the_day_after_the_plan_year(self, tmp_path: Path) -> None:
        plain, lived = decide(tmp_path), decide(tmp_path, "levers.postpone=C")
        assert str(lived.date(of(lived, "C")["start"])) == "2022-01-01"
        assert of(lived, "C")["left"]
        others_unmoved(lived, plain, "C")
        assert lived.trajectory.waits[lived.position("C"), Wait.SLIP] > 0
        check_sum(lived)

    def test_a_longer_slip_is_not_added(self, tmp_path: Path) -> None:
        rows = [dict(row) | {"type": "t"} if row["id"] == "C" else row for row in ROWS]
        types = [{"type": "t", "slip": "fixed(300)"}]
        lived = decide(tmp_path, "levers.postpone=C", rows=rows, types=types)
        # 300 days after 1 June.
        assert str(lived.date(of(lived, "C")["start"])) == "2022-03-28"


class TestPullForward:
    def test_files_are_begun_on_day_0_and_it_starts_when_they_are_passed(
        self, tmp_path: Path
    ) -> None:
        plain, lived = decide(tmp_path), decide(tmp_path, "levers.pull_forward=R")
        ready = next(one.day for one in lived.events
                     if one.happening == Happening.FILE_READY
                     and one.project == lived.position("R"))  # fmt: skip
        # Ten working days after Friday 1 January: Monday the 4th to Friday the 15th.
        assert str(lived.date(ready)) == "2021-01-15"
        assert str(lived.date(of(lived, "R")["start"])) == "2021-01-29"
        assert of(lived, "R")["joined"]
        others_unmoved(lived, plain, "R")
        i = lived.position("R")
        assert lived.trajectory.causes[i, Cause.PULLED_FORWARD] == -304 * NANO_DAYS
        assert lived.trajectory.waits[i, Wait.GATE] == 28
        check_sum(lived)

    def test_without_gates_at_once_but_for_its_slip(self, tmp_path: Path) -> None:
        rows = [dict(row) | {"type": "t"} if row["id"] == "S" else row for row in ROWS]
        types = [{"type": "t", "slip": "fixed(12)"}]
        lived = decide(tmp_path, "levers.pull_forward=S", rows=rows, types=types)
        assert of(lived, "S")["start"] == 12
        check_sum(lived)


class TestRevision:
    """On 30 June 2021, day 180: D waits for B until the year's end and is overdue."""

    WORDS = "levers.revision_date=2021-06-30"

    def test_who_leaves_and_who_joins(self, tmp_path: Path) -> None:
        """D's 700 are missing: R brings 200, S another 100, and nobody else is left."""
        lived = decide(tmp_path, self.WORDS)
        life = lived.trajectory
        names = [one.id for one in lived.portfolio.plan.projects]
        assert [n for n, flag in zip(names, life.left, strict=True) if flag] == ["D"]
        assert [n for n, flag in zip(names, life.joined, strict=True) if flag] == ["R", "S"]
        assert {one.day for one in lived.events
                if one.happening in (Happening.JOINED, Happening.LEFT)} == {180}  # fmt: skip
        # What left still starts when it can.
        assert str(lived.date(of(lived, "D")["start"])) == "2022-01-01"

    @pytest.mark.parametrize(
        ("missing", "joined"),
        [(1, ["R"]), (199, ["R"]), (200, ["R"]), (201, ["R", "S"]), (700, ["R", "S"])],
    )
    def test_until_what_left_is_replaced(
        self, tmp_path: Path, missing: int, joined: list[str]
    ) -> None:
        rows = [dict(row) | {"annual_plan": missing} if row["id"] == "D" else row for row in ROWS]
        lived = decide(tmp_path, self.WORDS, rows=rows)
        names = [one.id for one in lived.portfolio.plan.projects]
        assert [n for n, f in zip(names, lived.trajectory.joined, strict=True) if f] == joined

    def test_by_rank(self, tmp_path: Path) -> None:
        rows = [dict(row) | {"annual_plan": 50} if row["id"] == "D" else row for row in ROWS]
        rows = [dict(row) | {"rank": 7} if row["id"] == "R" else row for row in rows]
        lived = decide(tmp_path, self.WORDS, rows=rows)
        assert of(lived, "S")["joined"]
        assert not of(lived, "R")["joined"]

    def test_files_begin_the_next_day(self, tmp_path: Path) -> None:
        """R's files: begun on Thursday 1 July, ready ten working days later, then ten more."""
        lived = decide(tmp_path, self.WORDS)
        days = {one.happening: str(lived.date(one.day)) for one in lived.events
                if one.project == lived.position("R")}  # fmt: skip
        assert days[Happening.FILE_READY] == "2021-07-15"
        assert days[Happening.GATE_PASSED] == "2021-07-29"
        assert days[Happening.STARTED] == "2021-07-29"
        assert str(lived.date(of(lived, "S")["start"])) == "2021-07-01"
        i = lived.position("S")
        # From 1 October to 1 July.
        assert lived.trajectory.causes[i, Cause.PULLED_FORWARD] == -92 * NANO_DAYS
        check_sum(lived)

    def test_nobody_is_overdue_on_the_day_of_the_start(self, tmp_path: Path) -> None:
        """Started on the day of the revision is started; due on it and not started is overdue."""
        on_the_day = [dict(ROWS[1]) | {"planned_start": "2021-06-30"}, *ROWS[4:]]
        lived = decide(tmp_path / "a", self.WORDS, rows=on_the_day)
        assert not lived.trajectory.left.any()
        waits = [ROWS[0], dict(ROWS[3]) | {"predecessors": "A", "planned_start": "2021-06-30"}]
        assert of(decide(tmp_path / "b", self.WORDS, rows=waits), "D")["left"]
        tomorrow = [ROWS[0], dict(ROWS[3]) | {"predecessors": "A", "planned_start": "2021-07-01"}]
        assert not of(decide(tmp_path / "c", self.WORDS, rows=tomorrow), "D")["left"]

    def test_who_has_started_stays_out(self, tmp_path: Path) -> None:
        """A reserve project that started on its own does not join."""
        for day in ("2021-05-01", "2021-06-30"):
            rows = [*ROWS[:4], dict(ROWS[5]) | {"planned_start": day, "rank": 5}]
            lived = decide(tmp_path, self.WORDS, rows=rows)
            assert str(lived.date(of(lived, "S")["start"])) == day
            assert not of(lived, "S")["joined"]

    def test_who_joins_late_is_not_put_off(self, tmp_path: Path) -> None:
        """S was to start on 1 May and waits for A: its wait counts from then, joined or not."""
        late = dict(ROWS[5]) | {"planned_start": "2021-05-01", "predecessors": "A"}
        lived = decide(tmp_path, self.WORDS, rows=[*ROWS[:4], late])
        i = lived.position("S")
        assert of(lived, "S")["joined"]
        assert str(lived.date(of(lived, "S")["start"])) == "2022-01-01"
        assert lived.trajectory.waits[i, Wait.PREDECESSOR] == 245
        assert lived.trajectory.causes[i, Cause.PULLED_FORWARD] == 0
        check_sum(lived)

    @pytest.mark.parametrize("decision", ["drop", "postpone"])
    def test_who_was_sent_away_does_not_come_back(self, tmp_path: Path, decision: str) -> None:
        lived = decide(tmp_path, self.WORDS, f"levers.{decision}=R")
        assert not of(lived, "R")["joined"]
        assert of(lived, "S")["joined"]

    def test_given_up_before_the_revision_does_not_join(self, tmp_path: Path) -> None:
        plain = decide(tmp_path, self.WORDS)
        gates = np.arange(plain.frame.gate_first[-1])
        r = plain.position("R")
        mine = (gates >= plain.frame.gate_first[r]) & (gates < plain.frame.gate_first[r + 1])
        begin = np.where(np.arange(plain.portfolio.size) == r, 0, plain.frame.gate_begin)
        frame = dataclasses.replace(plain.frame, gate_begin=begin)
        given_up = dataclasses.replace(plain.drawn, gate_dropped=mine)
        lived = with_stops(dataclasses.replace(plain, frame=frame, drawn=given_up), {})
        found = of(lived, "R")
        assert str(lived.date(found["dropped"])) == "2021-01-15"
        assert not found["joined"]

    def test_a_reserve_project_planned_for_later_keeps_its_day_if_not_needed(
        self, tmp_path: Path
    ) -> None:
        rows = [row for row in ROWS if row["id"] != "D"]
        plain, lived = decide(tmp_path, rows=rows), decide(tmp_path, self.WORDS, rows=rows)
        assert not lived.trajectory.joined.any()
        others_unmoved(lived, plain)
