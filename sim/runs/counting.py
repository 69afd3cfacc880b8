"""Kernels that count outcomes into cells, and read percentiles back. They allocate nothing."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sim.jit import compiled, inlined
from sim.runs.grids import BLOCK_SHIFT
from sim.runs.squares import PARTS, square_parts
from sim.sampling.quasi import SCRAMBLES

Ints = NDArray[np.int64]
Counts = NDArray[np.int32]
Cells = NDArray[Any]
Bytes = NDArray[np.uint8]
Floats = NDArray[np.float64]

BLOCKS = SCRAMBLES
"""Replication r belongs to block r modulo so many: that of its scramble, where there are any."""
SKIP = -(2**63)
"""Stands where a replication has no value of a quantity."""
COLUMNS = 32
"""Quantities whose values are turned together: rows of them are read in one go."""
SUMMED = 128
"""Quantities that are added up together: their sums stay in the cache."""
LIMB = 32
"""Sums are kept as a high part and so many low bits: exact however many they are."""


class CountRoom(NamedTuple):
    """Room for counting the values of up to N replications; what stands in it means nothing.

    Attributes
    ----------
    sums : ndarray of int64, shape (BLOCKS, SUMMED)
        Sums by block of some quantities.
    turned : ndarray of int64, shape (COLUMNS, N)
        Their values, one quantity after the other.
    sizes : ndarray of int64, shape (BLOCKS,)
        Replications of each block.
    """

    sums: Ints
    turned: Ints
    sizes: Ints


def count_room(replications: int) -> CountRoom:
    """Allocate room for so many replications."""
    return CountRoom(
        sums=np.zeros((BLOCKS, SUMMED), np.int64),
        turned=np.zeros((COLUMNS, replications), np.int64),
        sizes=np.zeros(BLOCKS, np.int64),
    )


@inlined
def _turn(values: Ints, begin: int, end: int, turned: Ints) -> None:
    """Write out columns one after the other: what is next to each other is quicker to go through.

    Rows of few columns are read, so that no piece of memory is fetched twice.
    """
    for row in range(len(values)):
        part = values[row, begin:end]
        for column in range(len(part)):
            turned[column, row] = part[column]


@inlined
def _find_cells(
    values: Ints, most: int, floor: int, step: int, fine_cells: int, wide_step: int, last: int,
    found: Cells,
) -> None:  # fmt: skip
    """Find the cell of each value of a quantity; `most` bounds them."""
    fine_end = fine_cells * step
    # A product is quicker than a division; it may be one off, and is set right.
    share, wide_share = 1.0 / step, 1.0 / wide_step
    if most - floor < fine_end:
        for row in range(len(values)):
            over = max(values[row] - floor, -1)
            cell = int(over * share)
            rest = over - cell * step
            cell += 1 + (rest >= step) - (rest < 0)
            found[row] = cell if over >= 0 else 0
    else:
        for row in range(len(values)):
            over = max(values[row] - floor, -1)
            beyond = over >= fine_end
            size = wide_step if beyond else step
            inside = over - fine_end if beyond else over
            cell = int(inside * (wide_share if beyond else share))
            rest = inside - cell * size
            cell += 1 + (rest >= size) - (rest < 0)
            cell = min(cell + fine_cells if beyond else cell, last)
            found[row] = cell if over >= 0 else 0


@compiled
def note_values(
    values: Ints,
    quantity: int,
    blocks: Ints,
    low: Ints,
    width: Ints,
    cells: Ints,
    wide: Ints,
    wide_cells: Ints,
    marks: Ints,
    found: Cells,
    none: int,
    at: int,
    above: Counts,
    least: Ints,
    most: Ints,
    sums: Ints,
    room: CountRoom,
) -> None:
    """Note the cells of the columns of `values`, one quantity each from `quantity` on.

    Quantities outside, replications inside: what one quantity needs stays in the cache. The cells
    of the first row come to `found[:, at]`; `none` stands where a replication has no value.
    `above`, `least`, `most` and `sums` grow.
    """
    rows, columns = values.shape
    sizes = room.sizes
    for block in range(BLOCKS):
        sizes[block] = 0
    for row in range(rows):
        sizes[blocks[row]] += 1
    for begin in range(0, columns, COLUMNS):
        end = min(begin + COLUMNS, columns)
        _turn(values, begin, end, room.turned)
        for column in range(end - begin):
            q = quantity + begin + column
            mine, of_quantity = room.turned[column, :rows], found[q, at : at + rows]
            smallest = largest = mine[0]
            for row in range(rows):
                smallest, largest = min(smallest, mine[row]), max(largest, mine[row])
            some_skipped = smallest == SKIP
            if some_skipped:
                # Something stands in for them until the cells are found.
                smallest = largest
                for row in range(rows):
                    if mine[row] == SKIP:
                        mine[row] = largest
                    else:
                        smallest = min(smallest, mine[row])
            if smallest == SKIP:
                for row in range(rows):
                    of_quantity[row] = none
                continue
            least[q], most[q] = min(least[q], smallest), max(most[q], largest)
            last = cells[q] + wide_cells[q] + 1
            its_sums, its_above, mark = sums[q], above[q], marks[q]
            alike = smallest == largest and not some_skipped
            _find_cells(
                mine[:1] if alike else mine, largest, low[q] + 1, width[q], cells[q], wide[q], last,
                of_quantity,
            )  # fmt: skip
            if alike:
                for row in range(1, rows):
                    of_quantity[row] = of_quantity[0]
                for block in range(BLOCKS):
                    its_sums[block] += largest * sizes[block]
                    its_above[block] += sizes[block] if largest > mark else 0
                continue
            if some_skipped:
                for row in range(rows):
                    if values[row, begin + column] == SKIP:
                        mine[row] = 0
                        of_quantity[row] = none
            for row in range(rows):
                its_sums[blocks[row]] += mine[row]
            if largest > mark:
                for row in range(rows):
                    its_above[blocks[row]] += mine[row] > mark and of_quantity[row] != none


@compiled
def add_values(values: Ints, quantity: int, blocks: Ints, sums: Ints, room: CountRoom) -> None:
    """Add the columns of `values`, one quantity each from `quantity` on, by block."""
    columns = values.shape[1]
    for begin in range(0, columns, SUMMED):
        end = min(begin + SUMMED, columns)
        _clear(room.sums)
        for row in range(len(values)):
            part, mine = values[row, begin:end], room.sums[blocks[row]]
            for column in range(len(part)):
                mine[column] += part[column]
        _join(room.sums, sums[quantity + begin : quantity + end])


@compiled
def add_squares(values: Ints, quantity: int, blocks: Ints, sums: Ints, room: CountRoom) -> None:
    """Add the parts of the squares of `values`, `PARTS` quantities a column from `quantity` on."""
    columns, each = values.shape[1], SUMMED // PARTS
    for begin in range(0, columns, each):
        end = min(begin + each, columns)
        _clear(room.sums)
        for row in range(len(values)):
            part, mine = values[row, begin:end], room.sums[blocks[row]]
            low, middle, high = mine[:each], mine[each : 2 * each], mine[2 * each : 3 * each]
            for column in range(len(part)):
                parts = square_parts(part[column])
                low[column] += parts[0]
                middle[column] += parts[1]
                high[column] += parts[2]
        for column in range(end - begin):
            for part_of_square in range(PARTS):
                to = sums[quantity + PARTS * (begin + column) + part_of_square]
                for block in range(BLOCKS):
                    to[block] += room.sums[block, part_of_square * each + column]


@compiled
def add_where(
    values: Ints, conditions: Ints, never: int, quantity: int, blocks: Ints, sums: Ints,
    room: CountRoom,
) -> None:  # fmt: skip
    """Add the columns of `values` over the replications whose condition is not `never`.

    Each column of `conditions` holds for the columns of `values` that belong to it. All are added,
    and what is too much is taken away again: that is little, and to look at each is dearer.
    """
    add_values(values, quantity, blocks, sums, room)
    each = values.shape[1] // max(conditions.shape[1], 1)
    for row in range(len(values)):
        block = blocks[row]
        for owner in range(conditions.shape[1]):
            if conditions[row, owner] == never:
                for column in range(owner * each, (owner + 1) * each):
                    sums[quantity + column, block] -= values[row, column]


@inlined
def _clear(sums: Ints) -> None:
    for block in range(sums.shape[0]):
        for column in range(sums.shape[1]):
            sums[block, column] = 0


@inlined
def _join(some: Ints, sums: Ints) -> None:
    """Add sums by block and quantity to those by quantity and block."""
    for column in range(len(sums)):
        for block in range(BLOCKS):
            sums[column, block] += some[block, column]


@compiled
def add_groups(values: Ints, members: Ints, bounds: Ints, sums: Ints) -> None:
    """Add the values of the projects of each group, in each replication.

    `values` are (N, K, P); the members of group g stand between its bounds; `sums` (N, K, G).
    """
    for row in range(len(values)):
        for kind in range(values.shape[1]):
            mine, to = values[row, kind], sums[row, kind]
            for group in range(len(to)):
                total = 0
                for at in range(bounds[group], bounds[group + 1]):
                    # An index without a sign is not looked at twice.
                    total += mine[np.uint64(members[at])]
                to[group] = total


@compiled
def find_ranks(
    counts: Counts,
    first: Ints,
    quantity: int,
    ranks: Ints,
    found: Ints,
) -> None:
    """Find the cells in which the values of given ranks (from 1, ascending) of quantities lie.

    `ranks` and `found` are (Q, K).
    """
    for row in range(ranks.shape[0]):
        q = quantity + row
        at, reached = first[q], 0 + counts[first[q]]
        for k in range(ranks.shape[1]):
            while reached < ranks[row, k] and at < first[q + 1] - 1:
                at += 1
                reached += counts[at]
            found[row, k] = at - first[q]


@compiled
def block_shares(
    counts: Counts,
    block_counts: Counts,
    first: Ints,
    block_first: Ints,
    quantity: int,
    cells: Ints,
    sizes: Ints,
    shares: Floats,
    unseen: Floats,
) -> None:
    """Tell which share of each block lies in the given cell or below, for each quantity.

    Within a coarse cell a block is taken to be spread as the whole is: the part of the variance
    of the whole share that this hides is told beside it, as of independent replications.
    `shares` and `sizes` are (Q, BLOCKS), `cells` and `unseen` (Q,).
    """
    for row in range(len(cells)):
        q, cell = quantity + row, cells[row]
        last = first[q + 1] - first[q] - 1
        row_size = ((last - 1) >> BLOCK_SHIFT) + 2
        coarse = row_size - 1 if cell == last else cell >> BLOCK_SHIFT
        begin = cell if cell == last else coarse << BLOCK_SHIFT
        end = last + 1 if cell == last else min(begin + (1 << BLOCK_SHIFT), last)
        inside, whole = 0, 0
        for at in range(begin, end):
            whole += counts[first[q] + at]
            if at <= cell:
                inside += counts[first[q] + at]
        part = inside / whole if whole > 0 else 1.0
        total = 0
        for block in range(BLOCKS):
            start = block_first[q] + block * row_size
            below = 0
            for at in range(coarse):
                below += block_counts[start + at]
            size = sizes[row, block]
            total += size
            reached = below + part * block_counts[start + coarse]
            shares[row, block] = reached / size if size > 0 else 0.0
        unseen[row] = whole * part * (1.0 - part) / (1.0 * total * total) if total > 0 else 0.0
