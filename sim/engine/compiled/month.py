"""Month-ends: measuring, next month's rates, and what is written down."""

from __future__ import annotations

from sim.engine.compiled.approvals import prework
from sim.engine.compiled.arithmetic import multiple_of, quotient, share_of
from sim.engine.compiled.claims import add_premium, claim, claim_advance, is_complete, recognised
from sim.engine.compiled.construction import (
    look_up,
    plan_milestone,
    progress,
    settle,
    value_of,
    worked,
)
from sim.engine.compiled.payments import unpaid
from sim.engine.compiled.records import NOBODY, Book, City, Int, Record, Stage, State, World
from sim.engine.compiled.treasury import close_year, record
from sim.engine.rules import NEVER, PPM
from sim.jit import inlined, inner
from sim.sampling.layout import Drawn, Still


@inner
def measure_all(world: World, still: Still, drawn: Drawn, state: State, month: int) -> None:
    """Measure all projects, and leave those that have claimed all that they ever will."""
    day = world.month_ends[month]
    look_up(drawn, state, 0, day)
    kept = 0
    for k in range(state.books[Book.MEASURING]):
        p = state.measuring[k]
        site = state.sites[p]
        if site.over:
            continue
        if _stands_still(world, site, month, day):
            state.measuring[kept] = p
            kept += 1
            continue
        _measure(world, still, drawn, state, p, month, day)
        if not (site.delivered < day and is_complete(site, drawn.projects[p].total)):
            state.measuring[kept] = p
            kept += 1
    state.books[Book.MEASURING] = kept
    for k in range(world.watch_first[month], world.watch_first[month + 1]):
        state.watch[k] = _progress(drawn, state, world.watched[k])


@inlined
def _stands_still(world: World, site: Record, month: int, day: int) -> bool:
    """Tell whether measuring would change nothing: it was measured once since it was delivered.

    What the plan leaves over is booked after the plan year, and growth that waits for adjustment
    when that is through.
    """
    before = world.month_ends[month - 1] if month > 0 else Int(NOBODY)
    return site.delivered < before and day <= world.policy[0].year_end and site.applied == NEVER


@inlined
def _progress(drawn: Drawn, state: State, p: int) -> int:
    """Return the share of the work left at day 0 that was done when last measured, ppm."""
    site = state.sites[p]
    return 0 if site.worked == NOBODY else progress(site.worked, drawn.projects[p].work)


@inlined
def _measure(
    world: World, still: Still, drawn: Drawn, state: State, p: int, month: int, day: int
) -> None:
    """Measure the value of work, report it, and claim what is due on it."""
    one, site = world.projects[p], state.sites[p]
    started = site.start != NEVER
    if not started and one.prework_weight == 0:
        return
    mine, policy, before = drawn.projects[p], world.policy[0], site.value
    if started:
        until = min(day, site.dropped)
        available = state.available[0, one.calendar]
        if until < day:  # given up in the month
            available = Int(drawn.calendar[one.calendar, until + 1])
        amount = worked(site, available, mine.work, until)
        settled = site.delivered < day and day > policy.year_end
        seen = value_of(world.knots[p], mine, site, one.done, amount, settled)
        site.worked = amount
    else:
        share = prework(world, still, drawn, state, p, min(day, site.dropped))
        seen = one.done + share_of(mine.year_end_value - one.done, share)
    value = max(before, recognised(policy, one, site, mine.total, seen, day))
    overstated = multiple_of(value - one.done, PPM + mine.overstatement)
    reported = min(one.done + overstated, mine.total)
    if one.in_target:
        state.running[City.WORK_DONE] += value - before
        state.running[City.REPORTED] += reported - site.reported
        state.running[City.PARTS + one.part] += reported - site.reported
    site.value, site.reported = value, reported
    if started:
        if site.dropped == NEVER:
            claim_advance(world, state, p, mine.advance, month)
        in_work = month == 0 or site.finish > world.month_ends[month - 1]
        if site.rate > PPM and in_work:
            add_premium(policy, site, value - before, site.rate)
    claim(world, drawn, state, p, value, month, site.delivered < day)


