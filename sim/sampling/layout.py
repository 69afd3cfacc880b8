"""The records in which what was drawn is handed to compiled engines: integers, one replication."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

DRAWN = np.dtype(
    [
        ("slip", np.int64),
        ("work", np.int64),
        ("first_work", np.int64),
        ("work_saved", np.int64),
        ("year_end_value", np.int64),
        ("total", np.int64),
        ("advance", np.int64),
        ("acceptance", np.int64),
        ("overstatement", np.int64),
        ("own_share", np.int64),
        ("stop_first", np.int64),
        ("stop_end", np.int64),
    ],
    align=True,
)
"""What is drawn of a project; the fields of `Realization` by the same names. Its stops are
`stops[stop_first:stop_end]`."""

FILE = np.dtype(
    [
        ("preparation", np.int64),
        ("review", np.int64),
        ("delay", np.int64),
        ("dropped", np.int64),
    ],
    align=True,
)
"""What is drawn of an open gate; the fields of `Realization` by the same names."""

STOP = np.dtype([("at", np.int64), ("days", np.int64)], align=True)
"""A stop: milli-days of work at which it strikes, and calendar days."""

RELEASE = np.dtype([("day", np.int64), ("amount", np.int64)], align=True)
"""A release: the day on which it is received, and yuan."""


class Drawn(NamedTuple):
    """One replication as kernels read it; C calendar classes, K causes, D days, H room for hits.

    Attributes
    ----------
    projects : ndarray of DRAWN, shape (P,)
    files : ndarray of FILE, shape (G,)
    stops : ndarray of STOP
        At least as many as all projects have together.
    releases : ndarray of RELEASE, shape (R,)
    calendar : ndarray of int32, shape (C, D + 1)
        Milli-days of availability before each day.
    hits : ndarray of int64, shape (C,)
        Number of days on which stops of the calendar change what the causes take of a class.
    hit_day : ndarray of int32, shape (C, H)
        Those days, in order.
    hit_loss : ndarray of int32, shape (C, H, K)
        Milli-days that each cause takes up to and including that day, beyond those of
        `Still.losses`; may be negative.
    drivers : ndarray of float64
        What the shared drivers drew, for the samples table.
    """

    projects: NDArray[np.void]
    files: NDArray[np.void]
    stops: NDArray[np.void]
    releases: NDArray[np.void]
    calendar: NDArray[np.int32]
    hits: NDArray[np.int64]
    hit_day: NDArray[np.int32]
    hit_loss: NDArray[np.int32]
    drivers: NDArray[np.float64]


class Still(NamedTuple):
    """What no replication changes of what is drawn.

    Attributes
    ----------
    gate_open : ndarray of bool, shape (G,)
        False for a gate that counts as passed.
    workdays : ndarray of int64, shape (D + 1,)
        Working days before each day.
    reached : ndarray of int32, shape (workdays[D] + 1,)
        The first place in `workdays` that reaches each number.
    may_start : ndarray of bool, shape (C, D)
        False on days on which nothing may start.
    losses : ndarray of int32, shape (C, D + 1, K)
        Milli-days lost to each calendar cause before each day, as far as no stop changes it.
    """

    gate_open: NDArray[np.bool_]
    workdays: NDArray[np.int64]
    reached: NDArray[np.int32]
    may_start: NDArray[np.bool_]
    losses: NDArray[np.int32]


def first_reached(workdays: NDArray[np.int64]) -> NDArray[np.int32]:
    """Turn working days before each day around: return `Still.reached`."""
    numbers = np.arange(workdays[-1] + 1)
    return np.searchsorted(workdays, numbers).astype(np.int32)
