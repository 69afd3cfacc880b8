"""Revision of the plan in mid-year: what fell behind leaves it, reserve projects join it."""

from __future__ import annotations

import numpy as np

from sim.engine.reference.clock import Clock, Story
from sim.engine.rules import NEVER, Happening, Phase
from sim.sampling.realization import Frame


class Revision:
    """What a decision in the year changes: who belongs to the plan, and from when.

    Attributes
    ----------
    decided : simpy.Event
        Set off when the plan is revised.
    start, begin : list of int
        Day from which a project may start (before slip), and its files be prepared.
    joined, left : ndarray of bool, shape (P,)
        Who came into the plan, and who left it.
    """

    def __init__(self, clock: Clock, frame: Frame) -> None:
        self._clock, self._frame = clock, frame
        self._day = frame.policy.revision_day
        self.decided = clock.signal()
        self.start: list[int] = frame.baseline_start.tolist()
        self.begin: list[int] = frame.gate_begin.tolist()
        self.joined = frame.joined.copy()
        self.left = frame.left.copy()

    def may_move(self, project: int, day: int) -> bool:
        """Tell whether what is planned for a day may still be brought forward by the revision."""
        pending = self._day >= 0 and not self.decided.triggered
        return pending and bool(self._frame.reserve[project]) and day > self._day

    def story(self, started: list[int], dropped: list[int]) -> Story:
        """Revise the plan on its day, last of all.

        Parameters
        ----------
        started, dropped : list of int
            Day on which each project started or was given up; `NEVER` where not so far.
        """
        if not 0 <= self._day < self._frame.days:
            return
        frame = self._frame
        yield self._clock.turn(self._day, Phase.CLOSE, self._clock.last)
        missing = 0
        for project in np.flatnonzero(frame.in_target & ~frame.finished & ~self.left).tolist():
            overdue = started[project] == NEVER and frame.baseline_start[project] <= self._day
            if overdue:
                self.left[project] = True
                missing += int(frame.annual_plan[project])
                self._clock.note(Phase.CLOSE, project, Happening.LEFT)
        for project in np.flatnonzero(frame.reserve & ~self.joined).tolist():
            if missing <= 0:
                break
            if started[project] == dropped[project] == NEVER:
                self.joined[project] = True
                missing -= int(frame.annual_plan[project])
                self.start[project] = min(self.start[project], self._day + 1)
                self.begin[project] = min(self.begin[project], self._day + 1)
                self._clock.note(Phase.CLOSE, project, Happening.JOINED)
        self.decided.succeed()
