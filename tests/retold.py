"""Outcomes of a run told again: a run keeps counts and samples, tests look at single days."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor

from sim.runs.layout import Layout
from sim.runs.outcomes import Outcomes
from sim.runs.rows import prepare_runner, run_rows
from sim.runs.samples import Samples, join_samples
from sim.runs.simulate import Run
from sim.runs.tally import Tally, absorb, empty_tally
from sim.runs.workers import BatchResult
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
    runner = prepare_runner(build_sampler(run.portfolio, run.seed, run.sampling))
    with ThreadPoolExecutor(1) as pool:
        return run_rows(runner, range(run.replications), pool)
