"""Sensitivity indices of Sobol: what share of a result's variance comes from which input.

Estimated by `scipy.stats.sobol_indices` (Saltelli and others 2010, Computer Physics
Communications 181). The caller evaluates the model; nothing is drawn here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class SobolIndices:
    """Indices of each input.

    Attributes
    ----------
    first : ndarray of float64, shape (D,)
        Share of the variance that an input causes by itself.
    total : ndarray of float64, shape (D,)
        Share that would be left if all other inputs were known: interactions included.
    """

    first: Floats
    total: Floats


def sobol_indices(one: ArrayLike, other: ArrayLike, mixed: ArrayLike) -> SobolIndices:
    """Estimate indices from evaluations of a model on two independent sets of points.

    Parameters
    ----------
    one, other : array_like of float, shape (N,)
        The model at the points A and B; N is a power of two.
    mixed : array_like of float, shape (D, N)
        The model at the points A with input d taken from B.

    Raises
    ------
    ValueError
        If shapes do not fit, N is no power of two, or the model does not vary.
    """
    from scipy import stats

    a, b = np.asarray(one, dtype=np.float64), np.asarray(other, dtype=np.float64)
    ab = np.asarray(mixed, dtype=np.float64)
    if a.ndim != 1 or b.shape != a.shape or ab.ndim != 2 or ab.shape[1:] != a.shape:
        raise ValueError(f"evaluations do not fit together: {a.shape}, {b.shape}, {ab.shape}")
    if not (np.ptp(a) > 0 or np.ptp(b) > 0):
        raise ValueError("the model does not vary: there is no variance to share out")
    given: Any = {"f_A": a[None], "f_B": b[None], "f_AB": ab[:, None]}
    found = stats.sobol_indices(func=given, n=a.size)
    return SobolIndices(
        first=np.asarray(found.first_order, dtype=np.float64).reshape(-1),
        total=np.asarray(found.total_order, dtype=np.float64).reshape(-1),
    )
