"""A few replications of a run told again by the reference engine, and held against it."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from sim.runs.layout import Layout
from sim.runs.outcomes import Outcomes
from sim.runs.samples import Samples, sample_columns
from sim.runs.workers import simulate_batch

if TYPE_CHECKING:  # not loaded with the reference engine
    from sim.runs.rows import CompiledRunner


@dataclass(frozen=True, slots=True)
class CrossCheck:
    """What came of it.

    Attributes
    ----------
    replications : tuple of int
        Those told again.
    differs : tuple of str
        What differs, as "replication N: array[0, place]: one value, other value"; empty where both
        engines agree in every number.
    """

    replications: tuple[int, ...]
    differs: tuple[str, ...]


def chosen_of(batch: range) -> tuple[int, ...]:
    """Choose the first, the middle and the last of some replications."""
    return tuple(sorted({batch[0], batch[len(batch) // 2], batch[-1]}))


@dataclass(frozen=True, slots=True)
class Retold:
    """A replication told again.

    Attributes
    ----------
    replication : int
        Its number.
    differs : tuple of str
        What differs between the engines.
    samples : dict of str to ndarray
        Its row of the samples, by the reference engine.
    """

    replication: int
    differs: tuple[str, ...]
    samples: Samples


def tell_again(runner: CompiledRunner, layout: Layout, replication: int) -> Retold:
    """Run a replication on both engines, and see how they differ.

    Parameters
    ----------
    runner : CompiledRunner
        The plan, prepared for the compiled engine.
    layout : Layout
        What is counted.
    replication : int
        Its number.
    """
    from sim.runs.rows import run_rows

    with ThreadPoolExecutor(1) as pool:
        compiled = run_rows(runner, [replication], pool)
    told = simulate_batch(runner.sampler, [replication])
    found = differences(compiled, told)
    differs = tuple(f"replication {replication}: {one}" for one in found)
    return Retold(replication, differs, sample_columns(layout, told))


def all_differences(again: Sequence[Retold], samples: Samples) -> tuple[str, ...]:
    """Return how replications told again differ, from the rows that the run has kept as well.

    A run fills rows on many threads, in room that is used again, and stores them: what it ends up
    with is what must agree.
    """
    found: list[str] = []
    for one in again:
        found += one.differs
        (row,) = np.flatnonzero(samples["replication"] == one.replication)
        found += [
            f"replication {one.replication}: samples[{name}]: {samples[name][row]}, {values[0]}"
            for name, values in one.samples.items()
            if samples[name][row] != values[0]
        ]
    return tuple(found)


@contextmanager
def beside() -> Iterator[tuple[ThreadPoolExecutor, Callable[[], None]]]:
    """Give a thread for what the reference engine has to tell while kernels run.

    It begins when the second of what is given is called. Where the run ends early, what is not
    begun is dropped; what has begun, one replication at most, ends before the process does.
    """
    pool, gate = ThreadPoolExecutor(1), threading.Event()
    try:
        pool.submit(gate.wait)
        yield pool, gate.set
    except BaseException:
        pool.shutdown(wait=False, cancel_futures=True)
        raise
    finally:
        gate.set()
    pool.shutdown()


def differences(one: Outcomes, other: Outcomes) -> tuple[str, ...]:
    """Name the first difference of every array in which two outcomes differ."""
    found = []
    for field in dataclasses.fields(Outcomes):
        left, right = getattr(one, field.name), getattr(other, field.name)
        if field.name == "drivers":
            if left.keys() != right.keys():
                found.append("drivers: other names")
                continue
            left, right = (
                np.array([values[name] for name in sorted(values)]) for values in (left, right)
            )
        if left.shape != right.shape:
            found.append(f"{field.name}: {left.shape}, {right.shape}")
        elif len(unequal := np.argwhere(left != right)):
            place = tuple(unequal[0].tolist())
            where = ", ".join(map(str, place))
            found.append(f"{field.name}[{where}]: {left[place]}, {right[place]}")
    return tuple(found)
