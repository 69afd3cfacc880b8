"""Checks that need more than one cell: dates, amounts, references, cycles, shares."""

from __future__ import annotations

import datetime
import statistics
from collections.abc import Callable, Iterator, Mapping

from sim.plan.problems import Level, Problem, nearest
from sim.plan.quantiles import median
from sim.plan.rows import Plan, Project
from sim.plan.tables import AMOUNT_LIMIT_YUAN

FIRST_DATE = datetime.date(1990, 1, 1)
LAST_DATE = datetime.date(2200, 12, 31)
_ACCOUNT_CLASSES = (
    "general_budget", "fund_budget", "special_bond", "grant", "loan", "own", "other",
)  # fmt: skip
_UNIT_SLIP = 5_000
_SUM_LIMIT_YUAN = 9 * 10**15
"""A sum of amounts times a thousand ppm steps stays inside int64."""

Numbers = Mapping[str, Mapping[str, int]]


def check_plan(plan: Plan, numbers: Numbers) -> list[Problem]:
    """Check a plan whose cells are all well-formed.

    Parameters
    ----------
    plan : Plan
        The plan.
    numbers : mapping of table to mapping of key to row number
        Where each row stands, for the messages.

    Returns
    -------
    list of Problem
        Errors and warnings, in the order of files and rows.
    """
    checks: tuple[Callable[[Plan, Numbers], Iterator[Problem]], ...] = (
        _frame,
        _amounts_and_dates,
        _beyond_horizon,
        _ranks,
        _sums,
        _unit_slips,
        _references,
        _cycles,
        _late_predecessors,
        _gate_graphs,
        _commitments,
        _correlations,
    )
    return [problem for check in checks for problem in check(plan, numbers)]


def _row(numbers: Numbers, table: str, key: str) -> int | None:
    return numbers.get(table, {}).get(key)


def _frame(plan: Plan, _: Numbers) -> Iterator[Problem]:
    eve = datetime.date(plan.plan_year - 1, 12, 31)
    if not eve <= plan.status_date < plan.year_end:
        yield Problem(
            "status_outside_year", "plan.toml", None, "status_date", str(plan.status_date)
        )
    if plan.horizon < plan.year_end:
        details: dict[str, object] = {"year_end": plan.year_end}
        yield Problem("horizon_too_early", "plan.toml", None, "horizon", str(plan.horizon), details)
    if plan.horizon > LAST_DATE:
        details = {"first": FIRST_DATE, "last": LAST_DATE}
        yield Problem("date_out_of_range", "plan.toml", None, "horizon", str(plan.horizon), details)


def _amounts_and_dates(plan: Plan, numbers: Numbers) -> Iterator[Problem]:
    for one in plan.projects:
        row = _row(numbers, "projects", one.id)
        excess = one.done_before_year + max(one.annual_plan, one.done_this_year) - one.total
        if excess > 0:
            details: dict[str, object] = {"excess": f"{excess:,}"}
            yield Problem("done_over_total", "projects.csv", row, "total", one.id, details)
        for column in ("planned_start", "planned_finish"):
            day = getattr(one, column)
            if not FIRST_DATE <= day <= LAST_DATE:
                details = {"first": FIRST_DATE, "last": LAST_DATE}
                yield Problem("date_out_of_range", "projects.csv", row, column, str(day), details)
        if one.planned_finish < one.planned_start:
            details = {"start": one.planned_start}
            yield Problem(
                "finish_before_start", "projects.csv", row, "planned_finish",
                str(one.planned_finish), details,
            )  # fmt: skip
        elif one.planned_finish <= plan.status_date and one.done < one.total:
            details = {"status": plan.status_date}
            yield Problem(
                "finish_past", "projects.csv", row, "planned_finish",
                str(one.planned_finish), details,
            )  # fmt: skip
        if one.planned_start > plan.year_end and one.annual_plan > 0 and not one.gates:
            yield Problem("prework_without_gates", "projects.csv", row, "gates", one.id)


def _beyond_horizon(plan: Plan, _: Numbers) -> Iterator[Problem]:
    late = [one.id for one in plan.projects if one.planned_finish > plan.horizon]
    if late:
        shown = ", ".join(late[:5]) + (", ..." if len(late) > 5 else "")
        details: dict[str, object] = {"horizon": plan.horizon, "count": len(late)}
        yield Problem(
            "beyond_horizon", "projects.csv", None, "planned_finish", shown, details, "warning"
        )


def _ranks(plan: Plan, numbers: Numbers) -> Iterator[Problem]:
    first: dict[int, Project] = {}
    for one in plan.projects:
        other = first.setdefault(one.rank, one)
        if other is not one:
            details: dict[str, object] = {"other": _row(numbers, "projects", other.id)}
            row = _row(numbers, "projects", one.id)
            yield Problem("duplicate_id", "projects.csv", row, "rank", str(one.rank), details)


