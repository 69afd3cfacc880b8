"""The treasury: accounts receive, set first instalments aside, read bond clocks, close the year."""

from __future__ import annotations

from sim.engine.compiled.agenda import listed, note
from sim.engine.compiled.arithmetic import share_rounded_up
from sim.engine.compiled.purses import add, move, withdraw
from sim.engine.compiled.records import NOBODY, Agenda, Book, Int, State, World
from sim.jit import inlined, inner
from sim.sampling.layout import Drawn


@inlined
def receive(world: World, drawn: Drawn, state: State, day: int) -> None:
    """Take in releases in their order, then moved money in the order of its checks."""
    release = Int(state.by_day[day, Agenda.RECEIPT])
    while release != NOBODY:
        arrival, amount = world.arrivals[release], drawn.releases[release].amount
        account = state.accounts[arrival.account]
        bond = world.accounts[arrival.account].bond
        if arrival.purse == NOBODY:
            purse = state.pools[arrival.account]
        else:
            purse = state.marked[arrival.purse]
            if arrival.purse < len(state.lines):
                state.lines[arrival.purse].reserved = True
        add(purse, state.nodes, state.books, bond, release, amount)
        account.released += amount
        account.balance += amount
        account.received = True
        release = Int(state.following[Agenda.RECEIPT, release])
    if state.by_day[day, Agenda.MOVED] != NOBODY:
        count = listed(
            state.by_day[day, Agenda.MOVED], state.following, Agenda.MOVED, state.scratch[0]
        )
        for k in range(count):
            check = state.scratch[0, k]
            release = world.checks[check].release
            account = world.arrivals[release].account
            pool = state.pools[account]
            add(pool, state.nodes, state.books, True, release, state.moved[check])
            state.accounts[account].received = True


@inlined
def remember(state: State) -> None:
    """Announce what was given back the day before."""
    state.books[Book.TELL_TOMORROW] = 0
    for a in range(len(state.accounts)):
        if state.accounts[a].tell_tomorrow:
            state.accounts[a].tell_tomorrow = False
            state.accounts[a].received = True


@inlined
def heard(state: State) -> None:
    """Forget who has received: all who wait were told."""
    for a in range(len(state.accounts)):
        state.accounts[a].received = False


@inlined
def waits_on(world: World, state: State, p: int) -> bool:
    """Tell whether one of a project's equity accounts has received."""
    lines = state.money[p]
    for k in range(lines.first, lines.end):
        line = state.lines[k]
        if line.shared and state.accounts[line.account].received:
            return True
    return False


@inner
def _is_reserved(world: World, state: State, account: int, p: int) -> bool:
    """Tell whether a project of higher rank waits at an account and blocks it."""
    for k in range(state.books[Book.WAITING]):
        other = state.waiting[k]
        if other < p:
            lines = state.money[other]
            for j in range(lines.first, lines.end):
                if state.lines[j].shared and state.lines[j].account == account:
                    return True
    return False


@inlined
def set_first_instalment_aside(world: World, drawn: Drawn, state: State, p: int) -> bool:
    """Set the equity part of the advance aside; False where an account cannot pay it."""
    lines, parts = state.money[p], state.scratch[2]
    advance, given = drawn.projects[p].advance, Int(0)
    blocks = world.policy[0].starts_block
    for k in range(lines.first, lines.debt):
        line, amount = state.lines[k], advance - given
        if k + 1 < lines.end:
            amount = part_of(advance, line.share, given, amount)
        given += amount
        parts[k - lines.first] = amount
        if not line.shared or amount == 0:
            continue
        if blocks and _is_reserved(world, state, line.account, p):
            return False
        if amount > state.pools[line.account].total + state.marked[k].total:
            return False
    for k in range(lines.first, lines.debt):
        line, amount = state.lines[k], parts[k - lines.first]
        if not line.shared or amount == 0:
            continue
        bond = world.accounts[line.account].bond
        marked, aside = state.marked[k], state.aside[k]
        earmarked = min(amount, marked.total)
        move(marked, aside, state.nodes, state.books, bond, earmarked)
        pool = state.pools[line.account]
        move(pool, aside, state.nodes, state.books, bond, amount - earmarked)
        state.of_pool[k] = amount - earmarked
        line.reserved = True
        account = state.accounts[line.account]
        account.balance -= amount
        account.set_aside += amount
    return True


@inlined
def part_of(whole: int, share: int, reached: int, left: int) -> int:
    """Return what a line gets of an amount: cumulative shares of lines, rounded up.

    Parameters
    ----------
    whole : int
        Yuan due on the project so far.
    share : int
        Cumulative share of this line and those before it, ppm.
    reached : int
        Yuan that these lines have already.
    left : int
        What there is to be given.
    """
    return min(left, max(0, share_rounded_up(whole, share) - reached))


@inner
def give_back(world: World, state: State, p: int) -> None:
    """Return what a project that is given up had set aside to where it came from."""
    lines = state.money[p]
    for k in range(lines.first, lines.end):
        aside = state.aside[k]
        amount = aside.total
        if amount == 0:
            continue
        a = state.lines[k].account
        bond = world.accounts[a].bond
        # Earmarked money went in first and is spent first.
        earmarked = max(amount - state.of_pool[k], 0)
        marked, pool = state.marked[k], state.pools[a]
        move(aside, marked, state.nodes, state.books, bond, earmarked)
        move(aside, pool, state.nodes, state.books, bond, aside.total)
        account = state.accounts[a]
        account.balance += amount
        account.set_aside -= amount
        account.tell_tomorrow = True
        state.books[Book.TELL_TOMORROW] = 1


@inlined
def read_clocks(world: World, drawn: Drawn, state: State, day: int) -> None:
    """See how much of releases is spent; what is idle at 6 months may be withdrawn."""
    policy = world.policy[0]
    c = Int(state.by_day[day, Agenda.CHECK])
    while c != NOBODY:
        check = world.checks[c]
        spent = state.release_spent[check.release]
        state.check_spent[c] = spent
        arrival = world.arrivals[check.release]
        wait = policy.reallocation_days
        if check.idle and wait >= 0 and arrival.project != NOBODY:
            marked = state.marked[arrival.purse]
            moved = withdraw(marked, state.nodes, state.books, check.release)
            arrives = day + max(wait, 1)
            if moved != 0 and arrives < policy.days:
                state.moved[c] = moved
                note(state.by_day, state.following, Agenda.MOVED, arrives, c)
        c = Int(state.following[Agenda.CHECK, c])


@inner
def close_year(world: World, state: State) -> None:
    """Let the free balance of lapsing accounts lapse; bond money never does."""
    for a in range(len(world.accounts)):
        one, account = world.accounts[a], state.accounts[a]
        if one.lapses and not one.bond:
            pool = state.pools[a]
            amount = pool.total
            pool.total = 0
            account.balance -= amount
            account.lapsed += amount


@inner
def record(world: World, state: State, month: int) -> None:
    """Write the state of all accounts at a month-end."""
    for a in range(len(world.accounts)):
        account = state.accounts[a]
        state.treasury[0, a, month] = account.released
        state.treasury[1, a, month] = account.spent
        state.treasury[2, a, month] = account.set_aside
        state.treasury[3, a, month] = account.lapsed
        state.treasury[4, a, month] = account.balance
        state.treasury[5, a, month] = account.unmet
