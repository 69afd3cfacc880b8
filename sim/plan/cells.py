"""Turning the text cells of tables into typed values: amounts, dates, shares, distributions."""

from __future__ import annotations

import datetime
import functools
import os
import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

from sim.plan.language import (
    Distribution,
    DistributionError,
    parse_distribution,
    parse_number,
)
from sim.plan.problems import Problem, Told, nearest
from sim.plan.risks import RiskCellError, parse_filter, parse_repetition, parse_triggers
from sim.plan.tables import (
    AMOUNT_LIMIT_YUAN,
    FIRST_DATE,
    LAST_DATE,
    YUAN_PER_UNIT,
    Field,
    RawTable,
    decode,
    digest,
    fields_of,
    leads_out,
    read_bytes,
)

_NUMBER = re.compile(r"^[+-]?(\d{1,3}(,\d{3})+|\d+)(\.\d*)?([eE][+-]?\d{1,3})?$|^[+-]?\.\d+$")
_DATE = re.compile(r"^(\d{4})[-/](\d{1,2})[-/](\d{1,2})$")
_MONTH_DAY = re.compile(r"^(\d{1,2})-(\d{1,2})$")
_SPAN = re.compile(r"^(\d*\.?\d+)\s*-\s*(\d*\.?\d+)$")
_SHARE = re.compile(r"^(\d{1,9}(\.\d{0,18})?|\.\d{1,18}|\d{1,9}/0*[1-9]\d{0,8})$")
"""Bounded on purpose: a share of 1e999999999 would be worked out exactly."""
_LONGEST_AMOUNT = 28
"""Digits that decimal arithmetic keeps; a longer amount would be rounded in silence."""
_LONGEST_NAME = 100
_SEPARATORS = ";；:：,，/"
"""The last one joins the parts of the addresses of draws: a gate of a project."""
_ONE_IN = 1e-12
_BLANK: Mapping[str, Any] = {
    "text": "", "choice": "", "list": (), "funding": (), "filter": (), "triggers": (),
}  # fmt: skip
"""What a blank optional cell without a default becomes; None for every other kind."""
_DISTRIBUTION_UNIT = {("projects", "duration"): "days", ("projects", "cost"): "amount"}
_KEY_OF_TWO = {"gates": ("procedure", "gate")}
"""Tables whose rows are told apart by two columns."""


