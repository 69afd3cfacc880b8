"""Checks that need more than one cell: dates, amounts, sums; `links` has the references."""

from __future__ import annotations

import datetime
import math
import statistics
from collections.abc import Callable, Iterator

from sim.plan.cells import extremes
from sim.plan.decisions import CHECKS as DECISIONS
from sim.plan.filed import Filed
from sim.plan.links import CHECKS
from sim.plan.problems import Level, Problem, Told
from sim.plan.quantiles import median
from sim.plan.rows import Driver, Plan, Project
from sim.plan.tables import YUAN_PER_UNIT

_UNIT_SLIP = 5_000
_TOWER = 3
_SUM_LIMIT_YUAN = 9 * 10**15
"""A sum of amounts times a thousand ppm steps stays inside int64."""
_GROWN_LIMIT_YUAN = 9 * 10**12
"""A total, grown as far as it can, times a million ppm stays inside int64."""


Check = Callable[[Plan, Filed], Iterator[Problem]]


def check_plan(plan: Plan, filed: Filed) -> list[Problem]:
    """Check the rows of a plan against each other and against its dates.

    Parameters
    ----------
    plan : Plan
        The plan, of the rows whose own cells are well-formed.
    filed : Filed
        Row numbers, and what the files define.

    Returns
    -------
    list of Problem
        Errors and warnings, check by check.
    """
    of_rows: tuple[Check, ...] = (
        _amounts_and_dates,
        _ranks,
        _unit_slips,
        _towers,
        *CHECKS,
        *DECISIONS,
    )
    of_frame: tuple[Check, ...] = (
        _frame, _against_status, _stages, _replaced, _beyond_horizon, _sums, _growth,
        _late_predecessors, _promises_as_filed,
    )  # fmt: skip
    checks = (*of_frame, *of_rows) if filed.framed else of_rows
    return [problem for check in checks for problem in check(plan, filed)]


def _frame(plan: Plan, _: Filed) -> Iterator[Problem]:
    eve = datetime.date(plan.plan_year - 1, 12, 31)
    if not eve <= plan.status_date < plan.year_end:
        yield Problem(
            "status_outside_year", "plan.toml", None, "status_date", str(plan.status_date)
        )
    if plan.horizon < plan.year_end:
        details: dict[str, object] = {"year_end": plan.year_end}
        yield Problem("horizon_too_early", "plan.toml", None, "horizon", str(plan.horizon), details)


def _amounts_and_dates(plan: Plan, filed: Filed) -> Iterator[Problem]:
    for one in plan.projects:
        row = filed.row(one)
        excess = one.done_before_year + max(one.annual_plan, one.done_this_year) - one.total
        if excess > 0:
            details: dict[str, object] = {"excess": f"{excess:,}"}
            yield Problem("done_over_total", "projects.csv", row, "total", one.id, details)
        if one.planned_finish < one.planned_start:
            details = {"start": one.planned_start}
            yield Problem(
                "finish_before_start", "projects.csv", row, "planned_finish",
                str(one.planned_finish), details,
            )  # fmt: skip


def _against_status(plan: Plan, filed: Filed) -> Iterator[Problem]:
    new_year = plan.status_date.year < plan.plan_year
    done_known = filed.knows("projects", "done_before_year", "done_this_year")
    gates_known = filed.defined["gates"] is not None
    for one in plan.projects:
        row = filed.row(one)
        if new_year and one.done_this_year:
            value = str(one.done_this_year)
            yield Problem("year_not_begun", "projects.csv", row, "done_this_year", value)
        if one.done and one.planned_start > plan.status_date:
            yield Problem(
                "done_before_start", "projects.csv", row, "planned_start", str(one.planned_start),
                level="warning",
            )  # fmt: skip
        past = one.planned_start <= one.planned_finish <= plan.status_date
        if past and one.done < one.total and done_known:
            details: dict[str, object] = {"status": plan.status_date}
            yield Problem(
                "finish_past", "projects.csv", row, "planned_finish",
                str(one.planned_finish), details,
            )  # fmt: skip
        unborn = one.planned_start > plan.year_end and one.annual_plan > 0
        if unborn and not one.gates and gates_known:
            yield Problem("prework_without_gates", "projects.csv", row, "gates", one.id)


def _stages(plan: Plan, filed: Filed) -> Iterator[Problem]:
    """Tell of stages that the dates contradict; the simulation goes by the dates."""
    for one in plan.projects:
        ahead = one.planned_start > plan.status_date
        contradicted = {
            "continuing": ahead,
            "completing": ahead or one.planned_finish > plan.year_end,
            "new": one.planned_start > plan.year_end,
            "pre_work": one.planned_start <= plan.year_end,
            "reserve": False,
        }[one.stage]
        if contradicted:
            details: dict[str, object] = {
                "start": one.planned_start, "finish": one.planned_finish,
            }  # fmt: skip
            yield Problem(
                "stage_against_dates", "projects.csv", filed.row(one), "stage", one.stage, details,
                "warning",
            )  # fmt: skip


