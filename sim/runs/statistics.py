"""Statistics of outcomes: their range, and apart from it the precision of the estimate."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

PERCENTILES = (5, 10, 20, 50, 80, 90, 95)
_Z95 = 1.959963984540054

Blocks = NDArray[np.int64] | None
"""Number of the block of each outcome; None where all are independent."""


def percentile(sample: NDArray[np.int64], percent: int) -> int:
    """Return the value not exceeded with probability `percent` %.

    The smallest observed value at which the empirical distribution function reaches the
    probability, so that integers stay integers (definition 1 of Hyndman and Fan 1996).
    """
    ordered = np.sort(sample)
    return int(ordered[max(-(-percent * len(ordered) // 100) - 1, 0)])


def moments(
    sample: NDArray[np.int64], blocks: Blocks = None
) -> tuple[float, float, float]:  # fmt: skip
    """Return mean, its standard error and the standard deviation, from exact integer sums.

    The standard deviation divides by n - 1; a sample of one has neither it nor an error.

    Parameters
    ----------
    sample : ndarray of int64, shape (N,)
        Outcomes.
    blocks : ndarray of int64, shape (N,), or None
        The block of each, where outcomes depend on each other inside blocks, and blocks do not:
        the error then comes from the means of blocks, weighted by their sizes.
    """
    values = sample.tolist()
    count, total = len(values), sum(values)
    mean = total / count
    if count == 1:
        return mean, math.nan, math.nan
    squares = sum(value * value for value in values)
    sd = math.sqrt((count * squares - total * total) / (count * (count - 1)))
    if blocks is None:
        return mean, sd / math.sqrt(count), sd
    sums: dict[int, tuple[int, int]] = {}
    for value, block in zip(values, blocks.tolist(), strict=True):
        size, held = sums.get(block, (0, 0))
        sums[block] = size + 1, held + value
    if len(sums) == 1:
        return mean, math.nan, sd
    off = sum((count * held - size * total) ** 2 for size, held in sums.values())
    variance = off * len(sums) / ((len(sums) - 1) * count**4)
    return mean, math.sqrt(variance), sd


def spread(sample: NDArray[np.int64]) -> tuple[NDArray[np.int64], ...]:
    """Return mean (to the nearest integer), P10, P50 and P90 along the first axis, as integers.

    The same definitions as `moments` and `percentile`, for many samples at once. The mean is
    exact before it is rounded: no sum of a whole sample is formed that could overflow.
    """
    ordered = np.sort(sample, axis=0)
    count = len(ordered)
    wholes, rests = (ordered // count).sum(axis=0), (ordered % count).sum(axis=0)
    mean = wholes + (2 * rests + count) // (2 * count)
    at = [max(-(-percent * count // 100) - 1, 0) for percent in (10, 50, 90)]
    return (mean, *(ordered[position] for position in at))


def describe(
    sample: NDArray[np.int64], blocks: Blocks = None, percents: Sequence[int] = PERCENTILES
) -> dict[str, float | int | None]:
    """Return mean, mean_se, sd and percentiles; None where a sample of one has no answer."""
    mean, error, sd = moments(sample, blocks)
    result: dict[str, float | int | None] = {
        "mean": mean,
        "mean_se": None if math.isnan(error) else error,
        "sd": None if math.isnan(sd) else sd,
    }
    return result | {f"p{percent}": percentile(sample, percent) for percent in percents}


def probability(hits: NDArray[np.bool_], blocks: Blocks = None) -> dict[str, float]:
    """Return an estimated probability with its 95 % Wilson interval (Wilson 1927).

    Where outcomes come in blocks, the interval is that of so many independent ones as would give
    the variance found between blocks, with the quantile of Student's distribution (Korn and
    Graubard 1998); that of the replications themselves where blocks do not differ.

    Parameters
    ----------
    hits : ndarray of bool, shape (N,)
        Where it happened.
    blocks : ndarray of int64, shape (N,), or None
        As for `moments`.
    """
    share = int(hits.sum()) / len(hits)
    count = float(len(hits))
    independent = 0 if blocks is None else len(np.unique(blocks))
    if blocks is not None and 1 < independent < len(hits):
        _, error, _ = moments(hits.astype(np.int64), blocks)
        if error > 0:
            count = share * (1 - share) / error**2 * (_Z95 / _t95(independent - 1)) ** 2
    z2 = _Z95**2
    centre = (share + z2 / (2 * count)) / (1 + z2 / count)
    half = _Z95 / (1 + z2 / count) * math.sqrt(share * (1 - share) / count + z2 / (4 * count**2))
    low, high = max(centre - half, 0.0), min(centre + half, 1.0)
    return {
        "value": share,
        "low": 0.0 if share == 0 else low,
        "high": 1.0 if share == 1 else high,
    }


def _t95(freedom: int) -> float:
    """Return the quantile of Student's distribution for a 95 % interval."""
    from scipy import special

    return float(special.stdtrit(freedom, 0.975))


def tail_mean(sample: NDArray[np.int64], share: float = 0.05) -> float:
    """Return the mean of the largest `share` of a sample (CVaR).

    The value at the edge of the tail counts with the part of it that belongs to the tail
    (Rockafellar and Uryasev 2002).
    """
    ordered = np.sort(sample)[::-1].tolist()
    weight = share * len(ordered)
    whole = int(weight)
    total = float(sum(ordered[:whole]))
    if whole < len(ordered):
        total += (weight - whole) * ordered[whole]
    return total / weight


def against_target(
    sample: NDArray[np.int64], target: int, blocks: Blocks = None
) -> dict[str, object]:  # fmt: skip
    """Describe a year-end amount and its risk of falling short of the target."""
    shortfall = np.maximum(target - sample, 0)
    return describe(sample, blocks) | {
        "probability_target_met": probability(sample >= target, blocks),
        "expected_shortfall": moments(shortfall)[0],
        "cvar95_shortfall": tail_mean(shortfall),
    }
