"""Drivers whose normal scores are correlated: groups of them, and how their scores are mixed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sim.plan.rows import Dependence
from sim.sampling import register
from sim.sampling.dependence import factored, told_repair
from sim.sampling.register import Label
from sim.sampling.repair import DRIVERS, Repair

Floats = NDArray[np.float64]
_ROUNDING = 1e-9
"""To which correlations are known that are given as numbers."""


@dataclass(frozen=True, slots=True)
class TiedDrivers:
    """A group of drivers, each correlated with another of it and with none outside.

    Attributes
    ----------
    names : tuple of str
        In alphabetical order; some may be switched off.
    matrix : ndarray of float64, shape (k, k)
        Correlations of their normal scores.
    triangle : ndarray of float64, shape (k, k)
        Lower triangle T with T T' = the matrix.
    repair : Repair or None
        What was changed in the matrix asked for; None where it is used as it is.
    """

    names: tuple[str, ...]
    matrix: Floats
    triangle: Floats
    repair: Repair | None

    @property
    def labels(self) -> list[Label]:
        """Return their draws: each has one."""
        return [(name, register.DRIVER, 0) for name in self.names]


def tied_drivers(dependence: Dependence) -> tuple[TiedDrivers, ...]:
    """Return the groups of correlated drivers.

    Groups are kept apart, so that none can move another, not even by rounding or by a repair.

    Raises
    ------
    InputError
        If correlations contradict each other, and no repair is asked for or none is found.
    """
    given = {(one.driver_a, one.driver_b): one.correlation for one in dependence.drivers}
    found = []
    for names in _groups(pair for pair, correlation in given.items() if correlation != 0):
        index = {name: k for k, name in enumerate(names)}
        inside = {pair: value for pair, value in given.items() if index.keys() >= set(pair)}
        matrix = np.eye(len(names))
        for (a, b), value in inside.items():
            matrix[index[a], index[b]] = matrix[index[b], index[a]] = value
        triangle, used = factored(matrix, names, DRIVERS, dependence.repair, _ROUNDING)
        repair = None
        if used is not None:
            repair = told_repair(DRIVERS, names, matrix, used, inside, lambda _a, _b, r: r)
            matrix = used
        found.append(TiedDrivers(names, matrix, triangle, repair))
    return tuple(found)


def _groups(pairs: Iterable[tuple[str, str]]) -> list[tuple[str, ...]]:
    """Return what is linked by pairs, directly or through others, each group in order."""
    groups: list[set[str]] = []
    for pair in pairs:
        met = [group for group in groups if not group.isdisjoint(pair)]
        groups = [group for group in groups if group not in met]
        groups.append(set(pair).union(*met))
    return sorted(tuple(sorted(group)) for group in groups)
