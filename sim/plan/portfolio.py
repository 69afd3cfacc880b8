"""The portfolio: a checked plan as frozen arrays, with the baseline that the ledger implies.

The baseline is the ledger read literally: each project starts and finishes on its planned dates,
stands at its filed amounts at the status date, at year-end and at the end, and works at the pace
of the planned calendar in between.
"""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sim.plan.approvals import GateChain, lay_out_gates
from sim.plan.assembly import NEUTRAL_TYPE
from sim.plan.availability import NO_START, by_cause, combined, milli_days
from sim.plan.baseline import BaselineCalendar, opening_claims
from sim.plan.curves import PPM, SEGMENTS, knots
from sim.plan.rows import Plan, ProjectType

EARLY_DAYS = 56
"""The "first weeks of construction" over which a type's early share is booked."""

Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Portfolio:
    """A plan as arrays over its projects, in order of rank.

    Attributes
    ----------
    plan : Plan
        The plan it was built from.
    origin : datetime.date
        Date of day 0, the first day after the status date.
    days : int
        Days from the status date to the horizon.
    month_ends : ndarray of int64, shape (M,)
        Day of each month-end from the status date to the horizon.
    year_end_month : int
        Position of the plan year's end in `month_ends`.
    planned_start, planned_finish : ndarray of int64, shape (P,)
        Days; negative before day 0.
    begun, finished : ndarray of bool, shape (P,)
        State at the status date.
    in_target : ndarray of bool, shape (P,)
        Whether the project counts towards the year's target (reserve does not).
    before_year, done, year_end_value, total : ndarray of int64, shape (P,)
        Yuan: value before the plan year, at the status date, filed for year-end, in all.
    class_of : ndarray of int64, shape (P,)
        Calendar class.
    classes : tuple of (season, county)
        Calendar classes in use.
    availability : ndarray of int64, shape (C, D)
        Milli-days of each day from `first_day` to the last planned finish or the horizon.
    first_day : int
        Day of the first column of `availability`.
    may_start : ndarray of bool, shape (C, days)
        False in periods in which nothing may start.
    work_before, work_left : ndarray of int64, shape (P,)
        Effective work before and after the status date, milli-days.
    work_to_year_end : ndarray of int64, shape (P,)
        The part of `work_left` planned before the plan year ends.
    first_knots, second_knots : ndarray of int32, shape (P, SEGMENTS + 1)
        Curve up to year-end and from there on, ppm of each piece's value.
    pay_ratio : ndarray of int64, shape (P,)
        Share of measured value payable before settlement, ppm.
    pay_lag_months : ndarray of int64, shape (P, M)
        Month-end run at which what is measured at a month-end gets paid.
    opening_claims : ndarray of int64, shape (P, M)
        Yuan measured before the status date and still to be paid, by month-end run.
    chains : tuple of GateChain or None
        Open gates of each project.
    predecessors : tuple of tuple of int
        Positions of the predecessors of each project.
    warnings : tuple of Problem
        What is odd about the baseline.
    """

    plan: Plan
    origin: datetime.date
    days: int
    month_ends: Ints
    year_end_month: int
    planned_start: Ints
    planned_finish: Ints
    begun: NDArray[np.bool_]
    finished: NDArray[np.bool_]
    in_target: NDArray[np.bool_]
    before_year: Ints
    done: Ints
    year_end_value: Ints
    total: Ints
    class_of: Ints
    classes: tuple[tuple[str, str], ...]
    availability: Ints
    first_day: int
    may_start: NDArray[np.bool_]
    work_before: Ints
    work_left: Ints
    work_to_year_end: Ints
    first_knots: NDArray[np.int32]
    second_knots: NDArray[np.int32]
    pay_ratio: Ints
    pay_lag_months: Ints
    opening_claims: Ints
    chains: tuple[GateChain | None, ...]
    predecessors: tuple[tuple[int, ...], ...]

    @property
    def size(self) -> int:
        """Number of projects."""
        return len(self.plan.projects)

    @property
    def year_end_day(self) -> int:
        """Day of the plan year's end."""
        return int(self.month_ends[self.year_end_month])

    @property
    def baseline_start(self) -> Ints:
        """Day on which each project starts as planned: day 0 where the date has passed unused."""
        late = ~self.begun & ~self.finished & (self.planned_start < 0)
        return np.where(late, 0, self.planned_start)

    def type_of(self, position: int) -> ProjectType:
        """Return the type of a project, the neutral one where none is given."""
        return self.plan.types.get(self.plan.projects[position].type, NEUTRAL_TYPE)

    def attribute(self, position: int, column: str) -> str:
        """Return the value by which a driver's exposure tells projects apart."""
        if column == "season":
            return self.type_of(position).season
        return str(getattr(self.plan.projects[position], column))


