"""Which registered risks strike in a replication, and what they do to gates, work and cost."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sim.jit import compiled
from sim.plan.portfolio import Portfolio
from sim.sampling import register
from sim.sampling.draw_projects import knot_places
from sim.sampling.inverses import Inverses, evaluate
from sim.sampling.laws import Law
from sim.sampling.risks import RiskModel
from sim.sampling.rounding import whole_days
from sim.sampling.streams import fill_uniforms, uniform

Floats = NDArray[np.float64]

DROP = -1
"""Days of a stop that ends its project."""
_PERFECT_DAY = 1000
"""Milli-days that an opportunity saves for each day."""
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


def lay_out_risks(model: RiskModel | None, portfolio: Portfolio, inverses: Inverses) -> Risks:
    """Lay out the register.

    Parameters
    ----------
    model : RiskModel or None
        None where no risk can strike.
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
        addresses = register.addresses(model.labels)
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

    def tables(self) -> dict[str, NDArray[np.generic]]:
        """Return the tables of `Risks` that tell of triggers."""
        return {
            "turns": np.array(self._turns, dtype=TURN),
            "forks": np.array(self._forks, dtype=FORK),
            "branches": np.array(self._branches, dtype=BRANCH),
            "decided_at": np.array(self._decided, dtype=np.uint64),
            "here": np.array(self._here, dtype=np.int64),
            "there": np.array(self._there, dtype=np.int64),
        }


class RiskRoom(NamedTuple):
    """Room for what strikes; S slots, P projects.

    Attributes
    ----------
    occurs : ndarray of bool, shape (S,)
        Which occurrences come.
    hits : ndarray of int64, shape (S,)
        The slots that strike, in order.
    days, cost, share : ndarray of float64, shape (S,)
        What each of them draws: days (0 for a drop), multiplier of the cost that remains, and
        share of the whole work (0 at a gate).
    law : ndarray of int64, shape (S,)
        Distributions.
    place : ndarray of float64, at least as many as there is room for stops
        Share of the work left at which each stop strikes.
    saved : ndarray of int64, shape (P,)
        Milli-days that opportunities take off the work.
    more, sooner : ndarray of float64, shape (P,)
        Change of the cost left in all, and of the part spent up to the year-end knot, as
        multiples of it: a multiplier acts on what remains at its place only.
    """

    occurs: NDArray[np.bool_]
    hits: NDArray[np.int64]
    days: Floats
    cost: Floats
    share: Floats
    law: NDArray[np.int64]
    place: Floats
    saved: NDArray[np.int64]
    more: Floats
    sooner: Floats


def risk_room(risks: Risks) -> RiskRoom:
    """Allocate room."""
    slots, projects = len(risks.slots), len(risks.behind)
    return RiskRoom(
        occurs=np.zeros(slots, np.bool_),
        hits=np.zeros(slots, np.int64),
        days=np.zeros(slots),
        cost=np.zeros(slots),
        share=np.zeros(slots),
        law=np.zeros(slots, np.int64),
        place=np.zeros(int(risks.stop_first[-1])),
        saved=np.zeros(projects, np.int64),
        more=np.zeros(projects),
        sooner=np.zeros(projects),
    )


@compiled
def draw_strikes(
    risks: Risks,
    laws: NDArray[np.void],
    numbers: Floats,
    seed: np.uint64,
    replication: np.uint64,
    room: RiskRoom,
) -> int:
    """Tell which slots strike, and how hard; what does not strike draws nothing more.

    Parameters
    ----------
    risks, laws, numbers, seed, replication
        What is drawn, and how.
    room : RiskRoom
        Its `hits`, `days`, `cost` and `share` are filled.

    Returns
    -------
    int
        Number of hits.
    """
    slots, occurs, hits = risks.slots, room.occurs, room.hits
    days, cost, share, law = room.days, room.cost, room.share, room.law
    fill_uniforms(seed, replication, risks.occurs_at, share)
    probability = risks.probability
    for s in range(len(slots)):
        occurs[s] = share[s] < probability[s]
    for turn in range(len(risks.turns)):
        _trigger(risks, turn, seed, replication, occurs)
    grouped = risks.grouped
    if len(grouped) > 0:
        count = 0
        for k in range(len(grouped)):
            slot = grouped[k]
            if occurs[slot]:
                hits[count], law[count] = slot, slots[slot]["days_law"]
                days[count] = uniform(seed, replication, slots[slot]["days_at"])
                count += 1
        evaluate(laws, numbers, law, days, count, False, days)
        _leave_the_longest(risks, days, occurs)
    count = 0
    for s in range(len(slots)):
        if occurs[s]:
            hits[count] = s
            count += 1
    for k in range(count):
        one = slots[hits[k]]
        law[k] = one["days_law"]
        days[k] = uniform(seed, replication, one["days_at"])
    evaluate(laws, numbers, law, days, count, False, days)
    for k in range(count):
        one = slots[hits[k]]
        law[k] = one["cost_law"]
        cost[k] = uniform(seed, replication, one["cost_at"])
    evaluate(laws, numbers, law, cost, count, False, cost)
    for k in range(count):
        one = slots[hits[k]]
        law[k] = one["share_law"]
        share[k] = 0.5
        if one["gate"] < 0:
            share[k] = uniform(seed, replication, one["share_at"])
    evaluate(laws, numbers, law, share, count, False, share)
    for k in range(count):
        one = slots[hits[k]]
        # What ends a project has no length.
        days[k] = 0.0 if one["drops"] else float(whole_days(days[k]))
        # A tail that the check of the plan took for impossible is cut.
        share[k] = min(share[k], 1.0) if one["gate"] < 0 else 0.0
    return count


