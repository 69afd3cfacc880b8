"""Projects as kernels read them: what is planned, and what is drawn of each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sim.plan.curves import PPM
from sim.plan.language import Distribution
from sim.plan.portfolio import Portfolio
from sim.plan.tables import YUAN_PER_UNIT
from sim.sampling import register
from sim.sampling.dependence import GivenCorrelation
from sim.sampling.frame import cumulative
from sim.sampling.inverses import Draws, Inverses
from sim.sampling.sampler import Sampler

Floats = NDArray[np.float64]
Addresses = NDArray[np.uint64]

_ONE = Distribution("fixed", (1.0,))

PROJECT = np.dtype(
    [
        ("work", np.int64),
        ("work_to_year_end", np.int64),
        ("done", np.int64),
        ("left", np.float64),
        ("knot_share", np.float64),
        ("knot_place", np.float64),
        ("mitigation", np.float64),
        ("year_end_value", np.int64),
        ("slip", np.int64),
        ("advance", np.int64),
        ("first_year", np.int64),
        ("unit", np.float64),
        ("calendar", np.int64),
        ("start", np.int64),
        ("in_days", np.bool_),
        ("in_amounts", np.bool_),
        ("later", np.bool_),
        ("ends_in_year", np.bool_),
        ("finished", np.bool_),
    ],
    align=True,
)
"""A project as planned: milli-days of work left, and of it up to the year-end knot; yuan done and
left; shares of the money and of the work left that lie before the knot; yuan of mitigation and at
the year's end; days of slip that a decision brings; shares (ppm) of what is intended that are
claimed at the start and fall into the first year; yuan of a unit of amounts; calendar class and
planned start. Flags: days or amounts replace the whole; it starts after the plan year; it is to
end in it; finished."""

WAITING = np.dtype(
    [
        ("project", np.int64),
        ("missed_at", np.uint64),
        ("delay_at", np.uint64),
        ("no_start", np.float64),
        ("to_next_year", np.int64),
    ],
    align=True,
)
"""A project that has not begun: addresses and probability of a start that the year does not see,
and days from its planned start to the next year."""


class Projects(NamedTuple):
    """Draws of projects; P projects, W waiting, L loadings, Q given scores.

    Attributes
    ----------
    rows : ndarray of PROJECT, shape (P,)
        In order of rank.
    waiting : ndarray of WAITING, shape (W,)
        Those whose start slips by chance.
    slip_law, slip_at : ndarray of int64 and uint64, shape (W,)
        Distributions and addresses; likewise below.
    acceptance_law, acceptance_at : shape (P,)
        Days from finish to delivery.
    durations, costs : Draws
        Multipliers, days or amounts, by normal score.
    duration_at, cost_at : ndarray of uint64, shape (P,)
        Addresses of the scores.
    own, rho, rho_rest : ndarray of float64, shape (P,)
        Loading on the own score; of the cost score on that of the duration, and on its own.
    load_first : ndarray of int64, shape (P + 1,)
        Where the loadings of each project begin.
    load_factor, load : ndarray of int64 and float64, shape (L,)
        Common factors and loadings on them, in order of factors.
    given_project : ndarray of int64, shape (Q,)
        Projects whose scores follow a given matrix, those of durations first.
    given_first : ndarray of int64, shape (3,)
        Where durations and costs begin, and the end.
    given : ndarray of float64, shape (Q, Q)
        Rows of the lower triangles, each from its first column.
    availability : ndarray of int64, shape (C, days of the portfolio + 1)
        Milli-days before each day, from `first_day`; not filled where no project is in days.
    first_day : int
        Day of its first column.
    """

    rows: NDArray[np.void]
    waiting: NDArray[np.void]
    slip_law: NDArray[np.int64]
    slip_at: Addresses
    acceptance_law: NDArray[np.int64]
    acceptance_at: Addresses
    durations: Draws
    duration_at: Addresses
    costs: Draws
    cost_at: Addresses
    own: Floats
    rho: Floats
    rho_rest: Floats
    load_first: NDArray[np.int64]
    load_factor: NDArray[np.int64]
    load: Floats
    given_project: NDArray[np.int64]
    given_first: NDArray[np.int64]
    given: Floats
    availability: NDArray[np.int64]
    first_day: int


def knot_places(portfolio: Portfolio) -> Floats:
    """Return the share of each project's work left that is planned up to the year's end."""
    planned = np.maximum(portfolio.work_left, 1)
    return np.where(portfolio.work_left > 0, portfolio.work_to_year_end / planned, 1.0)


def lay_out_projects(sampler: Sampler, inverses: Inverses) -> Projects:
    """Lay out the draws of projects.

    Parameters
    ----------
    sampler : Sampler
        Everything that drawing needs.
    inverses : Inverses
        Takes their distributions.
    """
    portfolio = sampler.portfolio
    projects, kinds = portfolio.plan.projects, [portfolio.type_of(i) for i in range(portfolio.size)]
    in_days = np.array([one.duration.unit == "days" for one in projects], np.bool_)
    mixed = sampler.switched_on("dependence")
    rho = np.array([one.duration_cost_correlation if mixed else 0.0 for one in kinds])
    common = sampler.loadings.common if mixed else np.zeros((portfolio.size, 0))
    loaded, factor = np.nonzero(common)
    given = [sampler.given[name] if mixed else None for name in (register.DURATION, register.COST)]
    waiting = np.flatnonzero(~portfolio.begun & ~portfolio.finished)
    if not sampler.switched_on("slip"):
        waiting = waiting[:0]
    delivery = inverses.add if sampler.switched_on("acceptance") else inverses.add_median
    availability = np.zeros((1, 1), np.int64)
    if in_days.any():
        availability = cumulative(portfolio.availability)

    def addresses(variable: str) -> Addresses:
        return sampler.addresses[sampler.groups[variable]]

    return Projects(
        rows=_project_rows(sampler, in_days),
        waiting=_waiting_rows(sampler, waiting),
        slip_law=np.array([inverses.add(kinds[i].slip) for i in waiting.tolist()], np.int64),
        slip_at=addresses(register.SLIP)[waiting],
        acceptance_law=np.array([delivery(one.acceptance_days) for one in kinds], np.int64),
        acceptance_at=addresses(register.ACCEPTANCE),
        durations=_laws(
            sampler, inverses, register.DURATION, [one.duration for one in projects], "days"
        ),
        duration_at=addresses(register.DURATION),
        costs=_laws(sampler, inverses, register.COST, [one.cost for one in projects], "amount"),
        cost_at=addresses(register.COST),
        own=sampler.loadings.own if mixed else np.ones(portfolio.size),
        rho=rho,
        rho_rest=np.sqrt(1 - rho**2),
        load_first=np.searchsorted(loaded, np.arange(portfolio.size + 1)).astype(np.int64),
        load_factor=factor.astype(np.int64),
        load=common[loaded, factor],
        availability=availability,
        first_day=portfolio.first_day,
        **_given_rows(given),
    )


def _laws(
    sampler: Sampler,
    inverses: Inverses,
    name: str,
    distributions: Sequence[Distribution],
    unit: str,
) -> Draws:
    """Return distributions; switched off, a multiplier is one and what replaces its median."""
    if sampler.switched_on(name):
        rows = [inverses.add(one) for one in distributions]
    else:
        rows = [
            inverses.add_median(one) if one.unit == unit else inverses.add(_ONE)
            for one in distributions
        ]
    return inverses.draws(rows)


def _project_rows(sampler: Sampler, in_days: NDArray[np.bool_]) -> NDArray[np.void]:
    portfolio = sampler.portfolio
    plan = portfolio.plan
    left = (portfolio.total - portfolio.done).astype(np.float64)
    filed = (portfolio.year_end_value - portfolio.done).astype(np.float64)
    waiting = ~portfolio.begun & ~portfolio.finished
    held = portfolio.postponed & waiting
    days = portfolio.planned_finish - portfolio.baseline_start + 1
    claimed = [round(portfolio.type_of(i).advance * PPM) for i in range(portfolio.size)]
    rows = np.zeros(portfolio.size, PROJECT)
    rows["work"] = portfolio.work_left
    rows["work_to_year_end"] = portfolio.work_to_year_end
    rows["done"] = portfolio.done
    rows["left"] = left
    rows["knot_share"] = np.divide(filed, left, out=np.ones_like(filed), where=left > 0)
    rows["knot_place"] = knot_places(portfolio)
    rows["mitigation"] = 0 if sampler.risks is None else sampler.risks.mitigation_cost
    rows["year_end_value"] = portfolio.year_end_value
    late = portfolio.year_end_day + 1 - portfolio.decided_start
    rows["slip"] = np.where(held, np.maximum(late, 0), 0)
    rows["advance"] = np.where(waiting, np.array(claimed, np.int64), 0)
    rows["first_year"] = np.minimum(PPM * 365 // np.maximum(days, 1), PPM)
    rows["unit"] = YUAN_PER_UNIT[plan.amount_unit]
    rows["calendar"] = portfolio.class_of
    rows["start"] = portfolio.baseline_start
    rows["in_days"] = in_days
    rows["in_amounts"] = [one.cost.unit == "amount" for one in plan.projects]
    rows["later"] = portfolio.baseline_start > portfolio.year_end_day
    rows["ends_in_year"] = portfolio.planned_finish <= portfolio.year_end_day
    rows["finished"] = portfolio.finished
    return rows


def _waiting_rows(sampler: Sampler, waiting: NDArray[np.intp]) -> NDArray[np.void]:
    portfolio = sampler.portfolio
    to_next_year = portfolio.year_end_day + 1 - portfolio.decided_start[waiting]
    missing = [portfolio.type_of(i).no_start for i in waiting.tolist()]
    rows = np.zeros(len(waiting), WAITING)
    rows["project"] = waiting
    rows["missed_at"] = sampler.addresses[sampler.groups[register.NO_START]][waiting]
    rows["delay_at"] = sampler.addresses[sampler.groups[register.NO_START_DELAY]][waiting]
    rows["no_start"] = np.where(to_next_year > 0, missing, 0.0)
    rows["to_next_year"] = to_next_year
    return rows


def _given_rows(given: Sequence[GivenCorrelation | None]) -> dict[str, Any]:
    counts = [0 if one is None else len(one.columns) for one in given]
    first = np.concatenate([[0], np.cumsum(counts)])
    table = np.zeros((int(first[-1]), int(first[-1])))
    projects = np.zeros(int(first[-1]), np.int64)
    for one, begin, end in zip(given, first[:-1], first[1:], strict=True):
        if one is not None:
            projects[begin:end] = one.columns
            table[begin:end, : end - begin] = one.triangle
    return {"given_project": projects, "given_first": first.astype(np.int64), "given": table}
