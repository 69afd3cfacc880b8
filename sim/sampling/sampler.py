"""Which draws a portfolio needs: prepared once, before any replication."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sim.plan.approvals import GateChain
from sim.plan.portfolio import Portfolio
from sim.plan.problems import InputError, Problem
from sim.plan.rows import Driver
from sim.sampling import register
from sim.sampling.calendars import CalendarModel, calendar_model
from sim.sampling.dependence import (
    GivenCorrelation,
    Loadings,
    given_correlation,
    one_factor_loadings,
)
from sim.sampling.frame import build_frame, count_workdays, cumulative
from sim.sampling.realization import Frame, Ints

MULTIPLYING = ("duration", "cost")
ADDING = ("intent", "report")
ACTIVE_ROOMS = (*MULTIPLYING, *ADDING, "calendar")
"""What drivers can act on in this version; the money rooms come with the full model."""


@dataclass(frozen=True, slots=True)
class Sampler:
    """Everything that drawing needs, prepared once.

    Attributes
    ----------
    seed : int
        Root seed.
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
        Drivers that are switched on and act on a room that exists.
    groups : dict of str to slice
        Where each group of draws stands in `addresses`.
    addresses : ndarray of uint64
        Addresses of all draws of a replication.
    workdays : ndarray of int64, shape (days + 1,)
        Working days before each day.
    planned_calendar : ndarray of int64, shape (C, days + 1)
        Cumulative planned availability from day 0.
    """

    seed: int
    portfolio: Portfolio
    frame: Frame
    chains: tuple[tuple[int, GateChain], ...]
    loadings: Loadings
    given: dict[str, GivenCorrelation | None]
    calendar: CalendarModel | None
    drivers: tuple[Driver, ...]
    groups: dict[str, slice]
    addresses: NDArray[np.uint64]
    workdays: Ints
    planned_calendar: Ints

    def switched_on(self, name: str) -> bool:
        """Tell whether one of the built-in uncertainties is on."""
        return self.portfolio.plan.states[name] != "off"


def build_sampler(portfolio: Portfolio, seed: int) -> Sampler:
    """Prepare the drawing of realizations.

    Parameters
    ----------
    portfolio : Portfolio
        The plan and its baseline.
    seed : int
        Root seed.

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
    drivers = tuple(
        driver
        for driver in plan.drivers
        if driver.state != "off" and driver.acts_on in ACTIVE_ROOMS
    )
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
        )
        for variable in (register.DURATION, register.COST)
    }
    chains = tuple((i, chain) for i, chain in enumerate(portfolio.chains) if chain is not None)
    labels = list(_labels(portfolio, chains, loadings, calendar, drivers))
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
    planned = portfolio.availability[:, -portfolio.first_day :][:, : portfolio.days]
    return Sampler(
        seed=seed,
        portfolio=portfolio,
        frame=build_frame(portfolio, chains),
        chains=chains,
        loadings=loadings,
        given=given,
        calendar=calendar,
        drivers=drivers,
        groups=groups,
        addresses=addresses,
        workdays=count_workdays(portfolio) if chains else np.arange(portfolio.days + 1),
        planned_calendar=cumulative(planned),
    )


def _labels(
    portfolio: Portfolio,
    chains: Sequence[tuple[int, GateChain]],
    loadings: Loadings,
    calendar: CalendarModel | None,
    drivers: Sequence[Driver],
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
            (subject, register.DRIVER, 0)
            for driver in drivers
            if driver.acts_on != "calendar"
            for subject in subjects(portfolio, driver)
        ],
    )
    stops = calendar.stops if calendar is not None else ()
    yield "calendar", [label for stop in stops for label in stop.labels]


def subjects(portfolio: Portfolio, driver: Driver) -> list[str]:
    """Return the subjects of a driver's draws: itself, or itself in each county."""
    if driver.scope == "city":
        return [driver.name]
    return [f"{driver.name}/{county}" for county in _counties(portfolio)]


def _counties(portfolio: Portfolio) -> list[str]:
    return sorted({one.county for one in portfolio.plan.projects})
