"""Payment runs: what falls due is split over funding lines and paid, equity before debt."""

from __future__ import annotations

from sim.engine.compiled.arithmetic import quotient, share_of
from sim.engine.compiled.purses import spend
from sim.engine.compiled.records import NOBODY, Book, City, Int, Ints, Record, State, World
from sim.engine.compiled.treasury import split
from sim.engine.rules import PPM
from sim.jit import inlined, inner
from sim.sampling.layout import Drawn
from sim.sampling.realization import AccountRule

_YEAR = 12
_TIERS = 4


@inner
def pay(world: World, drawn: Drawn, state: State, run: int) -> None:
    """Let what is due fall due, and pay it: equity accounts first, then debt.

    Equity is worked off project by project, since no equity account looks at another: where the
    pool surely goes round a line is paid on the spot, elsewhere it is asked for and the account
    shares. Debt follows account by account, since each payment leaves less room for the next.
    """
    limited = world.policy[0].money_limited
    for k in range(state.history.shape[1]):
        state.history[run, k] = state.history[run - 1, k] if run > 0 else 0
    for k in range(state.books[Book.ACTIVE]):
        p = state.active[k]
        amount, site, one = state.due[run, p], state.sites[p], world.projects[p]
        if amount != 0:
            before = site.due_so_far
            site.due_so_far = before + amount
            if limited:
                _fall_due(world, state, one, p, before, amount, run)
        if not limited and site.due_so_far != site.paid:
            _pay_out(state, site, one.in_target, site.due_so_far - site.paid)
    if not limited:
        return
    for a in range(len(world.accounts)):
        account = state.accounts[a]
        account.goes_round = account.lacking <= state.pools[a].total
        account.asked = account.asking = account.wanted = 0
        account.spent_before = account.spent
    for k in range(state.books[Book.ACTIVE]):
        p = state.active[k]
        if state.sites[p].due_so_far != state.sites[p].paid:
            _pay_equity(world, drawn, state, p, run)
    for a in range(len(world.accounts)):
        if not world.accounts[a].debt:
            _pay_asked(world, state, a, run)
    for a in range(len(world.accounts)):
        if world.accounts[a].debt:
            _ask_debt(world, drawn, state, a, run)
            _pay_asked(world, state, a, run)
    owed = Int(0)
    for k in range(state.books[Book.ACTIVE]):
        site = state.sites[state.active[k]]
        site.arrears = site.due_so_far - site.paid
        owed += site.arrears
    state.running[City.ARREARS] = owed


@inlined
def _fall_due(
    world: World, state: State, one: Record, p: int, before: int, amount: int, run: int
) -> None:
    """Split what falls due over the project's lines."""
    parts = state.scratch[2]
    split(world, p, before, amount, state, parts, False)
    for k in range(one.line_first, one.line_end):
        line, mine, part = world.lines[k], state.lines[k], parts[k - one.line_first]
        mine.due += part
        if line.history != NOBODY:
            state.history[run, line.history] = mine.due
        state.lacking[line.place] += part
        state.accounts[line.account].lacking += part


@inlined
def _pay_equity(world: World, drawn: Drawn, state: State, p: int, run: int) -> None:
    """Pay the equity lines of a project, or let them ask."""
    one, site = world.projects[p], state.sites[p]
    for k in range(one.line_first, one.line_end):
        line = world.lines[k]
        if line.debt:
            break
        amount = state.lacking[line.place]
        if amount == 0:
            continue
        state.accounts[line.account].asked += amount
        if line.own:
            _pay_own_funds(state, line, k, site, drawn.projects[p].own_share, amount, run)
        else:
            _ask(world, state, line, k, site, amount)


@inlined
def _ask_debt(world: World, drawn: Drawn, state: State, a: int, run: int) -> None:
    """Let all lines on a debt account ask for what is in step with equity."""
    account = world.accounts[a]
    for place in range(account.line_first, account.line_end):
        amount = state.lacking[place]
        if amount == 0:
            continue
        k = world.of_account[place]
        line = world.lines[k]
        site = state.sites[line.project]
        # A loan that must wait for equity is not asked for.
        amount = _in_step(line, site, amount)
        state.accounts[a].asked += amount
        if line.own:
            share = drawn.projects[line.project].own_share
            _pay_own_funds(state, line, k, site, share, amount, run)
        elif amount != 0:
            _ask(world, state, line, k, site, amount)


@inlined
def _in_step(line: Record, site: Record, amount: int) -> int:
    """Return how much of an amount of debt may be paid so that it runs not ahead of equity."""
    equity = Int(line.equity_share)
    if equity == 0:
        return amount
    room = site.equity_paid * (PPM - equity)
    if (site.debt_paid + amount) * equity <= room:  # without a division
        return amount
    return max(quotient(room, equity) - site.debt_paid, 0)


