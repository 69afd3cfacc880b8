"""The reference engine: the model told in SimPy, for people to read.

Each project is a process that waits for its gates, its predecessors, its day and its money,
works through the calendar, is accepted and delivered; gates, payment runs, releases and bond
clocks are processes beside it. Time is whole days. Within a day the phases of `sim.engine.rules`
run in order, and inside a phase the rank decides: every event carries (day, phase, rank) into
SimPy's queue, so the order in which events are created never matters.

`city` puts the year together; `approvals`, `construction`, `claims`, `treasury` and `purse` each
tell one part of it; `causes` accounts for the days.
"""

from sim.engine.reference.city import run_reference

__all__ = ["run_reference"]
