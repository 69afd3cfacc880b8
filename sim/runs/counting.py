"""Kernels that count outcomes into cells, and read percentiles back. They allocate nothing."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sim.jit import compiled, inlined
from sim.runs.grids import BLOCK_SHIFT
from sim.sampling.quasi import SCRAMBLES

Ints = NDArray[np.int64]
Counts = NDArray[np.int32]
Floats = NDArray[np.float64]

BLOCKS = SCRAMBLES
"""Replication r belongs to block r modulo so many: that of its scramble, where there are any."""
SKIP = -(2**63)
"""Stands where a replication has no value of a quantity."""
MANY = 64
"""Replications from which the counts of a quantity are worth fetching in one go."""
COUNTS_OF_A_LINE = 16
"""Counts that memory hands over together."""
LIMB = 32
"""Sums are kept as a high part and so many low bits: exact however many they are."""
_MASK = 2**LIMB - 1


@inlined
def _carry(quantity: int, local: Ints, low_sums: Ints, high_sums: Ints) -> None:
    """Add the sums of a batch, by block, to those of a quantity; low parts stay below 2**32."""
    for block in range(BLOCKS):
        low = low_sums[quantity, block] + (local[block] & _MASK)
        low_sums[quantity, block] = low & _MASK
        high_sums[quantity, block] += (local[block] >> LIMB) + (low >> LIMB)


@compiled
def count_values(
    values: Ints,
    quantity: int,
    blocks: Ints,
    low: Ints,
    width: Ints,
    cells: Ints,
    wide: Ints,
    wide_cells: Ints,
    first: Ints,
    block_first: Ints,
    marks: Ints,
    counts: Counts,
    block_counts: Counts,
    above: Counts,
    least: Ints,
    most: Ints,
    low_sums: Ints,
    high_sums: Ints,
    local: Ints,
) -> None:
    """Count the columns of `values`, one quantity each from `quantity` on, by cell and by block.

    Quantities outside, replications inside: what one quantity needs stays in the cache.
    """
    rows, columns = values.shape
    for column in range(columns):
        q = quantity + column
        floor, step, fine_cells, mark = low[q] + 1, width[q], cells[q], marks[q]
        fine_end, last = fine_cells * step, fine_cells + wide_cells[q] + 1
        wide_step, start, block_start = wide[q], first[q], block_first[q]
        share, wide_share = 1.0 / step, 1.0 / wide_step
        row_size = ((last - 1) >> BLOCK_SHIFT) + 2
        smallest, largest = least[q], most[q]
        if rows >= MANY:
            # Memory comes quicker in order than at random: have it near before it is needed. No
            # count is negative; that it might be keeps the compiler from leaving the loops out.
            read = 0
            for at in range(start, start + last, COUNTS_OF_A_LINE):
                read += counts[at]
            for at in range(block_start, block_start + BLOCKS * row_size, COUNTS_OF_A_LINE):
                read += block_counts[at]
            smallest = min(smallest, read) if read < 0 else smallest
        for block in range(BLOCKS):
            local[block] = 0
        for row in range(rows):
            value = values[row, column]
            if value == SKIP:
                continue
            block = blocks[row]
            local[block] += value
            smallest = min(smallest, value)
            largest = max(largest, value)
            if value > mark:
                above[q, block] += 1
            over = value - floor
            cell = 0
            if over >= 0:
                beyond = over >= fine_end
                if beyond:
                    over -= fine_end
                size = wide_step if beyond else step
                # A product is quicker than a division; it may be one off, and is set right.
                cell = int(over * (wide_share if beyond else share))
                rest = over - cell * size
                if rest < 0:
                    cell -= 1
                elif rest >= size:
                    cell += 1
                cell = min(cell + 1 + (fine_cells if beyond else 0), last)
            counts[start + cell] += 1
            coarse = row_size - 1 if cell == last else cell >> BLOCK_SHIFT
            block_counts[block_start + block * row_size + coarse] += 1
        least[q] = smallest
        most[q] = largest
        _carry(q, local, low_sums, high_sums)


@compiled
def add_values(
    values: Ints,
    quantity: int,
    blocks: Ints,
    low_sums: Ints,
    high_sums: Ints,
    local: Ints,
) -> None:
    """Add the columns of `values`, one quantity each from `quantity` on, by block."""
    rows, columns = values.shape
    for column in range(columns):
        for block in range(BLOCKS):
            local[block] = 0
        for row in range(rows):
            local[blocks[row]] += values[row, column]
        _carry(quantity + column, local, low_sums, high_sums)


@compiled
def add_where(
    values: Ints,
    conditions: Ints,
    never: int,
    quantity: int,
    blocks: Ints,
    low_sums: Ints,
    high_sums: Ints,
    local: Ints,
) -> None:
    """Add the columns of `values` over the replications whose condition is not `never`.

    Each column of `conditions` holds for the columns of `values` that belong to it.
    """
    rows, columns = values.shape
    if columns == 0:
        return
    each = columns // conditions.shape[1]
    for column in range(columns):
        for block in range(BLOCKS):
            local[block] = 0
        for row in range(rows):
            if conditions[row, column // each] != never:
                local[blocks[row]] += values[row, column]
        _carry(quantity + column, local, low_sums, high_sums)


@compiled
def add_groups(values: Ints, groups: Ints, sums: Ints) -> None:
    """Add the values of projects to the groups to which they belong, in each replication.

    `values` are (N, K, P); `groups` (D, P) with the group in each dimension, -1 for none; `sums`
    (N, K, G).
    """
    rows, kinds, projects = values.shape
    for row in range(rows):
        for kind in range(kinds):
            for dimension in range(groups.shape[0]):
                for project in range(projects):
                    group = groups[dimension, project]
                    if group >= 0:
                        sums[row, kind, group] += values[row, kind, project]


@compiled
def filled_cells(counts: Counts, begins: Ints, ends: Ints, steps: Counts, amounts: Counts) -> int:
    """List the cells that hold anything, by the step from the one before; return their number.

    Only stretches of cells are looked at, in order.
    """
    total, before = 0, 0
    for stretch in range(len(begins)):
        for at in range(begins[stretch], ends[stretch]):
            if counts[at] != 0:
                steps[total] = at - before
                amounts[total] = counts[at]
                before = at
                total += 1
    return total


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
