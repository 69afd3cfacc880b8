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

from sim.runs.counting import BLOCKS, LIMB, filled_cells
from sim.runs.layout import Layout

Ints = NDArray[np.int64]
Counts = NDArray[np.int32]


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
    """Return a tally as arrays that hold what is not zero, in the narrowest types that do.

    Positions are told as steps from one to the next.
    """
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
        **_sparse_counts("counts", tally.counts, begins, ends, filled),
        **_sparse_counts("block_counts", tally.block_counts, *everywhere, filled),
        **sparse("above", tally.above),
        **sparse("low_sums", tally.low_sums),
        **sparse("high_sums", tally.high_sums),
    }


def _sparse_counts(
    name: str, counts: Counts, begins: Ints, ends: Ints, filled: int
) -> dict[str, NDArray[Any]]:
    """Return the counts in stretches of cells of which at most so many are filled."""
    most = min(int((ends - begins).sum()), filled)
    steps, amounts = np.empty(most, np.int32), np.empty(most, np.int32)
    total = filled_cells(counts, begins, ends, steps, amounts)
    return packed(name, steps[:total], amounts[:total])


def sparse(name: str, values: NDArray[Any]) -> dict[str, NDArray[Any]]:
    """Tell an array by what in it is not zero, and by the steps from one to the next."""
    flat = values.reshape(-1)
    found = np.flatnonzero(flat)
    return packed(name, np.diff(found, prepend=0), flat[found])


def packed(name: str, steps: NDArray[Any], values: NDArray[Any]) -> dict[str, NDArray[Any]]:
    """Name steps and values, in the narrowest types that hold them."""
    return {f"{name}_steps": _narrow(steps), f"{name}_values": _narrow(values)}


def _narrow(values: NDArray[Any]) -> NDArray[Any]:
    """Return whole numbers in the narrowest type that holds them all."""
    least, most = (int(values.min()), int(values.max())) if len(values) else (0, 0)
    kinds = (np.uint8, np.uint16, np.int16, np.uint32, np.int32, np.int64)
    for kind in kinds:
        if np.iinfo(kind).min <= least and most <= np.iinfo(kind).max:
            return values.astype(kind)
    raise AssertionError


def absorb(tally: Tally, arrays: Mapping[str, NDArray[Any]]) -> None:
    """Add what `to_arrays` told of another tally of the same layout, in place."""
    tally.sizes[:] += arrays["sizes"]
    np.minimum(tally.least, arrays["least"], out=tally.least)
    np.maximum(tally.most, arrays["most"], out=tally.most)
    for name in ("counts", "block_counts", "above", "low_sums", "high_sums"):
        values = getattr(tally, name).reshape(-1)
        values[np.cumsum(arrays[f"{name}_steps"], dtype=np.int64)] += arrays[f"{name}_values"]
    tally.high_sums[:] += tally.low_sums >> LIMB
    tally.low_sums[:] &= 2**LIMB - 1


def fits(layout: Layout, arrays: Mapping[str, NDArray[Any]]) -> bool:
    """Tell whether arrays from outside can be those of a tally of a layout."""
    tally = empty_tally(layout)
    sparse = ("counts", "block_counts", "above", "low_sums", "high_sums")
    names = {"sizes", "least", "most"}
    names |= {f"{name}_{part}" for name in sparse for part in ("steps", "values")}
    if arrays.keys() != names or any(one.dtype.kind not in "iu" for one in arrays.values()):
        return False
    if any(arrays[name].shape != getattr(tally, name).shape for name in ("sizes", "least", "most")):
        return False
    for name in sparse:
        steps, values = arrays[f"{name}_steps"], arrays[f"{name}_values"]
        if steps.ndim != 1 or steps.shape != values.shape or (len(steps) and steps.min() < 0):
            return False
        if int(steps.sum(dtype=np.uint64)) >= max(getattr(tally, name).size, 1):
            return False
    return True


def from_arrays(layout: Layout, arrays: Mapping[str, NDArray[Any]]) -> Tally:
    """Return the tally of which `to_arrays` told."""
    tally = empty_tally(layout)
    absorb(tally, arrays)
    return tally
