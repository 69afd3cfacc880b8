"""Slips, durations, costs and what follows from them, project by project."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sim.jit import compiled
from sim.plan.curves import PPM
from sim.sampling.draw_shared import Room
from sim.sampling.inverses import evaluate, evaluate_draws
from sim.sampling.normal import scores_of
from sim.sampling.project_layout import Projects
from sim.sampling.rounding import (
    AMOUNT_LIMIT,
    REPORT_LIMIT,
    WORK_LIMIT,
    Fault,
    fits,
    whole,
    whole_days,
)
from sim.sampling.streams import fill_uniforms, uniform

Floats = NDArray[np.float64]

_NO_START_SPREAD_DAYS = 180.0
"""A start that the year does not see happens in the first half of the next, uniformly."""
_OUT_OF_THE_WORLD = 1e10
"""Days whose work is beyond `WORK_LIMIT`, and which fit an integer."""
_DURATION, _COST, _OWN = int(Room.DURATION), int(Room.COST), int(Room.OWN)
_INTENT, _REPORT = int(Room.INTENT), int(Room.REPORT)


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
        chance = one["no_start"]
        if chance > 0.0 and uniform(seed, replication, one["missed_at"]) < chance:
            share = uniform(seed, replication, one["delay_at"])
            delay = math.floor(share * _NO_START_SPREAD_DAYS)
            slip = max(slip, one["to_next_year"] + delay)
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
    inverse_room: Floats,
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
        Scores of the common factors.
    inverse_room : ndarray of float64, shape (3, at least P)
        Room.
    """
    own, own_cost, duration, cost = room.own, room.own_cost, room.duration, room.cost
    fill_uniforms(seed, replication, projects.duration_at, duration)
    fill_uniforms(seed, replication, projects.cost_at, cost)
    scores_of(duration, len(own), own)
    scores_of(cost, len(own), own_cost)
    first, factor, load = projects.load_first, projects.load_factor, projects.load
    own_loading = projects.own
    for i in range(len(own)):
        mixed = own[i] * own_loading[i]
        for k in range(first[i], first[i + 1]):
            mixed += factors[factor[k]] * load[k]
        duration[i] = mixed
    _impose(projects.given_project, projects.given, 0, projects.given_first[1], own, duration)
    rho, rho_rest = projects.rho, projects.rho_rest
    for i in range(len(own)):
        cost[i] = rho[i] * duration[i] + rho_rest[i] * own_cost[i]
    _impose(
        projects.given_project, projects.given, projects.given_first[1], projects.given_first[2],
        own_cost, cost,
    )  # fmt: skip
    evaluate_draws(laws, numbers, projects.durations, duration, True, inverse_room, duration)
    evaluate_draws(laws, numbers, projects.costs, cost, True, inverse_room, cost)


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
        out["first_work"] = work // whole_work * to_knot + work % whole_work * to_knot // whole_work

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
        # What is planned to end in the year is meant to be done whole.
        intent = effects[_INTENT, i]
        if intent < 0.0 and one["ends_in_year"]:
            intent = 0.0
        raised = in_year * (1.0 + intent)
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
