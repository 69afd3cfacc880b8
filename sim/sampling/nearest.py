"""The correlation matrix nearest to a symmetric matrix (Higham 2002)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_TOLERANCE = 1e-10
_MOST_STEPS = 10_000


class NotConvergedError(ArithmeticError):
    """Raised where projections do not settle."""


def nearest_correlation(
    matrix: Floats, tolerance: float = _TOLERANCE, most_steps: int = _MOST_STEPS
) -> Floats:
    """Return the correlation matrix nearest to a symmetric matrix in the Frobenius norm.

    Projections onto the positive semi-definite matrices and onto those with a diagonal of ones
    take turns; Dykstra's correction of the first makes them end at the nearest matrix instead of
    any in both sets (Higham 2002, algorithm 3.3, without weights, and his criterion (4.1) for the
    end).

    Parameters
    ----------
    matrix : ndarray of float64, shape (k, k)
        Symmetric.
    tolerance : float
        Largest relative change of a step, and distance between the two sets, at the end.
    most_steps : int
        Steps after which it is given up.

    Returns
    -------
    ndarray of float64, shape (k, k)
        Symmetric, with a diagonal of ones; positive semi-definite up to rounding.

    Raises
    ------
    NotConvergedError
        If the projections have not settled after so many steps.
    """
    correction = np.zeros_like(matrix)
    semidefinite, unit = matrix, matrix
    for _ in range(most_steps):
        before = semidefinite, unit
        shifted = unit - correction
        values, vectors = np.linalg.eigh(shifted)
        semidefinite = (vectors * np.maximum(values, 0.0)) @ vectors.T
        correction = semidefinite - shifted
        unit = (semidefinite + semidefinite.T) / 2
        np.fill_diagonal(unit, 1.0)
        gaps = (semidefinite - before[0], unit - before[1], unit - semidefinite)
        scale = np.linalg.norm(unit, np.inf)
        if max(float(np.linalg.norm(gap, np.inf)) for gap in gaps) <= tolerance * scale:
            # Scaled to a diagonal of ones what is semi-definite stays so.
            size = np.sqrt(np.diag(semidefinite))
            found = (semidefinite + semidefinite.T) / 2 / np.outer(size, size)
            np.fill_diagonal(found, 1.0)
            return np.asarray(found)
    raise NotConvergedError(f"no nearest correlation matrix after {most_steps} steps")
