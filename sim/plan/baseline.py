"""The planned calendar as cumulative work, and what the time before the status date left behind."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sim.plan.curves import PPM, s_curve
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

    def first_days(self, position: int, start: int, days: int) -> int:
        """Return one project's milli-days in its first days of construction."""
        row = self.cumulative[self.class_of[position]]
        begin = min(start - self.first_day, len(row) - 1)
        return int(row[min(begin + days, len(row) - 1)] - row[begin])


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
    measured = [-1, *_month_ends_before(origin, 25)]
    values = []
    for day in measured:
        last = np.full(len(starts), day, dtype=np.int64)
        done_work = np.where(
            begun & (starts <= day), calendar.work(np.minimum(starts, day + 1), last), 0
        )
        values.append(_value_before(types, done_work, work_before, work_left, done))
    for newer, older, day in zip(values, values[1:], measured, strict=False):
        for i, shape in enumerate(types):
            due = day + shape.pay_lag_days
            if due >= 0 and begun[i]:
                run = int(np.searchsorted(month_ends, due))
                amount = int(pay_ratio[i]) * newer[i] // PPM - int(pay_ratio[i]) * older[i] // PPM
                if run < len(month_ends):
                    claims[i, run] += amount
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
) -> list[int]:
    values = []
    for i, shape in enumerate(types):
        everything = int(work_before[i] + work_left[i])
        if work_before[i] == 0 or everything == 0:
            values.append(0)
            continue
        shares = np.array([done_work[i], work_before[i]], dtype=np.float64) / everything
        at, at_status = s_curve(shares, shape.curve_a, shape.curve_b, 0.0, 0.0)
        ratio = min(float(at / at_status), 1.0) if at_status > 0 else 1.0
        values.append(int(done[i]) * round(ratio * PPM) // PPM)
    return values
