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
    for debt in (False, True):
        for a in range(len(world.accounts)):
            one_account = world.accounts[a]
            if one_account.debt == debt:
                if one_account.own:
                    _pay_own_funds(world, drawn, state, a, run)
                else:
                    _pay_from(world, state, a)
    owed = np.int64(0)
    for k in range(state.books[Book.ACTIVE]):
        site = state.sites[state.active[k]]
        site.arrears = site.due_so_far - site.paid
        owed += site.arrears
    state.running[City.ARREARS] = owed


@compiled
def _fall_due(
    world: World, state: State, one: np.void, p: int, before: int, amount: int, run: int
) -> None:
    """Split what falls due over the project's lines."""
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
def _pay_from(world: World, state: State, a: int) -> None:
    """Let an account that many draw on pay all its lines."""
    one, account, pool = world.accounts[a], state.accounts[a], state.pools[a]
    asking, asked = state.scratch[0], state.scratch[1]
    spent_before, asked_in_all, wanted, count = account.spent, np.int64(0), np.int64(0), 0
    for place in range(one.line_first, one.line_end):
        amount = state.lacking[place]
        if amount == 0:
            continue
        k = world.of_account[place]
        if one.debt:  # a loan that must wait for equity is not asked for
            amount = min(amount, _in_step(world.lines[k], state.sites[world.lines[k].project]))
        asked_in_all += amount
        if state.lines[k].reserved and amount != 0:
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
            _pay_line(world, state, asking[j], asked[j], one.debt)
    account.unmet = asked_in_all - (account.spent - spent_before)


@compiled
def _in_step(line: np.void, site: np.void) -> int:
    """Return how much debt may be paid so that it does not run ahead of equity."""
    if line.equity_share == 0:
        return site.due_so_far
    in_step = site.equity_paid * (PPM - line.equity_share) // line.equity_share
    return max(in_step - site.debt_paid, 0)


@compiled
def _pay_own_funds(world: World, drawn: Drawn, state: State, a: int, run: int) -> None:
    """Let owners pay what they have: a share of what is due, and the rest of a year ago."""
    one, account = world.accounts[a], state.accounts[a]
    spent_before, asked_in_all = account.spent, np.int64(0)
    for place in range(one.line_first, one.line_end):
        amount = state.lacking[place]
        if amount == 0:
            continue
        k = world.of_account[place]
        line, mine = world.lines[k], state.lines[k]
        if one.debt:
            amount = min(amount, _in_step(line, state.sites[line.project]))
        asked_in_all += amount
        share = drawn.projects[line.project].own_share
        if share < PPM:
            earlier = np.int64(0)
            if run >= _YEAR:
                earlier = state.history[line.history, min(run - _YEAR, mine.history_end - 1)]
            rest = PPM - share
            limit = mine.due // PPM * share + earlier // PPM * rest
            limit += (mine.due % PPM * share + earlier % PPM * rest) // PPM
            amount = max(min(amount, limit - mine.paid), 0)
        if amount != 0:
            account.released += amount
            _pay_line(world, state, k, amount, one.debt)
    account.unmet = asked_in_all - (account.spent - spent_before)


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
        debt = world.accounts[world.lines[k].account].debt
        _pay_line(world, state, k, first + second, debt)
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
def _pay_line(world: World, state: State, k: int, amount: int, debt: bool) -> None:
    line = world.lines[k]
    site = state.sites[line.project]
    state.lines[k].paid += amount
    state.lacking[line.place] -= amount
    state.accounts[line.account].spent += amount
    if debt:
        site.debt_paid += amount
    else:
        site.equity_paid += amount
    _pay_out(state, site, line.in_target, amount)


@compiled
def _pay_out(state: State, site: np.void, in_target: bool, amount: int) -> None:
    site.paid += amount
    if in_target:
        state.running[City.PAID] += amount
