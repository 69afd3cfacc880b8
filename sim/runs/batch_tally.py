"""The tally of one batch: sums, and the cell of each value, counted when the batch is whole.

Counts of all quantities are hundreds of megabytes, most of them zero. Of a batch only the cells of
its values are noted, and in the end counted quantity by quantity, in room that stays in the cache.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.engine.rules import NEVER
from sim.runs.counting import (
    BLOCKS,
    LIMB,
    CountRoom,
    add_squares,
    add_values,
    add_where,
    count_room,
    note_values,
)
from sim.runs.layout import (
    Layout,
    added_values,
    counted_values,
    group_sums,
    squared_values,
    started_values,
)
from sim.runs.outcomes import Outcomes
from sim.runs.tally import Tally, absorb, narrow, room_to_tell
from sim.runs.telling import tell_counts

Ints = NDArray[np.int64]

MOST_ROWS = 4_096
"""Replications of a batch at most: their sums fit 64 bits."""


@dataclass(slots=True)
class BatchTally:
    """Sums and cells of the replications of a batch, as far as they came.

    Attributes
    ----------
    layout : Layout
        Where each quantity stands.
    noted : int
        Replications that came.
    blocks : ndarray of int64, shape (N,)
        Block of each replication.
    cells : ndarray of uint16 or int32, shape (Q, N)
        Cell of each counted value; the largest number of the type where there is none.
    above : ndarray of int32, shape (Q, BLOCKS)
        Replications above the mark.
    least, most : ndarray of int64, shape (Q,)
        Smallest and largest value.
    sums : ndarray of int64, shape (S, BLOCKS)
        Sums.
    room : CountRoom
        Room for counting, as large as the largest part that came.
    """

    layout: Layout
    noted: int
    blocks: Ints
    cells: NDArray[Any]
    above: NDArray[np.int32]
    least: Ints
    most: Ints
    sums: Ints
    room: CountRoom

    @property
    def none(self) -> int:
        """What stands where there is no value."""
        return int(np.iinfo(self.cells.dtype).max)


def empty_batch(layout: Layout, size: int) -> BatchTally:
    """Return the tally of no replication of a batch of so many."""
    assert size <= MOST_ROWS
    counted, limits = len(layout.grids.low), np.iinfo(np.int64)
    few = int(layout.grids.last.max(initial=0)) < np.iinfo(np.uint16).max
    return BatchTally(
        layout=layout,
        noted=0,
        blocks=np.zeros(size, np.int64),
        cells=np.empty((counted, size), np.uint16 if few else np.int32),
        above=np.zeros((counted, BLOCKS), np.int32),
        least=np.full(counted, limits.max, np.int64),
        most=np.full(counted, limits.min, np.int64),
        sums=np.zeros((layout.size, BLOCKS), np.int64),
        room=count_room(0),
    )


def note(batch: BatchTally, outcomes: Outcomes) -> None:
    """Add replications to the tally of a batch, in place."""
    layout, grids, at = batch.layout, batch.layout.grids, batch.noted
    count = len(outcomes.replications)
    if count == 0:
        return
    if batch.room.turned.shape[1] < count:
        batch.room = count_room(count)
    batch.noted += count
    blocks = batch.blocks[at : batch.noted]
    blocks[:] = outcomes.replications % BLOCKS
    sums = group_sums(layout, outcomes)
    for name, values in counted_values(layout, outcomes, sums):
        note_values(
            _table(values), layout.places[name].start, blocks,
            grids.low, grids.width, grids.cells, grids.wide, grids.wide_cells, layout.marks,
            batch.cells, batch.none, at, batch.above, batch.least, batch.most, batch.sums,
            batch.room,
        )  # fmt: skip
    for name, values in added_values(layout, outcomes, sums):
        add_values(_table(values), layout.places[name].start, blocks, batch.sums, batch.room)
    for name, values in squared_values(outcomes, sums):
        add_squares(_table(values), layout.places[name].start, blocks, batch.sums, batch.room)
    start = _table(outcomes.start)
    for name, values in started_values(outcomes):
        place = layout.places[name].start
        add_where(_table(values), start, NEVER, place, blocks, batch.sums, batch.room)


def _table(values: NDArray[Any]) -> NDArray[Any]:
    """Return values as replications by quantities, without copying what needs no copy."""
    return values.reshape(len(values), -1)


def batch_arrays(batch: BatchTally) -> dict[str, NDArray[Any]]:
    """Return the tally of a batch as `to_arrays` does: the same arrays as of a tally of it."""
    grids, blocks = batch.layout.grids, batch.blocks[: batch.noted]
    filled = len(batch.cells) * batch.noted
    told = room_to_tell(int(grids.first[-1]), filled)
    block_told = room_to_tell(int(grids.block_first[-1]), filled)
    totals = np.zeros(2, np.int64)
    tell_counts(
        batch.cells, batch.none, blocks, grids.first, grids.block_first,
        np.zeros(int(np.diff(grids.first).max(initial=0)), np.int32),
        np.zeros(int(np.diff(grids.block_first).max(initial=0)), np.int32),
        told, block_told, totals,
    )  # fmt: skip
    total, block_total = totals.tolist()
    return {
        "sizes": np.bincount(blocks, minlength=BLOCKS),
        "least": batch.least,
        "most": batch.most,
        "counts": told[:total].copy(),
        "block_counts": block_told[:block_total].copy(),
        "above": narrow(batch.above),
        "low_sums": narrow(batch.sums & (2**LIMB - 1)),
        "high_sums": narrow(batch.sums >> LIMB),
    }


def fold(tally: Tally, outcomes: Outcomes) -> None:
    """Add the replications of a batch to a tally, in place."""
    for at in range(0, len(outcomes.replications), MOST_ROWS):
        part = outcomes.part(slice(at, at + MOST_ROWS))
        batch = empty_batch(tally.layout, len(part.replications))
        note(batch, part)
        absorb(tally, batch_arrays(batch))