def _sums(plan: Plan, _: Numbers) -> Iterator[Problem]:
    if sum(one.total for one in plan.projects) > _SUM_LIMIT_YUAN:
        yield Problem("sum_too_large", "projects.csv", None, "total")
    if sum(one.amount for one in plan.releases) > _SUM_LIMIT_YUAN:
        yield Problem("sum_too_large", "releases.csv", None, "amount")
    if plan.target > AMOUNT_LIMIT_YUAN * 1000:
        yield Problem("sum_too_large", "plan.toml", None, "target")


def _unit_slips(plan: Plan, numbers: Numbers) -> Iterator[Problem]:
    """Tell of a total thousands of times its neighbours, up or down: yuan filed as 10,000 yuan."""
    groups: dict[str, list[Project]] = {}
    for one in plan.projects:
        groups.setdefault(one.type, []).append(one)
    everyone = [one.total for one in plan.projects if one.total > 0]
    for members in groups.values():
        totals = [one.total for one in members if one.total > 0]
        if len(totals) < 5:
            totals = everyone
        if len(totals) < 5:
            continue
        middle = statistics.median(totals)
        for one in members:
            if one.total > 0 and not middle / _UNIT_SLIP < one.total < middle * _UNIT_SLIP:
                details: dict[str, object] = {
                    "ratio": f"{one.total / middle:.3g}",
                    "unit": plan.amount_unit,
                }
                row = _row(numbers, "projects", one.id)
                # Far above is a slip that would swallow the plan; far below may be a small job.
                level: Level = "error" if one.total > middle else "warning"
                yield Problem("unit_slip", "projects.csv", row, "total", one.id, details, level)


def _unknown(
    file: str, row: int | None, column: str, value: str, what: tuple[str, str], known: object
) -> Problem:
    details: dict[str, object] = {
        "what": what[0],
        "what_en": what[1],
        "nearest": nearest(value, known) if isinstance(known, (set, list, dict)) else "",
    }
    if len(str(details["nearest"])) > 200:
        details["nearest"] = "-"
    return Problem("unknown_reference", file, row, column, value, details)


def _references(plan: Plan, numbers: Numbers) -> Iterator[Problem]:
    ids = {one.id for one in plan.projects}
    accounts = {one.id: one for one in plan.accounts}
    held = {(one.class_, one.county) for one in plan.accounts}
    for one in plan.projects:
        row = _row(numbers, "projects", one.id)
        if one.type and one.type not in plan.types:
            yield _unknown("projects.csv", row, "type", one.type, ("类型", "type"), set(plan.types))
        for other in one.predecessors:
            if other not in ids:
                yield _unknown("projects.csv", row, "predecessors", other, ("项目", "project"), ids)
        for gate in one.gates:
            if (one.procedure, gate) not in plan.gates:
                known = [name for owner, name in plan.gates if owner == one.procedure]
                details: dict[str, object] = {
                    "procedure": one.procedure,
                    "nearest": nearest(gate, known),
                }
                yield Problem("unknown_gate", "projects.csv", row, "gates", gate, details)
        if plan.accounts:
            yield from _account_references(one, row, accounts, held)
    for position, release in enumerate(plan.releases):
        if release.account not in accounts:
            details = {"nearest": nearest(release.account, accounts)}
            yield Problem(
                "undefined_account", "releases.csv", None, f"account#{position}",
                release.account, details,
            )  # fmt: skip
        if release.project and release.project not in ids:
            yield _unknown(
                "releases.csv", None, "project", release.project, ("项目", "project"), ids
            )
    windows = {one.window for one in plan.windows}
    for key, gate_row in plan.gates.items():
        if gate_row.window and windows and gate_row.window not in windows:
            row = _row(numbers, "gates", "/".join(key))
            yield _unknown("gates.csv", row, "window", gate_row.window, ("窗口", "window"), windows)


def _account_references(
    one: Project, row: int | None, accounts: Mapping[str, object], held: set[tuple[str, str]]
) -> Iterator[Problem]:
    for key, _ in one.funding:
        if key in accounts or key == "own":
            continue
        if key not in _ACCOUNT_CLASSES:
            details: dict[str, object] = {"nearest": nearest(key, [*accounts, *_ACCOUNT_CLASSES])}
            if len(str(details["nearest"])) > 200:
                details["nearest"] = "-"
            yield Problem("undefined_account", "projects.csv", row, "funding", key, details)
        elif not {(key, one.county), (key, "city"), (key, "")} & held:
            details = {"county": one.county}
            yield Problem("no_account_of_class", "projects.csv", row, "funding", key, details)


