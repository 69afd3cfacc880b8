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

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Cell = tuple[str, int]
"""Scope and month, 1 to 12."""

STARTS = "starts"
_BIAS = np.linspace(0.0, 0.30, 13)
_BIAS_SCALE = 0.10
_PLACE = np.array([0.02, 0.05, 0.08, 0.11, 0.14, 0.18, 0.22, 0.28])
_LIST = np.array([0.02, 0.05, 0.08, 0.12, 0.17])
_START_PLACE = 0.10
"""Standard deviation of a place's start ratio beside the simulated one; nine rows cannot tell."""


@dataclass(frozen=True, slots=True)
class PlaceYear:
    """What one place published of one year.

    Attributes
    ----------
    place : str
        Its name, the same for all its years.
    year : int
        Plan year.
    cells : tuple of (scope, month)
        What was published.
    shares : ndarray of float64, shape (n,)
        Shares of the annual plan, or of planned starts.
    """

    place: str
    year: int
    cells: tuple[Cell, ...]
    shares: Floats


@dataclass(frozen=True, slots=True)
class Emulator:
    """A quadratic of the parameters for each cell.

    Attributes
    ----------
    cells : tuple of (scope, month)
        What is emulated; logarithms of shares but for starts.
    centre, half : ndarray of float64, shape (K,)
        Middle and half-width of the parameters' ranges.
    coefficients : ndarray of float64, shape (F, C)
        Of constant, linear and quadratic terms.
    covariance : ndarray of float64, shape (C, C)
        Of what the parameters leave: a year's common luck, the same for all its cells.
    explained : ndarray of float64, shape (C,)
        Share of a cell's variance that the parameters explain.
    """

    cells: tuple[Cell, ...]
    centre: Floats
    half: Floats
    coefficients: Floats
    covariance: Floats
    explained: Floats

    def means(self, values: Floats) -> Floats:
        """Return the emulated means at parameters of shape (N, K), shape (N, C)."""
        return _terms((values - self.centre) / self.half) @ self.coefficients


def _terms(scaled: Floats) -> Floats:
    count = scaled.shape[1]
    first, second = np.triu_indices(count)
    return np.concatenate(
        [np.ones((len(scaled), 1)), scaled, scaled[:, first] * scaled[:, second]], axis=1
    )


