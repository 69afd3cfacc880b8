"""What evidence says about a few free parameters: a posterior, not a point.

Simulation-based: replications whose parameters are spread widely teach quadratic emulators what
each month-end share is on average and how far it strays, and how far durations, costs and starts
lie from their reference classes. Points drawn from the priors are weighed by the classes first,
and then by what places published: one row a place and year, with all its months and stages; the
place is a random effect, since its years resemble each other, and places of one province share a
year's luck. The first quarter is not learned from: what it lacks beside published shares (the
festival, the winter, works that were counted before) no parameter has, and a sum that is wrong in
March would bend all that is learned of December.

The model of a published share y of place i, year t, in the cell c (a scope and a month) is

    log y = f_c(parameters) + b + a_i + e_ct + r,

where f is the emulator, b the publication bias (places publish what they can be proud of, so b is
not below zero), a_i ~ N(0, tau^2) the place, e_t ~ N(0, S) a year's common luck as simulated, and
r ~ N(0, sigma^2) what a list has of its own. Of starts the logarithm is not taken, and the bias is
another one: of the planned starts that are missing, places that publish lack a share less. A kind
of works is told beside the whole list, at the same mix of stages: how much a place files and
reports is in both, so that neither b nor a_i is in their ratio, and what strays in a ratio is taken
to be its own: two ratios of one list stray apart.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sim.analysis.emulator import Emulator, fit_emulator, fit_quadratic
from sim.plan.evidence import KINDS, STARTS, Cell, PlaceYear
from sim.runs.layout import ALL

if TYPE_CHECKING:  # it loads the engines
    from sim.runs.ensemble import Ensemble

Floats = NDArray[np.float64]

BIAS = np.linspace(0.0, 0.32, 9)
_BIAS_SCALE = 0.10
"""Prior of the publication bias: the positive half of a normal with this deviation."""
START_BIAS = np.array([0.0, 0.2, 0.4, 0.6, 0.8])
"""Shares of the missing starts that places which publish do not lack, alike likely before."""
PLACE = np.array([0.03, 0.06, 0.09, 0.12, 0.16, 0.22])
LIST = np.array([0.05, 0.07, 0.09, 0.11, 0.13, 0.16, 0.20])
"""Standard deviations of places and of lists that are weighed, alike likely before."""
FIRST_MONTH = 4
"""Shares of earlier months are held against the model, and not learned from."""
_PARTS = 2.0
"""A stage of a list strays as many times as far as the list: it is a smaller number of works."""
START_PLACE = 0.10
"""Standard deviation of a place's start ratio beside the simulated one: given, as rows are few."""
KIND_SPREADS = np.array([0.10, 0.17, 0.28, 0.45])
"""Standard deviations of a kind's ratio to its list beside the simulated one. Judgement: published
ratios of industry lie near 1.2, within 0.3 of each other, those of infrastructure between 0.46 and
1.14. Each province has one of these, alike likely: tails are heavy, and one list decides little."""
_STARTED_ALL = 1e-4
"""Variance of rounding of a start ratio."""


CLASS_SPREADS = np.array([0.04, 0.06, 0.02, 0.04, 0.05, 0.02, 0.04])
"""How well the reference classes are known, in the order of `class_totals.GAPS`: judgement. Medians
of durations rest on studies that lie 0.05 to 0.10 apart, late starts on 11 % (4 to 24), missed
years on 4 % (1 to 8); that projects lie about 40 points apart is derived from lists not kept."""
_ALIKE = ((0, 1, 0.8), (2, 3, 0.8), (4, 5, 0.5))
"""Correlations of what is not known of two of them: who errs in a median errs in a P80."""

POINTS, _KEPT = 65_536, 4_096
"""Points drawn from the priors, and those that are kept when the classes have been heard."""