@inner
def close(world: World, drawn: Drawn, state: State, month: int) -> None:
    """Close the year, set next month's rates, write the month down."""
    day, policy = world.month_ends[month], world.policy[0]
    if state.books[Book.OVER] != 0:
        _write_down(world, drawn, state, month)
        return
    rates_change = policy.money_limited or policy.rates_change
    goes_on = month + 1 < policy.months
    if rates_change and goes_on:
        opens = world.month_ends[month + 1]
        state.books[Book.KNOWN_UNTIL] = max(state.books[Book.KNOWN_UNTIL], opens)
        look_up(drawn, state, 1, state.books[Book.KNOWN_UNTIL])
    if world.year_closes[month] and policy.money_limited:
        close_year(world, state)
    if rates_change:
        for k in range(state.books[Book.MEASURING]):
            p = state.measuring[k]
            one, site = world.projects[p], state.sites[p]
            if site.stage == Stage.BUILDING:
                settle(site, state.available[0, one.calendar], day)
                site.rate = _next_rate(world, drawn, state, p, month)
                if goes_on:
                    plan_milestone(world, drawn, state, p)
    if day > policy.year_end:  # until then none is over
        _leave_out_those_over(world, drawn, state, month, day)
    record(world, state, month)
    for w in range(len(world.places)):
        state.windows[0, w, month] = state.queue_ends[w, 2]
    if month == policy.year_end_month:
        for p in range(len(world.projects)):
            site, money, told = state.sites[p], state.money[p], state.told[p]
            told.year_value, told.year_reported = site.value, site.reported
            told.year_paid, told.year_arrears = money.equity_paid + money.debt_paid, unpaid(money)
    _write_down(world, drawn, state, month)
    if state.books[Book.ACTIVE] == 0 and not policy.money_limited:
        state.books[Book.OVER] = 1


@inlined
def _leave_out_those_over(world: World, drawn: Drawn, state: State, month: int, day: int) -> None:
    """Leave projects out that nothing can change any more."""
    kept = 0
    for k in range(state.books[Book.ACTIVE]):
        p = state.active[k]
        if unpaid(state.money[p]) == 0:
            site = state.sites[p]
            total = drawn.projects[p].total
            site.over = _is_over(world.projects[p], site, total, month, day)
            if site.over:
                continue
        state.active[kept] = p
        kept += 1
    state.books[Book.ACTIVE] = kept


@inner
def _write_down(world: World, drawn: Drawn, state: State, month: int) -> None:
    """Write down sums, and every project where that is asked for."""
    for row in range(len(state.running)):
        state.city[row, month] = state.running[row]
    if state.tables.shape[1] == 0:
        return
    for p in range(len(world.projects)):
        one, site, money = world.projects[p], state.sites[p], state.money[p]
        claimed = site.entitled - share_of(one.done, one.pay_ratio) + site.retained
        state.tables[0, p, month] = site.value
        state.tables[1, p, month] = site.reported
        state.tables[2, p, month] = money.equity_paid + money.debt_paid
        state.tables[3, p, month] = unpaid(money)
        state.tables[4, p, month] = world.filed[p].opening + claimed
        state.tables[5, p, month] = _progress(drawn, state, p)


@inlined
def _next_rate(world: World, drawn: Drawn, state: State, p: int, month: int) -> int:
    """Return the work rate of the next month: arrears slow, owners behind accelerate."""
    one, site = world.projects[p], state.sites[p]
    arrears = unpaid(state.money[p])
    if arrears != 0:
        # Arrears may be filed before any value is.
        base = max(max(site.value, site.entitled + site.retained), 1)
        tolerated = multiple_of(base, one.tolerance)
        if arrears > tolerated:
            return max(PPM - quotient((arrears - tolerated) * PPM, base), one.slow_rate)
    if world.accelerates[month] and site.value < world.filed_value[month, p]:
        left = world.left_to_year_end[one.calendar, month]
        needed = Int(PPM)
        if left != 0:
            gap = max(drawn.projects[p].first_work * PPM - site.effective, 0)
            needed = -((-gap) // left)
        return max(PPM, min(needed, one.fast_rate))
    return PPM


@inlined
def _is_over(one: Record, site: Record, total: int, month: int, day: int) -> bool:
    """Tell whether nothing can change any more of a project without arrears."""
    if site.dropped == NEVER and not (
        site.delivered < day and (one.finished or is_complete(site, total))
    ):
        return False
    return site.last_due <= month
