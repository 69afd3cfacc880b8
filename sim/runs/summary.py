"""The headline and the tables of a run, from its outcomes."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.engine.rules import NEVER
from sim.runs.cause_tables import project_days
from sim.runs.money_tables import execution
from sim.runs.outcomes import MEASURES, STAGES
from sim.runs.simulate import Run
from sim.runs.statistics import (
    PERCENTILES,
    Blocks,
    against_target,
    describe,
    moments,
    percentile,
    probability,
)

Ints = NDArray[np.int64]
Row = dict[str, Any]
_SPREAD = (10, 50, 90)
_DIMENSIONS = ("system", "programme", "county", "type", "tier", "investor", "stage")


def summarise(run: Run) -> dict[str, Any]:
    """Return the headline: what `summary.json` holds. Nothing depends on time or machine."""
    portfolio, outcomes, blocks = run.portfolio, run.outcomes, run.blocks
    plan, target = portfolio.plan, portfolio.in_target
    year_end = portfolio.year_end_day
    waiting = ~portfolio.begun & ~portfolio.finished
    started = ((outcomes.start <= year_end) & (outcomes.start >= 0) & waiting).sum(axis=1)
    finished = (outcomes.finish <= year_end) & ~portfolio.finished
    net = outcomes.net_of_growth
    in_year = outcomes.months[:, :, portfolio.year_end_month]
    final = outcomes.final_cost.sum(axis=1)
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
            measure: against_target(in_year[:, position], plan.target, blocks)
            for position, measure in enumerate(MEASURES)
        },
        "net_of_growth": {
            measure: against_target(net[:, position], plan.target, blocks)
            for position, measure in enumerate(("work_done", "reported"))
        },
        "arrears": describe(outcomes.arrears.sum(axis=1), blocks),
        "execution": execution(run),
        "revised_plan": _revised(run),
        "projects": {
            "count": portfolio.size,
            "synthetic": sum(one.provenance == "synthetic" for one in plan.projects),
            "planned_starts_in_year": int((waiting & (portfolio.baseline_start <= year_end)).sum()),
            "planned_finishes_in_year": int(
                ((portfolio.planned_finish <= year_end) & ~portfolio.finished).sum()
            ),
            "started_in_year": describe(started, blocks),
            "finished_in_year": describe(finished.sum(axis=1), blocks),
            "dropped": describe((outcomes.dropped != NEVER).sum(axis=1), blocks),
            "finished_in_horizon": describe((outcomes.finish != NEVER).sum(axis=1), blocks),
        },
        "final_cost": describe(final, blocks) | {"approved_total_yuan": int(portfolio.total.sum())},
        "makespan_days": _days_or_later(outcomes.makespan, blocks),
    }


def _revised(run: Run) -> dict[str, Any] | None:
    """Describe the plan after decisions in the year; None where nothing joined or left."""
    portfolio, outcomes, blocks = run.portfolio, run.outcomes, run.blocks
    if not (outcomes.joined.any() or outcomes.left.any()):
        return None
    annual = np.array([one.annual_plan for one in portfolio.plan.projects], dtype=np.int64)
    members = (portfolio.in_target & ~outcomes.left) | outcomes.joined
    denominator = (annual * members).sum(axis=1)
    reported = (outcomes.year_end[:, MEASURES.index("reported")] * members).sum(axis=1)
    return {
        "annual_plan_yuan": describe(denominator, blocks),
        "joined": describe(outcomes.joined.sum(axis=1), blocks),
        "left": describe(outcomes.left.sum(axis=1), blocks),
        "reported": describe(reported, blocks),
        "probability_plan_met": probability(reported >= denominator, blocks),
    }


def _days_or_later(days: Ints, blocks: Blocks) -> dict[str, Any]:
    """Describe a number of days, parts of which may lie beyond the horizon."""
    late = int((days == NEVER).sum())
    if late:
        known: dict[str, Any] = {"mean": None, "mean_se": None, "sd": None}
        for percent in PERCENTILES:
            value = percentile(days, percent)
            known[f"p{percent}"] = None if value == NEVER else value
    else:
        known = dict(describe(days, blocks))
    return known | {"p_after_horizon": late / len(days)}


def project_rows(run: Run) -> Iterator[Row]:
    """Yield a row a project, in order of rank."""
    portfolio, outcomes = run.portfolio, run.outcomes
    year_end = portfolio.year_end_day
    for i, one in enumerate(portfolio.plan.projects):
        start, finish = outcomes.start[:, i], outcomes.finish[:, i]
        finished = bool(portfolio.finished[i])
        begun = finished or bool(portfolio.begun[i])
        row: Row = {
            "id": one.id,
            "name": one.name,
            "system": one.system,
            "programme": one.programme,
            "county": one.county,
            "type": one.type,
            "investor": one.investor,
            "stage": one.stage,
            "provenance": one.provenance,
            "total_yuan": one.total,
            "annual_plan_yuan": one.annual_plan,
            "planned_start": one.planned_start,
            "planned_finish": one.planned_finish,
            # What lies before the status date has a date, and no probability any more.
            "p_start_in_year": None if begun else float((start <= year_end).mean()),
            "p_finish_in_year": None if finished else float((finish <= year_end).mean()),
        }
        for name, days in (("start", start), ("finish", finish)):
            for percent in _SPREAD:
                row[f"{name}_p{percent}"] = _date(portfolio.origin, percentile(days, percent))
        row["p_after_horizon"] = float((finish == NEVER).mean())
        for position, measure in enumerate(MEASURES):
            row |= _amounts(measure, outcomes.year_end[:, position, i])
        row |= _amounts("arrears", outcomes.arrears[:, i])
        row |= _amounts("final_cost", outcomes.final_cost[:, i])
        row |= {f"days_{cause}": days for cause, days in project_days(run, i).items()}
        yield row


def _date(origin: datetime.date, day: int) -> datetime.date | None:
    return None if day == NEVER else origin + datetime.timedelta(days=day)


def _amounts(name: str, sample: Ints) -> Row:
    row: Row = {f"{name}_mean_yuan": round(moments(sample)[0])}
    return row | {f"{name}_p{percent}_yuan": percentile(sample, percent) for percent in _SPREAD}


def group_rows(run: Run) -> Iterator[Row]:
    """Yield year-end sums by each dimension, over the projects in the target."""
    portfolio, plan = run.portfolio, run.portfolio.plan
    labels: Mapping[str, Mapping[str, str]] = {
        "system": plan.labels["systems"],
        "programme": plan.labels["programmes"],
        "county": plan.labels["counties"],
        "type": plan.labels["types"],
    }
    for dimension in _DIMENSIONS:
        values = np.array([getattr(one, dimension) for one in plan.projects])
        for group in sorted(set(values.tolist())):
            mask = (values == group) & portfolio.in_target
            if not mask.any():
                continue
            annual = sum(one.annual_plan for one, of in zip(plan.projects, mask, strict=True) if of)
            row: Row = {
                "dimension": dimension,
                "group": group,
                "label": labels.get(dimension, {}).get(group, ""),
                "projects": int(mask.sum()),
                "total_yuan": int(portfolio.total[mask].sum()),
                "annual_plan_yuan": annual,
            }
            for position, measure in enumerate(MEASURES):
                sample = run.outcomes.year_end[:, position][:, mask].sum(axis=1)
                row |= _amounts(measure, sample)
                if measure == "reported":
                    row["p_plan_met"] = float((sample >= annual).mean())
            yield row


def month_rows(run: Run) -> Iterator[Row]:
    """Yield the cumulative amounts of the year at each month-end, beside the plan."""
    portfolio = run.portfolio
    planned = (run.baseline.value - portfolio.before_year[:, None])[portfolio.in_target].sum(axis=0)
    for month, day in enumerate(portfolio.month_ends.tolist()):
        for position, measure in enumerate(MEASURES):
            sample = run.outcomes.months[:, position, month]
            row: Row = {
                "month": f"{portfolio.origin + datetime.timedelta(days=day):%Y-%m}",
                "measure": measure,
                "mean_yuan": round(moments(sample)[0]),
            }
            row |= {f"p{percent}_yuan": percentile(sample, percent) for percent in PERCENTILES}
            # The plan is one of investment: payments have none to stand beside.
            yield row | {"plan_yuan": None if measure == "paid" else int(planned[month])}
        if not run.purses.accounts:
            continue
        owed = run.outcomes.arrears_months[:, month]
        yield {
            "month": f"{portfolio.origin + datetime.timedelta(days=day):%Y-%m}",
            "measure": "arrears",
            "mean_yuan": round(moments(owed)[0]),
            **{f"p{percent}_yuan": percentile(owed, percent) for percent in PERCENTILES},
            "plan_yuan": None,
        }


def stage_rows(run: Run) -> Iterator[Row]:
    """Yield the reported share of the year's plan by stage at each month-end of the year."""
    portfolio = run.portfolio
    for position, stage in enumerate(STAGES):
        annual = sum(one.annual_plan for one in portfolio.plan.projects if one.stage == stage)
        if annual == 0:
            continue
        for month in range(portfolio.year_end_month + 1):
            day = datetime.timedelta(days=int(portfolio.month_ends[month]))
            sample = run.outcomes.stage_months[:, position, month]
            row: Row = {
                "month": f"{portfolio.origin + day:%Y-%m}",
                "stage": stage,
                "annual_plan_yuan": annual,
                "reported_mean_yuan": round(moments(sample)[0]),
            }
            for percent in _SPREAD:
                row[f"reported_p{percent}_yuan"] = percentile(sample, percent)
            yield row


