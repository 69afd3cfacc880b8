"""How batches run: the reference engine in processes of its own, the compiled one on threads."""

from __future__ import annotations

import itertools
import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from sim.engine.reference import run_reference
from sim.plan.configuration import Sampling
from sim.plan.portfolio import build_portfolio
from sim.plan.rows import Plan
from sim.runs.batch_tally import BatchTally, batch_arrays, empty_batch, note
from sim.runs.batches import Arrays, BatchStore
from sim.runs.layout import Layout, build_layout
from sim.runs.outcomes import Outcomes, collect
from sim.runs.parts import Parts
from sim.runs.samples import Samples, join_samples, sample_columns
from sim.runs.tally import fits
from sim.sampling.draws import draw
from sim.sampling.sampler import Sampler, build_sampler

if TYPE_CHECKING:  # not loaded with the reference engine
    from sim.runs.rows import CompiledRunner

_SAMPLES = "samples/"
_PIECE = 40_000_000
"""Bytes of outcomes of a piece."""


@dataclass(frozen=True, slots=True)
class BatchResult:
    """What is kept of a batch: a few megabytes, however many replications it has.

    Attributes
    ----------
    arrays : dict of str to ndarray
        Its tally, from `batch_arrays`.
    samples : dict of str to ndarray
        Its samples.
    """

    arrays: dict[str, NDArray[Any]]
    samples: Samples


RunAll = Callable[[Sequence[range]], Iterator[BatchResult]]
"""Runs batches; yields each when it is finished and stored, in any order."""


def simulate_batch(sampler: Sampler, batch: Sequence[int], parts: Parts | None = None) -> Outcomes:
    """Draw and simulate a batch of replications with the reference engine."""
    pairs = [
        (realization, run_reference(sampler.frame, realization))
        for realization in draw(sampler, batch)
    ]
    return collect(sampler.portfolio, sampler.frame, pairs, parts)


def outcomes_of(
    sampler: Sampler,
    batches: Iterable[Sequence[int]],
    engine: str,
    workers: int,
    parts: Parts | None = None,
) -> Iterator[Outcomes]:
    """Simulate batches one after another, for whoever keeps something else than a run does.

    Parameters
    ----------
    sampler : Sampler
        What draws.
    batches : iterable of sequence of int
        Numbers of replications; those of a batch are in memory together.
    engine : {"compiled", "reference"}
        Which engine simulates.
    workers : int
        Threads of the compiled engine; outcomes do not depend on them.
    parts : Parts, optional
        Whose reported value is summed month by month; the stages where not given.

    Yields
    ------
    Outcomes
        Of each batch.
    """
    if engine == "reference":
        for batch in batches:
            yield simulate_batch(sampler, batch, parts)
        return
    from sim.runs.rows import prepare_runner, run_rows

    runner = prepare_runner(sampler, parts)
    with ThreadPoolExecutor(workers) as pool:
        for batch in batches:
            yield run_rows(runner, batch, pool)


def keep(layout: Layout, outcomes: Outcomes) -> BatchResult:
    """Keep counts, sums and samples of a batch."""
    tally = empty_batch(layout, len(outcomes.replications))
    note(tally, outcomes)
    return BatchResult(batch_arrays(tally), sample_columns(layout, outcomes))


def run_batch(sampler: Sampler, layout: Layout, batch: Sequence[int]) -> BatchResult:
    """Draw and simulate a batch with the reference engine, and keep what is needed."""
    return keep(layout, simulate_batch(sampler, batch))


def stored(layout: Layout, store: BatchStore, batch: range) -> BatchResult | None:
    """Return a batch that was finished before; None where there is none that is whole."""
    arrays = store.read(batch)
    if arrays is None:
        return None
    samples = {
        name.removeprefix(_SAMPLES): values
        for name, values in arrays.items()
        if name.startswith(_SAMPLES)
    }
    tally = {name: values for name, values in arrays.items() if not name.startswith(_SAMPLES)}
    replications = samples.get("replication")
    if replications is None or replications.tolist() != list(batch):
        return None
    if any(values.shape != (len(batch),) for values in samples.values()):
        return None
    return BatchResult(tally, samples) if fits(layout, tally) else None


def _store(store: BatchStore | None, batch: range, result: BatchResult) -> BatchResult:
    """Store a batch as soon as it is finished: by whoever ran it."""
    if store is not None:
        samples: Arrays = {f"{_SAMPLES}{name}": one for name, one in result.samples.items()}
        store.write(batch, result.arrays | samples)
    return result


# The compiled engine, on threads -------------------------------------------------------------


