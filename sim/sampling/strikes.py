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


def no_stops(projects: int) -> Stops:
    """Return the stops of a replication in which nothing strikes."""
    none = np.zeros(0, dtype=np.int64)
    return Stops(np.zeros(projects + 1, dtype=np.int64), none, none)


def extra_cost(model: RiskModel, struck: Struck, knot_share: Floats) -> tuple[Floats, Floats]:
    """Return how risks move the cost that is left, as multiples of it.

    Parameters
    ----------
    model, struck
        The register and what struck.
    knot_share : ndarray of float64, shape (P,)
        Share of the work left at which the plan year ends.

    Returns
    -------
    in_all, to_knot : ndarray of float64, shape (R, P)
        Change of the cost left in all, and of the part spent up to the year-end knot: a
        multiplier acts on what remains at its place only.
    """
    shape = (len(struck.struck), len(knot_share))
    in_all, to_knot = np.zeros(shape), np.zeros(shape)
    share = np.where(model.gate[None, :] >= 0, 0.0, struck.share)
    effect = np.where(struck.struck, (struck.cost - 1) * (1 - share), 0.0)
    until = knot_share[model.project][None, :]
    inside = np.clip(until - share, 0, None) / np.maximum(1 - share, 1e-12)
    rows = np.arange(shape[0])[:, None]
    np.add.at(in_all, (rows, model.project[None, :]), effect)
    np.add.at(to_knot, (rows, model.project[None, :]), effect * inside)
    return in_all, to_knot


def work_saved(model: RiskModel, struck: Struck, work: Ints) -> Ints:
    """Return the milli-days that opportunities take off the work, shape (R, P)."""
    at_work = struck.struck & (model.gate[None, :] < 0) & (struck.days < 0)
    saved = np.zeros(work.shape, dtype=np.int64)
    rows = np.arange(len(work))[:, None]
    np.add.at(
        saved, (rows, model.project[None, :]), np.where(at_work, -struck.days * _PERFECT_DAY, 0)
    )
    return np.minimum(saved, work)


def gate_effects(model: RiskModel, struck: Struck, gates: int) -> tuple[Ints, Bools]:
    """Return the days by which files come later, and which gates end their project; (R, G)."""
    at_gate = np.flatnonzero(model.gate >= 0)
    delay = np.zeros((len(struck.struck), gates), dtype=np.int64)
    dropped = np.zeros(delay.shape, dtype=np.bool_)
    rows = np.arange(len(delay))[:, None]
    hit, where = struck.struck[:, at_gate], model.gate[at_gate][None, :]
    np.add.at(delay, (rows, where), np.where(hit, struck.days[:, at_gate], 0))
    np.logical_or.at(dropped, (rows, where), hit & model.drops[at_gate][None, :])
    return delay, dropped


def stops_of(model: RiskModel, struck: Struck, row: int, work: Ints) -> Stops:
    """Lay out the stops of one replication.

    Parameters
    ----------
    model, struck
        The register and what struck.
    row : int
        Row of the replication.
    work : ndarray of int64, shape (P,)
        Milli-days of work left at day 0.
    """
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
