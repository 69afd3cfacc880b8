"""Slips, durations, costs and what follows from them, project by project."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sim.jit import compiled
from sim.plan.curves import PPM
from sim.plan.language import Distribution
from sim.plan.portfolio import Portfolio
from sim.plan.tables import YUAN_PER_UNIT
from sim.sampling import register
from sim.sampling.dependence import GivenCorrelation
from sim.sampling.draw_shared import Room
from sim.sampling.frame import cumulative
from sim.sampling.inverses import Inverses, evaluate
from sim.sampling.normal import score_of
from sim.sampling.rounding import (
    AMOUNT_LIMIT,
    REPORT_LIMIT,
    WORK_LIMIT,
    Fault,
    fits,
    whole,
    whole_days,
)
from sim.sampling.sampler import Sampler
from sim.sampling.streams import fill_uniforms, uniform

Floats = NDArray[np.float64]
Addresses = NDArray[np.uint64]

_NO_START_SPREAD_DAYS = 180.0
"""A start that the year does not see happens in the first half of the next, uniformly."""
_ONE = Distribution("fixed", (1.0,))
_OUT_OF_THE_WORLD = 1e10
"""Days whose work is beyond `WORK_LIMIT`, and which fit an integer."""
_DURATION, _COST, _OWN = int(Room.DURATION), int(Room.COST), int(Room.OWN)
_INTENT, _REPORT = int(Room.INTENT), int(Room.REPORT)

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
        ("finished", np.bool_),
    ],
    align=True,
)
"""A project as planned: milli-days of work left, and of it up to the year-end knot; yuan done and
left; shares of the money and of the work left that lie before the knot; yuan of mitigation and at
the year's end; days of slip that a decision brings; shares (ppm) of what is intended that are
claimed at the start and fall into the first year; yuan of a unit of amounts; calendar class and
planned start. Flags: days or amounts replace the whole; it starts after the plan year; finished."""

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
    duration_law, duration_at, cost_law, cost_at : shape (P,)
        Multipliers, days or amounts, by normal score.
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
    duration_law: NDArray[np.int64]
    duration_at: Addresses
    cost_law: NDArray[np.int64]
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
        duration_law=_laws(
            sampler, inverses, register.DURATION, [one.duration for one in projects], "days"
        ),
        duration_at=addresses(register.DURATION),
        cost_law=_laws(sampler, inverses, register.COST, [one.cost for one in projects], "amount"),
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
) -> NDArray[np.int64]:
    """Return distributions; switched off, a multiplier is one and what replaces its median."""
    if sampler.switched_on(name):
        rows = [inverses.add(one) for one in distributions]
    else:
        rows = [
            inverses.add_median(one) if one.unit == unit else inverses.add(_ONE)
            for one in distributions
        ]
    return np.array(rows, np.int64)


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


def _given_rows(given: Sequence[GivenCorrelation | None]) -> dict[str, NDArray[np.generic]]:
    counts = [0 if one is None else len(one.columns) for one in given]
    first = np.concatenate([[0], np.cumsum(counts)])
    table = np.zeros((int(first[-1]), int(first[-1])))
    projects = np.zeros(int(first[-1]), np.int64)
    for one, begin, end in zip(given, first[:-1], first[1:], strict=True):
        if one is not None:
            projects[begin:end] = one.columns
            table[begin:end, : end - begin] = one.triangle
    return {"given_project": projects, "given_first": first.astype(np.int64), "given": table}


class ProjectRoom(NamedTuple):
    """Room for the draws of projects; P projects.

    Attributes
    ----------
    own, own_cost, duration, cost : ndarray of float64, shape (P,)
        Scores, then what is drawn from them.
    days : ndarray of float64, shape (P,)
        Slips, then days of acceptance.
    """

    own: Floats
    own_cost: Floats
    duration: Floats
    cost: Floats
    days: Floats


def project_room(projects: Projects) -> ProjectRoom:
    """Allocate room."""
    return ProjectRoom(*(np.zeros(len(projects.rows)) for _ in ProjectRoom._fields))


@compiled
def draw_starts(
    projects: Projects,
    laws: NDArray[np.void],
    numbers: Floats,
    seed: np.uint64,
    replication: np.uint64,
    room: ProjectRoom,
    drawn: NDArray[np.void],
) -> None:
    """Draw slips, missed starts and days of acceptance into `drawn`, of DRAWN."""
    rows, waiting, days = projects.rows, projects.waiting, room.days
    fill_uniforms(seed, replication, projects.acceptance_at, days)
    evaluate(laws, numbers, projects.acceptance_law, days, len(rows), False, days)
    for i in range(len(rows)):
        drawn[i]["acceptance"] = whole_days(days[i])
        drawn[i]["slip"] = rows[i]["slip"]
    fill_uniforms(seed, replication, projects.slip_at, days)
    evaluate(laws, numbers, projects.slip_law, days, len(waiting), False, days)
    for k in range(len(waiting)):
        one = waiting[k]
        slip = max(whole_days(days[k]), 0)
        # A start that the year does not see falls into the next, or later where the slip is longer.
        if one["no_start"] > 0.0:
            if uniform(seed, replication, one["missed_at"]) < one["no_start"]:
                share = uniform(seed, replication, one["delay_at"])
                delay = math.floor(share * _NO_START_SPREAD_DAYS)
                slip = max(slip, one["to_next_year"] + int(delay))
        i = one["project"]
        drawn[i]["slip"] = max(slip, drawn[i]["slip"])


@compiled
def draw_scores(
    projects: Projects,
    laws: NDArray[np.void],
    numbers: Floats,
    seed: np.uint64,
    replication: np.uint64,
    factors: Floats,
    room: ProjectRoom,
) -> None:
    """Draw durations and costs, correlated, into `room`.

    Terms are added in the order of factors, project by project, so that the outcome of one
    project depends on no other.

    Parameters
    ----------
    projects, laws, numbers, seed, replication, room
        What is drawn, how and where.
    factors : ndarray of float64
        Uniforms of the common factors.
    """
    own, own_cost, duration, cost = room.own, room.own_cost, room.duration, room.cost
    fill_uniforms(seed, replication, projects.duration_at, own)
    fill_uniforms(seed, replication, projects.cost_at, own_cost)
    first, factor, load = projects.load_first, projects.load_factor, projects.load
    own_loading = projects.own
    for i in range(len(own)):
        own[i] = score_of(own[i])
        mixed = own[i] * own_loading[i]
        for k in range(first[i], first[i + 1]):
            mixed += factors[factor[k]] * load[k]
        duration[i] = mixed
    _impose(projects.given_project, projects.given, 0, projects.given_first[1], own, duration)
    rho, rho_rest = projects.rho, projects.rho_rest
    for i in range(len(own)):
        own_cost[i] = score_of(own_cost[i])
        cost[i] = rho[i] * duration[i] + rho_rest[i] * own_cost[i]
    _impose(
        projects.given_project, projects.given, projects.given_first[1], projects.given_first[2],
        own_cost, cost,
    )  # fmt: skip
    evaluate(laws, numbers, projects.duration_law, duration, len(own), True, duration)
    evaluate(laws, numbers, projects.cost_law, cost, len(own), True, cost)


@compiled
def _impose(
    members: NDArray[np.int64], triangle: Floats, first: int, end: int, own: Floats, scores: Floats
) -> None:
    """Mix the scores of projects anew from their own ones by a given triangle."""
    for row in range(first, end):
        mixed = 0.0
        for k in range(row - first + 1):
            mixed += triangle[row, k] * own[members[first + k]]
        scores[members[row]] = mixed


@compiled
def draw_work_and_money(
    projects: Projects,
    effects: Floats,
    room: ProjectRoom,
    saved: NDArray[np.int64],
    more: Floats,
    sooner: Floats,
    drawn: NDArray[np.void],
) -> int:
    """Turn durations and costs into milli-days and yuan.

    Parameters
    ----------
    projects : Projects
        As planned.
    effects : ndarray of float64, shape (6, P)
        Joint effect of drivers, by `Room`.
    room : ProjectRoom
        Durations and costs.
    saved : ndarray of int64, shape (P,)
        Milli-days that opportunities take off the work.
    more, sooner : ndarray of float64, shape (P,)
        What risks add to the cost left in all, and up to the year-end knot, as multiples of it.
    drawn : ndarray of DRAWN, shape (P,)
        Filled.

    Returns
    -------
    int
        A `Fault`.
    """
    rows, availability, first_day = projects.rows, projects.availability, projects.first_day
    duration, cost = room.duration, room.cost
    for i in range(len(rows)):
        one, out = rows[i], drawn[i]
        if one["in_days"]:
            days = int(np.rint(min(max(duration[i], 0.0), _OUT_OF_THE_WORLD)))
            start, length = one["start"], availability.shape[1] - 1
            begin = max(start, 0)
            end = max(start + days, begin) - first_day
            begin -= first_day
            # Beyond the table every day is a full one.
            inside, known = min(end, length), min(begin, length)
            planned = (
                availability[one["calendar"], inside]
                - availability[one["calendar"], known]
                + 1000 * ((end - inside) - (begin - known))
            )
            value = float(planned) * effects[_DURATION, i]
        else:
            value = float(one["work"]) * duration[i] * effects[_DURATION, i]
        if not fits(value, WORK_LIMIT):
            return Fault.WORK.value
        work = whole(value)
        less = min(saved[i], work)
        work -= less
        whole_work = max(one["work"], 1)
        to_knot = one["work_to_year_end"]
        out["work"] = work
        out["work_saved"] = less
        # Quotient and remainder apart, so that no product leaves 64 bits.
        out["first_work"] = (
            work // whole_work * to_knot + work % whole_work * to_knot // whole_work
        )

        done = one["done"]
        if one["in_amounts"]:
            rest = max(cost[i] * one["unit"] - float(done), 0.0) * effects[_COST, i]
        else:
            rest = one["left"] * cost[i] * effects[_COST, i]
        # Mitigation is spent in step with the work.
        in_year = rest * (one["knot_share"] + sooner[i]) + one["mitigation"] * one["knot_place"]
        rest = rest * (1.0 + more[i]) + one["mitigation"]
        # Written so that what is not a number stays it.
        if rest < 0.0:
            rest = 0.0
        if in_year < 0.0:
            in_year = 0.0
        if not fits(rest, AMOUNT_LIMIT):
            return Fault.COST.value
        raised = in_year * (1.0 + effects[_INTENT, i])
        if not fits(raised, AMOUNT_LIMIT):
            return Fault.INTENT.value
        total, knot = done + whole(rest), done + whole(raised)
        if one["later"]:
            # Pre-work spending is what was filed: neither growth nor intent of the construction.
            total, knot = max(total, one["year_end_value"]), one["year_end_value"]
        else:
            knot = min(knot, total)
        if one["finished"]:
            total, knot = done, done
        knot = max(knot, done)
        out["year_end_value"] = knot
        out["total"] = total
        intended = (total - knot) * one["first_year"] // PPM if one["later"] else knot - done
        out["advance"] = intended * one["advance"] // PPM

        # A report may fall short of the work, but not below nothing: 1 + overstatement >= 0.
        report = (1.0 + effects[_REPORT, i]) * PPM
        if not fits(report, REPORT_LIMIT):
            return Fault.REPORT.value
        out["overstatement"] = whole(report) - PPM
        share = effects[_OWN, i]
        out["own_share"] = whole(min(share, 1.0) * PPM) if share > 0.0 else 0
    return Fault.NONE.value
