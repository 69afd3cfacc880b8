"""What an engine is given: the frame that never changes and one realization, integers only."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Frame:
    """What is the same in every replication; projects in order of rank.

    Attributes
    ----------
    days : int
        Days simulated; the last is day `days` - 1.
    month_ends : ndarray of int64, shape (M,)
        Days on which value is measured and claims are paid.
    year_end_month : int
        Position of the plan year's end in `month_ends`.
    begun, finished : ndarray of bool, shape (P,)
        State at the status date.
    baseline_start, planned_finish : ndarray of int64, shape (P,)
        Planned days; the start is day 0 where its date has passed unused.
    before_year, done : ndarray of int64, shape (P,)
        Yuan of value before the plan year and at the status date.
    first_knots, second_knots : ndarray of int32, shape (P, K)
        Value in ppm at equal steps of work, of the piece up to year-end and of the rest.
    class_of : ndarray of int64, shape (P,)
        Calendar class.
    predecessors : tuple of tuple of int
        Positions of those that must be delivered before a project starts.
    gate_first : ndarray of int64, shape (P + 1,)
        Open gates of project p are gate_first[p] to gate_first[p + 1] - 1.
    gate_after : tuple of tuple of int
        Positions (in the list of all open gates) of those that a gate waits for.
    gate_begin : ndarray of int64, shape (P,)
        Day from which a project's files are prepared.
    gate_weight : ndarray of int64, shape (G,)
        Planned days of each gate: its weight in pre-work spending.
    prework_weight : ndarray of int64, shape (P,)
        Gate-days planned by year-end, over which pre-work spending accrues; 0 where none does.
    pay_ratio : ndarray of int64, shape (P,)
        Share of measured value payable before settlement, ppm.
    pay_run : ndarray of int64, shape (P, M)
        Month-end run that pays what is measured at a month-end; M where it lies beyond.
    opening_claims : ndarray of int64, shape (P, M)
        Yuan from before the status date, by the run that pays them.
    """

    days: int
    month_ends: Ints
    year_end_month: int
    begun: Bools
    finished: Bools
    baseline_start: Ints
    planned_finish: Ints
    before_year: Ints
    done: Ints
    first_knots: NDArray[np.int32]
    second_knots: NDArray[np.int32]
    class_of: Ints
    predecessors: tuple[tuple[int, ...], ...]
    gate_first: Ints
    gate_after: tuple[tuple[int, ...], ...]
    gate_begin: Ints
    gate_weight: Ints
    prework_weight: Ints
    pay_ratio: Ints
    pay_run: Ints
    opening_claims: Ints


@dataclass(frozen=True, slots=True)
class Realization:
    """Every random input of one replication, drawn and rounded.

    Attributes
    ----------
    replication : int
        Its number.
    earliest_start : ndarray of int64, shape (P,)
        Planned start plus slip.
    work, first_work : ndarray of int64, shape (P,)
        Milli-days of effective work left at day 0, and the part of it before the year-end knot.
    year_end_value, total : ndarray of int64, shape (P,)
        Yuan of value at the year-end knot and in all.
    acceptance : ndarray of int64, shape (P,)
        Days from finish to delivery.
    overstatement : ndarray of int64, shape (P,)
        Report above work done since the status date, ppm.
    gate_open : ndarray of bool, shape (G,)
        False for a gate that counts as passed.
    gate_preparation, gate_review : ndarray of int64, shape (G,)
        Working days.
    workdays : ndarray of int64, shape (days + 1,)
        Working days before each day.
    calendar : ndarray of int64, shape (C, days + 1)
        Milli-days of availability before each day.
    may_start : ndarray of bool, shape (C, days)
        False on days on which nothing may start.
    drivers : dict of str to float
        What the shared drivers drew, for the samples table; engines do not read it.
    """

    replication: int
    earliest_start: Ints
    work: Ints
    first_work: Ints
    year_end_value: Ints
    total: Ints
    acceptance: Ints
    overstatement: Ints
    gate_open: Bools
    gate_preparation: Ints
    gate_review: Ints
    workdays: Ints
    calendar: Ints
    may_start: Bools
    drivers: dict[str, float]
