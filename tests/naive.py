"""The rules of docs/model.md once more, as slow loops over days, written from the text alone.

No event queue, no cumulative tables, no look-ahead: one day after the other, one project after
the other. Tests hold the engine against it. Money is not in it: what money does to work (rates,
first instalments) is read from the trajectory's own tables of arrears, claims and value.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

from sim.engine.rules import NEVER, PPM, Cause
from sim.engine.trajectory import Trajectory
from sim.sampling.realization import Frame, Realization


@dataclass(frozen=True)
class Files:
    """What became of every open gate; `NEVER` where it did not happen before the horizon."""

    begun: list[int]
    ready: list[int]
    taken: list[int]
    passed: list[int]


def after_workdays(before: Sequence[int], day: int, count: int) -> int:
    """Return the first day by whose end `count` working days after `day` have passed."""
    for later in range(day + 1, len(before) - 1):
        count -= before[later + 1] - before[later]
        if count <= 0:
            return later
    return NEVER


def walk_files(
    frame: Frame, drawn: Realization, begin: Sequence[int], with_windows: bool = True
) -> Files:
    """Rules 1 and 2: prepare, queue, take and pass every open gate, day by day."""
    gates, workdays = len(frame.gate_after), drawn.workdays.tolist()
    owner = [
        i
        for i in range(len(frame.begun))
        for _ in range(int(frame.gate_first[i + 1] - frame.gate_first[i]))
    ]
    places = frame.window_places.tolist() if with_windows else [-1] * len(frame.window_places)
    begun, ready, taken, passed = ([NEVER] * gates for _ in range(4))
    for gate in range(gates):
        if not drawn.gate_open[gate]:
            begun[gate] = ready[gate] = taken[gate] = passed[gate] = -1
    given_up = {i for i in range(len(frame.begun)) if frame.abandoned[i]}
    queues: list[list[tuple[int, int, int]]] = [[] for _ in places]
    coming = [gate for gate in range(gates) if drawn.gate_open[gate]]
    for day in range(frame.days):
        coming = [gate for gate in coming if ready[gate] >= day]
        # Preparation begins with the day's opening on the begin day, else with the last passing.
        for gate in coming:
            if begun[gate] == NEVER and owner[gate] not in given_up:
                before = [passed[other] for other in frame.gate_after[gate]]
                first = max([begin[owner[gate]], *before])
                if first < day or (first == day and first == begin[owner[gate]]):
                    begun[gate] = first
                    count = int(drawn.gate_preparation[gate])
                    come = after_workdays(workdays, first, count)
                    if come != NEVER:
                        come = max(first + 1, come + int(drawn.gate_delay[gate]))
                    ready[gate] = come
        for gate in coming:
            if ready[gate] == day:
                window = int(frame.gate_window[gate])
                if drawn.gate_dropped[gate] or owner[gate] in given_up:
                    given_up.add(owner[gate])
                    ready[gate] = NEVER
                elif window < 0 or places[window] < 0:
                    taken[gate] = day
                    passed[gate] = after_workdays(workdays, day, int(drawn.gate_review[gate]))
                else:
                    queues[window].append((day, owner[gate], gate))
        for window, queue in enumerate(queues):
            if not queue:
                continue
            queue.sort()
            in_review = sum(
                taken[gate] <= day < passed[gate]
                for gate in range(gates)
                if frame.gate_window[gate] == window and drawn.gate_open[gate]
            )
            while queue and in_review < places[window]:
                _, _, gate = queue.pop(0)
                taken[gate] = day
                passed[gate] = after_workdays(workdays, day, int(drawn.gate_review[gate]))
                in_review += 1
    horizon = frame.days
    for days in (begun, ready, taken, passed):
        days[:] = [day if day < horizon else NEVER for day in days]
    return Files(begun, ready, taken, passed)


@dataclass
class Site:
    """One project on its way through the days; work in milli-days x ppm."""

    ready: int = NEVER
    started: int = NEVER
    finished: int = NEVER
    delivered: int = NEVER
    dropped: int = NEVER
    done: int = 0
    standing_until: int = -1
    next_stop: int = 0
    rate: int = PPM
    causes: list[int] = dataclasses.field(default_factory=list)
    worked: list[int] = dataclasses.field(default_factory=list)


def set_rate(
    frame: Frame, drawn: Realization, life: Trajectory, i: int, month: int, done: int
) -> int:
    """Rule 11: the work rate of the month that opens after a month-end."""
    terms = frame.terms
    value, arrears = int(life.value[i, month]), int(life.arrears[i, month])
    base = max(value, int(life.claimed[i, month]))
    tolerated = int(terms.tolerance[i]) * base // PPM
    if arrears > tolerated:
        return max(int(terms.slow_rate[i]), PPM - (arrears - tolerated) * PPM // base)
    if frame.policy.accelerates[month] and value < int(frame.filed_value[i, month]):
        left = int(drawn.first_work[i]) * PPM - done
        tomorrow = int(frame.month_ends[month]) + 1
        year_end = int(frame.month_ends[frame.year_end_month]) + 1
        calendar = frame.planned_calendar[frame.class_of[i]]
        planned = int(calendar[year_end] - calendar[tomorrow])
        return min(max(-(-left // planned), PPM), max(int(terms.fast_rate[i]), PPM))
    return PPM


def walk_days(
    frame: Frame, drawn: Realization, life: Trajectory, passed: Sequence[int]
) -> list[Site]:
    """Rules 5, 9, 10, 11, 13 and 30: start, work, stop and finish every project, day by day.

    Parameters
    ----------
    frame, drawn
        What the engine was given.
    life
        The engine's answer, of which only money is read: value, arrears and claims by month,
        and the start of a project that waits for its first instalment.
    passed
        Day on which each open gate was passed.
    """
    count = len(frame.begun)
    kinds = drawn.calendar_losses.shape[0]
    sites = [Site(causes=[0] * (len(Cause) + kinds)) for _ in range(count)]
    for i, site in enumerate(sites):
        site.next_stop = int(drawn.stop_first[i])
        if frame.finished[i]:
            site.started, site.finished = int(frame.planned_start[i]), int(frame.planned_finish[i])
            site.delivered = site.finished
        elif frame.begun[i]:
            site.started = int(frame.planned_start[i])
        if frame.abandoned[i]:
            site.dropped = -1
    month_of = {int(day): month for month, day in enumerate(frame.month_ends)}
    moving = [i for i in range(count) if not frame.finished[i] and not frame.abandoned[i]]
    for day in range(frame.days):
        moving = [i for i in moving if sites[i].delivered == sites[i].dropped == NEVER]
        for i in moving:
            site = sites[i]
            if site.started != NEVER:
                continue
            gates = range(int(frame.gate_first[i]), int(frame.gate_first[i + 1]))
            free = (
                all(passed[gate] <= day for gate in gates)
                and all(
                    sites[k].delivered < day or sites[k].dropped < day or frame.abandoned[k]
                    for k in frame.predecessors[i]
                )
                and frame.baseline_start[i] + drawn.slip[i] <= day
                and drawn.may_start[frame.class_of[i], day]
            )
            if free:
                site.ready = min(site.ready, day)
            if free and (not frame.cash_gated[i] or life.start[i] == day):
                site.started = day
        for i in moving:
            if sites[i].started <= day and sites[i].finished == NEVER:
                _work_a_day(frame, drawn, i, sites[i], day)
        for i in moving:
            if sites[i].finished != NEVER and sites[i].finished + drawn.acceptance[i] == day:
                sites[i].delivered = day
        if day in month_of:
            for i, site in enumerate(sites):
                site.worked.append(site.done // PPM)
                if site.started <= day and site.finished == NEVER:
                    site.rate = set_rate(frame, drawn, life, i, month_of[day], site.done)
    return sites


def _work_a_day(frame: Frame, drawn: Realization, i: int, site: Site, day: int) -> None:
    """Rules 9, 10 and 30 on one day of one site."""
    row = int(frame.class_of[i])
    given = int(drawn.calendar[row, day + 1] - drawn.calendar[row, day])
    losses = drawn.calendar_losses[:, row, day + 1] - drawn.calendar_losses[:, row, day]
    for kind, lost in enumerate(losses.tolist()):
        site.causes[len(Cause) + kind] += lost * PPM
    if day <= site.standing_until:
        site.causes[Cause.STOPS] += given * PPM
        return
    site.done += given * site.rate
    missed = given * (PPM - site.rate)
    site.causes[Cause.ARREARS if missed > 0 else Cause.ACCELERATION] += missed
    whole = int(drawn.work[i]) * PPM
    if site.done >= whole:
        site.finished = day
        site.causes[Cause.LAST_DAY] += site.done - whole
        site.done = whole
        return
    site.standing_until = day
    last = int(drawn.stop_first[i + 1])
    while site.next_stop < last and site.done >= int(drawn.stop_at[site.next_stop]) * PPM:
        length = int(drawn.stop_days[site.next_stop])
        site.next_stop += 1
        if length < 0:
            site.dropped = day
            return
        site.standing_until += length


def book_plan(frame: Frame, drawn: Realization, i: int, site: Site) -> list[int]:
    """Rule 30: days of the realized way, less those of the planned one, by cause."""
    causes = list(site.causes)
    saved = int(drawn.work_saved[i]) * PPM
    causes[Cause.PULLED_FORWARD] += int(frame.baseline_start[i] - frame.planned_start[i]) * 10**9
    causes[Cause.WORK] += site.done + saved - int(frame.planned_work[i]) * PPM
    causes[Cause.OPPORTUNITIES] -= saved
    for kind in range(frame.planned_losses.shape[1]):
        causes[len(Cause) + kind] -= int(frame.planned_losses[i, kind]) * PPM
    return causes
