"""The risk register as kernels read it."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sim.plan.portfolio import Portfolio
from sim.sampling.inverses import Inverses
from sim.sampling.laws import Law
from sim.sampling.project_layout import knot_places
from sim.sampling.risks import RiskModel

Floats = NDArray[np.float64]

_NOTHING = np.uint64(0)
"""Stands where an address is expected and nothing is left to chance."""

SLOT = np.dtype(
    [
        ("project", np.int64),
        ("gate", np.int64),
        ("days_law", np.int64),
        ("cost_law", np.int64),
        ("share_law", np.int64),
        ("days_at", np.uint64),
        ("cost_at", np.uint64),
        ("share_at", np.uint64),
        ("drops", np.bool_),
    ],
    align=True,
)
"""A possible occurrence: whom and where it strikes, what it draws at which addresses, whether it
ends the project."""

TURN = np.dtype(
    [
        ("first", np.int64),
        ("projects", np.int64),
        ("repetitions", np.int64),
        ("fork_first", np.int64),
        ("fork_end", np.int64),
        ("loop", np.bool_),
    ],
    align=True,
)
"""A risk that comes again in a loop or triggers others: its first slot, and its forks."""

FORK = np.dtype([("decided", np.int64), ("first", np.int64), ("end", np.int64)], align=True)
"""Alternatives: where the addresses that decide begin (-1 where the first is certain), and which
branches they are."""

BRANCH = np.dtype(
    [("low", np.float64), ("high", np.float64), ("first", np.int64), ("end", np.int64)],
    align=True,
)
"""A part of [0, 1) in which a risk is triggered, and the pairs of projects concerned."""


class Risks(NamedTuple):
    """The register as kernels read it; S slots, P projects.

    Attributes
    ----------
    slots : ndarray of SLOT, shape (S,)
        In the order of the register.
    occurs_at, probability : ndarray of uint64 and float64, shape (S,)
        Address and probability of each occurrence by its own luck.
    turns : ndarray of TURN
        Risks to be worked off in order, each after those that trigger it.
    forks : ndarray of FORK
        Likewise.
    branches : ndarray of BRANCH
        Likewise.
    decided_at : ndarray of uint64
        Addresses of what decides forks, project by project.
    here, there : ndarray of int64
        Pairs: number among the projects of the triggering risk, and the slot that is triggered.
    grouped : ndarray of int64
        Slots of parallel groups, group by group.
    group_first : ndarray of int64, shape (number of groups + 1,)
        Where in them each group begins.
    behind, knot_place : ndarray of float64, shape (P,)
        Share of the whole work that is done at the status date, and of the work left that is
        planned up to the year's end.
    stop_first : ndarray of int64, shape (P + 1,)
        Where there is room for the stops of each project.
    """

    slots: NDArray[np.void]
    occurs_at: NDArray[np.uint64]
    probability: Floats
    turns: NDArray[np.void]
    forks: NDArray[np.void]
    branches: NDArray[np.void]
    decided_at: NDArray[np.uint64]
    here: NDArray[np.int64]
    there: NDArray[np.int64]
    grouped: NDArray[np.int64]
    group_first: NDArray[np.int64]
    behind: Floats
    knot_place: Floats
    stop_first: NDArray[np.int64]


def lay_out_risks(
    model: RiskModel | None,
    addresses: NDArray[np.uint64],
    portfolio: Portfolio,
    inverses: Inverses,
) -> Risks:
    """Lay out the register.

    Parameters
    ----------
    model : RiskModel or None
        None where no risk can strike.
    addresses : ndarray of uint64
        Of the model's labels.
    portfolio : Portfolio
        The plan and its baseline.
    inverses : Inverses
        Takes the distributions.
    """
    count = 0 if model is None else len(model.risk)
    slots = np.zeros(count, SLOT)
    occurs_at, probability = np.zeros(count, np.uint64), np.zeros(count)
    forks = _Forks()
    grouped = group_starts = np.zeros(0, np.int64)
    rooms = np.zeros(portfolio.size, np.int64)
    if model is not None:
        slots["project"], slots["gate"] = model.project, model.gate
        slots["drops"] = model.drops
        first_slots = {law.position: law.slots.start for law in model.laws}
        for law in model.laws:
            mine = slots[law.slots]
            for name, distribution, at in (
                ("days", law.days, law.days_at),
                ("cost", law.cost, law.cost_at),
                ("share", law.share, law.share_at),
            ):
                if distribution is not None:
                    mine[f"{name}_law"] = inverses.add(distribution)
                    mine[f"{name}_at"] = addresses[at] if at.size else _NOTHING
            if law.occurs_at.size:
                occurs_at[law.slots] = addresses[law.occurs_at]
            probability[law.slots] = np.where(law.by_luck.ravel(), law.probability, 0.0)
            forks.add(law, model, first_slots, addresses)
        grouped, group_starts = model.grouped, model.group_starts
        rooms = np.bincount(model.project[model.gate < 0], minlength=portfolio.size)
    everything = np.maximum(portfolio.work_before + portfolio.work_left, 1)
    return Risks(
        slots=slots,
        occurs_at=occurs_at,
        probability=probability,
        **forks.tables(),
        grouped=grouped,
        group_first=np.append(group_starts, len(grouped)).astype(np.int64),
        behind=portfolio.work_before / everything,
        knot_place=knot_places(portfolio),
        stop_first=np.concatenate([[0], np.cumsum(rooms)]).astype(np.int64),
    )


class _Forks:
    """Lays out what triggers what, one risk after another."""

    def __init__(self) -> None:
        self._turns: list[tuple[int, ...]] = []
        self._forks: list[tuple[int, int, int]] = []
        self._branches: list[tuple[float, float, int, int]] = []
        self._decided: list[int] = []
        self._here: list[int] = []
        self._there: list[int] = []

    def add(
        self, law: Law, model: RiskModel, first_slots: dict[int, int], addresses: NDArray[np.uint64]
    ) -> None:
        """Lay out the next risk, if it comes in a loop or triggers any."""
        if not law.loop and not law.forks:
            return
        repetitions = {other.position: other.repetitions for other in model.laws}
        first = len(self._forks)
        for fork in law.forks:
            branch_first = len(self._branches)
            for branch in fork.branches:
                pair_first = len(self._here)
                self._here += branch.here.tolist()
                step = repetitions[branch.target]
                self._there += (first_slots[branch.target] + branch.there * step).tolist()
                self._branches.append((branch.low, branch.high, pair_first, len(self._here)))
            decided = len(self._decided) if fork.decided_at.size else -1
            self._decided += addresses[fork.decided_at].tolist()
            self._forks.append((decided, branch_first, len(self._branches)))
        self._turns.append(
            (law.slots.start, law.projects, law.repetitions, first, len(self._forks), law.loop)
        )

    def tables(self) -> dict[str, Any]:
        """Return the tables of `Risks` that tell of triggers."""
        return {
            "turns": np.array(self._turns, dtype=TURN),
            "forks": np.array(self._forks, dtype=FORK),
            "branches": np.array(self._branches, dtype=BRANCH),
            "decided_at": np.array(self._decided, dtype=np.uint64),
            "here": np.array(self._here, dtype=np.int64),
            "there": np.array(self._there, dtype=np.int64),
        }
