"""The TOML files of a plan and of a scenario, checked by pydantic: all errors at once."""

from __future__ import annotations

import datetime
import importlib.util
import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from sim.plan.problems import Problem, Told, meant
from sim.plan.tables import FIRST_DATE, LAST_DATE, decode, digest, read_bytes

State = Literal["off", "on", "stress"]
Engine = Literal["compiled", "reference"]
Sampling = Literal["quasi", "plain"]
BUILT_IN_UNCERTAINTIES = (
    "duration", "cost", "slip", "gates", "acceptance", "dependence", "risks", "money",
)  # fmt: skip
"""Uncertainties that come with the tables rather than from drivers.toml.

Without `money` it is unlimited.
"""

_NO_CAUSES = ("duration", "cost", "slip", "dependence")
"""The residuals themselves, and what only ties them together."""


class _Strict(BaseModel):
    # Strict: a date is a TOML date and a number is not a text or a yes; nan and inf are neither.
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


Day = Annotated[datetime.date, Field(ge=FIRST_DATE, le=LAST_DATE)]
DecemberDay = Annotated[str, Field(pattern=r"^12-(0[1-9]|[12][0-9]|3[01])$")]
Labels = dict[str, str | list[str]]
"""Readable names by code; `derived` lists the codes that were inferred."""


class PlanFile(_Strict):
    """plan.toml."""

    name: str
    status_date: Day
    plan_year: int = Field(ge=1990, le=2190)
    target: float | None = Field(default=None, ge=0, le=1e15)
    amount_unit: Literal["元", "万元", "亿元"] = "万元"
    horizon: Day | None = None
    calendar: Literal["site", "continuous"] = "site"
    december_cut_off: DecemberDay = "12-31"
    acceleration_premium: float = Field(default=0.2, ge=0, le=10)
    adjustment_days: int = Field(default=0, ge=0, le=3660)
    adjustment_days_above: int = Field(default=0, ge=0, le=3660)
    systems: Labels = {}
    programmes: Labels = {}
    counties: Labels = {}
    types: Labels = {}
    causes: Labels = {}
    deflation: dict[str, Any] = {}
    """By cause; its tables are checked one by one, with the changes of a scenario."""


Left = Annotated[float, Field(gt=0, le=1)]
"""What is left of something: a cause cannot explain all of it, or less than nothing."""


class DeflationTable(_Strict):
    """One table [deflation.CAUSE] of plan.toml."""

    duration_excess: Left = 1.0
    duration_spread: Left = 1.0
    cost_excess: Left = 1.0
    cost_spread: Left = 1.0
    slip: Left = 1.0
    no_start: Left = 1.0


def deflating(states: Iterable[str]) -> list[str]:
    """Return the uncertainties that can be a cause of what reference classes show."""
    return [name for name in states if name not in (*_NO_CAUSES, "all")]


class DriverTable(_Strict):
    """One table of drivers.toml."""

    title: str
    title_en: str = ""
    distribution: str
    scope: Literal["city", "county"] = "city"
    acts_on: Literal[
        "duration", "cost", "intent", "report", "calendar", "special_bond", "bond_delay",
        "fund_budget", "general_budget", "grant", "loan", "own", "coverage", "land",
    ]  # fmt: skip
    exposure: dict[str, Any] = {}
    known_by: datetime.date | None = None
    source: str = ""
    stress: str | None = None
    each: str | None = None
    state: State = "on"
    cause: str = ""
    window: Annotated[list[str | datetime.date], Field(min_length=2, max_length=2)] | None = None
    probability: float = Field(default=1.0, ge=0, le=1)
    stress_probability: float | None = Field(default=None, ge=0, le=1)
    availability: float = Field(default=0.0, ge=0, le=1)
    episodes: int = Field(default=1, ge=1, le=50)
    key_works: float = Field(default=1.0, ge=0, le=1)


class DependenceTable(_Strict):
    """The table [dependence] of drivers.toml."""

    title: str = ""
    city: float = Field(default=0.0, ge=0, le=1)
    type: float = Field(default=0.0, ge=0, le=1)
    programme: float = Field(default=0.0, ge=0, le=1)
    funding: float = Field(default=0.0, ge=0, le=1)
    enterprise: float = Field(default=1.0, ge=0, le=1)
    repair: bool = False
    drivers: list[Any] = []
    """Triples of two drivers and a correlation; each is checked by itself."""
    source: str = ""


