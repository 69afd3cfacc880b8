"""Arithmetic of jointly normal items: sums, joint confidence, and what is left when some are known.

Textbook results on the multivariate normal distribution. They serve as a check on simulation, and
to bring a forecast up to date when part of it has come true.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]


def sd_of_sum(count: int, sd: float, correlation: float) -> float:
    """Return the standard deviation of a sum of equal items with a common correlation.

    Parameters
    ----------
    count : int
        Number of items.
    sd : float
        Standard deviation of each.
    correlation : float
        Between any two; at least -1 / (count - 1).
    """
    variance = count * (1 + (count - 1) * correlation)
    if variance < 0:
        raise ValueError(f"{count} items cannot all have a correlation of {correlation}")
    return sd * math.sqrt(variance)


def spread_missed(count: int, correlation: float) -> float:
    """Return the share of a sum's standard deviation that is missed by ignoring correlation."""
    return 1 - sd_of_sum(count, 1.0, 0.0) / sd_of_sum(count, 1.0, correlation)


def joint_level(level: float, correlation: float) -> float:
    """Return how likely two normal quantities both keep their own percentile.

    Parameters
    ----------
    level : float
        Probability of each alone, between 0 and 1.
    correlation : float
        Between the two, above -1 and below 1.
    """
    from scipy import stats

    at = stats.norm.ppf(level)
    law = stats.multivariate_normal([0.0, 0.0], [[1.0, correlation], [correlation, 1.0]])
    return float(law.cdf([at, at]))


def own_level(joint: float, correlation: float) -> float:
    """Return the percentile that each of two normal quantities needs to keep both so surely.

    Parameters
    ----------
    joint : float
        Probability that both are kept, between 0 and 1.
    correlation : float
        As for `joint_level`.
    """
    from scipy import optimize

    def excess(level: float) -> float:
        return joint_level(level, correlation) - joint

    return float(optimize.brentq(excess, joint, 1 - 1e-12, xtol=1e-10))


@dataclass(frozen=True, slots=True)
class Updated:
    """A sum of jointly normal items after some of them have come true.

    Attributes
    ----------
    means : ndarray of float64, shape (R,)
        Means of the remaining items.
    covariance : ndarray of float64, shape (R, R)
        Theirs.
    known : float
        Sum of what has come true.
    """

    means: Floats
    covariance: Floats
    known: float

    @property
    def mean(self) -> float:
        """Mean of the sum of all items."""
        return self.known + float(self.means.sum())

    @property
    def sd(self) -> float:
        """Standard deviation of the sum of all items."""
        return math.sqrt(float(self.covariance.sum()))

    def reaches(self, amount: float) -> float:
        """Return the probability that the sum of all items is at least so much."""
        from scipy import stats

        return float(stats.norm.sf(amount, self.mean, self.sd))

    def percentile(self, probability: float) -> float:
        """Return the sum that is not exceeded with a probability."""
        from scipy import stats

        return float(stats.norm.ppf(probability, self.mean, self.sd))


def update(means: ArrayLike, covariance: ArrayLike, observed: ArrayLike) -> Updated:
    """Bring a forecast of jointly normal items up to date (conditional normal distribution).

    Parameters
    ----------
    means : array_like of float, shape (N,)
        Forecast of each item.
    covariance : array_like of float, shape (N, N)
        Symmetric and positive definite.
    observed : array_like of float, shape (K,)
        What the first K items came to; K may be 0.

    Raises
    ------
    ValueError
        If shapes do not fit, or what was observed has no spread in the forecast.
    """
    mean, spread = np.asarray(means, dtype=np.float64), np.asarray(covariance, dtype=np.float64)
    seen = np.asarray(observed, dtype=np.float64)
    count = len(seen)
    if spread.shape != (len(mean), len(mean)) or count > len(mean):
        raise ValueError("means, covariance and what was observed do not fit together")
    within, across = spread[:count, :count], spread[count:, :count]
    try:
        gain = np.linalg.solve(within, across.T).T
    except np.linalg.LinAlgError as error:
        raise ValueError("what was observed has no spread in the forecast") from error
    return Updated(
        means=mean[count:] + gain @ (seen - mean[:count]),
        covariance=spread[count:, count:] - gain @ across.T,
        known=float(seen.sum()),
    )
