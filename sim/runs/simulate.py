"""Replications over the cores; the outcome does not depend on how they are spread."""

from __future__ import annotations

import dataclasses
import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sim.engine.reference import run_reference
from sim.engine.trajectory import Trajectory
from sim.plan.configuration import Sampling
from sim.plan.portfolio import Portfolio, build_portfolio
from sim.plan.rows import Levers, Plan, Window
from sim.plan.scenario import Scenario
from sim.runs.batches import Arrays, BatchStore, cut
from sim.runs.outcomes import Outcomes, collect, join
from sim.runs.precision import Reached, reached, sample_of, stages
from sim.sampling.accounts import Purses
from sim.sampling.draws import draw
from sim.sampling.quasi import SCRAMBLES
from sim.sampling.risks import RiskModel
from sim.sampling.sampler import Sampler, build_sampler

Progress = Callable[[int, int], None]
"""Called with the replications done and asked for: at the beginning with those of an earlier
attempt (mostly none), then after each batch."""

_DRIVER = "drivers/"
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
    outcomes : Outcomes
        What is kept of each replication.
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
    """

    scenario: Scenario
    portfolio: Portfolio
    purses: Purses
    windows: tuple[Window, ...]
    risks: RiskModel | None
    baseline: Trajectory
    outcomes: Outcomes
    seed: int
    replications: int
    sampling: Sampling
    engine: str
    seconds: float
    workers: int
    precision: Reached | None = None

    @property
    def blocks(self) -> NDArray[np.int64] | None:
        """Block of each replication, for errors of estimates; None where all are independent."""
        return self.outcomes.replications % SCRAMBLES if self.sampling == "quasi" else None


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
        Processes; None for as many as there are cores where that is worth it. With more than
        one, a script must guard its main part by ``if __name__ == "__main__":``.
    on_progress : callable, optional
        Called with the replications done and asked for: first with those found in the store,
        then after each batch.
    store : BatchStore, optional
        Where finished batches are kept and found again; without it everything is in memory.

    Returns
    -------
    Run
        With outcomes that are the same for every number of workers, bit for bit, and however
        often it was begun anew.

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
    batches = cut(count, portfolio.size, scenario.options.engine)
    collected = _earlier(batches, store)
    done = sum(map(len, collected))
    if on_progress is not None:
        on_progress(done, count)
    precision, measured = scenario.precision, None
    with _runner(scenario.plan, sampler, workers, store) as run_all:
        for stage in stages(count, precision):
            missing = [one for one in batches if one.start in stage and one not in collected]
            for batch, outcomes in run_all(missing):
                collected[batch] = outcomes
                done += len(batch)
                if on_progress is not None:
                    on_progress(done, count)
            if precision is None:
                continue
            by_now = [collected[one] for one in batches if one.stop <= stage.stop]
            values = [sample_of(portfolio, one, precision.value) for one in by_now]
            measured = reached(np.concatenate(values), precision, scenario.plan.target)
            if measured.enough:
                count = stage.stop
                break
    return Run(
        scenario=scenario,
        portfolio=portfolio,
        purses=sampler.purses,
        windows=scenario.plan.windows if sampler.frame.window_places.size else (),
        risks=sampler.risks,
        baseline=baseline_trajectory(portfolio),
        outcomes=join([collected[one] for one in batches if one.stop <= count]),
        seed=root,
        replications=count,
        sampling=scenario.options.sampling,
        engine=scenario.options.engine,
        seconds=time.monotonic() - began,
        workers=workers,
        precision=measured,
    )


def to_arrays(outcomes: Outcomes) -> Arrays:
    """Return what a batch came to as named arrays, to be stored."""
    fields = [one.name for one in dataclasses.fields(Outcomes) if one.name != "drivers"]
    drivers = {f"{_DRIVER}{name}": values for name, values in outcomes.drivers.items()}
    return {name: getattr(outcomes, name) for name in fields} | drivers


def from_arrays(arrays: Arrays, batch: range) -> Outcomes | None:
    """Return what a batch came to; None where the arrays are not those of the batch."""
    drivers = {
        name.removeprefix(_DRIVER): values
        for name, values in arrays.items()
        if name.startswith(_DRIVER)
    }
    others = {name: values for name, values in arrays.items() if not name.startswith(_DRIVER)}
    names = {one.name for one in dataclasses.fields(Outcomes)} - {"drivers"}
    if others.keys() != names or others["replications"].tolist() != list(batch):
        return None
    if any(values.shape[:1] != (len(batch),) for values in arrays.values()):
        return None
    return Outcomes(**others, drivers=drivers)


def _earlier(batches: Sequence[range], store: BatchStore | None) -> dict[range, Outcomes]:
    """Return the batches that were finished before, as they stand in the store."""
    if store is None:
        return {}
    store.sweep()
    wanted, found = set(batches), {}
    for batch in store.finished():
        arrays = store.read(batch) if batch in wanted else None
        if arrays is not None and (outcomes := from_arrays(arrays, batch)) is not None:
            found[batch] = outcomes
    return found


_RunAll = Callable[[Sequence[range]], Iterator[tuple[range, Outcomes]]]
"""Runs batches; yields each when it is finished and stored, in any order."""


@contextmanager
def _runner(
    plan: Plan, sampler: Sampler, workers: int, store: BatchStore | None
) -> Iterator[_RunAll]:
    if workers == 1:
        yield lambda batches: ((batch, _run_one(sampler, batch, store)) for batch in batches)
        return
    # Spawned, not forked: the same on every system, and safe beside threads.
    context = multiprocessing.get_context("spawn")
    others = set(multiprocessing.active_children())
    given = (plan, sampler.seed, sampler.sampling, store)
    with ProcessPoolExecutor(workers, context, _prepare_worker, given) as pool:

        def run_all(batches: Sequence[range]) -> Iterator[tuple[range, Outcomes]]:
            with _interrupts_held_back():
                futures = {pool.submit(_run_in_worker, batch): batch for batch in batches}
            for future in as_completed(futures):
                # Let go of what is handed on: it is large.
                yield futures.pop(future), future.result()

        try:
            yield run_all
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


def run_batch(sampler: Sampler, batch: range) -> Outcomes:
    """Draw and simulate a batch of replications."""
    pairs = [
        (realization, run_reference(sampler.frame, realization))
        for realization in draw(sampler, batch)
    ]
    return collect(sampler.portfolio, sampler.frame, pairs)


def _run_one(sampler: Sampler, batch: range, store: BatchStore | None) -> Outcomes:
    """Run a batch, and store it as soon as it is finished: by whoever ran it."""
    outcomes = run_batch(sampler, batch)
    if store is not None:
        store.write(batch, to_arrays(outcomes))
    return outcomes


_at_work: tuple[Sampler, BatchStore | None] | None = None


def _prepare_worker(
    plan: Plan, seed: int, sampling: Sampling, store: BatchStore | None
) -> None:  # fmt: skip
    """Build once a process what every batch needs; an interrupt is the parent's to handle."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    global _at_work
    _at_work = build_sampler(build_portfolio(plan), seed, sampling), store


def _end_with_parent() -> None:
    """End this process when its parent is killed: it would wait for work for ever."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)


def _run_in_worker(batch: range) -> Outcomes:
    assert _at_work is not None
    sampler, store = _at_work
    return _run_one(sampler, batch, store)