@compiled
def _trigger(
    risks: Risks, turn: int, seed: np.uint64, replication: np.uint64, occurs: NDArray[np.bool_]
) -> None:
    """Let a risk come again in its loop, and trigger others."""
    one = risks.turns[turn]
    forks, branches, decided_at = risks.forks, risks.branches, risks.decided_at
    repetitions = one["repetitions"]
    if one["loop"]:
        for i in range(one["projects"]):
            slot = one["first"] + i * repetitions
            for s in range(slot + 1, slot + repetitions):
                occurs[s] = occurs[s] and occurs[s - 1]
    for f in range(one["fork_first"], one["fork_end"]):
        decided = forks[f]["decided"]
        for b in range(forks[f]["first"], forks[f]["end"]):
            branch = branches[b]
            for pair in range(branch["first"], branch["end"]):
                i = risks.here[pair]
                slot = one["first"] + i * repetitions
                strikes = False
                for s in range(slot, slot + repetitions):
                    strikes = strikes or occurs[s]
                if strikes:
                    u = 0.0
                    if decided >= 0:
                        u = uniform(seed, replication, decided_at[decided + i])
                    if branch["low"] <= u and u < branch["high"]:
                        occurs[risks.there[pair]] = True


@compiled
def _leave_the_longest(risks: Risks, days: Floats, occurs: NDArray[np.bool_]) -> None:
    """Leave of each parallel group the longest occurrence, the first of equals.

    Parameters
    ----------
    risks : Risks
        Names the groups.
    days : ndarray of float64
        Days of the occurrences in groups, one after another.
    occurs : ndarray of bool, shape (S,)
        Changed.
    """
    slots, grouped, first = risks.slots, risks.grouped, risks.group_first
    count = 0
    for group in range(len(first) - 1):
        longest, best = 0.0, -1
        for k in range(first[group], first[group + 1]):
            slot = grouped[k]
            if not occurs[slot]:
                continue
            length = 0.0 if slots[slot]["drops"] else float(whole_days(days[count]))
            count += 1
            if best < 0 or length > longest:
                if best >= 0:
                    occurs[best] = False
                longest, best = length, slot
            else:
                occurs[slot] = False


@compiled
def let_strike(
    risks: Risks,
    count: int,
    room: RiskRoom,
    files: NDArray[np.void],
    drawn: NDArray[np.void],
    stops: NDArray[np.void],
) -> None:
    """Let what strikes act on files and money, and note stops.

    Parameters
    ----------
    risks : Risks
        The register.
    count : int
        Number of hits.
    room : RiskRoom
        Holds the hits; `saved`, `more`, `sooner` and `place` are filled.
    files : ndarray of FILE, shape (G,)
        Delays and drops are added.
    drawn : ndarray of DRAWN, shape (P,)
        Told where the stops of each project stand.
    stops : ndarray of STOP
        Their days are noted; `place_stops` says where they strike.
    """
    slots, behind, knot_place = risks.slots, risks.behind, risks.knot_place
    saved, more, sooner, place = room.saved, room.more, room.sooner, room.place
    for i in range(len(behind)):
        saved[i], more[i], sooner[i] = 0, 0.0, 0.0
        drawn[i]["stop_first"] = risks.stop_first[i]
        drawn[i]["stop_end"] = risks.stop_first[i]
    for k in range(count):
        one = slots[room.hits[k]]
        i, gate, days = one["project"], one["gate"], int(room.days[k])
        share = 0.0
        if gate < 0:
            # A place in the work that the status date finds passed strikes no more; else the
            # share of the whole becomes one of the work that is left.
            share, gone = room.share[k], behind[i]
            if share < gone:
                continue
            share = min(max((share - gone) / max(1.0 - gone, 1e-12), 0.0), 1.0)
            if days < 0:
                saved[i] -= days * _PERFECT_DAY
            elif days > 0 or one["drops"]:
                at = drawn[i]["stop_end"]
                place[at] = share
                stops[at]["days"] = DROP if one["drops"] else days
                drawn[i]["stop_end"] = at + 1
        else:
            files[gate]["delay"] += days
            if one["drops"]:
                files[gate]["dropped"] = 1
        effect = (room.cost[k] - 1.0) * (1.0 - share)
        inside = max(knot_place[i] - share, 0.0) / max(1.0 - share, 1e-12)
        more[i] += effect
        sooner[i] += effect * inside


@compiled
def place_stops(place: Floats, drawn: NDArray[np.void], stops: NDArray[np.void]) -> None:
    """Turn places into milli-days of work, and bring the stops of each project in order.

    Stops at one place keep the order of the register.
    """
    for i in range(len(drawn)):
        first = drawn[i]["stop_first"]
        for k in range(first, drawn[i]["stop_end"]):
            at, days = int(math.floor(place[k] * float(drawn[i]["work"]))), stops[k]["days"]
            j = k
            while j > first and stops[j - 1]["at"] > at:
                stops[j]["at"], stops[j]["days"] = stops[j - 1]["at"], stops[j - 1]["days"]
                j -= 1
            stops[j]["at"], stops[j]["days"] = at, days
