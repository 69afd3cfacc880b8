"""Approvals: files are prepared, queue at windows, are reviewed and passed."""

from __future__ import annotations

from sim.engine.compiled.agenda import listed, note
from sim.engine.compiled.arithmetic import after
from sim.engine.compiled.records import NOBODY, Agenda, Book, Record, State, World
from sim.engine.rules import NEVER, PPM
from sim.jit import inlined
from sim.sampling.layout import Drawn, Still


@inlined
def file_ready(still: Still, file: Record, begin: int) -> int:
    """Return the day on which a file begun on a day is ready."""
    prepared = after(still.workdays, still.reached, begin, file.preparation)
    return max(begin + 1, prepared + file.delay)


@inlined
def begin_file(world: World, still: Still, drawn: Drawn, state: State, g: int) -> None:
    """Begin the preparation of a gate whose gates before are passed, or wait for the revision."""
    gate, one = world.gates[g], state.files[g]
    site = state.sites[gate.project]
    policy = world.policy[0]
    if (
        policy.revision_day >= 0
        and state.books[Book.REVISED] == 0
        and world.projects[gate.project].reserve
        and site.files_from > policy.revision_day
    ):
        return  # the revision will call again
    begin = site.files_from
    for k in range(world.before_first[g], world.before_first[g + 1]):
        before = world.before[k]
        if still.gate_open[before]:
            begin = max(begin, state.files[before].passed)
    one.begin = begin
    file = drawn.files[g]
    ready = file_ready(still, file, begin)
    if ready >= policy.days:
        one.ready = ready
        if gate.places < 0:
            # Beyond the horizon, but its length counts in what pre-work has accrued.
            one.taken = ready
            one.passed = after(still.workdays, still.reached, ready, file.review)
        return
    note(state.by_day, state.following, Agenda.FILE, ready, g)


@inlined
def join_queue(world: World, still: Still, drawn: Drawn, state: State, g: int, day: int) -> None:
    """Let a file that is ready join the queue of its window, or be taken at once."""
    gate, one = world.gates[g], state.files[g]
    one.ready = day
    if gate.places < 0:
        take(world, still, drawn, state, g, day)
        return
    window = gate.window
    state.queue_next[g] = NOBODY
    if state.queue_ends[window, 0] == NOBODY:
        state.queue_ends[window, 0] = g
    else:
        state.queue_next[state.queue_ends[window, 1]] = g
    state.queue_ends[window, 1] = g
    state.queue_ends[window, 2] += 1
    state.called[window] = 1
    state.books[Book.CALLED] = 1


@inlined
def take(world: World, still: Still, drawn: Drawn, state: State, g: int, day: int) -> None:
    """Take a file: its review begins."""
    gate, one = world.gates[g], state.files[g]
    one.taken = day
    if gate.window != NOBODY:
        month = 0
        while month < world.policy[0].months and world.month_ends[month] < day:
            month += 1
        if month < world.policy[0].months:
            state.windows[1, gate.window, month] += 1
            state.windows[2, gate.window, month] += day - one.ready
    one.passed = after(still.workdays, still.reached, day, drawn.files[g].review)
    if one.passed < world.policy[0].days:
        note(state.by_day, state.following, Agenda.REVIEW, one.passed, g)


@inlined
def end_review(world: World, still: Still, drawn: Drawn, state: State, g: int) -> None:
    """Pass a gate: its place is free, and what waited for it may go on."""
    gate = world.gates[g]
    if gate.places >= 0:
        state.places[gate.window] += 1
        state.called[gate.window] = 1
        state.books[Book.CALLED] = 1
    for k in range(world.later_first[g], world.later_first[g + 1]):
        later = world.later[k]
        if still.gate_open[later]:
            state.files[later].before_missing -= 1
            if state.files[later].before_missing == 0:
                begin_file(world, still, drawn, state, later)
    state.sites[gate.project].gates_missing -= 1


@inlined
def call_windows(world: World, still: Still, drawn: Drawn, state: State, day: int) -> None:
    """Let windows take the next files, when all reviews that end today have ended."""
    state.books[Book.CALLED] = 0
    for window in range(len(world.places)):
        if state.called[window] == 0:
            continue
        state.called[window] = 0
        while state.places[window] > 0 and state.queue_ends[window, 0] != NOBODY:
            g = state.queue_ends[window, 0]
            state.queue_ends[window, 0] = state.queue_next[g]
            state.queue_ends[window, 2] -= 1
            state.places[window] -= 1
            take(world, still, drawn, state, g, day)


@inlined
def files_of_a_day(world: World, still: Still, drawn: Drawn, state: State, day: int) -> int:
    """Work off phase Files; return how many projects are given up, listed in `scratch[1]`."""
    count = listed(state.by_day[day, Agenda.FILE], state.following, Agenda.FILE, state.scratch[0])
    dropped = 0
    for k in range(count):
        g = state.scratch[0, k]
        p = world.gates[g].project
        site = state.sites[p]
        if site.given_up:
            continue
        if drawn.files[g].dropped != 0:
            state.files[g].ready = day
            site.given_up = True
            state.scratch[1, dropped] = p
            dropped += 1
            continue
        join_queue(world, still, drawn, state, g, day)
    return dropped


# What others ask ------------------------------------------------------------------------------


@inlined
def unqueued(world: World, still: Still, drawn: Drawn, state: State, p: int) -> int:
    """Return the day on which all gates would have been passed had no file ever queued.

    -1 where there are none. Gates stand in an order in which each follows those before it.
    """
    last = -1
    one = world.projects[p]
    for g in range(one.gate_first, one.gate_end):
        if not still.gate_open[g]:
            continue
        file = state.files[g]
        if file.unqueued == NEVER:
            begin = state.sites[p].files_from
            for k in range(world.before_first[g], world.before_first[g + 1]):
                before = world.before[k]
                if still.gate_open[before]:
                    begin = max(begin, state.files[before].unqueued)
            ready = file_ready(still, drawn.files[g], begin)
            passed = after(still.workdays, still.reached, ready, drawn.files[g].review)
            file.unqueued = min(passed, NEVER - 1)  # records are narrow
        last = max(last, file.unqueued)
    return last


@inlined
def _gone(still: Still, file: Record, one: Record, day: int) -> tuple[int, int]:
    """Return the days of preparation and review behind, and in all; a queue counts none."""
    begin = one.begin
    if begin == NEVER or day <= begin:
        return 0, 1
    ready = one.ready
    if ready == NEVER:
        ready = file_ready(still, file, begin)
    if one.taken == NEVER:
        review = after(still.workdays, still.reached, ready, file.review) - ready
        return min(day, ready) - begin, ready - begin + review
    review = one.passed - one.taken
    gone = min(day, ready) - begin + min(max(day - one.taken, 0), review)
    return gone, ready - begin + review


@inlined
def prework(world: World, still: Still, drawn: Drawn, state: State, p: int, day: int) -> int:
    """Return the share of pre-work spending accrued by a day, ppm."""
    one = world.projects[p]
    year_end = world.policy[0].year_end
    behind = 0
    for g in range(one.gate_first, one.gate_end):
        if still.gate_open[g]:
            gone, whole = _gone(still, drawn.files[g], state.files[g], day)
        else:  # evenly to the end of the year
            whole = year_end - one.gate_begin
            gone = min(max(day - one.gate_begin, 0), whole)
        if whole > 0:
            behind += world.gates[g].weight * gone // whole
    return min(PPM, behind * PPM // one.prework_weight)
