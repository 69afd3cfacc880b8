"""What shared causes do to money: releases later or smaller, owners short of their own funds."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sim.plan.portfolio import Portfolio
from sim.plan.rows import Account, Driver

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
