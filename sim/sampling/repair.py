"""What was changed in a given correlation matrix that cannot be, and how it is told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from sim.plan.problems import Problem


@dataclass(frozen=True, slots=True)
class Repair:
    """How far the matrix used lies from the one asked for.

    Attributes
    ----------
    variable : str
        `duration` or `cost`.
    distance : float
        Frobenius norm of the change of the normal scores' matrix, both triangles counted.
    largest_change : float
        Largest change of a correlation of normal scores, as a size.
    pair : tuple of str
        The two projects of the largest change; correlations.csv need not name them together.
    pairs : tuple of dict
        Each row of correlations.csv, and the pair of the largest change: `project_a`,
        `project_b`, and their linear correlation, `asked` (0 for a pair that has no row) and
        `used`.
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
    first, second = told["pair"]
    linear = next(
        one for one in told["pairs"] if {one["project_a"], one["project_b"]} == {first, second}
    )
    details: dict[str, object] = {
        "distance": f"{told['distance']:.4f}",
        "change": f"{told['largest_change']:.4f}",
        "first": first,
        "second": second,
        "asked": f"{linear['asked']:.3f}",
        "used": f"{linear['used']:.3f}",
    }
    return Problem(
        "correlations_repaired", "correlations.csv", None, told["variable"], "", details, "warning"
    )
