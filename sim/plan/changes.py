"""Applying the changes of a scenario to what was read, before anything is converted."""

from __future__ import annotations

import dataclasses
import datetime
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from sim.plan.configuration import (
    BUILT_IN_UNCERTAINTIES,
    DeflationTable,
    DriverTable,
    LeversTable,
    deflating,
)
from sim.plan.problems import Problem, Told, meant, nearest
from sim.plan.tables import RawTable, fields_of

LEVERS_FILE = "levers"
"""Under this name problems of levers are told until they are traced to who moved them."""
_KEY_COLUMN = {"projects": "id", "types": "type", "accounts": "id", "releases": "batch"}
_OF_A_BATCH = ("issued", "available")
"""Releases of a batch share their days; account, amount and project are each one's own."""
_STATES = ("off", "on", "stress")
_NO_TABLE = Told("plan.toml 中的 deflation 不是表", "deflation in plan.toml is no table")


@dataclass(frozen=True, slots=True)
class Change:
    """One change of a scenario on its plan.

    Attributes
    ----------
    section, name, column : str
        What is changed; the column is empty where the path has two parts.
    value : Any
        The new value.
    origin : str
        Where it is written: the scenario file or ``--set``.
    """

    section: str
    name: str
    column: str
    value: Any
    origin: str = "scenario"

    @property
    def path(self) -> str:
        """The path as written in `--set`."""
        return ".".join(filter(None, [self.section, self.name, self.column]))


@dataclass(slots=True)
class Applied:
    """What became of a list of changes.

    Attributes
    ----------
    log : list of (path, old, new)
        Every applied change.
    states : dict of str
        State of each uncertainty: off, on or stress.
    levers : dict of str
        Levers that are moved.
    places : dict
        The change that wrote each changed place: (file, row or None, column).
    """

    log: list[tuple[str, str, str]] = field(default_factory=list)
    states: dict[str, str] = field(default_factory=dict)
    levers: dict[str, Any] = field(default_factory=dict)
    places: dict[tuple[str, int | None, str], Change] = field(default_factory=dict)

    def attributed(self, problems: Iterable[Problem]) -> Iterator[Problem]:
        """Say of problems in changed places, once a change, that it is to be looked at."""
        told = set()
        for problem in problems:
            found = (self.places.get((problem.file, row, problem.column))
                     for row in (problem.row, None))  # fmt: skip
            change = next(filter(None, found), None)
            if change is None:
                yield problem
            elif (change.path, problem.code, problem.value) not in told:
                told.add((change.path, problem.code, problem.value))
                yield dataclasses.replace(problem, file=change.origin, row=None, column=change.path)


def apply_changes(
    changes: Iterable[Change],
    raw: Mapping[str, RawTable],
    drivers: dict[str, Any],
    plan: dict[str, Any],
    problems: list[Problem],
) -> Applied:
    """Apply changes to raw cells, to the tables of drivers and to deflation, in place.

    Parameters
    ----------
    changes : iterable of Change
        In the order in which they are applied.
    raw : mapping of table to RawTable
        Its cells are changed.
    drivers : dict
        Values of drivers.toml; they are changed.
    plan : dict
        Values of plan.toml; those of its table `deflation` are changed.
    problems : list of Problem
        Changes that cannot be applied are recorded here.
    """
    applied = Applied(states={"all": "on"} | dict.fromkeys(BUILT_IN_UNCERTAINTIES, "on"))
    for name, table in drivers.items():
        if isinstance(table, dict) and name not in applied.states:
            applied.states[name] = str(table.get("state", "on"))
    for change in changes:
        try:
            if change.section == "uncertainties":
                old = _apply_uncertainty(change, drivers, applied)
            elif change.section in _KEY_COLUMN:
                old = _apply_cell(change, raw[change.section], applied)
            elif change.section == "deflation":
                old = _apply_deflation(change, plan, applied)
            else:
                old = _apply_lever(change, applied)
        except _ChangeError as error:
            value = "" if error.code == "unknown_key" else error.value or as_text(change.value)
            problems.append(
                Problem(error.code, change.origin, None, change.path, value, error.details)
            )
        else:
            applied.log.append((change.path, old, as_text(change.value)))
    return applied


