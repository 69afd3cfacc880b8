"""Holding two tellings of one replication against each other: the first event that differs."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.engine.rules import NEVER
from sim.engine.trajectory import Trajectory
from sim.sampling.realization import Frame

_DATES = ("start", "finish", "delivered", "dropped")
_BY_MONTH = (
    "value", "reported", "progress", "claimed", "paid", "arrears",
    "released", "spent", "set_aside", "lapsed", "balance", "unmet", "queued", "taken", "waited",
)  # fmt: skip


def first_difference(frame: Frame, one: Trajectory, other: Trajectory) -> str:
    """Name the earliest thing in which two trajectories differ.

    Parameters
    ----------
    frame : Frame
        What both engines were given.
    one, other : Trajectory
        Of the same realization.

    Returns
    -------
    str
        Day, what it is, its position, and both values; blank where all arrays are equal, element
        for element, and of the same type.
    """
    return min(_differences(frame, one, other), default=(0, ""))[1]


def _differences(frame: Frame, one: Trajectory, other: Trajectory) -> Iterator[tuple[int, str]]:
    for field in dataclasses.fields(Trajectory):
        name = field.name
        left, right = np.asarray(getattr(one, name)), np.asarray(getattr(other, name))
        if left.shape != right.shape or left.dtype != right.dtype:
            kinds = f"{left.shape} {left.dtype}, {right.shape} {right.dtype}"
            yield -1, f"{name} of replication {one.replication}: {kinds}"
            continue
        unequal = np.argwhere(left != right)
        if not len(unequal):
            continue
        days = _days(frame, name, left, right, unequal)
        first = int(np.argmin(days))
        place = tuple(unequal[first].tolist())
        where = ", ".join(map(str, place))
        yield (
            int(days[first]),
            (
                f"replication {one.replication}, day {days[first]}: {name}[{where}] is "
                f"{left[place]} in one engine and {right[place]} in the other"
            ),
        )


def _days(
    frame: Frame,
    name: str,
    left: NDArray[Any],
    right: NDArray[Any],
    unequal: NDArray[np.int64],
) -> NDArray[np.int64]:
    """Return the day on which each difference shows; what belongs to no day comes last."""
    if name in _DATES:
        days: NDArray[np.int64] = np.minimum(left, right)[tuple(unequal.T)]
        return days
    if name in _BY_MONTH:
        return np.asarray(frame.month_ends[unequal[:, -1]], dtype=np.int64)
    return np.full(len(unequal), NEVER)
