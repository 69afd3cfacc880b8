"""Each registered risk as it is in force: whom it may strike, what it draws, what it triggers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from graphlib import TopologicalSorter

import numpy as np

from sim.plan.language import Distribution
from sim.plan.risks import covers
from sim.plan.rows import Alternatives, Plan, Project, Risk
from sim.sampling import register
from sim.sampling.realization import Bools, Ints

Places = Mapping[str, Mapping[int, int]]
"""By gate, the projects at which it is open and its number there; the work has a blank name."""


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
    by_luck : ndarray of bool, shape (projects, repetitions)
        False where only a trigger brings it: outside its filter, but for coming again in a loop.
    days, cost : Distribution
        Length, and multiplier of the cost that remains.
    share : Distribution or None
        Share of the whole work; None at a gate.
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
    by_luck: Bools
    days: Distribution
    cost: Distribution
    share: Distribution | None
    occurs_at: Ints
    days_at: Ints
    cost_at: Ints
    share_at: Ints
    forks: tuple[Fork, ...]


def place_of(one: Risk, places: Places) -> Mapping[int, int]:
    """Return the projects at which a risk has a place to strike."""
    return places.get(one.at if isinstance(one.at, str) else "", {})


def order_of_triggers(risks: Sequence[Risk]) -> list[int]:
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


def reach_of(
    plan: Plan, order: Sequence[int], places: Places, mitigated: Set[str]
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
        reach[number] = sorted((own | triggered[number]) & place_of(one, places).keys())
        for alternatives in one.triggers:
            for name, probability in alternatives:
                if probability > 0:
                    triggered[position[name]].update(reach[number])
    return reach


def _subject(one: Risk, project: Project) -> str:
    """Return whose luck it is. No id holds a colon, so no two subjects read the same."""
    match one.scope:
        case "city":
            return one.id
        case "county":
            return f"{one.id}:{project.county}"
        case _:
            return f"{one.id}:{project.id}"


class Layout:
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
        struck = [self._plan.projects[i] for i in self._reach[position]]
        subjects = [_subject(one, each) for each in struck]
        by_luck = np.empty((len(struck), one.repeat.most), dtype=np.bool_)
        by_luck[:] = np.array([covers(one.applies_to, each) for each in struck])[:, None]
        by_luck[:, 1:] |= one.repeat.loop
        numbers = tuple(range(one.repeat.most))
        # A loop comes back to the same place.
        places = (0,) * one.repeat.most if one.repeat.loop else numbers
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
            by_luck=by_luck,
            days=days,
            cost=one.cost,
            share=share,
            occurs_at=self._draws(0 < probability < 1, subjects, register.RISK_OCCURS, numbers),
            days_at=self._draws(_varies(days), subjects, register.RISK_DAYS, numbers),
            cost_at=self._draws(_varies(one.cost), subjects, register.RISK_COST, numbers),
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
        columns = [
            self.columns.setdefault(label, len(self.columns))
            for label in (labels if by_chance else ())
        ]
        return np.array(columns, dtype=np.int64)

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
