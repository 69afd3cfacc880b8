"""The samples: a replication a row, from which the headline comes exactly."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.engine.rules import NEVER, PPM
from sim.runs.counting import add_groups
from sim.runs.layout import DIMENSIONS, Layout, annual_plans
from sim.runs.outcomes import ACCOUNT_MEASURES, MEASURES, Outcomes

Samples = dict[str, NDArray[Any]]
Ints = NDArray[np.int64]


def budget_classes(layout: Layout) -> list[str]:
    """Return the classes of accounts that have a budget."""
    return sorted({one.class_ for one in layout.purses.accounts if one.budget > 0})


def sample_columns(layout: Layout, outcomes: Outcomes) -> Samples:
    """Return a replication a row: year-end totals by measure and system, counts, drivers."""
    portfolio = layout.portfolio
    month, year_end = portfolio.year_end_month, portfolio.year_end_day
    waiting = ~portfolio.begun & ~portfolio.finished
    columns: Samples = {"replication": outcomes.replications}
    for position, measure in enumerate(MEASURES):
        columns[f"{measure}_yuan"] = outcomes.months[:, position, month].copy()
    systems = [one for one in layout.groups if one.dimension == DIMENSIONS[0]]  # the first ones
    sums = np.empty((*outcomes.year_end.shape[:2], len(systems)), np.int64)
    add_groups(outcomes.year_end, layout.members, layout.bounds, sums)
    for g, group in enumerate(systems):
        for position, measure in enumerate(MEASURES):
            columns[f"{measure}_{group.name or 'none'}_yuan"] = sums[:, position, g].copy()
    started = (outcomes.start <= year_end) & (outcomes.start >= 0) & waiting
    columns["started_in_year"] = started.sum(axis=1)
    columns["finished_in_year"] = ((outcomes.finish <= year_end) & ~portfolio.finished).sum(axis=1)
    columns["finished_in_horizon"] = (outcomes.finish != NEVER).sum(axis=1)
    columns["arrears_yuan"] = outcomes.arrears.sum(axis=1)
    columns["dropped"] = (outcomes.dropped != NEVER).sum(axis=1)
    columns["final_cost_yuan"] = outcomes.final_cost.sum(axis=1)
    columns["makespan_days"] = outcomes.makespan
    for position, measure in enumerate(("work_done", "reported")):
        columns[f"net_of_growth_{measure}_yuan"] = outcomes.net_of_growth[:, position].copy()
    columns |= _revised(layout, outcomes)
    columns |= _execution(layout, outcomes)
    for name, values in outcomes.drivers.items():
        columns[f"driver_{name}"] = values
    return columns


def _revised(layout: Layout, outcomes: Outcomes) -> Samples:
    """Return the plan after decisions in the year, and what was reported of it."""
    members = (layout.portfolio.in_target & ~outcomes.left) | outcomes.joined
    reported = outcomes.year_end[:, MEASURES.index("reported")]
    return {
        "joined": outcomes.joined.sum(axis=1),
        "left": outcomes.left.sum(axis=1),
        "revised_plan_yuan": (annual_plans(layout.portfolio) * members).sum(axis=1),
        "revised_reported_yuan": (reported * members).sum(axis=1),
    }


def _execution(layout: Layout, outcomes: Outcomes) -> Samples:
    """Return by class of accounts which share of the year's budget is paid out, in ppm."""
    accounts, month = layout.purses.accounts, layout.portfolio.year_end_month
    spent = outcomes.accounts[:, ACCOUNT_MEASURES.index("spent"), :, month]
    found: Samples = {}
    for name in budget_classes(layout):
        chosen = [a for a, one in enumerate(accounts) if one.class_ == name]
        budget = sum(accounts[a].budget for a in chosen)
        paid = spent[:, chosen].sum(axis=1).tolist()
        # No product of yuan and ppm overflows.
        found[f"execution_{name}_ppm"] = np.array([p * PPM // budget for p in paid], np.int64)
    return found


def join_samples(batches: Sequence[Mapping[str, NDArray[Any]]]) -> Samples:
    """Join the samples of batches in the order of their replications, whatever order they have."""
    whole = {name: np.concatenate([one[name] for one in batches]) for name in batches[0]}
    order = np.argsort(whole["replication"], kind="stable")
    return {name: values[order] for name, values in whole.items()}