def _cycles(plan: Plan, numbers: Numbers) -> Iterator[Problem]:
    graph = {one.id: one.predecessors for one in plan.projects}
    for path in find_cycles(graph):
        row = _row(numbers, "projects", path[0])
        details: dict[str, object] = {"path": " <- ".join(path)}
        yield Problem("cycle", "projects.csv", row, "predecessors", path[0], details)


def find_cycles(graph: Mapping[str, tuple[str, ...]]) -> list[list[str]]:
    """Return one cycle for each set of nodes that a depth-first walk finds closed.

    Parameters
    ----------
    graph : mapping of node to its predecessors
        Unknown predecessors are passed over.
    """
    done: set[str] = set()
    cycles = []
    for root in sorted(graph):
        path: list[str] = []
        on_path: set[str] = set()
        stack: list[tuple[str, Iterator[str]]] = []

        def enter(node: str) -> None:
            path.append(node)  # noqa: B023 - used within this turn of the loop only
            on_path.add(node)  # noqa: B023
            stack.append((node, iter(graph[node])))  # noqa: B023

        if root not in done:
            enter(root)
        while stack:
            node, rest = stack[-1]
            following = next((one for one in rest if one in graph and one not in done), None)
            if following is None:
                stack.pop()
                path.pop()
                on_path.remove(node)
                done.add(node)
            elif following in on_path:
                cycles.append([*path[path.index(following) :], following])
            else:
                enter(following)
    return cycles


def _late_predecessors(plan: Plan, numbers: Numbers) -> Iterator[Problem]:
    by_id = {one.id: one for one in plan.projects}
    for one in plan.projects:
        for name in one.predecessors:
            other = by_id.get(name)
            if other is None:
                continue
            days = 0
            if other.type in plan.types:
                days = round(median(plan.types[other.type].acceptance_days))
            delivered = other.planned_finish + datetime.timedelta(days=days)
            if delivered >= one.planned_start > plan.status_date:
                details: dict[str, object] = {
                    "predecessor": name,
                    "delivered": delivered,
                    "start": one.planned_start,
                }
                yield Problem(
                    "late_predecessor", "projects.csv", _row(numbers, "projects", one.id),
                    "predecessors", one.id, details, level="warning",
                )  # fmt: skip


def _gate_graphs(plan: Plan, numbers: Numbers) -> Iterator[Problem]:
    for procedure in sorted({owner for owner, _ in plan.gates}):
        graph = {gate: row.after for (owner, gate), row in plan.gates.items() if owner == procedure}
        for gate, after in graph.items():
            for other in after:
                if other not in graph:
                    row = _row(numbers, "gates", f"{procedure}/{gate}")
                    yield _unknown("gates.csv", row, "after", other, ("手续", "gate"), set(graph))
        for path in find_cycles(graph):
            details: dict[str, object] = {"path": " <- ".join(path)}
            yield Problem("cycle", "gates.csv", None, "after", procedure, details)


def _commitments(plan: Plan, numbers: Numbers) -> Iterator[Problem]:
    by_id = {one.id: one for one in plan.projects}
    for one in plan.commitments:
        row = _row(numbers, "commitments", one.id)
        every_need: dict[str, dict[str, object]] = {
            "start": {"projects": one.projects, "deadline": one.deadline},
            "finish": {"projects": one.projects, "deadline": one.deadline},
            "quantity": {
                "projects": one.projects, "quantity": one.quantity, "deadline": one.deadline,
            },
            "outside": {"why_outside": one.why_outside},
        }  # fmt: skip
        for column, value in every_need[one.kind].items():
            if not value:
                details: dict[str, object] = {"kind": one.kind, "needs": column}
                yield Problem("mixed_scope", "commitments.csv", row, column, one.id, details)
        for name in one.projects:
            if name not in by_id:
                yield _unknown(
                    "commitments.csv", row, "projects", name, ("项目", "project"), set(by_id)
                )
            elif one.kind == "quantity" and by_id[name].unit != one.unit:
                details = {"project": name, "other": by_id[name].unit}
                yield Problem("unit_differs", "commitments.csv", row, "unit", one.unit, details)


def _correlations(plan: Plan, numbers: Numbers) -> Iterator[Problem]:
    by_id = {one.id: one for one in plan.projects}
    for one in plan.correlations:
        for name in (one.project_a, one.project_b):
            if name not in by_id:
                yield _unknown(
                    "correlations.csv", None, "project", name, ("项目", "project"), set(by_id)
                )
            elif (
                by_id[name].duration if one.variable == "duration" else by_id[name].cost
            ).name in ("fixed",):
                details: dict[str, object] = {"variable": one.variable}
                yield Problem(
                    "distribution_needs_project", "correlations.csv", None, "project", name, details
                )
