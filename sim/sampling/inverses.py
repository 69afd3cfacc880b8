"""Distributions as kernels read them: rows of numbers, and the inverse of each family.

What a distribution means is said in `sim.plan.quantiles`; here it is evaluated for draws, one
number at a time, and only where the number matters.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from enum import IntEnum
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sim.jit import compiled, inlined
from sim.plan.language import Distribution
from sim.plan.quantiles import tail_cut
from sim.sampling.inverse_tables import (
    CELLS_PER_SD,
    JUST_INSIDE,
    LAST_SCORE,
    TERMS,
    log_of_gamma,
    logit_of_pert,
)
from sim.sampling.normal import (
    FARTHEST,
    exponential,
    power,
    probability_of,
    score_of,
    score_of_log,
    scores_of,
)

Floats = NDArray[np.float64]


class Family(IntEnum):
    """Families of distributions, each with the meaning of a, b, ... in `INVERSE`."""

    FIXED = 0
    """a: the value."""
    UNIFORM = 1
    """a: low; b: high - low."""
    TRIANGULAR = 2
    """a: low; b: high; c: probability below the mode; d, e: squares of the slopes."""
    NORMAL = 3
    """a: mean; b: standard deviation; c, d: ends."""
    CUT_NORMAL = 4
    """The same; e: probability below; f: probability between the ends."""
    LOGNORMAL = 5
    """a: median; b: sigma."""
    TAILED = 6
    """a: the tail's beginning; b: sigma; c: 1 - tail; d: tail; e: -1 / alpha; f: cap; g: score at
    which the body is cut; h: probability below it over that of the body."""
    FAR_TAILED = 7
    """The same for a body cut so far out that only logarithms hold h."""
    FLAT_TAILED = 8
    """The same for a body without spread; g: the median."""
    EXPONENTIAL = 9
    """a: mean."""
    WEIBULL = 10
    """a: 1 / shape; b: scale."""
    GAMMA = 11
    """a: scale; table of the logarithm of the standard quantile by normal score."""
    PERT = 12
    """a: low; b: high - low; table of the logit of the standard quantile by normal score."""
    DISCRETE = 13
    """Values, then cumulative probabilities but the last."""
    EMPIRICAL = 14
    """The sorted sample."""
    CHANCE = 15
    """a: probability; b: 1 - a; `first`: row of what is drawn when it strikes."""


INVERSE = np.dtype(
    [
        ("family", np.int64),
        ("first", np.int64),
        ("size", np.int64),
        *((name, np.float64) for name in "abcdefgh"),
    ],
    align=True,
)
"""A distribution: its family, where its numbers begin in the common list and how many they are,
and parameters."""


class Draws(NamedTuple):
    """Draws whose distributions are known before, family by family; N draws.

    Attributes
    ----------
    order : ndarray of int64, shape (N,)
        The draws by family.
    law : ndarray of int64, shape (N,)
        Their rows, in this order.
    first : ndarray of int64, shape (number of families + 1,)
        Where in it each family begins.
    """

    order: NDArray[np.int64]
    law: NDArray[np.int64]
    first: NDArray[np.int64]


_LEAST_CUT = -20.0
"""Score above which the probability of a body and its inverse lose nothing."""
_NOT_ONE = 1 - 2.0**-53
_NOT_ZERO = 2.0**-54


class Inverses:
    """Lays distributions out one after another, each different one once."""

    def __init__(self) -> None:
        self._rows: list[tuple[float, ...]] = []
        self._numbers: list[float] = []
        self._known: dict[Distribution, int] = {}
        self._medians: dict[int, float] = {}

    def add(self, distribution: Distribution) -> int:
        """Return the row of a distribution, laid out if it is new; its unit means nothing here."""
        plain = Distribution(distribution.name, distribution.parameters, "", distribution.inner)
        if plain not in self._known:
            family, first, size, parameters = self._row(plain)
            padding = (0.0,) * (8 - len(parameters))
            self._known[plain] = len(self._rows)
            self._rows.append((family, first, size, *parameters, *padding))
        return self._known[plain]

    def add_median(self, distribution: Distribution) -> int:
        """Return the row of a fixed number: what the distribution gives for one half."""
        row = self.add(distribution)
        if row not in self._medians:
            rows, numbers = self.tables()
            half = np.array([0.5])
            evaluate(rows, numbers, np.array([row]), half, 1, False, half)
            self._medians[row] = float(half[0])
        return self.add(Distribution("fixed", (self._medians[row],)))

    def draws(self, laws: Sequence[int]) -> Draws:
        """Lay out draws of these rows."""
        family = np.array([self._rows[law][0] for law in laws], np.int64)
        order = np.argsort(family, kind="stable")
        first = np.searchsorted(family[order], np.arange(len(Family) + 1))
        return Draws(order, np.array(laws, np.int64)[order], first.astype(np.int64))

    def tables(self) -> tuple[NDArray[np.void], Floats]:
        """Return the rows, of `INVERSE`, and the list of numbers."""
        return np.array(self._rows, dtype=INVERSE), np.array(self._numbers, dtype=np.float64)

    def _list(self, numbers: Sequence[float]) -> tuple[int, int]:
        first = len(self._numbers)
        self._numbers.extend(numbers)
        return first, len(numbers)

    def _row(self, one: Distribution) -> tuple[int, int, int, tuple[float, ...]]:
        values = one.parameters
        match one.name:
            case "fixed":
                return Family.FIXED, 0, 0, values
            case "uniform":
                return Family.UNIFORM, 0, 0, (values[0], values[1] - values[0])
            case "triangular" | "pert" if values[0] == values[2]:
                return Family.FIXED, 0, 0, values[:1]
            case "triangular":
                low, mode, high = values
                span = high - low
                slopes = (span * (mode - low), span * (high - mode))
                return Family.TRIANGULAR, 0, 0, (low, high, (mode - low) / span, *slopes)
            case "pert":
                return Family.PERT, *self._list(logit_of_pert(*values)), (
                    values[0], values[2] - values[0],
                )  # fmt: skip
            case "gamma":
                return Family.GAMMA, *self._list(log_of_gamma(values[0])), (values[1],)
            case "normal":
                return _normal(*values)
            case "lognormal":
                return _lognormal(*values)
            case "exponential":
                return Family.EXPONENTIAL, 0, 0, values
            case "weibull":
                return Family.WEIBULL, 0, 0, (1 / values[0], values[1])
            case "discrete":
                half = len(values) // 2
                steps = np.cumsum(values[half:])[:-1].tolist()
                return Family.DISCRETE, *self._list([*values[:half], *steps]), ()
            case "empirical":
                return Family.EMPIRICAL, *self._list(values), ()
            case "chance":
                assert one.inner is not None
                if values[0] == 0:
                    return Family.FIXED, 0, 0, (0.0,)
                inner = self.add(one.inner)
                return Family.CHANCE, inner, 0, (values[0], 1 - values[0])
        raise ValueError(f"no inverse for '{one.name}'")


def _normal(
    mean: float, sd: float, low: float, high: float
) -> tuple[int, int, int, tuple[float, ...]]:
    from scipy import special

    if sd == 0:
        return Family.FIXED, 0, 0, (mean,)
    if math.isinf(low) and math.isinf(high):
        return Family.NORMAL, 0, 0, (mean, sd, low, high)
    below = float(special.ndtr((low - mean) / sd))
    between = float(special.ndtr((high - mean) / sd)) - below
    return Family.CUT_NORMAL, 0, 0, (mean, sd, low, high, below, between)


def _lognormal(
    middle: float, sigma: float, tail: float, tail_from: float, alpha: float, cap: float
) -> tuple[int, int, int, tuple[float, ...]]:
    from scipy import special

    if tail == 0:
        return Family.LOGNORMAL, 0, 0, (middle, sigma)
    common = (tail_from, sigma, 1 - tail, tail, -1 / alpha, cap)
    if sigma == 0:
        return Family.FLAT_TAILED, 0, 0, (*common, middle)
    cut = tail_cut(middle, sigma, tail, tail_from)
    if cut < _LEAST_CUT:
        return Family.FAR_TAILED, 0, 0, (*common, cut, float(special.log_ndtr(cut)))
    return Family.TAILED, 0, 0, (*common, cut, float(special.ndtr(cut)) / (1 - tail))


@compiled
def _plain(
    family: int, a: float, b: float, c: float, d: float, e: float, f: float, u: float
) -> float:
    """Return the quantile of a family that needs neither score nor list."""
    if family == Family.FIXED:
        return a
    if family == Family.TRIANGULAR:
        return a + math.sqrt(u * d) if u < c else b - math.sqrt((1.0 - u) * e)
    if family == Family.UNIFORM:
        return a + u * b
    if family == Family.CUT_NORMAL:
        return min(max(a + b * score_of(e + u * f), c), d)
    if family == Family.EXPONENTIAL:
        return -a * math.log1p(-u)
    return b * power(-math.log1p(-u), a)


@compiled
def _beyond(a: float, d: float, e: float, f: float, u: float) -> float:
    """Return a quantile in the tail."""
    return min(a * power(min((1.0 - u) / d, 1.0), e), f)


@compiled
def _tailed(
    family: int, a: float, b: float, c: float, d: float, e: float, f: float, g: float, h: float,
    u: float,
) -> float:  # fmt: skip
    """Return the quantile of a lognormal body with a Pareto tail."""
    if u >= c:
        return _beyond(a, d, e, f, u)
    if family == Family.FLAT_TAILED:
        return g
    if family == Family.TAILED:
        score = score_of(min(u * h, _NOT_ONE))
    else:
        score = score_of_log(math.log(u / c) + h)
    return a * exponential(b * (score - g))


@compiled
def evaluate(
    rows: NDArray[np.void],
    numbers: Floats,
    which: NDArray[np.int64],
    given: Floats,
    count: int,
    are_scores: bool,
    out: Floats,
) -> None:
    """Evaluate inverse distribution functions, one after another.

    Parameters
    ----------
    rows : ndarray of INVERSE
        Distributions.
    numbers : ndarray of float64
        Their lists and tables.
    which : ndarray of int64, shape (at least count,)
        The row of each.
    given : ndarray of float64, shape (at least count,)
        Probabilities strictly between 0 and 1; or normal scores, which stand for their
        probabilities: what lies beyond `FARTHEST` counts as lying there, and what is simple in
        the score is not sent through its probability and back.
    count : int
        How many.
    are_scores : bool
        Whether scores are given.
    out : ndarray of float64, shape (at least count,)
        Filled with the quantiles; may be `given` itself.
    """
    # Only numbers are passed on: an array that goes from hand to hand costs more than the sums.
    for k in range(count):
        one = rows[which[k]]
        family = one["family"]
        if family == Family.FIXED:
            out[k] = one["a"]
            continue
        score_given = are_scores
        score = u = given[k]
        if are_scores:
            score = min(max(score, -FARTHEST), FARTHEST)
        if family == Family.CHANCE:
            if score_given:
                u = probability_of(score)
                score_given = False
            if u <= one["b"]:
                out[k] = 0.0
                continue
            u = (u - one["b"]) / max(one["a"], 1e-300)
            u = min(max(u, _NOT_ZERO), _NOT_ONE)
            one = rows[one["first"]]
            family = one["family"]
        if (
            family == Family.LOGNORMAL
            or family == Family.NORMAL
            or family == Family.GAMMA
            or family == Family.PERT
        ):
            if not score_given:
                score = score_of(u)
            if family == Family.LOGNORMAL:
                out[k] = one["a"] * exponential(one["b"] * score)
                continue
            if family == Family.NORMAL:
                out[k] = one["a"] + one["b"] * score
                continue
            place = (min(max(score, -LAST_SCORE), JUST_INSIDE) + LAST_SCORE) * CELLS_PER_SD
            cell = int(place)
            t = 2.0 * (place - cell) - 1.0
            begin = one["first"] + cell * TERMS
            y = numbers[begin + TERMS - 1]
            for term in range(TERMS - 2, -1, -1):
                y = y * t + numbers[begin + term]
            if family == Family.GAMMA:
                out[k] = one["a"] * exponential(y)
            else:
                out[k] = one["a"] + one["b"] / (1.0 + math.exp(-y))
            continue
        if score_given:
            u = probability_of(score)
        if family == Family.EMPIRICAL:
            size = one["size"]
            out[k] = numbers[one["first"] + min(max(math.ceil(u * size) - 1, 0), size - 1)]
        elif family == Family.DISCRETE:
            length = (one["size"] + 1) // 2
            low, high = 0, length - 1
            while low < high:
                middle = (low + high) // 2
                if numbers[one["first"] + length + middle] < u:
                    low = middle + 1
                else:
                    high = middle
            out[k] = numbers[one["first"] + low]
        elif family == Family.TAILED or family == Family.FAR_TAILED or family == Family.FLAT_TAILED:
            out[k] = _tailed(
                family, one["a"], one["b"], one["c"], one["d"], one["e"], one["f"], one["g"],
                one["h"], u,
            )  # fmt: skip
        else:
            out[k] = _plain(
                family, one["a"], one["b"], one["c"], one["d"], one["e"], one["f"], u
            )  # fmt: skip


@inlined
def _bounded(score: float) -> float:
    return min(max(score, -FARTHEST), FARTHEST)


@compiled
def evaluate_draws(
    rows: NDArray[np.void],
    numbers: Floats,
    draws: Draws,
    given: Floats,
    are_scores: bool,
    room: Floats,
    out: Floats,
) -> None:
    """Evaluate draws as `evaluate` does, to the same numbers; families that most have in strides.

    Parameters
    ----------
    rows, numbers, given, are_scores
        As for `evaluate`.
    draws : Draws
        The distributions.
    room : ndarray of float64, shape (3, at least N)
        Room.
    out : ndarray of float64, shape (N,)
        Filled with the quantiles; may be `given` itself.
    """
    mine, middle, found = room[0], room[1], room[2]
    for family in range(len(draws.first) - 1):
        first, end = draws.first[family], draws.first[family + 1]
        order, law, count = draws.order[first:end], draws.law[first:end], end - first
        for k in range(count):
            mine[k] = given[order[k]]
        if family == Family.LOGNORMAL:
            if are_scores:
                for k in range(count):
                    found[k] = _bounded(mine[k])
            else:
                scores_of(mine, count, found)
            for k in range(count):
                one = rows[law[k]]
                found[k] = one["a"] * exponential(one["b"] * found[k])
        elif family == Family.TAILED:
            for k in range(count):
                if are_scores:
                    mine[k] = probability_of(_bounded(mine[k]))
                middle[k] = min(mine[k] * rows[law[k]]["h"], _NOT_ONE)
            scores_of(middle, count, found)
            for k in range(count):
                one = rows[law[k]]
                if mine[k] >= one["c"]:
                    found[k] = _beyond(one["a"], one["d"], one["e"], one["f"], mine[k])
                else:
                    found[k] = one["a"] * exponential(one["b"] * (found[k] - one["g"]))
        else:
            evaluate(rows, numbers, law, mine, count, are_scores, found)
        for k in range(count):
            out[order[k]] = found[k]
