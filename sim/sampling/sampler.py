"""Which draws a portfolio needs: prepared once, before any replication."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sim.plan.approvals import GateChain
from sim.plan.configuration import Sampling
from sim.plan.portfolio import Portfolio
from sim.plan.problems import InputError, Problem
from sim.plan.rows import EVERY_RISK, Driver
from sim.sampling import register
from sim.sampling.accounts import Purses, lay_out_accounts
from sim.sampling.calendars import CalendarModel, calendar_model
from sim.sampling.dependence import (
    GivenCorrelation,
    Loadings,
    given_correlation,
    one_factor_loadings,
)
from sim.sampling.frame import build_frame, count_workdays, cumulative
from sim.sampling.money import ACCOUNT_ROOMS, years_of
from sim.sampling.realization import Frame, Ints
from sim.sampling.repair import Repair
from sim.sampling.risks import RiskModel, risk_model
from sim.sampling.ties import TiedDrivers, tied_drivers

MULTIPLYING = ("duration", "cost", "land", "own")
ADDING = ("intent", "report")
"""Rooms in which drivers act on projects; beside them stand the calendar and the accounts."""


@dataclass(frozen=True, slots=True, eq=False)
class Sampler:
    """Everything that drawing needs, prepared once; each is itself only.

    Attributes
    ----------
    seed : int
        Root seed.
    sampling : str
        Where shared draws come from: `quasi` for scrambled Sobol points, `plain` for the generator.
    portfolio : Portfolio
        The plan and its baseline.
    frame : Frame
        What engines get beside each realization.
    chains : tuple of (int, GateChain)
        Projects with open gates, by position.
    loadings : Loadings
        Common factors of the normal scores.
    given : dict of str to GivenCorrelation or None
        Matrices that replace the factors, by variable.
    calendar : CalendarModel or None
        None where the planned calendar is what happens.
    drivers : tuple of Driver
        Drivers that are switched on.
    ties : tuple of TiedDrivers
        Groups of correlated drivers; none where dependence is switched off. Of one that is
        switched off the uniform is drawn all the same, so that the others keep their luck.
    purses : Purses
        Accounts, releases and bond clocks.
    risks : RiskModel or None
        None where no risk can strike.
    groups : dict of str to slice
        Where each group of draws stands in `addresses`.
    addresses : ndarray of uint64
        Addresses of all draws of a replication.
    workdays : ndarray of int64, shape (days + 1,)
        Working days before each day.
    planned_calendar : ndarray of int64, shape (C, days + 1)
        Cumulative planned availability from day 0.
    planned_losses : ndarray of int64, shape (K, C, days + 1)
        The same of what each cause takes.
    """

    seed: int
    sampling: Sampling
    portfolio: Portfolio
    frame: Frame
    chains: tuple[tuple[int, GateChain], ...]
    loadings: Loadings
    given: dict[str, GivenCorrelation | None]
    calendar: CalendarModel | None
    drivers: tuple[Driver, ...]
    ties: tuple[TiedDrivers, ...]
    purses: Purses
    risks: RiskModel | None
    groups: dict[str, slice]
    addresses: NDArray[np.uint64]
    workdays: Ints
    planned_calendar: Ints
    planned_losses: Ints

    def switched_on(self, name: str) -> bool:
        """Tell whether one of the built-in uncertainties is on."""
        return self.portfolio.plan.states[name] != "off"

    @property
    def repairs(self) -> tuple[Repair, ...]:
        """What was changed in given correlations that are in force and contradicted each other."""
        given = [one.repair for one in self.given.values() if one is not None]
        found = filter(None, [*given, *(one.repair for one in self.ties)])
        return tuple(found) if self.switched_on("dependence") else ()


def build_sampler(portfolio: Portfolio, seed: int, sampling: Sampling = "plain") -> Sampler:
    """Prepare the drawing of realizations.

    Parameters
    ----------
    portfolio : Portfolio
        The plan and its baseline.
    seed : int
        Root seed.
    sampling : str
        `quasi` or `plain`; see `Sampler`.

    Returns
    -------
    Sampler
        To be passed to `draw`.

    Raises
    ------
    InputError
        If addresses collide, or correlations contradict each other.
    """
    plan = portfolio.plan
    drivers = tuple(driver for driver in plan.drivers if driver.state != "off")
    calendar = calendar_model(portfolio, [one for one in drivers if one.acts_on == "calendar"])
    position = {one.id: i for i, one in enumerate(plan.projects)}
    correlated = {
        name
        for row in plan.correlations
        if row.variable == register.DURATION
        for name in (row.project_a, row.project_b)
    }
    loadings = one_factor_loadings(plan.projects, plan.dependence, correlated)
    given = {
        variable: given_correlation(
            plan.correlations,
            variable,
            position,
            {one.id: getattr(one, variable) for one in plan.projects},
            plan.dependence.repair,
        )
        for variable in (register.DURATION, register.COST)
    }
    ties = tied_drivers(plan.dependence)
    if plan.states["dependence"] == "off":
        ties = ()
    chains = tuple((i, chain) for i, chain in enumerate(portfolio.chains) if chain is not None)
    risks = None
    if plan.states["risks"] != "off":
        named = frozenset(plan.levers.mitigate)
        everyone = frozenset(one.id for one in plan.risks)
        risks = risk_model(portfolio, chains, everyone if EVERY_RISK in named else named)
    labels = list(_labels(portfolio, chains, loadings, calendar, drivers, ties, risks))
    groups: dict[str, slice] = {}
    flat: list[register.Label] = []
    for name, members in labels:
        groups[name] = slice(len(flat), len(flat) + len(members))
        flat.extend(members)
    addresses = register.addresses(flat)
    collisions = register.find_collisions(flat, addresses)
    if collisions:
        raise InputError(
            Problem("duplicate_address", "projects.csv", None, "id", first,
                    {"first": first, "second": second})
            for first, second in collisions
        )  # fmt: skip
    limited = bool(plan.accounts) and plan.states["money"] != "off"
    purses = lay_out_accounts(portfolio, limited)
    planned = portfolio.availability[:, -portfolio.first_day :][:, : portfolio.days]
    losses = portfolio.losses[:, :, -portfolio.first_day :][:, :, : portfolio.days]
    return Sampler(
        seed=seed,
        sampling=sampling,
        portfolio=portfolio,
        frame=build_frame(portfolio, chains, purses.arrays),
        chains=chains,
        loadings=loadings,
        given=given,
        calendar=calendar,
        drivers=drivers,
        ties=ties,
        purses=purses,
        risks=risks,
        groups=groups,
        addresses=addresses,
        workdays=count_workdays(portfolio) if chains else np.arange(portfolio.days + 1),
        planned_calendar=cumulative(planned),
        planned_losses=cumulative(losses),
    )


def _labels(
    portfolio: Portfolio,
    chains: Sequence[tuple[int, GateChain]],
    loadings: Loadings,
    calendar: CalendarModel | None,
    drivers: Sequence[Driver],
    ties: Sequence[TiedDrivers],
    risks: RiskModel | None,
) -> Iterator[tuple[str, list[register.Label]]]:
    ids = [one.id for one in portfolio.plan.projects]
    for variable in (
        register.SLIP,
        register.NO_START,
        register.NO_START_DELAY,
        register.DURATION,
        register.COST,
        register.ACCEPTANCE,
    ):
        yield variable, [(name, variable, 0) for name in ids]
    gates = [f"{ids[i]}/{gate}" for i, chain in chains for gate in chain.gates]
    for variable in (register.GATE_PREPARATION, register.GATE_REVIEW, register.GATE_ELAPSED):
        yield variable, [(name, variable, 0) for name in gates]
    yield register.FACTOR, [(name, register.FACTOR, 0) for name in loadings.factors]
    yield (
        register.DRIVER,
        [
            (subject, register.DRIVER, index)
            for driver in drivers
            if driver.acts_on != "calendar"
            for subject, index in subjects(portfolio, driver)
        ],
    )
    yield (
        register.DRIVER_EACH,
        [
            (f"{driver.name}/{name}", register.DRIVER_EACH, 0)
            for driver in drivers
            if driver.each is not None
            for name in ids
        ],
    )
    yield "ties", [label for one in ties for label in one.labels]
    stops = calendar.stops if calendar is not None else ()
    yield "calendar", [label for stop in stops for label in stop.labels]
    yield "risks", list(risks.labels) if risks is not None else []


def subjects(portfolio: Portfolio, driver: Driver) -> list[tuple[str, int]]:
    """Return subject and index of a driver's draws.

    The driver itself, or itself in each county; money has its own luck in each year.
    """
    names = [driver.name]
    if driver.scope == "county":
        names = [f"{driver.name}/{county}" for county in _counties(portfolio)]
    years = len(years_of(portfolio)) if driver.acts_on in ACCOUNT_ROOMS else 1
    return [(name, year) for name in names for year in range(years)]


def _counties(portfolio: Portfolio) -> list[str]:
    plan = portfolio.plan
    filed = {one.county for one in plan.projects}
    return sorted(filed | {one.county or "city" for one in plan.accounts})
