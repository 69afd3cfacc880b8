"""What became of promises: read from a table of outcomes, checked against the plan."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sim.plan.cells import Converter
from sim.plan.problems import InputError, Problem, Told, errors_of, nearest
from sim.plan.rows import Commitment, Plan
from sim.plan.scenario import Scenario
from sim.plan.tables import read_table

_KINDS = {"start": "actual_start", "finish": "actual_finish"}
"""By kind of promise, the day that decides."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What is known of one promise.

    Attributes
    ----------
    kept : bool or None
        None where it is unknown.
    source, confidence, note : str
        Of the row that says so; joined where several do.
    """

    kept: bool | None
    source: str
    confidence: str
    note: str


@dataclass(frozen=True, slots=True)
class Outcomes:
    """The outcomes of a plan's promises.

    Attributes
    ----------
    by_commitment : mapping of str to Outcome
        Of promises that the table tells of, directly or by the dates of all their projects.
    sha256 : str
        Hash of the bytes that were read.
    warnings : tuple of Problem
        What is odd but stops nothing.
    """

    by_commitment: Mapping[str, Outcome]
    sha256: str
    warnings: tuple[Problem, ...]


def read_outcomes(path: Path, plan: Plan) -> Outcomes:
    """Read a table of outcomes.

    Parameters
    ----------
    path : Path
        CSV file; columns in `fields.csv` under `outcomes`.
    plan : Plan
        Whose promises and projects the rows name.

    Raises
    ------
    InputError
        With every problem found, if any of them is an error.
    """
    problems: list[Problem] = []
    raw = read_table(path, "outcomes", problems)
    rows = Converter(path.parent, plan.amount_unit, problems).rows(raw, "outcomes")
    if raw.whole and not raw.rows:
        problems.append(Problem("no_records", raw.file))
    known = {
        "commitment": {one.id for one in plan.commitments},
        "project": {one.id for one in plan.projects},
    }
    told: dict[str, dict[str, tuple[int, Mapping[str, Any]]]] = {"commitment": {}, "project": {}}
    for number, row in zip(raw.numbers, rows, strict=True):
        if row is None:
            continue
        problems.extend(_odd(raw.file, number, row))
        given = [name for name in told if row[name]]
        if len(given) != 1:
            problems.append(Problem("one_of_two", raw.file, number, "commitment"))
            continue
        name = given[0]
        one = row[name]
        if one not in known[name]:
            what = {"commitment": Told("承诺", "commitment"), "project": Told("项目", "project")}
            details: dict[str, object] = {
                "what": what[name],
                "nearest": nearest(one, known[name]),
            }
            problems.append(Problem("unknown_reference", raw.file, number, name, one, details))
        elif one in told[name]:
            details = {"other": told[name][one][0]}
            problems.append(Problem("duplicate_id", raw.file, number, name, one, details))
        else:
            told[name][one] = (number, row)
    found = {}
    for promise in plan.commitments:
        projects = {name: row for name, (_, row) in told["project"].items()}
        outcome = _outcome(
            raw.file, promise, told["commitment"].get(promise.id), projects, problems
        )
        if outcome is not None:
            found[promise.id] = outcome
    if errors_of(problems):
        raise InputError(problems)
    return Outcomes(found, raw.sha256, tuple(problems))


def check_scored(scenario: Scenario) -> None:
    """Refuse a scenario that uses later knowledge, and a plan without promises.

    Raises
    ------
    InputError
        If there is nothing that a forecast could be judged by.
    """
    problems = []
    if not scenario.about.scored:
        problems.append(
            Problem("never_scored", scenario.name, column="about.scored", value="false")
        )
    if not scenario.plan.commitments:
        problems.append(Problem("no_commitments", scenario.name))
    if problems:
        raise InputError(problems)


def _odd(file: str, number: int, row: Mapping[str, Any]) -> Iterator[Problem]:
    """Yield what is wrong within a row."""
    start, finish = row["actual_start"], row["actual_finish"]
    if start and finish and finish < start:
        details: dict[str, object] = {"start": start}
        yield Problem("actual_before_start", file, number, "actual_finish", str(finish), details)
    if row["project"] and not row["commitment"] and row["outcome"]:
        yield Problem("outcome_of_project", file, number, "outcome", row["outcome"])
    says = start or finish or row["outcome"] in ("kept", "missed")
    if says and not row["source"]:
        yield Problem("outcome_needs_source", file, number, "source")


def _outcome(
    file: str,
    promise: Commitment,
    direct: tuple[int, Mapping[str, Any]] | None,
    projects: Mapping[str, Mapping[str, Any]],
    problems: list[Problem],
) -> Outcome | None:
    """Return what the rows say of a promise; None where they say nothing."""
    rows = [projects[one] for one in promise.projects if one in projects]
    by_projects = None
    if promise.kind in _KINDS:
        days = [projects.get(one, {}).get(_KINDS[promise.kind]) for one in promise.projects]
        by_projects = _kept(days, promise.deadline)
    if direct is None:
        return Outcome(by_projects, *_basis(rows)) if rows else None
    number, row = direct
    derived = by_projects
    if promise.kind in _KINDS and row[_KINDS[promise.kind]]:
        derived = _kept([row[_KINDS[promise.kind]]], promise.deadline)
        if by_projects is not None and derived is not by_projects:
            problems.append(_contradiction(file, number, promise, row, by_projects))
    if row["outcome"] == "unknown":
        return Outcome(None, *_basis([row]))
    if not row["outcome"]:
        return Outcome(derived, *_basis([row, *rows]))
    kept = row["outcome"] == "kept"
    if derived is not None and derived is not kept:
        problems.append(_contradiction(file, number, promise, row, derived))
    return Outcome(kept, *_basis([row]))


def _kept(days: list[datetime.date | None], deadline: datetime.date | None) -> bool | None:
    """Tell from dates: kept if all are in time, missed if one is late, else unknown."""
    assert deadline is not None
    if any(day is not None and day > deadline for day in days):
        return False
    return None if None in days else True


def _contradiction(
    file: str, number: int, promise: Commitment, row: Mapping[str, Any], derived: bool
) -> Problem:
    details: dict[str, object] = {
        "derived": "kept" if derived else "missed",
        "deadline": promise.deadline,
    }
    return Problem("outcome_contradicts", file, number, "outcome", row["outcome"], details)


def _basis(rows: list[Mapping[str, Any]]) -> tuple[str, str, str]:
    """Join sources and notes; the least confidence of all."""
    order = ("low", "medium", "high")
    levels = [row["confidence"] for row in rows if row["confidence"]]
    least = min(levels, key=order.index) if levels else ""
    return (
        "; ".join(row["source"] for row in rows if row["source"]),
        least,
        "; ".join(row["note"] for row in rows if row["note"]),
    )