Names = list[str] | str
"""A list, or a text with the names separated by semicolons."""


class LeversTable(_Strict):
    """The table [levers] of a scenario: what the city decides."""

    start_rule: Literal["wait", "block"] = "wait"
    acceleration: Literal["on", "off"] = "on"
    december_cut_off: DecemberDay | None = None
    payment_rule: Literal["tier", "pro_rata", "fifo"] | None = None
    bond_delay_days: int = Field(default=0, ge=0, le=730)
    bond_reallocation_days: int | None = Field(default=None, ge=1, le=730)
    drop: Names = []
    postpone: Names = []
    pull_forward: Names = []
    revision_date: Day | None = None
    mitigate: Names = []


class About(_Strict):
    """The table [about] of a scenario.

    What uses later knowledge is not `scored`: it is no forecast, and no outcome judges it.
    """

    title: str
    question: str = ""
    author: str = ""
    date: datetime.date | None = None
    source: str = ""
    scored: bool = True


def usual_engine() -> Engine:
    """Return the compiled engine where its compiler is installed, else the reference engine."""
    return "compiled" if importlib.util.find_spec("numba") else "reference"


class RunOptions(_Strict):
    """The table [run] of a scenario; the command line overrides it."""

    replications: int = Field(default=10_240, ge=1, le=10_000_000)
    seed: int = Field(default=2021, ge=0, lt=1 << 64)
    sampling: Sampling = "quasi"
    engine: Engine = Field(default_factory=usual_engine)
    workers: int | None = Field(default=None, ge=1, le=1024)
    precision: str | None = None


class ScenarioFile(_Strict):
    """A scenario file."""

    plan: str = "."
    base: str | None = None
    about: About
    levers: dict[str, Any] = {}
    uncertainties: dict[str, Any] = {}
    types: dict[str, dict[str, Any]] = {}
    projects: dict[str, dict[str, Any]] = {}
    accounts: dict[str, dict[str, Any]] = {}
    releases: dict[str, dict[str, Any]] = {}
    deflation: dict[str, dict[str, Any]] = {}
    run: RunOptions = RunOptions()


Model = TypeVar("Model", bound=_Strict)


_REASONS = {
    "string_type": Told("须为文本", "expected text"),
    "int_type": Told("须为整数", "expected a whole number"),
    "float_type": Told("须为数字", "expected a number"),
    "finite_number": Told("须为有限的数字", "expected a finite number"),
    "date_type": Told(
        "须为日期，写成 2021-06-30，不加引号", "expected a date like 2021-06-30, without quotes"
    ),
    "bool_type": Told("须为 true 或 false", "expected true or false"),
    "list_type": Told("须为列表", "expected a list"),
    "dict_type": Told("须为表", "expected a table"),
    "model_type": Told("须为表", "expected a table"),
    "string_pattern_mismatch": Told(
        "须为 12 月的一天，写成 12-25", "expected a day of December, like 12-25"
    ),
    "literal_error": Told("可选：{expected}", "choose from {expected}"),
    "greater_than": Told("须大于 {gt}", "it must be above {gt}"),
    "greater_than_equal": Told("须不小于 {ge}", "it must be at least {ge}"),
    "less_than_equal": Told("须不大于 {le}", "it must be at most {le}"),
    "less_than": Told("须小于 {lt}", "it must be below {lt}"),
    "too_short": Told("至少 {min_length} 项", "at least {min_length} entries are needed"),
    "too_long": Told("至多 {max_length} 项", "at most {max_length} entries fit"),
}
_HEADER = re.compile(r"^\s*\[+\s*((?:\"[^\"]*\"|'[^']*'|[^\]\"',])+?)\s*\]")
"""What has a comma outside quotes is a list in a list, and no header."""
_KEY = re.compile(r"^\s*((?:\"[^\"]*\"|'[^']*'|[\w-]+|\s*\.\s*)+?)\s*=")
_PART = re.compile(r"\"([^\"]*)\"|'([^']*)'|([^.\s]+)")
_PLACE = re.compile(r"at line (\d+)")


