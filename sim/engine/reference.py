"""The reference engine: the model told in SimPy, for people to read.

Each project is a process that waits for its gates, its predecessors and its day, works through
the calendar, is accepted and delivered. Time is whole days. Within a day the phases of
`sim.engine.rules` run in order, and inside a phase the rank decides: every event carries
(day, phase, rank) into SimPy's queue, so the order in which events are created never matters.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Generator
from typing import Any

import numpy as np
import simpy

from sim.engine.rules import NEVER, PPM, Happening, Phase, Wait
from sim.engine.trajectory import Event, Trajectory
from sim.sampling.realization import Frame, Realization

Story = Generator[simpy.Event, Any, None]


class Turn(simpy.Event):
    """An event on a day, in a phase, at a rank.

    Parameters
    ----------
    city : City
        Whose clock it is.
    day : int
        Day, not before the present one.
    phase : Phase
        Phase of the day.
    rank : int
        Position inside the phase.
    """

    def __init__(self, city: City, day: int, phase: Phase, rank: int) -> None:
        super().__init__(city.clock)
        self._ok, self._value = True, None
        # SimPy keeps priorities 0 and 1 for itself; phases begin above them.
        priority = (phase + 1) * city.ranks + rank
        city.clock.schedule(self, priority, day - city.clock.now)  # type: ignore[arg-type]


def run_reference(
    frame: Frame, realization: Realization, log: list[Event] | None = None
) -> Trajectory:
    """Simulate one realization.

    Parameters
    ----------
    frame : Frame
        What is the same in every replication.
    realization : Realization
        Every random input.
    log : list, optional
        Events are appended to it, in the order in which they happen.

    Returns
    -------
    Trajectory
        Dates and amounts.
    """
    city = City(frame, realization, log)
    city.clock.run()
    return city.trajectory()


class City:
    """The state of one replication: a clock, the projects' stories and the month-end runs."""

    def __init__(self, frame: Frame, realization: Realization, log: list[Event] | None) -> None:
        self.clock = simpy.Environment()
        count = len(frame.done)
        gates = len(frame.gate_weight)
        self.ranks = max(count, gates, 1)
        self._frame, self._drawn, self._log = frame, realization, log
        # Plain lists of plain integers: quick to read one at a time, and exact.
        self._calendar = [row.tolist() for row in realization.calendar]
        self._class_of = frame.class_of.tolist()
        self._workdays = realization.workdays.tolist()
        self._work = realization.work.tolist()
        self._first_work = realization.first_work.tolist()
        self._knot = realization.year_end_value.tolist()
        self._total = realization.total.tolist()
        self._done = frame.done.tolist()
        self._curves = (frame.first_knots.tolist(), frame.second_knots.tolist())
        self._months = frame.month_ends.tolist()
        self._prework_weight = frame.prework_weight.tolist()
        self._year_end = self._months[frame.year_end_month]
        self._ratio = frame.pay_ratio.tolist()
        self._overstatement = realization.overstatement.tolist()

        self._start = [NEVER] * count
        self._finish = [NEVER] * count
        self._delivered = [NEVER] * count
        self._waits = [[0] * len(Wait) for _ in range(count)]
        self._gate_begin = [NEVER] * gates
        self._gate_passed = [NEVER] * gates
        self._delivery = [self.clock.event() for _ in range(count)]
        self._passing = [self.clock.event() for _ in range(gates)]
        shape = (count, len(self._months))
        # What has not begun stands at its filed amount.
        self._value = np.broadcast_to(frame.done[:, None], shape).copy()
        self._reported = self._value.copy()
        self._paid = np.zeros(shape, dtype=np.int64)
        self._progress = np.zeros(shape, dtype=np.int64)
        self._due = frame.opening_claims.tolist()
        self._pay_run = frame.pay_run.tolist()
        self._claimed = [self._ratio[p] * self._done[p] // PPM for p in range(count)]
        self._paid_so_far = [0] * count
        self._last_due = [
            max((run for run, amount in enumerate(due) if amount), default=-1) for due in self._due
        ]
        self._stories()

    # The stories -------------------------------------------------------------------------------

    def _stories(self) -> None:
        first = self._frame.gate_first.tolist()
        for project in range(len(self._done)):
            self.clock.process(self._project(project, range(first[project], first[project + 1])))
            for gate in range(first[project], first[project + 1]):
                if self._drawn.gate_open[gate]:
                    self.clock.process(self._gate(project, gate))
        self.clock.process(self._month_ends())

    def _project(self, project: int, gates: range) -> Story:
        if self._frame.finished[project]:
            self._start[project] = int(self._frame.baseline_start[project])
            self._finish[project] = int(self._frame.planned_finish[project])
            self._delivered[project] = self._finish[project]
            self._delivery[project].succeed()
            return
        if self._frame.begun[project]:
            self._start[project] = int(self._frame.baseline_start[project])
            yield from self._build(project, 0)
            return
        still_open = [gate for gate in gates if self._drawn.gate_open[gate]]
        yield self.clock.all_of([self._passing[gate] for gate in still_open])
        before = self._frame.predecessors[project]
        yield self.clock.all_of([self._delivery[other] for other in before])
        day = self._first_start_day(project)
        if day >= self._frame.days:
            return
        yield Turn(self, day, Phase.STARTS, project)
        self._start[project] = day
        self._tell(Phase.STARTS, project, Happening.STARTED, 0)
        yield from self._build(project, day)

    def _first_start_day(self, project: int) -> int:
        """Find the day on which a project may start, and book what it waited for.

        What lies beyond the horizon counts as the day after it.
        """
        planned, days = int(self._frame.baseline_start[project]), self._frame.days
        first, last = self._frame.gate_first[project : project + 2].tolist()
        passed = [self._gate_passed[g] for g in range(first, last) if self._drawn.gate_open[g]]
        delivered = [self._delivered[one] + 1 for one in self._frame.predecessors[project]]
        ready = {
            Wait.GATE: max(passed, default=planned),
            Wait.PREDECESSOR: max(delivered, default=planned),
            Wait.SLIP: int(self._drawn.earliest_start[project]),
        }
        day = planned
        for cause, earliest in ready.items():
            self._waits[project][cause] = max(min(earliest, days) - day, 0)
            day = max(day, min(earliest, days))
        allowed = self._drawn.may_start[self._class_of[project]]
        free = day
        while free < days and not allowed[free]:
            free += 1
        self._waits[project][Wait.NO_START] = free - day
        return free

    def _gate(self, project: int, gate: int) -> Story:
        """Pass a gate: the owner prepares, then the authority reviews, both in working days."""
        begin = int(self._frame.gate_begin[project])
        before = [one for one in self._frame.gate_after[gate] if self._drawn.gate_open[one]]
        yield self.clock.all_of([self._passing[other] for other in before])
        begin = max([begin, *(self._gate_passed[other] for other in before)])
        ready = self._after(begin, max(1, int(self._drawn.gate_preparation[gate])))
        passed = self._after(ready, max(1, int(self._drawn.gate_review[gate])))
        self._gate_begin[gate], self._gate_passed[gate] = begin, passed
        if ready < self._frame.days:
            yield Turn(self, ready, Phase.FILES, gate)
            self._tell(Phase.FILES, project, Happening.FILE_READY, gate)
        if passed < self._frame.days:
            yield Turn(self, passed, Phase.REVIEWS, gate)
            self._tell(Phase.REVIEWS, project, Happening.GATE_PASSED, gate)
            self._passing[gate].succeed()

    def _after(self, day: int, workdays: int) -> int:
        """Return the day on which so many working days after `day` have passed.

        Beyond the horizon every day counts, so that a review that ends there has a length.
        """
        if day >= self._frame.days:
            return day + workdays
        need: int = self._workdays[day + 1] + workdays
        found = bisect_left(self._workdays, need)
        if found < len(self._workdays):
            return found - 1
        counted: int = self._workdays[-1]
        return self._frame.days - 1 + need - counted

    def _build(self, project: int, first_day: int) -> Story:
        """Work through the calendar, then acceptance, then delivery."""
        available = self._calendar[self._class_of[project]]
        need = available[first_day] + self._work[project]
        # The first day by whose end the work is done; no work at all is done on the first day.
        finish = bisect_left(available, need, lo=first_day + 1) - 1
        if finish >= self._frame.days:
            return
        yield Turn(self, finish, Phase.WORK, project)
        self._finish[project] = finish
        self._tell(Phase.WORK, project, Happening.FINISHED, 0)
        delivered = finish + int(self._drawn.acceptance[project])
        if delivered >= self._frame.days:
            return
        yield Turn(self, delivered, Phase.FINISH, project)
        self._delivered[project] = delivered
        self._tell(Phase.FINISH, project, Happening.DELIVERED, 0)
        self._delivery[project].succeed()

    # Month-ends --------------------------------------------------------------------------------

    def _month_ends(self) -> Story:
        live = list(range(len(self._done)))
        for month, day in enumerate(self._months):
            yield Turn(self, day, Phase.MEASURE, 0)
            for project in live:
                if self._start[project] != NEVER or self._prework_weight[project]:
                    self._measure(project, month, day)
            yield Turn(self, day, Phase.PAY, 0)
            for project in live:
                self._pay(project, month)
            live = [project for project in live if not self._is_over(project, month, day)]
            if not live:
                return

    def _is_over(self, project: int, month: int, day: int) -> bool:
        """Tell whether nothing can change any more; if so, carry the last month forward."""
        if not self._delivered[project] < day or day <= self._year_end:
            return False
        if self._last_due[project] > month:
            return False
        for table in (self._value, self._reported, self._paid, self._progress):
            table[project, month + 1 :] = table[project, month]
        return True

    def _measure(self, project: int, month: int, day: int) -> None:
        """Measure the value of work, report it, and claim what is due on it."""
        value, progress = self._value_at(project, day)
        done = self._done[project]
        overstated = (value - done) * (PPM + self._overstatement[project]) // PPM
        self._value[project, month] = value
        reported = min(done + overstated, self._total[project])
        self._reported[project, month] = reported
        self._progress[project, month] = progress
        # After delivery everything measured is due; before it, the pay ratio of it.
        if self._delivered[project] >= day:
            entitled = self._ratio[project] * value // PPM
        elif self._frame.finished[project]:
            entitled = self._claimed[project]
        else:
            entitled = value
        claim = entitled - self._claimed[project]
        if claim > 0:
            self._claimed[project] = entitled
            run = self._pay_run[project][month]
            if run < len(self._months):
                self._due[project][run] += claim
                self._last_due[project] = max(self._last_due[project], run)
            self._tell(Phase.MEASURE, project, Happening.MEASURED, value)
            self._tell(Phase.MEASURE, project, Happening.REPORTED, reported)

    def _pay(self, project: int, month: int) -> None:
        """Pay what is due; money is unlimited."""
        amount = self._due[project][month]
        if amount:
            self._paid_so_far[project] += amount
            self._tell(Phase.PAY, project, Happening.PAID, amount)
        self._paid[project, month] = self._paid_so_far[project]

    def _value_at(self, project: int, day: int) -> tuple[int, int]:
        """Value in yuan and progress in ppm at the end of a day."""
        done, knot, total = self._done[project], self._knot[project], self._total[project]
        start = self._start[project]
        if self._frame.finished[project]:
            return total, PPM
        if start == NEVER:
            return done + (knot - done) * self._prework(project, day) // PPM, 0
        available = self._calendar[self._class_of[project]]
        whole, first = self._work[project], self._first_work[project]
        worked = min(available[day + 1] - available[max(start, 0)], whole)
        progress = worked * PPM // whole if whole else PPM
        if worked < first:
            share = _on_curve(self._curves[0][project], worked, first)
            return done + (knot - done) * share // PPM, progress
        if first < whole:
            share = _on_curve(self._curves[1][project], worked - first, whole - first)
            return knot + (total - knot) * share // PPM, progress
        # What the filed plan leaves over is settled after delivery and after the plan year.
        settled = self._delivered[project] < day and day > self._year_end
        return (total if settled else knot), progress

    def _prework(self, project: int, day: int) -> int:
        """Share of pre-work spending accrued, ppm: gate-days behind over gate-days planned."""
        weight: int = self._prework_weight[project]
        if weight == 0:
            return 0
        behind = 0
        first = self._frame.gate_first
        for gate in range(int(first[project]), int(first[project + 1])):
            planned = int(self._frame.gate_weight[gate])
            begin, passed = self._gate_begin[gate], self._gate_passed[gate]
            if not self._drawn.gate_open[gate]:
                begin, passed = int(self._frame.gate_begin[project]), self._year_end
            if begin < day and passed > begin:
                behind += planned * (min(day, passed) - begin) // (passed - begin)
        return min(PPM, behind * PPM // weight)

    # The outcome -------------------------------------------------------------------------------

    def _tell(self, phase: Phase, project: int, happening: Happening, number: int) -> None:
        if self._log is not None:
            self._log.append((int(self.clock.now), phase, project, happening, number))

    def trajectory(self) -> Trajectory:
        """Return what happened, as arrays."""
        for project, start in enumerate(self._start):
            if start == NEVER:  # what held it until the horizon
                self._first_start_day(project)
        return Trajectory(
            replication=self._drawn.replication,
            start=np.array(self._start, dtype=np.int64),
            finish=np.array(self._finish, dtype=np.int64),
            delivered=np.array(self._delivered, dtype=np.int64),
            waits=np.array(self._waits, dtype=np.int64).reshape(-1, len(Wait)),
            value=self._value,
            reported=self._reported,
            paid=self._paid,
            progress=self._progress,
        )


def _on_curve(knots: list[int], worked: int, whole: int) -> int:
    """Read a curve of equal steps by linear interpolation with floor; ppm."""
    segments = len(knots) - 1
    step, rest = divmod(worked * segments, whole)
    if step == segments:
        return knots[-1]
    return knots[step] + (knots[step + 1] - knots[step]) * rest // whole
