"""A few replications of a run told again by the reference engine, and held against it."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from sim.runs.outcomes import Outcomes
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


def tell_again(runner: CompiledRunner, replication: int) -> tuple[str, ...]:
    """Run a replication on both engines; return how they differ.

    Parameters
    ----------
    runner : CompiledRunner
        The plan, prepared for the compiled engine.
    replication : int
        Its number.
    """
    from sim.runs.rows import run_rows

    with ThreadPoolExecutor(1) as pool:
        compiled = run_rows(runner, [replication], pool)
    found = differences(compiled, simulate_batch(runner.sampler, [replication]))
    return tuple(f"replication {replication}: {one}" for one in found)


@contextmanager
def beside() -> Iterator[tuple[ThreadPoolExecutor, Callable[[], None]]]:
    """Give a thread for what the reference engine has to tell while kernels run.

    It begins when the second of what is given is called. Where the run ends early, what is not
    begun is dropped and nobody waits for the rest.
    """
    pool, gate = ThreadPoolExecutor(1), threading.Event()
    pool.submit(gate.wait)
    try:
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
