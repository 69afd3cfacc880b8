"""The risk register: which occurrences may strike, and which of them do in a replication.

A *slot* is a possible occurrence: a risk, a project, a repetition. What becomes of it depends on
the draws of its own risk and on the risks that trigger it, so risks are worked off in an order in
which each follows those that trigger it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from graphlib import TopologicalSorter

import numpy as np
from numpy.typing import NDArray

from sim.plan.approvals import GateChain
from sim.plan.language import Distribution
from sim.plan.portfolio import Portfolio
from sim.plan.problems import Told
from sim.plan.quantiles import quantile
from sim.plan.risks import covers
from sim.plan.rows import Alternatives, Plan, Project, Risk
from sim.sampling import register
from sim.sampling.realization import Bools, Ints

Floats = NDArray[np.float64]

WORK = -1
"""Stands where the number of a gate is expected, for a risk that strikes the work."""


@dataclass(frozen=True, slots=True)
class Branch:
    """A risk that is triggered where a uniform falls into a part of [0, 1).

    Attributes
    ----------
    low, high : float
        The part; those of alternatives do not overlap.
    target : int
        Position of the triggered risk in the plan.
    here, there : ndarray of int64
        The projects that both risks may strike: positions among those of the triggering risk and
        among those of the triggered one.
    """

    low: float
    high: float
    target: int
    here: Ints
    there: Ints


@dataclass(frozen=True, slots=True)
class Fork:
    """Alternatives, of which one at most is triggered.

    Attributes
    ----------
    decided_at : ndarray of int64
        The uniform that decides, of each project of the triggering risk; empty where the first
        branch is certain.
    branches : tuple of Branch
        What may be triggered.
    """

    decided_at: Ints
    branches: tuple[Branch, ...]


@dataclass(frozen=True, slots=True)
class Law:
    """One risk as it is in force, mitigated or not.

    Attributes
    ----------
    position : int
        Position of the risk in the plan.
    slots : slice
        Its slots: project by project, and of each project the repetitions.
    projects, repetitions : int
        Numbers of each.
    loop : bool
        Whether a repetition needs the one before it.
    probability : float
        Of each occurrence.
    days, cost : Distribution
        Length, and multiplier of the cost that remains.
    share : Distribution or None
        Share of the work that is left; None at a gate.
    occurs_at, days_at, cost_at, share_at : ndarray of int64
        The uniform to use, of each slot; empty where nothing is left to chance.
    forks : tuple of Fork
        What it triggers.
    """

    position: int
    slots: slice
    projects: int
    repetitions: int
    loop: bool
    probability: float
    days: Distribution
    cost: Distribution
    share: Distribution | None
    occurs_at: Ints
    days_at: Ints
    cost_at: Ints
    share_at: Ints
    forks: tuple[Fork, ...]


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

    labels: tuple[register.Label, ...]
    risk: Ints
    project: Ints
    gate: Ints
    drops: Bools
    mitigation_cost: Ints
    unused: tuple[tuple[str, Told], ...]
    laws: tuple[Law, ...]
    grouped: Ints
    group_starts: Ints


@dataclass(frozen=True, slots=True)
class Struck:
    """What becomes of each slot; R replications, S slots. What does not strike leaves 0, 0, 1.

    Attributes
    ----------
    struck : ndarray of bool, shape (R, S)
        Whether it strikes, after triggers and parallel groups.
    days : ndarray of int64, shape (R, S)
        Days lost; gained where negative.
    share : ndarray of float64, shape (R, S)
        Share of the work left at the status date at which it strikes; 0 at a gate.
    cost : ndarray of float64, shape (R, S)
        Multiplier of the cost that remains.
    """

    struck: Bools
    days: Ints
    share: Floats
    cost: Floats


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
    order = _order(plan.risks)
    reach = _reach(plan, order, places, mitigated)
    slots = [
        (position, project, _place(one, places)[project])
        for position, one in enumerate(plan.risks)
        for project in reach[position]
        for _ in range(one.repeat.most)
    ]
    risk, project, gate = np.array(slots, dtype=np.int64).reshape(-1, 3).T
    drops = np.array([one.effect == "drop" for one in plan.risks], dtype=np.bool_)
    layout = _Layout(plan, reach, mitigated)
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


def _place(one: Risk, places: Mapping[str, dict[int, int]]) -> dict[int, int]:
    return places.get(one.at if isinstance(one.at, str) else "", {})


def _order(risks: Sequence[Risk]) -> list[int]:
    """Return the positions of risks, each after those that trigger it."""
    position = {one.id: number for number, one in enumerate(risks)}
    triggering: dict[int, list[int]] = {number: [] for number in range(len(risks))}
    for one in risks:
        for alternatives in one.triggers:
            for name, _ in alternatives:
                triggering[position[name]].append(position[one.id])
    return list(TopologicalSorter(triggering).static_order())


def _probability(one: Risk, mitigated: Set[str]) -> float:
    if one.id in mitigated and one.mitigated_probability is not None:
        return one.mitigated_probability
    return one.probability


def _days(one: Risk, mitigated: Set[str]) -> Distribution:
    if one.id in mitigated and one.mitigated_days is not None:
        return one.mitigated_days
    return one.days


def _reach(
    plan: Plan, order: Sequence[int], places: Mapping[str, dict[int, int]], mitigated: Set[str]
) -> list[list[int]]:
    """Return the projects that each risk may strike, by its own luck or triggered, by risk.

    A risk that mitigation makes impossible is still counted where it was possible: that is where
    the mitigation is paid for.
    """
    position = {one.id: number for number, one in enumerate(plan.risks)}
    triggered: list[set[int]] = [set() for _ in plan.risks]
    reach: list[list[int]] = [[] for _ in plan.risks]
    for number in order:
        one = plan.risks[number]
        own: set[int] = set()
        if max(one.probability, _probability(one, mitigated)) > 0:
            own = {i for i, each in enumerate(plan.projects) if covers(one.applies_to, each)}
        reach[number] = sorted((own | triggered[number]) & _place(one, places).keys())
        for alternatives in one.triggers:
            for name, probability in alternatives:
                if probability > 0:
                    triggered[position[name]].update(reach[number])
    return reach


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


def _subject(one: Risk, project: Project) -> str:
    """Return whose luck it is. No id holds a colon, so no two subjects read the same."""
    match one.scope:
        case "city":
            return one.id
        case "county":
            return f"{one.id}:{project.county}"
        case _:
            return f"{one.id}:{project.id}"


class _Layout:
    """Lays out risks one after another, and notes the draws that they need.

    Attributes
    ----------
    columns : dict of Label to int
        The draws noted so far, each with its number.
    """

    def __init__(self, plan: Plan, reach: Sequence[Sequence[int]], mitigated: Set[str]) -> None:
        self.columns: dict[register.Label, int] = {}
        self._plan, self._reach, self._mitigated = plan, reach, mitigated
        self._position = {one.id: number for number, one in enumerate(plan.risks)}
        self._slots = 0

    def law(self, position: int) -> Law:
        """Lay out the next risk; the slots of one follow those of the one before."""
        one = self._plan.risks[position]
        subjects = [_subject(one, self._plan.projects[i]) for i in self._reach[position]]
        each = tuple(range(one.repeat.most))
        # A loop comes back to the same place.
        places = (0,) * one.repeat.most if one.repeat.loop else each
        probability = _probability(one, self._mitigated)
        days = _days(one, self._mitigated)
        share = None if isinstance(one.at, str) else one.at
        first = self._slots
        self._slots += len(subjects) * one.repeat.most
        return Law(
            position=position,
            slots=slice(first, self._slots),
            projects=len(subjects),
            repetitions=one.repeat.most,
            loop=one.repeat.loop,
            probability=probability,
            days=days,
            cost=one.cost,
            share=share,
            occurs_at=self._draws(0 < probability < 1, subjects, register.RISK_OCCURS, each),
            days_at=self._draws(_varies(days), subjects, register.RISK_DAYS, each),
            cost_at=self._draws(_varies(one.cost), subjects, register.RISK_COST, each),
            share_at=self._draws(_varies(share), subjects, register.RISK_PLACE, places),
            forks=tuple(
                Fork(
                    self._draws(alternatives[0][1] < 1, subjects, register.RISK_TRIGGER, (index,)),
                    self._branches(position, alternatives),
                )
                for index, alternatives in enumerate(one.triggers)
            ),
        )

    def _draws(
        self, by_chance: bool, subjects: Sequence[str], variable: str, indexes: Sequence[int]
    ) -> Ints:
        """Note the draws of each subject; none where nothing is left to chance."""
        labels = [(subject, variable, index) for subject in subjects for index in indexes]
        numbers = [
            self.columns.setdefault(label, len(self.columns))
            for label in (labels if by_chance else ())
        ]
        return np.array(numbers, dtype=np.int64)

    def _branches(self, position: int, alternatives: Alternatives) -> tuple[Branch, ...]:
        branches = []
        low = 0.0
        for name, probability in alternatives:
            target = self._position[name]
            here, there = self._reach[position], self._reach[target]
            _, in_here, in_there = np.intersect1d(
                np.array(here, dtype=np.int64), np.array(there, dtype=np.int64),
                assume_unique=True, return_indices=True,
            )  # fmt: skip
            if in_here.size:
                branches.append(Branch(low, low + probability, target, in_here, in_there))
            low += probability
        return tuple(branches)


def _varies(distribution: Distribution | None) -> bool:
    return distribution is not None and distribution.name != "fixed"


def strike(model: RiskModel, uniforms: Floats) -> Struck:
    """Tell which slots strike in each replication, and how hard.

    Parameters
    ----------
    model : RiskModel
        From `risk_model`.
    uniforms : ndarray of float64, shape (R, number of labels)
        In the order of `RiskModel.labels`.

    Returns
    -------
    Struck
        Where, and with what.
    """
    occurs = _occurrences(model, uniforms)
    days = np.zeros(occurs.shape, dtype=np.int64)
    share, cost = np.zeros(occurs.shape), np.ones(occurs.shape)
    for law in model.laws:
        hit = occurs[:, law.slots]
        drawn = _drawn(law.days, law.days_at, uniforms, hit)
        days[:, law.slots][hit] = np.rint(drawn)
    struck = _longest(model, occurs, days)
    days[~struck] = 0
    for law in model.laws:
        hit = struck[:, law.slots]
        cost[:, law.slots][hit] = _drawn(law.cost, law.cost_at, uniforms, hit)
        if law.share is not None:
            drawn = _drawn(law.share, law.share_at, uniforms, hit)
            # A tail that the check of the plan took for impossible is cut.
            share[:, law.slots][hit] = np.minimum(drawn, 1.0)
    return Struck(struck, days, share, cost)


def _occurrences(model: RiskModel, uniforms: Floats) -> Bools:
    """Tell which occurrences come, by their own luck or triggered."""
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
    """Draw for the slots that are hit, in row-major order."""
    rows, slots = np.nonzero(hit)
    if not columns.size:
        return np.full(rows.shape, distribution.parameters[0])
    return quantile(distribution, uniforms[rows, columns[slots]])


def _longest(model: RiskModel, occurs: Bools, days: Ints) -> Bools:
    """Leave of each parallel group the longest occurrence, the first of equals."""
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
