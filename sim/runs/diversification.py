"""How much projects move together: mean pairwise correlation and effective number of projects."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sim.runs.statistics import block_error

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


class Diversification(NamedTuple):
    """What the variances of projects and of their total tell; NaN where they tell nothing.

    Attributes
    ----------
    mean_correlation : ndarray of float64
        The one correlation that, put in place of all pairs', gives the variance of the total: the
        mean over pairs, weighted with the product of their standard deviations.
    effective_projects : ndarray of float64
        So many equal independent projects spread risk as well: the coefficient of variation of
        their total is as far below that of a single one.
    effective_if_independent : ndarray of float64
        The same number, were no two projects correlated.
    """

    mean_correlation: Floats
    effective_projects: Floats
    effective_if_independent: Floats


def diversification(variances: Floats, total: Floats) -> Diversification:
    """Compare the variance of a total with the variances of what is added up.

    Parameters
    ----------
    variances : ndarray of float64, shape (n, ...)
        Of each project.
    total : ndarray of float64, shape (...)
        Of their sum.

    Notes
    -----
    With standard deviations s_i, and one correlation r for all pairs::

        Var(total) = sum s_i^2 + r ((sum s_i)^2 - sum s_i^2)

    so r = (Var(total) - sum s_i^2) / ((sum s_i)^2 - sum s_i^2). Of N equal independent projects
    the coefficient of variation of the total is that of one over the root of N; here that of one
    is sum s_i / sum m_i, the mean over projects weighted with their means m_i, and that of the
    total sd(total) / sum m_i. Hence N = (sum s_i)^2 / Var(total), the square of the
    diversification ratio (Choueifaty and Coignard 2008), and n / (1 + (n - 1) r) for n equal
    projects, which is n over the design effect (Kish 1965).
    """
    together = np.sqrt(variances).sum(axis=0) ** 2
    apart = variances.sum(axis=0)
    several = (variances > 0).sum(axis=0) > 1
    return Diversification(
        mean_correlation=_ratio(total - apart, np.where(several, together - apart, 0.0)),
        effective_projects=_ratio(together, total),
        effective_if_independent=_ratio(together, apart),
    )


def effective_by_size(weights: Ints) -> float:
    """Return (sum w)^2 / sum w^2, the inverse of the Herfindahl index; NaN without weight."""
    whole = [int(one) for one in weights]
    squares = sum(one * one for one in whole)
    return sum(whole) ** 2 / squares if squares else float("nan")


def common_correlation(weights: Ints, correlation: float) -> tuple[float, float]:
    """Tell what one correlation of all pairs does where spread goes with size.

    Parameters
    ----------
    weights : ndarray of int64, shape (n,)
        To which standard deviations are proportional, not all nil.
    correlation : float
        Of each pair.

    Returns
    -------
    effective, spread : float
        Effective number of projects; standard deviation of the total over that without
        correlation. Var = sum w^2 (1 - r) + r (sum w)^2.
    """
    single = effective_by_size(weights)
    growth = 1 - correlation + correlation * single  # of the variance
    return single / growth, growth**0.5


def variances(sums: NDArray[Any], squares: NDArray[Any], sizes: Ints) -> Floats:
    """Return the variance of all replications, and of those without each block.

    Parameters
    ----------
    sums, squares : ndarray of Python integers, shape (..., BLOCKS)
        Sums of values and of their squares.
    sizes : ndarray of int64, shape (BLOCKS,)
        Replications of each block.

    Returns
    -------
    ndarray of float64, shape (..., 1 + BLOCKS)
        All first. Exact before rounding; they divide by n - 1; NaN below two replications.
    """
    counts, first, second = (
        _with_and_without(one) for one in (sizes.astype(object), sums, squares)
    )
    enough = (counts > 1).astype(bool)
    divisors = np.where(enough, counts * (counts - 1), 1)
    found = np.asarray((counts * second - first * first) / divisors, np.float64)
    return np.where(enough, found, np.nan)


def jackknife_error(values: Floats, sizes: Ints) -> Floats:
    """Return the standard error of what is no mean, by leaving out a block at a time.

    Parameters
    ----------
    values : ndarray of float64, shape (..., 1 + BLOCKS)
        Estimate from all replications, and from those without each block.
    sizes : ndarray of int64, shape (BLOCKS,)
        Replications of each block.

    Notes
    -----
    Blocks alone are small, and a ratio of variances is no mean of theirs: so each block's part is
    its pseudo-value, k times the estimate less (k - 1) times that without it (Tukey 1958; Shao
    and Tu 1995, section 2.3), and the error is that of their mean.
    """
    blocks = int((sizes > 0).sum())
    parts = blocks * values[..., :1] - (blocks - 1) * values[..., 1:]
    middle = (parts * (sizes / max(int(sizes.sum()), 1))).sum(axis=-1)
    return block_error(parts, np.broadcast_to(sizes, parts.shape), middle)


def _with_and_without(parts: NDArray[Any]) -> NDArray[Any]:
    whole = parts.sum(axis=-1, keepdims=True)
    return np.concatenate([whole, whole - parts], axis=-1)


def _ratio(above: Floats, below: Floats) -> Floats:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.where(below > 0, above / below, np.nan))
