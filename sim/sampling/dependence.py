"""Correlated normal scores: one factor a group, or a given matrix; marginals never move."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sim.plan.language import Distribution
from sim.plan.problems import InputError, Problem
from sim.plan.quantiles import cuts, quantile
from sim.plan.rows import Correlation, Dependence, Project
from sim.sampling.nearest import NotConvergedError, nearest_correlation
from sim.sampling.repair import Repair, pair_of, place_of

Floats = NDArray[np.float64]
_CELLS_PER_SD = 32
_FARTHEST_SCORE = 8
_DEGREE = 64
_ACCURACY = 2e-4
"""To which correlations are found; see `jumps`."""


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
    repair : Repair or None
        What was changed in the matrix asked for; None where it is used as it is.
    """

    columns: NDArray[np.int64]
    triangle: Floats
    repair: Repair | None = None


def given_correlation(
    rows: Sequence[Correlation],
    variable: str,
    positions: Mapping[str, int],
    distributions: Mapping[str, Distribution],
    repair: bool = False,
) -> GivenCorrelation | None:
    """Build the normal scores' matrix that gives the quantities their linear correlations.

    The correlation of two quantities differs from that of their normal scores; for each pair the
    latter is found numerically, so that the linear correlation is the one asked for (the NORTA
    method, Cario and Nelson 1997). Projects are taken in the order of their ids: ranks, which
    anyone may change, decide nothing.

    Parameters
    ----------
    rows : sequence of Correlation
        Linear correlations asked for.
    variable : str
        Which of them: `duration` or `cost`.
    positions : mapping of str to int
        Position of each project.
    distributions : mapping of str to Distribution
        Of the variable, by project.
    repair : bool
        Whether a matrix that cannot be gives way to the correlation matrix of normal scores that
        is nearest to it in the Frobenius norm.

    Raises
    ------
    InputError
        If a pair's correlation is out of reach of its distributions; or if the matrix is not
        positive semi-definite, and no repair is asked for (the pair to look at is named), or none
        is found.
    """
    chosen = [one for one in rows if one.variable == variable]
    if not chosen:
        return None
    names = sorted({name for one in chosen for name in (one.project_a, one.project_b)})
    index = {name: k for k, name in enumerate(names)}
    matrix = np.eye(len(names))
    for one in chosen:
        a, b = index[one.project_a], index[one.project_b]
        pair = (distributions[one.project_a], distributions[one.project_b])
        matrix[a, b] = matrix[b, a] = _score_correlation(*pair, one)
    triangle, used = factored(matrix, names, variable, repair, _ACCURACY)
    repaired = None
    if used is not None:
        asked = {(one.project_a, one.project_b): one.correlation for one in chosen}
        repaired = told_repair(
            variable, names, matrix, used, asked,
            lambda a, b, score: linear_of_scores(distributions[a], distributions[b], score),
        )  # fmt: skip
    return GivenCorrelation(np.array([positions[name] for name in names]), triangle, repaired)


def factored(
    matrix: Floats, names: Sequence[str], variable: str, repair: bool, accuracy: float
) -> tuple[Floats, Floats | None]:
    """Return the lower triangle T with T T' = a correlation matrix of normal scores.

    Parameters
    ----------
    matrix : ndarray of float64, shape (k, k)
        What is asked for.
    names : sequence of str
        Whose scores.
    variable : str
        `duration`, `cost` or `drivers`.
    repair : bool
        Whether a matrix that cannot be gives way to the nearest that can.
    accuracy : float
        To which its entries are known.

    Returns
    -------
    ndarray of float64, shape (k, k)
        The triangle.
    ndarray of float64, shape (k, k), or None
        The matrix that took the place of the one asked for; None where that is used.

    Raises
    ------
    InputError
        If the matrix is not positive semi-definite, and no repair is asked for or none is found.
    """
    values, vectors = np.linalg.eigh(matrix)
    used = None
    if values[0] < -accuracy:
        if not repair:
            raise InputError([_contradiction(variable, names, matrix, vectors[:, 0])])
        try:
            used = nearest_correlation(matrix)
        except NotConvergedError:
            file, column = place_of(variable)
            problem = Problem("correlations_not_repaired", file, None, column)
            raise InputError([problem]) from None
        matrix, values = used, np.linalg.eigvalsh(used)
    # What is negative by less than the entries are known to is lifted to zero.
    ridge = max(1e-12, -float(values[0]) * 2) * np.eye(len(names))
    triangle = np.linalg.cholesky((matrix + ridge) / (1 + ridge[0, 0]))
    return triangle, used


def _contradiction(
    variable: str, names: Sequence[str], matrix: Floats, direction: Floats
) -> Problem:
    """Name the pair that adds most to a negative variance in a direction."""
    strain = np.outer(direction, direction) * matrix
    np.fill_diagonal(strain, np.inf)
    row, column = divmod(int(np.argmin(strain)), len(names))
    details: dict[str, object] = {"first": names[row], "second": names[column]}
    file, key = place_of(variable)
    return Problem("not_positive_semidefinite", file, None, key, "", details)


