"""Whole-number arithmetic of kernels: no product leaves 64 bits."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sim.engine.rules import PPM
from sim.jit import compiled


@compiled
def share_of(amount: int, ppm: int) -> int:
    """Return floor(amount x ppm / 10^6)."""
    return amount // PPM * ppm + amount % PPM * ppm // PPM


@compiled
def share_rounded_up(amount: int, ppm: int) -> int:
    """Return ceil(amount x ppm / 10^6)."""
    return amount // PPM * ppm - (-(amount % PPM * ppm)) // PPM


@compiled
def scaled(amount: int, numerator: int, denominator: int) -> int:
    """Return floor(amount x numerator / denominator) for a small numerator."""
    return amount // denominator * numerator + amount % denominator * numerator // denominator


@compiled
def on_curve(knots: NDArray[np.int32], worked: int, whole: int) -> int:
    """Read a curve of equal steps by linear interpolation with floor; ppm."""
    segments = len(knots) - 1
    reach = worked * segments
    step = reach // whole
    if step == segments:
        return np.int64(knots[segments])
    low = np.int64(knots[step])
    return low + (np.int64(knots[step + 1]) - low) * (reach - step * whole) // whole


@compiled
def first_reaching(row: NDArray[np.int32], need: int, low: int, high: int) -> int:
    """Return the first position in [low, high] of a rising row that reaches a need, else high."""
    while low < high:
        middle = (low + high) // 2
        if row[middle] < need:
            low = middle + 1
        else:
            high = middle
    return low


@compiled
def after(workdays: NDArray[np.int64], day: int, count: int) -> int:
    """Return the day on which so many working days after `day` have passed.

    Beyond the horizon every day counts, so that a review that ends there has a length.
    """
    days = len(workdays) - 1
    if day >= days:
        return day + count
    need = workdays[day + 1] + count
    if workdays[days] >= need:
        return first_reaching(workdays, need, min(day + 1 + count, days), days) - 1
    return days - 1 + need - workdays[days]
