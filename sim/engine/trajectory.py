"""What one realization leads to."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]

Event = tuple[int, int, int, int, int]
"""Day, phase, project, happening and its number: a gate, or an amount in yuan."""


@dataclass(frozen=True, slots=True)
class Trajectory:
    """Dates and amounts of one replication; projects in order of rank.

    Attributes
    ----------
    replication : int
        Its number.
    start, finish, delivered : ndarray of int64, shape (P,)
        Days; negative for what happened before day 0 as planned; `rules.NEVER` beyond the horizon.
    waits : ndarray of int64, shape (P, 4)
        Days by which each cause of `rules.Wait` moved the start.
    value, reported, paid : ndarray of int64, shape (P, M)
        Yuan at each month-end: value of work done since the project began, the same as reported,
        and payments since the status date.
    progress : ndarray of int64, shape (P, M)
        Share of the work left at day 0 that is done at each month-end, ppm.
    """

    replication: int
    start: Ints
    finish: Ints
    delivered: Ints
    waits: Ints
    value: Ints
    reported: Ints
    paid: Ints
    progress: Ints