@dataclass(frozen=True, slots=True)
class Posterior:
    """Weights of points and of what is not simulated.

    Attributes
    ----------
    emulator : Emulator
        What a share is on average.
    names : tuple of str
        Parameters.
    before : ndarray of float64, shape (M, K)
        Points spread as the priors.
    values : ndarray of float64, shape (N, K)
        Points spread as what the classes leave of them.
    gaps : ndarray of float64, shape (N, 7)
        How far they lead from the reference classes, in the order of `class_totals.GAPS`.
    means : ndarray of float64, shape (N, C)
        What is emulated there.
    logs : ndarray of float64, shape (N, B, T, L, S)
        Logarithm of likelihood and prior together, by point, bias, spread of places, spread of
        lists and bias of starts.
    weights : ndarray of float64, of the same shape
        Joint posterior weights.
    terms : mapping of str to ndarray, shape (N, B, T, L, S), or (N, B, T, L, 1) without starts
        Logarithm of the likelihood of all places of a province, by province.
    """

    emulator: Emulator
    names: tuple[str, ...]
    before: Floats
    values: Floats
    gaps: Floats
    means: Floats
    logs: Floats
    weights: Floats
    terms: Mapping[str, NDArray[np.float32]]

    def weights_of(self, axis: int) -> Floats:
        """Return the weights along one axis."""
        return _along(self.weights, axis)


def learn(
    ensemble: Ensemble,
    rows: Sequence[PlaceYear],
    before: Floats,
    usual: Callable[[Floats], Floats],
) -> Posterior:
    """Learn from the reference classes and from what places published.

    Parameters
    ----------
    ensemble : Ensemble
        Replications with widely spread parameters.
    rows : sequence of PlaceYear
        The evidence.
    before : ndarray of float64, shape (M, K)
        Points drawn from the priors.
    usual : callable
        Gives points with drivers at their medians: a class holds for all years.
    """
    surface = fit_quadratic(ensemble.values, ensemble.gaps)
    chosen = heard_classes(surface.means(usual(before)))
    emulator = fit_emulator(ensemble.values, ensemble.shares)
    after = before[chosen]
    gaps = surface.means(usual(after))
    return posterior(ensemble.names, after, emulator, rows, before, gaps)


def heard_classes(gaps: Floats, count: int = _KEPT) -> NDArray[np.intp]:
    """Return which points are kept, as often as the reference classes make them likely.

    Parameters
    ----------
    gaps : ndarray of float64, shape (M, 7)
        How far what the points lead to lies from the classes.
    count : int
        Points returned: systematic resampling (Kitagawa 1996), without chance.
    """
    alike = np.eye(len(CLASS_SPREADS))
    for one, other, value in _ALIKE:
        alike[one, other] = alike[other, one] = value
    scaled = gaps / CLASS_SPREADS
    logs = -0.5 * (scaled * np.linalg.solve(alike, scaled.T).T).sum(axis=1)
    reached = np.cumsum(_normalised(logs))
    places = np.searchsorted(reached, (np.arange(count) + 0.5) / count)
    return np.minimum(places, len(gaps) - 1)


def posterior(
    names: Sequence[str],
    values: Floats,
    emulator: Emulator,
    rows: Sequence[PlaceYear],
    before: Floats | None = None,
    gaps: Floats | None = None,
) -> Posterior:
    """Weigh points by what places published.

    Parameters
    ----------
    names : sequence of str
        Parameters.
    values : ndarray of float64, shape (N, K)
        Points, spread as what is believed before anything is published.
    emulator : Emulator
        From `fit_emulator`.
    rows : sequence of PlaceYear
        The evidence; cells that the emulator does not have are left out.
    before : ndarray of float64, shape (M, K), optional
        Points as believed before any evidence; `values` where not given.
    gaps : ndarray of float64, shape (N, 7), optional
        How far the points lead from the reference classes; nought where not given.
    """
    means = emulator.means(values)
    groups = sorted({row.group for row in rows})
    terms = {
        group: _likelihood(emulator, means, [row for row in rows if row.group == group])
        for group in groups
    }
    logs = np.zeros((len(values), len(BIAS), len(PLACE), len(LIST), len(START_BIAS)))
    logs += np.log(_bias_prior())[:, None, None, None]
    for term in terms.values():
        logs += term
    if gaps is None:
        gaps = np.zeros((len(values), len(CLASS_SPREADS)))
    given, weights = values if before is None else before, _normalised(logs)
    return Posterior(emulator, tuple(names), given, values, gaps, means, logs, weights, terms)


