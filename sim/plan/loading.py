"""Reading a plan folder into a frozen `Plan`, with every problem told at once."""

from __future__ import annotations

import dataclasses
import datetime
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sim.plan.checks import check_plan
from sim.plan.configuration import (
    BUILT_IN_UNCERTAINTIES,
    DependenceTable,
    DriverTable,
    PlanFile,
    read_toml,
    shape,
)
from sim.plan.language import DistributionError
from sim.plan.problems import InputError, Problem, errors_of, nearest
from sim.plan.rows import (
    Account,
    CalendarRow,
    Commitment,
    Correlation,
    Dependence,
    Driver,
    Exposure,
    Gate,
    Plan,
    Project,
    ProjectType,
    Release,
    Risk,
    Window,
)
from sim.plan.tables import YUAN_PER_UNIT, Converter, RawTable, fields_of, month_day, read_table

_ROW_CLASSES: dict[str, type] = {
    "projects": Project,
    "accounts": Account,
    "releases": Release,
    "types": ProjectType,
    "gates": Gate,
    "windows": Window,
    "calendar": CalendarRow,
    "risks": Risk,
    "commitments": Commitment,
    "correlations": Correlation,
}
_KEY_COLUMN = {"projects": "id", "types": "type", "accounts": "id"}
_ATTRIBUTE = {"class": "class_", "from": "from_"}
_EXPOSED_BY = ("type", "season", "investor", "county", "tier", "system", "programme")
LEVERS: tuple[str, ...] = ()
"""Levers that the engine knows; the rooms for them come with the full model."""


@dataclass(frozen=True, slots=True)
class Change:
    """One change of a scenario on its plan: section, name, column, new value."""

    section: str
    name: str
    column: str
    value: Any

    @property
    def path(self) -> str:
        """The path as written in `--set`."""
        return ".".join(filter(None, [self.section, self.name, self.column]))


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
    if not folder.is_dir():
        return None, (), [Problem("missing_folder", str(folder))]
    values = read_toml(folder / "plan.toml", problems)
    file = shape(PlanFile, values, "plan.toml", problems) if values is not None else None
    if file is None:
        # Go on with neutral settings, so that the tables' own problems are told as well.
        file = PlanFile(name="", status_date=datetime.date(2020, 12, 31), plan_year=2021)
    raw = _read_tables(folder, problems)
    driver_values: dict[str, Any] = {}
    if (folder / "drivers.toml").exists():
        driver_values = read_toml(folder / "drivers.toml", problems) or {}
    log, states = _apply(list(changes), raw, driver_values, problems)
    converter = Converter(folder, file.amount_unit, problems)
    tables: dict[str, list[tuple[int, dict[str, Any]]]] = {}
    for table, cells in raw.items():
        rows = converter.rows(cells, table)
        tables[table] = [
            (number, row)
            for number, row in zip(cells.numbers, rows, strict=True)
            if row is not None
        ]
    drivers, dependence = _drivers(driver_values, converter, states, problems)
    if errors_of(problems):
        return None, log, problems
    if not tables["projects"]:
        problems.append(Problem("no_rows", "projects.csv"))
        return None, log, problems
    plan = _assemble(folder, file, tables, drivers, dependence, states, problems)
    numbers = {
        table: {_row_key(table, row): number for number, row in rows}
        for table, rows in tables.items()
    }
    problems.extend(check_plan(plan, numbers))
    return plan, log, problems


def _row_key(table: str, row: Mapping[str, Any]) -> str:
    return (
        str(next(iter(row.values()))) if table != "gates" else f"{row['procedure']}/{row['gate']}"
    )


def _read_tables(folder: Path, problems: list[Problem]) -> dict[str, RawTable]:
    tables = {}
    for table in _ROW_CLASSES:
        path = folder / f"{table}.csv"
        if table == "projects" or path.exists():
            tables[table] = read_table(path, table, problems) or RawTable(path.name)
        else:
            tables[table] = RawTable(path.name)
    return tables


def _apply(
    changes: list[Change],
    raw: dict[str, RawTable],
    drivers: dict[str, Any],
    problems: list[Problem],
) -> tuple[tuple[tuple[str, str, str], ...], dict[str, str]]:
    """Apply changes to the raw cells and return the log and the states of uncertainties."""
    states = {"all": "on"} | dict.fromkeys(BUILT_IN_UNCERTAINTIES, "on")
    states |= {
        name: str(table.get("state", "on"))
        for name, table in drivers.items()
        if isinstance(table, dict) and name != "dependence"
    }
    log = []
    for change in changes:
        if change.section == "uncertainties":
            old = _apply_uncertainty(change, drivers, states, problems)
        elif change.section in _KEY_COLUMN:
            old = _apply_cell(change, raw[change.section], problems)
        else:
            details: dict[str, object] = {"nearest": nearest(change.name, LEVERS) or "-"}
            problems.append(Problem("unknown_key", "scenario", None, change.path, details=details))
            continue
        if old is not None:
            log.append((change.path, old, _text(change.value)))
    return tuple(log), states


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)


