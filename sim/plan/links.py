"""Checks of what rows say of each other: references, cycles, calendars, promises."""

from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from graphlib import CycleError, TopologicalSorter

from sim.plan.availability import ANY_SEASON
from sim.plan.cells import extremes
from sim.plan.filed import Filed
from sim.plan.problems import Problem, Told, nearest
from sim.plan.risks import values_of
from sim.plan.rows import CalendarRow, Plan, Risk

_ACCOUNT_CLASSES = (
    "general_budget", "fund_budget", "special_bond", "grant", "loan", "own", "other",
)  # fmt: skip
_MOST_CYCLES = 50
_PROJECT = Told("项目", "project")


def _unknown(file: str, row: int | None, column: str, value: str, what: Told, near: str) -> Problem:
    details: dict[str, object] = {"what": what, "nearest": near}
    return Problem("unknown_reference", file, row, column, value, details)


def _unknown_projects(
    file: str, row: int | None, named: Mapping[str, Collection[str]], filed: Filed
) -> Iterator[Problem]:
    """Tell of projects, named by column, that do not exist."""
    for column, names in named.items():
        for name in names:
            if filed.lacks("projects", name):
                near = filed.nearest("projects", name)
                yield _unknown(file, row, column, name, _PROJECT, near)


def _references(plan: Plan, filed: Filed) -> Iterator[Problem]:
    for one in plan.projects:
        row = filed.row(one)
        if one.type and filed.lacks("types", one.type):
            near = filed.nearest("types", one.type)
            yield _unknown("projects.csv", row, "type", one.type, Told("类型", "type"), near)
        yield from _unknown_projects("projects.csv", row, {"predecessors": one.predecessors}, filed)
        known_gates = filed.defined["gates"] and filed.knows("projects", "procedure")
        for gate in one.gates if known_gates else ():
            if filed.lacks("gates", f"{one.procedure}/{gate}"):
                known = [name for owner, name in plan.gates if owner == one.procedure]
                details: dict[str, object] = {
                    "procedure": one.procedure,
                    "nearest": nearest(gate, known),
                }
                yield Problem("unknown_gate", "projects.csv", row, "gates", gate, details)
    if filed.defined["gates"] == frozenset():
        waiting = [one.id for one in plan.projects if one.gates]
        if waiting:
            few: dict[str, object] = {"count": len(waiting)}
            yield Problem("no_gates_table", "projects.csv", None, "gates", waiting[0], few)
    for gate_row in plan.gates.values():
        # Without windows.csv a window never binds.
        if gate_row.window and filed.defined["windows"] and filed.lacks("windows", gate_row.window):
            near = filed.nearest("windows", gate_row.window)
            what = Told("窗口", "window")
            row = filed.row(gate_row)
            yield _unknown("gates.csv", row, "window", gate_row.window, what, near)


def _accounts(plan: Plan, filed: Filed) -> Iterator[Problem]:
    ids = filed.defined["accounts"]
    for release in plan.releases:
        row = filed.row(release)
        if filed.lacks("accounts", release.account):
            details: dict[str, object] = {"nearest": filed.nearest("accounts", release.account)}
            yield Problem(
                "undefined_account", "releases.csv", row, "account", release.account, details
            )
        if release.project:
            yield from _unknown_projects("releases.csv", row, {"project": [release.project]}, filed)
    if not ids:  # no accounts: money is unlimited
        return
    held = Counter((one.class_, one.county) for one in plan.accounts)
    owners = any(class_ == "own" for class_, _ in held)
    every_account = filed.knows_all("accounts", "county") and filed.knows("projects", "county")
    for one in plan.projects:
        row = filed.row(one)
        for key, _ in one.funding or (("own", 1),):
            if key in ids or (key == "own" and not owners):
                continue
            reached = [place for place in (one.county, "city", "") if held[key, place]]
            if key not in _ACCOUNT_CLASSES:
                details = {"nearest": nearest(key, [*ids, *_ACCOUNT_CLASSES])}
                yield Problem("undefined_account", "projects.csv", row, "funding", key, details)
            elif every_account and not reached:
                details = {"county": one.county}
                yield Problem("no_account_of_class", "projects.csv", row, "funding", key, details)
            elif reached and held[key, reached[0]] > 1 and filed.knows("accounts", "county"):
                details = {"county": reached[0]}
                yield Problem(
                    "several_accounts_of_class", "projects.csv", row, "funding", key, details
                )


def _cycles(plan: Plan, filed: Filed) -> Iterator[Problem]:
    by_id = {one.id: one for one in plan.projects}
    for path in find_cycles({name: one.predecessors for name, one in by_id.items()}):
        row = filed.row(by_id[path[0]])
        details: dict[str, object] = {"path": _shown(path)}
        yield Problem("cycle", "projects.csv", row, "predecessors", path[0], details)


