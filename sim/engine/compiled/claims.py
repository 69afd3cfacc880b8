"""Measuring and claiming: what owners may ask to be paid, and when it falls due."""

from __future__ import annotations

from sim.engine.compiled.arithmetic import multiple_of, quotient, scaled, share_of
from sim.engine.compiled.records import NOBODY, Record, State, World
from sim.engine.rules import NEVER, PPM
from sim.jit import inlined
from sim.sampling.layout import Drawn


@inlined
def is_adjusted(policy: Record, one: Record, site: Record, total: int, day: int) -> bool:
    """Apply for the adjustment of the estimate once value exceeds it; tell if it is through."""
    if site.applied == NEVER:
        site.applied = day
    wait = policy.adjustment_days_above if total > one.recognised_limit else policy.adjustment_days
    return day >= site.applied + wait


@inlined
def recognised(policy: Record, one: Record, site: Record, total: int, value: int, day: int) -> int:
    """Return the value that counts as done: growth beyond the limit waits for adjustment."""
    if value <= one.approved or is_adjusted(policy, one, site, total, day):
        return value
    return min(value, one.recognised_limit)


@inlined
def fall_due(state: State, p: int, run: int, amount: int) -> None:
    """Note what falls due at a run."""
    if run < state.due.shape[0]:
        state.due[run, p] += amount
        site = state.sites[p]
        site.last_due = max(site.last_due, run)


@inlined
def claim_advance(world: World, state: State, p: int, amount: int, month: int) -> None:
    """Claim the advance at the first month-end after the start."""
    site = state.sites[p]
    if site.advance_claimed or amount == 0:
        return
    site.advance_claimed = True
    site.entitled += amount
    fall_due(state, p, world.advance_run[month], amount)


@inlined
def add_premium(policy: Record, site: Record, added: int, rate: int) -> None:
    """Book what the acceleration of a month cost: a premium on the value that it brought."""
    site.premium += multiple_of(scaled(added, rate - PPM, rate), policy.premium)


@inlined
def _outstanding(one: Record, site: Record, drawn: Record, value: int) -> int:
    """Return the part of the advance that is not yet recovered."""
    if not site.advance_claimed:
        return 0
    reached, total = value * PPM, max(drawn.total, 1)
    if reached >= one.recovery_to * total:
        return 0
    if reached < (one.recovery_from + 1) * total:
        return drawn.advance
    ahead = one.recovery_to - quotient(reached, total)
    return quotient(drawn.advance * ahead, one.recovery_to - one.recovery_from)


@inlined
def claim(
    world: World, drawn: Drawn, state: State, p: int, value: int, month: int, settled: bool
) -> None:
    """Claim what a project is entitled to beyond its earlier claims."""
    one, site, mine = world.projects[p], state.sites[p], drawn.projects[p]
    base = value
    if value > one.approved and not is_adjusted(
        world.policy[0], one, site, mine.total, world.month_ends[month]
    ):
        base = one.approved
    base += site.premium
    whole = share_of(base, PPM - one.retention)
    entitled = whole
    if not settled:
        entitled = _outstanding(one, site, mine, value) + min(share_of(base, one.pay_ratio), whole)
        entitled = min(entitled, mine.total + site.premium)
    more = entitled - site.entitled
    if more > 0:
        site.entitled = entitled
        fall_due(state, p, world.due_run[one.terms, month], more)
    if settled:
        # What was kept back falls due when its period is over.
        if site.settled_at == NOBODY:
            site.settled_at = month
        kept = base - site.entitled - site.retained
        if kept > 0:
            site.retained += kept
            after_period = world.retention_run[one.terms, site.settled_at]
            fall_due(state, p, max(after_period, world.due_run[one.terms, month]), kept)


@inlined
def is_complete(site: Record, total: int) -> bool:
    """Tell whether a delivered project has claimed all that it ever will."""
    return site.entitled + site.retained >= total + site.premium