def _replaced(plan: Plan, _: Filed) -> Iterator[Problem]:
    """Tell of distributions that replace what is filed, and whose median is something else."""
    unit = YUAN_PER_UNIT[plan.amount_unit]
    others = []
    for one in plan.projects:
        days = (one.planned_finish - one.planned_start).days + 1
        if (one.duration.unit == "days" and round(median(one.duration)) != days) or (
            one.cost.unit == "amount" and round(median(one.cost) * unit) != one.total
        ):
            others.append(one.id)
    if others:
        shown = ", ".join(others[:5]) + (", ..." if len(others) > 5 else "")
        details: dict[str, object] = {"count": len(others)}
        yield Problem("filed_replaced", "projects.csv", None, "", shown, details, "warning")


def _beyond_horizon(plan: Plan, filed: Filed) -> Iterator[Problem]:
    late = [one.id for one in plan.projects if one.planned_finish > plan.horizon]
    if late:
        shown = ", ".join(late[:5]) + (", ..." if len(late) > 5 else "")
        details: dict[str, object] = {"horizon": plan.horizon, "count": len(late)}
        yield Problem(
            "beyond_horizon", "projects.csv", None, "planned_finish", shown, details, "warning"
        )
    for one in plan.commitments:
        if one.deadline is not None and one.deadline > plan.horizon:
            details = {"horizon": plan.horizon}
            yield Problem(
                "deadline_beyond_horizon", "commitments.csv", filed.row(one), "deadline",
                str(one.deadline), details, "warning",
            )  # fmt: skip


def _promises_as_filed(plan: Plan, filed: Filed) -> Iterator[Problem]:
    """Tell of promises that the ledger itself breaks while everything goes as filed."""
    by_id = {one.id: one for one in plan.projects}
    for promise in plan.commitments:
        members = [by_id[name] for name in promise.projects if name in by_id]
        if promise.deadline is None or not members:
            continue
        if promise.kind == "quantity":
            if len(members) < len(promise.projects) or not filed.knows("projects", "quantity"):
                continue  # what some of them deliver is not known
            # In thousandths, as they are counted; who starts later has none by then.
            promised = round((promise.quantity or 0) * 1000)
            in_time = (one for one in members if one.planned_start <= promise.deadline)
            whole = sum(round((one.quantity or 0) * 1000) for one in in_time)
            if whole < promised:
                details: dict[str, object] = {
                    "promised": _thousandths(promised), "filed": _thousandths(whole),
                }  # fmt: skip
                yield Problem(
                    "promised_more_than_filed", "commitments.csv", filed.row(promise), "quantity",
                    promise.id, details, "warning",
                )  # fmt: skip
        elif promise.kind in ("start", "finish"):
            days = {one.id: _days_filed(plan, one, promise.kind) for one in members}
            after = {
                one.id: days[one.id] - (promise.deadline - plan.status_date).days for one in members
            }
            last = max(after, key=lambda name: (after[name], name))
            if after[last] > 0:
                details = {
                    "project": last, "day": _date_of(plan, days[last]),
                    "what": Told("开工", "start") if promise.kind == "start"
                    else Told("验收交付", "delivery"),
                }  # fmt: skip
                yield Problem(
                    "promised_sooner_than_filed", "commitments.csv", filed.row(promise),
                    "deadline", str(promise.deadline), details, "warning",
                )  # fmt: skip


def _days_filed(plan: Plan, one: Project, kind: str) -> int:
    """Return the day of start or delivery as filed, counted from the status date.

    In days: a date far enough away has no name. Acceptance takes its median, as in the baseline;
    what was finished before has had it, and of a type that is not known nothing is said.
    """
    start = (one.planned_start - plan.status_date).days
    finish = (one.planned_finish - plan.status_date).days
    if kind == "start":
        begun = one.done > 0 or start > 0
        return start if begun else 1  # a start that has passed unused is put off
    if finish <= 0 or one.type not in plan.types:
        return finish
    return finish + round(median(plan.types[one.type].acceptance_days))


def _date_of(plan: Plan, days: int) -> str:
    """Return the date so many days after the status date, while it has one."""
    try:
        return str(plan.status_date + datetime.timedelta(days=days))
    except OverflowError:
        return f"{plan.status_date} + {days:,} d"


def _thousandths(count: int) -> str:
    return f"{count / 1000:,.3f}".rstrip("0").rstrip(".")


def _ranks(plan: Plan, filed: Filed) -> Iterator[Problem]:
    first: dict[int, Project] = {}
    for one in plan.projects:
        other = first.setdefault(one.rank, one)
        if other is not one:
            details: dict[str, object] = {"other": filed.row(other)}
            row = filed.row(one)
            yield Problem("duplicate_id", "projects.csv", row, "rank", str(one.rank), details)


