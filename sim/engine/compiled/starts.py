"""Starts: who may begin, on which day, and what it waited for."""

from __future__ import annotations

from sim.engine.compiled.agenda import note, pop, push
from sim.engine.compiled.approvals import begin_file, unqueued
from sim.engine.compiled.construction import go_on_from, plan_milestone
from sim.engine.compiled.records import Agenda, Book, Int, Stage, State, World
from sim.engine.compiled.treasury import (
    give_back,
    heard,
    set_first_instalment_aside,
    waits_on,
)
from sim.engine.rules import NEVER, Wait
from sim.jit import inlined, inner
from sim.sampling.layout import Drawn, Still


@inlined
def next_allowed(world: World, still: Still, p: int, day: int) -> int:
    """Return the first day from `day` on that no no-start period holds."""
    c, days = world.projects[p].calendar, world.policy[0].days
    while day < days and not still.may_start[c, day]:
        day += 1
    return day


@inlined
def first_start_day(world: World, still: Still, drawn: Drawn, state: State, p: int) -> int:
    """Find the day on which a project is ready but for money, and book what it waited for.

    What lies beyond the horizon counts as the day after it.
    """
    days, one = world.policy[0].days, world.projects[p]
    site, told = state.sites[p], state.told[p]
    planned = site.may_start_from
    day = planned
    for cause in range(Wait.NO_START):
        earliest = planned
        if cause == Wait.GATE:
            last = unqueued(world, still, drawn, state, p)
            if last >= 0:
                earliest = last
        elif cause == Wait.WINDOW:
            last = Int(-1)
            for g in range(one.gate_first, one.gate_end):
                if still.gate_open[g]:
                    last = max(last, state.files[g].passed)
            if last >= 0:
                earliest = last
        elif cause == Wait.PREDECESSOR:
            found = False
            for k in range(world.predecessor_first[p], world.predecessor_first[p + 1]):
                other = state.sites[world.predecessors[k]]
                over = min(other.delivered, other.dropped) + 1
                earliest = over if not found else max(earliest, over)
                found = True
        else:
            earliest = planned + drawn.projects[p].slip
        earliest = min(earliest, days)
        told.waits[cause] = max(earliest - day, 0)
        day = max(day, earliest)
    free = next_allowed(world, still, p, day)
    told.waits[Wait.NO_START] = free - day
    return free


@inlined
def may_proceed(state: State, p: int) -> None:
    """Remember a project that may have passed all its gates and lost all that it waited for."""
    state.pending[state.books[Book.PENDING]] = p
    state.books[Book.PENDING] += 1


@inner
def proceed(world: World, still: Still, drawn: Drawn, state: State) -> None:
    """Set the day on which those are tried that have passed their gates and wait for none.

    It looks at all that were remembered: to call a kernel costs more than what it does for one.
    """
    policy = world.policy[0]
    undecided = policy.revision_day >= 0 and state.books[Book.REVISED] == 0
    for k in range(state.books[Book.PENDING]):
        p = state.pending[k]
        site = state.sites[p]
        if site.stage != Stage.GATES or site.gates_missing > 0 or site.predecessors_missing > 0:
            continue
        day = first_start_day(world, still, drawn, state, p)
        if undecided and world.projects[p].reserve and day > policy.revision_day:
            site.stage = Stage.DECISION
        elif day >= policy.days:
            site.stage = Stage.NEVER
        else:
            site.stage = Stage.READY
            site.ready = day
            note(state.by_day, state.following, Agenda.START, day, p)
    state.books[Book.PENDING] = 0


@inner
def tell_those_who_wait(world: World, still: Still, state: State, day: int) -> None:
    """Let those who wait for money at accounts that received be tried, today where allowed."""
    for k in range(state.books[Book.WAITING]):
        p = state.waiting[k]
        site = state.sites[p]
        if site.stage != Stage.MONEY or not waits_on(world, state, p):
            continue
        allowed = next_allowed(world, still, p, day)
        if allowed >= world.policy[0].days:
            site.stage = Stage.NEVER  # never again before the horizon
        else:
            site.stage = Stage.READY
            if allowed == day:
                state.books[Book.TRYING] = push(state.trying, state.books[Book.TRYING], p)
            else:
                note(state.by_day, state.following, Agenda.START, allowed, p)