class _ChangeError(Exception):
    def __init__(self, code: str, value: str = "", **details: object) -> None:
        super().__init__(code)
        self.code, self.value, self.details = code, value, details


def _unknown_key(word: str, known: Iterable[str]) -> _ChangeError:
    return _ChangeError("unknown_key", "", **meant(word, known))


def as_text(value: Any) -> str:
    """Write a TOML value as the text of a cell."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ";".join(as_text(one) for one in value)
    if isinstance(value, dict):
        return ";".join(f"{key}:{as_text(one)}" for key, one in value.items())
    if isinstance(value, datetime.date):
        return value.isoformat()
    return str(value)


def _apply_uncertainty(change: Change, drivers: dict[str, Any], applied: Applied) -> str:
    states = applied.states
    if change.name not in states:
        raise _unknown_key(change.name, states)
    if change.column in ("", "state"):
        if change.value not in _STATES:
            near = nearest(as_text(change.value), _STATES)
            raise _ChangeError("not_a_choice", nearest=near, choices=", ".join(_STATES))
        if change.value == "stress" and change.name in BUILT_IN_UNCERTAINTIES:
            raise _ChangeError("not_a_choice", nearest="on", choices="off, on")
        old = states[change.name]
        for name in list(states) if change.name == "all" else (change.name,):
            # What comes with types and gates has no stress of its own: it is on.
            plain = change.value == "stress" and name in BUILT_IN_UNCERTAINTIES
            states[name] = "on" if plain else change.value
        return old
    table = drivers.get(change.name)
    known = list(DriverTable.model_fields) if change.name not in BUILT_IN_UNCERTAINTIES else []
    if change.name == "dependence" and isinstance(table, dict):
        known = [*table, change.column]  # its own model tells what it does not know
    if not isinstance(table, dict) or change.column not in known:
        raise _unknown_key(change.column, [*known, "state"])
    old = as_text(table.get(change.column, ""))
    table[change.column] = change.value
    applied.places["drivers.toml", None, f"{change.name}.{change.column}"] = change
    return old


def _apply_deflation(change: Change, plan: dict[str, Any], applied: Applied) -> str:
    causes, known = deflating(applied.states), DeflationTable.model_fields
    if change.name not in causes:
        raise _ChangeError("no_cause", change.name, nearest=nearest(change.name, causes))
    if change.column not in known:
        raise _unknown_key(change.column, known)
    tables = plan.setdefault("deflation", {})
    table = tables.setdefault(change.name, {}) if isinstance(tables, dict) else None
    if not isinstance(table, dict):
        raise _ChangeError("bad_value", reason=_NO_TABLE)
    old = as_text(table.get(change.column, known[change.column].default))
    table[change.column] = change.value
    applied.places["plan.toml", None, f"deflation.{change.name}.{change.column}"] = change
    return old


def _apply_lever(change: Change, applied: Applied) -> str:
    known = LeversTable.model_fields
    if change.name not in known or change.column:
        raise _unknown_key(change.name, known)
    old = applied.levers.get(change.name, known[change.name].default)
    applied.levers[change.name] = change.value
    applied.places[LEVERS_FILE, None, f"levers.{change.name}"] = change
    return as_text("" if old is None else old)


def _apply_cell(change: Change, raw: RawTable, applied: Applied) -> str:
    key = _KEY_COLUMN[change.section]
    known = [column for column in fields_of(change.section) if column != key]
    if change.section == "releases":
        known = list(_OF_A_BATCH)
    if change.column not in known:
        raise _unknown_key(change.column, known)
    old = []
    for number, row in zip(raw.numbers, raw.rows, strict=True):
        if row.get(key) == change.name:
            old.append(row.get(change.column, ""))
            row[change.column] = as_text(change.value).strip()
            applied.places[raw.file, number, change.column] = change
    if old:
        return ";".join(dict.fromkeys(old))
    raise _ChangeError(
        "unknown_reference",
        value=change.name,
        what=Told(f"{raw.file} 中的编号", f"row of {raw.file}"),
        nearest=nearest(change.name, (row.get(key, "") for row in raw.rows)),
    )