def _bias_prior() -> Floats:
    """Return the prior of the publication bias: what lies nearer to each point than to others."""
    from scipy import special

    edges = np.concatenate([[0.0], (BIAS[1:] + BIAS[:-1]) / 2, [np.inf]])
    return np.diff(special.erf(edges / (_BIAS_SCALE * np.sqrt(2))))


def _normalised(logs: Floats) -> Floats:
    weights = np.exp(logs - logs.max())
    whole: Floats = weights / weights.sum()
    return whole


def _along(weights: Floats, *axes: int) -> Floats:
    """Return sums of weights over all axes but some."""
    found: Floats = weights.sum(axis=tuple(k for k in range(weights.ndim) if k not in axes))
    return found


def without(found: Posterior, group: str) -> Floats:
    """Return the weights that the evidence of all other provinces gives."""
    return _normalised(found.logs - found.terms[group])


def scale_of(scope: str) -> float:
    """Return how many times as far as a whole list the scope strays."""
    return 1.0 if scope == ALL else _PARTS


class Known(NamedTuple):
    """What a place published of a cell that is emulated.

    Attributes
    ----------
    cell : (scope, month)
        The cell.
    column : int
        Its column.
    value : float
        A share; of a kind of works its ratio to that of the whole list.
    """

    cell: Cell
    column: int
    value: float


def known_cells(emulator: Emulator, row: PlaceYear) -> Iterator[Known]:
    """Yield what a row tells of cells that are emulated; kinds of works beside their whole list."""
    column = {cell: k for k, cell in enumerate(emulator.cells)}
    shares = dict(zip(row.cells, row.shares.tolist(), strict=True))
    for (scope, month), share in shares.items():
        if (scope, month) not in column:
            continue
        if scope not in KINDS:
            yield Known((scope, month), column[scope, month], share)
        elif (ALL, month) in shares:
            yield Known((scope, month), column[scope, month], share / shares[ALL, month])


def _likelihood(
    emulator: Emulator, means: Floats, rows: Sequence[PlaceYear]
) -> NDArray[np.float32]:
    """Return the logarithm of the likelihood of a province, shape (N, B, T, L, S or 1)."""
    places: list[str] = []
    columns: list[int] = []
    years: list[int] = []
    seen: list[float] = []
    starts: list[bool] = []
    kinds: list[bool] = []
    scales: list[float] = []
    for row in rows:
        for (scope, month), column, value in known_cells(emulator, row):
            is_start = scope == STARTS
            if not is_start and month < FIRST_MONTH:
                continue
            columns.append(column)
            places.append(row.place)
            years.append(row.year)
            starts.append(is_start)
            kinds.append(scope in KINDS)
            scales.append(scale_of(scope))
            seen.append(value if is_start else float(np.log(value)))
    biases = START_BIAS if any(starts) else START_BIAS[:1]
    # In single precision: there is one such table a province.
    shape = (len(means), len(BIAS), len(PLACE), len(LIST), len(biases))
    result = np.zeros(shape, np.float32)
    if not columns:
        return result
    start = np.array(starts)
    parts = np.array(scales)
    same_year = np.equal.outer(np.array(years), np.array(years))
    same_place = np.equal.outer(np.array(places), np.array(places))
    common = emulator.covariance[np.ix_(columns, columns)] * same_year
    kind = np.array(kinds)
    share = ~(start | kind)
    spreads = KIND_SPREADS if kind.any() else KIND_SPREADS[:1]
    logs = np.empty((len(spreads), *shape[:2], len(biases)))
    for t, place in enumerate(PLACE):
        for r, own in enumerate(LIST):
            for v, apart in enumerate(spreads):
                lone = np.where(kind, apart**2, _STARTED_ALL)
                spread = (
                    common
                    + place**2 * np.outer(share, share) * same_place
                    + START_PLACE**2 * np.outer(start, start) * same_place
                    + np.diag(np.where(share, (own * parts) ** 2, lone))
                )
                factor = np.linalg.cholesky(spread)
                bias = np.linalg.solve(factor, share.astype(np.float64))
                for s, less in enumerate(biases):
                    given = means[:, columns]
                    expected = np.where(start, started(given, less), given)
                    white = np.linalg.solve(factor, (np.array(seen) - expected).T)
                    # The sum of squares as a quadratic of the bias.
                    squares, cross = (white**2).sum(axis=0), bias @ white
                    total = squares[:, None] - 2 * np.outer(cross, BIAS) + (bias @ bias) * BIAS**2
                    logs[v, :, :, s] = -0.5 * total - np.log(np.diag(factor)).sum()
            result[:, :, t, r] = np.logaddexp.reduce(logs, axis=0) - np.log(len(spreads))
    return result


