"""Risks told in numpy, for a batch of replications at once; see `naive_draws`."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sim.plan.language import Distribution
from sim.plan.quantiles import quantile
from sim.sampling.risks import RiskModel

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Struck:
    """What becomes of each slot; R replications, S slots. What does not strike leaves 0, 0, 1.

    `share` is one of the whole work, 0 at a gate; `cost` multiplies what remains.
    """

    struck: Bools
    days: Ints
    share: Floats
    cost: Floats


def strike(model: RiskModel, uniforms: Floats) -> Struck:
    """Tell which slots strike, and how hard, from uniforms in the order of the model's labels."""
    occurs = _occurrences(model, uniforms)
    days = np.zeros(occurs.shape, dtype=np.int64)
    share, cost = np.zeros(occurs.shape), np.ones(occurs.shape)
    for law in model.laws:
        hit = occurs[:, law.slots]
        days[:, law.slots][hit] = np.rint(_drawn(law.days, law.days_at, uniforms, hit))
    days[:, model.drops] = 0
    struck = _longest(model, occurs, days)
    days[~struck] = 0
    for law in model.laws:
        hit = struck[:, law.slots]
        cost[:, law.slots][hit] = _drawn(law.cost, law.cost_at, uniforms, hit)
        if law.share is not None:
            drawn = _drawn(law.share, law.share_at, uniforms, hit)
            share[:, law.slots][hit] = np.minimum(drawn, 1.0)
    return Struck(struck, days, share, cost)


def _occurrences(model: RiskModel, uniforms: Floats) -> Bools:
    replications = len(uniforms)
    occurs = np.zeros((replications, len(model.risk)), dtype=np.bool_)
    triggered = {
        law.position: np.zeros((replications, law.projects), dtype=np.bool_) for law in model.laws
    }
    for law in model.laws:
        shape = (replications, law.projects, law.repetitions)
        comes = np.full(shape, law.probability == 1)
        if law.occurs_at.size:
            comes = uniforms[:, law.occurs_at].reshape(shape) < law.probability
        comes &= law.by_luck
        comes[:, :, 0] |= triggered[law.position]
        if law.loop:
            comes = np.logical_and.accumulate(comes, axis=2)
        occurs[:, law.slots] = comes.reshape(replications, -1)
        strikes = comes.any(axis=2)
        for fork in law.forks:
            decided = np.zeros(strikes.shape)
            if fork.decided_at.size:
                decided = uniforms[:, fork.decided_at]
            for branch in fork.branches:
                follows = strikes & (branch.low <= decided) & (decided < branch.high)
                triggered[branch.target][:, branch.there] |= follows[:, branch.here]
    return occurs


def _drawn(distribution: Distribution, columns: Ints, uniforms: Floats, hit: Bools) -> Floats:
    rows, slots = np.nonzero(hit)
    if not columns.size:
        return np.full(rows.shape, distribution.parameters[0])
    return quantile(distribution, uniforms[rows, columns[slots]])


def _longest(model: RiskModel, occurs: Bools, days: Ints) -> Bools:
    if not model.grouped.size:
        return occurs
    starts = model.group_starts
    group = np.repeat(np.arange(starts.size), np.diff(starts, append=model.grouped.size))
    comes = occurs[:, model.grouped]
    length = np.where(comes, days[:, model.grouped], np.iinfo(np.int64).min)
    longest = comes & (length == np.maximum.reduceat(length, starts, axis=1)[:, group])
    earlier = np.cumsum(longest, axis=1) - longest
    struck = occurs.copy()
    struck[:, model.grouped] = longest & (earlier == earlier[:, starts][:, group])
    return struck


def still_ahead(model: RiskModel, struck: Struck, behind: Floats) -> Struck:
    """Leave what can still strike, at shares of the work that is left."""
    done, at_work = behind[model.project][None, :], model.gate[None, :] < 0
    left = np.clip((struck.share - done) / np.maximum(1 - done, 1e-12), 0.0, 1.0)
    passed = at_work & (struck.share < done)
    return Struck(
        struck.struck & ~passed, struck.days, np.where(at_work, left, struck.share), struck.cost
    )


def extra_cost(model: RiskModel, struck: Struck, knot_share: Floats) -> tuple[Floats, Floats]:
    """Return how risks move the cost left in all and up to the knot, as multiples; (R, P)."""
    count = len(struck.struck)
    in_all, to_knot = np.zeros((count, len(knot_share))), np.zeros((count, len(knot_share)))
    share = np.where(model.gate[None, :] >= 0, 0.0, struck.share)
    effect = np.where(struck.struck, (struck.cost - 1) * (1 - share), 0.0)
    inside = np.clip(knot_share[model.project][None, :] - share, 0, None)
    rows = np.arange(count)[:, None]
    np.add.at(in_all, (rows, model.project[None, :]), effect)
    np.add.at(
        to_knot, (rows, model.project[None, :]), effect * (inside / np.maximum(1 - share, 1e-12))
    )
    return in_all, to_knot


def work_saved(model: RiskModel, struck: Struck, work: Ints) -> Ints:
    """Return the milli-days that opportunities take off the work, shape (R, P)."""
    at_work = struck.struck & (model.gate[None, :] < 0) & (struck.days < 0)
    saved, rows = np.zeros(work.shape, dtype=np.int64), np.arange(len(work))[:, None]
    np.add.at(saved, (rows, model.project[None, :]), np.where(at_work, -struck.days * 1000, 0))
    return np.minimum(saved, work)


def gate_effects(model: RiskModel, struck: Struck, gates: int) -> tuple[Ints, Bools]:
    """Return the days by which files come later, and which gates end their project; (R, G)."""
    count = len(struck.struck)
    delay, dropped = np.zeros((count, gates), np.int64), np.zeros((count, gates), np.bool_)
    at_gate = np.flatnonzero(model.gate >= 0)
    rows, where = np.arange(count)[:, None], model.gate[at_gate][None, :]
    hit = struck.struck[:, at_gate]
    np.add.at(delay, (rows, where), np.where(hit, struck.days[:, at_gate], 0))
    np.logical_or.at(dropped, (rows, where), hit & model.drops[at_gate][None, :])
    return delay, dropped


def stops_of(model: RiskModel, struck: Struck, row: int, work: Ints) -> tuple[Ints, Ints, Ints]:
    """Return where the stops of each project begin, their milli-days and their days."""
    lasting = (struck.days[row] > 0) | model.drops
    slots = np.flatnonzero(struck.struck[row] & (model.gate < 0) & lasting)
    project = model.project[slots]
    at = np.floor(struck.share[row, slots] * work[project]).astype(np.int64)
    order = np.lexsort((slots, at, project))
    counts = np.bincount(project, minlength=len(work))
    days = np.where(model.drops[slots], -1, struck.days[row, slots])
    return np.concatenate([[0], np.cumsum(counts)]), at[order], days[order]
