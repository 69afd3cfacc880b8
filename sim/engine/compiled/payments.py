"""Payment runs: what falls due is split over funding lines and paid, equity before debt."""

from __future__ import annotations

from sim.engine.compiled.arithmetic import quotient, share_of
from sim.engine.compiled.purses import spend
from sim.engine.compiled.records import NOBODY, Book, City, Int, Ints, Record, State, World
from sim.engine.compiled.treasury import part_of
from sim.engine.rules import PPM
from sim.jit import inlined, inner
from sim.sampling.realization import AccountRule

_YEAR = 12
_TIERS = 4


@inner
def pay(world: World, state: State, run: int) -> None:
    """Let what is due fall due, and pay it: equity accounts first, then debt.

    Owners' funds look at no other line, so they are paid as soon as the project's lines know what
    is due. Other equity is worked off project by project, since no equity account looks at another:
    where the pool surely goes round a line is paid on the spot, elsewhere it is asked for and the
    account shares. Debt follows account by account, since each payment leaves less room for the
    next; but nothing stands before the first of them, and where that one (loans, where there are no
    bonds) surely goes round, a project that has all the equity it will get is paid on the spot.
    """
    if not world.policy[0].money_limited:
        _pay_all(world, state, run)
        return
    rows = state.history.shape[0]
    now, before = run % rows, (run - 1) % rows
    year_ago = (run - _YEAR) % rows if run >= _YEAR else NOBODY
    for k in range(state.history.shape[1]):
        state.history[now, k] = state.history[before, k] if run > 0 else 0
    due = Int(0)  # on those who are over nothing falls due any more
    for p in range(len(world.projects)):
        due += state.due[run, p]
    sure = _open_accounts(world, state, due)
    paying = _split_and_pay_sure(world, state, run, now, year_ago, sure)
    loans = _see_what_goes_round(world, state)
    late = _pay_pools(world, state, paying, year_ago, loans)
    paid = _pay_by_account(world, state, loans, late, year_ago, run)
    state.running[City.ARREARS] += due - paid
    state.running[City.PAID] += paid


@inlined
def _open_accounts(world: World, state: State, due: int) -> int:
    """Begin a run, in which so much falls due.

    Return the debt account that pays first, if it goes round whatever part of that falls on it:
    then nobody needs to know first what does.
    """
    for a in range(len(world.accounts)):
        account = state.accounts[a]
        account.dry = state.pools[a].total == 0
        account.asked = account.wanted = account.paid = 0
        account.asking = 0
    first = world.policy[0].first_debt
    if first == NOBODY:
        return NOBODY
    account = state.accounts[first]
    account.goes_round = account.lacking + due <= state.pools[first].total
    return Int(first) if account.goes_round else NOBODY


@inlined
def _see_what_goes_round(world: World, state: State) -> int:
    """Hold each pool against what is unpaid, all of which equity accounts are asked for.

    Return the debt account that pays first, if it goes round.
    """
    for a in range(len(world.accounts)):
        account = state.accounts[a]
        account.goes_round = account.lacking <= state.pools[a].total
        if not world.accounts[a].debt:
            account.asked = account.lacking
    first = world.policy[0].first_debt
    return Int(first) if first != NOBODY and state.accounts[first].goes_round else NOBODY


@inlined
def _pay_by_account(
    world: World, state: State, loans: int, late: int, year_ago: int, run: int
) -> int:
    """Let debt ask account by account, share the pools, and return all that was paid."""
    paid = Int(0)
    for k in range(len(world.account_order)):
        a = world.account_order[k]
        if world.accounts[a].debt:
            lines = world.of_account[world.accounts[a].line_first : world.accounts[a].line_end]
            if a == loans:
                lines = state.late[:late]
            for j in range(len(lines)):
                money = state.money[world.line_project[lines[j]]]
                _pay_debt(world, state, lines[j], money, year_ago)
        _pay_asked(world, state, a, run)
        paid += state.accounts[a].paid
    return paid


@inlined
def _pay_all(world: World, state: State, run: int) -> None:
    """Pay all that falls due, where money is not limited; no account is asked, so it is equity."""
    for k in range(state.books[Book.ACTIVE]):
        p = state.active[k]
        amount, money = state.due[run, p], state.money[p]
        if amount == 0:
            continue
        money.due += amount
        money.equity_paid += amount
        if money.in_target:
            state.running[City.PAID] += amount


