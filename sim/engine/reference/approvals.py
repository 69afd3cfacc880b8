"""Approvals: owners prepare files, windows review them, queues form where places are few."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable
from heapq import heappop, heappush

import numpy as np

from sim.engine.reference.clock import Clock, Story
from sim.engine.reference.revision import Revision
from sim.engine.rules import NEVER, PPM, Happening, Phase
from sim.sampling.realization import Frame, Realization

_NEVER_BINDS = -1


class Approvals:
    """Open gates of all projects, and the windows at which they are reviewed.

    Attributes
    ----------
    passed : list of int
        Day on which each gate was passed; `NEVER` while it is not.
    passing : list of simpy.Event
        Set off when a gate is passed.
    """

    def __init__(self, clock: Clock, frame: Frame, drawn: Realization, revision: Revision) -> None:
        self._clock, self._frame, self._drawn = clock, frame, drawn
        self._revision = revision
        gates, windows = len(frame.gate_weight), len(frame.window_places)
        self.passed = [NEVER] * gates
        self.passing = [clock.signal() for _ in range(gates)]
        self._workdays = drawn.workdays.tolist()
        self._begin = [NEVER] * gates
        self._ready = [NEVER] * gates
        self._taken = [NEVER] * gates
        self._unqueued: dict[int, int] = {}
        self._given_up: set[int] = set()
        self._free = frame.window_places.tolist()
        self._queue: list[list[tuple[int, int]]] = [[] for _ in range(windows)]
        self._turn_of = [clock.signal() for _ in range(gates)]
        self._taking_on = [-1] * windows
        shape = (windows, len(frame.month_ends))
        self.queued = np.zeros(shape, dtype=np.int64)
        self.taken = np.zeros(shape, dtype=np.int64)
        self.waited = np.zeros(shape, dtype=np.int64)

    def open_gates(self, project: int) -> list[int]:
        """Return the gates that a project still has to pass."""
        first, last = self._frame.gate_first[project : project + 2].tolist()
        return [gate for gate in range(first, last) if self._drawn.gate_open[gate]]

    def gate(self, project: int, gate: int, drop: Callable[[int, Phase], None]) -> Story:
        """Pass a gate: the owner prepares, then the authority reviews, both in working days.

        Parameters
        ----------
        project, gate : int
            Positions.
        drop : callable
            Called with the project and the phase if it is given up here.
        """
        before = self._before(gate)
        yield self._clock.all_of([self.passing[other] for other in before])
        if self._revision.may_move(project, self._revision.begin[project]):
            yield self._revision.decided
        first = self._revision.begin[project]
        self._begin[gate] = max([first, *(self.passed[other] for other in before)])
        ready = self._file_ready(gate, self._begin[gate])
        if ready >= self._frame.days:
            self._ready[gate] = ready
            if self._frame.gate_window[gate] == _NEVER_BINDS or self._places(gate) < 0:
                # Beyond the horizon, but its length counts in what pre-work has accrued.
                self._taken[gate] = ready
                self.passed[gate] = self.after(ready, self._review(gate))
            return
        yield self._clock.turn(ready, Phase.FILES, gate)
        if project in self._given_up:
            return
        self._ready[gate] = ready
        if self._drawn.gate_dropped[gate]:
            self._given_up.add(project)
            drop(project, Phase.FILES)
            return
        self._clock.note(Phase.FILES, project, Happening.FILE_READY, place=gate)
        yield from self._wait_for_place(project, gate)
        passed = self.after(self._taken[gate], self._review(gate))
        self.passed[gate] = passed
        if passed >= self._frame.days:
            return
        yield self._clock.turn(passed, Phase.REVIEWS, gate)
        self._clock.note(Phase.REVIEWS, project, Happening.GATE_PASSED, place=gate)
        self._leave_window(gate)
        self.passing[gate].succeed()

    def _before(self, gate: int) -> list[int]:
        return [one for one in self._frame.gate_after[gate] if self._drawn.gate_open[one]]

    def _review(self, gate: int) -> int:
        return max(1, int(self._drawn.gate_review[gate]))

    def _file_ready(self, gate: int, begin: int) -> int:
        prepared = self.after(begin, max(1, int(self._drawn.gate_preparation[gate])))
        return max(begin + 1, prepared + int(self._drawn.gate_delay[gate]))

    def after(self, day: int, workdays: int) -> int:
        """Return the day on which so many working days after `day` have passed.

        Beyond the horizon every day counts, so that a review that ends there has a length.
        """
        days = self._frame.days
        if day >= days:
            return day + workdays
        need: int = self._workdays[day + 1] + workdays
        found = bisect_left(self._workdays, need)
        if found < len(self._workdays):
            return found - 1
        counted: int = self._workdays[-1]
        return days - 1 + need - counted

    # Windows -----------------------------------------------------------------------------------

    def _places(self, gate: int) -> int:
        window = int(self._frame.gate_window[gate])
        return _NEVER_BINDS if window < 0 else int(self._frame.window_places[window])

    def _wait_for_place(self, project: int, gate: int) -> Story:
        phase = Phase.REVIEWS
        if self._places(gate) == _NEVER_BINDS:
            phase = Phase.FILES
            self._taken[gate] = self._clock.now
            self._count_taken(gate)
        else:
            window = int(self._frame.gate_window[gate])
            # By day and rank: gates are numbered by the rank of their projects, then in order.
            heappush(self._queue[window], (self._clock.now, gate))
            self._call(window)
            yield self._turn_of[gate]
        self._clock.note(
            phase, project, Happening.REVIEW_BEGUN,
            self._taken[gate] - self._ready[gate], gate,
        )  # fmt: skip

    def _leave_window(self, gate: int) -> None:
        if self._places(gate) != _NEVER_BINDS:
            window = int(self._frame.gate_window[gate])
            self._free[window] += 1
            self._call(window)

    def _call(self, window: int) -> None:
        """Let a window take files later today, when all reviews that end today have ended."""
        if self._taking_on[window] != self._clock.now:
            self._taking_on[window] = self._clock.now
            self._clock.tell(self._take(window))

    def _take(self, window: int) -> Story:
        yield self._clock.turn(self._clock.now, Phase.REVIEWS, self._clock.last)
        while self._free[window] > 0 and self._queue[window]:
            _, gate = heappop(self._queue[window])
            self._free[window] -= 1
            self._taken[gate] = self._clock.now
            self._count_taken(gate)
            self._turn_of[gate].succeed()

    def _count_taken(self, gate: int) -> None:
        window = int(self._frame.gate_window[gate])
        month = int(np.searchsorted(self._frame.month_ends, self._clock.now))
        if window >= 0 and month < self.taken.shape[1]:
            self.taken[window, month] += 1
            self.waited[window, month] += self._taken[gate] - self._ready[gate]

    def record(self, month: int) -> None:
        """Note the lengths of the queues at a month-end."""
        for window, queue in enumerate(self._queue):
            self.queued[window, month] = len(queue)

    # What others ask ---------------------------------------------------------------------------

    def unqueued(self, project: int, gate: int) -> int:
        """Return the day on which a gate would have been passed had no file ever queued."""
        if gate not in self._unqueued:
            before = [self.unqueued(project, other) for other in self._before(gate)]
            begin = max([self._revision.begin[project], *before])
            ready = self._file_ready(gate, begin)
            self._unqueued[gate] = self.after(ready, self._review(gate))
        return self._unqueued[gate]

    def prework(self, project: int, day: int, year_end: int) -> int:
        """Return the share of pre-work spending accrued by a day, ppm.

        Gate-days behind over gate-days planned by year-end.
        """
        weight = int(self._frame.prework_weight[project])
        behind = 0
        first, last = self._frame.gate_first[project : project + 2].tolist()
        for gate in range(first, last):
            planned = int(self._frame.gate_weight[gate])
            if self._drawn.gate_open[gate]:
                gone, whole = self._gone(gate, day)
            else:  # evenly to the end of the year
                begin = int(self._frame.gate_begin[project])
                gone, whole = min(max(day - begin, 0), year_end - begin), year_end - begin
            if whole > 0:
                behind += planned * gone // whole
        return min(PPM, behind * PPM // weight)

    def _gone(self, gate: int, day: int) -> tuple[int, int]:
        """Return the days of preparation and review behind, and in all; a queue counts none."""
        begin, ready, taken = self._begin[gate], self._ready[gate], self._taken[gate]
        if begin == NEVER or day <= begin:
            return 0, 1
        if ready == NEVER:
            ready = self._file_ready(gate, begin)
        if taken == NEVER:
            review = self.after(ready, self._review(gate)) - ready
            return min(day, ready) - begin, ready - begin + review
        whole = ready - begin + self.passed[gate] - taken
        return min(day, ready) - begin + min(max(day - taken, 0), self.passed[gate] - taken), whole
