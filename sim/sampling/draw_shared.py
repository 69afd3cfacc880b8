"""What many projects share: uniforms of factors, drivers and the calendar; effects of drivers."""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sim.jit import compiled
from sim.sampling import register
from sim.sampling.inverses import Inverses, evaluate
from sim.sampling.money import ACCOUNT_ROOMS
from sim.sampling.normal import FARTHEST, power, probability_of, score_of
from sim.sampling.register import Label
from sim.sampling.sampler import Sampler, subjects
from sim.sampling.streams import fill_uniforms

Floats = NDArray[np.float64]


class Room(IntEnum):
    """What drivers act on at projects: rows of the table of effects."""

    DURATION = 0
    COST = 1
    LAND = 2
    OWN = 3
    INTENT = 4
    REPORT = 5


ADDING = (Room.INTENT, Room.REPORT)
"""Here effects of several drivers add up; elsewhere they multiply."""
_FIRST_ADDING = int(ADDING[0])


class Ties(NamedTuple):
    """Correlated drivers; K drivers, M of them mixed.

    Attributes
    ----------
    at : ndarray of int64, shape (K,)
        Places of their draws among the shared uniforms, group by group.
    mixed : ndarray of int64, shape (M,)
        Those that are correlated with one before them; all others stay as they are drawn.
    triangle : ndarray of float64, shape (K, K)
        How scores are mixed from those drawn; nothing above the diagonal.
    """

    at: NDArray[np.int64]
    mixed: NDArray[np.int64]
    triangle: Floats


class Drivers(NamedTuple):
    """Drivers of projects and accounts; N draws, T terms, A acting drivers.

    Attributes
    ----------
    law, at : ndarray of int64, shape (N,)
        Distribution of each draw, and its place among the shared uniforms.
    told : ndarray of int64
        The draws that stand in the samples table: of each subject the first year's.
    term_draw, term_exposure : ndarray of int64 and float64, shape (T,)
        Draws with the exposures that occur.
    term_adds : ndarray of bool, shape (T,)
        Whether the draw is multiplied by the exposure; else it is raised to it.
    room : ndarray of int64, shape (A,)
        What each acts on.
    term : ndarray of int64, shape (A, P)
        Its term at each project.
    each_room : ndarray of int64, shape (E,)
        What those act on of which each project draws something of its own.
    each_law, each_at : ndarray of int64 and uint64, shape (E, P)
        Distributions and addresses of these draws.
    """

    law: NDArray[np.int64]
    at: NDArray[np.int64]
    told: NDArray[np.int64]
    term_draw: NDArray[np.int64]
    term_exposure: Floats
    term_adds: NDArray[np.bool_]
    room: NDArray[np.int64]
    term: NDArray[np.int64]
    each_room: NDArray[np.int64]
    each_law: NDArray[np.int64]
    each_at: NDArray[np.uint64]


def shared_labels(sampler: Sampler) -> tuple[Label, ...]:
    """Return the draws that are not a project's own, each once, in the order of their uniforms."""
    factors = [(name, register.FACTOR, 0) for name in sampler.loadings.factors]
    drivers = [(subject, register.DRIVER, index) for subject, index in driver_draws(sampler)]
    tied = [label for one in sampler.ties for label in one.labels]
    stops = sampler.calendar.stops if sampler.calendar is not None else ()
    calendar = [label for stop in stops for label in stop.labels]
    return tuple(dict.fromkeys([*factors, *drivers, *tied, *calendar]))


def driver_draws(sampler: Sampler) -> list[tuple[str, int]]:
    """Return subject and index of all draws of drivers that do not act on the calendar."""
    return [
        drawn
        for driver in sampler.drivers
        if driver.acts_on != "calendar"
        for drawn in subjects(sampler.portfolio, driver)
    ]


def told_subjects(sampler: Sampler) -> list[str]:
    """Return the subjects in the order of `Drawn.drivers`."""
    return [subject for subject, index in driver_draws(sampler) if index == 0]


def lay_out_drivers(
    sampler: Sampler, positions: dict[Label, int], inverses: Inverses
) -> Drivers:  # fmt: skip
    """Lay out the drivers of projects and accounts.

    Parameters
    ----------
    sampler : Sampler
        Everything that drawing needs.
    positions : dict of Label to int
        Places of the shared draws.
    inverses : Inverses
        Takes their distributions.
    """
    portfolio = sampler.portfolio
    draws = {drawn: k for k, drawn in enumerate(driver_draws(sampler))}
    laws: list[int] = []
    terms: dict[tuple[int, float, bool], int] = {}
    rooms, term_of = [], []
    for driver in sampler.drivers:
        if driver.acts_on == "calendar":
            continue
        laws += [inverses.add(driver.active)] * len(subjects(portfolio, driver))
        if driver.acts_on in ACCOUNT_ROOMS:
            continue
        room = Room[driver.acts_on.upper()]
        found = []
        for i, one in enumerate(portfolio.plan.projects):
            subject = driver.name if driver.scope == "city" else f"{driver.name}/{one.county}"
            exposure = driver.exposure.of(portfolio.attribute(i, driver.exposure.by))
            term = (draws[subject, 0], exposure, room in ADDING)
            found.append(terms.setdefault(term, len(terms)))
        rooms.append(int(room))
        term_of.append(found)
    labels = [(subject, register.DRIVER, index) for subject, index in draws]
    apart = [one for one in sampler.drivers if one.each is not None]
    own_laws = [inverses.add(one.each) for one in apart if one.each is not None]
    shape = (len(apart), portfolio.size)
    return Drivers(
        law=np.array(laws, np.int64),
        at=np.array([positions[label] for label in labels], np.int64),
        told=np.array([k for (_, index), k in draws.items() if index == 0], np.int64),
        term_draw=np.array([draw for draw, _, _ in terms], np.int64),
        term_exposure=np.array([exposure for _, exposure, _ in terms], np.float64),
        term_adds=np.array([adds for _, _, adds in terms], np.bool_),
        room=np.array(rooms, np.int64),
        term=np.array(term_of, np.int64).reshape(len(rooms), portfolio.size),
        each_room=np.array([int(Room[one.acts_on.upper()]) for one in apart], np.int64),
        each_law=np.repeat(np.array(own_laws, np.int64), portfolio.size).reshape(shape),
        each_at=sampler.addresses[sampler.groups[register.DRIVER_EACH]].reshape(shape),
    )