@inlined
def _split_and_pay_sure(
    world: World, state: State, run: int, now: int, year_ago: int, sure: int
) -> int:
    """Split what falls due over lines, and pay what hangs on no pool that might not go round.

    Return how many projects are left to be paid, which are listed in `State.paying`.
    """
    paying = 0
    for k in range(state.books[Book.ACTIVE]):
        p = state.active[k]
        amount, money = state.due[run, p], state.money[p]
        if amount != 0:
            _split(state, money, amount, now)
        elif unpaid(money) == 0:
            continue
        for j in range(money.own_first, money.own_end):
            line = state.lines[j]
            if line.lacking != 0 and line.own:
                part = _own_funds(state, line, money.own_share, year_ago)
                if part != 0:
                    money.equity_paid += part
                    _book(state, line, money, part)
        if money.pool_end == 0 and sure != NOBODY:
            for j in range(money.debt, money.end):
                if state.lines[j].account == sure:
                    _pay_debt(world, state, j, money, year_ago)
        elif unpaid(money) != 0:
            state.paying[paying] = p
            paying += 1
    return paying


@inlined
def _split(state: State, money: Record, amount: int, now: int) -> None:
    """Split what falls due over the project's lines."""
    whole = money.due + amount
    money.due = whole
    reached, given = Int(0), Int(0)
    for k in range(money.first, money.end):
        line = state.lines[k]
        reached += line.due
        part = amount - given
        if k + 1 < money.end:
            part = part_of(whole, line.share, reached + given, part)
        given += part
        line.due += part
        line.lacking += part
        state.accounts[line.account].lacking += part
        if line.history != NOBODY:
            state.history[now, line.history] = line.due


@inlined
def _pay_pools(world: World, state: State, paying: int, year_ago: int, loans: int) -> int:
    """Pay equity lines from their pools, or let them ask; then loans, if nothing is shared later.

    Return how many lines of loans must wait for that; they are listed in `State.late`.
    """
    late = 0
    for k in range(paying):
        money, settled = state.money[state.paying[k]], True
        for j in range(money.pool_first, money.pool_end):
            line = state.lines[j]
            if line.lacking == 0 or line.own:
                continue
            amount = _ask(world, state, line, j, line.lacking)
            settled &= state.accounts[line.account].asking == 0
            if amount != 0:
                money.equity_paid += amount
                _book(state, line, money, amount)
        for j in range(money.debt, money.end):
            if state.lines[j].account == loans:
                if settled:
                    _pay_debt(world, state, j, money, year_ago)
                else:
                    state.late[late] = j
                    late += 1
    return late


@inlined
def _pay_debt(world: World, state: State, k: int, money: Record, year_ago: int) -> None:
    """Let a line of debt ask for what is in step with equity, or for nothing if it must wait."""
    line = state.lines[k]
    if line.lacking == 0:
        return
    amount = _in_step(money, line.lacking)
    if amount == 0:
        return
    state.accounts[line.account].asked += amount
    if line.own:
        amount = min(amount, _own_funds(state, line, money.own_share, year_ago))
    else:
        amount = _ask(world, state, line, k, amount)
    if amount != 0:
        money.debt_paid += amount
        _book(state, line, money, amount)


@inlined
def unpaid(money: Record) -> int:
    """Return the arrears of a project."""
    return money.due - money.equity_paid - money.debt_paid


@inlined
def _in_step(money: Record, amount: int) -> int:
    """Return how much of an amount of debt may be paid so that it runs not ahead of equity."""
    equity, paid = Int(money.equity_share), money.debt_paid
    if equity == 0:
        return amount
    room = money.equity_paid * (PPM - equity)
    # Mostly all or nothing: without a division.
    if (paid + amount) * equity <= room:
        return amount
    if (paid + 1) * equity > room:
        return 0
    return quotient(room, equity) - paid


@inlined
def _own_funds(state: State, line: Record, share: int, year_ago: int) -> int:
    """Return what the owner has: a share of what is due, and the rest of a year ago."""
    if share >= PPM:
        return line.lacking
    earlier = Int(0)
    if year_ago != NOBODY:
        earlier = state.history[year_ago, line.history]
    limit = quotient(line.due * share + earlier * (PPM - share), PPM)
    return max(min(line.lacking, limit - (line.due - line.lacking)), 0)