@contextmanager
def on_threads(
    runner: CompiledRunner, layout: Layout, workers: int, store: BatchStore | None
) -> Iterator[RunAll]:
    """Give the means to run batches with the compiled engine.

    A batch is worked off in pieces that fit the memory; replications of a piece go to all
    threads. The next piece is handed to them before they are done with one, so that none is idle,
    and what is done is counted meanwhile.
    """
    from sim.runs.rows import allocate_rows, begin_rows, row_bytes

    size = max(1, _PIECE // row_bytes(runner))
    pool = ThreadPoolExecutor(workers)
    # To keep a batch takes a second or two, in which the pieces of the next are counted already.
    counting, keeping = ThreadPoolExecutor(1), ThreadPoolExecutor(1)

    def pieces(batch: range) -> list[range]:
        return [
            range(first, min(first + size, batch.stop))
            for first in range(batch.start, batch.stop, size)
        ]

    def simulated(batches: Sequence[range]) -> Iterator[Outcomes]:
        """Yield pieces in order; when one is asked for, the one before the last is counted."""
        longest = min(size, max(map(len, batches), default=0))
        # One is filled, one is next, and one is counted.
        rooms = itertools.cycle([allocate_rows(runner, longest) for _ in range(3)])
        under_way: deque[Callable[[], Outcomes]] = deque()
        for piece in itertools.chain.from_iterable(map(pieces, batches)):
            under_way.append(begin_rows(runner, piece, pool, next(rooms)))
            if len(under_way) == 2:
                yield under_way.popleft()()
        while under_way:
            yield under_way.popleft()()

    def run_all(batches: Sequence[range]) -> Iterator[BatchResult]:
        outcomes = simulated(batches)
        counted: Future[None] | None = None
        before: Future[BatchResult] | None = None
        for batch in batches:
            tally = empty_batch(layout, len(batch))
            samples: list[Samples] = []
            for _ in pieces(batch):
                one = next(outcomes)
                if counted is not None:
                    counted.result()
                counted = counting.submit(_count, layout, tally, samples, one)
                if before is not None and before.done():
                    yield before.result()
                    before = None
            if before is not None:
                yield before.result()
            assert counted is not None
            before = keeping.submit(_finish, store, batch, tally, samples, counted)
        if before is not None:
            yield before.result()

    try:
        yield run_all
    finally:
        # Rows not begun are of no use any more; a batch that is all simulated is still kept.
        pool.shutdown(cancel_futures=True)
        counting.shutdown()
        keeping.shutdown()


def _count(layout: Layout, tally: BatchTally, samples: list[Samples], outcomes: Outcomes) -> None:
    note(tally, outcomes)
    samples.append(sample_columns(layout, outcomes))


def _finish(
    store: BatchStore | None,
    batch: range,
    tally: BatchTally,
    samples: list[Samples],
    counted: Future[None],
) -> BatchResult:
    counted.result()  # what went wrong with the last piece goes wrong with the batch
    return _store(store, batch, BatchResult(batch_arrays(tally), join_samples(samples)))


# The reference engine, in processes ----------------------------------------------------------


@contextmanager
def in_processes(
    plan: Plan, sampler: Sampler, layout: Layout, workers: int, store: BatchStore | None
) -> Iterator[RunAll]:
    """Give the means to run batches with the reference engine."""
    if workers == 1:
        yield lambda batches: (
            _store(store, batch, run_batch(sampler, layout, batch)) for batch in batches
        )
        return
    # Spawned, not forked: the same on every system, and safe beside threads.
    context = multiprocessing.get_context("spawn")
    given = (plan, sampler.seed, sampler.sampling, store)
    with ProcessPoolExecutor(workers, context, _prepare_worker, given) as pool:

        def run_all(batches: Sequence[range]) -> Iterator[BatchResult]:
            with _interrupts_held_back():
                futures = {pool.submit(_run_in_worker, batch) for batch in batches}
            for future in as_completed(futures):
                # Let go of what is handed on: it is large.
                futures.discard(future)
                yield future.result()

        try:
            yield run_all
        except BaseException:
            # What is under way ends within a second or two, and is kept. Who ends a process that
            # is just sending what it has found leaves the pool waiting for the rest for ever.
            pool.shutdown(wait=False, cancel_futures=True)
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


_at_work: tuple[Sampler, Layout, BatchStore | None] | None = None


def _prepare_worker(
    plan: Plan, seed: int, sampling: Sampling, store: BatchStore | None
) -> None:  # fmt: skip
    """Build once a process what every batch needs; an interrupt is the parent's to handle."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    global _at_work
    sampler = build_sampler(build_portfolio(plan), seed, sampling)
    _at_work = sampler, build_layout(sampler), store


def _end_with_parent() -> None:
    """End this process when its parent is killed: it would wait for work for ever."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)


def _run_in_worker(batch: range) -> BatchResult:
    assert _at_work is not None
    sampler, layout, store = _at_work
    return _store(store, batch, run_batch(sampler, layout, batch))
