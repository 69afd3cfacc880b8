"""A year and what follows: one replication, day by day and phase by phase."""

from __future__ import annotations

from sim.engine.compiled.agenda import listed, note
from sim.engine.compiled.approvals import begin_file, call_windows, end_review, files_of_a_day
from sim.engine.compiled.arithmetic import share_of
from sim.engine.compiled.construction import (
    go_on_from,
    look_up,
    next_target,
    plan_milestone,
    reach_milestone,
    settle,
)
from sim.engine.compiled.month import close, measure_all
from sim.engine.compiled.payments import pay
from sim.engine.compiled.purses import add, empty
from sim.engine.compiled.records import (
    NOBODY,
    OPENING,
    Agenda,
    Book,
    City,
    Int,
    Record,
    Stage,
    State,
    World,
)
from sim.engine.compiled.starts import (
    first_start_day,
    give_up,
    may_proceed,
    proceed,
    release_successors,
    revise,
    starts_of_a_day,
    tell_those_who_wait,
)
from sim.engine.compiled.treasury import heard, read_clocks, receive, remember
from sim.engine.rules import NANO_DAYS, NEVER, PPM, Cause, Wait
from sim.jit import compiled, inlined, inner
from sim.sampling.layout import Drawn, Still

_BEFORE_DAY_0 = -1
_OWN_CAUSES = len(Cause)


@compiled
def simulate_one(world: World, still: Still, drawn: Drawn, state: State) -> None:
    """Simulate one replication from first to last day; what comes out stands in `state`.

    Parameters
    ----------
    world : World
        The plan.
    still, drawn : Still, Drawn
        What no replication changes of the draws, and this one's.
    state : State
        Work space.
    """
    _set_up_money(world, drawn, state)
    _set_up_projects(world, drawn, state)
    _set_up_agenda(world, still, drawn, state)
    policy = world.policy[0]
    month, run = 0, 0
    for day in range(policy.days):
        brings = state.by_day[day]
        if brings[Agenda.RECEIPT] != NOBODY or brings[Agenda.MOVED] != NOBODY:
            receive(world, drawn, state, day)
            told = True
        else:
            told = False
        if state.books[Book.TELL_TOMORROW] != 0:
            remember(state)
            told = True
        if told:
            if state.books[Book.WAITING] != 0:
                tell_those_who_wait(world, still, state, day)
            heard(state)
        if brings[Agenda.FILE] != NOBODY:
            dropped = files_of_a_day(world, still, drawn, state, day)
            for k in range(dropped):
                give_up(world, state, state.scratch[1, k], day)
        g = Int(brings[Agenda.REVIEW])
        while g != NOBODY:
            end_review(world, still, drawn, state, g)
            p = world.gates[g].project
            if state.sites[p].gates_missing == 0:
                may_proceed(state, p)
            g = Int(state.following[Agenda.REVIEW, g])
        if state.books[Book.CALLED] != 0:
            call_windows(world, still, drawn, state, day)
        if state.books[Book.PENDING] != 0:
            proceed(world, still, drawn, state)
        if brings[Agenda.START] != NOBODY or state.books[Book.TRYING] != 0:
            starts_of_a_day(world, still, drawn, state, day)
        if brings[Agenda.WORK] != NOBODY:
            _work(world, still, drawn, state, day)
        at_month_end = month < policy.months and day == world.month_ends[month]
        if at_month_end:
            measure_all(world, still, drawn, state, month)
        if run < policy.months and day == world.pay_days[run]:
            pay(world, state, run)
            run += 1
        p = Int(brings[Agenda.DELIVERY])
        while p != NOBODY:
            state.sites[p].delivered = day
            state.sites[p].stage = Stage.DELIVERED
            release_successors(world, state, p)
            p = Int(state.following[Agenda.DELIVERY, p])
        if brings[Agenda.CHECK] != NOBODY:
            read_clocks(world, drawn, state, day)
        if at_month_end:
            close(world, drawn, state, month)
            month += 1
        if state.books[Book.PENDING] != 0:
            proceed(world, still, drawn, state)
        if day == policy.revision_day:
            revise(world, still, drawn, state, day)
    _tell_the_end(world, still, drawn, state)


@inlined
def _work(world: World, still: Still, drawn: Drawn, state: State, day: int) -> None:
    """Work off phase Work, by rank."""
    # `following` is written while stops plan anew, so the list is taken whole before.
    today = state.scratch[3]
    count = listed(state.by_day[day, Agenda.WORK], state.following, Agenda.WORK, today)
    for k in range(count):
        if not reach_milestone(world, drawn, state, today[k], day):
            give_up(world, state, today[k], day)


