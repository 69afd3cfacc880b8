"""Replications by the compiled engine: drawn, simulated and kept, each in a row of its own."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sim.engine.compiled.arithmetic import quotient, share_of
from sim.engine.compiled.city import simulate_one
from sim.engine.compiled.packing import build_state, build_world
from sim.engine.compiled.records import City, State, World
from sim.engine.rules import PPM, Cause, Wait
from sim.jit import compiled, inner
from sim.plan.portfolio import Portfolio
from sim.runs.outcomes import ACCOUNT_MEASURES, MEASURES, Outcomes
from sim.runs.parts import Parts, by_stage
from sim.runs.promises import fulfilled, watched
from sim.sampling.draw_shared import told_subjects
from sim.sampling.draws import (
    DrawModel,
    DrawRoom,
    allocate,
    draw_one,
    prepare,
    shared_uniforms,
)
from sim.sampling.layout import Drawn, Still
from sim.sampling.rounding import AMOUNT_LIMIT, Fault, raise_fault
from sim.sampling.sampler import Sampler
from sim.sampling.streams import key_of

_ROWS_OF_A_TURN = 16
"""Replications that a thread takes at a time."""


class Rows(NamedTuple):
    """What is kept of the replications of a batch; the fields of `Outcomes` by the same names.

    Attributes
    ----------
    watched : ndarray of int64, shape (R, number of watched)
        Progress of the projects of quantity promises, ppm.
    fault : ndarray of int64, shape (R,)
        What was drawn out of range.
    """

    start: NDArray[np.int64]
    finish: NDArray[np.int64]
    delivered: NDArray[np.int64]
    dropped: NDArray[np.int64]
    waits: NDArray[np.int64]
    causes: NDArray[np.int64]
    joined: NDArray[np.bool_]
    left: NDArray[np.bool_]
    year_end: NDArray[np.int64]
    months: NDArray[np.int64]
    net_of_growth: NDArray[np.int64]
    part_months: NDArray[np.int64]
    arrears: NDArray[np.int64]
    arrears_months: NDArray[np.int64]
    final_cost: NDArray[np.int64]
    accounts: NDArray[np.int64]
    queues: NDArray[np.int64]
    check_spent: NDArray[np.int64]
    check_amount: NDArray[np.int64]
    drivers: NDArray[np.float64]
    watched: NDArray[np.int64]
    fault: NDArray[np.int64]


def _allocate_rows(world: World, drivers: int, parts: int, count: int) -> Rows:
    projects, months = len(world.projects), len(world.month_ends)
    whole = (count, projects)

    def room(*shape: int) -> NDArray[np.int64]:
        return np.empty((count, *shape), dtype=np.int64)

    return Rows(
        start=room(projects),
        finish=room(projects),
        delivered=room(projects),
        dropped=room(projects),
        waits=room(projects, len(Wait)),
        causes=room(projects, len(Cause) + world.planned_losses.shape[1]),
        joined=np.empty(whole, dtype=np.bool_),
        left=np.empty(whole, dtype=np.bool_),
        year_end=room(len(MEASURES), projects),
        months=room(len(MEASURES), months),
        net_of_growth=room(2),
        part_months=room(parts, months),
        arrears=room(projects),
        arrears_months=room(months),
        final_cost=room(projects),
        accounts=room(len(ACCOUNT_MEASURES), len(world.accounts), months),
        queues=room(3, len(world.places), months),
        check_spent=room(len(world.checks)),
        check_amount=room(len(world.checks)),
        drivers=np.empty((count, drivers)),
        watched=room(len(world.watched)),
        fault=room(),
    )


@compiled
def simulate_rows(
    model: DrawModel,
    still: Still,
    world: World,
    seed: np.uint64,
    numbers: NDArray[np.uint64],
    shared: NDArray[np.float64],
    first: int,
    end: int,
    room: DrawRoom,
    drawn: Drawn,
    state: State,
    rows: Rows,
) -> None:
    """Draw and simulate some replications of a batch.

    Parameters
    ----------
    model, still, world
        The plan, for drawing and for the engine.
    seed : uint64
        Root seed.
    numbers : ndarray of uint64, shape (R,)
        Numbers of the batch's replications.
    shared : ndarray of float64, shape (R, number of shared labels)
        Given shared uniforms; NaN for the generator's.
    first, end : int
        Rows to fill: first to end - 1.
    room, drawn, state
        Work space of this thread.
    rows : Rows
        Filled in these rows only.
    """
    for r in range(first, end):
        rows.fault[r] = draw_one(model, seed, numbers[r], shared[r], room, drawn)
        if rows.fault[r] == Fault.NONE:
            simulate_one(world, still, drawn, state)
            _keep(world, drawn, state, rows, r)


@inner
def _keep(world: World, drawn: Drawn, state: State, rows: Rows, r: int) -> None:
    """Keep of a replication what results are made of."""
    work_done, reported = np.int64(0), np.int64(0)
    for p in range(len(world.projects)):
        one, site, mine = world.projects[p], state.sites[p], drawn.projects[p]
        told = state.told[p]
        rows.start[r, p], rows.finish[r, p] = site.start, site.finish
        rows.delivered[r, p], rows.dropped[r, p] = site.delivered, site.dropped
        rows.joined[r, p], rows.left[r, p] = site.joined, site.left
        for k in range(rows.waits.shape[2]):
            rows.waits[r, p, k] = told.waits[k]
        for k in range(rows.causes.shape[2]):
            rows.causes[r, p, k] = state.causes[p, k]
        rows.year_end[r, 0, p] = told.year_value - world.filed[p].before_year
        rows.year_end[r, 1, p] = told.year_reported - world.filed[p].before_year
        rows.year_end[r, 2, p] = told.year_paid
        rows.arrears[r, p] = told.year_arrears
        rows.final_cost[r, p] = mine.total + site.premium
        if one.in_target:
            # At approved prices: what grew is taken in proportion.
            left = max(mine.total - one.done, 1)
            ratio = min(quotient((one.approved - one.done) * PPM, left), PPM)
            before = one.done - world.filed[p].before_year
            work_done += before + share_of(told.year_value - one.done, ratio)
            reported += before + share_of(told.year_reported - one.done, ratio)
        if mine.total + site.premium > AMOUNT_LIMIT:
            rows.fault[r] = Fault.COST
    for a in range(len(world.accounts)):
        # Times a million it still fits 64 bits without a sign, and pools are divided without one.
        if world.accounts[a].opening + state.accounts[a].released > 2 * AMOUNT_LIMIT:
            rows.fault[r] = Fault.RELEASES
    rows.net_of_growth[r, 0], rows.net_of_growth[r, 1] = work_done, reported
    for month in range(state.city.shape[1]):
        rows.months[r, 0, month] = state.city[City.WORK_DONE, month]
        rows.months[r, 1, month] = state.city[City.REPORTED, month]
        rows.months[r, 2, month] = state.city[City.PAID, month]
        rows.arrears_months[r, month] = state.city[City.ARREARS, month]
        for part in range(rows.part_months.shape[1]):
            rows.part_months[r, part, month] = state.city[City.PARTS + part, month]
    _copy(state.treasury, rows.accounts[r])
    _copy(state.windows, rows.queues[r])
    for c in range(len(world.checks)):
        rows.check_spent[r, c] = state.check_spent[c]
        rows.check_amount[r, c] = drawn.releases[world.checks[c].release].amount
    for k in range(len(drawn.drivers)):
        rows.drivers[r, k] = drawn.drivers[k]
    for k in range(len(state.watch)):
        rows.watched[r, k] = state.watch[k]


@inner
def _copy(source: NDArray[np.int64], target: NDArray[np.int64]) -> None:
    for i in range(source.shape[0]):
        for j in range(source.shape[1]):
            for k in range(source.shape[2]):
                target[i, j, k] = source[i, j, k]


@dataclass(frozen=True, slots=True)
class CompiledRunner:
    """Everything that batches of the compiled engine need, prepared once.

    Attributes
    ----------
    sampler : Sampler
        What draws.
    model, still, world
        The plan as kernels read it.
    names : tuple of str
        Names of the drivers told.
    parts : int
        How many parts of the plan are summed.
    local : threading.local
        Work space of each thread.
    """

    sampler: Sampler
    model: DrawModel
    still: Still
    world: World
    names: tuple[str, ...]
    parts: int
    local: threading.local


def prepare_runner(sampler: Sampler, parts: Parts | None = None) -> CompiledRunner:
    """Lay out a plan for the compiled engine.

    Parameters
    ----------
    sampler : Sampler
        What draws.
    parts : Parts, optional
        Whose reported value is summed month by month; the stages where not given.
    """
    model, still = prepare(sampler)
    summed = by_stage(sampler.portfolio) if parts is None else parts
    world = build_world(sampler.frame, summed.of_project, watched(sampler.portfolio))
    names = tuple(told_subjects(sampler))
    runner = CompiledRunner(sampler, model, still, world, names, summed.count, threading.local())
    # Compile here, where an interrupt is heard, and not on a thread.
    rows = allocate_rows(runner, 0)
    _run(runner, np.zeros(0, np.uint64), shared_uniforms(sampler, []), range(0), rows)
    return runner


def allocate_rows(runner: CompiledRunner, count: int) -> Rows:
    """Allocate room for batches of up to so many replications."""
    return _allocate_rows(runner.world, len(runner.names), runner.parts, count)


def row_bytes(runner: CompiledRunner) -> int:
    """Return the memory that what is kept of one replication takes."""
    return sum(values.nbytes for values in allocate_rows(runner, 1))


def run_rows(runner: CompiledRunner, batch: Sequence[int], pool: ThreadPoolExecutor) -> Outcomes:
    """Draw and simulate a batch on the threads of a pool.

    Parameters
    ----------
    runner : CompiledRunner
        From `prepare_runner`.
    batch : sequence of int
        Numbers of the replications.
    pool : ThreadPoolExecutor
        Threads; the outcome is the same for any number of them.

    Returns
    -------
    Outcomes
        In the order of `batch`.

    Raises
    ------
    InputError
        If what is drawn is out of range.
    """
    return begin_rows(runner, batch, pool, allocate_rows(runner, len(batch)))()


def begin_rows(
    runner: CompiledRunner, batch: Sequence[int], pool: ThreadPoolExecutor, room: Rows
) -> Callable[[], Outcomes]:
    """Hand a batch to the threads of a pool; return what waits for it, as `run_rows` does.

    Parameters
    ----------
    runner, batch, pool
        As for `run_rows`.
    room : Rows
        From `allocate_rows`, for this many replications or more. The outcomes are views of it: who
        hands it in again ends them. Memory that is touched for the first time costs more than all
        that is written there.

    Returns
    -------
    callable
        Returns the outcomes.
    """
    numbers = np.array(batch, dtype=np.uint64)
    shared = shared_uniforms(runner.sampler, batch)
    rows = _first(room, len(numbers))
    turns = [
        range(first, min(first + _ROWS_OF_A_TURN, len(numbers)))
        for first in range(0, len(numbers), _ROWS_OF_A_TURN)
    ]
    futures = [pool.submit(_run, runner, numbers, shared, turn, rows) for turn in turns]

    def finish() -> Outcomes:
        for future in futures:
            future.result()
        for fault in rows.fault.tolist():
            raise_fault(fault)
        return _outcomes(runner.sampler.portfolio, runner.names, numbers, rows)

    return finish


def _first(rows: Rows, count: int) -> Rows:
    shorter: list[Any] = [values[:count] for values in rows]
    return Rows(*shorter)


def _run(
    runner: CompiledRunner,
    numbers: NDArray[np.uint64],
    shared: NDArray[np.float64],
    turn: range,
    rows: Rows,
) -> None:
    """Fill some rows of a batch, on this thread."""
    drawn, room, state = _work_space(runner)
    simulate_rows(
        runner.model, runner.still, runner.world, key_of(runner.sampler.seed), numbers, shared,
        turn.start, turn.stop, room, drawn, state, rows,
    )  # fmt: skip


def _work_space(runner: CompiledRunner) -> tuple[Drawn, DrawRoom, State]:
    """Return the work space of this thread."""
    local = runner.local
    if not hasattr(local, "space"):
        drawn, room = allocate(runner.model)
        # Projects of no part are summed behind the parts, and not looked at.
        local.space = drawn, room, build_state(runner.world, runner.parts + 1, tables=False)
    space: tuple[Drawn, DrawRoom, State] = local.space
    return space


def _outcomes(
    portfolio: Portfolio, names: Sequence[str], numbers: NDArray[np.uint64], rows: Rows
) -> Outcomes:
    kept, measure = fulfilled(portfolio, rows.start, rows.finish, rows.delivered, rows.watched)
    shared = {
        name: getattr(rows, name)
        for name in Rows._fields
        if name not in ("drivers", "watched", "fault")
    }
    return Outcomes(
        replications=numbers.astype(np.int64),
        kept=kept,
        kept_measure=measure,
        drivers={name: rows.drivers[:, k].copy() for k, name in enumerate(names)},
        **shared,
    )