def _shown(path: list[str], link: str = " <- ") -> str:
    if len(path) > 8:
        path = [*path[:5], f"... ({len(path) - 1})", *path[-2:]]
    return link.join(path)


def find_cycles(graph: Mapping[str, tuple[str, ...]]) -> list[list[str]]:
    """Return cycles, one by one, until cutting a link of each leaves none (at most 50).

    Parameters
    ----------
    graph : mapping of node to its predecessors
        Unknown predecessors are passed over.

    Returns
    -------
    list of list of str
        Each path goes from a node to its predecessor and so on, back to the node.
    """
    remaining = {node: [other for other in graph[node] if other in graph] for node in sorted(graph)}
    cycles: list[list[str]] = []
    while len(cycles) < _MOST_CYCLES:
        try:
            TopologicalSorter(remaining).prepare()
            break
        except CycleError as error:
            # Each is a predecessor of the next; the first stands at the end again.
            path: list[str] = error.args[1]
            cycles.append(path[::-1])
            remaining[path[1]].remove(path[0])
    return cycles


def _calendar(plan: Plan, filed: Filed) -> Iterator[Problem]:
    for one in plan.calendar_rows:
        row = filed.row(one)
        if isinstance(one.from_, datetime.date) != isinstance(one.to, datetime.date):
            yield Problem("mixed_dates", "calendar.csv", row, "to")
        elif isinstance(one.from_, datetime.date) and _ends_before(one):
            details: dict[str, object] = {"start": one.from_}
            yield Problem("finish_before_start", "calendar.csv", row, "to", str(one.to), details)
    seasons = {one.season for one in plan.calendar_rows}
    if not seasons or ANY_SEASON in seasons or not filed.knows_all("calendar"):
        return
    for kind in plan.types.values():
        if kind.season and kind.season not in seasons:
            details = {"nearest": nearest(kind.season, seasons)}
            yield Problem(
                "season_not_in_calendar", "types.csv", filed.row(kind), "season", kind.season,
                details, "warning",
            )  # fmt: skip


def _ends_before(one: CalendarRow) -> bool:
    first, last = one.from_, one.to
    return isinstance(first, datetime.date) and isinstance(last, datetime.date) and last < first


def _gate_graphs(plan: Plan, filed: Filed) -> Iterator[Problem]:
    for procedure in sorted({owner for owner, _ in plan.gates}):
        rows = {gate: row for (owner, gate), row in plan.gates.items() if owner == procedure}
        for one in rows.values():
            for other in one.after:
                if filed.lacks("gates", f"{procedure}/{other}"):
                    near, what = nearest(other, rows), Told("手续", "gate")
                    yield _unknown("gates.csv", filed.row(one), "after", other, what, near)
        for path in find_cycles({gate: row.after for gate, row in rows.items()}):
            details: dict[str, object] = {"path": _shown(path)}
            row = filed.row(rows[path[0]])
            yield Problem("cycle", "gates.csv", row, "after", path[0], details)


def _drivers(plan: Plan, filed: Filed) -> Iterator[Problem]:
    for one in plan.drivers:
        row = filed.row(one)
        if one.cause and filed.lacks("calendar", one.cause):
            near = filed.nearest("calendar", one.cause)
            what = Told("日历原因", "cause in calendar.csv")
            yield _unknown("drivers.toml", row, f"{one.name}.cause", one.cause, what, near)
        if not _every_value_is_known(one.exposure.by, filed):
            continue
        present = _present(plan, one.exposure.by)
        for value in one.exposure.factors:
            if value not in present:
                details: dict[str, object] = {
                    "by": one.exposure.by, "nearest": nearest(value, present),
                }  # fmt: skip
                yield Problem(
                    "exposes_nothing", "drivers.toml", row, f"{one.name}.exposure.{value}", "",
                    details, "warning",
                )  # fmt: skip


def _every_value_is_known(column: str, filed: Filed) -> bool:
    """Tell whether all is read from which `_present` takes the values of a column."""
    if column == "season":
        return filed.knows_all("calendar") and filed.knows_all("types", "season")
    typed = column != "type" or filed.knows_all("types")
    return typed and filed.knows_all("projects", column)


def _present(plan: Plan, column: str) -> set[str]:
    """Return the values of a column that exposure goes by, as far as they are known to the plan."""
    if column == "season":
        return {one.season for one in plan.calendar_rows} | {
            one.season for one in plan.types.values()
        }
    defined = set(plan.types) if column == "type" else set()
    return defined | {str(getattr(one, column)) for one in plan.projects}


