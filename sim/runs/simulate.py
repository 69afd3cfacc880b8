"""Replications over the cores; the outcome does not depend on how they are spread."""

from __future__ import annotations

import dataclasses
import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.engine.reference import run_reference
from sim.engine.trajectory import Trajectory
from sim.plan.portfolio import Portfolio, build_portfolio
from sim.plan.rows import Levers, Plan, Window
from sim.plan.scenario import Scenario
from sim.runs.layout import Layout, build_layout
from sim.runs.outcomes import Outcomes, collect
from sim.runs.samples import Samples, join_samples, sample_columns
from sim.runs.tally import Tally, absorb, empty_tally, fold, to_arrays
from sim.sampling.accounts import Purses
from sim.sampling.draws import draw
from sim.sampling.risks import RiskModel
from sim.sampling.sampler import Sampler, build_sampler

Progress = Callable[[int, int], None]
"""Called with the replications done and asked for."""

_WORK_OF_A_BATCH = 4_000
"""Project-replications of a batch: a second or two."""
_WORTH_SPREADING = 40_000
"""Project-replications below which starting worker processes costs more than it saves."""


@dataclass(frozen=True, slots=True)
class Run:
    """A scenario, what was asked for and what came out.

    Attributes
    ----------
    scenario : Scenario
        The resolved scenario, with the run options that finally held.
    portfolio : Portfolio
        The plan and its baseline.
    purses : Purses
        Accounts, releases and bond checks, as the outcomes number them.
    windows : tuple of Window
        Windows, as the outcomes number them.
    risks : RiskModel or None
        The register of risks as drawn from.
    baseline : Trajectory
        The risk-free trajectory: the plan as filed, month by month.
    tally : Tally
        Counts and sums over all replications.
    samples : dict of str to ndarray
        What is kept of each replication, in order of their numbers.
    seed, replications : int
        What determines the numbers beside the scenario.
    engine : str
        Name of the engine.
    seconds : float
        Time taken; never part of the results.
    workers : int
        Processes used; never part of the results.
    """

    scenario: Scenario
    portfolio: Portfolio
    purses: Purses
    windows: tuple[Window, ...]
    risks: RiskModel | None
    baseline: Trajectory
    tally: Tally
    samples: Samples
    seed: int
    replications: int
    engine: str
    seconds: float
    workers: int


@dataclass(frozen=True, slots=True)
class BatchResult:
    """What is kept of a batch: a few megabytes, however many replications it has.

    Attributes
    ----------
    arrays : dict of str to ndarray
        Its tally, from `to_arrays`.
    samples : dict of str to ndarray
        Its samples.
    """

    arrays: dict[str, NDArray[Any]]
    samples: Samples


def without_uncertainty(plan: Plan) -> Plan:
    """Return the plan with every uncertainty switched off."""
    drivers = tuple(dataclasses.replace(driver, state="off") for driver in plan.drivers)
    off = dict.fromkeys(plan.states, "off")
    return dataclasses.replace(plan, drivers=drivers, states=off)


def baseline_trajectory(portfolio: Portfolio) -> Trajectory:
    """Return the risk-free trajectory of a plan as filed, without decisions."""
    plan = dataclasses.replace(without_uncertainty(portfolio.plan), levers=Levers())
    nobody = np.zeros(portfolio.size, dtype=np.bool_)
    sure = dataclasses.replace(
        portfolio, plan=plan, dropped=nobody, postponed=nobody, pulled=nobody
    )
    sampler = build_sampler(sure, 0)
    return run_reference(sampler.frame, next(draw(sampler, [0])))