def build_portfolio(plan: Plan) -> Portfolio:
    """Turn a checked plan into arrays and work out its baseline.

    Parameters
    ----------
    plan : Plan
        A plan without errors.

    Returns
    -------
    Portfolio
        Arrays that later floors only read.
    """
    projects = plan.projects
    origin = plan.status_date + datetime.timedelta(days=1)

    def day(date: datetime.date) -> int:
        return (date - origin).days

    days, year_end = day(plan.horizon) + 1, day(plan.year_end)
    month_ends = _month_ends(origin, plan.horizon)
    starts = np.array([day(one.planned_start) for one in projects], dtype=np.int64)
    finishes = np.array([day(one.planned_finish) for one in projects], dtype=np.int64)
    finished = finishes < 0
    # What is finished counts as settled: nothing of it is open but arrears.
    begun = (
        ~finished
        & (starts < 0)
        & np.array([one.stage in ("continuing", "completing") for one in projects], dtype=np.bool_)
    )
    classes, class_of = _classes(plan)
    first_day, last_day = int(min(starts.min(), 0)), int(max(finishes.max(), days - 1))
    availability, may_start = _calendars(plan, classes, origin, first_day, last_day, days)
    cumulative = np.concatenate(
        [np.zeros((len(classes), 1), dtype=np.int64), np.cumsum(availability, axis=1)], axis=1
    )

    calendar = BaselineCalendar(cumulative, class_of, first_day)
    types = [plan.types.get(one.type, NEUTRAL_TYPE) for one in projects]
    effective_starts = np.where(~begun & ~finished & (starts < 0), 0, starts)
    zeros = np.zeros(len(projects), dtype=np.int64)
    work_before = np.where(begun, calendar.work(starts, zeros - 1), 0)
    work_left = np.where(finished, 0, calendar.work(np.maximum(effective_starts, 0), finishes))
    to_year_end = np.where(
        finished | (effective_starts > year_end),
        0,
        calendar.work(np.maximum(effective_starts, 0), np.minimum(finishes, year_end)),
    )
    before_year = np.array([one.done_before_year for one in projects], dtype=np.int64)
    done = np.array([one.done for one in projects], dtype=np.int64)
    filed = before_year + np.array([one.annual_plan for one in projects], dtype=np.int64)
    total = np.array([one.total for one in projects], dtype=np.int64)
    year_end_value = np.maximum(filed, done)
    # A project that never reaches year-end as planned has no second piece; its first carries all.
    first_knots, second_knots = _curves(
        types, calendar, effective_starts, work_before, work_left, to_year_end
    )
    chains = tuple(
        lay_out_gates(plan, one, int(start), year_end, bool(has_begun or is_finished))
        for one, start, has_begun, is_finished in zip(
            projects, effective_starts, begun, finished, strict=True
        )
    )
    pay_ratio = np.array([round(one.pay_ratio * PPM) for one in types], dtype=np.int64)
    lags = np.array([one.pay_lag_days for one in types], dtype=np.int64)
    lag_months = np.searchsorted(month_ends, month_ends[None, :] + lags[:, None], side="left")
    index = {one.id: position for position, one in enumerate(projects)}
    arrears = np.array([one.arrears for one in projects], dtype=np.int64)
    opening = opening_claims(
        types, origin, month_ends, calendar, starts, begun, work_before, work_left, done, pay_ratio
    )
    opening[:, 0] += arrears
    return Portfolio(
        plan=plan,
        origin=origin,
        days=days,
        month_ends=month_ends,
        year_end_month=int(np.searchsorted(month_ends, year_end)),
        planned_start=starts,
        planned_finish=finishes,
        begun=begun,
        finished=finished,
        in_target=np.array([one.stage != "reserve" for one in projects], dtype=np.bool_),
        before_year=before_year,
        done=done,
        year_end_value=year_end_value,
        total=total,
        class_of=class_of,
        classes=classes,
        availability=availability,
        first_day=first_day,
        may_start=may_start,
        work_before=work_before,
        work_left=work_left,
        work_to_year_end=to_year_end,
        first_knots=first_knots,
        second_knots=second_knots,
        pay_ratio=pay_ratio,
        pay_lag_months=lag_months,
        opening_claims=opening,
        chains=chains,
        predecessors=tuple(
            tuple(sorted(index[other] for other in one.predecessors)) for one in projects
        ),
    )


