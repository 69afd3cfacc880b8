"""Month-end shares of annual plans that places have published, beside the simulated ones.

The published figures are self-reported, overlap, and come from places with something to show:
read them as an upper band. Nothing is fitted to them here.
"""

from __future__ import annotations

import csv
import functools
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class MonthShare:
    """Share of the annual plan completed by a month-end, simulated and published.

    Attributes
    ----------
    month : int
        Month of the year.
    simulated : float
        Median over replications of reported investment over the annual plan.
    planned : float or None
        The plan's own share at that month-end.
    published : float or None
        Median over published lists; None where there are none.
    lists : int
        How many lists that median rests on.
    """

    month: int
    simulated: float
    planned: float | None
    published: float | None
    lists: int


REFERENCE = Path(__file__).parent / "reference"
"""Folder of the reference tables that ship with the package."""


@functools.cache
def published_shares(scope: str = "all") -> Mapping[int, tuple[float, ...]]:
    """Return published shares by month, for all projects of a list or for one stage."""
    path = REFERENCE / "month_end_shares.csv"
    shares: dict[int, list[float]] = {}
    with path.open(encoding="utf-8", newline="") as stream:
        for row in csv.DictReader(stream):
            if row["scope"] == scope:
                shares.setdefault(int(row["through_month"]), []).append(float(row["share"]))
    return {month: tuple(sorted(values)) for month, values in shares.items()}


def _beside(month: int, simulated: float, planned: float | None, scope: str) -> MonthShare:
    found = published_shares(scope).get(month, ())
    middle = statistics.median(found) if found else None
    return MonthShare(month, simulated, planned, middle, len(found))


def year_shares(
    months: Sequence[Mapping[str, str]], plan_year: int, annual_plan: int
) -> list[MonthShare]:
    """Compare the year's reported medians with published ones.

    Parameters
    ----------
    months : sequence of rows
        The table `months.csv` of a run.
    plan_year : int
        Year of the plan.
    annual_plan : int
        Sum of annual plans in the target, yuan.
    """
    return [
        _beside(
            int(row["month"][5:]),
            int(row["p50_yuan"]) / annual_plan,
            int(row["plan_yuan"]) / annual_plan,
            "all",
        )
        for row in months
        if row["measure"] == "reported" and row["month"].startswith(f"{plan_year}-")
    ]


def stage_shares(stages: Sequence[Mapping[str, str]], stage: str) -> list[MonthShare]:
    """Compare one stage's reported medians with published ones.

    Parameters
    ----------
    stages : sequence of rows
        The table `stages.csv` of a run.
    stage : str
        Stage.
    """
    return [
        _beside(
            int(row["month"][5:]),
            int(row["reported_p50_yuan"]) / int(row["annual_plan_yuan"]),
            None,
            stage,
        )
        for row in stages
        if row["stage"] == stage
    ]
