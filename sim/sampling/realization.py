"""What an engine is given: the frame that never changes and one realization, integers only."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


GIVEN_UP = -1
"""Stands where the days of a stop are expected: the project ends there."""


class AccountRule(IntEnum):
    """How the pool of an account is shared among those who ask."""

    TIER = 0
    PRO_RATA = 1
    FIFO = 2


@dataclass(frozen=True, slots=True)
class Policy:
    """What is decided for the whole plan.

    Attributes
    ----------
    money_limited : bool
        False: everything due is paid, nothing waits for money.
    starts_block : bool
        Whether a project that waits for money blocks those of lower rank at its accounts.
    accelerates : ndarray of bool, shape (M,)
        Month-ends at which owners may accelerate the next month.
    premium : int
        Extra cost of accelerated value, ppm.
    growth_limit : int
        Share of the approved total up to which value counts before adjustment, ppm.
    adjustment_days, adjustment_days_above : int
        Days from application to adjustment, for growth within the limit and beyond it.
    revision_day : int
        Day on which the plan is revised; -1 for never.
    reallocation_days : int
        Days from withdrawing idle bond money to having it in the pool; -1 for never.
    """

    money_limited: bool
    starts_block: bool
    accelerates: Bools
    premium: int
    growth_limit: int
    adjustment_days: int
    adjustment_days_above: int
    revision_day: int
    reallocation_days: int


@dataclass(frozen=True, slots=True)
class Terms:
    """Payment terms of projects, in order of rank; month-ends and runs are positions.

    Attributes
    ----------
    pay_days : ndarray of int64, shape (M,)
        Day of each month's payment run.
    pay_ratio, retention : ndarray of int64, shape (P,)
        Shares of value, ppm: payable before settlement; kept back after it.
    due_run : ndarray of int64, shape (P, M)
        Run at which what is claimed at a month-end falls due; M where it lies beyond.
    advance_run : ndarray of int64, shape (M,)
        Run at which an advance claimed at a month-end falls due.
    retention_run : ndarray of int64, shape (P, M)
        Run at which the retention of a settlement at a month-end falls due.
    recovery_from, recovery_to : ndarray of int64, shape (P,)
        Shares of total value between which the advance is recovered, ppm.
    tolerance, slow_rate, fast_rate : ndarray of int64, shape (P,)
        Arrears over value at which work slows; floor and cap of the work rate; ppm.
    opening : ndarray of int64, shape (P, M)
        Yuan from before the status date, by the run at which they fall due.
    """

    pay_days: Ints
    pay_ratio: Ints
    retention: Ints
    due_run: Ints
    advance_run: Ints
    retention_run: Ints
    recovery_from: Ints
    recovery_to: Ints
    tolerance: Ints
    slow_rate: Ints
    fast_rate: Ints
    opening: Ints


@dataclass(frozen=True, slots=True)
class Accounts:
    """Accounts and who draws on them; accounts in order of payment, lines by project.

    Attributes
    ----------
    rule : ndarray of int64, shape (A,)
        `AccountRule`.
    debt, own, bond, lapses : ndarray of bool, shape (A,)
        Whether it counts as debt; is the owners' own path; carries bond clocks; loses its free
        balance at the end of a year.
    opening : ndarray of int64, shape (A,)
        Yuan at the status date.
    year_closes : ndarray of bool, shape (M,)
        Month-ends that end a year.
    tier : ndarray of int64, shape (P,)
        Place of the project's tier in payment, from 0.
    line_first : ndarray of int64, shape (P + 1,)
        Funding lines of project p are line_first[p] to line_first[p + 1] - 1, equity first.
    line_account : ndarray of int64, shape (L,)
        Account of each line.
    line_share : ndarray of int64, shape (L,)
        Cumulative share of the project's lines up to this one, ppm; the last is 10**6.
    equity_share : ndarray of int64, shape (P,)
        Cumulative share of the equity lines, ppm.
    release_account, release_project : ndarray of int64, shape (R,)
        Account of each release, and the project it is earmarked for, or -1.
    check_release, check_after : ndarray of int64, shape (Q,)
        Checks of bond clocks: the release, and the day counted from its availability.
    check_idle : ndarray of bool, shape (Q,)
        Whether it is the check at 6 months, at which idle money may be withdrawn.
    """

    rule: Ints
    debt: Bools
    own: Bools
    bond: Bools
    lapses: Bools
    opening: Ints
    year_closes: Bools
    tier: Ints
    line_first: Ints
    line_account: Ints
    line_share: Ints
    equity_share: Ints
    release_account: Ints
    release_project: Ints
    check_release: Ints
    check_after: Ints
    check_idle: Bools


@dataclass(frozen=True, slots=True)
class Frame:
    """What is the same in every replication; projects in order of rank.

    Attributes
    ----------
    days : int
        Days simulated; the last is day `days` - 1.
    month_ends : ndarray of int64, shape (M,)
        Days on which value is measured.
    year_end_month : int
        Position of the plan year's end in `month_ends`.
    begun, finished : ndarray of bool, shape (P,)
        State at the status date.
    abandoned : ndarray of bool, shape (P,)
        Left the plan at the status date: nothing of it is built any more.
    in_target, reserve : ndarray of bool, shape (P,)
        Whether the project counts towards the target; whether it can be pulled forward.
    joined, left : ndarray of bool, shape (P,)
        Whether a decision at the status date brought it into the revised plan, or took it out.
    cash_gated : ndarray of bool, shape (P,)
        Whether it waits for its first instalment.
    baseline_start, planned_start, planned_finish : ndarray of int64, shape (P,)
        Planned days; the first is day 0 where the planned date has passed unused, or where a
        decision pulled the project forward; the second is the same without that decision.
    before_year, done, approved, annual_plan : ndarray of int64, shape (P,)
        Yuan: value before the plan year and at the status date, approved total, plan of the year.
    first_knots, second_knots : ndarray of int32, shape (P, K)
        Value in ppm at equal steps of work, of the piece up to year-end and of the rest.
    filed_value : ndarray of int64, shape (P, Y)
        Yuan on the filed curve at each month-end of the plan year.
    planned_work : ndarray of int64, shape (P,)
        Milli-days of work left at day 0 as planned.
    planned_losses : ndarray of int64, shape (P, K)
        Milli-days lost to each calendar cause between planned start (or day 0) and finish.
    planned_calendar : ndarray of int64, shape (C, days + 1)
        Planned availability before each day, milli-days.
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
    gate_window : ndarray of int64, shape (G,)
        Window at which it is reviewed, or -1.
    window_places : ndarray of int64, shape (W,)
        Places for the plan's files; -1 where the window never binds.
    terms : Terms
        Payment terms.
    accounts : Accounts
        Accounts and funding lines; empty where money is unlimited.
    policy : Policy
        What is decided for the whole plan.
    """

    days: int
    month_ends: Ints
    year_end_month: int
    begun: Bools
    finished: Bools
    abandoned: Bools
    in_target: Bools
    reserve: Bools
    joined: Bools
    left: Bools
    cash_gated: Bools
    baseline_start: Ints
    planned_start: Ints
    planned_finish: Ints
    before_year: Ints
    done: Ints
    approved: Ints
    annual_plan: Ints
    first_knots: NDArray[np.int32]
    second_knots: NDArray[np.int32]
    filed_value: Ints
    planned_work: Ints
    planned_losses: Ints
    planned_calendar: Ints
    class_of: Ints
    predecessors: tuple[tuple[int, ...], ...]
    gate_first: Ints
    gate_after: tuple[tuple[int, ...], ...]
    gate_begin: Ints
    gate_weight: Ints
    prework_weight: Ints
    gate_window: Ints
    window_places: Ints
    terms: Terms
    accounts: Accounts
    policy: Policy


@dataclass(frozen=True, slots=True)
class Realization:
    """Every random input of one replication, drawn and rounded.

    Attributes
    ----------
    replication : int
        Its number.
    slip : ndarray of int64, shape (P,)
        Days from a project's planned start to the first on which it may start.
    work, first_work : ndarray of int64, shape (P,)
        Milli-days of effective work left at day 0, and the part of it before the year-end knot.
    work_saved : ndarray of int64, shape (P,)
        Milli-days that opportunities took off the work.
    year_end_value, total : ndarray of int64, shape (P,)
        Yuan of value at the year-end knot and in all.
    advance : ndarray of int64, shape (P,)
        Yuan claimed at the start; 0 for what began before the status date.
    acceptance : ndarray of int64, shape (P,)
        Days from finish to delivery.
    overstatement : ndarray of int64, shape (P,)
        Report above work done since the status date, ppm.
    gate_open : ndarray of bool, shape (G,)
        False for a gate that counts as passed.
    gate_preparation, gate_review : ndarray of int64, shape (G,)
        Working days.
    gate_delay : ndarray of int64, shape (G,)
        Calendar days by which risks move the file; negative for opportunities.
    gate_dropped : ndarray of bool, shape (G,)
        True where the project is given up when its file would be ready.
    stop_first : ndarray of int64, shape (P + 1,)
        Stops of project p are stop_first[p] to stop_first[p + 1] - 1, in order of position.
    stop_at, stop_days : ndarray of int64, shape (S,)
        Milli-days of work at which a stop strikes, and its calendar days, or `GIVEN_UP`.
    workdays : ndarray of int64, shape (days + 1,)
        Working days before each day.
    calendar : ndarray of int64, shape (C, days + 1)
        Milli-days of availability before each day.
    calendar_losses : ndarray of int64, shape (K, C, days + 1)
        Milli-days lost to each calendar cause before each day.
    may_start : ndarray of bool, shape (C, days)
        False on days on which nothing may start.
    release_day, release_amount : ndarray of int64, shape (R,)
        Day on which each release is received, and its yuan.
    own_share : ndarray of int64, shape (P,)
        Share of what falls due on own funds that the owner can pay at once, ppm.
    drivers : dict of str to float
        What the shared drivers drew, for the samples table; engines do not read it.
    """

    replication: int
    slip: Ints
    work: Ints
    first_work: Ints
    work_saved: Ints
    year_end_value: Ints
    total: Ints
    advance: Ints
    acceptance: Ints
    overstatement: Ints
    gate_open: Bools
    gate_preparation: Ints
    gate_review: Ints
    gate_delay: Ints
    gate_dropped: Bools
    stop_first: Ints
    stop_at: Ints
    stop_days: Ints
    workdays: Ints
    calendar: Ints
    calendar_losses: Ints
    may_start: Bools
    release_day: Ints
    release_amount: Ints
    own_share: Ints
    drivers: dict[str, float]
