"""Payment runs: what falls due is split over funding lines and paid, equity before debt."""

from __future__ import annotations

import numpy as np

from sim.engine.compiled.arithmetic import share_of
from sim.engine.compiled.purses import spend
from sim.engine.compiled.records import NOBODY, Book, City, State, World
from sim.engine.compiled.treasury import split
from sim.engine.rules import NEVER, PPM
from sim.jit import compiled
from sim.sampling.layout import Drawn
from sim.sampling.realization import AccountRule

_YEAR = 12
_TIERS = 4


@compiled
def pay(world: World, drawn: Drawn, state: State, run: int) -> None:
    """Let what is due fall due, and pay it: equity accounts first, then debt."""
    limited = world.policy[0].money_limited
    for k in range(state.books[Book.ACTIVE]):
        p = state.active[k]
        amount = state.due[run, p]
        if amount != 0:
            _fall_due(world, state, p, amount, run, limited)
    if not limited:
        for k in range(state.books[Book.ACTIVE]):
            p = state.active[k]
            site = state.sites[p]
            _pay_out(world, state, p, site.due_so_far - site.paid)
        return
    for debt in (False, True):
        for a in range(len(world.accounts)):
            if world.accounts[a].debt == debt:
                _pay_from(world, drawn, state, a, run)
    owed = np.int64(0)
    for k in range(state.books[Book.ACTIVE]):
        site = state.sites[state.active[k]]
        site.arrears = site.due_so_far - site.paid
        owed += site.arrears
    state.running[City.ARREARS] = owed


@compiled
def _fall_due(world: World, state: State, p: int, amount: int, run: int, limited: bool) -> None:
    """Split what falls due over the project's lines."""
    site, one = state.sites[p], world.projects[p]
    before = site.due_so_far
    site.due_so_far = before + amount
    if not limited:
        return
    parts = state.scratch[2]
    split(world, p, before, amount, state, parts, False)
    for k in range(one.line_first, one.line_end):
        line, mine, part = world.lines[k], state.lines[k], parts[k - one.line_first]
        if line.history != NOBODY:
            for earlier in range(mine.history_end, run):
                state.history[line.history, earlier] = mine.due
            state.history[line.history, run] = mine.due + part
            mine.history_end = run + 1
        mine.due += part
        state.lacking[line.place] += part


@compiled
def _pay_from(world: World, drawn: Drawn, state: State, a: int, run: int) -> None:
    """Let an account pay all lines that draw on it."""
    one, account, pool = world.accounts[a], state.accounts[a], state.pools[a]
    asking, asked = state.scratch[0], state.scratch[1]
    spent_before, asked_in_all, wanted, count = account.spent, np.int64(0), np.int64(0), 0
    for place in range(one.line_first, one.line_end):
        lacking = state.lacking[place]
        if lacking == 0:
            continue
        k = world.of_account[place]
        p = world.lines[k].project
        # A loan that must wait for equity is not asked for; what an owner lacks is unmet.
        amount = min(lacking, _in_step(world.projects[p], state.sites[p])) if one.debt else lacking
        asked_in_all += amount
        if one.own:
            _pay_own_funds(world, state, k, drawn.projects[p].own_share, amount, run)
            continue
        amount -= _pay_reserved(world, state, k, one.bond, amount)
        if amount != 0:
            asking[count] = k
            asked[count] = amount
            wanted += amount
            count += 1
    if wanted > pool.total:
        _share_pool(world, state, one.rule, count, pool.total)
    for j in range(count):
        if asked[j] != 0:
            spend(pool, state.nodes, state.books, one.bond, state.release_spent, asked[j])
            account.balance -= asked[j]
            _pay_line(world, state, asking[j], asked[j])
    account.unmet = asked_in_all - (account.spent - spent_before)


@compiled
def _in_step(one: np.void, site: np.void) -> int:
    """Return how much debt may be paid so that it does not run ahead of equity."""
    if one.equity_share == 0:
        return site.due_so_far
    in_step = site.equity_paid * (PPM - one.equity_share) // one.equity_share
    return max(in_step - site.debt_paid, 0)


