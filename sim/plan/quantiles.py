"""Inverse distribution functions: truncation and tails by inverse cdf, never by redrawing."""

from __future__ import annotations

import functools

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sim.plan.language import Distribution


def quantile(distribution: Distribution, probability: ArrayLike) -> NDArray[np.float64]:
    """Evaluate the inverse distribution function.

    Parameters
    ----------
    distribution : Distribution
        What to invert.
    probability : array_like of float
        Probabilities strictly between 0 and 1.

    Returns
    -------
    ndarray of float64
        Quantiles, of the shape of `probability`; non-decreasing in it.

    Notes
    -----
    PERT is the beta distribution with shapes 1 + 4 (mode - low) / (high - low) and
    1 + 4 (high - mode) / (high - low) (Malcolm et al. 1959, in its exact form). A lognormal with
    a tail is with probability 1 - tail a lognormal cut at `tail_from`, so centred that the whole
    has the given median, and a Pareto distribution from there, capped.
    """
    from scipy import special

    u = np.asarray(probability, dtype=np.float64)
    values = distribution.parameters
    match distribution.name:
        case "fixed":
            return np.full(u.shape, values[0])
        case "uniform":
            return values[0] + u * (values[1] - values[0])
        case "triangular":
            return _triangular(u, *values)
        case "pert":
            low, mode, high = values
            if low == high:
                return np.full(u.shape, low)
            first = 1 + 4 * (mode - low) / (high - low)
            return low + (high - low) * special.betaincinv(first, 6 - first, u)
        case "normal":
            mean, sd, low, high = values
            if sd == 0:
                return np.full(u.shape, mean)
            below, above = special.ndtr((low - mean) / sd), special.ndtr((high - mean) / sd)
            drawn = mean + sd * special.ndtri(below + u * (above - below))
            return np.clip(drawn, low, high)
        case "lognormal":
            return _lognormal(u, *values)
        case "exponential":
            return np.asarray(-values[0] * np.log1p(-u), dtype=np.float64)
        case "weibull":
            return np.asarray(values[1] * (-np.log1p(-u)) ** (1 / values[0]), dtype=np.float64)
        case "gamma":
            return np.asarray(values[1] * special.gammaincinv(values[0], u), dtype=np.float64)
        case "discrete":
            half = len(values) // 2
            steps = np.cumsum(values[half:])[:-1]
            return np.asarray(values[:half])[np.searchsorted(steps, u, side="left")]
        case "empirical":
            positions = np.ceil(u * len(values)).astype(np.int64) - 1
            return np.asarray(values)[np.clip(positions, 0, len(values) - 1)]
        case "chance":
            assert distribution.inner is not None
            threshold = 1 - values[0]
            strikes = u > threshold
            inner = np.where(strikes, (u - threshold) / max(values[0], 1e-300), 0.5)
            inner = np.clip(inner, 2.0**-54, 1 - 2.0**-53)
            return np.where(strikes, quantile(distribution.inner, inner), 0.0)
    raise ValueError(f"no quantile for '{distribution.name}'")


def cuts(distribution: Distribution, grid: NDArray[np.float64]) -> NDArray[np.float64]:
    """Cut the inverse distribution function into pieces on which it is nearly constant.

    Parameters
    ----------
    distribution : Distribution
        What to cut.
    grid : ndarray of float64
        Probabilities at which to cut what is continuous.

    Returns
    -------
    ndarray of float64
        Probabilities in increasing order: every step where there are steps, `grid` elsewhere.
    """
    values = distribution.parameters
    match distribution.name:
        case "discrete":
            return np.cumsum(values[len(values) // 2 :])[:-1]
        case "empirical":
            rises = np.diff(values)
            ordered = np.argsort(rises, kind="stable")[np.count_nonzero(rises == 0) :]
            steps = (np.sort(ordered[-len(grid) :]) + 1) / len(values)
            # A sample of more steps than that is continuous, but for its largest ones.
            return steps if len(ordered) <= len(grid) else np.union1d(steps, grid)
        case "chance":
            assert distribution.inner is not None
            inner = cuts(distribution.inner, grid)
            return np.append(0.0, inner) * values[0] + (1 - values[0])
    return grid


@functools.lru_cache(maxsize=1024)  # gates of a kind are many
def median(distribution: Distribution) -> float:
    """Return the value exceeded with probability one half."""
    return float(quantile(distribution, np.array([0.5]))[0])


def _triangular(
    u: NDArray[np.float64], low: float, mode: float, high: float
) -> NDArray[np.float64]:
    if low == high:
        return np.full(u.shape, low)
    split = (mode - low) / (high - low)
    rising = low + np.sqrt(u * (high - low) * (mode - low))
    falling = high - np.sqrt((1 - u) * (high - low) * (high - mode))
    return np.where(u < split, rising, falling)


def _lognormal(
    u: NDArray[np.float64],
    middle: float,
    sigma: float,
    tail: float,
    tail_from: float,
    alpha: float,
    cap: float,
) -> NDArray[np.float64]:
    from scipy import special

    if tail == 0:
        return middle * np.exp(sigma * special.ndtri(u))
    if sigma == 0:
        body = np.full(u.shape, middle)
    else:
        cut = tail_cut(middle, sigma, tail, tail_from)
        below = np.log(np.minimum(u / (1 - tail), 1.0)) + special.log_ndtr(cut)
        body = tail_from * np.exp(sigma * (special.ndtri_exp(below) - cut))
    survival = np.minimum((1 - u) / tail, 1.0)
    pareto = np.minimum(tail_from * survival ** (-1 / alpha), cap)
    return np.where(u < 1 - tail, body, pareto)


def tail_cut(middle: float, sigma: float, tail: float, tail_from: float) -> float:
    """Return the score at which the body of a lognormal with a tail is cut (sigma > 0)."""
    return _cut(float(np.log(tail_from) - np.log(middle)) / sigma, 0.5 / (1 - tail))


@functools.lru_cache(maxsize=1024)
def _cut(distance: float, probability: float) -> float:
    """Return the score at which a normal body is cut.

    The body's quantile at `probability` (of what is left below the cut) then lies `distance`
    standard deviations below the cut.
    """
    from scipy import optimize, special

    def excess(cut: float) -> float:
        inside = special.ndtri_exp(np.log(probability) + special.log_ndtr(cut))
        return float(cut - inside - distance)

    # The gap between cut and quantile grows with the cut. Below 0 it is at most -log(probability)
    # over the cut's size, less than the distance at the lower end; at most it is the cut less the
    # quantile of the whole normal distribution.
    highest = distance + float(special.ndtri(probability)) + 1
    return float(optimize.brentq(excess, -1 / distance, highest, xtol=1e-14))
