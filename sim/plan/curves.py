"""The S-curve of a type: share of value at a share of work."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
PPM = 10**6
SEGMENTS = 64
"""Linear pieces into which each piece of a baseline curve is cut."""


def s_curve(
    work: ArrayLike, a: ArrayLike, b: ArrayLike, early_share: ArrayLike, early_work: ArrayLike
) -> Floats:
    """Evaluate the curve: an early share booked in the first weeks, then a beta distribution.

    Parameters
    ----------
    work : array_like of float
        Share of the work done, between 0 and 1.
    a, b : array_like of float
        Parameters of the beta distribution function.
    early_share : array_like of float
        Share of the value (land, resettlement, equipment) booked early.
    early_work : array_like of float
        Share of the work by which the early share is booked in full.

    Returns
    -------
    ndarray of float64
        Share of the value; 0 at 0, 1 at 1, non-decreasing.
    """
    from scipy import special

    x, first, second = (np.asarray(one, np.float64) for one in (work, a, b))
    early, until = (np.asarray(one, np.float64) for one in (early_share, early_work))
    curve: Floats = early * share_of(x, until) + (1 - early) * special.betainc(first, second, x)
    return curve


def share_of(part: Floats, whole: Floats) -> Floats:
    """Return shares of wholes, at most 1; 1 of nothing."""
    some = whole > 0
    return np.where(some, np.minimum(part / np.where(some, whole, 1.0), 1.0), 1.0)


def knots(
    start: ArrayLike,
    end: ArrayLike,
    a: ArrayLike,
    b: ArrayLike,
    early_share: ArrayLike,
    early_work: ArrayLike,
) -> NDArray[np.int32]:
    """Cut the segment of the curve between two work shares into `SEGMENTS` linear pieces.

    Returns
    -------
    ndarray of int32, shape (..., SEGMENTS + 1)
        Share of the segment's value in ppm at equal steps of its work: 0 first, 10**6 last,
        non-decreasing. Straight where the segment carries no value or no work.
    """
    given = (start, end, a, b, early_share, early_work)
    low, high, *parameters = (np.asarray(one, np.float64)[..., None] for one in given)
    steps = np.linspace(0.0, 1.0, SEGMENTS + 1)
    share = s_curve(low + (high - low) * steps, *parameters)
    done, rise = share - share[..., :1], share[..., -1:] - share[..., :1]
    relative = np.where(rise > 0, share_of(done, rise), steps)
    # Both ends are exact, since x / x is; rounding keeps the order.
    table: NDArray[np.int32] = np.rint(relative * PPM).astype(np.int32)
    return table
