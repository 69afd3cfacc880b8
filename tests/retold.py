"""Outcomes of a run told again: a run keeps counts and samples, tests look at single days."""

from __future__ import annotations

from sim.runs.outcomes import Outcomes
from sim.runs.simulate import Run, simulate_batch
from sim.sampling.sampler import build_sampler


def outcomes_of(run: Run) -> Outcomes:
    """Simulate the replications of a run once more and return what they tell."""
    return simulate_batch(build_sampler(run.portfolio, run.seed), range(run.replications))