def _month_ends(origin: datetime.date, horizon: datetime.date) -> Ints:
    """Return the days of the last days of months from `origin` to `horizon`."""
    ends, year, month = [], origin.year, origin.month
    while True:
        year, month = (year, month + 1) if month < 12 else (year + 1, 1)
        end = datetime.date(year, month, 1) - datetime.timedelta(days=1)
        if end > horizon:
            break
        ends.append((end - origin).days)
    return np.array(ends, dtype=np.int64)


def _classes(plan: Plan) -> tuple[tuple[tuple[str, str], ...], Ints]:
    if plan.calendar == "continuous":
        return (("", ""),), np.zeros(len(plan.projects), dtype=np.int64)
    pairs = [(plan.types.get(one.type, NEUTRAL_TYPE).season, one.county) for one in plan.projects]
    classes = tuple(sorted(set(pairs)))
    position = {pair: index for index, pair in enumerate(classes)}
    return classes, np.array([position[pair] for pair in pairs], dtype=np.int64)


def _calendars(
    plan: Plan,
    classes: Sequence[tuple[str, str]],
    origin: datetime.date,
    first: int,
    last: int,
    days: int,
) -> tuple[Ints, NDArray[np.bool_]]:
    rows = [] if plan.calendar == "continuous" else plan.calendar_rows
    length = last - first + 1
    availability = np.empty((len(classes), length), dtype=np.int64)
    may_start = np.ones((len(classes), days), dtype=np.bool_)
    for position, (season, county) in enumerate(classes):
        causes = by_cause(rows, season, county, origin, first, last)
        availability[position] = milli_days(combined(causes, length), at_least=1)
        if NO_START in causes:
            may_start[position] = causes[NO_START][-first : days - first] > 0
    return availability, may_start


def _curves(
    types: Sequence[ProjectType],
    calendar: BaselineCalendar,
    starts: Ints,
    work_before: Ints,
    work_left: Ints,
    to_year_end: Ints,
) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    first = np.empty((len(types), SEGMENTS + 1), dtype=np.int32)
    second = np.empty_like(first)
    for i, one in enumerate(types):
        whole = max(int(work_before[i] + work_left[i]), 1)
        low = float(work_before[i]) / whole
        middle = float(work_before[i] + to_year_end[i]) / whole
        early = min(1.0, calendar.first_days(i, int(starts[i]), EARLY_DAYS) / whole)
        parameters = (one.curve_a, one.curve_b, one.early_share, early)
        first[i] = knots(low, middle, *parameters)
        second[i] = knots(middle, 1.0, *parameters)
    return first, second
