"""From uniforms to a realization: every random input, drawn and rounded once.

One kernel draws a replication, whoever asks: compiled engines take its records as they are, the
reference engine takes them as a `Realization`.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sim.jit import compiled
from sim.sampling import register
from sim.sampling.calendar_layout import Calendar, lay_out_calendar
from sim.sampling.draw_calendar import CalendarRoom, calendar_room, draw_calendar, losses_of
from sim.sampling.draw_gates import Gates, draw_gates, lay_out_gates
from sim.sampling.draw_money import Releases, draw_releases, lay_out_releases
from sim.sampling.draw_projects import (
    ProjectRoom,
    draw_scores,
    draw_starts,
    draw_work_and_money,
    project_room,
)
from sim.sampling.draw_risks import (
    RiskRoom,
    draw_strikes,
    let_strike,
    place_stops,
    risk_room,
)
from sim.sampling.draw_shared import (
    Drivers,
    Ties,
    add_own_draws,
    apply_drivers,
    driver_draws,
    fill_shared,
    lay_out_drivers,
    lay_out_ties,
    shared_labels,
    tie_drivers,
    told_subjects,
)
from sim.sampling.inverses import Inverses, evaluate
from sim.sampling.layout import DRAWN, FILE, RELEASE, STOP, Drawn, Still, first_reached
from sim.sampling.normal import score_of
from sim.sampling.project_layout import Projects, lay_out_projects
from sim.sampling.quasi import QuasiPoints
from sim.sampling.realization import Realization
from sim.sampling.risk_layout import Risks, lay_out_risks
from sim.sampling.rounding import Fault, raise_fault
from sim.sampling.sampler import Sampler
from sim.sampling.streams import key_of

Floats = NDArray[np.float64]


class DrawModel(NamedTuple):
    """Everything that drawing needs, as kernels read it.

    Attributes
    ----------
    laws : ndarray of INVERSE
        All distributions.
    numbers : ndarray of float64
        Their lists and tables.
    shared : ndarray of uint64
        Addresses of the draws that are not a project's own, in the order of `shared_labels`:
        common factors first.
    factors : int
        Number of common factors.
    ties
        Drivers that are correlated.
    drivers, projects, gates, releases, risks, calendar
        Draws of each kind.
    """

    laws: NDArray[np.void]
    numbers: Floats
    shared: NDArray[np.uint64]
    factors: int
    ties: Ties
    drivers: Drivers
    projects: Projects
    gates: Gates
    releases: Releases
    risks: Risks
    calendar: Calendar


class DrawRoom(NamedTuple):
    """Room that a thread needs for drawing; what stands in it means nothing afterwards.

    Attributes
    ----------
    shared, factors, ties, drivers, terms : ndarray of float64
        Shared uniforms, scores of factors and of correlated drivers, what drivers drew, and their
        terms.
    effects : ndarray of float64, shape (6, P)
        Joint effect of drivers at projects.
    preparation, review : ndarray of float64, shape (G,)
        Working days of gates.
    factor, delay : ndarray of float64
        What happens on each route of releases.
    inverses : ndarray of float64, shape (3, the larger of G and P)
        Room for inverses.
    projects, risks, calendar
        Room for draws of each kind.
    """

    shared: Floats
    factors: Floats
    ties: Floats
    drivers: Floats
    terms: Floats
    effects: Floats
    preparation: Floats
    review: Floats
    factor: Floats
    delay: Floats
    inverses: Floats
    projects: ProjectRoom
    risks: RiskRoom
    calendar: CalendarRoom


@functools.lru_cache(maxsize=2)  # a plan and its baseline
def prepare(sampler: Sampler) -> tuple[DrawModel, Still]:
    """Lay out for kernels what a sampler prepared.

    Parameters
    ----------
    sampler : Sampler
        From `build_sampler`.

    Returns
    -------
    DrawModel, Still
        What is drawn, and what no replication changes of it.
    """
    inverses = Inverses()
    labels = shared_labels(sampler)
    positions = {label: k for k, label in enumerate(labels)}
    draws = {drawn: k for k, drawn in enumerate(driver_draws(sampler))}
    portfolio = sampler.portfolio
    drivers = lay_out_drivers(sampler, positions, inverses)
    projects = lay_out_projects(sampler, inverses)
    gates = lay_out_gates(sampler, inverses)
    addresses = sampler.addresses[sampler.groups["risks"]]
    risks = lay_out_risks(sampler.risks, addresses, portfolio, inverses)
    planned = (sampler.planned_calendar, sampler.planned_losses)
    calendar, losses = lay_out_calendar(sampler.calendar, planned, positions, inverses)
    laws, numbers = inverses.tables()
    model = DrawModel(
        laws, numbers, register.addresses(labels), len(sampler.loadings.factors),
        lay_out_ties(sampler, positions), drivers, projects, gates,
        lay_out_releases(sampler, draws), risks, calendar,
    )  # fmt: skip
    gates_drawn = sampler.switched_on("gates")
    is_open = [gates_drawn or chain.fits for _, chain in sampler.chains for _ in chain.gates]
    certain = portfolio.plan.states["all"] == "off"
    may_start = np.ones_like(portfolio.may_start) if certain else portfolio.may_start
    workdays = sampler.workdays if gates_drawn else np.arange(sampler.frame.days + 1)
    still = Still(
        gate_open=np.array(is_open, np.bool_),
        workdays=workdays,
        reached=first_reached(workdays),
        may_start=may_start,
        losses=losses,
    )
    return _alike(model), _alike(still)


def _alike(parts: Any) -> Any:
    """Return the same with fresh arrays: one that is read-only or a view is another type.

    Kernels are compiled once for all plans.
    """
    if isinstance(parts, np.ndarray):
        return np.array(parts, order="C", copy=True)
    if isinstance(parts, tuple):
        return type(parts)(*(_alike(part) for part in parts))
    return parts


def allocate(model: DrawModel) -> tuple[Drawn, DrawRoom]:
    """Allocate what a thread draws into.

    Parameters
    ----------
    model : DrawModel
        From `prepare`.

    Returns
    -------
    Drawn
        Where the draws of one replication will stand.
    DrawRoom
        Room for working them out.
    """
    calendar = model.calendar
    classes, causes = calendar.still.shape[0], calendar.shares.shape[2]
    drawn = Drawn(
        projects=np.zeros(len(model.projects.rows), DRAWN),
        files=np.zeros(len(model.gates.rows), FILE),
        stops=np.zeros(int(model.risks.stop_first[-1]), STOP),
        releases=np.zeros(len(model.releases.rows), RELEASE),
        calendar=calendar.still.copy(),
        hits=np.zeros(classes, np.int64),
        hit_day=np.zeros((classes, calendar.room), np.int32),
        hit_loss=np.zeros((classes, calendar.room, causes), np.int32),
        drivers=np.zeros(len(model.drivers.told)),
    )
    room = DrawRoom(
        shared=np.zeros(len(model.shared)),
        factors=np.zeros(model.factors),
        ties=np.zeros(len(model.ties.at)),
        drivers=np.zeros(len(model.drivers.law)),
        terms=np.zeros(len(model.drivers.term_draw)),
        effects=np.zeros((6, len(model.projects.rows))),
        preparation=np.zeros(len(model.gates.rows)),
        review=np.zeros(len(model.gates.rows)),
        factor=np.zeros(len(model.releases.base)),
        delay=np.zeros(len(model.releases.base)),
        inverses=np.zeros((3, max(len(model.gates.rows), len(model.projects.rows)))),
        projects=project_room(model.projects),
        risks=risk_room(model.risks),
        calendar=calendar_room(calendar),
    )
    return drawn, room


def nothing_given(model: DrawModel) -> Floats:
    """Return what `draw_one` takes where all shared uniforms come from the generator."""
    return np.full(len(model.shared), np.nan)


@functools.lru_cache(maxsize=2)  # a plan and its baseline
def _points_of(sampler: Sampler) -> QuasiPoints:
    return QuasiPoints(shared_labels(sampler), sampler.seed)


def shared_uniforms(sampler: Sampler, replications: Sequence[int]) -> Floats:
    """Return what `draw_one` takes for the shared draws of each replication.

    Parameters
    ----------
    sampler : Sampler
        From `build_sampler`; its `sampling` decides.
    replications : sequence of int
        Numbers of the replications.

    Returns
    -------
    ndarray of float64, shape (R, number of shared labels)
        Coordinates of quasi-random points; NaN, for the generator, under plain sampling.
    """
    model, _ = prepare(sampler)
    result = np.tile(nothing_given(model), (len(replications), 1))
    if sampler.sampling == "quasi":
        points = _points_of(sampler)
        for row, number in enumerate(replications):
            result[row] = points.point(int(number))
    return result


@compiled
def draw_one(
    model: DrawModel,
    seed: np.uint64,
    replication: np.uint64,
    shared: Floats,
    room: DrawRoom,
    out: Drawn,
) -> int:
    """Draw one replication; it depends on the seed, its number and what is given only.

    Parameters
    ----------
    model : DrawModel
        From `prepare`.
    seed, replication : uint64
        Root seed and number of the replication.
    shared : ndarray of float64, shape (number of shared labels,)
        Uniforms that take the place of the generator's, as from a quasi-random point; NaN for
        none. See `shared_labels` for whose they are.
    room : DrawRoom
        Room of this thread.
    out : Drawn
        Filled.

    Returns
    -------
    int
        A `Fault`; what was drawn is of no use unless it is `Fault.NONE`.
    """
    laws, numbers = model.laws, model.numbers
    uniforms, factors, drivers = room.shared, room.factors, room.drivers
    fill_shared(seed, replication, model.shared, shared, uniforms)
    tie_drivers(model.ties, room.ties, uniforms)
    for k in range(len(factors)):
        factors[k] = score_of(uniforms[k])
    at, told = model.drivers.at, model.drivers.told
    for k in range(len(drivers)):
        drivers[k] = uniforms[at[k]]
    evaluate(laws, numbers, model.drivers.law, drivers, len(drivers), False, drivers)
    for k in range(len(told)):
        out.drivers[k] = drivers[told[k]]
    apply_drivers(model.drivers, drivers, room.terms, room.effects)
    add_own_draws(model.drivers, laws, numbers, seed, replication, room.projects.days, room.effects)

    hits = draw_strikes(model.risks, laws, numbers, seed, replication, room.risks)
    draw_starts(model.projects, laws, numbers, seed, replication, room.projects, out.projects)
    draw_scores(
        model.projects, laws, numbers, seed, replication, factors, room.inverses, room.projects
    )
    late = draw_gates(
        model.gates, laws, numbers, seed, replication, room.effects, room.preparation, room.review,
        room.inverses, out.files,
    )  # fmt: skip
    let_strike(model.risks, hits, room.risks, out.files, out.projects, out.stops)
    large = draw_work_and_money(
        model.projects, room.effects, room.projects, room.risks.saved, room.risks.more,
        room.risks.sooner, out.projects,
    )  # fmt: skip
    if large != Fault.NONE:
        return large
    if late != Fault.NONE:
        return late
    place_stops(room.risks.place, out.projects, out.stops)
    poor = draw_releases(model.releases, drivers, room.factor, room.delay, out.releases)
    if poor != Fault.NONE:
        return poor
    draw_calendar(
        model.calendar, laws, numbers, uniforms, room.calendar, out.calendar, out.hits,
        out.hit_day, out.hit_loss,
    )  # fmt: skip
    return Fault.NONE.value


def draw(sampler: Sampler, replications: Sequence[int]) -> Iterator[Realization]:
    """Draw realizations; each depends on the seed and its own number only.

    Parameters
    ----------
    sampler : Sampler
        From `build_sampler`.
    replications : sequence of int
        Numbers of the replications.

    Yields
    ------
    Realization
        In the order asked for.

    Raises
    ------
    InputError
        If what is drawn is out of range.
    """
    model, still = prepare(sampler)
    drawn, room = allocate(model)
    seed, names = key_of(sampler.seed), told_subjects(sampler)
    for number in replications:
        given = shared_uniforms(sampler, [number])[0]
        raise_fault(draw_one(model, seed, np.uint64(number), given, room, drawn))
        yield _realization(int(number), drawn, still, names)


def _realization(
    number: int, drawn: Drawn, still: Still, names: Sequence[str]
) -> Realization:  # fmt: skip
    """Write a replication out as the reference engine reads it."""
    projects, files = drawn.projects, drawn.files
    first, end = projects["stop_first"], projects["stop_end"]
    counts = end - first
    stop_first = np.concatenate([np.zeros(1, np.int64), np.cumsum(counts)])
    stops = drawn.stops[np.repeat(first - stop_first[:-1], counts) + np.arange(stop_first[-1])]
    of_project = {
        name: projects[name].copy()
        for name in DRAWN.names or ()
        if name not in ("stop_first", "stop_end")
    }
    return Realization(
        replication=number,
        **of_project,
        gate_open=still.gate_open,
        gate_preparation=files["preparation"].copy(),
        gate_review=files["review"].copy(),
        gate_delay=files["delay"].copy(),
        gate_dropped=files["dropped"] != 0,
        stop_first=stop_first,
        stop_at=stops["at"].copy(),
        stop_days=stops["days"].copy(),
        workdays=still.workdays,
        calendar=drawn.calendar.astype(np.int64),
        calendar_losses=losses_of(still.losses, drawn.hits, drawn.hit_day, drawn.hit_loss),
        may_start=still.may_start,
        release_day=drawn.releases["day"].copy(),
        release_amount=drawn.releases["amount"].copy(),
        drivers=dict(zip(names, drawn.drivers.tolist(), strict=True)),
    )
