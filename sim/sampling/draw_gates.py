"""How long open gates take: as planned, or drawn from what is known of approvals."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sim.jit import compiled
from sim.plan.language import Distribution
from sim.sampling import register
from sim.sampling.draw_shared import Room
from sim.sampling.inverses import Draws, Inverses, evaluate_draws
from sim.sampling.rounding import WORKDAYS_LIMIT, Fault, fits, whole
from sim.sampling.sampler import Sampler
from sim.sampling.streams import fill_uniforms, uniform

Floats = NDArray[np.float64]
LAND = "land"
"""The gate whose times the land quota stretches."""
_LAND = int(Room.LAND)

GATE = np.dtype(
    [
        ("project", np.int64),
        ("elapsed_at", np.uint64),
        ("is_land", np.bool_),
        ("under_way", np.bool_),
    ],
    align=True,
)
"""An open gate: its project, the address of what is left of it, whether the land quota stretches
it, and whether its files were begun before the status date."""


class Gates(NamedTuple):
    """Draws of open gates.

    Attributes
    ----------
    rows : ndarray of GATE, shape (G,)
        In the order of the frame.
    preparation, review : Draws
        Working days.
    preparation_at, review_at : ndarray of uint64, shape (G,)
        Addresses.
    """

    rows: NDArray[np.void]
    preparation: Draws
    preparation_at: NDArray[np.uint64]
    review: Draws
    review_at: NDArray[np.uint64]


def lay_out_gates(sampler: Sampler, inverses: Inverses) -> Gates:
    """Lay out the draws of gates; switched off, they take what the plan leaves them.

    Parameters
    ----------
    sampler : Sampler
        Everything that drawing needs.
    inverses : Inverses
        Takes their distributions.
    """
    plan, on = sampler.portfolio.plan, sampler.switched_on("gates")
    rows, preparations, reviews = [], [], []
    for i, chain in sampler.chains:
        for gate, before, planned in zip(chain.gates, chain.after, chain.planned_days, strict=True):
            preparation, review = _fixed(1), _fixed(max(planned - 1, 1))
            if on:
                filed = plan.gates[plan.projects[i].procedure, gate]
                preparation, review = filed.preparation, filed.review
            preparations.append(inverses.add(preparation))
            reviews.append(inverses.add(review))
            rows.append((i, 0, on and gate == LAND, on and chain.under_way and not before))
    table = np.array(rows, dtype=GATE)
    addresses, groups = sampler.addresses, sampler.groups
    table["elapsed_at"] = addresses[groups[register.GATE_ELAPSED]]
    return Gates(
        rows=table,
        preparation=inverses.draws(preparations),
        preparation_at=addresses[groups[register.GATE_PREPARATION]],
        review=inverses.draws(reviews),
        review_at=addresses[groups[register.GATE_REVIEW]],
    )


def _fixed(days: int) -> Distribution:
    return Distribution("fixed", (float(days),))


@compiled
def draw_gates(
    gates: Gates,
    laws: NDArray[np.void],
    numbers: Floats,
    seed: np.uint64,
    replication: np.uint64,
    effects: Floats,
    preparation: Floats,
    review: Floats,
    room: Floats,
    files: NDArray[np.void],
) -> int:
    """Draw the working days of all open gates.

    Parameters
    ----------
    gates, laws, numbers, seed, replication
        What is drawn, and how.
    effects : ndarray of float64, shape (6, P)
        Joint effect of drivers, by `Room`.
    preparation, review : ndarray of float64, shape (G,)
        Room.
    room : ndarray of float64, shape (3, at least G)
        Room.
    files : ndarray of FILE, shape (G,)
        Filled, without what risks do.

    Returns
    -------
    int
        A `Fault`.
    """
    rows = gates.rows
    fill_uniforms(seed, replication, gates.preparation_at, preparation)
    fill_uniforms(seed, replication, gates.review_at, review)
    evaluate_draws(laws, numbers, gates.preparation, preparation, False, room, preparation)
    evaluate_draws(laws, numbers, gates.review, review, False, room, review)
    for g in range(len(rows)):
        one = rows[g]
        before, after = preparation[g], review[g]
        if one["is_land"]:
            before *= effects[_LAND, one["project"]]
            after *= effects[_LAND, one["project"]]
        if one["under_way"]:
            # Of a gate under way the rest is drawn: what was done by the status date is a
            # uniform share of the whole, taken from the preparation first.
            rest = (before + after) * uniform(seed, replication, one["elapsed_at"])
            after = min(after, rest)
            before = rest - after
        if not (fits(before, WORKDAYS_LIMIT) and fits(after, WORKDAYS_LIMIT)):
            return Fault.LAND.value
        files[g]["preparation"] = max(whole(before), 1)
        files[g]["review"] = max(whole(after), 1)
        files[g]["delay"] = 0
        files[g]["dropped"] = 0
    return Fault.NONE.value
