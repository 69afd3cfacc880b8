"""The portfolio: a checked plan as frozen arrays, with the baseline that the ledger implies.

The baseline is the ledger read literally: each project starts and finishes on its planned dates,
stands at its filed amounts at the status date, at year-end and at the end, and works at the pace
of the planned calendar in between.
"""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sim.plan.approvals import GateChain, lay_out_gates
from sim.plan.assembly import NEUTRAL_TYPE
from sim.plan.availability import NO_START, by_cause, milli_days
from sim.plan.baseline import BaselineCalendar, opening_claims
from sim.plan.curves import PPM, SEGMENTS, knots
from sim.plan.rows import Plan, ProjectType

EARLY_DAYS = 56
"""The "first weeks of construction" over which a type's early share is booked."""

KEY_TIER, KEY_TAG = "province", "key"
"""What makes a project a key work: some stops strike it less."""

Ints = NDArray[np.int64]


class CalendarClass(NamedTuple):
    """Projects whom the calendar treats alike."""

    season: str
    county: str
    key: bool


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
    pay_days : ndarray of int64, shape (M,)
        Day of each month's payment run: the month-end, in December the treasury's cut-off day.
    planned_start, planned_finish : ndarray of int64, shape (P,)
        Days; negative before day 0.
    begun, finished : ndarray of bool, shape (P,)
        State at the status date.
    in_target : ndarray of bool, shape (P,)
        Whether the project counts towards the year's target (reserve does not).
    dropped, postponed, pulled : ndarray of bool, shape (P,)
        What levers decide: leaves the plan, waits for the next year, comes out of the reserve.
    before_year, done, year_end_value, total : ndarray of int64, shape (P,)
        Yuan: value before the plan year, at the status date, filed for year-end, in all.
    class_of : ndarray of int64, shape (P,)
        Calendar class.
    classes : tuple of CalendarClass
        Calendar classes in use.
    availability : ndarray of int64, shape (C, D)
        Milli-days of each day from `first_day` to the last planned finish or the horizon.
    causes : tuple of str
        Calendar causes, in the order in which they are charged.
    losses : ndarray of int64, shape (K, C, D)
        Milli-days that each cause takes of each day.
    planned_losses : ndarray of int64, shape (P, K)
        The same between planned start (or day 0) and finish.
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
    opening_claims : ndarray of int64, shape (P, M)
        Yuan measured before the status date and still to be paid, by month-end run.
    filed_value : ndarray of int64, shape (P, Y)
        Yuan of value at each month-end of the plan year, as filed.
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
    pay_days: Ints
    year_end_month: int
    planned_start: Ints
    planned_finish: Ints
    begun: NDArray[np.bool_]
    finished: NDArray[np.bool_]
    in_target: NDArray[np.bool_]
    dropped: NDArray[np.bool_]
    postponed: NDArray[np.bool_]
    pulled: NDArray[np.bool_]
    before_year: Ints
    done: Ints
    year_end_value: Ints
    total: Ints
    class_of: Ints
    classes: tuple[CalendarClass, ...]
    availability: Ints
    causes: tuple[str, ...]
    losses: Ints
    planned_losses: Ints
    first_day: int
    may_start: NDArray[np.bool_]
    work_before: Ints
    work_left: Ints
    work_to_year_end: Ints
    first_knots: NDArray[np.int32]
    second_knots: NDArray[np.int32]
    pay_ratio: Ints
    opening_claims: Ints
    filed_value: Ints
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
        return np.where(self._late, 0, self.planned_start)

    @property
    def decided_start(self) -> Ints:
        """The same after levers: day 0 for what is pulled forward."""
        return np.where(self.pulled, np.minimum(self.baseline_start, 0), self.baseline_start)

    @property
    def _late(self) -> NDArray[np.bool_]:
        return ~self.begun & ~self.finished & (self.planned_start < 0)

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
    cut_off = plan.levers.december_cut_off or plan.december_cut_off
    pay_days = _pay_days(origin, month_ends, cut_off)
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
    causes = _causes(plan)
    availability, losses, may_start = _calendars(
        plan, classes, causes, origin, first_day, last_day, days
    )
    calendar = BaselineCalendar(_before(availability), class_of, first_day)
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
    index = {one.id: position for position, one in enumerate(projects)}
    arrears = np.array([one.arrears for one in projects], dtype=np.int64)
    opening = opening_claims(
        types, origin, pay_days, calendar, starts, begun, work_before, work_left, done, pay_ratio
    )
    opening[:, 0] += arrears
    decided = {
        name: np.array([one.id in getattr(plan.levers, name) for one in projects], dtype=np.bool_)
        for name in ("drop", "postpone", "pull_forward")
    }
    lost = (
        np.stack(
            [
                BaselineCalendar(_before(row), class_of, first_day).work(
                    np.maximum(effective_starts, 0), finishes
                )
                for row in losses
            ],
            axis=1,
        )
        if causes
        else (np.zeros((len(projects), 0), dtype=np.int64))
    )
    filed_value = _filed_value(
        month_ends[month_ends <= year_end],
        calendar,
        effective_starts,
        to_year_end,
        done,
        year_end_value,
        first_knots,
    )
    return Portfolio(
        plan=plan,
        origin=origin,
        days=days,
        month_ends=month_ends,
        pay_days=pay_days,
        year_end_month=int(np.searchsorted(month_ends, year_end)),
        planned_start=starts,
        planned_finish=finishes,
        begun=begun,
        finished=finished,
        in_target=np.array([one.stage != "reserve" for one in projects], dtype=np.bool_),
        dropped=decided["drop"],
        postponed=decided["postpone"],
        pulled=decided["pull_forward"],
        before_year=before_year,
        done=done,
        year_end_value=year_end_value,
        total=total,
        class_of=class_of,
        classes=classes,
        availability=availability,
        causes=causes,
        losses=losses,
        planned_losses=lost,
        first_day=first_day,
        may_start=may_start,
        work_before=work_before,
        work_left=work_left,
        work_to_year_end=to_year_end,
        first_knots=first_knots,
        second_knots=second_knots,
        pay_ratio=pay_ratio,
        opening_claims=opening,
        filed_value=filed_value,
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


def _classes(plan: Plan) -> tuple[tuple[CalendarClass, ...], Ints]:
    """Tell projects apart by what strikes them: season, county, and key works if that matters."""
    if plan.calendar == "continuous":
        return (CalendarClass("", "", False),), np.zeros(len(plan.projects), dtype=np.int64)
    matters = any(one.key_works != 1.0 for one in plan.drivers)
    of_projects = [
        CalendarClass(
            plan.types.get(one.type, NEUTRAL_TYPE).season,
            one.county,
            matters and (one.tier == KEY_TIER or KEY_TAG in one.tags),
        )
        for one in plan.projects
    ]
    classes = tuple(sorted(set(of_projects)))
    position = {one: index for index, one in enumerate(classes)}
    return classes, np.array([position[one] for one in of_projects], dtype=np.int64)


def _before(of_days: Ints) -> Ints:
    """Return the sum before each day, of shape (C, D + 1), from what each day has."""
    zeros = np.zeros((len(of_days), 1), dtype=np.int64)
    return np.concatenate([zeros, np.cumsum(of_days, axis=1)], axis=1)


def _pay_days(origin: datetime.date, month_ends: Ints, cut_off: tuple[int, int]) -> Ints:
    """Return the day of each month's payment run, never before the status date."""
    days = []
    for end in month_ends.tolist():
        date = origin + datetime.timedelta(days=end)
        early = (datetime.date(date.year, *cut_off) - origin).days if date.month == 12 else end
        days.append(max(min(end, early), 0))
    return np.array(days, dtype=np.int64)


def _causes(plan: Plan) -> tuple[str, ...]:
    """Return the causes that take time: of the calendar's rows, and of drivers with a window."""
    if plan.calendar == "continuous":
        return ()
    rows = {one.cause for one in plan.calendar_rows} - {NO_START}
    return tuple(sorted(rows | {one.name for one in plan.drivers if one.window is not None}))


def _calendars(
    plan: Plan,
    classes: Sequence[CalendarClass],
    causes: Sequence[str],
    origin: datetime.date,
    first: int,
    last: int,
    days: int,
) -> tuple[Ints, Ints, NDArray[np.bool_]]:
    rows = [] if plan.calendar == "continuous" else plan.calendar_rows
    length = last - first + 1
    availability = np.empty((len(classes), length), dtype=np.int64)
    losses = np.empty((len(causes), len(classes), length), dtype=np.int64)
    may_start = np.ones((len(classes), days), dtype=np.bool_)
    for position, (season, county, _) in enumerate(classes):
        shares = by_cause(rows, season, county, origin, first, last)
        availability[position], losses[:, position] = milli_days(shares, causes, length, 1)
        if NO_START in shares:
            may_start[position] = shares[NO_START][-first : days - first] > 0
    return availability, losses, may_start


def _filed_value(
    month_ends: Ints,
    calendar: BaselineCalendar,
    starts: Ints,
    to_year_end: Ints,
    done: Ints,
    year_end_value: Ints,
    knots_of_year: NDArray[np.int32],
) -> Ints:
    """Read each project's filed curve at the month-ends of the year, by its planned work."""
    values = np.empty((len(done), len(month_ends)), dtype=np.int64)
    whole = np.maximum(to_year_end, 1)
    first = np.maximum(starts, 0)
    rows = np.arange(len(done))
    for month, day in enumerate(month_ends.tolist()):
        last = np.full(len(done), day, dtype=np.int64)
        worked = np.where(to_year_end > 0, np.minimum(calendar.work(first, last), to_year_end), 0)
        step, rest = np.divmod(worked * SEGMENTS, whole)
        low = knots_of_year[rows, np.minimum(step, SEGMENTS - 1)].astype(np.int64)
        high = knots_of_year[rows, np.minimum(step + 1, SEGMENTS)].astype(np.int64)
        share = np.where(step >= SEGMENTS, PPM, low + (high - low) * rest // whole)
        values[:, month] = done + (year_end_value - done) * share // PPM
    return values


def _curves(
    types: Sequence[ProjectType],
    calendar: BaselineCalendar,
    starts: Ints,
    work_before: Ints,
    work_left: Ints,
    to_year_end: Ints,
) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    whole = np.maximum(work_before + work_left, 1)
    low, middle = work_before / whole, (work_before + to_year_end) / whole
    early = np.minimum(calendar.first_days(starts, EARLY_DAYS) / whole, 1.0)
    a, b = [one.curve_a for one in types], [one.curve_b for one in types]
    parameters = (a, b, [one.early_share for one in types], early)
    return knots(low, middle, *parameters), knots(middle, 1.0, *parameters)