def simulate(
    scenario: Scenario,
    *,
    replications: int | None = None,
    seed: int | None = None,
    workers: int | None = 1,
    on_progress: Progress | None = None,
) -> Run:
    """Run the replications of a scenario.

    Parameters
    ----------
    scenario : Scenario
        From `sim.load_scenario`.
    replications, seed : int, optional
        The scenario's own where not given.
    workers : int, optional
        Processes; None for as many as there are cores where that is worth it. With more than
        one, a script must guard its main part by ``if __name__ == "__main__":``.
    on_progress : callable, optional
        Called with the replications done and asked for.

    Returns
    -------
    Run
        With tally and samples that are the same for every number of workers, bit for bit.

    Raises
    ------
    InputError
        If the plan cannot be sampled.
    ValueError
        If `replications` or `workers` is below one.
    """
    scenario = scenario.with_options(replications, seed)
    count, root = scenario.options.replications, scenario.options.seed
    if count < 1 or (workers is not None and workers < 1):
        raise ValueError("replications and workers must be at least 1")
    began = time.monotonic()
    portfolio = build_portfolio(scenario.plan)
    sampler = build_sampler(portfolio, root)
    if workers is None:
        worth = count * portfolio.size >= _WORTH_SPREADING
        workers = min(os.cpu_count() or 1, count) if worth else 1
    layout = build_layout(sampler)
    batches = _batches(count, workers, portfolio.size)

    def results() -> Iterator[BatchResult]:
        done = 0
        for result in _run_batches(scenario.plan, root, sampler, layout, batches, workers):
            done += len(result.samples["replication"])
            if on_progress is not None:
                on_progress(done, count)
            yield result

    tally, samples = gather(layout, results())
    return Run(
        scenario=scenario,
        portfolio=portfolio,
        purses=sampler.purses,
        windows=scenario.plan.windows if sampler.frame.window_places.size else (),
        risks=sampler.risks,
        baseline=baseline_trajectory(portfolio),
        tally=tally,
        samples=samples,
        seed=root,
        replications=count,
        engine=scenario.options.engine,
        seconds=time.monotonic() - began,
        workers=workers,
    )


def _batches(count: int, workers: int, projects: int) -> list[range]:
    """Cut the replications so that all workers have some, and progress shows every second or so."""
    size = max(1, min(64, -(-count // (workers * 8)), _WORK_OF_A_BATCH // projects))
    return [range(first, min(first + size, count)) for first in range(0, count, size)]


def gather(layout: Layout, results: Iterable[BatchResult]) -> tuple[Tally, Samples]:
    """Return the tally and the samples of all batches, in whatever order they come.

    Parameters
    ----------
    layout : Layout
        Where each quantity stands.
    results : iterable of BatchResult
        At least one.
    """
    tally, samples = empty_tally(layout), []
    for result in results:
        absorb(tally, result.arrays)
        samples.append(result.samples)
    return tally, join_samples(samples)


def _run_batches(
    plan: Plan, seed: int, sampler: Sampler, layout: Layout, batches: list[range], workers: int
) -> Iterator[BatchResult]:
    if workers == 1:
        for batch in batches:
            yield run_batch(sampler, layout, batch)
        return
    # Spawned, not forked: the same on every system, and safe beside threads.
    context = multiprocessing.get_context("spawn")
    others = set(multiprocessing.active_children())
    with ProcessPoolExecutor(workers, context, _prepare_worker, (plan, seed)) as pool:
        try:
            with _interrupts_held_back():
                futures = [pool.submit(_run_in_worker, batch) for batch in batches]
            for future in futures:
                yield future.result()
        except BaseException:
            # What is under way is of no use any more: do not let anybody wait for it. The pool
            # finds itself broken and gives up what is still queued.
            for worker in set(multiprocessing.active_children()) - others:
                worker.terminate()
            raise


@contextmanager
def _interrupts_held_back() -> Iterator[None]:
    """Let processes be born deaf to interrupts: one that comes while they load is the parent's.

    It is held back, not lost: the parent hears it when the workers are there. Blocking it is not
    enough, since a thread of a numeric library may take it: what it would raise is noted instead.
    """
    if (
        not hasattr(signal, "pthread_sigmask")  # not on this system
        or threading.current_thread() is not threading.main_thread()
    ):
        yield
        return
    heard: list[int] = []
    usual = signal.signal(signal.SIGINT, lambda number, _: heard.append(number))
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})  # the workers are born with it
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, usual)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    if heard:
        raise KeyboardInterrupt


def simulate_batch(sampler: Sampler, batch: Sequence[int]) -> Outcomes:
    """Draw and simulate a batch of replications."""
    pairs = [
        (realization, run_reference(sampler.frame, realization))
        for realization in draw(sampler, batch)
    ]
    return collect(sampler.portfolio, sampler.frame, pairs)


def run_batch(sampler: Sampler, layout: Layout, batch: Sequence[int]) -> BatchResult:
    """Draw and simulate a batch of replications, and keep counts, sums and samples of it."""
    outcomes = simulate_batch(sampler, batch)
    tally = empty_tally(layout)
    fold(tally, outcomes)
    return BatchResult(to_arrays(tally), sample_columns(layout, outcomes))


_worker_model: tuple[Sampler, Layout] | None = None


def _prepare_worker(plan: Plan, seed: int) -> None:
    """Build once a process what every batch needs; an interrupt is the parent's to handle."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    global _worker_model
    sampler = build_sampler(build_portfolio(plan), seed)
    _worker_model = sampler, build_layout(sampler)


def _run_in_worker(batch: range) -> BatchResult:
    assert _worker_model is not None
    return run_batch(*_worker_model, batch)
