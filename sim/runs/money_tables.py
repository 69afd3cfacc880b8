"""Accounts and bonds, from the tally of a run."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from sim.plan.curves import PPM
from sim.runs.columns import (
    SPREAD,
    Amounts,
    Row,
    amounts,
    error,
    month_name,
    share_columns,
    with_cells,
)
from sim.runs.estimates import (
    Percentiles,
    block_counts_above,
    block_sums,
    nearest,
    percentiles,
    probabilities,
    ratios,
)
from sim.runs.simulate import Run
from sim.runs.statistics import shares
from sim.runs.tally import Tally

_FAMILIES = {"released": "released", "paid": "spent", "balance": "balance", "unmet": "unmet"}
_MEANS = ("set_aside", "lapsed")
"""Shown by their means only: with them, what an account had and what became of it add up."""


def account_rows(run: Run) -> Iterator[Row]:
    """Yield an account and month a row: received, paid, left, unmet; execution at year-end."""
    portfolio, tally = run.portfolio, run.tally
    money = {name: amounts(tally, family) for name, family in _FAMILIES.items()}
    money |= {name: amounts(tally, name, ()) for name in _MEANS}
    short = probabilities(tally, "unmet")
    for a, one in enumerate(run.purses.accounts):
        for month, day in enumerate(portfolio.month_ends.tolist()):
            row: Row = {
                "account": one.id,
                "name": one.name,
                "class": one.class_,
                "county": one.county,
                "month": month_name(portfolio, day),
                "budget_yuan": one.budget,
                "opening_yuan": one.opening,
            }
            for name, found in money.items():
                row |= found.columns(f"{name}_", (a, month))
            row |= share_columns("p_short", short, (a, month))
            counted = month == portfolio.year_end_month and one.budget > 0
            yield row | _execution(money["paid"], (a, month), one.budget if counted else 0)


def _execution(paid: Amounts, place: tuple[int, int], budget: int) -> Row:
    """Return what is paid as a share of a budget, in whole ppm; blank without one."""
    row: Row = {}
    for key, values, errors in [
        ("mean", paid.means, paid.errors),
        *((f"p{percent}", one.values, one.errors) for percent, one in paid.percentiles.items()),
    ]:
        name = f"execution_{key}"
        row |= dict.fromkeys((name, f"{name}_se"))
        if budget:
            row[name] = int(values[place]) * PPM // budget / PPM
            width = error(errors[place])
            row[f"{name}_se"] = None if width is None else width / budget
    return row


def bond_rows(run: Run) -> Iterator[Row]:
    """Yield each look at a bond release: what was idle, and whether a floor was kept.

    Looks beyond the horizon are left out.
    """
    tally, projects = run.tally, {one.id: one for one in run.portfolio.plan.projects}
    accounts = {one.id: one for one in run.purses.accounts}
    seen = block_sums(tally, "seen").astype(np.int64)
    some = shares(block_counts_above(tally, "idle"), seen)
    met = shares(block_sums(tally, "floor_met").astype(np.int64), seen)
    middle = percentiles(tally, "idle", SPREAD[1:], seen)
    money = {
        "amount": _of_seen(tally, "amount", seen, {}),
        "idle": _of_seen(tally, "idle", seen, middle),
    }
    for q, check in enumerate(run.purses.checks):
        if not seen[q].any():
            continue
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
        }
        for name, values in money.items():
            row |= values.columns(f"{name}_", q)
        row |= share_columns("p_idle", some, q)
        floor = check.floor
        row["floor"] = None if floor is None else floor.share
        yield row | share_columns("p_floor_met", None if floor is None else met, q)


def _of_seen(
    tally: Tally, name: str, seen: NDArray[np.int64], found: dict[int, Percentiles]
) -> Amounts:  # fmt: skip
    """Join the means over the looks that are seen, and percentiles."""
    sums, count = block_sums(tally, name), np.maximum(seen.sum(axis=-1), 1)
    return with_cells(nearest(sums.sum(axis=-1), count), ratios(sums, seen)[1], found)