def told_repair(
    variable: str,
    names: Sequence[str],
    asked: Floats,
    used: Floats,
    given: Mapping[tuple[str, str], float],
    used_of: Callable[[str, str, float], float],
) -> Repair:
    """Tell what a repair changed: the matrices of scores, and the correlations of pairs.

    Parameters
    ----------
    variable, names
        As for `factored`.
    asked, used : ndarray of float64, shape (k, k)
        Correlations of normal scores.
    given : mapping of (str, str) to float
        Correlations as they are filed.
    used_of : callable
        Turns the correlation of two scores into one like those filed.
    """
    change = used - asked
    row, column = divmod(int(np.argmax(np.abs(change))), len(names))
    pair = names[row], names[column]
    told = dict(given)
    if pair not in told and pair[::-1] not in told:
        told[pair] = 0.0
    index = {name: k for k, name in enumerate(names)}
    one, other = pair_of(variable)
    return Repair(
        variable=variable,
        distance=float(np.linalg.norm(change)),
        largest_change=float(np.abs(change).max()),
        pair=pair,
        pairs=tuple(
            {
                one: a,
                other: b,
                "asked": correlation,
                "used": used_of(a, b, float(used[index[a], index[b]])),
            }
            for (a, b), correlation in told.items()
        ),
    )


def linear_of_scores(first: Distribution, second: Distribution, score: float) -> float:
    """Return the linear correlation of two quantities whose normal scores have a given one."""
    return round(_linear_correlation(first, second)(float(np.arcsin(score))), 10)


def _score_correlation(first: Distribution, second: Distribution, row: Correlation) -> float:
    """Return the correlation of normal scores that gives two quantities their linear one."""
    from scipy import optimize

    low, high = _reach(first, second)
    if not low - _ACCURACY <= row.correlation <= high + _ACCURACY:
        details: dict[str, object] = {"low": f"{low:.3f}", "high": f"{high:.3f}"}
        pair = f"{row.project_a}, {row.project_b}"
        raise InputError(
            [Problem("correlation_out_of_reach", "correlations.csv", None, "correlation", pair,
                     details)]
        )  # fmt: skip
    if row.correlation == 0:
        return 0.0
    linear = _linear_correlation(first, second)
    if row.correlation >= linear(np.pi / 2):
        return 1.0
    if row.correlation <= linear(-np.pi / 2):
        return -1.0
    angle = optimize.brentq(lambda x: linear(x) - row.correlation, -np.pi / 2, np.pi / 2)
    return float(np.sin(angle))


@functools.lru_cache(maxsize=256)
def _linear_correlation(first: Distribution, second: Distribution) -> Callable[[float], float]:
    """Return the linear correlation of two quantities as a function of an angle.

    The angle is the arc sine of the correlation of their normal scores.

    Notes
    -----
    With jumps dF at the scores s and dG at t, the covariance is the integral of the bivariate
    normal distribution function less the product of its margins, over dF dG (Hoeffding). Its
    derivative by the correlation is the bivariate normal density (Plackett 1954), which in terms
    of the angle has no pole.
    """
    (s, jump_s, sd_s), (t, jump_t, sd_t) = jumps(first), jumps(second)
    weighted_t = jump_t * np.exp(-(t**2) / 2)

    def slope(angle: float) -> float:
        gap = (s[:, None] - np.sin(angle) * t) / np.cos(angle)
        return float(jump_s @ np.exp(-(gap**2) / 2) @ weighted_t) / (2 * np.pi * sd_s * sd_t)

    fitted = np.polynomial.Chebyshev.interpolate(
        lambda angles: np.array([slope(angle) for angle in angles]),
        _DEGREE,
        domain=[-np.pi / 2, np.pi / 2],
    )
    correlation = fitted.integ(lbnd=0)
    return lambda angle: float(correlation(angle))


def jumps(distribution: Distribution) -> tuple[Floats, Floats, float]:
    """Return the scores at which a quantity jumps, by how much, and its standard deviation.

    Steps are taken as they are. What is continuous is taken as constant in cells: with cells of
    width h, a correlation comes out smaller by about h^2 / 12 of itself: 1 in 10,000.
    """
    from scipy import special

    edges = _edges(distribution)
    middles, masses = _cells(edges)
    values = quantile(distribution, middles)
    steps = np.diff(values)
    jumping = steps != 0
    _, deviation = _moments(values, masses)
    return special.ndtri(edges[1:-1][jumping]), steps[jumping], deviation


def _edges(distribution: Distribution) -> Floats:
    """Return the probabilities, 0 and 1 among them, between which a quantity is constant."""
    from scipy import special

    farthest = _FARTHEST_SCORE * _CELLS_PER_SD
    grid = special.ndtr(np.arange(-farthest, farthest + 1) / _CELLS_PER_SD)
    inner = cuts(distribution, grid)
    return np.concatenate([[0.0], inner[(inner > 0) & (inner < 1)], [1.0]])


def _cells(edges: Floats) -> tuple[Floats, Floats]:
    """Return the middles and the masses of cells; no middle rounds to 1."""
    return np.minimum((edges[1:] + edges[:-1]) / 2, 1 - 2.0**-53), np.diff(edges)


def _moments(values: Floats, masses: Floats) -> tuple[float, float]:
    mean = float(masses @ values)
    return mean, float(np.sqrt(masses @ (values - mean) ** 2))


def _reach(first: Distribution, second: Distribution) -> tuple[float, float]:
    """Return the smallest and the largest linear correlation of two quantities.

    They are those of quantities that rise against each other and with each other (Frechet and
    Hoeffding).
    """
    ends = []
    for against in (True, False):
        other = _edges(second)
        edges = np.union1d(_edges(first), 1 - other if against else other)
        middles, masses = _cells(edges)
        a = quantile(first, middles)
        b = quantile(second, 1 - middles if against else middles)
        (mean_a, sd_a), (mean_b, sd_b) = _moments(a, masses), _moments(b, masses)
        ends.append(float(masses @ ((a - mean_a) * (b - mean_b))) / (sd_a * sd_b))
    return ends[0], ends[1]
