"""What one realization leads to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


class Event(NamedTuple):
    """One line of the log.

    Attributes
    ----------
    day, phase : int
        When.
    project : int
        Position of the project; -1 where none is meant.
    happening : int
        A code of `rules.Happening`.
    number : int
        An amount in yuan, a count of days, a rate in ppm: what the happening says.
    place : int
        A gate, an account or a release by position, as the happening says; -1 where none.
    """

    day: int
    phase: int
    project: int
    happening: int
    number: int
    place: int


@dataclass(frozen=True, slots=True)
class Trajectory:
    """Dates and amounts of one replication; projects in order of rank.

    Attributes
    ----------
    replication : int
        Its number.
    start, finish, delivered, dropped : ndarray of int64, shape (P,)
        Days; negative for what happened before day 0 as planned; `rules.NEVER` beyond the horizon.
    waits : ndarray of int64, shape (P, 6)
        Days by which each cause of `rules.Wait` moved the start.
    causes : ndarray of int64, shape (P, 7 + K)
        Billionths of a day by which each `rules.Cause`, then each calendar cause, moved the
        finish; 0 for what never started. With the waits they sum to finish - planned finish.
    joined, left : ndarray of bool, shape (P,)
        Whether a decision in the year brought the project into the revised plan, or took it out.
    value, reported, paid : ndarray of int64, shape (P, M)
        Yuan at each month-end: value of work done since the project began, the same as reported,
        and payments since the status date.
    arrears : ndarray of int64, shape (P, M)
        Yuan due and not paid.
    claimed : ndarray of int64, shape (P, M)
        Yuan claimed since the status date, due by now or later, opening claims included.
    progress : ndarray of int64, shape (P, M)
        Share of the work left at day 0 that is done at each month-end, ppm.
    premium : ndarray of int64, shape (P,)
        Yuan that acceleration cost.
    released, spent, set_aside, lapsed, balance, unmet : ndarray of int64, shape (A, M)
        Yuan of each account at each month-end: received, paid and lapsed since the status date;
        set aside and free or earmarked now; asked for and not paid at the month's run. A loan is
        asked only for what may be paid beside the equity paid so far.
    queued, taken, waited : ndarray of int64, shape (W, M)
        Files of each window: waiting at the month-end; taken in the month, and the days that
        these had waited in all.
    check_spent : ndarray of int64, shape (Q,)
        Yuan spent of a bond release by each check of its clock; -1 where the day lies beyond the
        horizon.
    """

    replication: int
    start: Ints
    finish: Ints
    delivered: Ints
    dropped: Ints
    waits: Ints
    causes: Ints
    joined: Bools
    left: Bools
    value: Ints
    reported: Ints
    paid: Ints
    arrears: Ints
    claimed: Ints
    progress: Ints
    premium: Ints
    released: Ints
    spent: Ints
    set_aside: Ints
    lapsed: Ints
    balance: Ints
    unmet: Ints
    queued: Ints
    taken: Ints
    waited: Ints
    check_spent: Ints
