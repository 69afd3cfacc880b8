"""CSV for people: a byte-order mark, whole numbers as they are, no text that runs as a formula."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def cell(value: Any) -> str:
    """Write one value: integers as they are, other numbers to ten digits, text never a formula."""
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.10g}"
    text = str(value)
    if isinstance(value, str) and text.startswith(_FORMULA_STARTS):
        return "'" + text
    return text


def csv_bytes(rows: Iterable[Mapping[str, Any]]) -> bytes:
    """Return the content of a table of rows, all with the same columns."""
    stream = io.StringIO(newline="")
    writer = csv.writer(stream, lineterminator="\n")
    for position, row in enumerate(rows):
        if position == 0:
            writer.writerow(row)
        writer.writerow([cell(value) for value in row.values()])
    return stream.getvalue().encode("utf-8-sig")


def write_csv(path: Path, rows: Iterable[Mapping[str, Any]]) -> None:
    """Write rows, all with the same columns."""
    path.write_bytes(csv_bytes(rows))


def read_csv(path: Path) -> list[dict[str, str]]:
    """Read a table that `write_csv` wrote, as text."""
    with path.open(encoding="utf-8-sig", newline="") as stream:
        names, *rows = csv.reader(stream)
        return [dict(zip(names, row, strict=True)) for row in rows]