@compiled
def _pay_own_funds(world: World, state: State, k: int, share: int, amount: int, run: int) -> None:
    """Pay what the owner has: a share of what is due, and the rest of a year ago."""
    line, mine = world.lines[k], state.lines[k]
    if share < PPM:
        earlier = np.int64(0)
        if run >= _YEAR:
            earlier = state.history[line.history, min(run - _YEAR, mine.history_end - 1)]
        rest = PPM - share
        limit = mine.due // PPM * share + earlier // PPM * rest
        limit += (mine.due % PPM * share + earlier % PPM * rest) // PPM
        amount = max(min(amount, limit - mine.paid), 0)
    if amount != 0:
        state.accounts[line.account].released += amount
        _pay_line(world, state, k, amount)


@compiled
def _pay_reserved(world: World, state: State, k: int, bond: bool, asked: int) -> int:
    """Pay from what nobody else may draw on: set aside, then earmarked."""
    aside, marked = state.aside[k], state.marked[k]
    account = state.accounts[world.lines[k].account]
    first = min(asked, aside.total)
    if first != 0:
        spend(aside, state.nodes, state.books, bond, state.release_spent, first)
        account.set_aside -= first
    second = min(asked - first, marked.total)
    if second != 0:
        spend(marked, state.nodes, state.books, bond, state.release_spent, second)
        account.balance -= second
    if first + second != 0:
        _pay_line(world, state, k, first + second)
    return first + second


@compiled
def _share_pool(world: World, state: State, rule: int, count: int, pool: int) -> None:
    """Cut what is asked to what each gets of a pool that does not go round."""
    asking, asked, place = state.scratch[0], state.scratch[1], state.scratch[3]
    groups = 1
    for j in range(count):
        place[j] = 0
        if rule == AccountRule.TIER:
            place[j] = world.projects[world.lines[asking[j]].project].tier
            groups = _TIERS
        elif rule == AccountRule.FIFO:
            place[j] = _oldest_unpaid(world, state, asking[j])
            groups = max(groups, place[j] + 1)
    for group in range(groups):
        if rule == AccountRule.FIFO:
            for j in range(count):
                if place[j] == group:
                    asked[j] = min(asked[j], pool)
                    pool -= asked[j]
        else:
            pool -= _pro_rata(asked, place, group, count, pool)


@compiled
def _pro_rata(asked: np.ndarray, place: np.ndarray, group: int, count: int, pool: int) -> int:
    """Share in proportion, rounded down to ppm; what is left goes by rank. Return what is given."""
    total = np.int64(0)
    for j in range(count):
        if place[j] == group:
            total += asked[j]
    if total <= pool:
        return total
    ratio = pool * PPM // total
    left = pool
    for j in range(count):
        if place[j] == group:
            left -= share_of(asked[j], ratio)
    for j in range(count):
        if place[j] == group:
            part = share_of(asked[j], ratio)
            more = min(asked[j] - part, left)
            asked[j] = part + more
            left -= more
    return pool - left


@compiled
def _oldest_unpaid(world: World, state: State, k: int) -> int:
    """Return the run at which the oldest unpaid claim of a line fell due."""
    mine, row = state.lines[k], world.lines[k].history
    for run in range(mine.history_end):
        if state.history[row, run] > mine.paid:
            return run
    return NEVER


@compiled
def _pay_line(world: World, state: State, k: int, amount: int) -> None:
    line = world.lines[k]
    site = state.sites[line.project]
    state.lines[k].paid += amount
    state.lacking[line.place] -= amount
    state.accounts[line.account].spent += amount
    if world.accounts[line.account].debt:
        site.debt_paid += amount
    else:
        site.equity_paid += amount
    _pay_out(world, state, line.project, amount)


@compiled
def _pay_out(world: World, state: State, p: int, amount: int) -> None:
    state.sites[p].paid += amount
    if world.projects[p].in_target:
        state.running[City.PAID] += amount
