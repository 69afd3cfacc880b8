"""A scenario: which plan, what is changed on it, and how it is run."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from sim.plan.changes import Change
from sim.plan.configuration import About, RunOptions, ScenarioFile, TomlFile, read_toml, shape
from sim.plan.loading import load_plan_with
from sim.plan.problems import InputError, Problem, errors_of
from sim.plan.rows import Plan

_OVERRIDE = "--set"
_SECTIONS = ("levers", "uncertainties", "types", "projects", "accounts", "releases")


@dataclass(frozen=True, slots=True)
class Scenario:
    """A resolved scenario.

    Attributes
    ----------
    name : str
        Name of its file (or of the plan folder), used for the folder of its runs.
    about : About
        Title, question, author, date, source.
    plan : Plan
        The plan with every change applied.
    options : RunOptions
        Replications, seed, engine, workers.
    changes : tuple of (path, old, new)
        The log of every applied change.
    warnings : tuple of Problem
        What is odd but does not stop a run.
    """

    name: str
    about: About
    plan: Plan
    options: RunOptions
    changes: tuple[tuple[str, str, str], ...]
    warnings: tuple[Problem, ...]


def load_scenario(path: str | Path, overrides: Iterable[str] = ()) -> Scenario:
    """Read and check a scenario and its plan.

    Parameters
    ----------
    path : str or Path
        A scenario file, or a plan folder for the plan as filed.
    overrides : iterable of str
        Changes as ``PATH=VALUE``, applied after the scenario's own.

    Returns
    -------
    Scenario
        The resolved scenario.

    Raises
    ------
    InputError
        With every problem found, if any of them is an error.
    """
    path = Path(path)
    problems: list[Problem] = []
    if path.is_dir():
        name, folder = path.resolve().name, path
        file = TomlFile(path.name, {"about": {"title": name}})
    else:
        name = path.stem
        file, folder = _read(path, problems)
    overridden = {_override(file.values, text, problems) for text in overrides}
    checked = shape(ScenarioFile, file.values, file, problems)
    # A scenario with mistakes is no reason to be silent about those of its plan.
    changes = [] if checked is None else _changes(checked, file.name, overridden)
    plan, log, found = load_plan_with(folder, changes)
    problems.extend(found)
    if checked is None or plan is None or errors_of(problems):
        raise InputError(problems)
    return Scenario(name, checked.about, plan, checked.run, log, tuple(problems))


def _read(path: Path, problems: list[Problem]) -> tuple[TomlFile, Path]:
    """Read a scenario, laid over its base, and find its plan folder."""
    file = read_toml(path, problems)
    if file is None:
        raise InputError(problems)
    values, folder = _full(file.values), path.parent / _plan_of(file.values)
    if isinstance(values.get("base"), str):  # anything else is told with the other keys
        place = path.parent / values["base"]
        base = read_toml(place, problems)
        if base is None:
            raise InputError(problems)
        if "base" in base.values:
            row = file.row(["base"])
            problems.append(Problem("base_chain", path.name, row, "base", values["base"]))
        if "plan" not in values:
            folder = place.parent / _plan_of(base.values)
        values = _merged(_full(base.values), values)
    return TomlFile(path.name, values, file.text), folder


def _plan_of(values: dict[str, Any]) -> str:
    plan = values.get("plan", ".")
    return plan if isinstance(plan, str) else "."


def _full(values: dict[str, Any]) -> dict[str, Any]:
    """Write `flood = "off"` as `flood = {state = "off"}`, so that one is laid over the other."""
    uncertainties = values.get("uncertainties")
    if not isinstance(uncertainties, dict):
        return values
    full = {
        name: value if isinstance(value, dict) else {"state": value}
        for name, value in uncertainties.items()
    }
    return values | {"uncertainties": full}


def _merged(base: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
    result = dict(base)
    for key, value in over.items():
        inner = result.get(key)
        if isinstance(value, dict) and isinstance(inner, dict):
            value = _merged(inner, value)
        result[key] = value
    return result


def _override(values: dict[str, Any], text: str, problems: list[Problem]) -> str:
    """Write one ``PATH=VALUE`` into the values and return the path."""
    path, equals, value = text.partition("=")
    parts = [part.strip() for part in path.split(".")]
    known = (*_SECTIONS, "run")
    if not equals or len(parts) < 2 or not all(parts) or parts[0] not in known:
        details: dict[str, object] = {"sections": ", ".join(known)}
        problems.append(Problem("bad_override", _OVERRIDE, None, path, value, details))
        return path
    # Ids may hold dots: the section, the id between, and the last part as its column.
    keys = parts if len(parts) == 2 else [parts[0], ".".join(parts[1:-1]), parts[-1]]
    if keys[0] == "uncertainties" and len(keys) == 2:
        keys.append("state")
    table = values
    for key in keys[:-1]:
        inner = table.setdefault(key, {})
        if not isinstance(inner, dict):  # wrong in the file already, and told there
            return path
        table[key] = table = dict(inner)
    table[keys[-1]] = _scalar(value.strip())
    return ".".join(parts)


def _scalar(text: str) -> Any:
    """Read a TOML value; what is none is a text without quotes."""
    try:
        values = tomllib.loads(f"value = {text}")
    except (ValueError, RecursionError):
        return text
    return values["value"] if len(values) == 1 else text


def _changes(file: ScenarioFile, name: str, overridden: set[str]) -> list[Change]:
    changes: list[Change] = []
    for section in _SECTIONS:
        for one, value in getattr(file, section).items():
            inner = value if isinstance(value, dict) else {"": value}
            for column, new in inner.items():
                # A state is written without its column: `uncertainties.flood`.
                shown = "" if section == "uncertainties" and column == "state" else column
                change = Change(section, one, shown, new, name)
                given = {change.path, f"{change.path}.state"} & overridden
                changes.append(replace(change, origin=_OVERRIDE) if given else change)
    # `all` is a wide brush: what is said of a single uncertainty comes after it.
    return sorted(changes, key=lambda change: change.name != "all")
