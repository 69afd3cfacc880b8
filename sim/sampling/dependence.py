"""Correlated normal scores: one factor a group, or a given matrix; marginals never move."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sim.plan.language import Distribution
from sim.plan.problems import InputError, Problem
from sim.plan.quantiles import quantile
from sim.plan.rows import Correlation, Dependence, Project

Floats = NDArray[np.float64]
_NODES = 48
_EIGENVALUE_FLOOR = -1e-9


@dataclass(frozen=True, slots=True)
class Loadings:
    """How the normal scores of projects are mixed from common and own ones.

    Attributes
    ----------
    factors : tuple of str
        Names of the common factors.
    common : ndarray of float64, shape (P, K)
        Loading of each project on each factor.
    own : ndarray of float64, shape (P,)
        Loading on the project's own score; the squares of a row sum to 1.
    """

    factors: tuple[str, ...]
    common: Floats
    own: Floats

    def mix(self, common: Floats, own: Floats) -> Floats:
        """Mix scores of shape (R, K) and (R, P) into standard normal scores of shape (R, P).

        Terms are added in the order of factors, project by project, so that the outcome of one
        project depends on no other.
        """
        mixed = own * self.own
        for k in range(len(self.factors)):
            mixed = mixed + common[:, k, None] * self.common[None, :, k]
        return mixed


def one_factor_loadings(
    projects: Sequence[Project], dependence: Dependence, excluded: set[str]
) -> Loadings:
    """Lay out the Gaussian one-factor model by city, type, programme and funding class.

    Parameters
    ----------
    projects : sequence of Project
        In order of rank.
    dependence : Dependence
        Variance shares.
    excluded : set of str
        Projects whose dependence is given pair by pair; they load on no factor.
    """
    groups: list[dict[str, float]] = []
    for one in projects:
        city = dependence.city * (dependence.enterprise if one.investor == "enterprise" else 1.0)
        # Projects without a type or a programme have none in common.
        shares = {
            "city": city,
            f"type/{one.type}": dependence.type if one.type else 0.0,
            f"programme/{one.programme}": dependence.programme if one.programme else 0.0,
            f"funding/{one.investor}": dependence.funding,
        }
        groups.append({} if one.id in excluded else {k: v for k, v in shares.items() if v > 0})
    factors = tuple(sorted({name for shares in groups for name in shares}))
    position = {name: k for k, name in enumerate(factors)}
    common = np.zeros((len(projects), len(factors)))
    for i, shares in enumerate(groups):
        for name, share in shares.items():
            common[i, position[name]] = np.sqrt(share)
    own = np.sqrt(np.maximum(1.0 - (common**2).sum(axis=1), 0.0))
    return Loadings(factors, common, own)


@dataclass(frozen=True, slots=True)
class GivenCorrelation:
    """Projects whose scores follow a given correlation matrix.

    Attributes
    ----------
    columns : ndarray of int64, shape (k,)
        Positions of the projects.
    triangle : ndarray of float64, shape (k, k)
        Lower triangle T with T T' = the matrix of normal scores.
    """

    columns: NDArray[np.int64]
    triangle: Floats

    def impose(self, scores: Floats, own: Floats) -> Floats:
        """Return scores with the projects' columns mixed anew from their own scores.

        Parameters
        ----------
        scores, own : ndarray of float64, shape (R, P)
            Scores of all projects so far, and independent ones; neither is changed.
        """
        result = scores.copy()
        own = own[:, self.columns]
        for row in range(len(self.columns)):
            mixed = np.zeros(len(scores))
            for k in range(row + 1):
                mixed = mixed + self.triangle[row, k] * own[:, k]
            result[:, self.columns[row]] = mixed
        return result


def given_correlation(
    rows: Sequence[Correlation],
    variable: str,
    positions: Mapping[str, int],
    distributions: Mapping[str, Distribution],
) -> GivenCorrelation | None:
    """Build the normal scores' matrix that gives the quantities their linear correlations.

    The correlation of two quantities differs from that of their normal scores; for each pair the
    latter is found by quadrature, so that the linear correlation is the one asked for (the NORTA
    method, Cario and Nelson 1997).

    Raises
    ------
    InputError
        If a pair's correlation is out of reach of its distributions, or the matrix is not
        positive semi-definite; the pair to look at is named.
    """
    chosen = [one for one in rows if one.variable == variable]
    if not chosen:
        return None
    names = sorted({name for one in chosen for name in (one.project_a, one.project_b)},
                   key=positions.__getitem__)  # fmt: skip
    index = {name: k for k, name in enumerate(names)}
    matrix = np.eye(len(names))
    for one in chosen:
        a, b = index[one.project_a], index[one.project_b]
        pair = (distributions[one.project_a], distributions[one.project_b])
        matrix[a, b] = matrix[b, a] = _normal_correlation(*pair, one)
    values, vectors = np.linalg.eigh(matrix)
    if values[0] < _EIGENVALUE_FLOOR:
        strain = np.outer(vectors[:, 0], vectors[:, 0]) * matrix
        np.fill_diagonal(strain, np.inf)
        row, column = divmod(int(np.argmin(strain)), len(names))
        details: dict[str, object] = {"first": names[row], "second": names[column]}
        raise InputError(
            [Problem("not_positive_semidefinite", "correlations.csv", None, variable, "", details)]
        )
    ridge = max(1e-12, -float(values[0]) * 2) * np.eye(len(names))
    triangle = np.linalg.cholesky((matrix + ridge) / (1 + ridge[0, 0]))
    return GivenCorrelation(np.array([positions[name] for name in names]), triangle)


def _normal_correlation(first: Distribution, second: Distribution, row: Correlation) -> float:
    from scipy import optimize, special

    nodes, weights = np.polynomial.hermite_e.hermegauss(_NODES)
    weights = weights / weights.sum()

    def at(distribution: Distribution, scores: Floats) -> Floats:
        u = np.clip(special.ndtr(scores), 2.0**-54, 1 - 2.0**-53)
        return quantile(distribution, u)

    def moments(distribution: Distribution) -> tuple[float, float]:
        values = at(distribution, nodes)
        mean = float(weights @ values)
        return mean, float(np.sqrt(weights @ (values - mean) ** 2))

    (mean_a, sd_a), (mean_b, sd_b) = moments(first), moments(second)
    values_a = at(first, nodes)

    def linear(r: float) -> float:
        mixed = r * nodes[:, None] + np.sqrt(1 - r * r) * nodes[None, :]
        product = (values_a[:, None] - mean_a) * (at(second, mixed) - mean_b)
        return float(weights @ product @ weights) / (sd_a * sd_b)

    if abs(row.correlation) < 1e-12:
        return 0.0
    low, high = linear(-1.0), linear(1.0)
    if row.correlation >= high - 1e-9 and row.correlation <= high + 1e-6:
        return 1.0
    if not low < row.correlation < high:
        details: dict[str, object] = {"low": f"{low:.3f}", "high": f"{high:.3f}"}
        pair = f"{row.project_a}, {row.project_b}"
        raise InputError(
            [Problem("correlation_out_of_reach", "correlations.csv", None, "correlation", pair,
                     details)]
        )  # fmt: skip
    return float(optimize.brentq(lambda r: linear(r) - row.correlation, -1.0, 1.0, xtol=1e-12))
