"""What published shares say about a few free parameters: a posterior, not a point.

Simulation-based: replications whose parameters are spread over their priors teach a quadratic
emulator what each month-end share is on average, and how far it strays; what places published
then weighs the same replications. One row a place and year, with all its months and stages; the
place is a random effect, since its years resemble each other.

The model of a published share y of place i, year t, in the cell c (a scope and a month) is

    log y = f_c(parameters) + b + a_i + e_ct + r,

where f is the emulator, b the publication bias (places publish what they can be proud of, so b is
not below zero), a_i ~ N(0, tau^2) the place, e_t ~ N(0, S) a year's common luck as simulated, and
r ~ N(0, sigma^2) what a list has of its own. Starts are the same without logarithm and bias.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sim.analysis.emulator import Emulator
from sim.plan.evidence import STARTS, PlaceYear
from sim.runs.layout import ALL

Floats = NDArray[np.float64]

BIAS = np.linspace(0.0, 0.32, 9)
_BIAS_SCALE = 0.10
"""Prior of the publication bias: the positive half of a normal with this deviation."""
PLACE = np.array([0.03, 0.06, 0.10, 0.14, 0.19, 0.25])
LIST = np.array([0.04, 0.07, 0.10, 0.14, 0.19, 0.26])
"""Standard deviations of places and of lists that are weighed, alike likely before."""
_PARTS = 2.0
"""A stage of a list strays as many times as far as the list: it is a smaller number of works."""
START_PLACE = 0.10
"""Standard deviation of a place's start ratio beside the simulated one: given, as rows are few."""
_STARTED_ALL = 1e-4
"""Variance of rounding of a start ratio."""


@dataclass(frozen=True, slots=True)
class Posterior:
    """Weights of replications and of what is not simulated.

    Attributes
    ----------
    emulator : Emulator
        What a share is on average.
    names : tuple of str
        Parameters.
    values : ndarray of float64, shape (N, K)
        Their values, spread as the prior.
    means : ndarray of float64, shape (N, C)
        What is emulated there.
    weights : ndarray of float64, shape (N, B, T, L)
        Joint posterior weights by replication, bias, spread of places and spread of lists.
    terms : mapping of str to ndarray, shape (N, B, T, L)
        Logarithm of each place's likelihood, by place.
    """

    emulator: Emulator
    names: tuple[str, ...]
    values: Floats
    means: Floats
    weights: Floats
    terms: Mapping[str, NDArray[np.float32]]


def posterior(
    names: Sequence[str], values: Floats, emulator: Emulator, rows: Sequence[PlaceYear]
) -> Posterior:
    """Weigh an ensemble by what places published.

    Parameters
    ----------
    names : sequence of str
        Parameters.
    values : ndarray of float64, shape (N, K)
        Their values, spread as the prior.
    emulator : Emulator
        From `fit_emulator`.
    rows : sequence of PlaceYear
        The evidence; cells that the emulator does not have are left out.
    """
    means = emulator.means(values)
    places = sorted({row.place for row in rows})
    terms = {
        place: _likelihood(emulator, means, [row for row in rows if row.place == place])
        for place in places
    }
    prior = -0.5 * (BIAS / _BIAS_SCALE) ** 2
    nothing = np.zeros((len(values), len(BIAS), len(PLACE), len(LIST)), np.float32)
    weights = _normalised(_summed([nothing, *terms.values()]) + prior[:, None, None])
    return Posterior(emulator, tuple(names), values, means, weights, terms)


def _normalised(logs: Floats) -> Floats:
    weights = np.exp(logs - logs.max())
    whole: Floats = weights / weights.sum()
    return whole


def _summed(terms: Iterable[NDArray[np.float32]]) -> Floats:
    total: Floats = np.sum(list(terms), axis=0, dtype=np.float64)
    return total


def without(found: Posterior, place: str) -> Floats:
    """Return the weights that the evidence of all other places gives."""
    rest = _summed(found.terms.values()) - found.terms[place]
    prior: Floats = -0.5 * (BIAS / _BIAS_SCALE) ** 2
    return _normalised(rest + prior[:, None, None])


def scale_of(scope: str) -> float:
    """Return how many times as far as a whole list the scope strays."""
    return 1.0 if scope == ALL else _PARTS


def known_cells(emulator: Emulator, row: PlaceYear) -> tuple[list[int], list[int]]:
    """Return the cells of a row that are emulated, and their columns."""
    column = {cell: k for k, cell in enumerate(emulator.cells)}
    chosen = [k for k, cell in enumerate(row.cells) if cell in column]
    return chosen, [column[row.cells[k]] for k in chosen]