def _risks(plan: Plan, filed: Filed) -> Iterator[Problem]:
    file, by_id = "risks.csv", {one.id: one for one in plan.risks}
    gates = {key.partition("/")[2] for key in filed.defined["gates"] or ()}
    present = _values_of_filters(plan)
    for one in plan.risks:
        row = filed.row(one)
        if filed.defined["gates"] is not None and isinstance(one.at, str) and one.at not in gates:
            what = Told("手续", "gate")
            yield _unknown(file, row, "at", one.at, what, nearest(one.at, gates))
        for name in _triggered(one):
            if filed.lacks("risks", name):
                near, what = filed.nearest("risks", name), Told("风险", "risk")
                yield _unknown(file, row, "triggers", name, what, near)
        if one.effect == "drop" and one.parallel:
            yield Problem("drop_in_parallel", file, row, "parallel", one.parallel)
        for condition in one.applies_to:
            if not filed.knows_all("projects", condition.column):
                continue
            known = present[condition.column]
            for value in (value for value in condition.values if value not in known):
                details: dict[str, object] = {
                    "by": condition.column, "nearest": nearest(value, known),
                }  # fmt: skip
                yield Problem("exposes_nothing", file, row, "applies_to", value, details, "warning")
    for path in find_cycles({name: _triggered(one) for name, one in by_id.items()}):
        row, details = filed.row(by_id[path[0]]), {"path": _shown(path, " -> ")}
        yield Problem("trigger_cycle", file, row, "triggers", path[0], details)


def _values_of_filters(plan: Plan) -> dict[str, set[str]]:
    """Return what projects have in the columns by which risks choose them."""
    columns = {condition.column for one in plan.risks for condition in one.applies_to}
    return {
        column: {value for one in plan.projects for value in values_of(one, column) if value}
        for column in columns
    }


def _triggered(one: Risk) -> tuple[str, ...]:
    return tuple(name for alternatives in one.triggers for name, _ in alternatives)


def _commitments(plan: Plan, filed: Filed) -> Iterator[Problem]:
    by_id = {one.id: one for one in plan.projects}
    units_known = filed.knows("projects", "quantity", "unit") and filed.knows("commitments", "unit")
    for one in plan.commitments:
        row = filed.row(one)
        every_need: dict[str, dict[str, object]] = {
            "start": {"projects": one.projects, "deadline": one.deadline},
            "finish": {"projects": one.projects, "deadline": one.deadline},
            "quantity": {
                "projects": one.projects, "quantity": one.quantity, "deadline": one.deadline,
            },
            "outside": {"why_outside": one.why_outside},
        }  # fmt: skip
        for column, value in every_need[one.kind].items():
            if not value and filed.knows("commitments", column):
                details: dict[str, object] = {"kind": one.kind, "needs": column}
                yield Problem("commitment_needs", "commitments.csv", row, column, one.id, details)
        yield from _unknown_projects("commitments.csv", row, {"projects": one.projects}, filed)
        if one.kind != "quantity":
            continue
        for other in (by_id[name] for name in one.projects if name in by_id):
            if other.quantity is None and filed.knows("projects", "quantity"):
                details = {"project": other.id}
                yield Problem("no_quantity", "commitments.csv", row, "projects", one.id, details)
            elif other.unit != one.unit and units_known:
                details = {"project": other.id, "other": other.unit}
                yield Problem("unit_differs", "commitments.csv", row, "unit", one.unit, details)


def _correlations(plan: Plan, filed: Filed) -> Iterator[Problem]:
    by_id = {one.id: one for one in plan.projects}
    first: dict[tuple[str, frozenset[str]], int | None] = {}
    for one in plan.correlations:
        row = filed.row(one)
        named = {"project_a": [one.project_a], "project_b": [one.project_b]}
        yield from _unknown_projects("correlations.csv", row, named, filed)
        pair = (one.variable, frozenset((one.project_a, one.project_b)))
        if len(pair[1]) == 1 or first.setdefault(pair, row) != row:
            details: dict[str, object] = {"other": first.get(pair, row)}
            yield Problem(
                "pair_twice", "correlations.csv", row, "project_b", one.project_b, details
            )
        for column, (name,) in named.items():
            if name not in by_id or not filed.knows_with_type(
                one.variable, by_id[name], plan.types
            ):
                continue
            low, high = extremes(getattr(by_id[name], one.variable))
            if low == high:
                details = {"variable": one.variable}
                yield Problem("no_spread", "correlations.csv", row, column, name, details)


def _labels(plan: Plan, filed: Filed) -> Iterator[Problem]:
    """Tell of codes that plan.toml lists no name for, where it lists names of that kind."""
    columns = {"counties": "county", "systems": "system", "programmes": "programme"}
    for section, column in columns.items():
        names = plan.labels[section]
        seen: set[str] = set()
        for one in plan.projects if names else ():
            code = str(getattr(one, column))
            if code and code not in names and code not in seen:
                seen.add(code)
                details: dict[str, object] = {"section": section, "nearest": nearest(code, names)}
                row = filed.row(one)
                yield Problem("not_listed", "projects.csv", row, column, code, details, "warning")


CHECKS = (
    _references,
    _labels,
    _accounts,
    _cycles,
    _calendar,
    _gate_graphs,
    _drivers,
    _risks,
    _commitments,
    _correlations,
)