def started(simulated: Floats, bias: float | Floats) -> Floats:
    """Return the start ratios of places that lack so large a share less of the missing starts."""
    found: Floats = simulated + bias * (1 - simulated)
    return found


@dataclass(frozen=True, slots=True)
class Marginal:
    """What is believed of one quantity, before and after the evidence.

    Attributes
    ----------
    name : str
        Parameter, or `publication_bias`, `place_sd`, `list_sd`, `start_bias`.
    prior_mean, prior_sd : float
        Before.
    class_mean, class_sd : float
        When the reference classes have been heard.
    mean, sd : float
        After.
    p5, p50, p95 : float
        Percentiles after.
    told : float
        Share of the prior's variance that the evidence takes away; near nought: it says nothing.
    """

    name: str
    prior_mean: float
    prior_sd: float
    class_mean: float
    class_sd: float
    mean: float
    sd: float
    p5: float
    p50: float
    p95: float

    @property
    def told(self) -> float:
        """Share of the prior's variance that the evidence takes away."""
        return 1 - (self.sd / self.prior_sd) ** 2 if self.prior_sd else 0.0


def _moments(values: Floats, weights: Floats | None = None) -> tuple[float, float]:
    mean = float(np.average(values, weights=weights))
    return mean, float(np.sqrt(np.average((values - mean) ** 2, weights=weights)))


def _percentile(values: Floats, weights: Floats, at: float) -> float:
    order = np.argsort(values, kind="stable")
    reached = np.cumsum(weights[order])
    return float(values[order][min(int(np.searchsorted(reached, at)), len(values) - 1)])


def marginals(found: Posterior) -> tuple[Marginal, ...]:
    """Return what is believed of each quantity."""
    result = []
    by_row = found.weights_of(0)
    for k, name in enumerate(found.names):
        values = found.values[:, k]
        moments = (*_moments(found.before[:, k]), *_moments(values), *_moments(values, by_row))
        ends = (_percentile(values, by_row, at) for at in (0.05, 0.5, 0.95))
        result.append(Marginal(name, *moments, *ends))
    half_normal = _bias_prior()
    # The classes say nothing of these.
    for name, values, axis, prior in (
        ("publication_bias", BIAS, 1, half_normal), ("place_sd", PLACE, 2, None),
        ("list_sd", LIST, 3, None), ("start_bias", START_BIAS, 4, None),
    ):  # fmt: skip
        after = found.weights_of(axis)
        first = _moments(values, prior)
        ends = (_percentile(values, after, at) for at in (0.05, 0.5, 0.95))
        result.append(Marginal(name, *first, *first, *_moments(values, after), *ends))
    return tuple(result)


def remaining_gaps(found: Posterior) -> tuple[tuple[float, float], ...]:
    """Return mean and deviation of how far from each class number the posterior still lies."""
    by_row = found.weights_of(0)
    return tuple(_moments(column, by_row) for column in found.gaps.T)


def correlations(found: Posterior) -> tuple[tuple[str, ...], Floats]:
    """Return names and posterior correlations of the parameters and the publication bias.

    What the data cannot tell apart is correlated: they know a sum, and not its parts.
    """
    names = (*found.names, "publication_bias")
    joint = _along(found.weights, 0, 1)
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
    """Return how many equally weighted points the posterior is worth (Kish)."""
    by_row = found.weights_of(0)
    return float(1 / (by_row**2).sum())
