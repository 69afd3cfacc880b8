"""Rounding what was drawn, once: out of range is an error, never a wrap."""

from __future__ import annotations

from enum import IntEnum

import numpy as np

from sim.jit import compiled
from sim.plan.curves import PPM
from sim.plan.problems import InputError, Problem


class Fault(IntEnum):
    """What was drawn out of range; what a kernel returns where nothing was."""

    NONE = 0
    WORK = 1
    COST = 2
    INTENT = 3
    REPORT = 4
    LAND = 5
    RELEASES = 6


WORK_LIMIT = 10**12
"""Milli-days: a thousand times a project of centuries; times the curve's segments it fits int64."""
AMOUNT_LIMIT = 9 * 10**12
"""Yuan: times a million ppm it fits int64."""
REPORT_LIMIT = 1000 * PPM
WORKDAYS_LIMIT = 10**6
"""Working days of a gate: thousands of years."""
DAYS_LIMIT = 10.0**7
"""Days: thousands of years, which is as good as never; a longer delay counts as that."""
_LIMITS = {
    Fault.WORK: WORK_LIMIT,
    Fault.COST: AMOUNT_LIMIT,
    Fault.INTENT: AMOUNT_LIMIT,
    Fault.REPORT: REPORT_LIMIT,
    Fault.LAND: WORKDAYS_LIMIT,
    Fault.RELEASES: AMOUNT_LIMIT,
}


def raise_fault(code: int) -> None:
    """Raise what a kernel found.

    Raises
    ------
    InputError
        Naming what was drawn out of range, unless the code is `Fault.NONE`.
    """
    if code == Fault.NONE:
        return
    fault = Fault(code)
    details: dict[str, object] = {"what": fault.name.lower(), "limit": f"{_LIMITS[fault]:,}"}
    raise InputError([Problem("drawn_out_of_range", "drivers.toml", details=details)])


@compiled
def fits(value: float, limit: int) -> bool:
    """Tell whether a number is none of: infinite, negative, too large, not a number."""
    return bool(value >= 0.0 and value <= limit)


@compiled
def whole(value: float) -> int:
    """Round to the nearest integer, halves to the even one."""
    return int(np.rint(value))


@compiled
def whole_days(value: float) -> int:
    """Round days likewise, none longer than `DAYS_LIMIT` either way."""
    return int(np.rint(min(max(value, -DAYS_LIMIT), DAYS_LIMIT)))
