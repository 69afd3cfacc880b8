"""Grids on which outcomes are counted: equal cells up to the plan and beyond, wider ones above.

A quantity is counted in cells that are open below and closed above. Cell 0 takes what is at most
`low`; then come `cells` of `width`, `wide_cells` of `wide`, and one last cell for what lies above.
The upper edge of a cell stands for what is in it, yet never less than the smallest nor more than
the largest value seen: a percentile is right to one cell, and exact where nothing varies.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]

BLOCK_SHIFT = 6
"""Cells of the counts by block are 2 to this times as wide: 64 days, or 64 cells of money."""


class Grid(NamedTuple):
    """Cells of one quantity; see above."""

    low: int
    width: int
    cells: int
    wide: int = 1
    wide_cells: int = 0


def round_width(most: int) -> int:
    """Return the largest of 1, 2, 5, 10, 20, 50, ... that is at most `most`, at least 1."""
    power = int("1".ljust(len(str(max(most, 1))), "0"))
    return max(step * power for step in (1, 2, 5) if step * power <= max(most, 1))


def day_grid(days: int) -> Grid:
    """Return a cell for each day from 0 to the horizon; `NEVER` falls into the last cell."""
    return Grid(-1, 1, days)


def money_grid(plan: int, parts: int, whole: int, whole_parts: int) -> Grid:
    """Return cells of a share of a plan up to five quarters of it, and of a greater whole above.

    Parameters
    ----------
    plan : int
        Yuan; `whole` where nil.
    parts : int
        Cells of the plan, at least: widths are rounded down to 1, 2 or 5 and noughts.
    whole : int
        Yuan that the quantity may come near; cells reach to five quarters of it, too.
    whole_parts : int
        Cells of the whole, at least.
    """
    plan, whole = plan or whole, max(plan, whole)
    width = round_width(plan // parts)
    wide = max(round_width(whole // whole_parts), width)
    cells = max(-(-5 * plan // (4 * width)), 1)
    beyond = -(-5 * whole // 4) - cells * width
    return Grid(0, width, cells, wide, max(-(-beyond // wide), 0))


def number_grid(most: int, reach: int) -> Grid:
    """Return a cell for each whole number up to `most`, and 128 from there to `reach`."""
    wide = max(-(-(reach - most) // 128), 1)
    return Grid(0, 1, most, wide, max(-(-(reach - most) // wide), 0))


@dataclass(frozen=True, slots=True)
class Grids:
    """The grids of many quantities, and where their counts stand in flat arrays.

    Attributes
    ----------
    low, width, cells, wide, wide_cells : ndarray of int64, shape (Q,)
        As in `Grid`.
    first : ndarray of int64, shape (Q + 1,)
        Where the counts of each quantity begin.
    block_first : ndarray of int64, shape (Q + 1,)
        Where the coarser counts by block begin: each block has a row.
    """

    low: Ints
    width: Ints
    cells: Ints
    wide: Ints
    wide_cells: Ints
    first: Ints
    block_first: Ints

    @property
    def last(self) -> Ints:
        """Number of the last cell of each quantity."""
        return self.cells + self.wide_cells + 1

    def cell_of(self, quantities: slice, values: Ints) -> Ints:
        """Return the cell of a value of each quantity: what the kernel does, for many at once."""
        low, width, cells = self.low[quantities], self.width[quantities], self.cells[quantities]
        wide, last = self.wide[quantities], self.last[quantities]
        over = values - low - 1
        fine = over // width
        beyond = cells + 1 + (over - cells * width) // wide
        found = np.where(fine < cells, fine + 1, np.minimum(beyond, last))
        return np.asarray(np.where(over < 0, 0, found), dtype=np.int64)

    def edge(self, quantities: slice, cell: Ints) -> Ints:
        """Return the upper edge of a cell of each quantity; of the last cell, its lower one."""
        cells = self.cells[quantities]
        inside = np.minimum(cell, cells)
        beyond = np.minimum(cell - inside, self.wide_cells[quantities])
        edge = self.low[quantities] + inside * self.width[quantities]
        return np.asarray(edge + beyond * self.wide[quantities], dtype=np.int64)


def lay_out(grids: Iterable[Sequence[int]], blocks: int) -> Grids:
    """Put the counts of many quantities one behind the other.

    Parameters
    ----------
    grids : iterable of Grid
        Of each quantity.
    blocks : int
        Rows of the coarser counts.
    """
    table = np.array([tuple(grid) for grid in grids], dtype=np.int64).reshape(-1, 5)
    low, width, cells, wide, wide_cells = (np.ascontiguousarray(row) for row in table.T)
    last = cells + wide_cells + 1
    # The last cell has a coarse one of its own: what lies beyond the horizon is told by block.
    coarse = ((last - 1) >> BLOCK_SHIFT) + 2
    return Grids(
        low, width, cells, wide, wide_cells,
        first=np.concatenate([np.zeros(1, np.int64), np.cumsum(last + 1)]),
        block_first=np.concatenate([np.zeros(1, np.int64), np.cumsum(coarse * blocks)]),
    )  # fmt: skip
