"""Portfolios whose costs hang together: spread of the sum, and marginals that must not move."""

from __future__ import annotations

import numpy as np

from sim.analysis.joint_normal import spread_missed, update
from sim.runs.outcomes import MEASURES, Outcomes
from sim.verification.case import Distance, Floats, Measured, Setting
from sim.verification.networks import days, rank_correlations
from sim.verification.simulated import Samples, sampler_of, simulate, written

_BILLION = 10**9
_YEAR = 'horizon = 2021-12-31\ncalendar = "continuous"\n'
_SETTINGS = {
    "mixed": "12-correlated-costs", "none": "12-uncorrelated", "strong": "12-strongly-correlated",
    "opposed": "12-opposed",
}  # fmt: skip
"""Plan folders of case 12 by what correlates in them."""


def _value_of_the_year(outcomes: Outcomes) -> Samples:
    return {"total": outcomes.year_end[:, MEASURES.index("work_done")].sum(axis=1)}


def final_cost(outcomes: Outcomes) -> Samples:
    """Keep the realised total cost of every project."""
    return {"cost": outcomes.final_cost}


def _equal_items(
    setting: Setting, count: int, law: str, correlation: float, amount: int, replications: int
) -> Floats:
    """Return the year's total of equal projects, all finished in the year, in yuan."""
    rows = [
        {"id": f"P{k}", "name": "P", "type": "t", "gates": "none", "rank": k,
         "total": amount, "annual_plan": amount,
         "planned_start": "2021-01-01", "planned_finish": "2021-12-01"}
        for k in range(count)
    ]  # fmt: skip
    types = [{"type": "t", "cost": law, "duration_cost_correlation": 1}]
    with written(_YEAR, projects=rows, types=types) as folder:
        text = f'[dependence]\ncity = {correlation}\nsource = "verify"\n'
        (folder / "drivers.toml").write_text(text, encoding="utf-8")
        sampler = sampler_of(folder, setting)
    found = simulate(sampler, setting, replications, _value_of_the_year)
    return np.asarray(found["total"], dtype=np.float64)


def thousand_projects(setting: Setting) -> Measured:
    """Case 10: a thousand equal projects under four common correlations, bn yuan."""
    count = setting.count(600, 25)
    return {
        f"r{correlation:g}": _equal_items(
            setting, 1_000, "normal(1, 0.3, 0.0001, 3)", correlation, 30_000, count
        )
        / _BILLION
        for correlation in (0.0, 0.05, 0.1, 0.2)
    }


def ignoring_correlation(setting: Setting) -> Measured:
    """Case 09: share of the spread missed, in per cent."""
    return {
        f"n{n}_r{r:g}": 100 * spread_missed(n, r)
        for n in (10, 30, 100, 1000)
        for r in (0.1, 0.2, 0.3, 0.5, 0.8)
    }


def correlated_costs(setting: Setting) -> Measured:
    """Case 12: three marginals under four settings of their correlations; rank correlations."""
    from scipy import stats

    laws = {"A": stats.norm(10, 2), "B": stats.triang(0.5, 5, 10), "C": stats.uniform(8, 4)}
    count = setting.count(10_000, 1_000)
    found: dict[str, object] = {}
    for name, folder in _SETTINGS.items():
        sampler = sampler_of(folder, setting)
        cost = simulate(sampler, setting, count, final_cost)["cost"] / 1e8
        for k, (item, law) in enumerate(laws.items()):
            gap = float(stats.kstest(cost[:, k], law.cdf).statistic)
            found[f"{name}_{item}"] = Distance(gap, count)
        found[f"{name}_total"] = cost.sum(axis=1)
        if name == "mixed":
            found |= {item: cost[:, k] for k, item in enumerate(laws)}
    pairs = days("07-correlated-pairs", setting)
    found["spearman"], found["kendall"] = rank_correlations(pairs["B1"], pairs["B2"])
    return found


def reforecast(setting: Setting) -> Measured:
    """Case 25: ten items, before any has ended and after four came out at 27."""
    correlation, sd = 0.3, 6.0
    covariance = sd**2 * (correlation + (1 - correlation) * np.eye(10))
    before, after = (update([30.0] * 10, covariance, [27.0] * ended) for ended in (0, 4))
    ignoring = update([30.0] * 10, sd**2 * np.eye(10), [27.0] * 4)
    total = _equal_items(
        setting, 10, "normal(1, 0.2, 0.0001, 3)", correlation, 30, setting.count(10_000, 1_000)
    )
    return {
        "simulated": total / 10_000,
        "before_mean": before.mean, "before_sd": before.sd, "before_reaches": before.reaches(300),
        "remaining": float(after.means[0]), "mean": after.mean, "sd": after.sd,
        "reaches": after.reaches(300), "p20": after.percentile(0.2), "p80": after.percentile(0.8),
        "ignoring": ignoring.mean,
    }  # fmt: skip
