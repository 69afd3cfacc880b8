"""The headline of a run, exactly from its samples."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.engine.rules import NEVER, PPM
from sim.runs.outcomes import MEASURES
from sim.runs.samples import budget_classes
from sim.runs.simulate import Run
from sim.runs.statistics import PERCENTILES, against_target, describe, probability

Ints = NDArray[np.int64]


def summarise(run: Run) -> dict[str, Any]:
    """Return the headline: what `summary.json` holds. Nothing depends on time or machine."""
    portfolio, samples = run.portfolio, run.samples
    plan, target = portfolio.plan, portfolio.in_target
    year_end = portfolio.year_end_day
    waiting = ~portfolio.begun & ~portfolio.finished
    return {
        "scenario": run.scenario.name,
        "title": run.scenario.about.title,
        "plan": plan.name,
        "replications": run.replications,
        "seed": run.seed,
        "sampling": run.sampling,
        "engine": run.engine,
        "target_yuan": plan.target,
        "annual_plan_yuan": sum(
            one.annual_plan for one, counts in zip(plan.projects, target, strict=True) if counts
        ),
        "year_end": {
            measure: against_target(samples[f"{measure}_yuan"], plan.target) for measure in MEASURES
        },
        "net_of_growth": {
            measure: against_target(samples[f"net_of_growth_{measure}_yuan"], plan.target)
            for measure in ("work_done", "reported")
        },
        "arrears": describe(samples["arrears_yuan"]),
        "execution": _execution(run),
        "revised_plan": _revised(run),
        "projects": {
            "count": portfolio.size,
            "synthetic": sum(one.provenance == "synthetic" for one in plan.projects),
            "planned_starts_in_year": int((waiting & (portfolio.baseline_start <= year_end)).sum()),
            "planned_finishes_in_year": int(
                ((portfolio.planned_finish <= year_end) & ~portfolio.finished).sum()
            ),
            "started_in_year": describe(samples["started_in_year"]),
            "finished_in_year": describe(samples["finished_in_year"]),
            "dropped": describe(samples["dropped"]),
            "finished_in_horizon": describe(samples["finished_in_horizon"]),
        },
        "final_cost": describe(samples["final_cost_yuan"])
        | {"approved_total_yuan": int(portfolio.total.sum())},
        "makespan_days": _days_or_later(samples["makespan_days"]),
    }


def _revised(run: Run) -> dict[str, Any] | None:
    """Describe the plan after decisions in the year; None where nothing joined or left."""
    samples = run.samples
    if not (samples["joined"].any() or samples["left"].any()):
        return None
    plan, reported = samples["revised_plan_yuan"], samples["revised_reported_yuan"]
    return {
        "annual_plan_yuan": describe(plan),
        "joined": describe(samples["joined"]),
        "left": describe(samples["left"]),
        "reported": describe(reported),
        "probability_plan_met": probability(reported >= plan),
    }


def _execution(run: Run) -> dict[str, Any]:
    """Describe by class of accounts the share of the year's budget paid out."""
    found: dict[str, Any] = {}
    for name in budget_classes(run.tally.layout):
        budget = sum(one.budget for one in run.purses.accounts if one.class_ == name)
        statistics = describe(run.samples[f"execution_{name}_ppm"])
        shares = {key: None if value is None else value / PPM for key, value in statistics.items()}
        found[name] = {"budget_yuan": budget, **shares}
    return found


def _days_or_later(days: Ints) -> dict[str, Any]:
    """Describe a number of days, parts of which may lie beyond the horizon."""
    late = probability(days == NEVER)
    known: dict[str, Any] = dict(describe(days))
    if late["value"] > 0:
        known |= {"mean": None, "mean_se": None, "sd": None}
        for percent in PERCENTILES:
            # An interval that reaches beyond the horizon has no width in days.
            if known[f"p{percent}"] == NEVER:
                known[f"p{percent}"] = None
                known[f"p{percent}_se"] = None
            elif (known[f"p{percent}_se"] or 0) > NEVER / 100:
                known[f"p{percent}_se"] = None
    ends = {f"p_after_horizon_{end}": late[end] for end in ("low", "high")}
    return known | {"p_after_horizon": late["value"], **ends}
