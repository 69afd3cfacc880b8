"""Realized calendars: the still one, changed on the days that stops of a replication touch.

Of many classes most days are alike, so they are worked out by *kin*: classes with the same still
availability on which the stops of the whole city act alike. Of a class itself only the days are
worked out on which stops of its own county act.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sim.jit import compiled, inlined
from sim.plan.availability import FULL_DAY
from sim.sampling.calendar_layout import Calendar, span_of
from sim.sampling.inverses import evaluate
from sim.sampling.rounding import whole_days

Floats = NDArray[np.float64]
Ints32 = NDArray[np.int32]


class CalendarRoom(NamedTuple):
    """Room for realized calendars; S stops, D days, H days that stops can touch, K causes.

    Attributes
    ----------
    law : ndarray of int64, shape (S,)
        Distributions of the stops that happen.
    length : ndarray of float64, shape (S,)
        Their lengths.
    active, begin, end : ndarray of int64, shape (S,)
        Stops that happen within the horizon: which, first day, day after the last.
    mine : ndarray of int64, shape (S,)
        Those of them that strike a class.
    place : ndarray of int64, shape (D,)
        Position of each day in `common`, or -1.
    seen : ndarray of int64, shape (D,)
        The class in whose list a day stands.
    common, own_day : ndarray of int64, shape (H,)
        Days that stops of the whole city touch, and those that stops of a county touch.
    kin_day : ndarray of int32, shape (H,)
        Of `common` the days that change anything for a kin.
    shares : ndarray of float64, shape (K,)
        Availability by cause.
    more : ndarray of int32, shape (K,)
        Milli-days that the causes take more on a day than in the still calendar.
    kin_sums : ndarray of int32, shape (H + 1, K)
        Milli-days that the causes take more of a kin than in the still calendar, up to before
        each of `kin_day`.
    kin_left : ndarray of int32, shape (D + 1,)
        Milli-days of availability of a kin before each day.
    own_change : ndarray of int32, shape (H, K)
        Milli-days that the causes take more on each of `own_day`.
    extra : ndarray of int32, shape (K,)
        What a class has lost beyond its kin.
    """

    law: NDArray[np.int64]
    length: Floats
    active: NDArray[np.int64]
    begin: NDArray[np.int64]
    end: NDArray[np.int64]
    mine: NDArray[np.int64]
    place: NDArray[np.int64]
    seen: NDArray[np.int64]
    common: NDArray[np.int64]
    own_day: NDArray[np.int64]
    kin_day: Ints32
    shares: Floats
    more: Ints32
    kin_sums: Ints32
    kin_left: Ints32
    own_change: Ints32
    extra: Ints32


def calendar_room(calendar: Calendar) -> CalendarRoom:
    """Allocate room."""
    stops, days, causes = len(calendar.stops), calendar.still.shape[1] - 1, calendar.shares.shape[2]
    room = calendar.room
    return CalendarRoom(
        law=np.zeros(stops, np.int64),
        length=np.zeros(stops),
        active=np.zeros(stops, np.int64),
        begin=np.zeros(stops, np.int64),
        end=np.zeros(stops, np.int64),
        mine=np.zeros(stops, np.int64),
        place=np.zeros(days, np.int64),
        seen=np.zeros(days, np.int64),
        common=np.zeros(room, np.int64),
        own_day=np.zeros(room, np.int64),
        kin_day=np.zeros(room, np.int32),
        shares=np.ones(causes),
        more=np.zeros(causes, np.int32),
        kin_sums=np.zeros((room + 1, causes), np.int32),
        kin_left=np.zeros(days + 1, np.int32),
        own_change=np.zeros((room, causes), np.int32),
        extra=np.zeros(causes, np.int32),
    )


@compiled
def draw_calendar(
    calendar: Calendar,
    laws: NDArray[np.void],
    numbers: Floats,
    uniforms: Floats,
    room: CalendarRoom,
    left: Ints32,
    hits: NDArray[np.int64],
    hit_day: Ints32,
    hit_loss: Ints32,
) -> None:
    """Work out the realized calendars of all classes.

    Parameters
    ----------
    calendar, laws, numbers
        What is drawn, and how.
    uniforms : ndarray of float64
        The shared uniforms.
    room : CalendarRoom
        Room.
    left, hits, hit_day, hit_loss
        `Drawn.calendar` and the rest, filled. Without stops `left` stays as it is.
    """
    if len(calendar.stops) == 0:
        return
    count = _happening(calendar, laws, numbers, uniforms, room)
    commons = _common_days(calendar, count, room)
    members, kin_first = calendar.members, calendar.kin_first
    for kin in range(len(kin_first) - 1):
        changed = _days_of_kin(calendar, members[kin_first[kin]], count, commons, room)
        for m in range(kin_first[kin], kin_first[kin + 1]):
            c = members[m]
            own = _own_days(calendar, c, count, room)
            if own > 0:
                _own_changes(calendar, c, count, own, room)
            hits[c] = _join(room, changed, own, left[c], hit_day[c], hit_loss[c])


@inlined
def _happening(
    calendar: Calendar, laws: NDArray[np.void], numbers: Floats, uniforms: Floats,
    room: CalendarRoom,
) -> int:  # fmt: skip
    """Note the stops that happen within the horizon; return how many."""
    stops, active, length = calendar.stops, room.active, room.length
    days = calendar.still.shape[1] - 1
    n = 0
    for s in range(len(stops)):
        if uniforms[stops[s]["occurs_at"]] < stops[s]["probability"]:
            active[n], room.law[n] = s, stops[s]["law"]
            length[n] = uniforms[stops[s]["length_at"]]
            n += 1
    evaluate(laws, numbers, room.law, length, n, False, length)
    count = 0
    for k in range(n):
        stop = stops[active[k]]
        lasts = whole_days(length[k] / stop["episodes"])
        begin, end = span_of(stop, lasts, uniforms[stop["place_at"]])
        begin, end = max(begin, 0), min(end, days)
        if begin < end:
            active[count], room.begin[count], room.end[count] = active[k], begin, end
            count += 1
    return count


@inlined
def _common_days(calendar: Calendar, count: int, room: CalendarRoom) -> int:
    """List the days that stops of the whole city touch; return how many."""
    place, seen, common = room.place, room.seen, room.common
    for day in range(len(place)):
        place[day] = -1
        seen[day] = -1
    for k in range(count):
        if calendar.stops[room.active[k]]["common"]:
            for day in range(room.begin[k], room.end[k]):
                place[day] = 0
    n = 0
    for day in range(len(place)):
        if place[day] == 0:
            place[day], common[n] = n, day
            n += 1
    return n


@compiled
def _shift(to: Ints32, source: Ints32, by: int) -> None:
    """Copy numbers, each moved by so much; a loop from 0 is one that machines do in strides."""
    for k in range(len(to)):
        to[k] = source[k] + by


@inlined
def _move(to: Ints32, source: Ints32, first: int, end: int, by: int) -> None:
    """Copy numbers from first to end - 1 likewise; often it is one only."""
    if first + 1 == end:
        to[first] = source[first] + by
    else:
        _shift(to[first:end], source[first:end], by)


@compiled
def _shift_rows(to: Ints32, source: Ints32, by: Ints32) -> None:
    """Copy rows, each moved by a row."""
    for k in range(to.shape[0]):
        for cause in range(len(by)):
            to[k, cause] = source[k, cause] + by[cause]


@inlined
def _days_of_kin(
    calendar: Calendar, c: int, count: int, commons: int, room: CalendarRoom
) -> int:  # fmt: skip
    """Work out what stops of the whole city change for the kin of a class; return on how many days.

    Days that are alike in the still calendar, with the same stops, are worked out once.
    """
    row, causes = calendar.row[c], calendar.shares.shape[2]
    common, sums, kin_day, more = room.common, room.kin_sums, room.kin_day, room.more
    left, still_left = room.kin_left, calendar.still[c]
    striking = _striking(calendar, c, count, True, room)
    changed = filled = total = change = 0
    until, any_change = -1, False
    for n in range(commons):
        day = common[n]
        if day >= until:
            until = _change_of_day(calendar, row, c, day, striking, room)
            any_change, change = False, 0
            for cause in range(causes):
                any_change = any_change or more[cause] != 0
                change += more[cause]
        if any_change:
            before, after = sums[changed], sums[changed + 1]
            for cause in range(causes):
                after[cause] = before[cause] + more[cause]
            kin_day[changed] = day
            changed += 1
            _move(left, still_left, filled, day + 1, total)
            filled = day + 1
            total -= change
    _move(left, still_left, filled, len(left), total)
    return changed


@inlined
def _striking(calendar: Calendar, c: int, count: int, common: bool, room: CalendarRoom) -> int:
    """List the stops that strike a class, or those of the whole city only; return how many."""
    striking = 0
    for k in range(count):
        s = room.active[k]
        if calendar.factor[s, c] != 1.0 and (calendar.stops[s]["common"] or not common):
            room.mine[striking] = k
            striking += 1
    return striking


@inlined
def _change_of_day(
    calendar: Calendar, row: int, c: int, day: int, striking: int, room: CalendarRoom
) -> int:
    """Work out what the listed stops change on a day into `more`; return until when it holds.

    Shares are multiplied in the order of stops, and causes charged in their own.
    """
    shares, more, causes = room.shares, room.more, len(room.more)
    for cause in range(causes):
        shares[cause] = calendar.shares[row, day, cause]
    until = int(calendar.alike_until[row, day])
    for j in range(striking):
        k = room.mine[j]
        if day < room.begin[k]:
            until = min(until, room.begin[k])
        elif day < room.end[k]:
            until = min(until, room.end[k])
            s = room.active[k]
            shares[calendar.stops[s]["cause"]] *= calendar.factor[s, c]
    share, before = 1.0, FULL_DAY
    for cause in range(causes):
        share *= shares[cause]
        after = int(np.rint(share * FULL_DAY))
        more[cause] = before - after - calendar.taken[row, day, cause]
        before = after
    return until


@inlined
def _own_days(calendar: Calendar, c: int, count: int, room: CalendarRoom) -> int:
    """List the days on which stops of its county touch a class, in order; return how many."""
    own_day, seen = room.own_day, room.seen
    n = 0
    for k in range(count):
        s = room.active[k]
        if calendar.stops[s]["common"] or calendar.factor[s, c] == 1.0:
            continue
        for day in range(room.begin[k], room.end[k]):
            if seen[day] != c:
                seen[day] = c
                at = n
                while at > 0 and own_day[at - 1] > day:
                    own_day[at] = own_day[at - 1]
                    at -= 1
                own_day[at] = day
                n += 1
    return n


@inlined
def _own_changes(calendar: Calendar, c: int, count: int, own: int, room: CalendarRoom) -> None:
    """Work out the days of a class on which stops of its county act, with all that strike it."""
    row, own_day, change, more = calendar.row[c], room.own_day, room.own_change, room.more
    striking = _striking(calendar, c, count, False, room)
    until = -1
    for n in range(own):
        if own_day[n] >= until:
            until = _change_of_day(calendar, row, c, own_day[n], striking, room)
        for cause in range(len(more)):
            change[n, cause] = more[cause]


@inlined
def _join(
    room: CalendarRoom, changed: int, own: int, left: Ints32, hit_day: Ints32, hit_loss: Ints32
) -> int:
    """Join the days of the kin with those of the class; return how many change anything.

    Up to each day of its own the class is like its kin, but for what its earlier ones left.
    """
    kin_day, kin_sums, kin_left = room.kin_day, room.kin_sums, room.kin_left
    own_day, change, extra = room.own_day, room.own_change, room.extra
    causes = len(extra)
    for cause in range(causes):
        extra[cause] = 0
    n = i = filled = total = 0
    for j in range(own + 1):
        day = own_day[j] if j < own else len(left) - 1
        first = i
        if j == own:
            i = changed
        while i < changed and kin_day[i] < day:
            i += 1
        if first < i:
            end = n + i - first
            _shift(hit_day[n:end], kin_day[first:i], 0)
            _shift_rows(hit_loss[n:end], kin_sums[first + 1 : i + 1], extra)
            n = end
        _move(left, kin_left, filled, day + 1, total)
        filled = day + 1
        if j == own:
            break
        known = i
        if i < changed and kin_day[i] == day:
            i += 1
        any_change = False
        mine, before, after, loss = change[j], kin_sums[known], kin_sums[i], hit_loss[n]
        for cause in range(causes):
            any_change = any_change or mine[cause] != 0
            more = mine[cause] - (after[cause] - before[cause])
            extra[cause] += more
            total -= more
            loss[cause] = after[cause] + extra[cause]
        if any_change:
            hit_day[n] = day
            n += 1
    return n


def losses_of(
    losses: Ints32, hits: NDArray[np.int64], hit_day: Ints32, hit_loss: Ints32
) -> NDArray[np.int64]:
    """Write out what each cause took before each day.

    Parameters
    ----------
    losses : ndarray of int32, shape (C, D + 1, K)
        As far as no stop changes it.
    hits, hit_day, hit_loss
        As in `Drawn`.

    Returns
    -------
    ndarray of int64, shape (K, C, D + 1)
        As in `Realization`.
    """
    whole = losses.astype(np.int64)
    days = np.arange(losses.shape[1])
    for c, count in enumerate(hits.tolist()):
        if count:
            passed = np.searchsorted(hit_day[c, :count], days, side="left")
            more = np.concatenate([np.zeros((1, losses.shape[2]), np.int64), hit_loss[c, :count]])
            whole[c] += more[passed]
    return np.ascontiguousarray(np.moveaxis(whole, 2, 0))
