"""Which registered risks strike in a replication, and what they do to gates, work and cost."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sim.jit import compiled
from sim.sampling.inverses import evaluate
from sim.sampling.realization import GIVEN_UP
from sim.sampling.risk_layout import Risks
from sim.sampling.rounding import whole_days
from sim.sampling.streams import fill_uniforms, uniform

Floats = NDArray[np.float64]

_PERFECT_DAY = 1000
"""Milli-days that an opportunity saves for each day."""


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
    grouped, first = risks.grouped, risks.group_first
    count = 0
    for group in range(len(first) - 1):
        longest, best = 0.0, -1
        for k in range(first[group], first[group + 1]):
            slot = grouped[k]
            if not occurs[slot]:
                continue
            length = float(whole_days(days[count]))
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
                stops[at]["days"] = GIVEN_UP if one["drops"] else days
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
            at, days = math.floor(place[k] * float(drawn[i]["work"])), stops[k]["days"]
            j = k
            while j > first and stops[j - 1]["at"] > at:
                stops[j]["at"], stops[j]["days"] = stops[j - 1]["at"], stops[j - 1]["days"]
                j -= 1
            stops[j]["at"], stops[j]["days"] = at, days
