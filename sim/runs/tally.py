"""The tally: exact counts and sums of replications, the same in whatever order they come.

Memory does not grow with replications. Everything is a whole number, so that folding batches of
any size in any order, in any number of processes, gives the same arrays bit for bit.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.runs.counting import BLOCKS, LIMB
from sim.runs.layout import Layout
from sim.runs.telling import LONG, add_told, is_told, tell_filled

Ints = NDArray[np.int64]
Counts = NDArray[np.int32]
Bytes = NDArray[np.uint8]

_ADDED = ("sizes", "above", "low_sums", "high_sums")
"""Arrays of a tally that are added to those of another as they are."""
_TOLD = ("counts", "block_counts")
"""Counts, most of them zero: others are told by what is not."""


@dataclass(frozen=True, slots=True)
class Tally:
    """Counts and sums of the quantities of a layout; blocks in the last axis.

    Attributes
    ----------
    layout : Layout
        Where each quantity stands.
    sizes : ndarray of int64, shape (BLOCKS,)
        Replications of each block.
    counts : ndarray of int32
        How many replications lie in each cell of `layout.grids`.
    block_counts : ndarray of int32
        The same by block, in coarser cells.
    above : ndarray of int32, shape (Q, BLOCKS)
        Replications above the mark.
    least, most : ndarray of int64, shape (Q,)
        Smallest and largest value.
    low_sums, high_sums : ndarray of int64, shape (S, BLOCKS)
        Sums: high times 2**32 plus low.
    """

    layout: Layout
    sizes: Ints
    counts: Counts
    block_counts: Counts
    above: Counts
    least: Ints
    most: Ints
    low_sums: Ints
    high_sums: Ints

    @property
    def replications(self) -> int:
        """Number of replications."""
        return int(self.sizes.sum())


def empty_tally(layout: Layout) -> Tally:
    """Return the tally of no replication."""
    grids, counted = layout.grids, len(layout.grids.low)
    limits = np.iinfo(np.int64)
    return Tally(
        layout=layout,
        sizes=np.zeros(BLOCKS, np.int64),
        counts=np.zeros(int(grids.first[-1]), np.int32),
        block_counts=np.zeros(int(grids.block_first[-1]), np.int32),
        above=np.zeros((counted, BLOCKS), np.int32),
        least=np.full(counted, limits.max, np.int64),
        most=np.full(counted, limits.min, np.int64),
        low_sums=np.zeros((layout.size, BLOCKS), np.int64),
        high_sums=np.zeros((layout.size, BLOCKS), np.int64),
    )


def merge(one: Tally, other: Tally) -> Tally:
    """Return the tally of the replications of both."""
    merged = from_arrays(one.layout, to_arrays(one))
    absorb(merged, to_arrays(other))
    return merged


def to_arrays(tally: Tally) -> dict[str, NDArray[Any]]:
    """Return a tally as arrays: counts as told by `tell_filled`, the rest in narrow types."""
    grids = tally.layout.grids
    seen = tally.most >= tally.least
    whole = slice(0, len(seen))
    # Counts lie between the cells of the smallest and of the largest value; where nothing was
    # seen no cell is looked at.
    begins, ends = (
        grids.first[:-1] + grids.cell_of(whole, np.where(seen, values, 0))
        for values in (tally.least, tally.most)
    )
    ends = np.where(seen, ends + 1, begins)
    everywhere = np.zeros(1, np.int64), np.array([len(tally.block_counts)])
    filled = tally.replications * len(seen)
    return {
        "sizes": tally.sizes.copy(),
        "least": tally.least.copy(),
        "most": tally.most.copy(),
        "counts": _told(tally.counts, begins, ends, filled),
        "block_counts": _told(tally.block_counts, *everywhere, filled),
        "above": narrow(tally.above),
        "low_sums": narrow(tally.low_sums),
        "high_sums": narrow(tally.high_sums),
    }


def _told(counts: Counts, begins: Ints, ends: Ints, filled: int) -> Bytes:
    """Tell counts that come to so many, in stretches of cells."""
    told = room_to_tell(len(counts), filled)
    return told[: tell_filled(counts, begins, ends, told)].copy()


def room_to_tell(cells: int, filled: int) -> Bytes:
    """Return room to tell the cells, of so many, that hold so many replications.

    A byte each and one more; and up to five for each long step or count, of which there is at most
    one in `LONG` cells or replications, and no more counts than cells.
    """
    long = cells // LONG + min(cells, filled // LONG)
    return np.empty(min(cells, filled) + 1 + 5 * long, np.uint8)


def narrow(values: NDArray[Any]) -> NDArray[Any]:
    """Return whole numbers in the narrowest type that holds them all."""
    least, most = (int(values.min()), int(values.max())) if values.size else (0, 0)
    kinds = (np.uint8, np.uint16, np.int16, np.int32, np.int64)  # those that `fits` takes
    for kind in kinds:
        if np.iinfo(kind).min <= least and most <= np.iinfo(kind).max:
            return values.astype(kind)
    raise AssertionError


def absorb(tally: Tally, arrays: Mapping[str, NDArray[Any]]) -> None:
    """Add what `to_arrays` told of another tally of the same layout, in place."""
    np.minimum(tally.least, arrays["least"], out=tally.least)
    np.maximum(tally.most, arrays["most"], out=tally.most)
    for name in _ADDED:
        values = getattr(tally, name)
        values += arrays[name]
    for name in _TOLD:
        add_told(arrays[name], getattr(tally, name))
    tally.high_sums[:] += tally.low_sums >> LIMB
    tally.low_sums[:] &= 2**LIMB - 1


def fits(layout: Layout, arrays: Mapping[str, NDArray[Any]]) -> bool:
    """Tell whether arrays from outside can be those of a tally of a layout."""
    tally = empty_tally(layout)
    if arrays.keys() != {"least", "most", *_ADDED, *_TOLD}:
        return False
    for name, values in arrays.items():
        own = getattr(tally, name)
        if name in _TOLD:
            if values.dtype != np.uint8 or values.ndim != 1 or not is_told(values, len(own)):
                return False
        elif values.shape != own.shape or not np.can_cast(values.dtype, own.dtype):
            return False
    return True


def from_arrays(layout: Layout, arrays: Mapping[str, NDArray[Any]]) -> Tally:
    """Return the tally of which `to_arrays` told."""
    tally = empty_tally(layout)
    absorb(tally, arrays)
    return tally
