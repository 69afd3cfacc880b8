"""Reading a plan folder into a frozen `Plan`, with every problem told at once."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping
from pathlib import Path

from sim.plan.assembly import ROW_CLASSES, Row, assemble
from sim.plan.cells import Converter
from sim.plan.changes import LEVERS_FILE, Change, apply_changes
from sim.plan.checks import check_plan
from sim.plan.configuration import LeversTable, PlanFile, TomlFile, read_toml, shape
from sim.plan.drivers import read_drivers
from sim.plan.filed import Filed
from sim.plan.levers import read_levers
from sim.plan.problems import InputError, Problem, errors_of, nearest
from sim.plan.rows import Plan
from sim.plan.tables import RawTable, leads_out, read_table


def load_plan(folder: str | Path) -> Plan:
    """Read and check a plan folder as it is filed.

    Raises
    ------
    InputError
        With every problem found, if any of them is an error.
    """
    plan, _, problems = load_plan_with(Path(folder), [])
    if plan is None or errors_of(problems):
        raise InputError(problems)
    return plan


def load_plan_with(
    folder: Path, changes: Iterable[Change]
) -> tuple[Plan | None, tuple[tuple[str, str, str], ...], list[Problem]]:
    """Read a plan folder, apply changes, check the outcome.

    Returns
    -------
    plan : Plan or None
        None where errors leave nothing to build.
    log : tuple of (path, old, new)
        Every applied change.
    problems : list of Problem
        Errors and warnings.
    """
    problems: list[Problem] = []
    names = _names(folder, problems)
    if names is None:
        return None, (), problems
    plan_file = _toml(folder, "plan.toml", problems)
    file = shape(PlanFile, plan_file.values, plan_file, problems) if plan_file else None
    raw = {table: _raw(folder, table, names, problems) for table in ROW_CLASSES}
    drivers_file = TomlFile("drivers.toml", {})
    if "drivers.toml" in names:
        drivers_file = _toml(folder, "drivers.toml", problems) or drivers_file
    applied = apply_changes(changes, raw, drivers_file.values, problems)
    # Without a plan.toml the tables are read all the same, so that their problems are told too.
    frame = file or PlanFile(name="", status_date=datetime.date(2020, 12, 31), plan_year=2021)
    converter = Converter(folder, frame.amount_unit, problems)
    tables = {table: _converted(converter, raw[table], table) for table in raw}
    drivers, dependence = read_drivers(drivers_file, converter, applied.states, problems)
    moved = TomlFile(LEVERS_FILE, {"levers": applied.levers})
    # One by one, so that what is wrong with one lever does not hide what is wrong with others.
    sound = {
        name: value
        for name, value in applied.levers.items()
        if shape(LeversTable, {name: value}, moved, problems, ("levers",)) is not None
    }
    levers = read_levers(LeversTable.model_validate(sound))
    _tell_unknown_files(names - converter.samples, problems)
    if raw["projects"].whole and not raw["projects"].rows:
        problems.append(Problem("no_rows", "projects.csv"))
    plan, numbers = assemble(folder, frame, tables, drivers, dependence, levers, applied.states)
    if file is not None and file.target is None:
        problems.append(Problem("no_target", "plan.toml", level="warning"))
    filed = Filed(numbers, _defined(raw, tables), framed=file is not None)
    problems.extend(check_plan(plan, filed))
    for toml in filter(None, (plan_file, drivers_file)):
        problems = [toml.placed(one) for one in problems]
    problems = list(applied.attributed(problems))
    return None if errors_of(problems) else plan, tuple(applied.log), problems


def _names(folder: Path, problems: list[Problem]) -> set[str] | None:
    """Return the names of the files in a folder; None where it cannot be looked into."""
    try:
        return {path.name for path in folder.iterdir()}
    except (FileNotFoundError, NotADirectoryError, ValueError):
        problems.append(Problem("missing_folder", str(folder)))
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
    for name in sorted(names - known):
        if name.lower().endswith(".csv"):
            details: dict[str, object] = {"nearest": nearest(name, known)}
            problems.append(Problem("unknown_file", name, details=details, level="warning"))


def _defined(
    raw: Mapping[str, RawTable], tables: Mapping[str, list[Row]]
) -> dict[str, frozenset[str] | None]:
    """Return the keys that tables define, in rows with an error too; None where rows are lost."""
    keys = {"projects": ("id",), "accounts": ("id",), "types": ("type",), "windows": ("window",),
            "gates": ("procedure", "gate")}  # fmt: skip
    return {
        table: frozenset("/".join(row.get(column, "") for column in columns) for row in one.rows)
        if (one := raw[table]).whole
        else None
        for table, columns in keys.items()
    }
