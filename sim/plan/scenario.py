"""A scenario: which plan, what is changed on it, and how it is run."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sim.plan.configuration import About, RunOptions, ScenarioFile, read_toml, shape
from sim.plan.loading import Change, load_plan_with
from sim.plan.problems import InputError, Problem, errors_of
from sim.plan.rows import Plan

_SECTIONS = ("levers", "uncertainties", "types", "projects", "accounts")


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
        values: dict[str, Any] = {"about": {"title": name}}
    else:
        name = path.stem
        values = _with_base(path, problems)
        folder = path.parent / str(values.get("plan", "."))
    for text in overrides:
        _override(values, text, problems)
    file = shape(ScenarioFile, values, path.name, problems)
    if file is None:
        raise InputError(problems)
    plan, log, found = load_plan_with(folder, _changes(file))
    problems.extend(found)
    if plan is None or errors_of(problems):
        raise InputError(problems)
    return Scenario(name, file.about, plan, file.run, log, tuple(problems))


def _with_base(path: Path, problems: list[Problem]) -> dict[str, Any]:
    values = read_toml(path, problems)
    if values is None:
        raise InputError(problems)
    if "base" not in values:
        return values
    base_path = path.parent / str(values["base"])
    base = read_toml(base_path, problems)
    if base is None:
        raise InputError(problems)
    if "base" in base:
        problems.append(Problem("base_chain", path.name, None, "base", str(values["base"])))
    if "plan" not in values and "plan" in base:
        values["plan"] = str(base_path.parent / str(base["plan"]))
    return _merged(base, values)


def _merged(base: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
    result = dict(base)
    for key, value in over.items():
        if isinstance(value, dict) and isinstance(result.get(key), dict):
            result[key] = _merged(result[key], value)
        else:
            result[key] = value
    return result


def _override(values: dict[str, Any], text: str, problems: list[Problem]) -> None:
    path, equals, value = text.partition("=")
    parts = [part.strip() for part in path.split(".")]
    if not equals or len(parts) < 2 or not all(parts) or parts[0] not in (*_SECTIONS, "run"):
        reason = f"'{text}' ({', '.join((*_SECTIONS, 'run'))})"
        problems.append(Problem("bad_override", "--set", None, path, value, {"reason": reason}))
        return
    # Ids may hold dots: the section, the id between, and the last part as its column.
    keys = parts[:2] if len(parts) == 2 else [parts[0], ".".join(parts[1:-1]), parts[-1]]
    table = values
    for key in keys[:-1]:
        inner = table.get(key)
        if isinstance(inner, str):  # `uncertainties.flood = "off"` gives way to a table
            inner = {"state": inner}
        table[key] = dict(inner) if isinstance(inner, dict) else {}
        table = table[key]
    table[keys[-1]] = _scalar(value.strip())


def _scalar(text: str) -> Any:
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text


def _changes(file: ScenarioFile) -> list[Change]:
    changes: list[Change] = []
    for section in _SECTIONS:
        for name, value in getattr(file, section).items():
            if isinstance(value, dict):
                changes.extend(Change(section, name, key, inner) for key, inner in value.items())
            else:
                changes.append(Change(section, name, "", value))
    # `all` is a wide brush: what is said of a single uncertainty comes after it.
    return sorted(changes, key=lambda change: change.name != "all")
