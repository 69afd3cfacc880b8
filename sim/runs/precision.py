"""When a run is precise enough: looked at after fixed numbers of replications only.

Stopping as soon as an interval happens to be narrow would favour lucky moments. The moments are
therefore fixed, few and far apart, and the error is that between 20 blocks: replication r belongs
to block r % 20. What happens inside a block is left to how replications are drawn.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from sim.engine.rules import NEVER
from sim.plan.precision import PROBABILITY, Precision
from sim.runs.counting import BLOCKS
from sim.runs.samples import Samples
from sim.runs.statistics import (
    block_sizes,
    mean_error,
    percentile,
    percentile_ranks,
    probability,
    student,
)

Ints = NDArray[np.int64]

FIRST = 320
"""Replications at the first look: 16 in each block. Every further look comes after as many again
as have been."""
_COLUMNS = {
    name: f"{name}_yuan" for name in ("work_done", "reported", "paid", "arrears", "final_cost")
}
"""Columns of the samples that are not called by the name of the measure."""


@dataclass(frozen=True, slots=True)
class Reached:
    """How precise a run has become.

    Attributes
    ----------
    asked : Precision
        What was asked for.
    estimate, half_width : float
        Of the measure; infinite where the sample does not tell.
    wanted : float
        The half-width asked for, in the measure's own unit.
    """

    asked: Precision
    estimate: float
    half_width: float
    wanted: float

    @property
    def enough(self) -> bool:
        """Whether the estimate is as precise as was asked for."""
        return math.isfinite(self.half_width) and self.half_width <= self.wanted


def stages(count: int, precision: Precision | None) -> list[range]:
    """Return the replications between one look and the next; all at once where nobody looks."""
    ends = [0]
    while precision is not None and (following := max(FIRST, 2 * ends[-1])) < count:
        ends.append(following)
    ends.append(count)
    return [range(first, last) for first, last in pairwise(ends)]


def reached(values: Ints, precision: Precision, target: int) -> Reached:
    """Return how precise the estimate from a sample is.

    Parameters
    ----------
    values : ndarray of int64, shape (N,)
        By number of replication, from 0.
    precision : Precision
        What is asked for.
    target : int
        Yuan that the plan aims at.
    """
    if precision.statistic == PROBABILITY:
        values = (values >= target).astype(np.int64)
    estimate, half = half_width(values, precision.statistic)
    return Reached(precision, estimate, half, precision.wanted(estimate))


def half_width(values: Ints, statistic: str) -> tuple[float, float]:
    """Return an estimate and the half-width of its 95 % interval, as `statistics` has them.

    Parameters
    ----------
    values : ndarray of int64, shape (N,)
        By number of replication, from 0; `NEVER` where it lies beyond the horizon. Noughts and
        ones for a probability.
    statistic : str
        ``mean``, ``pN`` or ``probability_target_met``.

    Returns
    -------
    tuple of float
        Infinite where fewer than two replications fall into each block, or where what is asked
        lies beyond the horizon or at the edge of the sample.
    """
    few = len(values) < 2 * BLOCKS
    if statistic.startswith("p") and statistic != PROBABILITY:
        return _of_percentile(values, int(statistic[1:]), few)
    if (values == NEVER).any():
        return math.inf, math.inf
    estimate = sum(values.tolist()) / len(values)
    if few:
        return estimate, math.inf
    if statistic == PROBABILITY and estimate in (0.0, 1.0):  # blocks do not differ: one-sided
        interval = probability(values == 1)
        return estimate, (interval["high"] - interval["low"]) / 2
    error = mean_error(values)
    assert error is not None
    return estimate, float(student(block_sizes(len(values)))) * error


def _of_percentile(values: Ints, percent: int, few: bool) -> tuple[float, float]:
    ordered = np.sort(values)
    estimate = percentile(values, percent)
    if estimate == NEVER:
        return math.inf, math.inf
    low, high = (float(rank) for rank in percentile_ranks(values, ordered, percent))
    if few or low < 1 or high > len(values):
        return estimate, math.inf
    bottom, top = int(ordered[int(low) - 1]), int(ordered[int(high) - 1])
    return estimate, math.inf if top == NEVER else (top - bottom) / 2


def sample_of(samples: Samples, value: str) -> Ints:
    """Return what is measured of each replication, from the samples."""
    return np.asarray(samples[_COLUMNS.get(value, value)], dtype=np.int64)