def _apply_uncertainty(
    change: Change, drivers: dict[str, Any], states: dict[str, str], problems: list[Problem]
) -> str | None:
    if change.name not in states:
        details: dict[str, object] = {"nearest": nearest(change.name, states)}
        problems.append(Problem("unknown_key", "scenario", None, change.path, details=details))
        return None
    if change.column in ("", "state"):
        if change.value not in ("off", "on", "stress"):
            details = {"nearest": "on", "choices": "off, on, stress"}
            problems.append(
                Problem("not_a_choice", "scenario", None, change.path, str(change.value), details)
            )
            return None
        old = states[change.name]
        for name in states if change.name == "all" else (change.name,):
            states[name] = change.value
        return old
    if change.name not in drivers:
        problems.append(
            Problem("unknown_key", "scenario", None, change.path, details={"nearest": "state"})
        )
        return None
    old = _text(drivers[change.name].get(change.column, ""))
    drivers[change.name][change.column] = change.value
    return old


def _apply_cell(change: Change, raw: RawTable, problems: list[Problem]) -> str | None:
    key = _KEY_COLUMN[change.section]
    if change.column not in fields_of(change.section) or change.column == key:
        known = [column for column in fields_of(change.section) if column != key]
        details: dict[str, object] = {"nearest": nearest(change.column, known)}
        problems.append(Problem("unknown_key", "scenario", None, change.path, details=details))
        return None
    for row in raw.rows:
        if row.get(key) == change.name:
            old = row.get(change.column, "")
            row[change.column] = _text(change.value)
            return old
    details = {
        "what": "编号",
        "what_en": f"row of {raw.file}",
        "nearest": nearest(change.name, (row.get(key, "") for row in raw.rows)),
    }
    problems.append(
        Problem("unknown_reference", "scenario", None, change.path, change.name, details)
    )
    return None


def _drivers(
    values: dict[str, Any], converter: Converter, states: dict[str, str], problems: list[Problem]
) -> tuple[tuple[Driver, ...], Dependence]:
    drivers = []
    dependence = Dependence()
    for name, table in values.items():
        if name == "dependence":
            shaped = shape(DependenceTable, table, "drivers.toml", problems, name)
            if shaped is not None:
                fields = {field.name for field in dataclasses.fields(Dependence)}
                dependence = Dependence(**shaped.model_dump(include=fields))
            continue
        if not isinstance(table, dict):
            details: dict[str, object] = {"reason": "expected a table [name]"}
            problems.append(Problem("bad_value", "drivers.toml", None, name, str(table), details))
            continue
        one = shape(DriverTable, table, "drivers.toml", problems, name)
        driver = _driver(name, one, converter, states[name], problems) if one else None
        if driver is not None:
            drivers.append(driver)
    return tuple(sorted(drivers, key=lambda driver: driver.name)), dependence


def _driver(
    name: str, table: DriverTable, converter: Converter, state: str, problems: list[Problem]
) -> Driver | None:
    def bad(key: str, value: object, reason: object) -> None:
        details: dict[str, object] = {"reason": reason}
        problems.append(
            Problem("bad_value", "drivers.toml", None, f"{name}.{key}", str(value), details)
        )

    before = len(problems)
    parsed = {}
    for key, text in (("distribution", table.distribution), ("stress", table.stress)):
        try:
            parsed[key] = converter.parse(text or table.distribution)
        except DistributionError as error:
            bad(key, text, error)
    by = str(table.exposure.get("by", "type"))
    if by not in _EXPOSED_BY:
        bad("exposure.by", by, f"one of {', '.join(_EXPOSED_BY)}")
    factors = {}
    for key, factor in table.exposure.items():
        if key == "by":
            continue
        if isinstance(factor, str):
            bad(f"exposure.{key}", factor, "expected a number")
        else:
            factors[key] = factor
    window = None
    if table.window is not None:
        try:
            window = (month_day(table.window[0]), month_day(table.window[1]))
        except ValueError as error:
            bad("window", table.window, f"expected MM-DD, got {error}")
    if table.acts_on == "calendar" and (window is None) == (not table.cause):
        bad("acts_on", table.acts_on, "a calendar driver has either a cause or a window")
    if len(problems) > before:
        return None
    return Driver(
        name=name,
        title=table.title,
        title_en=table.title_en or table.title,
        distribution=parsed["distribution"],
        stress=parsed["stress"],
        scope=table.scope,
        acts_on=table.acts_on,
        exposure=Exposure(by, factors.pop("default", 1.0), factors),
        known_by=table.known_by,
        source=table.source,
        state=state,
        cause=table.cause,
        window=window,
        probability=table.probability,
        stress_probability=(
            table.probability if table.stress_probability is None else table.stress_probability
        ),
        availability=table.availability,
        episodes=table.episodes,
    )


