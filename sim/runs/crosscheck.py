"""A few replications of a run told again by the reference engine, and held against it."""

from __future__ import annotations

import dataclasses
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from sim.runs.outcomes import Outcomes
from sim.runs.workers import simulate_batch
from sim.sampling.sampler import Sampler


@dataclass(frozen=True, slots=True)
class CrossCheck:
    """What came of it.

    Attributes
    ----------
    replications : tuple of int
        Those told again.
    differs : tuple of str
        What differs, as "array[position among these, place]: one value, other value"; empty where
        both engines agree in every number.
    """

    replications: tuple[int, ...]
    differs: tuple[str, ...]


def cross_check(sampler: Sampler, count: int) -> CrossCheck:
    """Run the first, the middle and the last replication on both engines.

    Parameters
    ----------
    sampler : Sampler
        What the run drew from.
    count : int
        Replications of the run.
    """
    from sim.runs.rows import prepare_runner, run_rows

    chosen = tuple(sorted({0, count // 2, count - 1}))
    with ThreadPoolExecutor(1) as pool:
        compiled = run_rows(prepare_runner(sampler), chosen, pool)
    return CrossCheck(chosen, differences(compiled, simulate_batch(sampler, chosen)))


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
