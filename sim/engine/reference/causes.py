"""Where the days went: every day between the planned and the actual finish has a cause."""

from __future__ import annotations

import numpy as np

from sim.engine.reference.construction import Construction
from sim.engine.rules import NANO_DAYS, NEVER, PPM, Cause
from sim.sampling.realization import Frame, Ints, Realization


def causes_of_days(
    frame: Frame,
    drawn: Realization,
    site: Construction,
    planned_from: list[int],
    dropped: list[int],
) -> Ints:
    """Split the days of every project by cause.

    Parameters
    ----------
    frame, drawn
        What the engine was given.
    site : Construction
        What became of the sites.
    planned_from : list of int
        Planned start of each project after decisions that pulled it forward.
    dropped : list of int
        Day on which each project was given up; `NEVER` for most.

    Returns
    -------
    ndarray of int64, shape (P, 7 + K)
        Billionths of a day by `Cause`, then by calendar cause. With the waits before the start
        they sum to finish - planned finish; what is unfinished is booked up to the last day, with
        the work it had done.
    """
    kinds = len(drawn.calendar_losses)
    table = np.zeros((len(frame.done), len(Cause) + kinds), dtype=np.int64)
    for project, start in enumerate(site.start):
        if frame.finished[project] or start == NEVER:
            continue
        first = max(start, 0)
        finish = site.finish[project]
        last = min(finish, dropped[project], frame.days - 1)
        site.settle(project, last)
        work = int(drawn.work[project]) * PPM
        done = work if finish != NEVER else site.effective[project]
        saved = int(drawn.work_saved[project]) * PPM
        row = table[project]
        pulled = planned_from[project] - int(frame.planned_start[project])
        row[Cause.PULLED_FORWARD] = pulled * NANO_DAYS
        row[Cause.WORK] = done + saved - int(frame.planned_work[project]) * PPM
        row[Cause.OPPORTUNITIES] = -saved
        row[Cause.STOPS] = site.stopped[project]
        row[Cause.ARREARS] = site.missed[project]
        row[Cause.ACCELERATION] = -site.gained[project]
        row[Cause.LAST_DAY] = site.effective[project] - done
        losses = drawn.calendar_losses[:, frame.class_of[project]]
        realized = losses[:, last + 1] - losses[:, first]
        row[len(Cause) :] = (realized - frame.planned_losses[project]) * PPM
    return table