@functools.lru_cache(maxsize=1024)  # what a type says is asked for each of its projects
def extremes(distribution: Distribution) -> tuple[float, float]:
    """Return the smallest and the largest draw in a million million, to bound what can come."""
    if distribution.name == "fixed":
        return distribution.parameters[0], distribution.parameters[0]
    import numpy as np

    from sim.plan.quantiles import quantile

    with np.errstate(all="ignore"):
        low, high = quantile(distribution, np.array([_ONE_IN, 1 - _ONE_IN])).tolist()
    return low, high


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

    Attributes
    ----------
    samples : dict of str to str
        Files that distributions have read, by their place in the folder, and the hash of each.
    """

    def __init__(self, folder: Path, amount_unit: str, problems: list[Problem]) -> None:
        self.samples: dict[str, str] = {}
        self._folder = folder
        self._factor = YUAN_PER_UNIT[amount_unit]
        self._problems = problems
        self.parse = functools.cache(self._parse)
        self._numbers = functools.cache(self._read_numbers)
        self._convert: dict[str, Callable[[Field, str], Any]] = {
            "name": lambda _, text: check_name(text),
            "text": lambda _, text: text,
            "choice": _choice,
            "integer": _integer,
            "number": _ranged_number,
            "amount": lambda _, text: self._amount(text),
            "day": lambda _, text: _day(text),
            "date_or_month_day": lambda _, text: _day_or_month_day(text),
            "distribution": self._distribution,
            "list": lambda _, text: _list(text),
            "optional_list": lambda _, text: _list(text),
            "funding": lambda _, text: _funding(text),
            "span": _span,
            "filter": lambda _, text: _of_risks(parse_filter, text),
            "place": self._place,
            "repetition": lambda _, text: _of_risks(parse_repetition, text),
            "triggers": lambda _, text: _of_risks(parse_triggers, text),
        }

    def rows(self, raw: RawTable, table: str) -> list[dict[str, Any] | None]:
        """Convert all rows of a table; None for a row with an error.

        Blank optional cells without a default become None; texts, choices and lists are empty
        then. A key that stands twice is an error.
        """
        described = fields_of(table)
        keys = _KEY_OF_TWO.get(table) or [
            column for column, one in described.items() if one.kind == "name"
        ]
        first: dict[tuple[str, ...], int] = {}
        converted: list[dict[str, Any] | None] = []
        for number, cells in zip(raw.numbers, raw.rows, strict=True):
            values, whole = self._row(raw.file, number, cells, described)
            key = tuple(cells.get(column, "") for column in keys)
            if key and all(key) and first.setdefault(key, number) != number:
                details = {"other": first[key]}
                self._problems.append(
                    Problem("duplicate_id", raw.file, number, keys[-1], key[-1], details)
                )
                whole = False
            converted.append(values if whole else None)
        return converted

    def _row(
        self, file: str, number: int, cells: Mapping[str, str], described: Mapping[str, Field]
    ) -> tuple[dict[str, Any], bool]:
        values: dict[str, Any] = {}
        whole = True
        for column, one in described.items():
            if one.required and column not in cells:
                whole = False  # the missing column has been told once, of the header
                continue
            text = cells.get(column, "")
            try:
                values[column] = self._cell(one, text)
            except CellError as error:
                self._problems.append(
                    Problem(error.code, file, number, column, text, error.details)
                )
                whole = False
        return values, whole

    def _cell(self, one: Field, text: str) -> Any:
        if not text:
            if one.required:
                raise CellError("blank_required")
            if not one.default:
                return _BLANK.get(one.kind)
            text = one.default
        return self._convert[one.kind](one, text)

    def _amount(self, text: str) -> int:
        number = _decimal(text)
        if len(text) > _LONGEST_AMOUNT:
            raise CellError("not_a_number")
        if number < 0:
            raise CellError("negative_amount")
        if number * self._factor > AMOUNT_LIMIT_YUAN:
            raise CellError("amount_too_large", limit=AMOUNT_LIMIT_YUAN // 10**8)
        yuan = number * self._factor
        if yuan != yuan.to_integral_value():
            raise CellError("finer_than_yuan")
        return int(yuan)

    def _distribution(self, one: Field, text: str) -> Distribution:
        try:
            parsed = self.parse(text)
        except DistributionError as error:
            raise CellError("not_a_distribution", reason=error.told) from None
        allowed = _DISTRIBUTION_UNIT.get((one.table, one.column))
        if parsed.unit and allowed is None:
            raise CellError("unit_not_allowed")
        if parsed.unit and parsed.unit != allowed:
            raise CellError("wrong_unit", expected=allowed)
        if one.unit == "factor" and not parsed.unit:
            check_factor(parsed)
        most = one.maximum
        if parsed.unit == "amount":
            most = AMOUNT_LIMIT_YUAN / self._factor
        check_draws(parsed, one.minimum, most)
        return parsed

    def _place(self, one: Field, text: str) -> str | Distribution:
        """Take what looks like a number or a distribution for a share, all else for a gate."""
        is_share = _NUMBER.match(text) or "(" in text
        return self._distribution(one, text) if is_share else text

    def _parse(self, text: str) -> Distribution:
        """Parse a distribution, reading the samples it names from the plan folder."""
        return parse_distribution(text, self._sample)

    def _sample(self, name: str) -> tuple[float, ...]:
        path = self._folder / name
        if leads_out(path, self._folder):
            raise DistributionError(
                f"“{name}”在方案文件夹之外", f"'{name}' lies outside the plan folder"
            )
        return self._numbers(Path(os.path.relpath(path, self._folder)).as_posix())

    def _read_numbers(self, name: str) -> tuple[float, ...]:
        """Read a sample, once: whatever names the file gets the same numbers."""
        content = read_bytes(self._folder / name, [])
        text = decode(content) if content is not None else None
        if content is None or text is None:
            raise DistributionError(f"“{name}”无法读取", f"'{name}' cannot be read")
        self.samples[name] = digest(content)
        lines = [line.strip() for line in text.splitlines() if line.strip()]
        if lines and not any(character.isdigit() for character in lines[0]):
            del lines[0]  # a header; a mistyped number holds a digit
        for line in lines:
            if not _NUMBER.match(line):
                raise DistributionError(
                    f"“{name}”中的“{line}”不是数字", f"'{line}' in '{name}' is not a number"
                )
        return tuple(parse_number(line.replace(",", "")) for line in lines)


class CellError(Exception):
    """What is wrong with one cell: the code of a message and the values that it names."""

    def __init__(self, code: str, **details: object) -> None:
        super().__init__(code)
        self.code, self.details = code, details


def check_draws(distribution: Distribution, minimum: float, maximum: float) -> None:
    """Raise a `CellError` where draws could leave a range."""
    if distribution.lower < minimum:
        raise CellError("draws_too_small", minimum=f"{minimum:g}")
    largest = extremes(distribution)[1]
    if not largest <= maximum:
        raise CellError("draws_too_large", largest=f"{largest:.3g}", maximum=f"{maximum:.3g}")


def check_factor(distribution: Distribution) -> None:
    """Raise a `CellError` where a factor would mostly be 0: work or cost of nothing."""
    if distribution.name == "chance":
        raise CellError("chance_of_factor")


def check_name(text: str) -> str:
    """Take a name that lists and addresses can hold and messages can show.

    Raises
    ------
    CellError
        If it is none.
    """
    told_apart = text.isprintable() and len(text) <= _LONGEST_NAME
    if not told_apart or any(one in text for one in _SEPARATORS):
        raise CellError("bad_name", separators=" ".join(_SEPARATORS), most=_LONGEST_NAME)
    return text


def _decimal(text: str) -> Decimal:
    if not _NUMBER.match(text):
        raise CellError("not_a_number")
    return Decimal(text.replace(",", ""))


def _in_range(one: Field, number: float) -> None:
    if not one.minimum <= number <= one.maximum:
        raise CellError("out_of_range", minimum=f"{one.minimum:g}", maximum=f"{one.maximum:g}")


def _ranged_number(one: Field, text: str) -> float:
    number = float(_decimal(text))
    _in_range(one, number)
    return number


def _integer(one: Field, text: str) -> int:
    number = _decimal(text)
    _in_range(one, float(number))
    if number != number.to_integral_value():
        raise CellError("not_an_integer")
    return int(number)


def _choice(one: Field, text: str) -> str:
    if text not in one.choices:
        choices = ", ".join(one.choices)
        raise CellError("not_a_choice", nearest=nearest(text, one.choices), choices=choices)
    return text


def _day(text: str) -> datetime.date:
    match = _DATE.match(text)
    if match is None:
        raise CellError("not_a_date")
    try:
        day = datetime.date(*(int(part) for part in match.groups()))
    except ValueError:
        raise CellError("not_a_date") from None
    if not FIRST_DATE <= day <= LAST_DATE:
        raise CellError("date_out_of_range", first=FIRST_DATE, last=LAST_DATE)
    return day


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
    parts = [part.strip() for part in text.replace("；", ";").split(";") if part.strip()]
    for position, part in enumerate(parts):
        if part in parts[:position]:
            raise CellError("repeated", part=part)
    return tuple(parts)


def _of_risks(parse: Callable[[str], Any], text: str) -> Any:
    try:
        return parse(text)
    except RiskCellError as error:
        raise CellError("not_understood", reason=error.told, form=error.form) from None


def _span(one: Field, text: str) -> tuple[float, float]:
    match = _SPAN.match(text)
    if match is None:
        raise CellError("not_a_span")
    low, high = float(match.group(1)), float(match.group(2))
    for end in (low, high):
        _in_range(one, end)
    if low > high:
        raise CellError("not_a_span")
    return low, high


def _funding(text: str) -> tuple[tuple[str, Fraction], ...]:
    shares: dict[str, Fraction] = {}
    for part in _list(text.replace("：", ":")):
        key, colon, share = (piece.strip() for piece in part.partition(":"))
        if not colon or not key:
            reason = Told(f"“{part}”不是 账户:份额", f"'{part}' is not account:share")
            raise CellError("not_funding", reason=reason)
        if not _SHARE.match(share):
            reason = Told(f"“{share}”不是份额", f"'{share}' is not a share")
            raise CellError("not_funding", reason=reason)
        if key in shares:
            raise CellError("repeated", part=key)
        shares[key] = Fraction(share)
    total = sum(shares.values(), Fraction(0))
    if total != 1:
        shown = str(total) if total.denominator < 1000 else f"{float(total):.6g}"
        raise CellError("shares_do_not_sum", sum=shown)
    return tuple(shares.items())
