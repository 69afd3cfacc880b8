"""Statistics of samples: their range, and apart from it the precision of the estimate.

Every error comes from blocks: replication r belongs to block r modulo `BLOCKS`, and what is
estimated is estimated by each block as well. That holds however the replications were drawn; it
asks only that blocks be alike, not that replications be independent. Up to `BLOCKS` replications
each is a block of its own.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from sim.runs.counting import BLOCKS

PERCENTILES = (5, 10, 20, 50, 80, 90, 95)
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_T975 = (
    12.706204736, 4.302652730, 3.182446305, 2.776445105, 2.570581836, 2.446911851, 2.364624252,
    2.306004135, 2.262157163, 2.228138852, 2.200985160, 2.178812830, 2.160368656, 2.144786688,
    2.131449546, 2.119905299, 2.109815578, 2.100922040, 2.093024054,
)  # fmt: skip
"""Student's t that is exceeded with probability 2.5 %, for 1 to 19 degrees of freedom."""


def block_sizes(count: int) -> Ints:
    """Return how many of the replications 0 to count - 1 each block has."""
    return np.bincount(np.arange(count) % BLOCKS, minlength=BLOCKS).astype(np.int64)


def student(sizes: Ints) -> Floats:
    """Return Student's t for a 95 % interval from blocks of given sizes; NaN below two blocks."""
    filled = np.asarray((sizes > 0).sum(axis=-1))
    table = np.array([math.nan, math.nan, *_T975])
    return np.asarray(table[filled], dtype=np.float64)


def block_error(values: Floats, sizes: Ints, whole: Floats) -> Floats:
    """Return the standard error of what blocks estimate, from how far they lie apart.

    Parameters
    ----------
    values : ndarray of float64, shape (..., BLOCKS)
        What each block estimates; of blocks without size it does not count.
    sizes : ndarray of int64, shape (..., BLOCKS)
        Their weights.
    whole : ndarray of float64, shape (...)
        What all estimate together.

    Returns
    -------
    ndarray of float64, shape (...)
        The standard deviation of equal blocks over the root of their number; NaN below two.
    """
    filled = (sizes > 0).sum(axis=-1)
    weights = sizes / np.maximum(sizes.sum(axis=-1, keepdims=True), 1)
    gaps = np.where(sizes > 0, values - np.asarray(whole)[..., None], 0.0)
    squares = (weights * gaps**2).sum(axis=-1)
    with np.errstate(divide="ignore", invalid="ignore"):
        error = np.sqrt(squares / np.where(filled > 1, filled - 1, math.nan))
    return np.asarray(error, dtype=np.float64)


def one_sided(count: NDArray[np.int64] | int) -> Floats:
    """Return the probability that 95 of 100 samples this large would have shown (rule of three)."""
    counts = np.asarray(count, dtype=np.float64)
    return np.asarray(1.0 - 0.05 ** (1.0 / np.maximum(counts, 1.0)), dtype=np.float64)


def shares(hits: Ints, sizes: Ints) -> tuple[Floats, Floats, Floats]:
    """Return probabilities with their 95 % intervals, from the hits of each block.

    What was never seen, or always, has a one-sided bound.

    Parameters
    ----------
    hits, sizes : ndarray of int64, shape (..., BLOCKS)
        Replications with the event, and all.
    """
    count, total = sizes.sum(axis=-1), hits.sum(axis=-1)
    value = total / np.maximum(count, 1)
    error = block_error(hits / np.maximum(sizes, 1), sizes, value)
    reach = np.where(np.isnan(error), 1.0, student(sizes) * error)
    low, high = np.maximum(value - reach, 0.0), np.minimum(value + reach, 1.0)
    bound = one_sided(count)
    low = np.where(total == 0, 0.0, np.where(total == count, 1.0 - bound, low))
    high = np.where(total == count, 1.0, np.where(total == 0, bound, high))
    return value, low, high


def probability(event: NDArray[np.bool_]) -> dict[str, float]:
    """Return an estimated probability with its 95 % interval; in order of replication."""
    sizes = block_sizes(len(event))
    hits = np.bincount(np.arange(len(event)) % BLOCKS, event, BLOCKS).astype(np.int64)
    value, low, high = shares(hits, sizes)
    return {"value": float(value), "low": float(low), "high": float(high)}


def percentile(sample: Ints, percent: int) -> int:
    """Return the value not exceeded with probability `percent` %.

    The smallest observed value at which the empirical distribution function reaches the
    probability, so that integers stay integers (definition 1 of Hyndman and Fan 1996).
    """
    ordered = np.sort(sample)
    return int(ordered[_rank(percent, len(ordered)) - 1])