@inlined
def _ask(world: World, state: State, line: Record, k: int, amount: int) -> int:
    """Pay from what nobody else may draw on; let the pool pay the rest, or share it later.

    Return what is paid on the spot.
    """
    account, paid = state.accounts[line.account], Int(0)
    if line.reserved:
        paid = _take_reserved(state, k, account, world.accounts[line.account].bond, amount)
        amount -= paid
        if amount == 0:
            return paid
    if account.dry:
        return paid
    account.wanted += amount
    if account.goes_round:
        return paid + amount
    place = world.accounts[line.account].line_first + account.asking
    state.scratch[0, place], state.scratch[1, place] = k, amount
    account.asking += 1
    return paid


@inlined
def _take_reserved(state: State, k: int, account: Record, bond: bool, asked: int) -> int:
    """Take from what is set aside, then from what is earmarked; return what was taken."""
    aside, marked = state.aside[k], state.marked[k]
    first = min(asked, aside.total)
    if first != 0:
        spend(aside, state.nodes, state.books, bond, state.release_spent, first)
        account.set_aside -= first
    second = min(asked - first, marked.total)
    if second != 0:
        spend(marked, state.nodes, state.books, bond, state.release_spent, second)
        account.balance -= second
    state.lines[k].reserved = aside.total + marked.total != 0
    return first + second


@inlined
def _pay_asked(world: World, state: State, a: int, run: int) -> None:
    """Let the pool pay what was asked of it, all or shared, and say what stays unmet."""
    one, account, pool = world.accounts[a], state.accounts[a], state.pools[a]
    taken = account.wanted
    if account.asking != 0:
        first, count = one.line_first, account.asking
        asking, asked = state.scratch[0, first:], state.scratch[1, first:]
        if taken > pool.total:
            taken = pool.total
            _share_pool(world, state, one.rule, asking, asked, count, taken, run)
        for j in range(count):
            amount = asked[j]
            if amount != 0:
                k = asking[j]
                line, money = state.lines[k], state.money[world.line_project[k]]
                if one.debt:
                    money.debt_paid += amount
                else:
                    money.equity_paid += amount
                _book(state, line, money, amount)
    if taken != 0:
        spend(pool, state.nodes, state.books, one.bond, state.release_spent, taken)
        account.balance -= taken
    if one.own:
        account.released += account.paid
    account.spent += account.paid
    account.lacking -= account.paid
    account.unmet = account.asked - account.paid


@inlined
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
    group, wanted = state.scratch[2], state.scratch[3]
    if rule == AccountRule.FIFO:
        _first_in_first_out(world, state, asking, asked, count, pool, run)
        return
    groups = _TIERS if rule == AccountRule.TIER else 1
    for tier in range(groups):
        wanted[tier] = 0
    for j in range(count):
        group[j] = 0
        if rule == AccountRule.TIER:
            group[j] = world.projects[world.line_project[asking[j]]].tier
        wanted[group[j]] += asked[j]
    last = Int(0)  # the group that gets a part
    while last < groups - 1 and wanted[last] <= pool:
        pool -= wanted[last]
        last += 1
    ratio = quotient(pool * PPM, wanted[last])
    # In proportion, rounded down to ppm; what is left goes by rank.
    left = pool
    for j in range(count):
        if group[j] == last:
            left -= share_of(asked[j], ratio)
    for j in range(count):
        if group[j] > last:
            asked[j] = 0
        elif group[j] == last:
            part = share_of(asked[j], ratio)
            more = min(asked[j] - part, left)
            asked[j] = part + more
            left -= more


@inlined
def _first_in_first_out(
    world: World, state: State, asking: Ints, asked: Ints, count: int, pool: int, run: int
) -> None:
    """Let the oldest claims be paid first; those of one run by rank."""
    oldest, latest = state.scratch[2], Int(0)
    for j in range(count):
        oldest[j] = _oldest_unpaid(world, state, asking[j], run)
        latest = max(latest, oldest[j])
    for due in range(latest + 1):
        for j in range(count):
            if oldest[j] == due:
                asked[j] = min(asked[j], pool)
                pool -= asked[j]


@inlined
def _oldest_unpaid(world: World, state: State, k: int, run: int) -> int:
    """Return the run at which the oldest unpaid claim of a line fell due."""
    line = state.lines[k]
    paid = line.due - line.lacking
    oldest = 0
    while oldest < run and state.history[oldest, line.history] <= paid:
        oldest += 1
    return oldest


@inlined
def _book(state: State, line: Record, money: Record, amount: int) -> None:
    """Book a payment on a line."""
    line.lacking -= amount
    state.accounts[line.account].paid += amount
    if not money.in_target:  # all that accounts have paid is added to the city's sum
        state.running[City.PAID] -= amount
