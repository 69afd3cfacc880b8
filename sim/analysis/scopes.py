"""Published shares of kinds of works beside all works of the same list: ratios, not levels.

A place's level says how it files and reports; the ratio of two kinds in one list says less of that.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sim.plan.evidence import PlaceYear


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
