"""Published shares of kinds of works beside all works of the same list: ratios, not levels.

A place's level says how it files and reports; the ratio of two kinds in one list says less of that.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sim.plan.evidence import KINDS, PlaceYear
from sim.runs.layout import ALL


@dataclass(frozen=True, slots=True)
class ScopeRatio:
    """Two shares of one place, year and month.

    Attributes
    ----------
    place : str
        Place.
    year, month : int
        Plan year, and month from 1 to 12.
    above, below : str
        Scopes of the two.
    ratio : float
        Share of the first over that of the second.
    """

    place: str
    year: int
    month: int
    above: str
    below: str
    ratio: float


def scope_ratios(rows: Sequence[PlaceYear], above: str, below: str) -> tuple[ScopeRatio, ...]:
    """Return every ratio of two scopes that places have published, by month.

    Parameters
    ----------
    rows : sequence of PlaceYear
        Evidence.
    above, below : str
        Scopes.
    """
    found = []
    for row in rows:
        shares = dict(zip(row.cells, row.shares.tolist(), strict=True))
        for scope, month in row.cells:
            if scope == above and (below, month) in shares and shares[below, month] > 0:
                ratio = shares[above, month] / shares[below, month]
                found.append(ScopeRatio(row.place, row.year, month, above, below, ratio))
    return tuple(sorted(found, key=lambda one: (one.month, one.year, one.place)))


def beside_all(rows: Sequence[PlaceYear]) -> tuple[PlaceYear, ...]:
    """Return rows whose shares of kinds of works are ratios to the whole list of that month.

    Parameters
    ----------
    rows : sequence of PlaceYear
        Evidence, all of it shares. A share of a kind without one of the whole list is left out.
    """
    found = []
    for row in rows:
        shares = dict(zip(row.cells, row.shares.tolist(), strict=True))
        told = {
            (scope, month): share / shares[ALL, month] if scope in KINDS else share
            for (scope, month), share in shares.items()
            if scope not in KINDS or (ALL, month) in shares
        }
        found.append(
            dataclasses.replace(row, cells=tuple(told), shares=np.array(list(told.values())))
        )
    return tuple(found)