# Before the first day -------------------------------------------------------------------------


@inner
def _set_up_money(world: World, drawn: Drawn, state: State) -> None:
    nodes, books = state.nodes, state.books
    books[:] = 0
    books[Book.FREE_NODE] = NOBODY
    state.release_spent[:] = 0
    state.check_spent[:] = -1
    state.running[:] = 0
    state.treasury[:] = 0
    state.windows[:] = 0
    for a in range(len(world.accounts)):
        one, account = world.accounts[a], state.accounts[a]
        account.released = account.spent = account.set_aside = account.lapsed = account.unmet = 0
        account.lacking = 0
        account.balance = one.opening
        account.received = account.tell_tomorrow = False
        pool = state.pools[a]
        empty(pool)
        add(pool, nodes, books, one.bond, OPENING, one.opening)
    for k in range(len(state.marked)):
        empty(state.marked[k])
    for k in range(len(state.lines)):
        empty(state.aside[k])
        line = state.lines[k]
        line.due = line.lacking = 0
        line.reserved = False
    opening = len(world.opening_due)
    for run in range(opening):
        for p in range(state.due.shape[1]):
            state.due[run, p] = world.opening_due[run, p]
    state.due[opening:] = 0


@inner
def _set_up_projects(world: World, drawn: Drawn, state: State) -> None:
    measuring = 0
    for p in range(len(world.projects)):
        one, site, money = world.projects[p], state.sites[p], state.money[p]
        site.start = site.finish = site.delivered = site.dropped = site.ready = NEVER
        site.applied = NEVER
        site.may_start_from, site.files_from = one.baseline_start, one.gate_begin
        told = state.told[p]
        for cause in range(len(told.waits)):
            told.waits[cause] = 0
        told.stopped = 0
        site.rate = PPM
        site.effective = site.missed = site.gained = 0
        go_on_from(site, Int(0), 0)
        site.next_stop = drawn.projects[p].stop_first
        site.target = next_target(drawn, site, p)
        site.value = site.reported = one.done
        site.retained = site.premium = 0
        site.worked = NOBODY
        site.step = 0
        money.due = money.equity_paid = money.debt_paid = 0
        money.own_share = drawn.projects[p].own_share
        site.entitled = share_of(one.done, one.pay_ratio)
        site.settled_at = NOBODY
        site.last_due = one.opening_last
        site.joined, site.left = one.joined, one.left
        site.given_up = site.advance_claimed = site.over = False
        site.gates_missing = 0
        site.predecessors_missing = world.predecessor_first[p + 1] - world.predecessor_first[p]
        site.stage = Stage.GATES
        if one.finished:
            site.start = one.baseline_start
            site.finish = site.delivered = one.planned_finish
            site.stage = Stage.OUT
        elif one.abandoned:
            if one.begun:
                site.start = one.baseline_start
            site.dropped = _BEFORE_DAY_0
            site.stage = Stage.OUT
        elif one.begun:
            site.start = one.baseline_start
            site.stage = Stage.BUILDING
        if one.in_target:
            state.running[City.WORK_DONE] += one.done - world.filed[p].before_year
            state.running[City.REPORTED] += one.done - world.filed[p].before_year
            state.running[City.PARTS + one.part] += one.done - world.filed[p].before_year
        state.active[p] = p
        if not one.finished:
            state.measuring[measuring] = p
            measuring += 1
    state.books[Book.ACTIVE] = len(world.projects)
    state.books[Book.MEASURING] = measuring