def _likelihood(
    emulator: Emulator, means: Floats, rows: Sequence[PlaceYear]
) -> NDArray[np.float32]:
    """Return the logarithm of the likelihood of a place, shape (N, B, T, L)."""
    # In single precision: there is one such table a place.
    result = np.zeros((len(means), len(BIAS), len(PLACE), len(LIST)), np.float32)
    columns: list[int] = []
    years: list[int] = []
    seen: list[float] = []
    starts: list[bool] = []
    scales: list[float] = []
    for row in rows:
        chosen, at = known_cells(emulator, row)
        columns += at
        years += [row.year] * len(at)
        for k in chosen:
            is_start = row.cells[k][0] == STARTS
            starts.append(is_start)
            scales.append(scale_of(row.cells[k][0]))
            seen.append(float(row.shares[k]) if is_start else float(np.log(row.shares[k])))
    if not columns:
        return result
    start = np.array(starts)
    parts = np.array(scales)
    same_year = np.equal.outer(np.array(years), np.array(years))
    common = emulator.covariance[np.ix_(columns, columns)] * same_year
    off = np.array(seen) - means[:, columns]
    share = ~start
    for t, place in enumerate(PLACE):
        for r, own in enumerate(LIST):
            spread = (
                common
                + place**2 * np.outer(share, share)
                + START_PLACE**2 * np.outer(start, start)
                + np.diag(np.where(share, (own * parts) ** 2, _STARTED_ALL))
            )
            factor = np.linalg.cholesky(spread)
            white = np.linalg.solve(factor, off.T)
            bias = np.linalg.solve(factor, share.astype(np.float64))
            # The sum of squares as a quadratic of the bias.
            squares, cross = (white**2).sum(axis=0), bias @ white
            total = squares[:, None] - 2 * np.outer(cross, BIAS) + (bias @ bias) * BIAS**2
            result[:, :, t, r] = -0.5 * total - np.log(np.diag(factor)).sum()
    return result


@dataclass(frozen=True, slots=True)
class Marginal:
    """What is believed of one quantity, before and after the evidence.

    Attributes
    ----------
    name : str
        Parameter, or `publication_bias`, `place_sd`, `list_sd`.
    prior_mean, prior_sd, mean, sd : float
        Before and after.
    p5, p50, p95 : float
        Percentiles after.
    told : float
        Share of the prior's variance that the evidence takes away; near nought: it says nothing.
    """

    name: str
    prior_mean: float
    prior_sd: float
    mean: float
    sd: float
    p5: float
    p50: float
    p95: float

    @property
    def told(self) -> float:
        """Share of the prior's variance that the evidence takes away."""
        return 1 - (self.sd / self.prior_sd) ** 2 if self.prior_sd else 0.0


def _columns(found: Posterior) -> list[tuple[str, Floats, Floats, Floats]]:
    """Return name, values, prior and posterior weights of every quantity."""
    even = np.full(len(found.values), 1 / len(found.values))
    by_row = found.weights.sum(axis=(1, 2, 3))
    columns = [(name, found.values[:, k], even, by_row) for k, name in enumerate(found.names)]
    half_normal = _normalised(-0.5 * (BIAS / _BIAS_SCALE) ** 2)
    columns.append(("publication_bias", BIAS, half_normal, found.weights.sum(axis=(0, 2, 3))))
    flat = np.full(len(PLACE), 1 / len(PLACE))
    columns.append(("place_sd", PLACE, flat, found.weights.sum(axis=(0, 1, 3))))
    flat = np.full(len(LIST), 1 / len(LIST))
    columns.append(("list_sd", LIST, flat, found.weights.sum(axis=(0, 1, 2))))
    return columns


def _percentile(values: Floats, weights: Floats, at: float) -> float:
    order = np.argsort(values, kind="stable")
    reached = np.cumsum(weights[order])
    return float(values[order][min(int(np.searchsorted(reached, at)), len(values) - 1)])


def marginals(found: Posterior) -> tuple[Marginal, ...]:
    """Return what is believed of each quantity."""
    result = []
    for name, values, before, after in _columns(found):
        moments = []
        for weights in (before, after):
            mean = float(weights @ values)
            moments += [mean, float(np.sqrt(weights @ (values - mean) ** 2))]
        ends = (_percentile(values, after, at) for at in (0.05, 0.5, 0.95))
        result.append(Marginal(name, *moments, *ends))
    return tuple(result)


def correlations(found: Posterior) -> tuple[tuple[str, ...], Floats]:
    """Return names and posterior correlations of the parameters and the publication bias.

    What the data cannot tell apart is correlated: they know a sum, and not its parts.
    """
    names = (*found.names, "publication_bias")
    joint = found.weights.sum(axis=(2, 3))
    by_row, by_bias = joint.sum(axis=1), joint.sum(axis=0)
    mean = np.append(by_row @ found.values, by_bias @ BIAS)
    off = found.values - mean[:-1]
    bias = BIAS - mean[-1]
    covariance = np.empty((len(names), len(names)))
    covariance[:-1, :-1] = (off * by_row[:, None]).T @ off
    covariance[:-1, -1] = covariance[-1, :-1] = off.T @ (joint @ bias)
    covariance[-1, -1] = by_bias @ bias**2
    sd = np.sqrt(np.diag(covariance))
    return names, covariance / np.outer(sd, sd)


def effective_size(found: Posterior) -> float:
    """Return how many equally weighted replications the posterior is worth (Kish)."""
    by_row = found.weights.sum(axis=(1, 2, 3))
    return float(1 / (by_row**2).sum())
