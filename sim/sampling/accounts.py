"""Accounts, funding lines and bond clocks as engines read them."""

from __future__ import annotations

import datetime
import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from sim.plan.curves import PPM
from sim.plan.portfolio import Portfolio
from sim.plan.rows import Account, BondFloor, Plan, Release
from sim.sampling.realization import AccountRule, Accounts

TIERS = ("province", "city", "county")
"""In order of payment; anything else comes after."""
IDLE_MONTHS = (6, 12)
"""Months after issue at which the idle part of a bond release is reported."""
OWN, BOND = "own", "special_bond"


@dataclass(frozen=True, slots=True)
class BondCheck:
    """A look at a bond release so many months after its issue.

    Attributes
    ----------
    release : int
        Position of the release.
    months : int
        Months after issue.
    floor : BondFloor or None
        The floor that is checked; None for a report of idle money.
    """

    release: int
    months: int
    floor: BondFloor | None


@dataclass(frozen=True, slots=True)
class Purses:
    """Accounts with their names, beside the arrays that engines read.

    Attributes
    ----------
    accounts : tuple of Account
        In order of payment, equity and debt apart; empty where money is unlimited.
    releases : tuple of Release
        Likewise.
    checks : tuple of BondCheck
        Likewise.
    arrays : Accounts
        What engines read.
    """

    accounts: tuple[Account, ...]
    releases: tuple[Release, ...]
    checks: tuple[BondCheck, ...]
    arrays: Accounts


def lay_out_accounts(portfolio: Portfolio, limited: bool) -> Purses:
    """Lay out accounts, funding lines and bond clocks.

    Parameters
    ----------
    portfolio : Portfolio
        The plan and its baseline.
    limited : bool
        Whether money is limited; where not there are no accounts.
    """
    plan = portfolio.plan
    accounts = _accounts(plan) if limited else ()
    releases = plan.releases if limited else ()
    position = {one.id: k for k, one in enumerate(accounts)}
    places = {(one.class_, one.county): k for k, one in enumerate(accounts)}
    drawing = {release.account for release in releases}
    is_own = [one.class_ == OWN and one.id not in drawing and one.opening == 0 for one in accounts]
    debt = [one.equity == "no" for one in accounts]
    # Many projects of a county are funded alike.
    of = functools.cache(lambda funding, county: _lines(funding, county, position, places, debt))
    lines = [of(one.funding, one.county) if limited else [] for one in plan.projects]
    counts = np.array([len(mine) for mine in lines], dtype=np.int64)
    flat = [line for mine in lines for line in mine]
    equity = [
        max((share for account, share in mine if not debt[account]), default=0) for mine in lines
    ]
    checks = tuple(
        check
        for r, release in enumerate(releases)
        if accounts[position[release.account]].class_ == BOND
        for check in _checks(r, release, accounts[position[release.account]].county, plan)
    )
    project_of = {one.id: i for i, one in enumerate(plan.projects)}
    rule = plan.levers.payment_rule
    return Purses(
        accounts,
        releases,
        checks,
        Accounts(
            rule=np.array([AccountRule[(rule or one.rule).upper()] for one in accounts], np.int64),
            debt=np.array(debt, np.bool_),
            own=np.array(is_own, np.bool_),
            bond=np.array([one.class_ == BOND for one in accounts], np.bool_),
            lapses=np.array([one.year_end == "lapse" for one in accounts], np.bool_),
            opening=np.array([one.opening for one in accounts], np.int64),
            year_closes=np.array([_is_year_end(portfolio, d) for d in portfolio.month_ends]),
            tier=np.array([_tier(one.tier) for one in plan.projects], np.int64),
            line_first=np.concatenate([np.zeros(1, np.int64), np.cumsum(counts)]),
            line_account=np.array([account for account, _ in flat], np.int64),
            line_share=np.array([share for _, share in flat], np.int64),
            equity_share=np.array(equity, np.int64),
            release_account=np.array([position[one.account] for one in releases], np.int64),
            release_project=np.array(
                [project_of[one.project] if one.project else -1 for one in releases], np.int64
            ),
            check_release=np.array([one.release for one in checks], np.int64),
            check_after=np.array([_days_to(releases[one.release], one) for one in checks],
                                 np.int64),
            check_idle=np.array([one.floor is None and one.months == IDLE_MONTHS[0]
                                 for one in checks], np.bool_),
        ),
    )  # fmt: skip


def _accounts(plan: Plan) -> tuple[Account, ...]:
    """Return the accounts, bonds first, then by id; owners' own funds are one, filed or not."""
    accounts = plan.accounts
    if not any(one.class_ == OWN for one in accounts) and OWN not in {one.id for one in accounts}:
        path = Account(
            id=OWN, name="自有资金", class_=OWN, county="", opening=0, budget=0, rule="pro_rata",
            year_end="carry", equity="yes", provenance="", source="",
        )  # fmt: skip
        accounts = (*accounts, path)
    return tuple(sorted(accounts, key=lambda one: (one.class_ != BOND, one.id)))


def _lines(
    funding: Sequence[tuple[str, Fraction]],
    county: str,
    position: Mapping[str, int],
    places: Mapping[tuple[str, str], int],
    debt: Sequence[bool],
) -> list[tuple[int, int]]:
    """Return account and cumulative share (ppm) of each line, equity first."""
    shares: dict[int, Fraction] = {}
    for key, share in funding or ((OWN, Fraction(1)),):
        account = _account_for(key, county, position, places)
        # What leads to one account is one line: else two loans could each use the same room.
        shares[account] = shares.get(account, Fraction(0)) + share
    lines, reached = [], Fraction(0)
    for account in sorted(shares, key=lambda account: debt[account]):
        reached += shares[account]
        lines.append((account, round(reached * PPM)))
    return lines


def _account_for(
    key: str, county: str, position: Mapping[str, int], places: Mapping[tuple[str, str], int]
) -> int:
    """Find the account that a funding key means: itself, or its class in the county or the city."""
    if key in position:
        return position[key]
    return next(places[key, place] for place in (county, "city", "") if (key, place) in places)


def _tier(tier: str) -> int:
    return TIERS.index(tier) if tier in TIERS else len(TIERS)


def _is_year_end(portfolio: Portfolio, day: int) -> bool:
    date = portfolio.origin + datetime.timedelta(days=int(day))
    return (date.month, date.day) == (12, 31)


def _checks(position: int, release: Release, county: str, plan: Plan) -> list[BondCheck]:
    issued = release.issued or release.available
    checks = [BondCheck(position, months, None) for months in IDLE_MONTHS]
    for floor in plan.bond_floors:
        in_force = (
            floor.county in ("", county)
            and (floor.issued_from is None or floor.issued_from <= issued)
            and (floor.issued_to is None or issued <= floor.issued_to)
            and floor.smallest <= release.amount
        )
        if in_force:
            checks.append(BondCheck(position, floor.months, floor))
    return checks


def _days_to(release: Release, check: BondCheck) -> int:
    """Return the days from a release's availability to a check of its clock."""
    issued = release.issued or release.available
    return (months_later(issued, check.months) - release.available).days


def months_later(date: datetime.date, months: int) -> datetime.date:
    """Return the same day so many months later, the last of the month where there is none."""
    year, month = divmod(date.month - 1 + months, 12)
    first = datetime.date(date.year + year, month + 1, 1)
    following = (first + datetime.timedelta(days=31)).replace(day=1)
    last = (following - datetime.timedelta(days=1)).day
    return first.replace(day=min(date.day, last))
