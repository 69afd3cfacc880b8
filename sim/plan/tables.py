"""Reading CSV tables: hostile until checked, and every problem told at once."""

from __future__ import annotations

import csv
import datetime
import functools
import io
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from pathlib import Path
from typing import Any

from sim.plan.language import Distribution, DistributionError, parse_distribution
from sim.plan.problems import Problem, nearest

MEGABYTES_LIMIT = 200
AMOUNT_LIMIT_YUAN = 10**12
"""Largest single amount: an amount times a million ppm stays far inside int64."""

YUAN_PER_UNIT = {"元": 1, "万元": 10**4, "亿元": 10**8}

_NUMBER = re.compile(r"^[+-]?(\d{1,3}(,\d{3})+|\d+)(\.\d*)?([eE][+-]?\d{1,3})?$|^[+-]?\.\d+$")
_DATE = re.compile(r"^(\d{4})[-/](\d{1,2})[-/](\d{1,2})$")
_MONTH_DAY = re.compile(r"^(\d{1,2})-(\d{1,2})$")
_SPAN = re.compile(r"^(\d*\.?\d+)\s*-\s*(\d*\.?\d+)$")
_BLANK: Mapping[str, Any] = {"text": "", "choice": "", "list": (), "funding": ()}
"""What a blank optional cell without a default becomes; None for every other kind."""
_DISTRIBUTION_UNIT = {("projects", "duration"): "days", ("projects", "cost"): "amount"}


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
        Row of the file at which each stands (the header is row 1).
    """

    file: str
    rows: list[dict[str, str]] = field(default_factory=list)
    numbers: list[int] = field(default_factory=list)


def decode(content: bytes) -> str | None:
    """Decode UTF-8 with or without mark, else GB18030; None where neither fits."""
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    return None


def read_bytes(path: Path, problems: list[Problem]) -> bytes | None:
    """Read a file of bounded size, or record why it cannot be read."""
    try:
        if path.stat().st_size > MEGABYTES_LIMIT * 2**20:
            problems.append(Problem("too_large", path.name, details={"limit": MEGABYTES_LIMIT}))
            return None
        return path.read_bytes()
    except FileNotFoundError:
        problems.append(Problem("missing_file", path.name))
    except OSError as error:
        reason = error.strerror or type(error).__name__
        problems.append(Problem("unreadable_file", path.name, details={"reason": reason}))
    return None


def read_table(path: Path, table: str, problems: list[Problem]) -> RawTable | None:
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
    RawTable or None
        None where the file cannot be read at all.
    """
    content = read_bytes(path, problems)
    if content is None:
        return None
    text = decode(content)
    if text is None:
        problems.append(Problem("encoding", path.name))
        return None
    try:
        lines = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    except csv.Error as error:
        problems.append(Problem("malformed_csv", path.name, details={"reason": error}))
        return None
    if not lines or not any(cell.strip() for cell in lines[0]):
        problems.append(Problem("empty_file", path.name))
        return None
    header = [cell.strip() for cell in lines[0]]
    _check_header(path.name, header, table, problems)
    raw = RawTable(path.name)
    for number, cells in enumerate(lines[1:], start=2):
        if not any(cell.strip() for cell in cells):
            continue
        if len(cells) != len(header):
            details = {"count": len(cells), "expected": len(header)}
            problems.append(Problem("cell_count", path.name, number, details=details))
            continue
        raw.rows.append({name: cell.strip() for name, cell in zip(header, cells, strict=True)})
        raw.numbers.append(number)
    return raw


def _check_header(file: str, header: list[str], table: str, problems: list[Problem]) -> None:
    known = fields_of(table)
    for position, column in enumerate(header):
        if column not in known:
            details: dict[str, object] = {"nearest": nearest(column, known)}
            problems.append(Problem("unknown_column", file, 1, column, details=details))
        if column in header[:position]:
            problems.append(Problem("duplicate_column", file, 1, column))
    for column, described in known.items():
        if described.required and column not in header:
            problems.append(Problem("missing_column", file, 1, column))