def fit_emulator(values: Floats, shares: Mapping[str, Floats]) -> Emulator:
    """Fit the emulator to an ensemble.

    Parameters
    ----------
    values : ndarray of float64, shape (N, K)
        Parameters.
    shares : mapping of str to ndarray of float64, shape (N, 12)
        By scope. Cells in which a share is ever nought are left out: they have no logarithm.
    """
    columns, cells = [], []
    for scope, table in shares.items():
        for month in range(table.shape[1]):
            column = table[:, month]
            if scope != STARTS:
                if column.min() <= 0:
                    continue
                column = np.log(column)
            columns.append(column)
            cells.append((scope, month + 1))
    found = np.stack(columns, axis=1)
    low, high = values.min(axis=0), values.max(axis=0)
    centre, half = (low + high) / 2, (high - low) / 2
    terms = _terms((values - centre) / half)
    coefficients = np.linalg.lstsq(terms, found, rcond=None)[0]
    rest = found - terms @ coefficients
    covariance = rest.T @ rest / (len(values) - terms.shape[1])
    total = found.var(axis=0)
    explained = 1 - rest.var(axis=0) / np.where(total > 0, total, 1.0)
    return Emulator(tuple(cells), centre, half, coefficients, covariance, explained)


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
    weights : ndarray of float64, shape (N, B, T, L)
        Joint posterior weights by replication, bias, spread of places and spread of lists.
    terms : mapping of str to ndarray, shape (N, B, T, L)
        Logarithm of each place's likelihood, by place.
    """

    emulator: Emulator
    names: tuple[str, ...]
    values: Floats
    weights: Floats
    terms: Mapping[str, Floats]


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
    prior = -0.5 * (_BIAS / _BIAS_SCALE) ** 2
    weights = _normalised(sum(terms.values()) + prior[:, None, None])
    return Posterior(emulator, tuple(names), values, weights, terms)


def _normalised(logs: Floats) -> Floats:
    weights: Floats = np.exp(logs - logs.max())
    return weights / weights.sum()


def without(found: Posterior, place: str) -> Floats:
    """Return the weights that the evidence of all other places gives."""
    rest = sum(term for name, term in found.terms.items() if name != place)
    return _normalised(rest - 0.5 * (_BIAS / _BIAS_SCALE)[:, None, None] ** 2)


def _known(emulator: Emulator, row: PlaceYear) -> tuple[list[int], list[int]]:
    """Return the cells of a row that are emulated, and their columns."""
    column = {cell: k for k, cell in enumerate(emulator.cells)}
    chosen = [k for k, cell in enumerate(row.cells) if cell in column]
    return chosen, [column[row.cells[k]] for k in chosen]


def _likelihood(emulator: Emulator, means: Floats, rows: Sequence[PlaceYear]) -> Floats:
    """Return the logarithm of the likelihood of a place, shape (N, B, T, L)."""
    result = np.zeros((len(means), len(_BIAS), len(_PLACE), len(_LIST)))
    columns: list[int] = []
    years: list[int] = []
    seen: list[float] = []
    starts: list[bool] = []
    for row in rows:
        chosen, at = _known(emulator, row)
        columns += at
        years += [row.year] * len(at)
        for k in chosen:
            is_start = row.cells[k][0] == STARTS
            starts.append(is_start)
            seen.append(float(row.shares[k]) if is_start else float(np.log(row.shares[k])))
    if not columns:
        return result
    start = np.array(starts)
    same_year = np.equal.outer(np.array(years), np.array(years))
    common = emulator.covariance[np.ix_(columns, columns)] * same_year
    off = np.array(seen) - means[:, columns]
    share = ~start
    for t, place in enumerate(_PLACE):
        for r, own in enumerate(_LIST):
            spread = (
                common
                + place**2 * np.outer(share, share)
                + _START_PLACE**2 * np.outer(start, start)
                + np.diag(np.where(share, own**2, 1e-4))
            )
            factor = np.linalg.cholesky(spread)
            white = np.linalg.solve(factor, off.T)
            bias = np.linalg.solve(factor, share.astype(np.float64))
            # The sum of squares as a quadratic of the bias.
            squares, cross = (white**2).sum(axis=0), bias @ white
            total = squares[:, None] - 2 * np.outer(cross, _BIAS) + (bias @ bias) * _BIAS**2
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
    half_normal = _normalised(-0.5 * (_BIAS / _BIAS_SCALE) ** 2)
    columns.append(("publication_bias", _BIAS, half_normal, found.weights.sum(axis=(0, 2, 3))))
    flat = np.full(len(_PLACE), 1 / len(_PLACE))
    columns.append(("place_sd", _PLACE, flat, found.weights.sum(axis=(0, 1, 3))))
    flat = np.full(len(_LIST), 1 / len(_LIST))
    columns.append(("list_sd", _LIST, flat, found.weights.sum(axis=(0, 1, 2))))
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
    mean = np.append(by_row @ found.values, by_bias @ _BIAS)
    off = found.values - mean[:-1]
    bias = _BIAS - mean[-1]
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


def standing(found: Posterior, row: PlaceYear, *, left_out: bool = True) -> Floats:
    """Return how far up in its predictive band each share of a place lies, shape (n,).

    Parameters
    ----------
    found : Posterior
        The posterior.
    row : PlaceYear
        What a place published.
    left_out : bool
        Whether the evidence of the place itself is left out.

    Returns
    -------
    ndarray of float64
        Between 0 and 1; NaN for cells that are not emulated. A band from 0.1 to 0.9 holds a share
        that stands between.
    """
    from scipy import special

    weights = without(found, row.place) if left_out else found.weights
    chosen, columns = _known(found.emulator, row)
    means = found.emulator.means(found.values)
    result = np.full(len(row.cells), np.nan)
    for k, column in zip(chosen, columns, strict=True):
        luck = found.emulator.covariance[column, column]
        if row.cells[k][0] == STARTS:
            spread = np.sqrt(luck + _START_PLACE**2)
            below = special.ndtr((row.shares[k] - means[:, column]) / spread)
            result[k] = weights.sum(axis=(1, 2, 3)) @ below
            continue
        spread = np.sqrt(luck + _PLACE[:, None] ** 2 + _LIST**2)
        off = np.log(row.shares[k]) - means[:, column]
        # Rows of no weight are left out: they are most.
        heavy = weights.sum(axis=(1, 2, 3)) > 1e-9
        score = (off[heavy, None] - _BIAS)[:, :, None, None] / spread
        result[k] = float((weights[heavy] * special.ndtr(score)).sum())
    return result
