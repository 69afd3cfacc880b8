"""The planned calendar as cumulative work, and what the time before the status date left behind."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sim.plan.curves import PPM, s_curve, share_of
from sim.plan.rows import ProjectType

Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class BaselineCalendar:
    """Cumulative effective work of each calendar class as planned.

    Attributes
    ----------
    cumulative : ndarray of int64, shape (C, D + 1)
        Milli-days of work before each day; column 0 stands for `first_day`.
    class_of : ndarray of int64, shape (P,)
        Calendar class of each project.
    first_day : int
        Day of the first column.
    """

    cumulative: Ints
    class_of: Ints
    first_day: int

    def work(self, first: Ints, last: Ints) -> Ints:
        """Return each project's milli-days from `first` to `last`, both included.

        Days before the first column count nothing: no project is planned to work on them.
        """
        rows = self.cumulative
        begin = np.maximum(first - self.first_day, 0)
        end = np.maximum(last + 1 - self.first_day, begin)
        return np.asarray(rows[self.class_of, end] - rows[self.class_of, begin], dtype=np.int64)

    def first_days(self, starts: Ints, days: int) -> Ints:
        """Return each project's milli-days in its first days of construction."""
        last = self.cumulative.shape[1] - 1
        begin = np.minimum(starts - self.first_day, last)
        end = np.minimum(begin + days, last)
        rows = self.cumulative
        return np.asarray(rows[self.class_of, end] - rows[self.class_of, begin], dtype=np.int64)


def opening_claims(
    types: Sequence[ProjectType],
    origin: datetime.date,
    month_ends: Ints,
    calendar: BaselineCalendar,
    starts: Ints,
    begun: NDArray[np.bool_],
    work_before: Ints,
    work_left: Ints,
    done: Ints,
    pay_ratio: Ints,
) -> Ints:
    """Work out what was measured before the status date and is not yet due.

    Value before the status date follows the baseline curve from zero to the amount done. Each
    month-end's measurement is payable after the type's lag; what would be payable only after the
    status date is still owed in the ordinary course, and is paid at the first run after that.

    Returns
    -------
    ndarray of int64, shape (P, M)
        Yuan due at each month-end run.
    """
    claims = np.zeros((len(starts), len(month_ends)), dtype=np.int64)
    lag = np.array([one.pay_lag_days for one in types], dtype=np.int64)
    measured = [-1, *_month_ends_before(origin, 25)]
    values = []
    for day in measured:
        last = np.full(len(starts), day, dtype=np.int64)
        done_work = np.where(
            begun & (starts <= day), calendar.work(np.minimum(starts, day + 1), last), 0
        )
        values.append(_value_before(types, done_work, work_before, work_left, done))
    for newer, older, day in zip(values, values[1:], measured, strict=False):
        run = np.searchsorted(month_ends, day + lag)
        owed = np.flatnonzero(begun & (day + lag >= 0) & (run < len(month_ends)))
        amount = pay_ratio * newer // PPM - pay_ratio * older // PPM
        claims[owed, run[owed]] += amount[owed]
    return claims


def _month_ends_before(origin: datetime.date, count: int) -> list[int]:
    """Return the days of the `count` month-ends before day -1, newest first."""
    ends: list[int] = []
    year, month = origin.year, origin.month
    while len(ends) < count:
        day = (datetime.date(year, month, 1) - origin).days - 1
        if day < -1:
            ends.append(day)
        year, month = (year, month - 1) if month > 1 else (year - 1, 12)
    return ends


def _value_before(
    types: Sequence[ProjectType], done_work: Ints, work_before: Ints, work_left: Ints, done: Ints
) -> Ints:
    everything = np.maximum(work_before + work_left, 1)
    a, b = [one.curve_a for one in types], [one.curve_b for one in types]
    at = s_curve(done_work / everything, a, b, 0.0, 0.0)
    at_status = s_curve(work_before / everything, a, b, 0.0, 0.0)
    ratio = share_of(at, at_status)
    value = done * np.rint(ratio * PPM).astype(np.int64) // PPM
    return np.where(work_before > 0, value, 0)
