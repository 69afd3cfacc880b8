"""From converted rows to a frozen `Plan`: blank cells filled, rows in a fixed order."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from sim.plan.cells import Converter, month_day
from sim.plan.configuration import PlanFile
from sim.plan.residuals import deflated_type, in_force
from sim.plan.rows import (
    Account,
    BondFloor,
    CalendarRow,
    Commitment,
    Correlation,
    Deflation,
    Dependence,
    Driver,
    Gate,
    Levers,
    Plan,
    Project,
    ProjectType,
    Release,
    Risk,
    Window,
)
from sim.plan.tables import YUAN_PER_UNIT, RawTable

ROW_CLASSES: dict[str, type] = {
    "projects": Project,
    "accounts": Account,
    "releases": Release,
    "types": ProjectType,
    "gates": Gate,
    "windows": Window,
    "calendar": CalendarRow,
    "risks": Risk,
    "bond_floors": BondFloor,
    "commitments": Commitment,
    "correlations": Correlation,
}
"""The tables of a plan folder; of them only projects.csv must be there."""
DEBT_CLASSES = ("loan", "special_bond")
"""Debt, unless a row says that its money counts as equity."""
_ATTRIBUTE = {"class": "class_", "from": "from_"}


@dataclass(frozen=True, slots=True)
class Row:
    """A converted row: its place in the table, its row number in the file, its values."""

    position: int
    number: int
    values: dict[str, Any]


def assemble(
    folder: Path,
    file: PlanFile,
    tables: Mapping[str, list[Row]],
    drivers: tuple[Driver, ...],
    dependence: Dependence,
    levers: Levers,
    deflation: Mapping[str, Deflation],
    states: Mapping[str, str],
) -> tuple[Plan, dict[int, int | None]]:
    """Build a plan.

    Parameters
    ----------
    folder : Path
        Where it was read.
    file : PlanFile
        plan.toml.
    tables : mapping of table to list of Row
        The rows of all tables.
    drivers, dependence
        From drivers.toml.
    levers : Levers
        What the scenario decides.
    deflation : mapping of str to Deflation
        What each cause leaves of the residuals; those of the types are deflated here.
    states : mapping of str
        State of each uncertainty.

    Returns
    -------
    plan : Plan
        The plan; the order of rows counts for nothing but blank ranks.
    numbers : dict of int to int
        Row number of each row object, by its `id`: equal rows are different rows.
    """
    numbers: dict[int, int | None] = {}

    def build(table: str) -> list[Any]:
        built = []
        for row in tables[table]:
            values = {_ATTRIBUTE.get(key, key): value for key, value in row.values.items()}
            built.append(ROW_CLASSES[table](**values))
            numbers[id(built[-1])] = row.number
        return built

    left = in_force(deflation, states)

    def deflated(one: ProjectType) -> ProjectType:
        residual = deflated_type(one, left)
        numbers[id(residual)] = numbers.pop(id(one))
        return residual

    types = {one.type: deflated(one) for one in build("types")}
    gates = {(one.procedure, one.gate): one for one in build("gates")}
    year_end = datetime.date(file.plan_year, 12, 31)
    projects = []
    for row in tables["projects"]:
        values = _complete(row.values, row.position, types, gates, file.status_date, year_end)
        projects.append(Project(**values))
        numbers[id(projects[-1])] = row.number
    if file.target is None:
        target = sum(one.annual_plan for one in projects if one.stage != "reserve")
    else:
        target = round(file.target * YUAN_PER_UNIT[file.amount_unit])
    labels = {
        section: {
            code: text
            for code, text in getattr(file, section).items()
            if code != "derived" and isinstance(text, str)
        }
        for section in ("systems", "programmes", "counties", "types", "causes")
    }
    plan = Plan(
        folder=folder,
        name=file.name,
        status_date=file.status_date,
        plan_year=file.plan_year,
        horizon=file.horizon or datetime.date(file.plan_year + 3, 12, 31),
        target=target,
        amount_unit=file.amount_unit,
        calendar=file.calendar,
        december_cut_off=month_day(file.december_cut_off),
        acceleration_premium=file.acceleration_premium,
        adjustment_days=file.adjustment_days,
        adjustment_days_above=file.adjustment_days_above,
        labels=labels,
        projects=tuple(sorted(projects, key=lambda one: (one.rank, one.id))),
        accounts=tuple(sorted(map(_counted, build("accounts")), key=lambda one: one.id)),
        releases=tuple(sorted(build("releases"), key=lambda one: (
            one.available, one.account, one.batch, one.project, one.amount,
            str(one.issued), one.provenance, one.source))),
        types=dict(sorted(types.items())),
        gates=gates,
        windows=tuple(sorted(build("windows"), key=lambda one: one.window)),
        calendar_rows=tuple(sorted(build("calendar"), key=lambda one: (
            one.season, one.county, one.cause, str(one.from_), str(one.to),
            one.availability))),
        drivers=drivers,
        dependence=dependence,
        risks=tuple(sorted(build("risks"), key=lambda one: one.id)),
        bond_floors=tuple(sorted(build("bond_floors"), key=lambda one: (
            one.county, str(one.issued_from), str(one.issued_to), one.smallest, one.months,
            one.share, one.source))),
        commitments=tuple(sorted(build("commitments"), key=lambda one: one.id)),
        correlations=tuple(sorted(build("correlations"), key=lambda one: (
            one.variable, one.project_a, one.project_b))),
        levers=levers,
        deflation=dict(sorted(deflation.items())),
        states=dict(sorted(states.items())),
    )  # fmt: skip
    return plan, numbers


def _counted(one: Account) -> Account:
    """Say whether an account counts as equity, where the ledger does not."""
    if one.equity:
        return one
    return replace(one, equity="no" if one.class_ in DEBT_CLASSES else "yes")


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
    known = _from_first_to_last({gate: row for (owner, gate), row in gates.items()
                                 if owner == procedure})  # fmt: skip
    if stage in ("reserve", "pre_work"):
        return tuple(known)
    return tuple(known[-2:]) if stage == "new" else ()


def _from_first_to_last(rows: Mapping[str, Gate]) -> list[str]:
    """Sort gates by how many must be passed before, then by name: the order of rows is no order."""

    def before(gate: str, seen: frozenset[str]) -> frozenset[str]:
        found = frozenset(rows[gate].after) & rows.keys() - seen
        return found.union(*(before(other, seen | found) for other in found))

    return sorted(rows, key=lambda gate: (len(before(gate, frozenset({gate}))), gate))


def _neutral_type() -> ProjectType:
    (values,) = Converter(Path("."), "元", []).rows(
        RawTable("types.csv", [{"type": "-"}], [2]), "types"
    )
    assert values is not None, "every column of types.csv but the name has a default"
    return ProjectType(**(values | {"type": ""}))


NEUTRAL_TYPE = _neutral_type()
"""What a blank type means: no slip, no acceptance time, a straight curve, full payment."""
