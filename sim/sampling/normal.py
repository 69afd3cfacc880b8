"""Kernels of the normal distribution, and of functions that must not stop a run."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from sim.jit import compiled, inlined

Floats = NDArray[np.float64]

FARTHEST = 8.209536151601387
"""No score lies farther out: its probability differs from 0 and 1 by 2^-53 at least."""
_CENTRAL = 0.425
"""Half the width in probability of the part that one quotient of polynomials tells."""
_ROOT_HALF = math.sqrt(0.5)
_LOG_ROOT_TAU = 0.5 * math.log(2 * math.pi)
_LARGEST_EXPONENT = 709.78
_SMALLEST_LOG = -600.0


@compiled
def exponential(x: float) -> float:
    """Return e^x, infinite where it is too large: Python would stop, machine code would not."""
    return math.inf if x > _LARGEST_EXPONENT else math.exp(x)


@compiled
def power(base: float, exponent: float) -> float:
    """Return base^exponent for base >= 0; infinite where it is too large, or 0 to a negative.

    Raises nothing, likewise; what is not a number stays so.
    """
    if exponent == 1.0:
        return base
    if base <= 0.0:
        if exponent == 0.0:
            return 1.0
        if base < 0.0:
            return math.nan
        return math.inf if exponent < 0.0 else 0.0
    if math.isinf(base):
        return 1.0 if exponent == 0.0 else math.inf if exponent > 0.0 else 0.0
    if exponent * math.log(base) > _LARGEST_EXPONENT:
        return math.inf
    return math.pow(base, exponent)


@inlined
def _central_score(q: float) -> float:
    """Return the quantile of 1/2 + q where |q| is at most `_CENTRAL`."""
    r = 0.180625 - q * q
    top = 2.5090809287301226727e3
    top = top * r + 3.3430575583588128105e4
    top = top * r + 6.7265770927008700853e4
    top = top * r + 4.5921953931549871457e4
    top = top * r + 1.3731693765509461125e4
    top = top * r + 1.9715909503065514427e3
    top = top * r + 1.3314166789178437745e2
    top = top * r + 3.3871328727963666080e0
    bottom = 5.2264952788528545610e3
    bottom = bottom * r + 2.8729085735721942674e4
    bottom = bottom * r + 3.9307895800092710610e4
    bottom = bottom * r + 2.1213794301586595867e4
    bottom = bottom * r + 5.3941960214247511077e3
    bottom = bottom * r + 6.8718700749205790830e2
    bottom = bottom * r + 4.2313330701600911252e1
    bottom = bottom * r + 1.0
    return q * top / bottom


@compiled
def _outer_score(p: float) -> float:
    """Return the quantile elsewhere."""
    q = p - 0.5
    r = p if q < 0.0 else 1.0 - p
    if r <= 0.0:
        return -math.inf if q < 0.0 else math.inf
    r = math.sqrt(-math.log(r))
    if r <= 5.0:
        r -= 1.6
        top = 7.74545014278341407640e-4
        top = top * r + 2.27238449892691845833e-2
        top = top * r + 2.41780725177450611770e-1
        top = top * r + 1.27045825245236838258e0
        top = top * r + 3.64784832476320460504e0
        top = top * r + 5.76949722146069140550e0
        top = top * r + 4.63033784615654529590e0
        top = top * r + 1.42343711074968357734e0
        bottom = 1.05075007164441684324e-9
        bottom = bottom * r + 5.47593808499534494600e-4
        bottom = bottom * r + 1.51986665636164571966e-2
        bottom = bottom * r + 1.48103976427480074590e-1
        bottom = bottom * r + 6.89767334985100004550e-1
        bottom = bottom * r + 1.67638483018380384940e0
        bottom = bottom * r + 2.05319162663775882187e0
        bottom = bottom * r + 1.0
    else:
        r -= 5.0
        top = 2.01033439929228813265e-7
        top = top * r + 2.71155556874348757815e-5
        top = top * r + 1.24266094738807843860e-3
        top = top * r + 2.65321895265761230930e-2
        top = top * r + 2.96560571828504891230e-1
        top = top * r + 1.78482653991729133580e0
        top = top * r + 5.46378491116411436990e0
        top = top * r + 6.65790464350110377720e0
        bottom = 2.04426310338993978564e-15
        bottom = bottom * r + 1.42151175831644588870e-7
        bottom = bottom * r + 1.84631831751005468180e-5
        bottom = bottom * r + 7.86869131145613259100e-4
        bottom = bottom * r + 1.48753612908506148525e-2
        bottom = bottom * r + 1.36929880922735805310e-1
        bottom = bottom * r + 5.99832206555887937690e-1
        bottom = bottom * r + 1.0
    return -top / bottom if q < 0.0 else top / bottom


@compiled
def score_of(p: float) -> float:
    """Return the standard normal quantile (Wichura 1988, algorithm AS 241, PPND16).

    Parameters
    ----------
    p : float
        Probability; at or beyond 0 and 1 the quantile is infinite.
    """
    q = p - 0.5
    return _central_score(q) if abs(q) <= _CENTRAL else _outer_score(p)


@compiled
def scores_of(probabilities: Floats, count: int, out: Floats) -> None:
    """Fill in the quantiles of many probabilities: the same numbers, several at a time.

    Parameters
    ----------
    probabilities : ndarray of float64, shape (at least count,)
        What `score_of` takes.
    count : int
        How many.
    out : ndarray of float64, shape (at least count,)
        Filled; not `probabilities` itself.
    """
    for k in range(count):
        out[k] = _central_score(probabilities[k] - 0.5)
    for k in range(count):
        if abs(probabilities[k] - 0.5) > _CENTRAL:
            out[k] = _outer_score(probabilities[k])


@compiled
def probability_of(score: float) -> float:
    """Return the standard normal distribution function."""
    return 0.5 * math.erfc(-score * _ROOT_HALF)


@compiled
def score_of_log(log_p: float) -> float:
    """Return the standard normal quantile of e^log_p, also where that is too small to hold.

    There Newton's method solves log Phi(s) = log_p with the asymptotic series of Mill's ratio.
    """
    if log_p > _SMALLEST_LOG:
        return score_of(math.exp(log_p))
    s = -math.sqrt(-2.0 * log_p)
    for _ in range(4):
        w = 1.0 / (s * s)
        series = 1.0 - w * (1.0 - w * (3.0 - w * (15.0 - w * 105.0)))
        value = -0.5 * s * s - _LOG_ROOT_TAU - math.log(-s) + math.log(series)
        # The slope is phi / Phi = -s / series.
        s -= (value - log_p) / (-s / series)
    return s
