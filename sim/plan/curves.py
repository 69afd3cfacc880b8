"""The S-curve of a type: share of value at a share of work."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

PPM = 10**6
SEGMENTS = 64
"""Linear pieces into which each piece of a baseline curve is cut."""


def s_curve(
    work: ArrayLike, a: float, b: float, early_share: float, early_work: float
) -> NDArray[np.float64]:
    """Evaluate the curve: an early share booked in the first weeks, then a beta distribution.

    Parameters
    ----------
    work : array_like of float
        Share of the work done, between 0 and 1.
    a, b : float
        Parameters of the beta distribution function.
    early_share : float
        Share of the value (land, resettlement, equipment) booked early.
    early_work : float
        Share of the work by which the early share is booked in full.

    Returns
    -------
    ndarray of float64
        Share of the value; 0 at 0, 1 at 1, non-decreasing.
    """
    from scipy import special

    x = np.asarray(work, dtype=np.float64)
    early = np.minimum(x / early_work, 1.0) if early_work > 0 else np.ones(x.shape)
    return early_share * early + (1 - early_share) * special.betainc(a, b, x)


def knots(
    start: float, end: float, a: float, b: float, early_share: float, early_work: float
) -> NDArray[np.int32]:
    """Cut the segment of the curve between two work shares into `SEGMENTS` linear pieces.

    Returns
    -------
    ndarray of int32, shape (SEGMENTS + 1,)
        Share of the segment's value in ppm at equal steps of its work: 0 first, 10**6 last,
        non-decreasing. Straight where the segment carries no value or no work.
    """
    steps = np.linspace(0.0, 1.0, SEGMENTS + 1)
    share = s_curve(start + (end - start) * steps, a, b, early_share, early_work)
    rise = share[-1] - share[0]
    relative = steps if rise <= 0 else (share - share[0]) / rise
    # Both ends are exact, since x / x is; rounding keeps the order.
    return np.rint(relative * PPM).astype(np.int32)
