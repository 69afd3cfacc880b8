"""How much of each day a season class can work, as the calendar of the plan says."""

from __future__ import annotations

import datetime
import functools
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from sim.plan.rows import CalendarRow, MonthDay

FULL_DAY = 1000
"""Milli-days of effective work in a perfect working day."""
NO_START = "no_start"
ANY_SEASON = "*"

Spell = tuple[int, int, float]
"""First day, last day (both included, as day indices) and availability."""


@functools.lru_cache(maxsize=4096)  # asked for each class of the calendar
def spells(row: CalendarRow, origin: datetime.date, first: int, last: int) -> tuple[Spell, ...]:
    """List the spells of a calendar row that touch a span of days.

    Parameters
    ----------
    row : CalendarRow
        Dated, or recurring each year where its ends are (month, day).
    origin : datetime.date
        Date of day 0.
    first, last : int
        The span, as day indices.

    Returns
    -------
    tuple of (int, int, float)
        First day, last day, availability of each. Spells may reach beyond the span.
    """
    if isinstance(row.from_, datetime.date) and isinstance(row.to, datetime.date):
        pairs = [(row.from_, row.to)]
    else:
        years = range(
            (origin + datetime.timedelta(days=first)).year - 1,
            (origin + datetime.timedelta(days=last)).year + 1,
        )
        pairs = [recurring(row.from_, row.to, year) for year in years]
    found = [((start - origin).days, (end - origin).days) for start, end in pairs]
    return tuple(
        (begin, end, row.availability) for begin, end in found if begin <= last and end >= first
    )


def recurring(
    start: datetime.date | MonthDay, end: datetime.date | MonthDay, year: int
) -> tuple[datetime.date, datetime.date]:
    """Return the dates of a month-day span that begins in a year; it may end in the next."""
    first = _in_year(start, year)
    last = _in_year(end, year)
    return first, last if last >= first else _in_year(end, year + 1)


def _in_year(day: datetime.date | MonthDay, year: int) -> datetime.date:
    if isinstance(day, datetime.date):
        return day
    month, number = day
    if (month, number) == (2, 29):
        # The end of February, in every year.
        return datetime.date(year, 3, 1) - datetime.timedelta(days=1)
    return datetime.date(year, month, number)


def by_cause(
    rows: Sequence[CalendarRow],
    season: str,
    county: str,
    origin: datetime.date,
    first: int,
    last: int,
) -> dict[str, NDArray[np.float64]]:
    """Return the availability of each day, cause by cause.

    Within a cause the smallest availability counts; a county's own row stands beside the rows
    for all counties.

    Returns
    -------
    dict of str to ndarray of float64, shape (last - first + 1,)
        Availability between 0 and 1; `no_start` is 0 where nothing may start.
    """
    days: dict[str, NDArray[np.float64]] = {}
    for row in rows:
        if row.season not in (season, ANY_SEASON) or row.county not in ("", county):
            continue
        table = days.setdefault(row.cause, np.ones(last - first + 1))
        for begin, end, share in spells(row, origin, first, last):
            span = slice(max(begin - first, 0), min(end, last) - first + 1)
            table[span] = np.minimum(table[span], 0.0 if row.cause == NO_START else share)
    return days


def milli_days(
    days: Mapping[str, NDArray[np.float64]], causes: Sequence[str], length: int, at_least: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Charge each cause, one after another, with what it takes of what the ones before left.

    Parameters
    ----------
    days : mapping of cause to ndarray of float64, shape (length,)
        Availability by cause; a cause that is missing takes nothing.
    causes : sequence of str
        The order in which they are charged.
    length : int
        Number of days.
    at_least : int
        Milli-days that every day keeps. The baseline keeps one, so that a finish planned on a
        dead day stays exact; realized calendars may keep none.

    Returns
    -------
    left : ndarray of int64, shape (length,)
        Milli-days of work that each day gives.
    losses : ndarray of int64, shape (K, length)
        Milli-days taken by each cause; with what is left they sum to a full day.
    """
    share = np.ones(length)
    left = np.full(length, FULL_DAY, dtype=np.int64)
    losses = np.zeros((len(causes), length), dtype=np.int64)
    for k, cause in enumerate(causes):
        if cause not in days:
            continue
        share = share * days[cause]
        now = np.maximum(np.rint(share * FULL_DAY).astype(np.int64), at_least)
        losses[k] = left - now
        left = now
    return left, losses