@inlined
def starts_of_a_day(world: World, still: Still, drawn: Drawn, state: State, day: int) -> None:
    """Work off phase Starts, by rank."""
    p = Int(state.by_day[day, Agenda.START])
    while p >= 0:
        state.books[Book.TRYING] = push(state.trying, state.books[Book.TRYING], p)
        p = Int(state.following[Agenda.START, p])
    while state.books[Book.TRYING] > 0:
        p = pop(state.trying, state.books[Book.TRYING])
        state.books[Book.TRYING] -= 1
        site = state.sites[p]
        if world.projects[p].cash_gated:
            waited = _place_among_waiting(state, p)
            if not set_first_instalment_aside(world, drawn, state, p):
                site.stage = Stage.MONEY
                if waited < 0:
                    state.waiting[state.books[Book.WAITING]] = p
                    state.books[Book.WAITING] += 1
                continue
            if waited >= 0:
                _wait_no_more(state, waited)
                if world.policy[0].starts_block:
                    _let_others_try(world, still, state, p, day)
        state.told[p].waits[Wait.EQUITY] = day - site.ready
        site.start = day
        site.stage = Stage.BUILDING
        go_on_from(site, Int(drawn.calendar[world.projects[p].calendar, day]), day)
        plan_milestone(world, drawn, state, p)


@inlined
def _place_among_waiting(state: State, p: int) -> int:
    for k in range(state.books[Book.WAITING]):
        if state.waiting[k] == p:
            return k
    return -1


@inlined
def _wait_no_more(state: State, place: int) -> None:
    state.books[Book.WAITING] -= 1
    state.waiting[place] = state.waiting[state.books[Book.WAITING]]


@inner
def _let_others_try(world: World, still: Still, state: State, p: int, day: int) -> None:
    """Wake those whom a project blocked, now that it waits no more."""
    lines = state.money[p]
    for k in range(lines.first, lines.end):
        if state.lines[k].shared:
            state.accounts[state.lines[k].account].received = True
    tell_those_who_wait(world, still, state, day)
    heard(state)


@inlined
def release_successors(world: World, state: State, p: int) -> None:
    """Let those go on that waited for a project, now delivered or given up."""
    for k in range(world.successor_first[p], world.successor_first[p + 1]):
        other = world.successors[k]
        site = state.sites[other]
        site.predecessors_missing -= 1
        if site.stage == Stage.GATES and site.predecessors_missing == 0:
            may_proceed(state, other)


@inner
def give_up(world: World, state: State, p: int, day: int) -> None:
    """Give a project up: it stands still, and successors no longer wait for it."""
    site = state.sites[p]
    site.dropped = day
    site.stage = Stage.GIVEN_UP
    waited = _place_among_waiting(state, p)
    if waited >= 0:
        _wait_no_more(state, waited)
    give_back(world, state, p)
    release_successors(world, state, p)


@inner
def revise(world: World, still: Still, drawn: Drawn, state: State, day: int) -> None:
    """Revise the plan, last of all: what fell behind leaves it, reserve projects join it."""
    missing = Int(0)
    for p in range(len(world.projects)):
        one, site = world.projects[p], state.sites[p]
        overdue = site.start == NEVER and one.baseline_start <= day
        if one.in_target and not one.finished and not site.left and overdue:
            site.left = True
            missing += world.filed[p].annual_plan
    for p in range(len(world.projects)):
        one, site = world.projects[p], state.sites[p]
        if missing <= 0:
            break
        if one.reserve and not site.joined and site.start == NEVER and site.dropped == NEVER:
            site.joined = True
            missing -= world.filed[p].annual_plan
            site.may_start_from = min(site.may_start_from, day + 1)
            site.files_from = min(site.files_from, day + 1)
    state.books[Book.REVISED] = 1
    for g in range(len(world.gates)):
        file = state.files[g]
        reserve = world.projects[world.gates[g].project].reserve
        if reserve and still.gate_open[g] and file.before_missing == 0 and file.begin == NEVER:
            begin_file(world, still, drawn, state, g)
    for p in range(len(world.projects)):
        if state.sites[p].stage == Stage.DECISION:
            state.sites[p].stage = Stage.GATES
            may_proceed(state, p)
    proceed(world, still, drawn, state)
