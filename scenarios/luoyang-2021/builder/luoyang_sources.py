"""What the builder reads: the hand-written tables of this folder, and the rows it fills."""

from __future__ import annotations

import csv
import datetime
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parent
PLAN = FOLDER.parent
STATUS = datetime.date(2020, 12, 31)
YEAR_END = datetime.date(2021, 12, 31)
YI = 10_000
"""One hundred million yuan, in the plan's unit of ten thousand yuan."""


@dataclass
class Project:
    """A row of projects.csv in the making; amounts in ten thousand yuan."""

    id: str
    name: str
    programme: str
    county: str
    type: str
    tier: str
    owner: str
    investor: str
    procedure: str
    total: int
    done: int
    plan: int
    start: datetime.date
    finish: datetime.date
    gates: str
    provenance: str
    source: str
    stage: str = ""
    rank: int = 0
    funding: str = ""
    arrears: int = 0
    predecessors: str = ""
    quantity: str = ""
    unit: str = ""
    tags: str = ""
    note: str = ""
    key: str = ""

    @property
    def system(self) -> str:
        """Code of the system, the first part of the programme's code."""
        return self.programme.split("-")[0]


@dataclass(frozen=True)
class Curve:
    """How the value of a type of project grows: S-curve and what is booked early."""

    a: float
    b: float
    early: float
    acceptance: int
    years: float
    unit_size: float


@dataclass(frozen=True)
class Programme:
    """A row of programmes.csv."""

    number: int
    code: str
    name: str
    key_task: int
    count: int
    total: int
    types: dict[str, float]
    counties: str
    enterprise: float
    city_tier: float
    subjects: tuple[str, ...]
    forms: tuple[str, ...]


def read_rows(path: Path) -> list[dict[str, str]]:
    """Read a CSV table as dictionaries of text."""
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def read_texts() -> dict[str, Any]:
    """Read the words that go into the tables."""
    return tomllib.loads((FOLDER / "texts.toml").read_text(encoding="utf-8"))


def weights(text: str) -> dict[str, float]:
    """Read ``a:1;b:2`` as a dictionary."""
    pairs = (part.split(":") for part in text.split(";"))
    return {name: float(value) for name, value in pairs}


def read_programmes() -> list[Programme]:
    """Read programmes.csv in its own order."""
    return [
        Programme(
            int(row["number"]),
            row["code"],
            row["name"],
            int(row["key_task"]),
            int(row["count"]),
            round(float(row["total"]) * YI),
            weights(row["types"]),
            row["counties"],
            float(row["enterprise"]),
            float(row["city_tier"]),
            tuple(row["subjects"].split(";")),
            tuple(row["forms"].split(";")),
        )
        for row in read_rows(FOLDER / "programmes.csv")
    ]


def read_counties() -> dict[str, dict[str, str]]:
    """Read counties.csv by code."""
    return {row["code"]: row for row in read_rows(FOLDER / "counties.csv")}


def read_curves() -> dict[str, Curve]:
    """Read the curve of each type from types.csv and its pace from pace.csv."""
    pace = {row["type"]: row for row in read_rows(FOLDER / "pace.csv")}
    return {
        row["type"]: Curve(
            float(row["curve_a"]),
            float(row["curve_b"]),
            float(row["early_share"]),
            int(row["acceptance_days"].rstrip(")").split(",")[-1]),
            float(pace[row["type"]]["years"]),
            float(pace[row["type"]]["unit_size"]),
        )
        for row in read_rows(PLAN / "types.csv")
    }


def stage_of(start: datetime.date, finish: datetime.date) -> str:
    """Return the stage that the planned dates imply."""
    if start > YEAR_END:
        return "pre_work"
    if start > STATUS:
        return "new"
    return "completing" if finish <= YEAR_END else "continuing"


def largest_remainder(total: int, shares: list[float]) -> list[int]:
    """Split a whole number in proportion to shares, exactly.

    Parameters
    ----------
    total : int
        What is split.
    shares : list of float
        Proportions, not negative, not all zero.

    Returns
    -------
    list of int
        Parts that sum to `total`; ties go to the earlier part.
    """
    scale = sum(shares)
    exact = [total * share / scale for share in shares]
    parts = [int(value) for value in exact]
    order = sorted(range(len(parts)), key=lambda i: (parts[i] - exact[i], i))
    for position in order[: total - sum(parts)]:
        parts[position] += 1
    return parts
