"""One replication alone, with the log of its events."""

from __future__ import annotations

import datetime
from dataclasses import dataclass

from sim.engine.reference import run_reference
from sim.engine.trajectory import Event, Trajectory
from sim.plan.portfolio import build_portfolio
from sim.plan.rows import Plan
from sim.sampling.draws import draw
from sim.sampling.sampler import build_sampler


@dataclass(frozen=True, slots=True)
class Replay:
    """What happened in one replication.

    Attributes
    ----------
    origin : datetime.date
        Date of day 0.
    projects : tuple of (id, name)
        In order of rank, as the events number them.
    gates : tuple of str
        Codes of all open gates, as the events number them.
    accounts : tuple of str
        Names of the accounts, as the events number them.
    events : tuple of Event
        In the order in which they happened.
    trajectory : Trajectory
        Dates and amounts.
    """

    origin: datetime.date
    projects: tuple[tuple[str, str], ...]
    gates: tuple[str, ...]
    accounts: tuple[str, ...]
    events: tuple[Event, ...]
    trajectory: Trajectory


def replay_one(plan: Plan, seed: int, replication: int) -> Replay:
    """Simulate one replication with its log; any can be replayed alone.

    Parameters
    ----------
    plan : Plan
        A checked plan.
    seed, replication : int
        Root seed and number of the replication.
    """
    portfolio = build_portfolio(plan)
    sampler = build_sampler(portfolio, seed)
    events: list[Event] = []
    trajectory = run_reference(sampler.frame, next(draw(sampler, [replication])), events)
    return Replay(
        origin=portfolio.origin,
        projects=tuple((one.id, one.name) for one in plan.projects),
        gates=tuple(gate for _, chain in sampler.chains for gate in chain.gates),
        accounts=tuple(one.name for one in sampler.purses.accounts),
        events=tuple(events),
        trajectory=trajectory,
    )