@inlined
def _pay_own_funds(
    state: State, line: Record, k: int, site: Record, share: int, amount: int, run: int
) -> None:
    """Pay what the owner has: a share of what is due, and the rest of a year ago."""
    if share < PPM:
        mine, earlier = state.lines[k], Int(0)
        if run >= _YEAR:
            earlier = state.history[run - _YEAR, line.history]
        limit = quotient(mine.due * share + earlier * (PPM - share), PPM)
        paid = mine.due - state.lacking[line.place]
        amount = max(min(amount, limit - paid), 0)
    if amount != 0:
        state.accounts[line.account].released += amount
        _pay_line(state, line, site, amount)


@inlined
def _ask(world: World, state: State, line: Record, k: int, site: Record, amount: int) -> None:
    """Pay from what nobody else may draw on; ask the pool for the rest, or take it."""
    account = state.accounts[line.account]
    if state.lines[k].reserved:
        bond = world.accounts[line.account].bond
        amount -= _pay_reserved(state, line, k, site, bond, amount)
        if amount == 0:
            return
    account.wanted += amount
    if account.goes_round:
        _pay_line(state, line, site, amount)
        return
    place = world.accounts[line.account].line_first + account.asking
    state.scratch[0, place], state.scratch[1, place] = k, amount
    account.asking += 1


@inner
def _pay_reserved(state: State, line: Record, k: int, site: Record, bond: bool, asked: int) -> int:
    """Pay from what is set aside, then from what is earmarked; return what was paid."""
    aside, marked, account = state.aside[k], state.marked[k], state.accounts[line.account]
    first = min(asked, aside.total)
    if first != 0:
        spend(aside, state.nodes, state.books, bond, state.release_spent, first)
        account.set_aside -= first
    second = min(asked - first, marked.total)
    if second != 0:
        spend(marked, state.nodes, state.books, bond, state.release_spent, second)
        account.balance -= second
    if first + second != 0:
        _pay_line(state, line, site, first + second)
    return first + second


@inlined
def _pay_asked(world: World, state: State, a: int, run: int) -> None:
    """Let the pool pay what was asked of it, all or shared, and say what stays unmet."""
    one, account, pool = world.accounts[a], state.accounts[a], state.pools[a]
    taken = account.wanted
    if not account.goes_round:
        first, count = one.line_first, account.asking
        asking, asked = state.scratch[0, first:], state.scratch[1, first:]
        if account.wanted > pool.total:
            _share_pool(world, state, one.rule, asking, asked, count, pool.total, run)
            taken = pool.total
        for j in range(count):
            if asked[j] != 0:
                line = world.lines[asking[j]]
                _pay_line(state, line, state.sites[line.project], asked[j])
    if taken != 0:
        spend(pool, state.nodes, state.books, one.bond, state.release_spent, taken)
        account.balance -= taken
    account.unmet = account.asked - (account.spent - account.spent_before)


@inner
def _share_pool(
    world: World,
    state: State,
    rule: int,
    asking: Ints,
    asked: Ints,
    count: int,
    pool: int,
    run: int,
) -> None:
    """Cut what is asked to what each gets of a pool that does not go round."""
    place = state.scratch[3]
    groups = Int(1)
    for j in range(count):
        place[j] = 0
        if rule == AccountRule.TIER:
            place[j] = world.projects[world.lines[asking[j]].project].tier
            groups = Int(_TIERS)
        elif rule == AccountRule.FIFO:
            place[j] = _oldest_unpaid(world, state, asking[j], run)
            groups = max(groups, place[j] + 1)
    for group in range(groups):
        if rule == AccountRule.FIFO:
            for j in range(count):
                if place[j] == group:
                    asked[j] = min(asked[j], pool)
                    pool -= asked[j]
        else:
            pool -= _pro_rata(asked, place, state.scratch[2], group, count, pool)


@inlined
def _pro_rata(asked: Ints, place: Ints, parts: Ints, group: int, count: int, pool: int) -> int:
    """Share in proportion, rounded down to ppm; what is left goes by rank. Return what is given."""
    total = Int(0)
    for j in range(count):
        if place[j] == group:
            total += asked[j]
    if total <= pool:
        return total
    ratio = quotient(pool * PPM, total)
    left = pool
    for j in range(count):
        if place[j] == group:
            parts[j] = share_of(asked[j], ratio)
            left -= parts[j]
    for j in range(count):
        if place[j] == group:
            more = min(asked[j] - parts[j], left)
            asked[j] = parts[j] + more
            left -= more
    return pool - left


@inlined
def _oldest_unpaid(world: World, state: State, k: int, run: int) -> int:
    """Return the run at which the oldest unpaid claim of a line fell due."""
    line, mine = world.lines[k], state.lines[k]
    paid = mine.due - state.lacking[line.place]
    oldest = 0
    while oldest < run and state.history[oldest, line.history] <= paid:
        oldest += 1
    return oldest


@inlined
def _pay_line(state: State, line: Record, site: Record, amount: int) -> None:
    state.lacking[line.place] -= amount
    account = state.accounts[line.account]
    account.lacking -= amount
    account.spent += amount
    if line.debt:
        site.debt_paid += amount
    else:
        site.equity_paid += amount
    _pay_out(state, site, line.in_target, amount)


@inlined
def _pay_out(state: State, site: Record, in_target: bool, amount: int) -> None:
    site.paid += amount
    if in_target:
        state.running[City.PAID] += amount
