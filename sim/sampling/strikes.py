"""What registered risks do to gates, work and cost, in the units of engines."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sim.sampling.realization import Bools, Ints
from sim.sampling.risks import RiskModel, Struck

Floats = NDArray[np.float64]
_DROP = -1
_PERFECT_DAY = 1000
"""Milli-days that an opportunity saves for each day."""


@dataclass(frozen=True, slots=True)
class Stops:
    """Stops of one replication, by project and position.

    Attributes
    ----------
    first : ndarray of int64, shape (P + 1,)
        Stops of project p are first[p] to first[p + 1] - 1.
    at, days : ndarray of int64, shape (S,)
        Milli-days of work at which they strike; calendar days, -1 for a drop.
    """

    first: Ints
    at: Ints
    days: Ints


@dataclass(frozen=True, slots=True)
class Strikes:
    """The register of risks and what strikes in a batch of replications.

    Attributes
    ----------
    model : RiskModel
        Possible occurrences.
    struck : Struck
        Which of them occur, with their days, places and costs.
    """

    model: RiskModel
    struck: Struck


def still_ahead(model: RiskModel, struck: Struck, behind: Floats) -> Strikes:
    """Leave what can no longer strike: a place in the work that the status date finds passed.

    Parameters
    ----------
    model, struck
        The register and what strikes, with places as shares of the whole work.
    behind : ndarray of float64, shape (P,)
        Share of each project's whole work that is done at the status date.

    Returns
    -------
    Strikes
        With places as shares of the work that is left.
    """
    done = behind[model.project][None, :]
    at_work = model.gate[None, :] < 0
    passed = at_work & (struck.share < done)
    left = np.clip((struck.share - done) / np.maximum(1 - done, 1e-12), 0.0, 1.0)
    return Strikes(
        model,
        Struck(
            struck=struck.struck & ~passed,
            days=struck.days,
            share=np.where(at_work, left, struck.share),
            cost=struck.cost,
        ),
    )


def extra_cost(
    strikes: Strikes | None, count: int, knot_share: Floats
) -> tuple[Floats, Floats, Floats]:
    """Return how risks move the cost that is left.

    Parameters
    ----------
    strikes : Strikes or None
        None where no risk can strike; likewise below.
    count : int
        Number of replications R.
    knot_share : ndarray of float64, shape (P,)
        Share of the work left at which the plan year ends.

    Returns
    -------
    in_all, to_knot : ndarray of float64, shape (R, P)
        Change of the cost left in all, and of the part spent up to the year-end knot, as
        multiples of it: a multiplier acts on what remains at its place only.
    mitigation : ndarray of float64, shape (P,)
        Yuan that mitigation costs.
    """
    shape = (count, len(knot_share))
    in_all, to_knot = np.zeros(shape), np.zeros(shape)
    if strikes is None:
        return in_all, to_knot, np.zeros(shape[1])
    model, struck = strikes.model, strikes.struck
    share = np.where(model.gate[None, :] >= 0, 0.0, struck.share)
    effect = np.where(struck.struck, (struck.cost - 1) * (1 - share), 0.0)
    until = knot_share[model.project][None, :]
    inside = np.clip(until - share, 0, None) / np.maximum(1 - share, 1e-12)
    rows = np.arange(shape[0])[:, None]
    np.add.at(in_all, (rows, model.project[None, :]), effect)
    np.add.at(to_knot, (rows, model.project[None, :]), effect * inside)
    return in_all, to_knot, model.mitigation_cost.astype(np.float64)


def work_saved(strikes: Strikes | None, work: Ints) -> Ints:
    """Return the milli-days that opportunities take off the work, shape (R, P)."""
    if strikes is None:
        return np.zeros_like(work)
    model, struck = strikes.model, strikes.struck
    at_work = struck.struck & (model.gate[None, :] < 0) & (struck.days < 0)
    saved = np.zeros(work.shape, dtype=np.int64)
    rows = np.arange(len(work))[:, None]
    np.add.at(
        saved, (rows, model.project[None, :]), np.where(at_work, -struck.days * _PERFECT_DAY, 0)
    )
    return np.minimum(saved, work)


def gate_effects(strikes: Strikes | None, count: int, gates: int) -> tuple[Ints, Bools]:
    """Return the days by which files come later, and which gates end their project; (R, G)."""
    delay = np.zeros((count, gates), dtype=np.int64)
    dropped = np.zeros(delay.shape, dtype=np.bool_)
    if strikes is None:
        return delay, dropped
    model, struck = strikes.model, strikes.struck
    at_gate = np.flatnonzero(model.gate >= 0)
    rows = np.arange(len(delay))[:, None]
    hit, where = struck.struck[:, at_gate], model.gate[at_gate][None, :]
    np.add.at(delay, (rows, where), np.where(hit, struck.days[:, at_gate], 0))
    np.logical_or.at(dropped, (rows, where), hit & model.drops[at_gate][None, :])
    return delay, dropped


def stops_of(strikes: Strikes | None, row: int, work: Ints) -> Stops:
    """Lay out the stops of one replication.

    Parameters
    ----------
    strikes : Strikes or None
        What strikes in the batch.
    row : int
        Row of the replication.
    work : ndarray of int64, shape (P,)
        Milli-days of work left at day 0.
    """
    if strikes is None:
        none = np.zeros(0, dtype=np.int64)
        return Stops(np.zeros(len(work) + 1, dtype=np.int64), none, none)
    model, struck = strikes.model, strikes.struck
    lasting = (struck.days[row] > 0) | model.drops
    slots = np.flatnonzero(struck.struck[row] & (model.gate < 0) & lasting)
    project = model.project[slots]
    at = np.floor(struck.share[row, slots] * work[project]).astype(np.int64)
    order = np.lexsort((slots, at, project))
    counts = np.bincount(project, minlength=len(work))
    days = np.where(model.drops[slots], _DROP, struck.days[row, slots])
    return Stops(
        np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(counts)]), at[order], days[order]
    )
