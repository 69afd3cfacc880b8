"""Activity networks: completion times whose distributions are known."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from sim.engine.rules import NEVER
from sim.runs.outcomes import Outcomes
from sim.verification.case import Estimate, Floats, Measured, Setting
from sim.verification.simulated import Samples, sampler_of, simulate

_REPLICATIONS = (10_000, 500)
"""By the compiled engine, and by the reference engine."""
_MIDDLE, _SPREAD = 1_200, 250
"""Mean and standard deviation of a path of case 07, days."""


def _finish(outcomes: Outcomes) -> Samples:
    return {"finish": outcomes.finish, "makespan": outcomes.makespan}


def days(
    folder: str, setting: Setting, unit: float = 1.0, replications: int | None = None
) -> dict[str, Floats]:
    """Return when each activity ends, by its id, and all of them as `makespan`.

    Parameters
    ----------
    folder : str
        A plan folder of the cases.
    setting : Setting
        How to simulate.
    unit : float
        Days of the plan in a unit of the answers: the more, the less rounding to days matters.
    replications : int, optional
        Another number of them.

    Raises
    ------
    ValueError
        If an activity ends beyond the horizon.
    """
    sampler = sampler_of(folder, setting)
    count = replications or setting.count(*_REPLICATIONS)
    found = simulate(sampler, setting, count, _finish)
    if (found["finish"] == NEVER).any():
        raise ValueError(f"the horizon is too short for case {folder}")
    named = {
        one.id: (found["finish"][:, i] + 1) / unit
        for i, one in enumerate(sampler.portfolio.plan.projects)
    }
    return named | {"makespan": found["makespan"] / unit}


def activity_network(setting: Setting) -> Measured:
    """Case 03: five exponential activities; which path is critical follows from who waits."""
    ends = days("03-activity-network", setting, 200)
    by_x4 = ends["X4"] >= ends["X5"]
    by_x3 = ~by_x4 & (ends["X3"] >= ends["X2"])
    return {
        "makespan": ends["makespan"],
        "path_1_4": by_x4, "path_1_3_5": by_x3, "path_2_5": ~by_x4 & ~by_x3,
        "activity_1": by_x4 | by_x3, "activity_5": ~by_x4,
    }  # fmt: skip


def pert_network(setting: Setting) -> Measured:
    """Case 05: fourteen activities, as beta-PERT, as triangles, and at their classic means."""
    found = {
        family: days(f"05-{family}-network", setting, 100)["makespan"]
        for family in ("pert", "triangular")
    }
    # Durations a + 4 m + b in sixths of the unit are whole days: nothing is rounded.
    early = days("05-mean-network", setting, 6, replications=1)
    return found | {f"early_{name}": float(end[0]) for name, end in early.items()}


def merge_bias(setting: Setting) -> Measured:
    """Case 07: parallel paths, independent and correlated."""
    alone = days("07-parallel-paths", setting)
    paths = np.stack([alone[f"N{i:02d}"] for i in range(1, 21)])
    found: dict[str, object] = {}
    for n in (2, 3, 5, 10, 20):
        if n < 20:  # one in a million
            found[f"all_{n}"] = (paths[:n] <= _MIDDLE).all(axis=0)
        found[f"latest_{n}"] = (paths[:n].max(axis=0) - _MIDDLE) / _SPREAD
    pairs = days("07-correlated-pairs", setting)
    for name, r in (("A", "03"), ("B", "05"), ("C", "09")):
        one, other = pairs[f"{name}1"], pairs[f"{name}2"]
        found[f"latest_r{r}"] = (np.maximum(one, other) - _MIDDLE) / _SPREAD
        found[f"both_r{r}"] = (one <= _MIDDLE) & (other <= _MIDDLE)
    x, y = pairs["X"] / 10, pairs["Y"] / 10
    return found | {"clark": np.maximum(x, y), "x_later": x > y}


def pert(setting: Setting) -> Measured:
    """Case 26: beta-PERT and triangle of (10, 20, 60)."""
    found = days("26-pert", setting, 25)
    return {"pert": found["P"], "triangular": found["T"]}


def exponentials(setting: Setting) -> Measured:
    """Case 27: two parallel exponentials, and a task that is done again while checks fail."""
    pair = days("27-exponential-pair", setting, 10)
    rework = days("27-rework", setting, 10)
    return {
        "latest": pair["makespan"],
        "second": pair["L"] > pair["S"],
        "rework": rework["makespan"],
    }


def rank_correlations(one: Floats, other: Floats) -> tuple[Estimate, Estimate]:
    """Return Spearman's and Kendall's correlation, with errors from twenty parts of the sample."""
    from scipy import stats

    parts = list(zip(np.array_split(one, 20), np.array_split(other, 20), strict=True))
    return (
        by_parts([float(stats.spearmanr(a, b).statistic) for a, b in parts]),
        by_parts([float(stats.kendalltau(a, b).statistic) for a, b in parts]),
    )


def by_parts(values: Sequence[float] | NDArray[np.float64]) -> Estimate:
    """Return the mean of what independent parts estimate, with its standard error."""
    parts = np.asarray(values, dtype=np.float64)
    return Estimate(float(parts.mean()), float(parts.std(ddof=1)) / math.sqrt(len(parts)))
