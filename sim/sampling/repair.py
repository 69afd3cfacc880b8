"""What was changed in a given correlation matrix that cannot be, and how it is told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from sim.plan.problems import Problem, Told

_LINEAR = Told("线性相关系数", "linear correlation")
_SCORES = Told("正态得分相关系数", "correlation of scores")
DRIVERS = "drivers"
"""The variable of correlations that drivers have; others are those of correlations.csv."""


def place_of(variable: str) -> tuple[str, str]:
    """Return the file and the column in which the correlations of a variable are given."""
    if variable == DRIVERS:
        return "drivers.toml", f"dependence.{DRIVERS}"
    return "correlations.csv", variable


def pair_of(variable: str) -> tuple[str, str]:
    """Return what the two of a pair are called."""
    return ("driver_a", "driver_b") if variable == DRIVERS else ("project_a", "project_b")


@dataclass(frozen=True, slots=True)
class Repair:
    """How far the matrix used lies from the one asked for.

    Attributes
    ----------
    variable : str
        `duration` or `cost`; `drivers` for a group of drivers.
    distance : float
        Frobenius norm of the change of the normal scores' matrix, both triangles counted.
    largest_change : float
        Largest change of a correlation of normal scores, as a size.
    pair : tuple of str
        The two of the largest change; they need not be given as a pair.
    pairs : tuple of dict
        Each pair given, and that of the largest change: `project_a`, `project_b` and their linear
        correlation, `asked` (0 for a pair that is not given) and `used`; `driver_a`, `driver_b`
        and the correlation of their normal scores.
    """

    variable: str
    distance: float
    largest_change: float
    pair: tuple[str, str]
    pairs: tuple[Mapping[str, Any], ...]

    def told(self) -> dict[str, Any]:
        """Return it as the manifest of a run holds it, to ten decimals."""
        return {
            name: round(value, 10) if isinstance(value, float) else value
            for name, value in asdict(self).items()
        }


def repair_warning(told: Mapping[str, Any]) -> Problem:
    """Return the warning of a repair.

    Parameters
    ----------
    told : mapping
        From `Repair.told`, or from a manifest.
    """
    variable, (first, second) = told["variable"], told["pair"]
    file, column = place_of(variable)
    a, b = pair_of(variable)
    given = next(one for one in told["pairs"] if {one[a], one[b]} == {first, second})
    details: dict[str, object] = {
        "distance": f"{told['distance']:.4f}",
        "change": f"{told['largest_change']:.4f}",
        "first": first,
        "second": second,
        "what": _SCORES if variable == DRIVERS else _LINEAR,
        "asked": f"{given['asked']:.3f}",
        "used": f"{given['used']:.3f}",
    }
    return Problem("correlations_repaired", file, None, column, "", details, "warning")
