"""Means, probabilities and percentiles from a tally, each with its sampling error."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.runs.counting import LIMB, block_shares, find_ranks
from sim.runs.statistics import block_error, inside, ranks, shares, student
from sim.runs.tally import Tally

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Percentiles:
    """Percentiles of the quantities of a family.

    Attributes
    ----------
    values : ndarray of int64
        Upper edges of the cells in which they lie, within what was seen.
    low, high : ndarray of int64
        Ends of their 95 % intervals.
    errors : ndarray of float64
        Half of these over Student's t; NaN below two blocks.
    """

    values: Ints
    low: Ints
    high: Ints
    errors: Floats


def block_sums(tally: Tally, name: str) -> NDArray[Any]:
    """Return the exact sums of a family by block, as Python integers."""
    place, shape = tally.layout.places[name], tally.layout.shapes[name]
    high, low = tally.high_sums[place], tally.low_sums[place]
    if np.abs(high).max(initial=0) >= 2 ** (62 - LIMB):  # no word of the machine holds them
        high = high.astype(object)
    sums = (high * 2**LIMB + low).astype(object)
    return np.asarray(sums.reshape(*shape, len(tally.sizes)))


def block_counts_above(tally: Tally, name: str) -> Ints:
    """Return how many replications of each block lie above the mark."""
    place, shape = tally.layout.places[name], tally.layout.shapes[name]
    return tally.above[place].reshape(*shape, len(tally.sizes)).astype(np.int64)


def block_counts_seen(tally: Tally, name: str, beyond: bool = False) -> Ints:
    """Return how many replications of each block have a value, or one beyond the grid."""
    place, shape = tally.layout.places[name], tally.layout.shapes[name]
    blocks = len(tally.sizes)
    first = tally.layout.grids.block_first
    found = np.zeros((place.stop - place.start, blocks), np.int64)
    for row, quantity in enumerate(range(place.start, place.stop)):
        cells = tally.block_counts[first[quantity] : first[quantity + 1]].reshape(blocks, -1)
        found[row] = cells[:, -1] if beyond else cells.sum(axis=1)
    return found.reshape(*shape, blocks)


def nearest(totals: NDArray[Any], counts: NDArray[Any] | int) -> Ints:
    """Return means to the nearest whole, halves upwards, from totals as Python integers."""
    return np.asarray((2 * totals + counts) // (2 * counts), dtype=np.int64)


def ratios(sums: NDArray[Any], sizes: NDArray[Any], unit: int = 1) -> tuple[Floats, Floats]:
    """Return ratios of exact sums by block, and their standard errors; NaN where there are none.

    Parameters
    ----------
    sums : ndarray of Python integers, shape (..., BLOCKS)
        Nil in blocks without size, where there are others.
    sizes : ndarray of integers, shape (..., BLOCKS)
        What they are divided by, block by block and all together.
    unit : int
        How many of the sums make one.
    """
    # Python's integers are divided exactly, however large they are.
    divisors = np.where(sizes > 0, sizes, 1).astype(object) * unit
    total = np.asarray(sizes.sum(axis=-1), dtype=object)
    whole = sums.sum(axis=-1) / (np.where(total > 0, total, 1) * unit)
    parts, values = np.asarray(sums / divisors, np.float64), np.asarray(whole, np.float64)
    error = block_error(parts, sizes.astype(np.float64), values)
    return np.where(total > 0, values, math.nan), error


def means(tally: Tally, name: str) -> tuple[Ints, Floats]:
    """Return the means of a family over all replications, to the nearest whole, and their errors.

    Means are exact before they are rounded.
    """
    sums, sizes = block_sums(tally, name), tally.sizes
    count = tally.replications
    rounded = nearest(sums.sum(axis=-1), count)
    gaps = (sums - rounded[..., None].astype(object) * sizes).astype(np.float64)
    parts, rest = gaps / np.maximum(sizes, 1), gaps.sum(axis=-1) / count
    return rounded, block_error(parts, np.broadcast_to(sizes, parts.shape), rest)


def probabilities(tally: Tally, name: str) -> tuple[Floats, Floats, Floats]:
    """Return the probabilities of lying above the mark, with the ends of their 95 % intervals."""
    hits = block_counts_above(tally, name)
    return shares(hits, np.broadcast_to(tally.sizes, hits.shape))


def percentiles(
    tally: Tally, name: str, percents: Sequence[int], sizes: Ints | None = None
) -> dict[int, Percentiles]:
    """Return percentiles of a family.

    Parameters
    ----------
    tally : Tally
        Counts.
    name : str
        A family that is counted.
    percents : sequence of int
        Which percentiles.
    sizes : ndarray of int64, shape (Q, BLOCKS), optional
        Replications of each block that have a value; all, where not given.
    """
    layout, place = tally.layout, tally.layout.places[name]
    grids, quantities = layout.grids, place.stop - place.start
    shape = layout.shapes[name]
    if sizes is None:
        sizes = np.broadcast_to(tally.sizes, (quantities, len(tally.sizes)))
    sizes = np.ascontiguousarray(sizes)
    counts, t = sizes.sum(axis=1), student(sizes)

    def cells_at(wanted: Ints) -> Ints:
        """Find the cells of some ranks of each quantity; all at once, for one way through it."""
        order = np.argsort(wanted, axis=1)
        ascending = np.ascontiguousarray(np.take_along_axis(wanted, order, axis=1))
        found = np.zeros(wanted.shape, np.int64)
        find_ranks(tally.counts, grids.first, place.start, ascending, found)
        cells = np.empty_like(found)
        np.put_along_axis(cells, order, found, axis=1)
        return cells

    def values_at(cells: Ints) -> Ints:
        edges = grids.edge(place, cells)
        # Above the grid no more is known than the largest value.
        edges = np.where(cells == grids.last[place], tally.most[place], edges)
        return np.clip(edges, tally.least[place], tally.most[place])

    def ends(percent: int, cells: Ints) -> Ints:
        """Return the ranks between which a percentile lies that lies in given cells."""
        parts, unseen = np.zeros(sizes.shape), np.zeros(quantities)
        block_shares(
            tally.counts, tally.block_counts, grids.first, grids.block_first, place.start,
            cells, sizes, parts, unseen,
        )  # fmt: skip
        at = (parts * sizes).sum(axis=1) / np.maximum(counts, 1)
        error = np.sqrt(block_error(parts, sizes, at) ** 2 + unseen)
        reach = ranks(np.full(quantities, percent / 100), at, error, t, counts)
        return np.stack(inside(reach, counts), axis=1)

    wanted = np.stack([np.maximum(-(-percent * counts // 100), 1) for percent in percents], axis=1)
    middles = np.ascontiguousarray(cells_at(wanted).T)
    reached = [ends(percent, cells) for percent, cells in zip(percents, middles, strict=True)]
    bounds = cells_at(np.concatenate(reached, axis=1)).T
    result = {}
    for k, percent in enumerate(percents):
        lower, upper = values_at(bounds[2 * k]), values_at(bounds[2 * k + 1])
        errors = np.where(np.isnan(t), math.nan, (upper - lower) / (2 * t))
        result[percent] = Percentiles(
            values_at(middles[k]).reshape(shape), lower.reshape(shape), upper.reshape(shape),
            errors.reshape(shape),
        )  # fmt: skip
    return result
