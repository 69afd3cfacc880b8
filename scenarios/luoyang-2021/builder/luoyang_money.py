"""Accounts and releases: estimated as coverage times the plan's own demand."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import pairwise
from typing import Any

from luoyang_draws import draw, share_at
from luoyang_sources import FOLDER, YEAR_END, Curve, Project, largest_remainder, read_rows

COVERAGE = Fraction(11, 10)
OPENING = {"general_budget": 0.05, "fund_budget": 0.05, "grant": 0.1, "special_bond": 0.1}
CLASSES = ("general_budget", "fund_budget", "grant", "special_bond", "loan", "own")
EQUITY = ("general_budget", "fund_budget", "grant", "own")
BATCHES = ((3, 29, 38), (5, 27, 36), (6, 24, 41), (8, 26, 33), (9, 23, 35), (11, 18, 30))
"""Batches of special bonds: month and day of issue, days until the money can be used."""
LATER_BOND_WAIT = 36
"""Days from issue to use of later years' bonds: the middle of the year's batches."""
LATER_YEARS = (2022, 2023, 2024)
QUARTER_DAYS = ((2, 20), (5, 20), (8, 20), (11, 20))
Key = tuple[str, str]


@dataclass
class Demand:
    """What the plan asks of one account: in the year by project, and in later quarters."""

    year: dict[str, Fraction] = field(default_factory=dict)
    later: dict[tuple[int, int], Fraction] = field(default_factory=dict)

    def needed(self) -> int:
        """Return the year's budget: coverage times the demand, rounded up."""
        return -int(-(COVERAGE * sum(self.year.values(), Fraction(0))) // 1)


def demands(projects: list[Project], curves: Mapping[str, Curve]) -> dict[Key, Demand]:
    """Add up annual plan times funding share for each class and county."""
    found: dict[Key, Demand] = {}
    for one in projects:
        quarters = _later_value(one, curves[one.type])
        for part in one.funding.split(";"):
            name, share = part.split(":")
            place = "city" if name in ("loan", "own") else one.county
            demand = found.setdefault((name, place), Demand())
            if one.stage != "reserve":
                demand.year[one.id] = one.plan * Fraction(share)
            for quarter, value in quarters.items():
                demand.later[quarter] = demand.later.get(quarter, Fraction(0)) + value * Fraction(
                    share
                )
    return found


def _later_value(one: Project, curve: Curve) -> dict[tuple[int, int], int]:
    rest = one.total - one.done - one.plan
    if rest <= 0:
        return {}
    before = share_at(one, curve, YEAR_END) if one.start <= YEAR_END else 0.0
    values = {}
    if before >= 1:
        return {(LATER_YEARS[0], 1): rest}
    booked = 0
    for year in LATER_YEARS:
        for quarter in range(1, 5):
            day = datetime.date(year, 3 * quarter, 28)
            share = (share_at(one, curve, day) - before) / (1 - before)
            reached = int(rest * min(max(share, 0.0), 1.0)) if day >= one.start else 0
            values[year, quarter] = reached - booked
            booked = reached
    return {key: value for key, value in values.items() if value}


def bond_calendar() -> dict[int, float]:
    """Return the mean cumulative share of special bonds issued by the end of each month.

    Each year's published points are joined by straight lines, from 0 at the year's beginning
    to 1 at its end; the years are then averaged.
    """
    years: dict[str, list[tuple[int, float]]] = {}
    for row in read_rows(FOLDER / "bond_issues.csv"):
        point = int(row["through_month"]), float(row["share_of_year"])
        years.setdefault(row["year"], [(0, 0.0)]).append(point)
    tables = [_interpolated([*points, (12, 1.0)]) for points in years.values()]
    return {
        month: round(sum(table[month] for table in tables) / len(tables), 4)
        for month in range(1, 13)
    }


def _interpolated(points: list[tuple[int, float]]) -> dict[int, float]:
    table = {}
    for (left, low), (right, high) in pairwise(points):
        for month in range(left + 1, right + 1):
            table[month] = low + (high - low) * (month - left) / (right - left)
    return table


def account_rows(
    found: Mapping[Key, Demand], counties: Mapping[str, Mapping[str, str]], texts: Mapping[str, Any]
) -> list[list[str]]:
    """Return the rows of accounts.csv, by class and county."""
    rows = []
    for name in CLASSES:
        for place in counties:
            demand = found.get((name, place))
            if demand is None:
                continue
            budget = demand.needed()
            opening = int(budget * OPENING.get(name, 0.0))
            title = counties[place]["name"] + str(texts["classes"][name])
            basis = f"estimated: budget = 1.1 x sum(annual plan x funding share) = {budget}"
            if name in OPENING:
                basis += f"; opening = {OPENING[name]:g} x budget, included in it"
            if name == "own":
                basis += "; each enterprise's own money, not a shared purse: no releases"
            rows.append(
                [
                    account_id(name, place),
                    title,
                    name,
                    place,
                    str(opening),
                    str(budget),
                    "pro_rata" if name in ("loan", "own") else "tier",
                    "lapse" if name == "general_budget" else "carry",
                    "yes" if name in EQUITY else "no",
                    "estimated",
                    basis,
                ]
            )
    return rows


def account_id(name: str, place: str) -> str:
    """Return the id of an account."""
    return name if name in ("loan", "own") else f"{name}_{place}"


def release_rows(found: Mapping[Key, Demand], projects: list[Project]) -> list[list[str]]:
    """Return the rows of releases.csv: monthly in the year, quarterly after it."""
    profiles: dict[str, list[float]] = {}
    for row in read_rows(FOLDER / "profiles.csv"):
        profiles.setdefault(row["class"], []).append(float(row["share"]))
    rows: list[list[str]] = []
    for (name, place), demand in sorted(found.items()):
        if name in profiles:
            budget = demand.needed()
            year = budget - int(budget * OPENING.get(name, 0.0))
            parts = largest_remainder(year, profiles[name])
            for month, amount in enumerate(parts, start=1):
                day, batch = datetime.date(2021, month, 12), f"2021-{month:02d}"
                rows.append(_release(account_id(name, place), batch, day, day, amount))
    rows.extend(_bond_batches(found, {one.id: one for one in projects}))
    for (name, place), demand in sorted(found.items()):
        if name == "own":
            continue
        for (year, quarter), value in sorted(demand.later.items()):
            amount = int(COVERAGE * value)
            issued = datetime.date(year, *QUARTER_DAYS[quarter - 1])
            # Bond money is usable some weeks after issue, as in the year's batches.
            wait = LATER_BOND_WAIT if name == "special_bond" else 0
            available = issued + datetime.timedelta(days=wait)
            if amount:
                batch = f"{year}-Q{quarter}"
                rows.append(_release(account_id(name, place), batch, issued, available, amount))
    return rows


def _bond_batches(found: Mapping[Key, Demand], by_id: Mapping[str, Project]) -> list[list[str]]:
    """Fill the batches one after another, earlier starts first, so that each has its share."""
    calendar = bond_calendar()
    wanted: list[tuple[float, str, str, int]] = []
    for (name, place), demand in found.items():
        if name != "special_bond":
            continue
        budget = demand.needed()
        year = budget - int(budget * OPENING[name])
        ids = sorted(one for one, value in demand.year.items() if value > 0)
        parts = largest_remainder(year, [float(demand.year[one]) for one in ids])
        for one, amount in zip(ids, parts, strict=True):
            start = max((by_id[one].start - YEAR_END).days + 365, 0)
            wanted.append((start + 240 * draw(one, "bond_order"), one, place, amount))
    wanted.sort()
    total = sum(amount for _, _, _, amount in wanted)
    edges = [0.0, *(calendar[month] for month, _, _ in BATCHES[:-1]), 1.0]
    shares = [high - low for low, high in pairwise(edges)]
    sizes = largest_remainder(total, shares)
    rows = []
    batch, room = 0, sizes[0]
    for _, one, place, amount in wanted:
        while amount:
            part = min(amount, room)
            month, day, wait = BATCHES[batch]
            issued = datetime.date(2021, month, day)
            available = issued + datetime.timedelta(days=wait)
            if part:
                account = account_id("special_bond", place)
                label = f"2021-B{batch + 1}"
                rows.append(_release(account, label, issued, available, part, one))
            amount -= part
            room -= part
            if not room and batch + 1 < len(BATCHES):
                batch += 1
                room = sizes[batch]
    return sorted(rows, key=lambda row: (row[1], row[5], row[0]))


def _release(
    account: str,
    batch: str,
    issued: datetime.date,
    available: datetime.date,
    amount: int,
    project: str = "",
) -> list[str]:
    basis = "estimated: 1.1 x demand x calendar"
    if project:
        basis = "estimated: 1.1 x demand, less opening; mean issue calendar 2018-2020"
    return [
        account,
        batch,
        issued.isoformat(),
        available.isoformat(),
        str(amount),
        project,
        "estimated",
        basis,
    ]
