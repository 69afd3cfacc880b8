"""Reading a plan folder into a frozen `Plan`, with all problems that show told at once."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from sim.plan.assembly import ROW_CLASSES, Row, assemble
from sim.plan.cells import Converter
from sim.plan.changes import LEVERS_FILE, Change, apply_changes
from sim.plan.checks import check_plan
from sim.plan.configuration import (
    DependenceTable,
    DriverTable,
    LeversTable,
    PlanFile,
    TomlFile,
    read_toml,
    shape,
)
from sim.plan.drivers import read_drivers
from sim.plan.filed import Filed
from sim.plan.levers import read_levers
from sim.plan.problems import InputError, Problem, errors_of, nearest, nearest_place
from sim.plan.residuals import read_deflation
from sim.plan.rows import Deflation, Plan
from sim.plan.tables import RawTable, leads_out, read_table

_BESIDE = {"outcomes.csv"}
"""Tables that may stand in a plan folder and are no part of the plan: no run reads them."""


class Loaded(NamedTuple):
    """What came of reading a plan folder.

    Attributes
    ----------
    plan : Plan or None
        None where there are errors.
    changes : tuple of (path, old, new)
        Every applied change.
    problems : list of Problem
        Errors and warnings.
    inputs : tuple of (name, sha256)
        Every file that was read, by its place in the folder, and the hash of what was read.
    uncertainties : mapping of str to mapping
        Each uncertainty as it finally holds: its state, and every key of its table, if any.
    """

    plan: Plan | None
    changes: tuple[tuple[str, str, str], ...]
    problems: list[Problem]
    inputs: tuple[tuple[str, str], ...] = ()
    uncertainties: Mapping[str, Mapping[str, Any]] = {}


def load_plan(folder: str | Path) -> Plan:
    """Read and check a plan folder as it is filed.

    Raises
    ------
    InputError
        With every problem found, if any of them is an error.
    """
    loaded = load_plan_with(Path(folder), [])
    if loaded.plan is None:
        raise InputError(loaded.problems)
    return loaded.plan


def load_plan_with(folder: Path, changes: Iterable[Change]) -> Loaded:
    """Read a plan folder, apply changes, check the outcome."""
    problems: list[Problem] = []
    names = _names(folder, problems)
    if names is None:
        return Loaded(None, (), problems)
    plan_file = _toml(folder, "plan.toml", problems)
    file = shape(PlanFile, plan_file.values, plan_file, problems) if plan_file else None
    raw = {table: _raw(folder, table, names, problems) for table in ROW_CLASSES}
    drivers_file = TomlFile("drivers.toml", {})
    drivers_read = True
    if "drivers.toml" in names:
        found = _toml(folder, "drivers.toml", problems)
        drivers_file, drivers_read = found or drivers_file, found is not None
    filed = plan_file.values if plan_file else {}
    applied = apply_changes(changes, raw, drivers_file.values, filed, problems)
    # Without a plan.toml the tables are read all the same, so that their problems are told too.
    frame = file or PlanFile(name="", status_date=datetime.date(2020, 12, 31), plan_year=2021)
    converter = Converter(folder, frame.amount_unit, problems)
    tables = {table: _converted(converter, raw[table], table) for table in raw}
    drivers, dependence = read_drivers(drivers_file, converter, applied.states, problems)
    deflation: dict[str, Deflation] = {}
    if plan_file is not None:
        known = applied.states if drivers_read else None
        deflation = read_deflation(plan_file, known, problems)
    moved = TomlFile(LEVERS_FILE, {"levers": applied.levers})
    # One by one, so that what is wrong with one lever does not hide what is wrong with others.
    moves = {
        name: value
        for name, value in applied.levers.items()
        if shape(LeversTable, {name: value}, moved, problems, ("levers",)) is not None
    }
    levers = read_levers(LeversTable.model_validate(moves))
    _tell_unknown_files(names - converter.samples.keys(), problems)
    if raw["projects"].whole and not raw["projects"].rows:
        problems.append(Problem("no_rows", "projects.csv"))
    plan, numbers = assemble(
        folder, frame, tables, drivers, dependence, levers, deflation, applied.states
    )
    if file is not None and file.target is None:
        problems.append(Problem("no_target", "plan.toml", level="warning"))
    complete = {
        name for name, one in raw.items() if one.whole and len(tables[name]) == len(one.rows)
    }
    lost = {name: one.lost for name, one in raw.items()}
    filed_rows = Filed(numbers, _defined(raw), frozenset(complete), lost, file is not None)
    problems.extend(check_plan(plan, filed_rows))
    for toml in filter(None, (plan_file, drivers_file)):
        problems = [toml.placed(one) for one in problems]
    problems = list(applied.attributed(problems))
    read = {one.name: one.sha256 for one in (plan_file, drivers_file) if one}
    read |= {one.file: one.sha256 for one in raw.values()} | converter.samples
    sound = not errors_of(problems)
    return Loaded(
        plan=plan if sound else None,
        changes=tuple(applied.log),
        problems=problems,
        inputs=tuple(sorted((name, mark) for name, mark in read.items() if mark)),
        uncertainties=_uncertainties(applied.states, drivers_file.values) if sound else {},
    )


def _uncertainties(
    states: Mapping[str, str], tables: Mapping[str, Any]
) -> dict[str, dict[str, Any]]:
    """Return each uncertainty as it finally holds: its state, and its checked table, if any."""
    held: dict[str, dict[str, Any]] = {}
    for name, state in sorted(states.items()):
        held[name] = {}
        if name in tables:
            model = DependenceTable if name == "dependence" else DriverTable
            held[name] = model.model_validate(tables[name]).model_dump(mode="json")
        held[name]["state"] = state
    del held["all"]
    return held


def _names(folder: Path, problems: list[Problem]) -> set[str] | None:
    """Return the names of the files in a folder; None where it cannot be looked into."""
    try:
        return {path.name for path in folder.iterdir()}
    except (FileNotFoundError, NotADirectoryError, ValueError):
        near: dict[str, object] = {"nearest": nearest_place(folder)}
        problems.append(Problem("missing_folder", str(folder), details=near))
    except OSError as error:
        details: dict[str, object] = {"reason": error.strerror or error}
        problems.append(Problem("unreadable_file", str(folder), details=details))
    return None


def _toml(folder: Path, name: str, problems: list[Problem]) -> TomlFile | None:
    if leads_out(folder / name, folder):
        problems.append(Problem("unsafe_path", name))
        return None
    return read_toml(folder / name, problems)


def _raw(folder: Path, table: str, names: set[str], problems: list[Problem]) -> RawTable:
    name = f"{table}.csv"
    if table != "projects" and name not in names:
        return RawTable(name)
    return read_table(folder / name, table, problems)


def _converted(converter: Converter, raw: RawTable, table: str) -> list[Row]:
    rows = enumerate(zip(raw.numbers, converter.rows(raw, table), strict=True), start=1)
    return [
        Row(position, number, values) for position, (number, values) in rows if values is not None
    ]


def _tell_unknown_files(names: set[str], problems: list[Problem]) -> None:
    known = {f"{table}.csv" for table in ROW_CLASSES}
    for name in sorted(names - known - _BESIDE):
        if name.lower().endswith(".csv"):
            details: dict[str, object] = {"nearest": nearest(name, known)}
            problems.append(Problem("unknown_file", name, details=details, level="warning"))


def _defined(raw: Mapping[str, RawTable]) -> dict[str, frozenset[str] | None]:
    """Return the keys that tables define, in rows with an error too; None where rows are lost."""
    keys = {"projects": ("id",), "accounts": ("id",), "types": ("type",), "windows": ("window",),
            "gates": ("procedure", "gate"), "risks": ("id",), "calendar": ("cause",)}  # fmt: skip
    return {
        table: frozenset("/".join(row.get(column, "") for column in columns) for row in one.rows)
        if (one := raw[table]).whole
        else None
        for table, columns in keys.items()
    }
