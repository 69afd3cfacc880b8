"""Rounding what was drawn, once: out of range is an error, never a wrap."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sim.plan.problems import InputError, Problem
from sim.sampling.realization import Ints

Floats = NDArray[np.float64]
WORKDAYS_LIMIT = 10**6
"""Working days of a gate: thousands of years."""


def whole(values: Floats, limit: int, what: str) -> Ints:
    """Round to integers; the infinite, the negative and the too large are errors, never wrap.

    Raises
    ------
    InputError
        Naming what was drawn out of range.
    """
    if not (
        np.isfinite(values).all() and values.min(initial=0) >= 0 and values.max(initial=0) <= limit
    ):
        details: dict[str, object] = {"what": what, "limit": f"{limit:,}"}
        raise InputError([Problem("drawn_out_of_range", "drivers.toml", details=details)])
    return np.rint(values).astype(np.int64)
