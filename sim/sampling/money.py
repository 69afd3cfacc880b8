"""What shared causes do to money: releases later or smaller, owners short of their own funds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from sim.plan.curves import PPM
from sim.plan.portfolio import Portfolio
from sim.plan.rows import Account, Driver
from sim.sampling.accounts import Purses
from sim.sampling.realization import Ints
from sim.sampling.rounding import whole

Floats = NDArray[np.float64]
CLASSES = ("general_budget", "fund_budget", "special_bond", "grant", "loan")
"""Rooms in which a driver multiplies the releases of one class of accounts."""
COVERAGE, BOND_DELAY, OWN = "coverage", "bond_delay", "own"
ACCOUNT_ROOMS = (*CLASSES, COVERAGE, BOND_DELAY)
_MOST_YUAN = 9 * 10**12


def years_of(portfolio: Portfolio) -> range:
    """Return the years that money is drawn for: each has its own luck."""
    return range(portfolio.plan.plan_year, portfolio.plan.horizon.year + 1)


def acts_on_account(driver: Driver, account: Account) -> bool:
    """Tell whether a driver moves the releases of an account."""
    if driver.acts_on == COVERAGE:
        return account.provenance == "estimated"
    if driver.acts_on == BOND_DELAY:
        return account.class_ == "special_bond"
    return account.class_ == driver.acts_on


def exposure_of(driver: Driver, account: Account) -> float:
    """Return how strongly a driver acts on an account: by its county, or by its level."""
    level = "city" if account.county in ("city", "") else "county"
    return driver.exposure.of(account.county if driver.exposure.by == "county" else level)


def realized_releases(
    portfolio: Portfolio,
    purses: Purses,
    drivers: Sequence[Driver],
    drawn: Mapping[tuple[str, int], Floats],
    count: int,
) -> tuple[Ints, Ints]:
    """Work out when each release is received, and how much of it.

    Parameters
    ----------
    portfolio, purses
        The plan, its accounts and releases.
    drivers : sequence of Driver
        Those that act on accounts.
    drawn : mapping of (subject, index of the year) to ndarray of float64, shape (R,)
        What they drew.
    count : int
        Number of replications R.

    Returns
    -------
    day, amount : ndarray of int64, shape (R, number of releases)
        Days, not before day 0; yuan.
    """
    shape = (count, len(purses.releases))
    factor, delay = np.ones(shape), np.full(shape, float(portfolio.plan.levers.bond_delay_days))
    accounts = {one.id: one for one in purses.accounts}
    planned = np.zeros(shape[1], dtype=np.int64)
    filed = np.zeros(shape[1])
    first = years_of(portfolio).start
    for r, release in enumerate(purses.releases):
        account = accounts[release.account]
        planned[r], filed[r] = (release.available - portfolio.origin).days, release.amount
        if account.class_ != "special_bond":
            delay[:, r] = 0
        year = min(max(release.available.year - first, 0), len(years_of(portfolio)) - 1)
        for driver in drivers:
            if not acts_on_account(driver, account):
                continue
            subject = driver.name
            if driver.scope == "county":
                subject = f"{driver.name}/{account.county or 'city'}"
            values, strength = drawn[subject, year], exposure_of(driver, account)
            if driver.acts_on == BOND_DELAY:
                delay[:, r] += values * strength
            else:
                factor[:, r] *= values**strength
    day = np.maximum(planned + np.rint(delay).astype(np.int64), 0)
    return day, whole(filed * factor, _MOST_YUAN, "releases")


def own_share(effect: Floats) -> Ints:
    """Return what owners can pay at once of what falls due on their own funds, ppm."""
    return np.clip(np.rint(effect * PPM), 0, PPM).astype(np.int64)
