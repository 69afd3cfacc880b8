"""What a case is, what it measures, and how far from a known answer that may lie.

Where a value is exact, equality is demanded, or 1e-12 relative of floating-point numbers; where it
is known as printed, the printed digits. Where the tool simulates, four standard errors are allowed:
of a mean sd / sqrt(N), of a probability sqrt(p (1 - p) / N), of a percentile the ranks that
belong to such a probability, of a standard deviation by the fourth moment. A known answer that was
itself simulated adds its own error.
"""

from __future__ import annotations

import csv
import functools
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, Literal, cast

import numpy as np
from numpy.typing import NDArray

Kind = Literal[
    "exact", "printed", "mean", "sd", "percentile", "at_most", "share", "estimate", "distance"
]
Engine = Literal["compiled", "reference"]
Floats = NDArray[np.float64]

FOUR = 4.0
"""Standard errors that a simulated value may be off: one in 16,000 is by chance."""
RELATIVE = Fraction(1, 10**12)
"""Rounding allowed to what is exact but worked out in floating point."""
PLACE = Path(__file__).parent
PLANS = PLACE / "cases"
"""Plan folders of the cases."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A statistic with its standard error, where a sample alone does not tell it."""

    value: float
    error: float


@dataclass(frozen=True, slots=True)
class Distance:
    """Largest gap between the distribution of a sample and the one asked for (Kolmogorov)."""

    value: float
    count: int


Measured = Mapping[str, Any]
"""What a case measures, by name: numbers, samples, estimates, distances."""


@dataclass(frozen=True, slots=True)
class Setting:
    """How cases are simulated.

    Attributes
    ----------
    engine : {"compiled", "reference"}
        Which engine.
    scale : float
        Factor on all numbers of replications; tolerances follow.
    seed : int
        Root seed.
    """

    engine: Engine
    scale: float = 1.0
    seed: int = 2021

    def count(self, compiled: int, reference: int) -> int:
        """Return the replications of a case: fewer by the slower engine."""
        usual = compiled if self.engine == "compiled" else reference
        return max(math.ceil(usual * self.scale), 2)


Measure = Callable[[Setting], Measured]


@dataclass(frozen=True, slots=True)
class Case:
    """A row of cases.csv.

    Attributes
    ----------
    id : str
        Name for `--only`; a number is that of the list of known answers.
    zh, en : str
        Title.
    source : str
        Where the answer comes from.
    """

    id: str
    zh: str
    en: str
    source: str


@dataclass(frozen=True, slots=True)
class Quantity:
    """A row of quantities.csv: one known answer.

    Attributes
    ----------
    case : str
        The case.
    basis : str
        `published`: printed in the source; `derived`: worked out from published inputs; `own`:
        designed here, with an exact answer.
    of : str
        Name of what the case measures.
    kind : Kind
        What is asked of it, and so the rule of tolerance.
    at : float or None
        Threshold of `at_most`; probability of a `percentile`.
    expected : str
        The answer, as it is known: `83/24`, `0.4900`, `0x6627e8d5`.
    drawn : int
        Replications on which the answer itself rests; 0 where it is exact.
    zh, en : str
        What people call it.
    """

    case: str
    basis: str
    of: str
    kind: Kind
    at: float | None
    expected: str
    drawn: int
    zh: str
    en: str

    @property
    def value(self) -> Fraction:
        """The answer as a number."""
        text = self.expected
        return Fraction(int(text, 16)) if text.startswith("0x") else Fraction(text)


@dataclass(frozen=True, slots=True)
class Verdict:
    """A known answer beside what the tool says.

    Attributes
    ----------
    quantity : Quantity
        What is known.
    got : float
        What the tool says.
    tolerance : float
        How far it may be off; of a percentile, half the width between its ranks.
    holds : bool
        Whether it is near enough.
    """

    quantity: Quantity
    got: float
    tolerance: float
    holds: bool


@functools.cache
def load_cases() -> tuple[Case, ...]:
    """Return the table of cases."""
    return tuple(Case(**row) for row in _rows("cases.csv"))


@functools.cache
def load_quantities() -> tuple[Quantity, ...]:
    """Return the table of known answers, case by case."""
    return tuple(
        Quantity(
            case=row["case"], basis=row["basis"], of=row["of"], kind=_kind(row["kind"]),
            at=float(row["at"]) if row["at"] else None, expected=row["expected"],
            drawn=int(row["drawn"] or 0), zh=row["zh"], en=row["en"] or row["zh"],
        )
        for row in _rows("quantities.csv")
    )  # fmt: skip