def commitment_rows(run: Run) -> Iterator[Row]:
    """Yield each promise with the probability that it is kept."""
    portfolio, outcomes = run.portfolio, run.outcomes
    for k, one in enumerate(portfolio.plan.commitments):
        row: Row = {
            "id": one.id,
            "key_task": one.key_task,
            "text": one.text,
            "strength": one.strength,
            "kind": one.kind,
            "projects": ";".join(one.projects),
            "quantity": one.quantity,
            "unit": one.unit,
            "deadline": one.deadline,
            "p_kept": None,
            "p_kept_low": None,
            "p_kept_high": None,
            "median_date": None,
            "median_quantity": None,
            "why_outside": one.why_outside,
        }
        if one.kind != "outside":
            kept = probability(outcomes.kept[:, k] != 0, run.blocks)
            row |= {"p_kept": kept["value"], "p_kept_low": kept["low"], "p_kept_high": kept["high"]}
            middle = percentile(outcomes.kept_measure[:, k], 50)
            if one.kind == "quantity":
                row["median_quantity"] = middle / 1000
            else:
                row["median_date"] = _date(portfolio.origin, middle)
        yield row


def sample_columns(run: Run) -> dict[str, NDArray[Any]]:
    """Return a replication a row: year-end totals by measure and system, counts, drivers."""
    portfolio, outcomes = run.portfolio, run.outcomes
    month, year_end = portfolio.year_end_month, portfolio.year_end_day
    waiting = ~portfolio.begun & ~portfolio.finished
    columns: dict[str, NDArray[Any]] = {"replication": outcomes.replications}
    for position, measure in enumerate(MEASURES):
        columns[f"{measure}_yuan"] = outcomes.months[:, position, month]
    systems = np.array([one.system for one in portfolio.plan.projects])
    for system in sorted(set(systems.tolist())):
        mask = (systems == system) & portfolio.in_target
        for position, measure in enumerate(MEASURES):
            name = f"{measure}_{system or 'none'}_yuan"
            columns[name] = outcomes.year_end[:, position][:, mask].sum(axis=1)
    started = (outcomes.start <= year_end) & (outcomes.start >= 0) & waiting
    columns["started_in_year"] = started.sum(axis=1)
    columns["finished_in_year"] = ((outcomes.finish <= year_end) & ~portfolio.finished).sum(axis=1)
    columns["arrears_yuan"] = outcomes.arrears.sum(axis=1)
    columns["dropped"] = (outcomes.dropped != NEVER).sum(axis=1)
    columns["final_cost_yuan"] = outcomes.final_cost.sum(axis=1)
    columns["makespan_days"] = outcomes.makespan
    for name, values in outcomes.drivers.items():
        columns[f"driver_{name}"] = values
    return columns
