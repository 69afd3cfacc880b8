"""Kernels that tell counts in few bytes: by steps between the cells that hold anything."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.jit import compiled, inlined
from sim.runs.counting import BLOCKS
from sim.runs.grids import BLOCK_SHIFT

Ints = NDArray[np.int64]
Counts = NDArray[np.int32]
Cells = NDArray[Any]
Bytes = NDArray[np.uint8]

HALF = 4
"""Bits of half a byte: steps between cells and counts mostly fit."""
LONG = 2**HALF - 1
"""Stands in half a byte for itself and for what is more."""
MORE = 2**7
"""Stands in a byte for: another one follows."""
MOST_COUNT = 2**31
"""Counts are below."""


@inlined
def _tell_rest(told: Bytes, at: int, rest: int) -> int:
    """Tell what is more than half a byte holds, nothing where it is negative; return the end."""
    if rest < 0:
        return at
    while rest >= MORE:
        told[at] = rest & (MORE - 1) | MORE
        rest >>= 7
        at += 1
    told[at] = rest
    return at + 1


@inlined
def _tell(told: Bytes, at: int, step: int, count: int, held: bool) -> int:
    """Tell a cell that holds anything; return where the next one is to stand.

    It is written in any case, and kept where it is held: to guess which are is dearer.
    """
    told[at] = min(step, LONG) | min(count, LONG) << HALF
    if held and max(step, count) >= LONG:
        return _tell_rest(told, _tell_rest(told, at + 1, step - LONG), count - LONG)
    return at + held


@inlined
def _read_rest(told: Bytes, at: int, number: int) -> tuple[int, int]:
    """Return a number of which half a byte is read, and where the next begins.

    -1 stands for one that does not end, or is longer than any that was told.
    """
    if number < LONG:
        return number, at
    shift, more = 0, True
    while more and at < len(told) and shift < 35:
        part: Any = np.int64(told[at])
        number += (part & (MORE - 1)) << shift
        at, shift, more = at + 1, shift + 7, part >= MORE
    return -1 if more else number, at


@inlined
def _read(told: Bytes, at: int) -> tuple[int, int, int]:
    """Return the step to the cell told at a place, what it holds, and where the next is told."""
    both: Any = np.int64(told[at])
    step, at = _read_rest(told, at + 1, both & LONG)
    count, at = _read_rest(told, at, both >> HALF)
    return step, count, at


@compiled
def tell_counts(
    found: Cells,
    none: int,
    blocks: Ints,
    first: Ints,
    block_first: Ints,
    fine: Counts,
    coarse: Counts,
    told: Bytes,
    block_told: Bytes,
    totals: Ints,
) -> None:
    """Count the noted cells of each quantity, and tell those that hold anything, as `tell_filled`.

    `totals` takes how many bytes there are of `counts` and of `block_counts` of a tally. Room for
    one quantity's counts, `fine` and `coarse`, is zero before and after: it stays in the cache, and
    the counts of all are nowhere at once.
    """
    total = block_total = before = block_before = 0
    for q in range(len(found)):
        mine = found[q, : len(blocks)]
        last = first[q + 1] - first[q] - 1
        row_size = ((last - 1) >> BLOCK_SHIFT) + 2
        least, most = last + 1, -1
        for row in range(len(mine)):
            # Of a type without a sign it would make floats.
            cell: Any = np.int64(mine[row])
            least, most = min(least, cell), max(most, cell if cell != none else -1)
        for row in range(len(mine)):
            if mine[row] != none:
                # An index without a sign is not looked at twice.
                fine[np.uint64(mine[row])] += 1
                part = row_size - 1 if mine[row] == last else np.int64(mine[row]) >> BLOCK_SHIFT
                coarse[np.uint64(blocks[row] * row_size + part)] += 1
        for cell in range(least, most + 1):
            at, count = first[q] + cell, int(fine[cell])
            fine[cell] = 0
            total = _tell(told, total, at - before, count, count != 0)
            before = at if count != 0 else before
        begin = least >> BLOCK_SHIFT if least < last else row_size - 1
        end = most >> BLOCK_SHIFT if most < last else row_size - 1
        for block in range(BLOCKS if most >= 0 else 0):
            for part in range(begin, end + 1):
                place = block * row_size + part
                at, count = block_first[q] + place, int(coarse[place])
                coarse[place] = 0
                block_total = _tell(block_told, block_total, at - block_before, count, count != 0)
                block_before = at if count != 0 else block_before
    totals[0], totals[1] = total, block_total


@compiled
def tell_filled(counts: Counts, begins: Ints, ends: Ints, told: Bytes) -> int:
    """Tell the cells that hold anything; return how many bytes that takes.

    Only stretches of cells are looked at, in order. A cell is told by the step from the one before
    and by its count, in half a byte each; where one of them is `LONG` or more, what it is more
    follows in parts of seven bits, the low ones first, the step before the count. There is room for
    one byte more than is told.
    """
    total, before = 0, 0
    for stretch in range(len(begins)):
        for at in range(begins[stretch], ends[stretch]):
            count: Any = np.int64(counts[at])
            total = _tell(told, total, at - before, count, count != 0)
            before = at if count != 0 else before
    return total


@compiled
def add_told(told: Bytes, counts: Counts) -> None:
    """Add to counts what `tell_filled` told of others."""
    at, place = 0, np.int64(0)
    while at < len(told):
        step, count, at = _read(told, at)
        place += step
        counts[place] += count


@compiled
def is_told(told: Bytes, size: int) -> bool:
    """Tell whether bytes from outside can be what `tell_filled` told of so many counts."""
    at, place = 0, np.int64(0)
    while at < len(told):
        step, count, at = _read(told, at)
        place += step
        if step < 0 or count < 0 or count >= MOST_COUNT or place >= size:
            return False
    return True
