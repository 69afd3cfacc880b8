"""Replications of a scenario; the outcome does not depend on how they are spread."""

from __future__ import annotations

import dataclasses
import os
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from sim.engine.reference import run_reference
from sim.engine.trajectory import Trajectory
from sim.jit import AVAILABLE
from sim.plan.configuration import Sampling
from sim.plan.portfolio import Portfolio, build_portfolio
from sim.plan.problems import InputError, Problem
from sim.plan.rows import Levers, Plan, Window
from sim.plan.scenario import Scenario
from sim.runs.batches import BatchStore, cut
from sim.runs.crosscheck import CrossCheck, all_differences, beside, chosen_of, tell_again
from sim.runs.layout import Layout, build_layout
from sim.runs.precision import Reached, reached, sample_of, stages
from sim.runs.samples import Samples, join_samples
from sim.runs.tally import Tally, absorb, empty_tally
from sim.runs.workers import RunAll, in_processes, on_threads, stored
from sim.sampling.accounts import Purses
from sim.sampling.draws import draw
from sim.sampling.repair import Repair
from sim.sampling.risks import RiskModel
from sim.sampling.sampler import build_sampler

Progress = Callable[[int, int], None]
"""Called with the replications done and asked for: at the beginning with those of an earlier
attempt (mostly none), then after each batch."""

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
    repairs : tuple of Repair
        What was changed in given correlations that contradicted each other.
    baseline : Trajectory
        The risk-free trajectory: the plan as filed, month by month.
    tally : Tally
        Counts and sums over all replications.
    samples : dict of str to ndarray
        What is kept of each replication, in order of their numbers.
    seed, replications : int
        What determines the numbers beside the scenario and the sampling. The replications are
        those that were done, fewer than asked for where a precision was asked for and reached.
    sampling : str
        Where shared draws come from: `quasi` or `plain`.
    engine : str
        Name of the engine.
    seconds : float
        Time taken; never part of the results.
    workers : int
        Processes used; never part of the results.
    precision : Reached or None
        How precise it became, where a precision was asked for.
    cross_check : CrossCheck or None
        Replications told again by the reference engine; None where that is the one that ran.
    """

    scenario: Scenario
    portfolio: Portfolio
    purses: Purses
    windows: tuple[Window, ...]
    risks: RiskModel | None
    repairs: tuple[Repair, ...]
    baseline: Trajectory
    tally: Tally
    samples: Samples
    seed: int
    replications: int
    sampling: Sampling
    engine: str
    seconds: float
    workers: int
    precision: Reached | None = None
    cross_check: CrossCheck | None = None


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
    store: BatchStore | None = None,
) -> Run:
    """Run the replications of a scenario.

    Parameters
    ----------
    scenario : Scenario
        From `sim.load_scenario`.
    replications, seed : int, optional
        The scenario's own where not given.
    workers : int, optional
        Threads of the compiled engine, processes of the reference engine; None for as many as
        there are cores where that is worth it. With more processes than one, a script must guard
        its main part by ``if __name__ == "__main__":``.
    on_progress : callable, optional
        Called with the replications done and asked for: first with those found in the store,
        then after each batch.
    store : BatchStore, optional
        Where finished batches are kept and found again; without it everything is in memory.

    Returns
    -------
    Run
        With tally and samples that are the same for every number of workers, bit for bit, and
        however often it was begun anew.

    Raises
    ------
    InputError
        If the plan cannot be sampled.
    OSError
        If a batch cannot be stored.
    ValueError
        If `replications` or `workers` is below one.
    """
    scenario = scenario.with_options(replications, seed)
    count, root = scenario.options.replications, scenario.options.seed
    if count < 1 or (workers is not None and workers < 1):
        raise ValueError("replications and workers must be at least 1")
    began = time.monotonic()
    portfolio = build_portfolio(scenario.plan)
    sampler = build_sampler(portfolio, root, scenario.options.sampling)
    if workers is None:
        worth = count * portfolio.size >= _WORTH_SPREADING
        workers = min(os.cpu_count() or 1, count) if worth else 1
    engine = scenario.options.engine
    if engine == "compiled" and not AVAILABLE:
        raise InputError([Problem("no_compiler", "run", None, "engine", engine)])
    layout = build_layout(sampler)
    if store is not None:
        store.sweep()
    chosen: tuple[int, ...] = ()
    if engine == "compiled":
        from sim.runs.rows import prepare_runner

        runner = prepare_runner(sampler)
        means = on_threads(runner, layout, workers, store)
        chosen = chosen_of(stages(count, scenario.precision)[0])  # done in any case
    else:
        means = in_processes(scenario.plan, sampler, layout, workers, store)
    with beside() as (thread, begin):

        def told(done: int, asked: int) -> None:
            if on_progress is not None:
                on_progress(done, asked)
            if done:  # somebody waits for the first batch
                begin()

        baseline = thread.submit(baseline_trajectory, portfolio)
        again = [thread.submit(tell_again, runner, layout, one) for one in chosen]
        with means as run_all:
            gathered = _gather(scenario, layout, run_all, store, told)
        begin()
        differs = all_differences([future.result() for future in again], gathered.samples)
    return Run(
        scenario=scenario,
        portfolio=portfolio,
        purses=sampler.purses,
        windows=scenario.plan.windows if sampler.frame.window_places.size else (),
        risks=sampler.risks,
        repairs=sampler.repairs,
        baseline=baseline.result(),
        tally=gathered.tally,
        samples=gathered.samples,
        seed=root,
        replications=gathered.replications,
        sampling=scenario.options.sampling,
        engine=engine,
        seconds=time.monotonic() - began,
        workers=workers,
        precision=gathered.precision,
        cross_check=CrossCheck(chosen, differs) if chosen else None,
    )


@dataclass(frozen=True, slots=True)
class _Gathered:
    """What the batches of a run bring together; the fields of `Run` by the same names."""

    tally: Tally
    samples: Samples
    replications: int
    precision: Reached | None


def _gather(
    scenario: Scenario,
    layout: Layout,
    run_all: RunAll,
    store: BatchStore | None,
    on_progress: Progress,
) -> _Gathered:
    """Run all batches that are not in the store, until the precision asked for is reached."""
    count, precision = scenario.options.replications, scenario.precision
    batches = cut(count, len(scenario.plan.projects), scenario.options.engine)
    tally, samples = empty_tally(layout), []
    measured, done = None, 0
    for stage in stages(count, precision):
        missing = []
        for batch in (one for one in batches if one.start in stage):
            found = None if store is None else stored(layout, store, batch)
            if found is None:
                missing.append(batch)
                continue
            absorb(tally, found.arrays)
            samples.append(found.samples)
            done += len(batch)
        on_progress(done, count)
        for result in run_all(missing):
            absorb(tally, result.arrays)
            samples.append(result.samples)
            done += len(result.samples["replication"])
            on_progress(done, count)
        if precision is None:
            continue
        values = sample_of(join_samples(samples), precision.value)
        measured = reached(values, precision, scenario.plan.target)
        if measured.enough:
            count = stage.stop
            break
    return _Gathered(tally, join_samples(samples), count, measured)