def _sums(plan: Plan, _: Filed) -> Iterator[Problem]:
    if sum(one.total for one in plan.projects) > _SUM_LIMIT_YUAN:
        yield Problem("sum_too_large", "projects.csv", None, "total")
    if sum(one.amount for one in plan.releases) > _SUM_LIMIT_YUAN:
        yield Problem("sum_too_large", "releases.csv", None, "amount")
    if plan.target > _SUM_LIMIT_YUAN:
        yield Problem("sum_too_large", "plan.toml", None, "target")
    planned = sum(one.annual_plan for one in plan.projects)
    ratio = plan.target / planned if planned else 1.0
    if not 1 / _UNIT_SLIP < ratio < _UNIT_SLIP:
        details: dict[str, object] = {"ratio": _times(ratio), "unit": plan.amount_unit}
        yield Problem("target_slip", "plan.toml", None, "target", "", details, "warning")


def _growth(plan: Plan, filed: Filed) -> Iterator[Problem]:
    """Tell of totals that chance could drive beyond what integers hold."""
    acting = [one for one in plan.drivers if one.acts_on == "cost" and one.state != "off"]
    for one in plan.projects:
        largest = extremes(one.cost)[1]
        if one.cost.unit == "amount":
            reach = largest * YUAN_PER_UNIT[plan.amount_unit]
        else:
            reach = (one.total - one.done) * largest
        for driver in acting:
            reach *= _strongest(driver)
        if one.done + reach > _GROWN_LIMIT_YUAN:
            details: dict[str, object] = {
                "reach": f"{(one.done + reach) / 1e8:,.0f}",
                "limit": f"{_GROWN_LIMIT_YUAN // 10**8:,}",
            }
            yield Problem("growth_too_large", "projects.csv", filed.row(one), "cost", one.id,
                          details)  # fmt: skip


def _strongest(driver: Driver) -> float:
    """Return the largest factor that a multiplying driver can come to."""
    exponents = {driver.exposure.default, *driver.exposure.factors.values()}
    ends = [max(end, 1e-6) for end in extremes(driver.active)]
    factors = [math.pow(end, exponent) for end in ends for exponent in exponents]
    return max(1.0, *factors)


def _times(ratio: float) -> str:
    return f"{ratio:,.0f}" if ratio >= 1 else f"1/{1 / ratio:,.0f}"


def _unit_slips(plan: Plan, filed: Filed) -> Iterator[Problem]:
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
                    "ratio": _times(one.total / middle),
                    "unit": plan.amount_unit,
                }
                # Far above is a slip that would swallow the plan; far below may be a small job.
                level: Level = "error" if one.total > middle else "warning"
                yield Problem(
                    "unit_slip", "projects.csv", filed.row(one), "total", one.id, details, level
                )


def _towers(plan: Plan, filed: Filed) -> Iterator[Problem]:
    """Tell of a total that towers over all others: a slip of a small project hides from medians."""
    ordered = sorted(plan.projects, key=lambda one: one.total)
    if len(ordered) < 5 or ordered[-2].total == 0:
        return
    highest, next_highest = ordered[-1], ordered[-2]
    if highest.total > _TOWER * next_highest.total:
        details: dict[str, object] = {
            "ratio": _times(highest.total / next_highest.total),
            "unit": plan.amount_unit,
        }
        row = filed.row(highest)
        yield Problem("towers", "projects.csv", row, "total", highest.id, details, "warning")


def _late_predecessors(plan: Plan, filed: Filed) -> Iterator[Problem]:
    by_id = {one.id: one for one in plan.projects}
    tomorrow = plan.status_date + datetime.timedelta(days=1)
    for one in plan.projects:
        if one.planned_finish < tomorrow:
            continue
        begun = one.planned_start < tomorrow and one.stage in ("continuing", "completing")
        if begun:
            undelivered = [
                name
                for name in one.predecessors
                if name in by_id and by_id[name].planned_finish >= tomorrow
            ]
            if undelivered:
                told: dict[str, object] = {"predecessors": ", ".join(undelivered)}
                yield Problem(
                    "predecessor_ignored", "projects.csv", filed.row(one), "predecessors", one.id,
                    told, "warning",
                )  # fmt: skip
            continue
        start = max(one.planned_start, tomorrow)  # a start that has passed unused is put off
        for other in (by_id[name] for name in one.predecessors if name in by_id):
            days = 0
            if other.type in plan.types:
                days = round(median(plan.types[other.type].acceptance_days))
            # Counted in days: a date far enough away has no name.
            if (start - other.planned_finish).days <= days:
                details: dict[str, object] = {
                    "predecessor": other.id,
                    "finish": other.planned_finish,
                    "days": days,
                    "start": start,
                }
                yield Problem(
                    "late_predecessor", "projects.csv", filed.row(one), "predecessors", one.id,
                    details, "warning",
                )  # fmt: skip
