"""One replication alone, with the log of its events."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass

from sim.engine.reference import run_reference
from sim.engine.trajectory import Event, Trajectory
from sim.plan.configuration import Sampling
from sim.plan.portfolio import Portfolio, build_portfolio
from sim.plan.rows import Plan, Project
from sim.runs.cause_tables import calendar_titles, cause_names
from sim.sampling.draws import draw
from sim.sampling.sampler import Sampler, build_sampler


@dataclass(frozen=True, slots=True)
class OpenGate:
    """What people call a gate, and the window at which it is reviewed.

    Attributes
    ----------
    code, name : str
        Code and name; the code again where gates.csv gives no name.
    window, window_name : str
        The same of the window; empty where there is none.
    """

    code: str
    name: str
    window: str
    window_name: str


@dataclass(frozen=True, slots=True)
class Replay:
    """What happened in one replication.

    Attributes
    ----------
    origin : datetime.date
        Date of day 0.
    projects : tuple of Project
        In order of rank, as the events number them.
    gates : tuple of OpenGate
        All open gates, as the events number them.
    accounts : tuple of str
        Names of the accounts, as the events number them.
    causes : tuple of str
        Causes of days: those of `rules.Wait`, of `rules.Cause`, and of the calendar.
    cause_titles : mapping
        What people call the causes of the calendar, by language.
    events : tuple of Event
        In the order in which they happened.
    trajectory : Trajectory
        Dates and amounts.
    """

    origin: datetime.date
    projects: tuple[Project, ...]
    gates: tuple[OpenGate, ...]
    accounts: tuple[str, ...]
    causes: tuple[str, ...]
    cause_titles: Mapping[str, Mapping[str, str]]
    events: tuple[Event, ...]
    trajectory: Trajectory


def replay_one(plan: Plan, seed: int, replication: int, sampling: Sampling = "quasi") -> Replay:
    """Simulate one replication with its log; any can be replayed alone.

    Parameters
    ----------
    plan : Plan
        A checked plan.
    seed, replication : int
        Root seed and number of the replication.
    sampling : str
        Where the run took its shared draws from: `quasi` or `plain`.
    """
    portfolio = build_portfolio(plan)
    sampler = build_sampler(portfolio, seed, sampling)
    events: list[Event] = []
    trajectory = run_reference(sampler.frame, next(draw(sampler, [replication])), events)
    return Replay(
        origin=portfolio.origin,
        projects=plan.projects,
        gates=_open_gates(portfolio, sampler),
        accounts=tuple(one.name for one in sampler.purses.accounts),
        causes=tuple(cause_names(portfolio)),
        cause_titles=calendar_titles(portfolio),
        events=tuple(events),
        trajectory=trajectory,
    )


def _open_gates(portfolio: Portfolio, sampler: Sampler) -> tuple[OpenGate, ...]:
    plan = portfolio.plan
    windows = {one.window: one.name or one.window for one in plan.windows}
    gates = [
        plan.gates[plan.projects[i].procedure, code]
        for i, chain in sampler.chains
        for code in chain.gates
    ]
    return tuple(
        OpenGate(one.gate, one.name or one.gate, one.window, windows.get(one.window, ""))
        for one in gates
    )
