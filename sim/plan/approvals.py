"""Open approval gates (前期手续) of a project, laid out over the time that its plan leaves them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from sim.plan.quantiles import median
from sim.plan.rows import Gate, Plan, Project

CALENDAR_DAYS_PER_WORKDAY = 7 / 5


@dataclass(frozen=True, slots=True)
class GateChain:
    """The open gates of one project, each after the gates it waits for.

    Attributes
    ----------
    gates : tuple of str
        Codes, in an order in which every gate follows its predecessors.
    after : tuple of tuple of int
        Positions of the open gates that must be passed before.
    begin : int
        Day from which files are prepared, as planned.
    under_way : bool
        Whether preparation began before the status date.
    planned_days : tuple of int
        Days from the last predecessor's passing (or `begin`) to the planned passing.
    fits : bool
        Whether the plan leaves the gates the least time that they need (two days each).
    planned_by_year_end : int
        Gate-days planned to lie behind by year-end: what pre-work spending is spread over.
    """

    gates: tuple[str, ...]
    after: tuple[tuple[int, ...], ...]
    begin: int
    under_way: bool
    planned_days: tuple[int, ...]
    fits: bool
    planned_by_year_end: int


def lay_out_gates(
    plan: Plan, one: Project, start: int, year_end: int, passed: bool
) -> GateChain | None:
    """Lay the open gates of a project out over the time that the plan leaves them.

    Parameters
    ----------
    plan : Plan
        Holds the graph of gates of each procedure.
    one : Project
        The project.
    start, year_end : int
        Days of its planned start and of the plan year's end.
    passed : bool
        Whether the project is under way, so that no gate is open.

    Returns
    -------
    GateChain or None
        None where no gate is open.
    """
    if passed or not one.gates:
        return None
    rows = {gate: plan.gates[one.procedure, gate] for gate in one.gates}
    order = _in_order(rows)
    position = {gate: index for index, gate in enumerate(order)}
    after = tuple(_open_before(gate, plan, one.procedure, position) for gate in order)
    # Median path to each gate, in workdays, scaled to the days from `begin` to the start.
    path: list[float] = []
    for gate, before in zip(order, after, strict=True):
        own = max(1.0, median(rows[gate].preparation)) + max(1.0, median(rows[gate].review))
        path.append(max((path[other] for other in before), default=0.0) + own)
    whole = max(path)
    cushion = max(rows[gate].cushion for gate in order)
    lead = math.ceil(whole * cushion * CALENDAR_DAYS_PER_WORKDAY)
    prework = start > year_end and one.annual_plan > 0
    # Filed pre-work spending says that work on the gates goes on this year.
    begin = 0 if prework else max(0, start - lead)
    passing = [begin + int(length / whole * (start - begin)) for length in path]
    ready = [max((passing[other] for other in before), default=begin) for before in after]
    planned = tuple(end - from_ for end, from_ in zip(passing, ready, strict=True))
    by_year_end = sum(
        min(max(year_end - from_, 0), length) for from_, length in zip(ready, planned, strict=True)
    )
    return GateChain(
        gates=order,
        after=after,
        begin=begin,
        under_way=start - lead < 0,
        planned_days=planned,
        fits=min(planned) >= 2,
        planned_by_year_end=by_year_end,
    )


def _in_order(rows: Mapping[str, Gate]) -> tuple[str, ...]:
    """Sort gates so that each follows those it waits for; ties in order of the ledger."""
    remaining, ordered = list(rows), list[str]()
    while remaining:
        for gate in remaining:
            if not set(rows[gate].after) & set(remaining):
                ordered.append(gate)
                remaining.remove(gate)
                break
    return tuple(ordered)


def _open_before(
    gate: str, plan: Plan, procedure: str, position: Mapping[str, int]
) -> tuple[int, ...]:
    """Return the open gates that a gate waits for, looking through those already passed."""
    found: set[int] = set()
    seen: set[str] = set()
    stack = list(plan.gates[procedure, gate].after)
    while stack:
        other = stack.pop()
        if other in seen:
            continue
        seen.add(other)
        if other in position:
            found.add(position[other])
        else:
            stack.extend(plan.gates[procedure, other].after)
    return tuple(sorted(found))
