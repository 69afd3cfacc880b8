"""Which gates a project still has open, judged by the time that its planned start leaves."""

from __future__ import annotations

import datetime
import re
from dataclasses import dataclass

from luoyang_sources import FOLDER, PLAN, STATUS, read_rows

HOLIDAYS = 12
"""Working days that public holidays take from a year's start, roughly."""


@dataclass(frozen=True)
class GateTable:
    """Median times and order of the gates, and the ladder from few open gates to all."""

    days: dict[tuple[str, str], float]
    after: dict[tuple[str, str], tuple[str, ...]]
    ladders: dict[str, list[str]]

    def path(self, procedure: str, gates: str) -> float:
        """Return the median working days through the open gates, along the longest path."""
        if gates == "none":
            return 0.0
        done: dict[str, float] = {}
        names = gates.split(";")

        def reach(name: str) -> float:
            before = self.after[procedure, name]
            start = max((reach(other) for other in before), default=0.0)
            own = self.days[procedure, name] if name in names else 0.0
            done[name] = start + own
            return done[name]

        return max(reach(name) for name in names)

    def fitting(self, procedure: str, start: datetime.date, slack: float) -> int:
        """Return the highest rung whose path, stretched by the slack, fits before the start."""
        available = (start - STATUS).days * 5 / 7 - HOLIDAYS
        ladder = self.ladders[procedure]
        if start <= datetime.date(STATUS.year + 1, 1, 31):
            return 0
        paths = [self.path(procedure, gates) * slack for gates in ladder]
        return max((rung for rung, days in enumerate(paths) if days <= available), default=0)

    def choose(self, procedure: str, start: datetime.date, slack: float, least: int = 0) -> str:
        """Return open gates for a planned start.

        Parameters
        ----------
        procedure : str
            Approval, licence or filing.
        start : date
            Planned start.
        slack : float
            How much more time than the median the owner has allowed; below 1 is optimism.
        least : int
            Lowest rung allowed.

        Returns
        -------
        str
            Gates joined by semicolons, or ``none``.
        """
        ladder = self.ladders[procedure]
        rung = self.fitting(procedure, start, slack)
        return ladder[min(max(rung, least), len(ladder) - 1)]


def median_of(text: str) -> float:
    """Return the median (or the mode of a triangle) of a distribution as written in gates.csv."""
    named = re.search(r"median=([\d.]+)", text)
    if named:
        return float(named.group(1))
    return float(text.split("(")[1].split(",")[1])


def read_gates() -> GateTable:
    """Read gates.csv and the ladders."""
    days: dict[tuple[str, str], float] = {}
    after: dict[tuple[str, str], tuple[str, ...]] = {}
    for row in read_rows(PLAN / "gates.csv"):
        key = row["procedure"], row["gate"]
        days[key] = median_of(row["preparation"]) + median_of(row["review"])
        after[key] = tuple(filter(None, row["after"].split(";")))
    ladders: dict[str, list[str]] = {}
    for row in read_rows(FOLDER / "ladders.csv"):
        ladders.setdefault(row["procedure"], []).append(row["gates"])
    return GateTable(days, after, ladders)
