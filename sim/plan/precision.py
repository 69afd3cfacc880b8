"""How precise a run is asked to be: ``MEASURE=HALFWIDTH``, read and checked."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from sim.plan.problems import Problem

AMOUNTS = ("work_done", "reported", "paid", "arrears", "final_cost")
COUNTS = ("started_in_year", "finished_in_year", "dropped", "makespan_days")
WITH_TARGET = ("work_done", "reported", "paid")
PROBABILITY = "probability_target_met"
_PERCENTILES = ("p5", "p10", "p20", "p50", "p80", "p90", "p95")
_PREFIXES = ("year_end.", "projects.")
"""Parts of a path in summary.json that may be left out."""
_WIDTH = re.compile(r"(\d+(?:\.\d+)?(?:[eE][+-]?\d{1,2})?)\s*(%|(?:万|亿)?元?)", re.ASCII)
_UNITS = {"万": 10**4, "亿": 10**8}


@dataclass(frozen=True, slots=True)
class Precision:
    """What is asked of an estimate.

    Attributes
    ----------
    value : str
        What is measured of a replication: one of `AMOUNTS` or `COUNTS`.
    statistic : str
        ``mean``, a percentile such as ``p50``, or ``probability_target_met``.
    half_width : float
        The half-width wanted of its 95 % interval: yuan, projects, days or a probability.
    relative : bool
        Whether it is a share of the estimate instead.
    """

    value: str
    statistic: str
    half_width: float
    relative: bool = False

    @property
    def measure(self) -> str:
        """Value and statistic, as they are asked for."""
        return f"{self.value}.{self.statistic}"

    @property
    def unit(self) -> str:
        """What the half-width is measured in."""
        if self.statistic == PROBABILITY:
            return "probability"
        if self.value in AMOUNTS:
            return "yuan"
        return "days" if self.value == "makespan_days" else "projects"

    def wanted(self, estimate: float) -> float:
        """Return the half-width wanted, in the measure's own unit."""
        return self.half_width * abs(estimate) if self.relative else self.half_width


def measures() -> list[str]:
    """Return every measure whose precision can be asked for."""
    known = [
        f"{value}.{statistic}"
        for value in (*AMOUNTS, *COUNTS)
        for statistic in ("mean", *_PERCENTILES)
    ]
    return known + [f"{value}.{PROBABILITY}" for value in WITH_TARGET]


def read_precision(text: str, file: str = "") -> Precision | Problem:
    """Read ``MEASURE=HALFWIDTH``, or return what is wrong with it.

    Parameters
    ----------
    text : str
        For example ``reported.p50=20亿``, ``reported.mean=0.5%`` (of the estimate) or
        ``reported.probability_target_met=1%`` (of a probability of one).
    file : str
        Where it was written, for the problem.
    """
    measure, equals, width = (part.strip() for part in text.partition("="))
    for prefix in _PREFIXES:
        measure = measure.removeprefix(prefix)
    if not equals or measure not in measures():
        return _problem("unknown_measure", text, file)
    value, _, statistic = measure.rpartition(".")
    match = _WIDTH.fullmatch(width.replace(",", ""))
    unit = match[2] if match else ""
    number = float(match[1]) if match else math.nan
    of_probability = statistic == PROBABILITY
    of_amount = value in AMOUNTS and not of_probability
    if not 0 < number < math.inf or (unit not in ("", "%") and not of_amount):
        return _problem("bad_half_width", text, file)
    if unit == "%":
        return Precision(value, statistic, number / 100, relative=not of_probability)
    return Precision(value, statistic, number * _UNITS.get(unit[:1], 1))


def _problem(code: str, text: str, file: str) -> Problem:
    details: dict[str, object] = {
        "values": " | ".join((*AMOUNTS, *COUNTS)),
        "statistics": " | ".join(("mean", *_PERCENTILES)),
        "of_target": " | ".join(f"{value}.{PROBABILITY}" for value in WITH_TARGET),
    }
    return Problem(code, file, None, "run.precision", text, details)