def _assemble(
    folder: Path,
    file: PlanFile,
    tables: dict[str, list[tuple[int, dict[str, Any]]]],
    drivers: tuple[Driver, ...],
    dependence: Dependence,
    states: Mapping[str, str],
    problems: list[Problem],
) -> Plan:
    def build(table: str) -> list[Any]:
        return [
            _ROW_CLASSES[table](**{_ATTRIBUTE.get(key, key): value for key, value in row.items()})
            for _, row in tables[table]
        ]

    types = {one.type: one for one in build("types")}
    gates = {(one.procedure, one.gate): one for one in build("gates")}
    year_end = datetime.date(file.plan_year, 12, 31)
    rows = [
        _complete(row, position, types, gates, file.status_date, year_end)
        for position, (_, row) in enumerate(tables["projects"], start=1)
    ]
    projects = tuple(sorted((Project(**row) for row in rows), key=lambda one: (one.rank, one.id)))
    target = file.target
    if target is None:
        problems.append(Problem("no_target", "plan.toml", level="warning"))
        yuan = sum(one.annual_plan for one in projects if one.stage != "reserve")
    else:
        yuan = round(target * YUAN_PER_UNIT[file.amount_unit])
    labels = {
        section: {
            code: text
            for code, text in getattr(file, section).items()
            if code != "derived" and isinstance(text, str)
        }
        for section in ("systems", "programmes", "counties", "types")
    }
    return Plan(
        folder=folder,
        name=file.name,
        status_date=file.status_date,
        plan_year=file.plan_year,
        horizon=file.horizon or datetime.date(file.plan_year + 3, 12, 31),
        target=yuan,
        amount_unit=file.amount_unit,
        calendar=file.calendar,
        labels=labels,
        projects=projects,
        accounts=tuple(sorted(build("accounts"), key=lambda one: one.id)),
        releases=tuple(sorted(build("releases"), key=lambda one: (
            one.available, one.account, one.batch, one.project, one.amount))),
        types=dict(sorted(types.items())),
        gates=gates,
        windows=tuple(sorted(build("windows"), key=lambda one: one.window)),
        calendar_rows=tuple(sorted(build("calendar"), key=lambda one: (
            one.season, one.county, one.cause, str(one.from_), str(one.to), one.availability))),
        drivers=drivers,
        dependence=dependence,
        risks=tuple(sorted(build("risks"), key=lambda one: one.id)),
        commitments=tuple(sorted(build("commitments"), key=lambda one: one.id)),
        correlations=tuple(sorted(build("correlations"), key=lambda one: (
            one.variable, one.project_a, one.project_b))),
        states=dict(sorted(states.items())),
    )  # fmt: skip


def _complete(
    row: dict[str, Any],
    position: int,
    types: Mapping[str, ProjectType],
    gates: Mapping[tuple[str, str], Gate],
    status_date: datetime.date,
    year_end: datetime.date,
) -> dict[str, Any]:
    """Fill blank cells of a project from its type, its dates and its position."""
    row = dict(row)
    one = types.get(row["type"], NEUTRAL_TYPE)
    if row["rank"] is None:
        row["rank"] = position
    row["stage"] = row["stage"] or _stage(row, status_date, year_end)
    row["procedure"] = row["procedure"] or (
        "approval" if row["investor"] == "government" else "filing"
    )
    if row["gates"] is None:
        row["gates"] = _open_gates(row["procedure"], row["stage"], gates)
    row["funding"] = row["funding"] or one.funding
    row["duration"] = row["duration"] or one.duration
    row["cost"] = row["cost"] or one.cost
    return row


def _stage(row: Mapping[str, Any], status_date: datetime.date, year_end: datetime.date) -> str:
    if row["planned_start"] > year_end:
        return "pre_work"
    if row["planned_start"] > status_date:
        return "new"
    return "completing" if row["planned_finish"] <= year_end else "continuing"


def _open_gates(
    procedure: str, stage: str, gates: Mapping[tuple[str, str], Gate]
) -> tuple[str, ...]:
    """Open gates by stage: all before pre-work, the last two of a new start, none after."""
    known = [gate for owner, gate in gates if owner == procedure]
    if stage in ("reserve", "pre_work"):
        return tuple(known)
    return tuple(known[-2:]) if stage == "new" else ()


def _neutral_type() -> ProjectType:
    rows = Converter(Path("."), "元", []).rows(RawTable("types.csv", [{"type": "-"}], [2]), "types")
    values = rows[0]
    assert values is not None, "every column of types.csv but the name has a default"
    return ProjectType(**(values | {"type": ""}))


NEUTRAL_TYPE = _neutral_type()
"""What a blank type means: no slip, no acceptance time, a straight curve, full payment."""