@dataclass(frozen=True, slots=True)
class TomlFile:
    """A TOML file as read, before its values are checked.

    Attributes
    ----------
    name : str
        Name shown to the user.
    values : dict
        What it says.
    text : str
        Its text, to tell the line of a key.
    sha256 : str
        Hash of the bytes that were read; empty where there is no file.
    """

    name: str
    values: dict[str, Any]
    text: str = ""
    sha256: str = ""

    def row(self, path: Sequence[str]) -> int | None:
        """Return the line of a key, else of the table around it; None where neither stands."""
        header: tuple[str, ...] = ()
        found, depth = None, 0
        for number, line in enumerate(self.text.split("\n"), start=1):
            if match := _HEADER.match(line):
                here = header = _parts(match.group(1))
            elif match := _KEY.match(line):
                here = header + _parts(match.group(1))
            else:
                continue
            if len(here) > depth and here == tuple(path[: len(here)]):
                found, depth = number, len(here)
        return found

    def placed(self, problem: Problem) -> Problem:
        """Give a problem of this file the line that its key stands in."""
        if problem.file != self.name or problem.row is not None:
            return problem
        return replace(problem, row=self.row(problem.column.split(".")))


def _parts(key: str) -> tuple[str, ...]:
    return tuple("".join(groups) for groups in _PART.findall(key))


def read_toml(path: Path, problems: list[Problem]) -> TomlFile | None:
    """Read a TOML file, or record why it cannot be read."""
    content = read_bytes(path, problems)
    if content is None:
        return None
    text = decode(content)
    if text is None:
        problems.append(Problem("encoding", path.name))
        return None
    reason: object
    row = None
    try:
        return TomlFile(path.name, tomllib.loads(text), text, digest(content))
    except RecursionError:
        reason = Told("嵌套过深", "nested too deeply")
    except tomllib.TOMLDecodeError as error:
        place = _PLACE.search(str(error))
        row = int(place.group(1)) if place else text.rstrip().count("\n") + 1
        reason = error
    except ValueError:
        reason = Told("数字过长", "a number is too long")
    problems.append(Problem("not_toml", path.name, row, details={"reason": reason}))
    return None


def shape(
    model: type[Model],
    values: object,
    file: TomlFile,
    problems: list[Problem],
    inside: tuple[str, ...] = (),
) -> Model | None:
    """Check values against a model; record every error with the line and the path of its key.

    Parameters
    ----------
    model : type
        What the values should look like.
    values : object
        The file's values, or those of one table.
    file : TomlFile
        Where they come from.
    problems : list of Problem
        What is found wrong is appended here.
    inside : tuple of str
        The table that the values stand in.
    """
    try:
        return model.model_validate(values)
    except ValidationError as error:
        told: set[str] = set()
        for one in error.errors():
            path = _within(values, [str(part) for part in one["loc"]])
            column = ".".join([*inside, *path])
            if column in told:  # of a choice of types, each tells its own error
                continue
            told.add(column)
            row = file.row([*inside, *path])
            if one["type"] == "extra_forbidden":
                details = meant(path[-1], _keys_at(model, path[:-1]))
                problems.append(Problem("unknown_key", file.name, row, column, details=details))
            elif one["type"] == "missing":
                problems.append(Problem("missing_key", file.name, row, column))
            else:
                reason = _REASONS.get(one["type"], Told(one["msg"], one["msg"]))
                given = one.get("ctx", {})
                details = {"reason": Told(*(text.format_map(given) for text in reason))}
                value = str(one["input"])
                problems.append(Problem("bad_value", file.name, row, column, value, details))
        return None


def _within(values: object, location: list[str]) -> list[str]:
    """Keep of an error's location what is a key of the values, or the missing last key."""
    path: list[str] = []
    for part in location:
        if not isinstance(values, Mapping):
            break
        path.append(part)
        values = values.get(part)
    return path


def _keys_at(model: type[BaseModel], path: list[str]) -> list[str]:
    for part in path:
        inner = model.model_fields[part].annotation if part in model.model_fields else None
        if not (isinstance(inner, type) and issubclass(inner, BaseModel)):
            return []
        model = inner
    return list(model.model_fields)
