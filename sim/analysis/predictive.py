"""What another place may publish, and how often places published what was to be expected."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sim.analysis.calibration import (
    BIAS,
    FIRST_MONTH,
    KIND_SPREADS,
    LIST,
    PLACE,
    START_BIAS,
    START_PLACE,
    Known,
    Posterior,
    known_cells,
    scale_of,
    started,
    without,
)
from sim.plan.evidence import KINDS, STARTS, Cell, PlaceYear

Floats = NDArray[np.float64]

FIRST_QUARTER, LATER = "first_quarter", "later"
KINDS_TOLD, KINDS_LATER = "kinds", "kinds_later"
_CELLS, _GRID = 120, 200
"""Cells of means and points of the grid: both far finer than the spreads."""


@dataclass(frozen=True, slots=True)
class Beliefs:
    """Posterior weights as forecasts need them.

    Attributes
    ----------
    shares : ndarray of float64, shape (N, B, T L)
        By point, publication bias, and spread of places and lists.
    starts : ndarray of float64, shape (N, S)
        By point and bias of starts.
    """

    shares: Floats
    starts: Floats


def beliefs(weights: Floats) -> Beliefs:
    """Return what forecasts need of joint weights."""
    shares = weights.sum(axis=4)
    return Beliefs(shares.reshape(*shares.shape[:2], -1), weights.sum(axis=(1, 2, 3)))


@dataclass(frozen=True, slots=True)
class Predictive:
    """Where a share that another place publishes may lie.

    Attributes
    ----------
    shares : ndarray of float64, shape (G,)
        Shares, rising.
    below : ndarray of float64, shape (G,)
        Probability of a smaller one.
    """

    shares: Floats
    below: Floats

    def percentile(self, at: float) -> float:
        """Return the share that is not exceeded with a probability."""
        return float(np.interp(at, self.below, self.shares))

    def standing(self, share: float) -> float:
        """Return the probability of a smaller share."""
        return float(np.interp(share, self.shares, self.below))


def predictive(
    found: Posterior, cell: Cell, believed: Beliefs, *, biased: bool = True
) -> Predictive:
    """Return the distribution of a share of a place that is not among the evidence.

    Parameters
    ----------
    found : Posterior
        The posterior.
    cell : (scope, month)
        One that is emulated.
    believed : Beliefs
        By all evidence, or without that of some place.
    biased : bool
        Whether the place publishes (publication bias on), or is any place.

    Notes
    -----
    A mixture of normals: means are sorted into cells first, so that each spread is worked out for
    a few hundred means and not for all.
    """
    from scipy import special

    column = found.emulator.cells.index(cell)
    luck, means = found.emulator.covariance[column, column], found.means[:, column, None]
    if cell[0] == STARTS:
        means = started(means, START_BIAS if biased else np.zeros(len(START_BIAS)))
        weights = believed.starts[:, :, None]
        spreads = np.sqrt([luck + START_PLACE**2])
    elif cell[0] in KINDS:
        even = np.full(len(KIND_SPREADS), 1 / len(KIND_SPREADS))
        weights = believed.shares.sum(axis=(1, 2))[:, None, None] * even
        spreads = np.sqrt(luck + KIND_SPREADS**2)
    else:
        means = means + (BIAS if biased else np.zeros(len(BIAS)))
        weights = believed.shares
        own = LIST * scale_of(cell[0])
        spreads = np.sqrt(luck + PLACE[:, None] ** 2 + own**2).ravel()
    edges = np.linspace(means.min() - 1e-9, means.max() + 1e-9, _CELLS + 1)
    at = np.digitize(means, edges[1:-1])
    masses = np.stack(
        [np.bincount(at.ravel(), part.ravel(), _CELLS) for part in np.moveaxis(weights, -1, 0)]
    )
    middles = (edges[:-1] + edges[1:]) / 2
    reach = 4.5 * spreads.max()
    grid = np.linspace(edges[0] - reach, edges[-1] + reach, _GRID)
    below = np.zeros(_GRID)
    for spread, mass in zip(spreads, masses, strict=True):
        below += special.ndtr((grid[:, None] - middles) / spread) @ mass
    return Predictive(grid if cell[0] == STARTS else np.exp(grid), below)


@dataclass(frozen=True, slots=True)
class Held:
    """A published share beside what the evidence of all other places makes of it.

    Attributes
    ----------
    place : str
        Place.
    year : int
        Plan year.
    scope : str
        Of the share.
    month : int
        1 to 12.
    share : float
        As published; of a kind of works its ratio to the whole list.
    p10, p50, p90 : float
        Percentiles for a place that publishes.
    standing : float
        Probability of a smaller share.
    kind : str
        What it counts as: its scope; `first_quarter` for a share of January to March, which is not
        learned from; `later` for one of a year that is not. Ratios of kinds of works: `kinds`, and
        `kinds_later` for those that are not learned from.
    """

    place: str
    year: int
    scope: str
    month: int
    share: float
    p10: float
    p50: float
    p90: float
    standing: float
    kind: str

    @property
    def inside(self) -> bool:
        """Whether the share lies in the band of 80 %."""
        return 0.1 <= self.standing <= 0.9


def held_against(
    found: Posterior, rows: Sequence[PlaceYear], later: Sequence[PlaceYear] = ()
) -> tuple[Held, ...]:
    """Hold published shares against evidence that has no part in them.

    Parameters
    ----------
    found : Posterior
        The posterior.
    rows : sequence of PlaceYear
        What was learned from; each is held against the evidence of all other provinces.
    later : sequence of PlaceYear
        Of years that were not learned from; held against all the evidence of earlier years but
        that of their own province.
    """
    result = []
    everything = sorted({row.group for row in (*rows, *later)})
    for group in everything:
        known = found.weights if group not in found.terms else without(found, group)
        believed = beliefs(known)
        bands: dict[Cell, Predictive] = {}
        for part, name in ((rows, ""), (later, LATER)):
            for row in (one for one in part if one.group == group):
                for one in known_cells(found.emulator, row):
                    if one.cell not in bands:
                        bands[one.cell] = predictive(found, one.cell, believed)
                    result.append(_held(row, one, bands[one.cell], name))
    return tuple(result)


def _held(row: PlaceYear, one: Known, band: Predictive, name: str) -> Held:
    (scope, month), share = one.cell, one.value
    early = scope != STARTS and month < FIRST_MONTH
    low, middle, high = (band.percentile(at) for at in (0.1, 0.5, 0.9))
    if scope in KINDS:
        kind = KINDS_LATER if early or name else KINDS_TOLD
    else:
        kind = FIRST_QUARTER if early else name or scope
    below = band.standing(share)
    return Held(row.place, row.year, scope, month, share, low, middle, high, below, kind)


@dataclass(frozen=True, slots=True)
class Coverage:
    """How often published shares lie in the band of 80 %.

    Attributes
    ----------
    scope : str
        Of the shares.
    places : int
        Places that published any.
    shares : int
        Shares they published.
    inside : float
        Mean over places of the part of a place's shares that lies inside.
    low, high : float
        95 % interval of that mean: Wilson's, of as many places.
    """

    scope: str
    places: int
    shares: int
    inside: float
    low: float
    high: float


def coverage(held: Sequence[Held]) -> tuple[Coverage, ...]:
    """Count by kind; places count alike, as the shares of one are alike."""
    result = []
    for scope in dict.fromkeys(one.kind for one in held):
        mine = [one for one in held if one.kind == scope]
        places = sorted({one.place for one in mine})
        parts = np.array(
            [np.mean([one.inside for one in mine if one.place == place]) for place in places]
        )
        low, high = _wilson(float(parts.mean()), len(places))
        result.append(Coverage(scope, len(places), len(mine), float(parts.mean()), low, high))
    return tuple(result)


def _wilson(share: float, count: int) -> tuple[float, float]:
    """Return the 95 % interval of a share (Wilson 1927); never without width."""
    squared = 1.959964**2
    middle = (share + squared / (2 * count)) / (1 + squared / count)
    spread = share * (1 - share) / count + squared / (4 * count**2)
    reach = np.sqrt(squared * spread) / (1 + squared / count)
    return max(float(middle - reach), 0.0), min(float(middle + reach), 1.0)