def _rows(name: str) -> list[dict[str, str]]:
    with (PLACE / name).open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def _kind(text: str) -> Kind:
    if text not in _JUDGES:
        raise ValueError(f"quantities.csv: no rule of tolerance is called '{text}'")
    return cast(Kind, text)


def judge(quantity: Quantity, measured: Any) -> Verdict:
    """Hold what the tool says against a known answer.

    Parameters
    ----------
    quantity : Quantity
        What is known.
    measured : number, ndarray of shape (N,), Estimate or Distance
        What the case measured under that name.

    Raises
    ------
    ValueError
        If a sample is empty or holds what is no number.
    """
    if isinstance(measured, np.ndarray) and not (measured.size and np.isfinite(measured).all()):
        raise ValueError(f"case {quantity.case}: the sample of '{quantity.of}' cannot be judged")
    got, tolerance, holds = _JUDGES[quantity.kind](quantity, measured)
    return Verdict(quantity, float(got), float(tolerance), bool(holds))


_Judged = tuple[float, float, bool]


def _error(one: float, quantity: Quantity, count: int) -> float:
    """Return the error of a mean of `count` values with this spread, and of the answer's own."""
    return one * math.sqrt(1 / count + (1 / quantity.drawn if quantity.drawn else 0.0))


def _near(quantity: Quantity, got: float, tolerance: float) -> _Judged:
    return got, tolerance, abs(got - float(quantity.value)) <= tolerance


def _exact(quantity: Quantity, got: Any) -> _Judged:
    tolerance = Fraction(0) if isinstance(got, (int, np.integer)) else RELATIVE * quantity.value
    near = abs(Fraction(got) - quantity.value) <= abs(tolerance)
    return float(got), float(abs(tolerance)), near


def _printed(quantity: Quantity, got: float) -> _Judged:
    digits = len(quantity.expected.partition(".")[2])
    half = Fraction(1, 2 * 10**digits)
    slack = half + RELATIVE * abs(quantity.value)
    return got, float(half), abs(Fraction(float(got)) - quantity.value) <= slack


def _mean(quantity: Quantity, sample: Floats) -> _Judged:
    error = _error(float(sample.std(ddof=1)), quantity, len(sample))
    return _near(quantity, float(sample.mean()), FOUR * error)


def _sd(quantity: Quantity, sample: Floats) -> _Judged:
    # The error of a variance is that of a mean of squares; of its root, over twice the root.
    squares = (sample - sample.mean()) ** 2
    spread = float(np.std(squares, ddof=1)) / (2 * float(quantity.value))
    return _near(quantity, float(sample.std(ddof=1)), FOUR * _error(spread, quantity, len(sample)))


def _share(quantity: Quantity, hits: NDArray[np.bool_]) -> _Judged:
    p = float(quantity.value)
    error = _error(math.sqrt(p * (1 - p)), quantity, len(hits))
    return _near(quantity, float(hits.mean()), FOUR * error)


def _at_most(quantity: Quantity, sample: Floats) -> _Judged:
    assert quantity.at is not None
    return _share(quantity, sample <= quantity.at)


def _percentile(quantity: Quantity, sample: Floats) -> _Judged:
    assert quantity.at is not None
    ordered, count = np.sort(sample), len(sample)
    middle = count * quantity.at
    reach = FOUR * _error(math.sqrt(quantity.at * (1 - quantity.at)), quantity, count) * count
    low = ordered[max(math.floor(middle - reach), 1) - 1]
    high = ordered[min(math.ceil(middle + reach) + 1, count) - 1]
    got = float(ordered[max(math.ceil(middle), 1) - 1])
    return got, float(high - low) / 2, low <= float(quantity.value) <= high


def _estimate(quantity: Quantity, found: Estimate) -> _Judged:
    return _near(quantity, found.value, FOUR * found.error)


def _distance(quantity: Quantity, found: Distance) -> _Judged:
    from scipy import stats

    # As rare, among samples of the right distribution, as four standard errors.
    tolerance = stats.kstwo.isf(2 * stats.norm.sf(FOUR), found.count)
    return _near(quantity, found.value, float(tolerance))


_JUDGES: Mapping[Any, Callable[[Quantity, Any], _Judged]] = {
    "exact": _exact, "printed": _printed, "mean": _mean, "sd": _sd, "percentile": _percentile,
    "at_most": _at_most, "share": _share, "estimate": _estimate, "distance": _distance,
}  # fmt: skip
