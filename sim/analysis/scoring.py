"""Scores of forecasts against what came true: the smaller the better, nought for a clairvoyant.

Brier (1950), "Verification of forecasts expressed in terms of probability", Monthly Weather
Review 78. Murphy (1973), "A new vector partition of the probability score", Journal of Applied
Meteorology 12. Gneiting and Raftery (2007), "Strictly proper scoring rules, prediction, and
estimation", Journal of the American Statistical Association 102. Ferro (2014), "Fair scores for
ensemble forecasts", Quarterly Journal of the Royal Meteorological Society 140.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Brier:
    """Brier score and its parts: score = reliability - resolution + uncertainty.

    Attributes
    ----------
    score : float
        Mean squared gap between probability and outcome.
    reliability : float
        How far forecasts lie from the shares that came true after them; 0 is best.
    resolution : float
        How far these shares lie from the overall share; more is better.
    uncertainty : float
        Variance of the outcomes, whatever was forecast.
    """

    score: float
    reliability: float
    resolution: float
    uncertainty: float


def brier(probabilities: ArrayLike, outcomes: ArrayLike) -> Brier:
    """Score forecasts of probabilities; parts by distinct forecasts (Brier 1950, Murphy 1973).

    Parameters
    ----------
    probabilities : array_like of float, shape (N,)
        What was forecast, between 0 and 1. Forecasts of the same value form a group.
    outcomes : array_like of bool, shape (N,)
        Whether it came true.

    Raises
    ------
    ValueError
        If there is no forecast, shapes differ, a probability lies outside [0, 1] or an outcome
        is neither 0 nor 1.
    """
    given, came = _pairs(probabilities, outcomes)
    if ((given < 0) | (given > 1)).any():
        raise ValueError("probabilities must lie in [0, 1]")
    if not np.isin(came, (0.0, 1.0)).all():
        raise ValueError("outcomes must be true or false")
    values, group, counts = np.unique(given, return_inverse=True, return_counts=True)
    weights = counts / len(given)
    shares = np.bincount(group, came) / counts
    overall = came.mean()
    return Brier(
        score=float(((given - came) ** 2).mean()),
        reliability=float((weights * (values - shares) ** 2).sum()),
        resolution=float((weights * (shares - overall) ** 2).sum()),
        uncertainty=float(overall * (1 - overall)),
    )


def crps_normal(mean: ArrayLike, sd: ArrayLike, observed: ArrayLike) -> Floats:
    """Continuous ranked probability score of normal forecasts (Gneiting and Raftery 2007, 4.2).

    Parameters
    ----------
    mean, sd, observed : array_like of float
        Forecast and what came true, of shapes that broadcast; `sd` above 0.

    Returns
    -------
    ndarray of float64
        In the unit of what is observed.
    """
    from scipy import special

    spread = np.asarray(sd, dtype=np.float64)
    if not (spread > 0).all():
        raise ValueError("standard deviations must be above 0")
    centre, seen = np.asarray(mean, dtype=np.float64), np.asarray(observed, dtype=np.float64)
    z = (seen - centre) / spread
    density = np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi)
    score = spread * (z * (2 * special.ndtr(z) - 1) + 2 * density - 1 / np.sqrt(np.pi))
    return np.asarray(score, dtype=np.float64)


def crps_ensemble(members: ArrayLike, observed: float, fair: bool = False) -> float:
    """Continuous ranked probability score of a sample (Gneiting and Raftery 2007, formula 21).

    E|X - y| - E|X - X'| / 2, both over the sample.

    Parameters
    ----------
    members : array_like of float, shape (M,)
        The sample that is the forecast.
    observed : float
        What came true.
    fair : bool
        Count a member's distance from the other members only, so that the score does not depend
        on the size of the sample on average (Ferro 2014). Needs two members.
    """
    sample = np.sort(np.asarray(members, dtype=np.float64).ravel())
    count = len(sample)
    if count < 1 + fair:
        raise ValueError(f"an ensemble needs {1 + fair} members or more, got {count}")
    # Of ordered members the k-th (from 0) stands above k others and below count - 1 - k.
    apart = 2 * float((sample * (2 * np.arange(count) - count + 1)).sum())
    pairs = count * (count - fair)
    return float(np.abs(sample - observed).mean()) - apart / (2 * pairs)


def interval_score(low: ArrayLike, high: ArrayLike, level: float, observed: ArrayLike) -> Floats:
    """Score central intervals: width, and what lies outside, dearly (Gneiting and Raftery, 6.2).

    Parameters
    ----------
    low, high : array_like of float
        Ends of the intervals, that is percentiles (1 - level) / 2 and (1 + level) / 2.
    level : float
        Probability that the interval is to hold, between 0 and 1.
    observed : array_like of float
        What came true.
    """
    if not 0 < level < 1:
        raise ValueError(f"the level must lie between 0 and 1, got {level}")
    below, above = np.asarray(low, dtype=np.float64), np.asarray(high, dtype=np.float64)
    if (above < below).any():
        raise ValueError("an interval must not end before it begins")
    seen = np.asarray(observed, dtype=np.float64)
    outside = np.maximum(below - seen, 0) + np.maximum(seen - above, 0)
    return np.asarray(above - below + 2 / (1 - level) * outside)


def pinball_loss(forecast: ArrayLike, probability: float, observed: ArrayLike) -> Floats:
    """Score forecasts of a percentile (quantile loss; Gneiting and Raftery 2007, 6.1).

    Parameters
    ----------
    forecast : array_like of float
        The value that is not to be exceeded with `probability`.
    probability : float
        Between 0 and 1.
    observed : array_like of float
        What came true.
    """
    if not 0 < probability < 1:
        raise ValueError(f"the probability must lie between 0 and 1, got {probability}")
    gap = np.asarray(observed, dtype=np.float64) - np.asarray(forecast, dtype=np.float64)
    return np.asarray(np.maximum(probability * gap, (probability - 1) * gap))


def coverage(low: ArrayLike, high: ArrayLike, observed: ArrayLike) -> tuple[int, int]:
    """Count intervals that hold what came true, ends included, and all intervals."""
    below, above = _pairs(low, high)
    below, seen = _pairs(below, observed)
    return int(((below <= seen) & (seen <= above)).sum()), len(seen)


def accepted_coverage(count: int, level: float, confidence: float = 0.95) -> tuple[int, int]:
    """Return from how many to how many hits are no reason to doubt the stated level.

    Parameters
    ----------
    count : int
        Number of independent interval forecasts.
    level : float
        Probability that each is said to hold.
    confidence : float
        Probability, at least, of lying within if the level is true (binomial, equal tails).
    """
    from scipy import stats

    low, high = stats.binom.interval(confidence, count, level)
    return int(low), int(high)


def _pairs(first: ArrayLike, second: ArrayLike) -> tuple[Floats, Floats]:
    """Return two rows of the same length as floats; NaN, nothing and other shapes are refused."""
    one, two = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
    if one.ndim != 1 or one.shape != two.shape or one.size == 0:
        raise ValueError(f"two rows of the same length are needed, got {one.shape}, {two.shape}")
    if not (np.isfinite(one).all() and np.isfinite(two).all()):
        raise ValueError("values must be finite")
    return one, two
