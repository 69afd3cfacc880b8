"""Whole-number arithmetic of kernels.

Amounts are never negative, and small enough that their product with a million fits 64 bits: so one
unsigned division does, where a signed one would look at signs. A replication in which a project's
cost with its premiums, or what an account has had, is larger is refused when it is kept.
"""

from __future__ import annotations

import numpy as np

from sim.engine.compiled.records import Int, Ints, Ints32, Record
from sim.engine.rules import PPM
from sim.jit import inlined


@inlined
def quotient(amount: int, divisor: int) -> int:
    """Return floor(amount / divisor); neither is negative."""
    return Int(np.uint64(amount) // np.uint64(divisor))


@inlined
def share_of(amount: int, ppm: int) -> int:
    """Return floor(amount x ppm / 10^6), for at most 10^6 ppm."""
    return quotient(amount * ppm, PPM)


@inlined
def share_rounded_up(amount: int, ppm: int) -> int:
    """Return ceil(amount x ppm / 10^6), for at most 10^6 ppm."""
    return quotient(amount * ppm + PPM - 1, PPM)


@inlined
def multiple_of(amount: int, ppm: int) -> int:
    """Return floor(amount x ppm / 10^6) for any number of ppm."""
    whole = quotient(amount, PPM)
    return whole * ppm + quotient((amount - whole * PPM) * ppm, PPM)


@inlined
def scaled(amount: int, numerator: int, denominator: int) -> int:
    """Return floor(amount x numerator / denominator) for a small numerator."""
    whole = quotient(amount, denominator)
    return whole * numerator + quotient((amount - whole * denominator) * numerator, denominator)


@inlined
def on_curve(knots: Ints32, site: Record, behind: int, worked: int, whole: int) -> int:
    """Read a curve of equal steps by linear interpolation with floor; ppm.

    Work goes forward only, so the step of the last reading is a good one to begin from: it stands
    in the site, `behind` those of the curve before, and is walked on, not divided out anew.
    """
    segments = len(knots) - 1
    reach = worked * segments
    step = max(site.step - behind, 0)
    while reach >= (step + 1) * whole:
        step += 1
    site.step = behind + step
    if step == segments:
        return Int(knots[segments])
    low = Int(knots[step])
    return low + quotient((Int(knots[step + 1]) - low) * (reach - step * whole), whole)


@inlined
def first_reaching(row: Ints32, need: int, low: int, high: int) -> int:
    """Return the first position in [low, high] of a rising row that reaches a need, else high."""
    while low < high:
        middle = (low + high) // 2
        if row[middle] < need:
            low = middle + 1
        else:
            high = middle
    return low


@inlined
def after(workdays: Ints, reached: Ints32, day: int, count: int) -> int:
    """Return the day on which so many working days after `day` have passed.

    `reached` is `workdays` turned around. Beyond the horizon every day counts, so that a review
    that ends there has a length.
    """
    days = len(workdays) - 1
    if day >= days:
        return day + count
    need = workdays[day + 1] + count
    if workdays[days] >= need:
        return Int(reached[need]) - 1
    return days - 1 + need - workdays[days]
