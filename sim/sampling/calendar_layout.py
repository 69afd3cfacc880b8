"""Calendars as kernels read them: what may stop work, and what no stop changes.

Classes with the same still availability on which the stops of the whole city act alike are *kin*.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sim.jit import compiled
from sim.plan.availability import FULL_DAY
from sim.sampling.calendars import CalendarModel, Stop
from sim.sampling.frame import cumulative
from sim.sampling.inverses import Inverses, evaluate
from sim.sampling.realization import Ints
from sim.sampling.register import Label
from sim.sampling.rounding import whole_days

Floats = NDArray[np.float64]
Ints32 = NDArray[np.int32]

CHANCE = np.dtype(
    [
        ("law", np.int64),
        ("length_at", np.int64),
        ("occurs_at", np.int64),
        ("place_at", np.int64),
        ("probability", np.float64),
        ("episodes", np.int64),
        ("first", np.int64),
        ("last", np.int64),
        ("cause", np.int64),
        ("placed", np.bool_),
        ("common", np.bool_),
    ],
    align=True,
)
"""A stop that may happen: what it draws and where among the shared uniforms, its spell or window,
its cause, and whether it strikes the whole city. See `calendars.Stop`."""


class Calendar(NamedTuple):
    """Stops, and what they change; S stops, C classes, K causes, D days, W rows.

    Attributes
    ----------
    stops : ndarray of CHANCE, shape (S,)
        In the order in which they act.
    factor : ndarray of float64, shape (S, C)
        Share of a day that each leaves; 1 where it does not strike.
    members, kin_first : ndarray of int64
        Classes, kin by kin, and where each kin begins (and the last ends).
    row : ndarray of int64, shape (C,)
        Still availability of each class.
    shares : ndarray of float64, shape (W, D, K)
        Different rows of still availability by cause.
    taken : ndarray of int64, shape (W, D, K)
        Milli-days that the causes take of each of those days, one after another.
    alike_until : ndarray of int64, shape (W, D)
        The next day on which those shares are others.
    still : ndarray of int32, shape (C, D + 1)
        Milli-days of availability before each day, as far as no stop changes it.
    room : int
        Number of days that stops can touch.
    """

    stops: NDArray[np.void]
    factor: Floats
    members: NDArray[np.int64]
    kin_first: NDArray[np.int64]
    row: NDArray[np.int64]
    shares: Floats
    taken: NDArray[np.int64]
    alike_until: NDArray[np.int64]
    still: Ints32
    room: int


def lay_out_calendar(
    model: CalendarModel | None,
    planned: tuple[Ints, Ints],
    positions: dict[Label, int],
    inverses: Inverses,
) -> tuple[Calendar, Ints32]:
    """Lay out the calendar.

    Parameters
    ----------
    model : CalendarModel or None
        None where the planned calendar is what happens.
    planned : tuple of two ndarray of int64, shapes (C, D + 1) and (K, C, D + 1)
        Cumulative milli-days of that, and what each cause takes.
    positions : dict of Label to int
        Places of the shared draws.
    inverses : Inverses
        Takes the distributions.

    Returns
    -------
    Calendar
        What kernels read.
    losses : ndarray of int32, shape (C, D + 1, K)
        Milli-days lost to each cause before each day, as far as no stop changes it.
    """
    if model is None:
        left, losses = planned[0], np.moveaxis(planned[1], 0, 2)
        classes, causes = left.shape[0], losses.shape[2]
        return Calendar(
            stops=np.zeros(0, CHANCE),
            factor=np.ones((0, classes)),
            members=np.arange(classes),
            kin_first=np.array([0, classes]),
            row=np.zeros(classes, np.int64),
            shares=np.ones((1, 1, causes)),
            taken=np.zeros((1, 1, causes), np.int64),
            alike_until=np.ones((1, 1), np.int64),
            still=left.astype(np.int32),
            room=0,
        ), losses.astype(np.int32)
    stops, room = _lay_out_stops(model.stops, positions, inverses, model.still.shape[2])
    factor = np.ones((len(model.stops), model.still.shape[1]))
    for s, stop in enumerate(model.stops):
        factor[s, stop.rows] = stop.factors
    by_class = np.moveaxis(model.still, 0, 2)
    shares, row = _different(by_class.reshape(by_class.shape[0], -1))
    shares = shares.reshape(-1, *by_class.shape[1:])
    left, taken = _charge(shares)
    signature = np.concatenate([row[:, None], factor[stops["common"]].T], axis=1)
    _, kin = _different(signature)
    members = np.argsort(kin, kind="stable")
    return Calendar(
        stops=stops,
        factor=factor,
        members=members,
        kin_first=np.searchsorted(kin[members], np.arange(kin.max() + 2)).astype(np.int64),
        row=row,
        shares=shares,
        taken=taken,
        alike_until=_alike_until(shares),
        still=cumulative(left)[row].astype(np.int32),
        room=room,
    ), _before(taken)[row]


@compiled
def span_of(stop: np.void, count: int, place: float) -> tuple[int, int]:
    """Return the first day of a stop of so many days, and the day after the last."""
    if stop["placed"]:
        room = max(stop["last"] - stop["first"] + 1 - count, 0)
        begin = stop["first"] + int(place * (room + 1))
    else:
        begin = stop["first"] + (stop["last"] - stop["first"] + 1 - count) // 2
    return begin, begin + count


def _lay_out_stops(
    stops: tuple[Stop, ...], positions: dict[Label, int], inverses: Inverses, days: int
) -> tuple[NDArray[np.void], int]:
    """Return the stops as kernels read them, and the number of days that they can touch."""
    rows = np.zeros(len(stops), CHANCE)
    touched = np.zeros(days, np.bool_)
    for k, stop in enumerate(stops):
        driver = stop.driver
        stress = driver.state == "stress"
        row, length = rows[k], positions[stop.labels[0]]
        row["law"], row["length_at"] = inverses.add(driver.active), length
        row["occurs_at"], row["place_at"] = (positions[one] for one in stop.labels[1:])
        row["probability"] = driver.stress_probability if stress else driver.probability
        row["episodes"] = driver.episodes if stop.placed else 1
        row["first"], row["last"], row["cause"] = stop.first, stop.last, stop.cause
        row["placed"], row["common"] = stop.placed, driver.scope != "county"
        longest = np.array([1 - 2.0**-53])
        laws, numbers = inverses.tables()
        evaluate(laws, numbers, np.array([row["law"]]), longest, 1, False, longest)
        for count in {0, whole_days(longest[0] / row["episodes"])}:
            # The last begin and the first end of a placed stop; of a spell the only ones.
            first, _ = span_of(row, count, 0.0)
            _, end = span_of(row, count, 1 - 2.0**-53)
            touched[max(first, 0) : max(min(end, days), 0)] = True
    return rows, int(touched.sum())


def _different(rows: Floats) -> tuple[Floats, NDArray[np.int64]]:
    """Return the different rows, in order of first appearance, and which of them each row is."""
    known: dict[bytes, int] = {}
    found = np.array([known.setdefault(row.tobytes(), len(known)) for row in rows], np.int64)
    _, first = np.unique(found, return_index=True)
    return rows[first], found


def _alike_until(shares: Floats) -> NDArray[np.int64]:
    """Return the next day on which the shares of a row are others than on each day."""
    rows, days, _ = shares.shape
    until = np.full((rows, days), days, np.int64)
    for day in range(days - 2, -1, -1):
        alike = (shares[:, day] == shares[:, day + 1]).all(axis=1)
        until[:, day] = np.where(alike, until[:, day + 1], day + 1)
    return until


def _charge(shares: Floats) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return milli-days left of each day, and those taken by each cause, one after another."""
    through = np.rint(np.cumprod(shares, axis=2) * FULL_DAY).astype(np.int64)
    before = np.concatenate([np.full((*shares.shape[:2], 1), FULL_DAY), through], axis=2)
    return before[:, :, -1], before[:, :, :-1] - through


def _before(taken: NDArray[np.int64]) -> Ints32:
    """Return the milli-days taken before each day, shape (rows, days + 1, causes)."""
    zeros = np.zeros((taken.shape[0], 1, taken.shape[2]), np.int64)
    return np.concatenate([zeros, np.cumsum(taken, axis=1)], axis=1).astype(np.int32)
