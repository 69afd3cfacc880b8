"""When releases are received, and how much of them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sim.jit import compiled
from sim.plan.rows import Account, Driver
from sim.sampling.money import (
    ACCOUNT_ROOMS,
    BOND_DELAY,
    acts_on_account,
    exposure_of,
    years_of,
)
from sim.sampling.normal import power
from sim.sampling.rounding import AMOUNT_LIMIT, Fault, fits, whole, whole_days
from sim.sampling.sampler import Sampler

Floats = NDArray[np.float64]

FILED = np.dtype([("day", np.int64), ("amount", np.float64), ("route", np.int64)], align=True)
"""A release as filed: day, yuan, and which drivers act on it."""


class Releases(NamedTuple):
    """Draws of releases. A route is what acts on releases of like accounts in a year.

    Attributes
    ----------
    rows : ndarray of FILED, shape (R,)
        Releases.
    base : ndarray of float64, shape (number of routes,)
        Days by which all releases of a route come later.
    first : ndarray of int64, shape (number of routes + 1,)
        Where the terms of each route begin.
    draw, strength, delays : ndarray of int64, float64 and bool
        Terms in order of drivers: the draw, the exposure, whether it adds days.
    """

    rows: NDArray[np.void]
    base: Floats
    first: NDArray[np.int64]
    draw: NDArray[np.int64]
    strength: Floats
    delays: NDArray[np.bool_]


def lay_out_releases(sampler: Sampler, draws: dict[tuple[str, int], int]) -> Releases:
    """Lay out releases.

    Parameters
    ----------
    sampler : Sampler
        Everything that drawing needs.
    draws : dict of (subject, index) to int
        Positions of the draws of drivers.
    """
    portfolio, purses = sampler.portfolio, sampler.purses
    acting = [one for one in sampler.drivers if one.acts_on in ACCOUNT_ROOMS]
    accounts = {one.id: one for one in purses.accounts}
    years = years_of(portfolio)
    routes: dict[tuple[float, tuple[tuple[int, float, bool], ...]], int] = {}
    rows = []
    for release in purses.releases:
        account = accounts[release.account]
        year = min(max(release.available.year - years.start, 0), len(years) - 1)
        terms = tuple(
            (draws[_subject(one, account), year], exposure_of(one, account),
             one.acts_on == BOND_DELAY)
            for one in acting
            if acts_on_account(one, account)
        )  # fmt: skip
        is_bond = account.class_ == "special_bond"
        base = float(portfolio.plan.levers.bond_delay_days) if is_bond else 0.0
        route = routes.setdefault((base, terms), len(routes))
        rows.append(((release.available - portfolio.origin).days, release.amount, route))
    flat = [term for _, terms in routes for term in terms]
    counts = [len(terms) for _, terms in routes]
    return Releases(
        rows=np.array(rows, dtype=FILED),
        base=np.array([base for base, _ in routes], np.float64),
        first=np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
        draw=np.array([draw for draw, _, _ in flat], np.int64),
        strength=np.array([strength for _, strength, _ in flat], np.float64),
        delays=np.array([delays for _, _, delays in flat], np.bool_),
    )


def _subject(driver: Driver, account: Account) -> str:
    return driver.name if driver.scope == "city" else f"{driver.name}/{account.county or 'city'}"


@compiled
def draw_releases(
    releases: Releases, drawn: Floats, factor: Floats, delay: Floats, out: NDArray[np.void]
) -> int:
    """Work out when each release is received, and how much of it.

    Parameters
    ----------
    releases : Releases
        As filed.
    drawn : ndarray of float64
        What drivers drew.
    factor, delay : ndarray of float64, shape (number of routes,)
        Room.
    out : ndarray of RELEASE, shape (R,)
        Filled; no day is before day 0.

    Returns
    -------
    int
        A `Fault`.
    """
    first, draw, strength, delays = (
        releases.first, releases.draw, releases.strength, releases.delays,
    )  # fmt: skip
    for route in range(len(releases.base)):
        product, days = 1.0, releases.base[route]
        for k in range(first[route], first[route + 1]):
            if delays[k]:
                days += drawn[draw[k]] * strength[k]
            else:
                product *= power(drawn[draw[k]], strength[k])
        factor[route], delay[route] = product, days
    rows = releases.rows
    for r in range(len(rows)):
        amount = rows[r]["amount"] * factor[rows[r]["route"]]
        if not fits(amount, AMOUNT_LIMIT):
            return Fault.RELEASES.value
        out[r]["day"] = max(rows[r]["day"] + whole_days(delay[rows[r]["route"]]), 0)
        out[r]["amount"] = whole(amount)
    return Fault.NONE.value
