"""Tables of projects, groups, months, stages and promises, from the tally of a run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from sim.runs.cause_tables import day_columns
from sim.runs.columns import (
    SPREAD,
    Row,
    amounts,
    date_columns,
    error,
    month_name,
    share_columns,
    student_of,
)
from sim.runs.estimates import (
    block_counts_above,
    block_counts_seen,
    block_sums,
    percentiles,
    probabilities,
)
from sim.runs.layout import annual_plans
from sim.runs.outcomes import MEASURES
from sim.runs.parts import STAGES
from sim.runs.simulate import Run
from sim.runs.statistics import PERCENTILES, shares


def project_rows(run: Run) -> Iterator[Row]:
    """Yield a row a project, in order of rank."""
    portfolio, tally, t = run.portfolio, run.tally, student_of(run.tally)
    sizes = np.broadcast_to(tally.sizes, (portfolio.size, len(tally.sizes)))
    in_year = {
        name: shares(sizes - block_counts_above(tally, name), sizes) for name in ("start", "finish")
    }
    beyond = shares(block_counts_seen(tally, "finish", beyond=True), sizes)
    dates = {name: percentiles(tally, name, SPREAD) for name in ("start", "finish")}
    money = {name: amounts(tally, name) for name in (*MEASURES, "arrears", "final_cost")}
    days = day_columns(run)
    for i, one in enumerate(portfolio.plan.projects):
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
        }
        # What lies before the status date has a date, and no probability any more.
        row |= share_columns("p_start_in_year", None if begun else in_year["start"], i)
        row |= share_columns("p_finish_in_year", None if finished else in_year["finish"], i)
        for name, found in dates.items():
            for percent, values in found.items():
                row |= date_columns(portfolio, f"{name}_p{percent}", values, i, t)
        row |= share_columns("p_after_horizon", beyond, i)
        for name, found_money in money.items():
            row |= found_money.columns(f"{name}_", i)
        yield row | days[i]


def group_rows(run: Run) -> Iterator[Row]:
    """Yield year-end sums by each dimension, over the projects in the target."""
    portfolio, plan = run.portfolio, run.portfolio.plan
    labels: Mapping[str, Mapping[str, str]] = {
        "system": plan.labels["systems"],
        "programme": plan.labels["programmes"],
        "county": plan.labels["counties"],
        "type": plan.labels["types"],
    }
    annual = annual_plans(portfolio)
    money = {measure: amounts(run.tally, f"groups_{measure}") for measure in MEASURES}
    met = probabilities(run.tally, "groups_reported")
    for g, group in enumerate(run.tally.layout.groups):
        if not group.members.any():
            continue
        row: Row = {
            "dimension": group.dimension,
            "group": group.name,
            "label": labels.get(group.dimension, {}).get(group.name, ""),
            "projects": int(group.members.sum()),
            "total_yuan": int(portfolio.total[group.members].sum()),
            "annual_plan_yuan": int(annual[group.members].sum()),
        }
        for measure, values in money.items():
            row |= values.columns(f"{measure}_", g)
            if measure == "reported":
                row |= share_columns("p_plan_met", met, g)
        yield row


def month_rows(run: Run) -> Iterator[Row]:
    """Yield the cumulative amounts of the year at each month-end, beside the plan."""
    portfolio = run.portfolio
    planned = (run.baseline.value - portfolio.before_year[:, None])[portfolio.in_target].sum(axis=0)
    money = amounts(run.tally, "months", PERCENTILES)
    owed = amounts(run.tally, "arrears_months", PERCENTILES)
    for month, day in enumerate(portfolio.month_ends.tolist()):
        name = month_name(portfolio, day)
        for position, measure in enumerate(MEASURES):
            row: Row = {"month": name, "measure": measure}
            row |= money.columns("", (position, month))
            # The plan is one of investment: payments have none to stand beside.
            yield row | {"plan_yuan": None if measure == "paid" else int(planned[month])}
        if run.purses.accounts:
            row = {"month": name, "measure": "arrears", **owed.columns("", month)}
            yield row | {"plan_yuan": None}


def stage_rows(run: Run) -> Iterator[Row]:
    """Yield the reported share of the year's plan by stage at each month-end of the year."""
    portfolio = run.portfolio
    reported = amounts(run.tally, "stages")
    for position, stage in enumerate(STAGES):
        annual = sum(one.annual_plan for one in portfolio.plan.projects if one.stage == stage)
        if annual == 0:
            continue
        for month in range(portfolio.year_end_month + 1):
            yield {
                "month": month_name(portfolio, int(portfolio.month_ends[month])),
                "stage": stage,
                "annual_plan_yuan": annual,
                **reported.columns("reported_", (position, month)),
            }


def commitment_rows(run: Run) -> Iterator[Row]:
    """Yield each promise with the probability that it is kept."""
    portfolio, tally, t = run.portfolio, run.tally, student_of(run.tally)
    hits = block_sums(tally, "kept").astype(np.int64)
    kept = shares(hits, np.broadcast_to(tally.sizes, hits.shape))
    middle = percentiles(tally, "kept_measure", (50,))[50]
    for k, one in enumerate(portfolio.plan.commitments):
        judged = one.kind != "outside"
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
            **share_columns("p_kept", kept if judged else None, k),
            **dict.fromkeys(
                ("median_date", "median_date_se", "median_quantity", "median_quantity_se")
            ),
            "why_outside": one.why_outside,
        }
        if one.kind == "quantity":
            row["median_quantity"] = int(middle.values[k]) / 1000
            width = error(middle.errors[k])
            row["median_quantity_se"] = None if width is None else width / 1000
        elif judged:
            row |= date_columns(portfolio, "median_date", middle, k, t)
        yield row
