"""The TOML files of a plan and of a scenario, checked by pydantic: all errors at once."""

from __future__ import annotations

import datetime
import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from sim.plan.problems import Problem, nearest
from sim.plan.tables import decode, read_bytes

State = Literal["off", "on", "stress"]
BUILT_IN_UNCERTAINTIES = ("duration", "cost", "slip", "gates", "acceptance", "dependence")
"""Uncertainties that come with types and gates rather than from drivers.toml."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class PlanFile(_Strict):
    """plan.toml."""

    name: str
    status_date: datetime.date
    plan_year: int = Field(ge=1950, le=2200)
    target: float | None = Field(default=None, ge=0)
    amount_unit: Literal["元", "万元", "亿元"] = "万元"
    horizon: datetime.date | None = None
    calendar: Literal["site", "continuous"] = "site"
    systems: dict[str, str | list[str]] = {}
    programmes: dict[str, str | list[str]] = {}
    counties: dict[str, str | list[str]] = {}
    types: dict[str, str | list[str]] = {}


class DriverTable(_Strict):
    """One table of drivers.toml."""

    title: str
    title_en: str = ""
    distribution: str
    scope: Literal["city", "county"] = "city"
    acts_on: Literal[
        "duration", "cost", "intent", "report", "calendar", "special_bond", "fund_budget",
        "general_budget", "grant", "loan", "own", "coverage", "land",
    ]  # fmt: skip
    exposure: dict[str, str | float] = {}
    known_by: datetime.date | None = None
    source: str = ""
    stress: str | None = None
    state: State = "on"
    cause: str = ""
    window: Annotated[list[str], Field(min_length=2, max_length=2)] | None = None
    probability: float = Field(default=1.0, ge=0, le=1)
    stress_probability: float | None = Field(default=None, ge=0, le=1)
    availability: float = Field(default=0.0, ge=0, le=1)
    episodes: int = Field(default=1, ge=1, le=50)


class DependenceTable(_Strict):
    """The table [dependence] of drivers.toml."""

    title: str = ""
    city: float = Field(default=0.0, ge=0, le=1)
    type: float = Field(default=0.0, ge=0, le=1)
    programme: float = Field(default=0.0, ge=0, le=1)
    funding: float = Field(default=0.0, ge=0, le=1)
    enterprise: float = Field(default=1.0, ge=0, le=1)
    source: str = ""


class About(_Strict):
    """The table [about] of a scenario."""

    title: str
    question: str = ""
    author: str = ""
    date: datetime.date | None = None
    source: str = ""


class RunOptions(_Strict):
    """The table [run] of a scenario; the command line overrides it."""

    replications: int = Field(default=100, ge=1, le=10_000_000)
    seed: int = Field(default=2021, ge=0, lt=1 << 64)
    engine: Literal["reference"] = "reference"
    workers: int | None = Field(default=None, ge=1, le=1024)


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
    run: RunOptions = RunOptions()


Model = TypeVar("Model", bound=_Strict)


def read_toml(path: Path, problems: list[Problem]) -> dict[str, Any] | None:
    """Read a TOML file, or record why it cannot be read."""
    content = read_bytes(path, problems)
    if content is None:
        return None
    text = decode(content)
    if text is None:
        problems.append(Problem("encoding", path.name))
        return None
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        problems.append(Problem("not_toml", path.name, details={"reason": error}))
        return None


def shape(
    model: type[Model], values: dict[str, Any], file: str, problems: list[Problem], prefix: str = ""
) -> Model | None:
    """Check values against a model; record every error with the path of its key."""
    try:
        return model.model_validate(values)
    except ValidationError as error:
        for one in error.errors():
            path = [str(part) for part in one["loc"]]
            column = ".".join(filter(None, [prefix, *path]))
            if one["type"] == "extra_forbidden":
                known = nearest(path[-1], _keys_at(model, path[:-1]))
                problems.append(
                    Problem("unknown_key", file, None, column, details={"nearest": known})
                )
            elif one["type"] == "missing":
                problems.append(Problem("missing_key", file, None, column))
            else:
                value, details = str(one["input"]), {"reason": one["msg"]}
                problems.append(Problem("bad_value", file, None, column, value, details))
        return None


def _keys_at(model: type[BaseModel], path: list[str]) -> list[str]:
    for part in path:
        inner = model.model_fields[part].annotation if part in model.model_fields else None
        if not (isinstance(inner, type) and issubclass(inner, BaseModel)):
            return []
        model = inner
    return list(model.model_fields)
