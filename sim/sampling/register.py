"""The register of what is drawn. Append only: a name, once used, keeps its meaning for good."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

SLIP = "slip"
NO_START = "no_start"
NO_START_DELAY = "no_start_delay"
DURATION = "duration"
COST = "cost"
ACCEPTANCE = "acceptance"
GATE_PREPARATION = "gate_preparation"
GATE_REVIEW = "gate_review"
GATE_ELAPSED = "gate_elapsed"
FACTOR = "factor"
DRIVER = "driver"
DRIVER_OCCURS = "driver_occurs"
DRIVER_PLACE = "driver_place"
RISK_OCCURS = "risk_occurs"
RISK_PLACE = "risk_place"
RISK_DAYS = "risk_days"
RISK_COST = "risk_cost"
RISK_TRIGGER = "risk_trigger"
SCRAMBLE = "scramble"
DESIGN = "design"
DRIVER_EACH = "driver_each"

VARIABLES = (
    SLIP,
    NO_START,
    NO_START_DELAY,
    DURATION,
    COST,
    ACCEPTANCE,
    GATE_PREPARATION,
    GATE_REVIEW,
    GATE_ELAPSED,
    FACTOR,
    DRIVER,
    DRIVER_OCCURS,
    DRIVER_PLACE,
    RISK_OCCURS,
    RISK_PLACE,
    RISK_DAYS,
    RISK_COST,
    RISK_TRIGGER,
    SCRAMBLE,
    DESIGN,
    DRIVER_EACH,
)

Label = tuple[str, str, int]
"""Subject, variable, index."""

_SOBOL: tuple[Label, ...] = (
    ("understatement", DRIVER, 0),
    ("overstatement", DRIVER, 0),
    ("productivity", DRIVER, 0),
    ("material_prices", DRIVER, 0),
    ("city", FACTOR, 0),
    ("credit", DRIVER, 0),
    ("coverage", DRIVER, 0),
    ("bond_delay", DRIVER, 0),
    ("bond_calendar", DRIVER, 0),
    ("grants", DRIVER, 0),
    ("funding/enterprise", FACTOR, 0),
    ("funding/government", FACTOR, 0),
    ("festival_stop", DRIVER, 737825),
    ("winter_dust_first", DRIVER, 202100),
    ("winter_dust_last", DRIVER, 202100),
    ("winter_dust_first", DRIVER_OCCURS, 202100),
    ("winter_dust_last", DRIVER_OCCURS, 202100),
)
SOBOL: Mapping[Label, int] = {label: dimension for dimension, label in enumerate(_SOBOL)}
"""Draws that many projects share, with their dimension of the Sobol points.

Append only, like the variables; first what matters most. What does not stand here is spread evenly
by itself only (`sim.sampling.quasi`).
"""


def address(subject: str, variable: str, index: int = 0) -> int:
    """Return the 64-bit address of a draw.

    Parameters
    ----------
    subject : str
        Whom the draw concerns: a project id, a driver, a gate of a project.
    variable : str
        What is drawn; a name from `sim.sampling.register`.
    index : int
        Which one, where a subject has several (a year, an episode).

    Returns
    -------
    int
        Unsigned 64-bit hash (BLAKE2b of the three parts, joined by a separator that cannot
        occur in a name).
    """
    text = f"{subject}\x1f{variable}\x1f{index}"
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "little")


def addresses(labels: Iterable[Label]) -> NDArray[np.uint64]:
    """Return the addresses of draws.

    Raises
    ------
    KeyError
        If a variable does not stand in the register.
    """
    result = []
    for subject, variable, index in labels:
        if variable not in VARIABLES:
            raise KeyError(variable)
        result.append(address(subject, variable, index))
    return np.array(result, dtype=np.uint64)


def find_collisions(labels: Sequence[Label], table: NDArray[np.uint64]) -> list[tuple[str, str]]:
    """Return pairs of different labels that share an address."""
    seen: dict[int, Label] = {}
    found = []
    for label, value in zip(labels, table.tolist(), strict=True):
        other = seen.setdefault(value, label)
        if other != label:
            found.append(("/".join(map(str, other)), "/".join(map(str, label))))
    return found
