"""Accounts, bonds and execution of the budget, from the outcomes of a run."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.plan.curves import PPM
from sim.runs.outcomes import ACCOUNT_MEASURES
from sim.runs.simulate import Run
from sim.runs.statistics import describe, percentile, probability, spread

Ints = NDArray[np.int64]
Row = dict[str, Any]
_SPREAD = ("released", "paid", "balance", "unmet")
_MEANS = ("set_aside", "lapsed")
"""Shown by their means only: with them, what an account had and what became of it add up."""
_STATISTICS = ("mean", "p10", "p50", "p90")


def _of(run: Run, measure: str) -> Ints:
    """Return a measure of all accounts, shape (N, A, M)."""
    name = "spent" if measure == "paid" else measure
    return run.outcomes.accounts[:, ACCOUNT_MEASURES.index(name)]


def _shares(amounts: Ints, whole: int) -> Ints:
    """Return shares of a whole in ppm, rounded down; no product of yuan and ppm overflows."""
    return np.array([amount * PPM // whole for amount in amounts.tolist()], dtype=np.int64)


def account_rows(run: Run) -> Iterator[Row]:
    """Yield an account and month a row: received, paid, left, unmet; execution at year-end."""
    portfolio = run.portfolio
    tables = {name: spread(_of(run, name)) for name in (*_SPREAD, *_MEANS)}
    short = (_of(run, "unmet") > 0).mean(axis=0)
    for a, one in enumerate(run.purses.accounts):
        for month, day in enumerate(portfolio.month_ends.tolist()):
            row: Row = {
                "account": one.id,
                "name": one.name,
                "class": one.class_,
                "county": one.county,
                "month": f"{portfolio.origin + datetime.timedelta(days=day):%Y-%m}",
                "budget_yuan": one.budget,
                "opening_yuan": one.opening,
            }
            for name, statistics in tables.items():
                for key, values in zip(_STATISTICS, statistics, strict=True):
                    if key == "mean" or name in _SPREAD:
                        row[f"{name}_{key}_yuan"] = int(values[a, month])
            row["p_short"] = float(short[a, month])
            row |= dict.fromkeys([f"execution_{key}" for key in _STATISTICS])
            if month == portfolio.year_end_month and one.budget > 0:
                shares = spread(_shares(_of(run, "paid")[:, a, month], one.budget))
                for key, value in zip(_STATISTICS, shares, strict=True):
                    row[f"execution_{key}"] = int(value) / PPM
            yield row


def execution(run: Run) -> dict[str, Any]:
    """Return, by class of accounts, the share of the year's budget paid out."""
    month = run.portfolio.year_end_month
    classes = sorted({one.class_ for one in run.purses.accounts if one.budget > 0})
    found: dict[str, Any] = {}
    for name in classes:
        chosen = [a for a, one in enumerate(run.purses.accounts) if one.class_ == name]
        budget = sum(run.purses.accounts[a].budget for a in chosen)
        paid = _of(run, "paid")[:, chosen, month].sum(axis=1)
        statistics = describe(_shares(paid, budget), run.blocks)
        shares = {key: None if value is None else value / PPM for key, value in statistics.items()}
        found[name] = {"budget_yuan": budget, **shares}
    return found


def bond_rows(run: Run) -> Iterator[Row]:
    """Yield each look at a bond release: what was idle, and whether a floor was kept.

    Looks beyond the horizon are left out.
    """
    outcomes, projects = run.outcomes, {one.id: one for one in run.portfolio.plan.projects}
    accounts = {one.id: one for one in run.purses.accounts}
    for q, check in enumerate(run.purses.checks):
        spent, amount = outcomes.check_spent[:, q], outcomes.check_amount[:, q]
        seen = spent >= 0
        if not seen.any():
            continue
        idle = (amount - spent)[seen]
        release = run.purses.releases[check.release]
        account = accounts[release.account]
        row: Row = {
            "batch": release.batch,
            "account": account.id,
            "county": account.county,
            "project": release.project,
            "name": projects[release.project].name if release.project else "",
            "issued": release.issued or release.available,
            "months": check.months,
            "amount_mean_yuan": round(float(amount[seen].mean())),
            "idle_mean_yuan": round(float(idle.mean())),
            "idle_p50_yuan": percentile(idle, 50),
            "idle_p90_yuan": percentile(idle, 90),
            "p_idle": float((idle > 0).mean()),
            "floor": None,
            "p_floor_met": None,
            "p_floor_met_low": None,
            "p_floor_met_high": None,
        }
        if check.floor is not None:
            needed = -(-amount[seen] * round(check.floor.share * PPM) // PPM)
            blocks = None if run.blocks is None else run.blocks[seen]
            met = probability(spent[seen] >= needed, blocks)
            row |= {"floor": check.floor.share, "p_floor_met": met["value"],
                    "p_floor_met_low": met["low"], "p_floor_met_high": met["high"]}  # fmt: skip
        yield row