class Converter:
    """Turns the text cells of one plan into typed values.

    Parameters
    ----------
    folder : Path
        Plan folder, from which ``empirical(file)`` may read.
    amount_unit : {"元", "万元", "亿元"}
        Unit of the amounts.
    problems : list of Problem
        What is found wrong is appended here.
    """

    def __init__(self, folder: Path, amount_unit: str, problems: list[Problem]) -> None:
        self._folder = folder
        self._factor = YUAN_PER_UNIT[amount_unit]
        self._problems = problems
        self._distributions: dict[str, Distribution] = {}
        self._convert: dict[str, Callable[[Field, str], Any]] = {
            "name": lambda _, text: text,
            "text": lambda _, text: text,
            "choice": _choice,
            "integer": _integer,
            "number": _ranged_number,
            "amount": self._amount,
            "day": lambda _, text: _day(text),
            "date_or_month_day": lambda _, text: _day_or_month_day(text),
            "distribution": self._distribution,
            "list": lambda _, text: _list(text),
            "optional_list": lambda _, text: _list(text),
            "funding": lambda _, text: _funding(text),
            "span": _span,
        }

    def rows(self, raw: RawTable, table: str) -> list[dict[str, Any] | None]:
        """Convert all rows of a table; None for a row with an error.

        Blank optional cells without a default become None, or an empty string for text. A name
        that stands twice is an error.
        """
        described = fields_of(table)
        converted: list[dict[str, Any] | None] = []
        seen: dict[str, dict[str, int]] = {}
        for number, cells in zip(raw.numbers, raw.rows, strict=True):
            before = len(self._problems)
            values: dict[str, Any] = {}
            for column, one in described.items():
                text = cells.get(column, "")
                try:
                    values[column] = self._cell(one, text)
                except _CellError as error:
                    self._problems.append(
                        Problem(error.code, raw.file, number, column, text, error.details)
                    )
                    continue
                if one.kind == "name":
                    first = seen.setdefault(column, {}).setdefault(text, number)
                    if first != number:
                        self._problems.append(
                            Problem(
                                "duplicate_id", raw.file, number, column, text, {"other": first}
                            )
                        )
            converted.append(values if len(self._problems) == before else None)
        return converted

    def _cell(self, one: Field, text: str) -> Any:
        if not text:
            if one.required:
                raise _CellError("blank_required")
            if not one.default:
                return _BLANK.get(one.kind)
            text = one.default
        return self._convert[one.kind](one, text)

    def _amount(self, one: Field, text: str) -> int:
        number = _decimal(text)
        if number < 0:
            raise _CellError("negative_amount")
        if number * self._factor > AMOUNT_LIMIT_YUAN:
            raise _CellError("amount_too_large", limit=AMOUNT_LIMIT_YUAN // 10**8)
        yuan = number * self._factor
        if yuan != yuan.to_integral_value():
            raise _CellError("finer_than_yuan")
        return int(yuan)

    def _distribution(self, one: Field, text: str) -> Distribution:
        try:
            parsed = self.parse(text)
        except DistributionError as error:
            raise _CellError("not_a_distribution", reason=error) from None
        allowed = _DISTRIBUTION_UNIT.get((one.table, one.column))
        if parsed.unit and allowed is None:
            raise _CellError("unit_not_allowed")
        if parsed.unit and parsed.unit != allowed:
            raise _CellError("wrong_unit", expected=allowed)
        if parsed.lower < 0:
            raise _CellError("negative_distribution")
        return parsed

    def parse(self, text: str) -> Distribution:
        """Parse a distribution, reading the samples it names from the plan folder."""
        if text not in self._distributions:
            self._distributions[text] = parse_distribution(text, self._sample)
        return self._distributions[text]

    def _sample(self, name: str) -> tuple[float, ...]:
        path = (self._folder / name).resolve()
        if not path.is_relative_to(self._folder.resolve()):
            raise DistributionError(f"'{name}' lies outside the plan folder")
        found: list[Problem] = []
        content = read_bytes(path, found)
        text = decode(content) if content is not None else None
        if text is None:
            raise DistributionError(f"'{name}' cannot be read")
        numbers = []
        for position, line in enumerate(text.split()):
            if not _NUMBER.match(line):
                if position == 0:
                    continue  # a header
                raise DistributionError(f"'{name}' holds '{line}', not a number")
            numbers.append(float(line.replace(",", "")))
        return tuple(numbers)


class _CellError(Exception):
    def __init__(self, code: str, **details: object) -> None:
        super().__init__(code)
        self.code, self.details = code, details


def _decimal(text: str) -> Decimal:
    if not _NUMBER.match(text):
        raise _CellError("not_a_number")
    try:
        return Decimal(text.replace(",", ""))
    except InvalidOperation:
        raise _CellError("not_a_number") from None


def _in_range(one: Field, number: float) -> None:
    if not one.minimum <= number <= one.maximum:
        raise _CellError("out_of_range", minimum=f"{one.minimum:g}", maximum=f"{one.maximum:g}")


def _ranged_number(one: Field, text: str) -> float:
    number = float(_decimal(text))
    _in_range(one, number)
    return number


def _integer(one: Field, text: str) -> int:
    number = _decimal(text)
    if abs(number) > 10**15 or number != number.to_integral_value():
        raise _CellError("not_an_integer")
    _in_range(one, float(number))
    return int(number)


def _choice(one: Field, text: str) -> str:
    if text not in one.choices:
        choices = ", ".join(one.choices)
        raise _CellError("not_a_choice", nearest=nearest(text, one.choices), choices=choices)
    return text


def _day(text: str) -> datetime.date:
    match = _DATE.match(text)
    if match is None:
        raise _CellError("not_a_date")
    try:
        return datetime.date(*(int(part) for part in match.groups()))
    except ValueError:
        raise _CellError("not_a_date") from None


def month_day(text: str) -> tuple[int, int]:
    """Parse MM-DD; raise ValueError where there is no such day in a leap year."""
    match = _MONTH_DAY.match(text)
    if match is None:
        raise ValueError(text)
    month, day = int(match.group(1)), int(match.group(2))
    datetime.date(2020, month, day)
    return month, day


def _day_or_month_day(text: str) -> datetime.date | tuple[int, int]:
    try:
        return month_day(text)
    except ValueError:
        return _day(text)


def _list(text: str) -> tuple[str, ...]:
    if text == "none":
        return ()
    return tuple(part.strip() for part in text.replace("；", ";").split(";") if part.strip())


def _span(one: Field, text: str) -> tuple[float, float]:
    match = _SPAN.match(text)
    if match is None:
        raise _CellError("not_a_span")
    low, high = float(match.group(1)), float(match.group(2))
    for end in (low, high):
        _in_range(one, end)
    if low > high:
        raise _CellError("not_a_span")
    return low, high


def _funding(text: str) -> tuple[tuple[str, Fraction], ...]:
    shares: dict[str, Fraction] = {}
    for part in _list(text):
        key, colon, share = (piece.strip() for piece in part.partition(":"))
        if not colon or not key:
            raise _CellError("not_funding", reason=f"'{part}'")
        try:
            value = Fraction(share)
        except (ValueError, ZeroDivisionError):
            raise _CellError("not_funding", reason=f"'{share}'") from None
        if value < 0 or key in shares:
            raise _CellError("not_funding", reason=f"'{part}'")
        shares[key] = value
    total = sum(shares.values(), Fraction(0))
    if total != 1:
        shown = str(total) if total.denominator < 1000 else f"{float(total):.6g}"
        raise _CellError("shares_do_not_sum", sum=shown)
    return tuple(shares.items())
