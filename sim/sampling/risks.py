"""The risk register: which occurrences may strike, and which of them do in a replication.

A *slot* is a possible occurrence: a risk, a project, a repetition. What becomes of it depends on
the draws of its own risk and on the risks that trigger it, so risks are worked off in an order in
which each follows those that trigger it.
"""

from __future__ import annotations

from collections.abc import Sequence, Set
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sim.plan.approvals import GateChain
from sim.plan.portfolio import Portfolio
from sim.plan.problems import Told
from sim.plan.risks import covers
from sim.plan.rows import Plan, Risk
from sim.sampling.laws import Law, Layout, order_of_triggers, place_of, reach_of
from sim.sampling.realization import Bools, Ints
from sim.sampling.register import Label

Floats = NDArray[np.float64]

WORK = -1
"""Stands where the number of a gate is expected, for a risk that strikes the work."""


@dataclass(frozen=True, slots=True)
class RiskModel:
    """What does not change from one replication to the next; S slots, P projects.

    Attributes
    ----------
    labels : tuple of Label
        Addresses of its uniforms, in order.
    risk, project : ndarray of int64, shape (S,)
        Positions in the plan.
    gate : ndarray of int64, shape (S,)
        Number among all open gates, in the order of the frame; `WORK` for the work.
    drops : ndarray of bool, shape (S,)
        Whether an occurrence ends the project.
    mitigation_cost : ndarray of int64, shape (P,)
        Yuan that mitigation adds to the total cost of each project.
    unused : tuple of (str, Told)
        Risks that can strike nothing, with the reason.
    laws : tuple of Law
        Risks that can strike, each after those that trigger it.
    grouped, group_starts : ndarray of int64
        Slots of parallel groups, group by group, and where in them each group begins.
    """

    labels: tuple[Label, ...]
    risk: Ints
    project: Ints
    gate: Ints
    drops: Bools
    mitigation_cost: Ints
    unused: tuple[tuple[str, Told], ...]
    laws: tuple[Law, ...]
    grouped: Ints
    group_starts: Ints


def risk_model(
    portfolio: Portfolio, chains: Sequence[tuple[int, GateChain]], mitigated: Set[str]
) -> RiskModel | None:
    """Lay out the slots of the risk register and their draws.

    Parameters
    ----------
    portfolio : Portfolio
        The plan and its baseline.
    chains : sequence of (int, GateChain)
        Projects with open gates, by position.
    mitigated : set of str
        Risks against which something is done.

    Returns
    -------
    RiskModel or None
        None where the plan registers no risk.

    Raises
    ------
    ValueError
        If a mitigated risk does not stand in the register.
    """
    plan = portfolio.plan
    unknown = mitigated - {one.id for one in plan.risks}
    if unknown:
        raise ValueError(f"no such risks: {', '.join(sorted(unknown))}")
    if not plan.risks:
        return None
    places = _places(portfolio, chains)
    order = order_of_triggers(plan.risks)
    reach = reach_of(plan, order, places, mitigated)
    slots = [
        (position, project, place_of(one, places)[project])
        for position, one in enumerate(plan.risks)
        for project in reach[position]
        for _ in range(one.repeat.most)
    ]
    risk, project, gate = np.array(slots, dtype=np.int64).reshape(-1, 3).T
    drops = np.array([one.effect == "drop" for one in plan.risks], dtype=np.bool_)
    layout = Layout(plan, reach, mitigated)
    laws = [layout.law(position) for position in range(len(plan.risks))]
    grouped, group_starts = _parallel(plan.risks, slots)
    mitigation_cost = np.zeros(portfolio.size, dtype=np.int64)
    for one, struck in zip(plan.risks, reach, strict=True):
        if one.id in mitigated:
            mitigation_cost[struck] += one.mitigation_cost
    return RiskModel(
        labels=tuple(layout.columns),
        risk=risk,
        project=project,
        gate=gate,
        drops=drops[risk],
        mitigation_cost=mitigation_cost,
        unused=tuple(
            (one.id, _why_unused(plan, one))
            for one, struck in zip(plan.risks, reach, strict=True)
            if not struck
        ),
        laws=tuple(laws[position] for position in order if reach[position]),
        grouped=grouped,
        group_starts=group_starts,
    )


def _places(
    portfolio: Portfolio, chains: Sequence[tuple[int, GateChain]]
) -> dict[str, dict[int, int]]:
    """Return, by gate, the projects at which it is open, each with the number of the open gate.

    The work stands among the gates under a blank name: it is left at every unfinished project.
    """
    unfinished = np.flatnonzero(~portfolio.finished).tolist()
    places: dict[str, dict[int, int]] = {"": dict.fromkeys(unfinished, WORK)}
    number = 0
    for position, chain in chains:
        for gate in chain.gates:
            places.setdefault(gate, {})[position] = number
            number += 1
    return places


def _why_unused(plan: Plan, one: Risk) -> Told:
    place = Told("未完的工程", "work left")
    if isinstance(one.at, str):
        place = Told(f"待办的手续“{one.at}”", f"gate '{one.at}' open")
    if one.probability == 0:
        return Told(
            f"概率为 0，也没有风险在有{place.zh}的项目上触发它",
            f"its probability is 0, and nothing triggers it at a project with {place.en}",
        )
    if not any(covers(one.applies_to, each) for each in plan.projects):
        return Told("没有项目符合适用范围", "its filter covers no project")
    return Told(f"所适用的项目都没有{place.zh}", f"no project that it covers has {place.en}")


def _parallel(risks: Sequence[Risk], slots: Sequence[tuple[int, int, int]]) -> tuple[Ints, Ints]:
    """Group the slots that share label, project and kind of place."""
    groups: dict[tuple[str, int, int], list[int]] = {}
    for slot, (position, project, gate) in enumerate(slots):
        label = risks[position].parallel
        if label:
            groups.setdefault((label, project, gate), []).append(slot)
    members = [slot for group in groups.values() for slot in group]
    sizes = [len(group) for group in groups.values()]
    ends = np.cumsum(sizes, dtype=np.int64)
    return np.array(members, dtype=np.int64), ends - sizes