def lay_out_ties(sampler: Sampler, positions: dict[Label, int]) -> Ties:
    """Lay out correlated drivers.

    Parameters
    ----------
    sampler : Sampler
        Everything that drawing needs.
    positions : dict of Label to int
        Places of the shared draws.
    """
    at = [positions[label] for one in sampler.ties for label in one.labels]
    triangle = np.zeros((len(at), len(at)))
    first = 0
    for one in sampler.ties:
        own = slice(first, first + len(one.names))
        triangle[own, own] = one.triangle
        first = own.stop
    mixed = np.flatnonzero(np.tril(triangle, -1).any(axis=1))
    return Ties(np.array(at, np.int64), mixed.astype(np.int64), triangle)


@compiled
def fill_shared(
    seed: np.uint64, replication: np.uint64, addresses: NDArray[np.uint64], given: Floats,
    out: Floats,
) -> None:  # fmt: skip
    """Fill in the shared uniforms: what is given, else what the generator says.

    Parameters
    ----------
    seed, replication, addresses
        As for `streams.fill_uniforms`.
    given : ndarray of float64, shape (number of shared labels,)
        Uniforms from elsewhere, say coordinates of a quasi-random point; NaN for none.
    out : ndarray of float64, of the same shape
        Filled.
    """
    fill_uniforms(seed, replication, addresses, out)
    for k in range(len(addresses)):
        # What is not a number differs from itself.
        if given[k] == given[k]:
            out[k] = given[k]


@compiled
def tie_drivers(ties: Ties, scores: Floats, uniforms: Floats) -> None:
    """Correlate the uniforms of drivers; each stays uniform by itself.

    Parameters
    ----------
    ties : Ties
        From `lay_out_ties`.
    scores : ndarray of float64, shape (K,)
        Room.
    uniforms : ndarray of float64
        The shared uniforms; those of drivers that are mixed are written over.
    """
    at, mixed, triangle = ties.at, ties.mixed, ties.triangle
    for k in range(len(at)):
        scores[k] = score_of(uniforms[at[k]])
    for m in range(len(mixed)):
        row = mixed[m]
        score = 0.0
        for k in range(row + 1):
            score += triangle[row, k] * scores[k]
        uniforms[at[row]] = probability_of(min(max(score, -FARTHEST), FARTHEST))


@compiled
def apply_drivers(drivers: Drivers, drawn: Floats, values: Floats, effects: Floats) -> None:
    """Work out the joint effect of drivers on each project.

    Parameters
    ----------
    drivers : Drivers
        From `lay_out_drivers`.
    drawn : ndarray of float64, shape (N,)
        What they drew.
    values : ndarray of float64, shape (T,)
        Room for the terms.
    effects : ndarray of float64, shape (6, P)
        Filled; rows in the order of `Room`.
    """
    draw, exposure, adds = drivers.term_draw, drivers.term_exposure, drivers.term_adds
    for t in range(len(draw)):
        if adds[t]:
            values[t] = drawn[draw[t]] * exposure[t]
        else:
            values[t] = power(drawn[draw[t]], exposure[t])
    for room in range(effects.shape[0]):
        nothing = 0.0 if room >= _FIRST_ADDING else 1.0
        for i in range(effects.shape[1]):
            effects[room, i] = nothing
    term = drivers.term
    for k in range(len(drivers.room)):
        room = drivers.room[k]
        if room >= _FIRST_ADDING:
            for i in range(effects.shape[1]):
                effects[room, i] += values[term[k, i]]
        else:
            for i in range(effects.shape[1]):
                effects[room, i] *= values[term[k, i]]


@compiled
def add_own_draws(
    drivers: Drivers,
    laws: NDArray[np.void],
    numbers: Floats,
    seed: np.uint64,
    replication: np.uint64,
    drawn: Floats,
    effects: Floats,
) -> None:
    """Add to the effects of drivers what each project draws of its own beside what is shared.

    Parameters
    ----------
    drivers : Drivers
        From `lay_out_drivers`.
    laws, numbers, seed, replication
        What is drawn, and where.
    drawn : ndarray of float64, shape (P,)
        Room.
    effects : ndarray of float64, shape (6, P)
        From `apply_drivers`; added to, or multiplied.
    """
    for k in range(len(drivers.each_room)):
        room = drivers.each_room[k]
        fill_uniforms(seed, replication, drivers.each_at[k], drawn)
        evaluate(laws, numbers, drivers.each_law[k], drawn, len(drawn), False, drawn)
        for i in range(len(drawn)):
            if room >= _FIRST_ADDING:
                effects[room, i] += drawn[i]
            else:
                effects[room, i] *= drawn[i]
