"""Outcomes of a run told again: a run keeps counts and samples, tests look at single days."""

from __future__ import annotations

from collections.abc import Iterable

from sim.runs.layout import Layout
from sim.runs.outcomes import Outcomes
from sim.runs.samples import Samples, join_samples
from sim.runs.simulate import Run
from sim.runs.tally import Tally, absorb, empty_tally
from sim.runs.workers import BatchResult, simulate_batch
from sim.sampling.sampler import build_sampler


def gather(layout: Layout, results: Iterable[BatchResult]) -> tuple[Tally, Samples]:
    """Return the tally and the samples of all batches, in whatever order they come."""
    tally, samples = empty_tally(layout), []
    for result in results:
        absorb(tally, result.arrays)
        samples.append(result.samples)
    return tally, join_samples(samples)


def outcomes_of(run: Run) -> Outcomes:
    """Simulate the replications of a run once more and return what they tell."""
    return simulate_batch(
        build_sampler(run.portfolio, run.seed, run.sampling), range(run.replications)
    )