def _rank(percent: int, count: int) -> int:
    return max(-(-percent * count // 100), 1)


def ranks(
    share: Floats, at: Floats, error: Floats, t: Floats, count: Ints
) -> tuple[Floats, Floats]:  # fmt: skip
    """Return the ranks between which a percentile lies with 95 % (Woodruff 1952).

    The distribution function at the percentile is uncertain by so much; the interval of the
    percentile is where the function passes the ends of that of the probability. Below 1 and above
    `count` it leaves the sample.

    Parameters
    ----------
    share : ndarray of float64
        The probabilities of the percentiles.
    at, error : ndarray of float64
        The distribution function there, and its standard error.
    t : ndarray of float64
        Student's t.
    count : ndarray of int64
        Replications.
    """
    # Blocks may be equal by luck: never less than to the next value. Where all of every block lies
    # below, blocks do not differ, and the rule of three helps.
    least = np.where(at >= 1.0, one_sided(count), 1.0 / np.maximum(count, 1))
    reach = np.fmax(t * error, least)
    low = np.ceil((share - reach) * count - 1e-9)
    high = np.ceil((share + reach) * count - 1e-9)
    return np.asarray(low), np.asarray(high)


def inside(found: tuple[Floats, Floats], count: Ints) -> tuple[Ints, Ints]:
    """Return ranks as positions from 1 that the sample has."""
    low, high = (np.clip(np.nan_to_num(rank), 1, count).astype(np.int64) for rank in found)
    return low, high


def percentile_ranks(sample: Ints, ordered: Ints, percent: int) -> tuple[Floats, Floats]:
    """Return the ranks between which a percentile of a sample lies; in order of replication.

    Parameters
    ----------
    sample, ordered : ndarray of int64, shape (N,)
        Values by replication, and in order of size.
    percent : int
        Which percentile.
    """
    count = len(sample)
    sizes = block_sizes(count)
    below = sample <= ordered[_rank(percent, count) - 1]
    hits = np.bincount(np.arange(count) % BLOCKS, below, BLOCKS)
    at = np.asarray(below.mean())
    error = block_error(hits / np.maximum(sizes, 1), sizes, at)
    return ranks(np.asarray(percent / 100), at, error, student(sizes), np.asarray(count))


def percentile_errors(sample: Ints, percents: Sequence[int]) -> dict[int, float | None]:
    """Return the standard error of percentiles: their 95 % interval over twice Student's t.

    In order of replication. None for a sample of one.
    """
    count, ordered = len(sample), np.sort(sample)
    if count == 1:
        return dict.fromkeys(percents)
    t = student(block_sizes(count))
    errors: dict[int, float | None] = {}
    for percent in percents:
        low, high = inside(percentile_ranks(sample, ordered, percent), np.asarray(count))
        errors[percent] = float((ordered[int(high) - 1] - ordered[int(low) - 1]) / (2 * t))
    return errors


def moments(sample: Ints) -> tuple[float, float]:
    """Return the mean and the standard deviation, from exact sums of values and squares.

    The standard deviation divides by n - 1; a sample of one has none.
    """
    values = sample.tolist()
    count, total = len(values), sum(values)
    if count == 1:
        return total / count, math.nan
    squares = sum(value * value for value in values)
    return total / count, math.sqrt((count * squares - total * total) / (count * (count - 1)))


def mean_error(sample: NDArray[np.int64] | Floats) -> float | None:
    """Return the standard error of a mean, from blocks; in order of replication."""
    count = len(sample)
    sizes = block_sizes(count)
    # Differences from the first value are exact where values are whole; then rounding is small.
    gaps = (sample - sample[0]).astype(np.float64)
    sums = np.bincount(np.arange(count) % BLOCKS, gaps, BLOCKS)
    error = float(block_error(sums / np.maximum(sizes, 1), sizes, np.asarray(sums.sum() / count)))
    return None if math.isnan(error) else error


def describe(sample: Ints, percents: Sequence[int] = PERCENTILES) -> dict[str, float | int | None]:
    """Return mean, sd and percentiles, each but the sd with its error; None where there is none."""
    mean, sd = moments(sample)
    result: dict[str, float | int | None] = {
        "mean": mean,
        "mean_se": mean_error(sample),
        "sd": None if math.isnan(sd) else sd,
    }
    for percent, error in percentile_errors(sample, percents).items():
        result |= {f"p{percent}": percentile(sample, percent), f"p{percent}_se": error}
    return result


def tail_mean(sample: Ints, share: float = 0.05) -> tuple[float, float | None]:
    """Return the mean of the largest `share` of a sample (CVaR), and its standard error.

    The value at the edge of the tail counts with the part of it that belongs to the tail
    (Rockafellar and Uryasev 2002): the mean is the edge and what exceeds it over the share.
    """
    ordered = np.sort(sample)[::-1].tolist()
    weight = share * len(ordered)
    whole = int(weight)
    total = float(sum(ordered[:whole]))
    if whole < len(ordered):
        total += (weight - whole) * ordered[whole]
    edge = ordered[min(whole, len(ordered) - 1)]
    error = mean_error(np.maximum(sample - edge, 0))
    return total / weight, None if error is None else error / share


def against_target(sample: Ints, target: int) -> dict[str, object]:
    """Describe a year-end amount and its risk of falling short of the target."""
    shortfall = np.maximum(target - sample, 0)
    worst, error = tail_mean(shortfall)
    return describe(sample) | {
        "probability_target_met": probability(sample >= target),
        "expected_shortfall": moments(shortfall)[0],
        "expected_shortfall_se": mean_error(shortfall),
        "cvar95_shortfall": worst,
        "cvar95_shortfall_se": error,
    }
