"""Reading CSV tables as text: hostile until checked, and all problems that show told at once."""

from __future__ import annotations

import csv
import datetime
import functools
import hashlib
import io
import math
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from sim.plan.problems import Problem, Told, nearest, nearest_place

MEGABYTES_LIMIT = 200
AMOUNT_LIMIT_YUAN = 10**12
"""Largest single amount: an amount times a million ppm stays far inside int64."""

FIRST_DATE = datetime.date(1990, 1, 1)
LAST_DATE = datetime.date(2200, 12, 31)
YUAN_PER_UNIT = {"元": 1, "万元": 10**4, "亿元": 10**8}


@dataclass(frozen=True, slots=True)
class Field:
    """One column of one table, as `fields.csv` describes it."""

    table: str
    column: str
    kind: str
    required: bool
    default: str
    minimum: float
    maximum: float
    choices: tuple[str, ...]
    unit: str
    zh: str
    meaning: str


@functools.cache
def fields_of(table: str) -> Mapping[str, Field]:
    """Return the columns of a table, in order, by name."""
    path = Path(__file__).parent / "fields.csv"
    with path.open(encoding="utf-8", newline="") as stream:
        rows = [row for row in csv.DictReader(stream) if row["table"] == table]
    if not rows:
        raise KeyError(table)
    return {
        row["column"]: Field(
            table=table,
            column=row["column"],
            kind=row["kind"],
            required=row["required"] == "yes",
            default=row["default"],
            minimum=float(row["minimum"]) if row["minimum"] else -math.inf,
            maximum=float(row["maximum"]) if row["maximum"] else math.inf,
            choices=tuple(filter(None, row["choices"].split("|"))),
            unit=row["unit"],
            zh=row["zh"],
            meaning=row["meaning"],
        )
        for row in rows
    }


@dataclass(slots=True)
class RawTable:
    """Text cells of a table, before conversion.

    Attributes
    ----------
    file : str
        Name shown to the user.
    rows : list of dict
        Cells by column; blank cells are empty strings.
    numbers : list of int
        Row of the file at which each stands (the header is row 1), as a spreadsheet counts.
    whole : bool
        False where rows are missing from here because they could not be read.
    sha256 : str
        Hash of the bytes that were read; empty where none were.
    lost : frozenset of str
        Columns that the header lacks and that a wrong name in it may mean: what they say is not
        known.
    """

    file: str
    rows: list[dict[str, str]] = field(default_factory=list)
    numbers: list[int] = field(default_factory=list)
    whole: bool = True
    sha256: str = ""
    lost: frozenset[str] = frozenset()


_FIRST_CJK = "\u2e80"


def decode(content: bytes) -> str | None:
    """Decode UTF-8 with or without mark, else GB18030; None where it is no such text."""
    repaired = content.decode("utf-8", errors="replace")
    damage = repaired.count("\ufffd")
    if 0 < damage < sum(character >= _FIRST_CJK for character in repaired if character != "\ufffd"):
        return None  # UTF-8 with a few broken bytes: GB18030 would read it as other characters
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        return None if "\0" in text else text
    return None


def read_bytes(path: Path, problems: list[Problem]) -> bytes | None:
    """Read a file of bounded size, or record why it cannot be read."""
    reason: object
    try:
        found = path.stat()
        if not stat.S_ISREG(found.st_mode):
            reason = Told("不是普通文件", "not a regular file")
        elif found.st_size > MEGABYTES_LIMIT * 2**20:
            problems.append(Problem("too_large", path.name, details={"limit": MEGABYTES_LIMIT}))
            return None
        else:
            return path.read_bytes()
    except FileNotFoundError:
        near: dict[str, object] = {"path": path, "nearest": nearest_place(path)}
        problems.append(Problem("missing_file", path.name, details=near))
        return None
    except (OSError, ValueError) as error:  # ValueError: a name that no file can have
        reason = getattr(error, "strerror", None) or error
    problems.append(Problem("unreadable_file", path.name, details={"reason": reason}))
    return None


