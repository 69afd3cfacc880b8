"""What places have published of their annual plans: one row a place and year."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.plan.cells import Converter
from sim.plan.problems import InputError, Problem, Told, errors_of, nearest
from sim.plan.tables import read_table

Cell = tuple[str, int]
"""Scope and month, 1 to 12."""

STARTS = "starts"
"""Scope of start ratios."""
KINDS: Mapping[str, tuple[str, ...]] = {
    "industry": ("industrial_plant", "petrochemical"),
    "infrastructure": ("rail_metro", "roads", "bridges_tunnels", "energy_power",
                       "water_conservancy"),
    "transport": ("rail_metro", "roads", "bridges_tunnels"),
}  # fmt: skip
"""Types that stand for a published kind of works. New infrastructure (IT) stands for none."""
_SHARES, _PLACES, _STARTS = "month_end_shares", "places", "start_rates"


@dataclass(frozen=True, slots=True)
class PlaceYear:
    """What one place published of one year.

    Attributes
    ----------
    place : str
        Its code, the same for all its years.
    year : int
        Plan year.
    cells : tuple of (scope, month)
        What was published.
    shares : ndarray of float64, shape (n,)
        Completed investment over the annual plan; of scope `starts` starts over those planned.
    province : str
        Places of one province are struck by the same year.
    """

    place: str
    year: int
    cells: tuple[Cell, ...]
    shares: NDArray[np.float64]
    province: str = ""

    @property
    def group(self) -> str:
        """The province, or the place where none is known: what is left out together."""
        return self.province or self.place


@dataclass(frozen=True, slots=True)
class Evidence:
    """What places published, and the files it was read from.

    Attributes
    ----------
    rows : tuple of PlaceYear
        By place and year, whatever the order of rows in the files.
    inputs : tuple of (name, sha256)
        Every file, and the hash of its bytes.
    """

    rows: tuple[PlaceYear, ...]
    inputs: tuple[tuple[str, str], ...]


def read_evidence(folder: Path) -> Evidence:
    """Read the reference tables of a folder.

    Parameters
    ----------
    folder : Path
        Holds month_end_shares.csv, places.csv and start_rates.csv; columns in `fields.csv`.
        What has a reason to be left out is left out.

    Raises
    ------
    InputError
        With every problem found, if any of them is an error.
    """
    problems: list[Problem] = []
    converter = Converter(folder, "元", problems)
    tables = {name: read_table(folder / f"{name}.csv", name, problems)
              for name in (_SHARES, _PLACES, _STARTS)}  # fmt: skip
    rows = {name: converter.rows(raw, name) for name, raw in tables.items()}
    places: dict[str, dict[str, Any]] = {}
    for number, row in zip(tables[_PLACES].numbers, rows[_PLACES], strict=True):
        if row is not None and places.setdefault(row["place"], row) is not row:
            file = tables[_PLACES].file
            problems.append(Problem("share_given_twice", file, number, "place", row["place"]))
    found: dict[tuple[str, int], dict[Cell, float]] = {}
    provinces: dict[str, str] = {}

    def add(table: str, number: int, place: str, year: int, cell: Cell, share: float) -> None:
        cells = found.setdefault((place, year), {})
        if cell in cells:
            value = f"{place} {year} {cell[0]} {cell[1]}"
            problems.append(
                Problem("share_given_twice", tables[table].file, number, "place", value)
            )
        cells[cell] = share

    for number, row in zip(tables[_SHARES].numbers, rows[_SHARES], strict=True):
        if row is None or row["why_left_out"]:
            continue
        listed = places.get(row["place"])
        if listed is None:
            if tables[_PLACES].whole:
                details: dict[str, object] = {
                    "what": Told("地方", "place"), "nearest": nearest(row["place"], places),
                }  # fmt: skip
                file = tables[_SHARES].file
                problems.append(
                    Problem("unknown_reference", file, number, "place", row["place"], details)
                )
        elif not listed["why_left_out"]:
            cell = (row["scope"], row["through_month"])
            add(_SHARES, number, listed["place_id"], row["year"], cell, row["share"])
            provinces[listed["place_id"]] = listed["province"]
    for number, row in zip(tables[_STARTS].numbers, rows[_STARTS], strict=True):
        if row is not None and not row["why_left_out"]:
            cell = (STARTS, row["through_month"])
            add(_STARTS, number, row["place_id"], row["year"], cell, row["share"])
            provinces.setdefault(row["place_id"], row["province"])
    if errors_of(problems):
        raise InputError(problems)
    rows_of_places = tuple(
        PlaceYear(
            place,
            year,
            tuple(sorted(cells)),
            np.array([cells[c] for c in sorted(cells)]),
            provinces[place],
        )
        for (place, year), cells in sorted(found.items())
    )
    return Evidence(rows_of_places, tuple((one.file, one.sha256) for one in tables.values()))
