"""How the pool of an account is shared among those who ask: whole yuan, nobody above his asking."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from sim.engine.rules import PPM
from sim.sampling.realization import AccountRule


@dataclass(frozen=True, slots=True)
class Request:
    """What one funding line asks of the pool.

    Attributes
    ----------
    amount : int
        Yuan asked for.
    tier : int
        Place of the project's tier.
    oldest : int
        Run at which the oldest unpaid claim fell due.
    """

    amount: int
    tier: int
    oldest: int


def share_pool(requests: Sequence[Request], pool: int, rule: int) -> list[int]:
    """Share a pool among requests.

    Parameters
    ----------
    requests : sequence of Request
        In order of rank.
    pool : int
        Yuan to share.
    rule : AccountRule
        By tier and pro rata inside it; all pro rata; or by the oldest claim.

    Returns
    -------
    list of int
        Yuan for each request: their sum is the smaller of the pool and of what is asked.
    """
    if sum(one.amount for one in requests) <= pool:
        return [one.amount for one in requests]
    given = [0] * len(requests)
    order = sorted(range(len(requests)), key=lambda k: (_place(requests[k], rule), k))
    for _, group in groupby(order, key=lambda k: _place(requests[k], rule)):
        members = list(group)
        if rule == AccountRule.FIFO:
            parts = _in_turn([requests[k].amount for k in members], pool)
        else:
            parts = pro_rata([requests[k].amount for k in members], pool)
        for k, part in zip(members, parts, strict=True):
            given[k] = part
            pool -= part
    return given


def _place(one: Request, rule: int) -> int:
    if rule == AccountRule.TIER:
        return one.tier
    return one.oldest if rule == AccountRule.FIFO else 0


def _in_turn(amounts: Sequence[int], pool: int) -> list[int]:
    """Pay each in full as far as the pool goes."""
    parts = []
    for amount in amounts:
        parts.append(min(amount, pool))
        pool -= parts[-1]
    return parts


def pro_rata(amounts: Sequence[int], pool: int) -> list[int]:
    """Share in proportion, rounded down to ppm; what is left goes by rank."""
    total = sum(amounts)
    if total <= pool:
        return list(amounts)
    ratio = pool * PPM // total
    parts = [amount * ratio // PPM for amount in amounts]
    left = pool - sum(parts)
    for k, amount in enumerate(amounts):
        more = min(amount - parts[k], left)
        parts[k] += more
        left -= more
    return parts
