"""A scenario: which plan, what is changed on it, and how it is run."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from sim.plan.changes import Change, as_text
from sim.plan.configuration import About, RunOptions, ScenarioFile, TomlFile, read_toml, shape
from sim.plan.loading import load_plan_with
from sim.plan.precision import Precision, read_precision
from sim.plan.problems import InputError, Problem, errors_of, nearest
from sim.plan.rows import Plan

_OVERRIDE = "--set"
_NOT_IN_NAMES = '<>:"/\\|?*'
_SECTIONS = ("levers", "uncertainties", "types", "projects", "accounts", "releases", "deflation")


@dataclass(frozen=True, slots=True)
class Scenario:
    """A resolved scenario.

    Attributes
    ----------
    name : str
        Name of its file (or of the plan folder), used for the folder of its runs.
    settings : ScenarioFile
        What its file says, laid over its base, with every override.
    plan : Plan
        The plan with every change applied.
    uncertainties : mapping of str to mapping
        Each uncertainty as it finally holds: its state, and every key of its table, if any.
    changes : tuple of (path, old, new)
        The log of every applied change, and of every override of a run option.
    overridden : frozenset of str
        The paths that were overridden, as given: no words of the scenario's own.
    inputs : tuple of (place, sha256)
        Every file that was read, by its place relative to the plan folder, and the hash of the
        bytes that were read.
    warnings : tuple of Problem
        What is odd but does not stop a run.
    """

    name: str
    settings: ScenarioFile
    plan: Plan
    uncertainties: Mapping[str, Mapping[str, Any]]
    changes: tuple[tuple[str, str, str], ...]
    overridden: frozenset[str]
    inputs: tuple[tuple[str, str], ...]
    warnings: tuple[Problem, ...]

    @property
    def about(self) -> About:
        """Title, question, author, date, source."""
        return self.settings.about

    @property
    def options(self) -> RunOptions:
        """Replications, seed, sampling, engine, workers, precision."""
        return self.settings.run

    @property
    def precision(self) -> Precision | None:
        """How precise the run is asked to be; None for all its replications."""
        if self.options.precision is None:
            return None
        asked = read_precision(self.options.precision)
        if isinstance(asked, Problem):
            raise InputError([asked])
        return asked

    def with_options(self, replications: int | None, seed: int | None) -> Scenario:
        """Return the scenario under other run options, logged where they differ; None keeps one."""
        held = {"replications": self.options.replications, "seed": self.options.seed}
        given = {"replications": replications, "seed": seed}
        other = {
            name: value
            for name, value in given.items()
            if value is not None and value != held[name]
        }
        log = [(f"run.{name}", str(held[name]), str(value)) for name, value in other.items()]
        options = self.options.model_copy(update=other)
        settings = self.settings.model_copy(update={"run": options})
        return replace(self, settings=settings, changes=(*self.changes, *log))


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
    read: list[tuple[Path, str]] = []
    if path.is_dir():
        name, folder = path.resolve().name, path
        file = TomlFile(path.name, {"about": {"title": name}})
    else:
        name = path.stem
        file, folder, read = _read(path, problems)
    if not _names_a_folder(name):
        problems.append(Problem("bad_run_name", file.name or str(path), value=name))
    before = _run_options(file.values)
    overridden = {_override(file.values, text, problems) for text in overrides}
    checked = shape(ScenarioFile, file.values, file, problems)
    if checked is not None and checked.run.precision is not None:
        given = "run.precision" in overridden
        asked = read_precision(checked.run.precision, _OVERRIDE if given else file.name)
        if isinstance(asked, Problem):
            problems.append(asked if given else file.placed(asked))
    # A scenario with mistakes is no reason to be silent about those of its plan.
    changes = [] if checked is None else _changes(checked, file.name, overridden)
    loaded = load_plan_with(folder, changes)
    problems.extend(loaded.problems)
    if checked is None or loaded.plan is None or errors_of(problems):
        raise InputError(problems)
    return Scenario(
        name=name,
        settings=checked,
        plan=loaded.plan,
        uncertainties=loaded.uncertainties,
        changes=loaded.changes + _overridden_options(before, checked.run, overridden),
        overridden=frozenset(overridden),
        inputs=(*((_seen_from(folder, place), mark) for place, mark in read), *loaded.inputs),
        warnings=tuple(problems),
    )


def slippage_alone(scenario: Scenario) -> tuple[str, ...]:
    """Return overrides that leave slips and durations of types alone uncertain.

    With every other cause off nothing is deflated: the reference classes are drawn as published,
    without approvals, money, seasons, drivers, risks or dependence.
    """
    kept = ("duration", "slip")
    return tuple(
        f"uncertainties.{name}.state={'on' if name in kept else 'off'}"
        for name in scenario.uncertainties
    )


def _names_a_folder(name: str) -> bool:
    """Tell whether the folder of a run can bear a name, on any system, and stay in its place."""
    if not name or not name.isprintable() or any(one in _NOT_IN_NAMES for one in name):
        return False
    return not name.startswith(".") and not name.endswith((".", " "))


def _run_options(values: dict[str, Any]) -> dict[str, Any]:
    """Return the run options before any override, as far as they are any."""
    given = values.get("run")
    return RunOptions().model_dump() | (given if isinstance(given, dict) else {})


def _overridden_options(
    before: Mapping[str, Any], after: RunOptions, overridden: set[str]
) -> tuple[tuple[str, str, str], ...]:
    return tuple(
        (f"run.{name}", _shown(before[name]), _shown(value))
        for name, value in after.model_dump().items()
        if f"run.{name}" in overridden
    )


def _shown(option: Any) -> str:
    return "" if option is None else as_text(option)


def _seen_from(folder: Path, place: Path) -> str:
    """Return where a file stands, relative to a folder; whole where no relative path leads."""
    try:
        return Path(os.path.relpath(place, folder)).as_posix()
    except ValueError:  # another drive
        return place.resolve().as_posix()


def _read(path: Path, problems: list[Problem]) -> tuple[TomlFile, Path, list[tuple[Path, str]]]:
    """Read a scenario, laid over its base; find its plan folder; list what was read, hashed."""
    file = read_toml(path, problems)
    if file is None:
        raise InputError(problems)
    values, folder = _full(file.values), path.parent / _plan_of(file.values)
    read = [(path, file.sha256)]
    if isinstance(values.get("base"), str):  # anything else is told with the other keys
        place = path.parent / values["base"]
        base = read_toml(place, problems)
        if base is None:
            raise InputError(problems)
        read.append((place, base.sha256))
        if "base" in base.values:
            row = file.row(["base"])
            problems.append(Problem("base_chain", path.name, row, "base", values["base"]))
        if "plan" not in values:
            folder = place.parent / _plan_of(base.values)
        values = _merged(_full(base.values), values)
    return TomlFile(path.name, values, file.text), folder, read


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
    details: dict[str, object] = {"sections": ", ".join(known)}
    if equals and parts[0] and parts[0] not in known:
        details |= {"root": parts[0], "nearest": nearest(parts[0], known)}
        problems.append(Problem("unknown_root", _OVERRIDE, None, path, value, details))
        return path
    if not equals or len(parts) < 2 or not all(parts):
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
