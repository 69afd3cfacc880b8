"""How long open gates take: as planned, or drawn from what is known of approvals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sim.plan.language import Distribution
from sim.plan.quantiles import quantile
from sim.sampling import register
from sim.sampling.realization import Bools, Ints
from sim.sampling.rounding import WORKDAYS_LIMIT, whole
from sim.sampling.sampler import Sampler

Floats = NDArray[np.float64]
LAND = "land"
"""The gate whose times the land quota stretches."""


@dataclass(frozen=True, slots=True)
class GateTimes:
    """Working days of every open gate, in a batch of R replications.

    Attributes
    ----------
    is_open : ndarray of bool, shape (G,)
        False for a gate that counts as passed.
    preparation, review : ndarray of int64, shape (R, G)
        Working days, at least one.
    workdays : ndarray of int64, shape (days + 1,)
        Working days before each day.
    """

    is_open: Bools
    preparation: Ints
    review: Ints
    workdays: Ints


def quantiles_of(distributions: Sequence[Distribution], u: Floats) -> Floats:
    """Evaluate one distribution a column, each different one only once."""
    columns: dict[Distribution, list[int]] = {}
    for i, one in enumerate(distributions):
        columns.setdefault(one, []).append(i)
    result = np.empty(u.shape)
    for one, members in columns.items():
        result[:, members] = quantile(one, u[:, members])
    return result


def gate_times(sampler: Sampler, u: Floats, land: Floats) -> GateTimes:
    """Draw the times of all open gates.

    Parameters
    ----------
    sampler : Sampler
        From `build_sampler`.
    u : ndarray of float64, shape (R, A)
        Uniforms of all draws.
    land : ndarray of float64, shape (R, P)
        Factor by which the land quota stretches the land gate of each project.
    """
    if not sampler.switched_on("gates"):
        return _as_planned(sampler, len(u))
    plan = sampler.portfolio.plan
    columns = [
        (i, gate, plan.gates[plan.projects[i].procedure, gate], chain.under_way and not before)
        for i, chain in sampler.chains
        for gate, before in zip(chain.gates, chain.after, strict=True)
    ]
    rows = [row for _, _, row, _ in columns]
    drawn = quantiles_of([row.preparation for row in rows],
                         u[:, sampler.groups[register.GATE_PREPARATION]])  # fmt: skip
    read = quantiles_of([row.review for row in rows], u[:, sampler.groups[register.GATE_REVIEW]])
    left = u[:, sampler.groups[register.GATE_ELAPSED]]
    for column, (project, gate, _, under_way) in enumerate(columns):
        if gate == LAND:
            drawn[:, column] *= land[:, project]
            read[:, column] *= land[:, project]
        if under_way:
            # Of a gate under way the rest is drawn: what was done by the status date is a
            # uniform share of the whole, taken from the preparation first.
            rest = (drawn[:, column] + read[:, column]) * left[:, column]
            read[:, column] = np.minimum(read[:, column], rest)
            drawn[:, column] = rest - read[:, column]
    return GateTimes(
        np.ones(len(columns), dtype=np.bool_),
        np.maximum(whole(drawn, WORKDAYS_LIMIT, LAND), 1),
        np.maximum(whole(read, WORKDAYS_LIMIT, LAND), 1),
        sampler.workdays,
    )


def _as_planned(sampler: Sampler, count: int) -> GateTimes:
    """With uncertainty off gates take exactly the time that the plan leaves them."""
    lengths = [length for _, chain in sampler.chains for length in chain.planned_days]
    is_open = [chain.fits for _, chain in sampler.chains for _ in chain.gates]
    review = np.maximum(np.array(lengths, dtype=np.int64) - 1, 1)
    return GateTimes(
        np.array(is_open, dtype=np.bool_),
        np.ones((count, len(lengths)), dtype=np.int64),
        np.broadcast_to(review, (count, len(lengths))),
        np.arange(sampler.frame.days + 1),
    )