@inner
def _set_up_agenda(world: World, still: Still, drawn: Drawn, state: State) -> None:
    policy, by_day, following = world.policy[0], state.by_day, state.following
    by_day[:] = NOBODY
    rates_change = policy.money_limited or policy.rates_change
    state.books[Book.KNOWN_UNTIL] = policy.days - 1
    if rates_change and policy.months > 0:
        state.books[Book.KNOWN_UNTIL] = world.month_ends[0]
    look_up(drawn, state, 1, state.books[Book.KNOWN_UNTIL])
    for r in range(len(world.arrivals) - 1, -1, -1):  # so that each day's list is in order
        if drawn.releases[r].day < policy.days:
            note(by_day, following, Agenda.RECEIPT, drawn.releases[r].day, r)
    for c in range(len(world.checks) - 1, -1, -1):
        check = world.checks[c]
        available = drawn.releases[check.release].day
        # What is not there yet cannot lie idle.
        day = max(available + check.after, available)
        if day < policy.days:
            note(by_day, following, Agenda.CHECK, day, c)
    for w in range(len(world.places)):
        state.places[w] = world.places[w]
        state.queue_ends[w, 0] = state.queue_ends[w, 1] = NOBODY
        state.queue_ends[w, 2] = 0
        state.called[w] = 0
    for g in range(len(world.gates)):
        file = state.files[g]
        file.begin = file.ready = file.taken = file.passed = file.unqueued = NEVER
        file.before_missing = NOBODY
        if still.gate_open[g] and state.sites[world.gates[g].project].stage == Stage.GATES:
            file.before_missing = 0
            for k in range(world.before_first[g], world.before_first[g + 1]):
                if still.gate_open[world.before[k]]:
                    file.before_missing += 1
            state.sites[world.gates[g].project].gates_missing += 1
    for g in range(len(world.gates)):
        if state.files[g].before_missing == 0:
            begin_file(world, still, drawn, state, g)
    for p in range(len(world.projects)):
        if state.sites[p].stage == Stage.OUT:
            for k in range(world.successor_first[p], world.successor_first[p + 1]):
                state.sites[world.successors[k]].predecessors_missing -= 1
    for p in range(len(world.projects)):
        if state.sites[p].stage == Stage.BUILDING:
            plan_milestone(world, drawn, state, p)
        elif state.sites[p].stage == Stage.GATES:
            may_proceed(state, p)
    proceed(world, still, drawn, state)


# After the last day ---------------------------------------------------------------------------


@inner
def _tell_the_end(world: World, still: Still, drawn: Drawn, state: State) -> None:
    """Book the waits of those who never started, and the days of all others by cause."""
    days, kinds = world.policy[0].days, world.planned_losses.shape[1]
    # In a loop of its own, so that what is waited for overlaps: the table is large.
    for p in range(len(world.projects)):
        c, row, site = world.projects[p].calendar, state.causes[p], state.sites[p]
        row[:] = 0
        if _is_told(world, site, p):
            first, last = _time_of(site, days)
            for k in range(kinds):
                loss = Int(still.losses[c, last + 1, k]) - Int(still.losses[c, first, k])
                row[_OWN_CAUSES + k] = (loss - world.planned_losses[p, k]) * PPM
    for p in range(len(world.projects)):
        one, site, row = world.projects[p], state.sites[p], state.causes[p]
        if site.start == NEVER and site.dropped == NEVER:  # what held it until the end
            ready = first_start_day(world, still, drawn, state, p)
            state.told[p].waits[Wait.EQUITY] = max(days - ready, 0)
        if not _is_told(world, site, p):
            continue
        first, last = _time_of(site, days)
        settle(site, Int(drawn.calendar[one.calendar, last + 1]), last)
        mine = drawn.projects[p]
        done = mine.work * PPM if site.finish != NEVER else site.effective
        saved = mine.work_saved * PPM
        row[Cause.PULLED_FORWARD] = (site.may_start_from - one.planned_start) * NANO_DAYS
        row[Cause.WORK] = done + saved - world.filed[p].planned_work * PPM
        row[Cause.STOPS] = state.told[p].stopped
        row[Cause.OPPORTUNITIES] = -saved
        row[Cause.ARREARS] = site.missed
        row[Cause.ACCELERATION] = -site.gained
        row[Cause.LAST_DAY] = site.effective - done
        high = _hits_before(drawn, one.calendar, last + 1)
        if high > 0:
            for k in range(kinds):
                row[_OWN_CAUSES + k] += drawn.hit_loss[one.calendar, high - 1, k] * PPM
            low = _hits_before(drawn, one.calendar, first)
            if low > 0:
                for k in range(kinds):
                    row[_OWN_CAUSES + k] -= drawn.hit_loss[one.calendar, low - 1, k] * PPM


@inlined
def _is_told(world: World, site: Record, p: int) -> bool:
    """Tell whether days of a project are booked by cause: it began, and after the status date."""
    return site.start != NEVER and not world.projects[p].finished


@inlined
def _time_of(site: Record, days: int) -> tuple[int, int]:
    """Return the first and the last day of a project's construction within the horizon."""
    return max(site.start, 0), min(min(site.finish, site.dropped), days - 1)


@inlined
def _hits_before(drawn: Drawn, c: int, day: int) -> int:
    """Return how many days on which stops changed a class's calendar lie before a day."""
    low, high = 0, drawn.hits[c]
    while low < high:
        middle = (low + high) // 2
        if drawn.hit_day[c, middle] < day:
            low = middle + 1
        else:
            high = middle
    return low
