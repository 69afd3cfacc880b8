"""Parts of a plan whose reported value is summed month by month: stages, or whatever is asked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sim.plan.portfolio import Portfolio

STAGES = ("completing", "continuing", "new", "pre_work")


@dataclass(frozen=True, slots=True)
class Parts:
    """Which part each project belongs to.

    Attributes
    ----------
    count : int
        How many parts there are.
    of_project : ndarray of int64, shape (P,)
        Part of each project; `count` for those of none.
    """

    count: int
    of_project: NDArray[np.int64]


def parts_of(names: Sequence[str], of_project: Sequence[str]) -> Parts:
    """Return parts by name; what has another name belongs to none."""
    position = {name: k for k, name in enumerate(names)}
    found = [position.get(name, len(names)) for name in of_project]
    return Parts(len(names), np.array(found, dtype=np.int64))


def by_stage(portfolio: Portfolio) -> Parts:
    """Return the stages as parts; the reserve, which is in no target, is none of them."""
    return parts_of(STAGES, [one.stage for one in portfolio.plan.projects])
