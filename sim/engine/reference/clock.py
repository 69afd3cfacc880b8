"""The clock: days, phases within a day, ranks within a phase."""

from __future__ import annotations

from collections.abc import Generator, Iterable
from typing import Any

import simpy

from sim.engine.rules import Happening, Phase
from sim.engine.trajectory import Event

Story = Generator[simpy.Event, Any, None]


class Turn(simpy.Event):
    """An event on a day, in a phase, at a rank.

    Parameters
    ----------
    clock : Clock
        Whose time it is.
    day : int
        Day, not before the present one.
    phase : Phase
        Phase of the day.
    rank : int
        Position inside the phase.
    """

    def __init__(self, clock: Clock, day: int, phase: Phase, rank: int) -> None:
        super().__init__(clock.environment)
        self._ok, self._value = True, None
        # SimPy keeps priorities 0 and 1 for itself; phases begin above them.
        priority = (phase + 1) * clock.ranks + rank - clock.first
        clock.environment.schedule(self, priority, day - clock.now)  # type: ignore[arg-type]


class Clock:
    """SimPy's environment with phases and ranks, and the log of what happens.

    Parameters
    ----------
    ranks : int
        Largest number of projects, gates or checks that have a turn in one phase.
    log : list of Event or None
        Events are appended to it.

    Attributes
    ----------
    first, late, last : int
        Ranks before all of them and after all of them; nothing is left to the order in which
        turns were asked for.
    """

    def __init__(self, ranks: int, log: list[Event] | None) -> None:
        self.environment = simpy.Environment()
        self.first, self.late, self.last = -1, ranks, ranks + 1
        self.ranks = ranks + 3
        self._log = log

    @property
    def now(self) -> int:
        """The present day."""
        return int(self.environment.now)

    def turn(self, day: int, phase: Phase, rank: int) -> Turn:
        """Return the event of a turn."""
        return Turn(self, day, phase, rank)

    def signal(self) -> simpy.Event:
        """Return an event that somebody will set off."""
        return self.environment.event()

    def all_of(self, events: Iterable[simpy.Event]) -> simpy.Event:
        """Return the event that all of these have happened."""
        return self.environment.all_of(list(events))

    def any_of(self, events: Iterable[simpy.Event]) -> simpy.Event:
        """Return the event that one of these has happened."""
        return self.environment.any_of(list(events))

    def tell(self, story: Story) -> None:
        """Begin a process."""
        self.environment.process(story)

    def note(
        self, phase: Phase, project: int, happening: Happening, number: int = 0, place: int = -1
    ) -> None:
        """Write a line of the log."""
        if self._log is not None:
            self._log.append(Event(self.now, phase, project, happening, number, place))
