"""Pairwise correlations that a plan assumes, before anything is simulated."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.polynomial import hermite_e
from numpy.typing import NDArray

from sim.plan.language import Distribution
from sim.sampling import register
from sim.sampling.dependence import GivenCorrelation, jumps, linear_of_scores
from sim.sampling.repair import DRIVERS
from sim.sampling.sampler import Sampler

Floats = NDArray[np.float64]

RELATIONS = ("all", "type", "programme", "investor", "none")
_TERMS = 24
_ROWS = 256
"""Projects whose pairs are looked at together: memory does not grow with the square."""


@dataclass(frozen=True, slots=True)
class Assumed:
    """Correlations assumed of the pairs of projects that stand in one relation, or of two drivers.

    Attributes
    ----------
    variable : str
        `duration`, `cost` or `drivers`.
    relation : str
        What the two have in common: `type`, `programme`, `investor` (funding class), `none` of
        the three; `all` for all pairs. Of drivers, the names of the two.
    pairs : int
        How many pairs.
    scores : float
        Mean correlation of the two normal scores; NaN without pairs.
    linear : float
        Mean linear correlation of the two quantities, over pairs that both vary.
    lowest, highest : float
        Of the correlations of scores.
    """

    variable: str
    relation: str
    pairs: int
    scores: float
    linear: float
    lowest: float
    highest: float


def assumed_correlations(sampler: Sampler) -> list[Assumed]:
    """Summarise the correlations that the sampler draws with, over the projects of the target.

    Projects that are finished do not count: nothing is drawn of them that matters. The drivers
    that are correlated and switched on follow, pair by pair.

    Parameters
    ----------
    sampler : Sampler
        From `sim.sampling.sampler.build_sampler`.
    """
    portfolio = sampler.portfolio
    chosen = np.flatnonzero(portfolio.in_target & ~portfolio.finished)
    projects = [portfolio.plan.projects[i] for i in chosen.tolist()]
    labels = {name: _codes([getattr(one, name) for one in projects]) for name in RELATIONS[1:-1]}
    found = [
        one
        for variable in (register.DURATION, register.COST)
        for one in _summaries(
            variable,
            labels,
            _coefficients([getattr(one, variable) for one in projects]),
            _scores(sampler, variable, chosen),
        )
    ]
    return [*found, *_of_drivers(sampler)]


def _of_drivers(sampler: Sampler) -> Iterator[Assumed]:
    """Yield the pairs of drivers of each group, those too that were not given as a pair."""
    active = {one.name: one.active for one in sampler.drivers}
    for group in sampler.ties:
        for (a, first), (b, second) in combinations(enumerate(group.names), 2):
            if first not in active or second not in active:
                continue
            pair, score = (active[first], active[second]), float(group.matrix[a, b])
            vary = all(len(jumps(one)[0]) > 0 for one in pair)
            linear = linear_of_scores(*pair, score) if vary else np.nan
            yield Assumed(DRIVERS, f"{first};{second}", 1, score, linear, score, score)


def _codes(values: Sequence[str]) -> NDArray[np.int64]:
    """Give equal values equal numbers; what is blank has nothing in common with anything."""
    known = {name: k for k, name in enumerate(sorted(set(values) - {""}))}
    return np.array([known[one] if one else -1 - k for k, one in enumerate(values)], np.int64)


def _scores(
    sampler: Sampler, variable: str, chosen: NDArray[np.intp]
) -> Iterator[tuple[int, Floats]]:
    """Yield the correlations of the scores of some projects with all, some rows at a time.

    A cost score is rho times the duration score and an own part; what is given pair by pair takes
    the place of both (`sim.sampling.draw_projects`).
    """
    portfolio, mixed = sampler.portfolio, sampler.switched_on("dependence")
    size = portfolio.size
    given = {name: one for name, one in sampler.given.items() if one is not None and mixed}
    common = sampler.loadings.common if mixed else np.zeros((size, 0))
    rho = np.array(
        [portfolio.type_of(i).duration_cost_correlation if mixed else 0.0 for i in range(size)]
    )
    for begin in range(0, len(chosen), _ROWS):
        mine = chosen[begin : begin + _ROWS]
        rows = common[mine] @ common.T
        _put_given(rows, mine, given, register.DURATION)
        if variable == register.COST:
            rows *= np.outer(rho[mine], rho)
            if (one := given.get(register.COST)) is not None:
                rows[np.isin(mine, one.columns)] = 0.0
                rows[:, one.columns] = 0.0
                _put_given(rows, mine, given, register.COST)
        yield begin, rows[:, chosen]


def _put_given(
    rows: Floats, mine: NDArray[np.intp], given: dict[str, GivenCorrelation], variable: str
) -> None:
    if (one := given.get(variable)) is None:
        return
    matrix = one.triangle @ one.triangle.T
    place = {project: k for k, project in enumerate(one.columns.tolist())}
    for row, project in enumerate(mine.tolist()):
        if project in place:
            rows[row, one.columns] = matrix[place[project]]


def _coefficients(distributions: Sequence[Distribution]) -> Floats:
    """Return what each quantity is made of, in Hermite polynomials of its score, shape (P, K).

    Notes
    -----
    A quantity g(Z) of unit variance is the sum of a_k He_k(Z) / sqrt(k!), and two of them whose
    scores are correlated by r have the linear correlation sum a_k b_k r^k (Mehler 1866). With
    jumps dF at scores s, a_k is the sum of dF He_{k-1}(s) phi(s) / sqrt(k!). What the terms left
    out come to is less than |r|^K.
    """
    rows: dict[Distribution, Floats] = {}
    for one in distributions:
        if one not in rows:
            rows[one] = _coefficients_of(one)
    return np.stack([rows[one] for one in distributions]) if distributions else np.zeros((0, 1))


def _coefficients_of(distribution: Distribution) -> Floats:
    scores, sizes, deviation = jumps(distribution)
    if deviation == 0:
        return np.zeros(_TERMS)
    weights = sizes * np.exp(-(scores**2) / 2) / np.sqrt(2 * np.pi) / deviation
    polynomials = hermite_e.hermevander(scores, _TERMS - 1)
    factorials = np.cumprod(np.arange(1.0, _TERMS + 1))
    return np.asarray(weights @ polynomials / np.sqrt(factorials))


def _summaries(
    variable: str,
    labels: dict[str, NDArray[np.int64]],
    coefficients: Floats,
    scores: Iterator[tuple[int, Floats]],
) -> Iterator[Assumed]:
    sums = {name: np.zeros(4) for name in RELATIONS}  # pairs, scores, those that vary, linear
    ends = dict.fromkeys(RELATIONS, (np.inf, -np.inf))
    varies = (coefficients != 0).any(axis=1)
    for begin, rows in scores:
        mine = slice(begin, begin + len(rows))
        linear = _linear(rows, coefficients[mine], coefficients)
        same = {name: codes[mine, None] == codes for name, codes in labels.items()}
        above = np.arange(begin, begin + len(rows))[:, None] < np.arange(rows.shape[1])
        same |= {"all": np.ones_like(above), "none": ~np.logical_or.reduce(list(same.values()))}
        for name in RELATIONS:
            found = same[name] & above
            both = found & np.outer(varies[mine], varies)
            sums[name] += (found.sum(), rows[found].sum(), both.sum(), linear[both].sum())
            low, high = ends[name]
            ends[name] = (
                min(low, rows[found].min(initial=np.inf)),
                max(high, rows[found].max(initial=-np.inf)),
            )
    for name in RELATIONS:
        pairs, total, both, total_linear = sums[name].tolist()
        low, high = ends[name] if pairs else (np.nan, np.nan)
        yield Assumed(
            variable=variable,
            relation=name,
            pairs=int(pairs),
            scores=total / pairs if pairs else np.nan,
            linear=total_linear / both if both else np.nan,
            lowest=float(low),
            highest=float(high),
        )


def _linear(scores: Floats, mine: Floats, others: Floats) -> Floats:
    """Return linear correlations from those of scores."""
    found, power = np.zeros_like(scores), np.ones_like(scores)
    for a, b in zip(mine.T, others.T, strict=True):
        power = power * scores
        found += power * np.outer(a, b)
    return found