def digest(content: bytes) -> str:
    """Return the SHA-256 of what was read, in hexadecimal digits."""
    return hashlib.sha256(content).hexdigest()


def leads_out(path: Path, folder: Path) -> bool:
    """Tell whether a path, its links followed, ends outside a folder (or nowhere at all)."""
    try:
        return not path.resolve().is_relative_to(folder.resolve())
    except (OSError, RuntimeError, ValueError):  # links in a circle, names that cannot be
        return True


def read_table(path: Path, table: str, problems: list[Problem]) -> RawTable:
    """Read the text cells of a table.

    Parameters
    ----------
    path : Path
        CSV file.
    table : str
        Its name in `fields.csv`.
    problems : list of Problem
        What is found wrong is appended here.

    Returns
    -------
    RawTable
        What could be read of it.
    """
    unread = RawTable(path.name, whole=False)
    if leads_out(path, path.parent):
        problems.append(Problem("unsafe_path", path.name))
        return unread
    content = read_bytes(path, problems)
    if content is None:
        return unread
    unread.sha256 = digest(content)
    text = decode(content)
    if text is None:
        problems.append(Problem("encoding", path.name))
        return unread
    lines: list[list[str]] = []
    try:
        for line in csv.reader(io.StringIO(text, newline=""), strict=True):
            lines.append(line)
    except csv.Error as error:
        details: dict[str, object] = {"reason": error}
        problems.append(Problem("malformed_csv", path.name, len(lines) + 1, details=details))
        return unread
    if not lines or not any(cell.strip() for cell in lines[0]):
        problems.append(Problem("empty_file", path.name))
        return unread
    in_chinese = {one.zh: column for column, one in fields_of(table).items()}
    header = [in_chinese.get(cell.strip(), cell.strip()) for cell in lines[0]]
    _check_header(path.name, header, table, problems)
    # Rows that lack a required column are no rows to draw conclusions from.
    required = {column for column, one in fields_of(table).items() if one.required}
    raw = RawTable(
        path.name,
        whole=required <= set(header),
        sha256=unread.sha256,
        lost=_lost_columns(header, table),
    )
    for number, cells in enumerate(lines[1:], start=2):
        if not any(cell.strip() for cell in cells):
            continue
        if len(cells) != len(header):
            details = {"count": len(cells), "expected": len(header)}
            problems.append(Problem("cell_count", path.name, number, details=details))
            raw.whole = False
            continue
        raw.rows.append({name: cell.strip() for name, cell in zip(header, cells, strict=True)})
        raw.numbers.append(number)
    return raw


def _meant(column: str, absent: set[str], table: str) -> str:
    """Return the absent column that a wrong name, English or Chinese, looks most like."""
    english = {fields_of(table)[one].zh: one for one in absent}
    near = nearest(column, [*absent, *english])
    return english.get(near, near)


def _lost_columns(header: list[str], table: str) -> frozenset[str]:
    """Return the columns that may be meant by names that are none, doubled or blank."""
    absent = set(fields_of(table)) - set(header)
    lost: set[str] = set()
    for position, column in enumerate(header):
        if column not in fields_of(table):
            lost |= {_meant(column, absent, table)} & absent or absent
        elif column in header[:position]:
            lost |= absent
    return frozenset(lost)


def _check_header(file: str, header: list[str], table: str, problems: list[Problem]) -> None:
    known = fields_of(table)
    for position, column in enumerate(header):
        if not column:
            details: dict[str, object] = {"position": position + 1}
            problems.append(Problem("unnamed_column", file, 1, details=details))
        elif column in header[:position]:
            problems.append(Problem("duplicate_column", file, 1, column))
        elif column not in known:
            details = {"nearest": _meant(column, set(known) - set(header), table)}
            problems.append(Problem("unknown_column", file, 1, column, details=details))
    for column, described in known.items():
        if described.required and column not in header:
            problems.append(Problem("missing_column", file, 1, column))
