"""Realized calendars: the planned ones with the stops that a replication brings."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sim.plan.availability import ANY_SEASON, by_cause, recurring, spells
from sim.plan.portfolio import Portfolio
from sim.plan.rows import Driver
from sim.sampling.register import DRIVER, DRIVER_OCCURS, DRIVER_PLACE, Label

Floats = NDArray[np.float64]
DRAWS_PER_STOP = 3


@dataclass(frozen=True, slots=True)
class Stop:
    """One stop that may happen: of one driver, in one place, in one year.

    Attributes
    ----------
    driver : Driver
        Gives length and probability.
    subject, index : str, int
        Address of its draws: length and occurrence are drawn once for all its episodes.
    episode : int
        Which of the separate stops that share the days; each has its own place.
    first, last : int
        The spell of the plan's calendar (resized about its middle), or the window in which the
        stop is placed.
    placed : bool
        True for a window, False for a spell.
    rows : ndarray of int64
        Calendar classes that it strikes.
    factors : ndarray of float64
        Share of a day left in each of them.
    cause : int
        Position of the cause that it is charged to.
    """

    driver: Driver
    subject: str
    index: int
    episode: int
    first: int
    last: int
    placed: bool
    rows: NDArray[np.int64]
    factors: Floats
    cause: int

    @property
    def labels(self) -> tuple[Label, Label, Label]:
        """Addresses of length, occurrence and place."""
        return (
            (self.subject, DRIVER, self.index),
            (self.subject, DRIVER_OCCURS, self.index),
            (self.subject, DRIVER_PLACE, self.index + self.episode),
        )


@dataclass(frozen=True, slots=True)
class CalendarModel:
    """What does not change from one replication to the next.

    Attributes
    ----------
    still : ndarray of float64, shape (K, C, days)
        Availability by cause; 1 for the causes that drivers redraw.
    stops : tuple of Stop
        Everything that may strike.
    """

    still: Floats
    stops: tuple[Stop, ...]


def calendar_model(portfolio: Portfolio, drivers: Sequence[Driver]) -> CalendarModel | None:
    """Prepare the realized calendars.

    Parameters
    ----------
    portfolio : Portfolio
        Holds the planned calendar.
    drivers : sequence of Driver
        Calendar drivers that are switched on.

    Returns
    -------
    CalendarModel or None
        None where the planned calendar is what happens.
    """
    plan = portfolio.plan
    if plan.calendar == "continuous" or not drivers:
        return None
    redrawn = {driver.cause for driver in drivers if driver.cause}
    last = portfolio.days - 1
    still = np.ones((len(portfolio.causes), len(portfolio.classes), portfolio.days))
    rows = [row for row in plan.calendar_rows if row.cause not in redrawn]
    for c, (season, county, _) in enumerate(portfolio.classes):
        shares = by_cause(rows, season, county, portfolio.origin, 0, last)
        for k, cause in enumerate(portfolio.causes):
            if cause in shares:
                still[k, c] = shares[cause]
    stops: list[Stop] = []
    for driver in drivers:
        build = _spell_stops if driver.cause else _window_stops
        stops.extend(build(portfolio, driver))
    return CalendarModel(still, tuple(stops))


def _exposure(portfolio: Portfolio, driver: Driver, calendar_class: int) -> float:
    season, county, key = portfolio.classes[calendar_class]
    usual = driver.exposure.of(county if driver.exposure.by == "county" else season)
    return usual * driver.key_works if key else usual


def _spell_stops(portfolio: Portfolio, driver: Driver) -> Iterator[Stop]:
    """Yield the planned spells of the driver's cause, one draw a spell for all whom it strikes."""
    found: dict[tuple[int, int, str | None], dict[int, float]] = {}
    for row in portfolio.plan.calendar_rows:
        if row.cause != driver.cause:
            continue
        for first, last, share in spells(row, portfolio.origin, -60, portfolio.days + 60):
            for c, (season, county, _) in enumerate(portfolio.classes):
                if row.season in (season, ANY_SEASON) and row.county in ("", county):
                    left = 1 - _exposure(portfolio, driver, c) * (1 - share)
                    place = county if driver.scope == "county" else None
                    factors = found.setdefault((first, last, place), {})
                    factors[c] = min(factors.get(c, 1.0), left)
    for first, last, place in sorted(found, key=lambda key: (*key[:2], key[2] or "")):
        factors = found[first, last, place]
        day = portfolio.origin + datetime.timedelta(days=first)
        cause = portfolio.causes.index(driver.cause)
        yield _stop(driver, place, day.toordinal(), 0, (first, last), False, factors, cause)


def _window_stops(portfolio: Portfolio, driver: Driver) -> Iterator[Stop]:
    assert driver.window is not None
    opens, closes = driver.window
    horizon = portfolio.origin + datetime.timedelta(days=portfolio.days - 1)
    years = range(portfolio.origin.year - 1, horizon.year + 1)
    counties = sorted({one.county for one in portfolio.classes})
    places: Sequence[str | None] = counties if driver.scope == "county" else [None]
    for place in places:
        factors = {
            c: 1 - _exposure(portfolio, driver, c) * (1 - driver.availability)
            for c, (_, county, _) in enumerate(portfolio.classes)
            if place is None or place == county
        }
        for year in [opens.year] if isinstance(opens, datetime.date) else years:
            start, end = recurring(opens, closes, year)
            span = ((start - portfolio.origin).days, (end - portfolio.origin).days)
            if span[1] < 0 or span[0] >= portfolio.days:
                continue
            for episode in range(driver.episodes):
                cause = portfolio.causes.index(driver.name)
                yield _stop(driver, place, year * 100, episode, span, True, factors, cause)


def _stop(
    driver: Driver,
    place: str | None,
    index: int,
    episode: int,
    span: tuple[int, int],
    placed: bool,
    factors: dict[int, float],
    cause: int,
) -> Stop:
    subject = driver.name if place is None else f"{driver.name}/{place}"
    rows = np.array(sorted(factors), dtype=np.int64)
    shares = np.array([factors[c] for c in sorted(factors)])
    return Stop(driver, subject, index, episode, *span, placed, rows, shares, cause)
