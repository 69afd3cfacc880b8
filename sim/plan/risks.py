"""The small languages of risks.csv: whom a risk strikes, how often, and what it triggers.

Separators are the same in every cell: ``;`` joins what holds together, ``|`` parts alternatives.
Their full-width forms are understood.
"""

from __future__ import annotations

import math
import re

from sim.plan.language import DistributionError, parse_number
from sim.plan.problems import Told, nearest
from sim.plan.rows import Alternatives, Condition, Project, Repetition

FILTER_COLUMNS = (
    "id", "system", "programme", "county", "type", "tier", "owner", "investor", "procedure",
    "stage", "provenance", "tags",
)  # fmt: skip
"""Columns of projects.csv by which a risk can choose its projects."""
MOST_REPETITIONS = 20
LOOP = "loop"

_CONDITION = re.compile(r"^\s*(\w+)\s*([!！]?)[=＝](.*)$", re.DOTALL)
_HALF_WIDTH = str.maketrans("；｜", ";|")
_FILTER_FORM = "type=roads|bridges;county!=jili"
_REPETITION_FORM = f"1 ... {MOST_REPETITIONS} | {LOOP}"
_TRIGGERS_FORM = "R05;R06:0.4;R07:0.3|R08:0.7"


class RiskCellError(ValueError):
    """Raised when a cell does not parse; says why in both languages, and how it is written."""

    def __init__(self, zh: str, en: str, form: str) -> None:
        super().__init__(zh, en, form)
        self.told, self.form = Told(zh, en), form

    def __str__(self) -> str:
        return f"{self.told.en} (write it like {self.form})"


def parse_filter(text: str) -> tuple[Condition, ...]:
    """Parse a filter on projects.

    Parameters
    ----------
    text : str
        For example ``type=roads|bridges;county!=jili``: every condition must hold.

    Returns
    -------
    tuple of Condition
        Empty where all projects are meant.

    Raises
    ------
    RiskCellError
        If a condition does not parse or names a column that filters do not know.
    """
    return tuple(_condition(part) for part in _parts(text))


def _parts(text: str) -> list[str]:
    """Split at the semicolons, of either width."""
    return [part.strip() for part in text.translate(_HALF_WIDTH).split(";") if part.strip()]


def _condition(part: str) -> Condition:
    match = _CONDITION.match(part)
    if match is None:
        raise RiskCellError(f"“{part}”不是 列=值", f"'{part}' is not column=value", _FILTER_FORM)
    column, excludes = match.group(1), bool(match.group(2))
    if column not in FILTER_COLUMNS:
        near = nearest(column, FILTER_COLUMNS)
        raise RiskCellError(
            f"不能按列“{column}”筛选" + (f"，最接近的是“{near}”" if near else ""),
            f"projects cannot be chosen by column '{column}'"
            + (f"; the nearest is '{near}'" if near else ""),
            _FILTER_FORM,
        )
    values = tuple(value.strip() for value in match.group(3).split("|"))
    if not all(values):
        raise RiskCellError(f"“{part}”中有空值", f"a value is missing in '{part}'", _FILTER_FORM)
    return Condition(column, values, excludes)


def values_of(project: Project, column: str) -> tuple[str, ...]:
    """Return what a project has in a column of filters; tags may be several."""
    return project.tags if column == "tags" else (str(getattr(project, column)),)


def covers(conditions: tuple[Condition, ...], project: Project) -> bool:
    """Tell whether a project meets every condition of a filter."""
    return all(
        set(one.values).isdisjoint(values_of(project, one.column)) == one.excludes
        for one in conditions
    )


def parse_repetition(text: str) -> Repetition:
    """Parse how often a risk may strike: a whole number, or ``loop``.

    Raises
    ------
    RiskCellError
        If the text is neither.
    """
    if text == LOOP:
        return Repetition(MOST_REPETITIONS, loop=True)
    try:
        number = parse_number(text)
    except DistributionError as error:
        raise RiskCellError(*error.told, _REPETITION_FORM) from None
    if number not in range(1, MOST_REPETITIONS + 1):
        raise RiskCellError(
            f"须为 1 至 {MOST_REPETITIONS} 的整数，或 {LOOP}",
            f"expected a whole number of 1 to {MOST_REPETITIONS}, or {LOOP}",
            _REPETITION_FORM,
        )
    return Repetition(int(number), loop=False)


def parse_triggers(text: str) -> tuple[Alternatives, ...]:
    """Parse what a risk triggers.

    Parameters
    ----------
    text : str
        Risks with probabilities, ``R05;R06:0.4``; of alternatives, ``R07:0.3|R08:0.7``, one
        happens at most. Without a probability a risk is certain to follow.

    Returns
    -------
    tuple of Alternatives
        Each a tuple of (id of a risk, probability).

    Raises
    ------
    RiskCellError
        If a part does not parse, a risk stands twice, or alternatives sum to more than 1.
    """
    found = tuple(_alternatives(part) for part in _parts(text))
    named = [name for alternatives in found for name, _ in alternatives]
    for position, name in enumerate(named):
        if name in named[:position]:
            raise RiskCellError(
                f"“{name}”出现多次", f"'{name}' stands more than once", _TRIGGERS_FORM
            )
    return found


def _alternatives(part: str) -> Alternatives:
    found = tuple(_trigger(one) for one in part.split("|"))
    total = math.fsum(probability for _, probability in found)
    if total > 1:
        raise RiskCellError(
            f"“{part}”的概率合计 {total:g}，超过 1",
            f"the probabilities of '{part}' sum to {total:g}, more than 1",
            _TRIGGERS_FORM,
        )
    return found


def _trigger(text: str) -> tuple[str, float]:
    pieces = text.replace("：", ":").partition(":")
    name, colon, probability = (piece.strip() for piece in pieces)
    if not name:
        raise RiskCellError("缺少风险编号", "the id of a risk is missing", _TRIGGERS_FORM)
    if not colon:
        return name, 1.0
    try:
        number = parse_number(probability)
    except DistributionError as error:
        raise RiskCellError(*error.told, _TRIGGERS_FORM) from None
    if not 0 <= number <= 1:
        raise RiskCellError(
            f"概率“{probability}”须在 0 与 1 之间",
            f"probability '{probability}' must lie between 0 and 1",
            _TRIGGERS_FORM,
        )
    return name, number
