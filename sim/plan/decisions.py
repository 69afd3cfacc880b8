"""Checks of what levers name, and of what money needs to add up."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterator

from sim.plan.changes import LEVERS_FILE
from sim.plan.filed import Filed
from sim.plan.problems import Problem, Told, nearest
from sim.plan.rows import Plan, Project

_POOL_LIMIT_YUAN = 9 * 10**12
"""Most that an account may hold in all: times a million ppm it stays inside int64."""


def _fits_drop(one: Project, plan: Plan) -> bool:
    return one.planned_finish > plan.status_date


def _fits_postpone(one: Project, plan: Plan) -> bool:
    begun = one.planned_start <= plan.status_date and one.stage in ("continuing", "completing")
    return _fits_drop(one, plan) and not begun


def _fits_pull_forward(one: Project, plan: Plan) -> bool:
    return one.stage == "reserve" and one.planned_start > plan.status_date


_NAMING: dict[str, tuple[Callable[[Project, Plan], bool], Told]] = {
    "drop": (_fits_drop, Told("该项目已竣工", "the project is finished")),
    "postpone": (_fits_postpone, Told("该项目已开工", "the project is under way")),
    "pull_forward": (
        _fits_pull_forward,
        Told(
            "只有未开工的储备项目可以提前", "only reserve projects not begun can be pulled forward"
        ),
    ),
}


def check_levers(plan: Plan, filed: Filed) -> Iterator[Problem]:
    """Tell of levers that name what does not exist, or what they cannot move."""
    by_id = {one.id: one for one in plan.projects}
    for lever, (fits, why_not) in _NAMING.items():
        for name in getattr(plan.levers, lever):
            if filed.lacks("projects", name):
                near = filed.nearest("projects", name)
                details: dict[str, object] = {"what": Told("项目", "project"), "nearest": near}
                yield _of_lever("unknown_reference", lever, name, details)
            elif name in by_id and not fits(by_id[name], plan):
                yield _of_lever("bad_value", lever, name, {"reason": why_not})
    known = [one.id for one in plan.risks]
    for name in plan.levers.mitigate:
        if name != "all" and name not in known:
            details = {"what": Told("风险", "risk"), "nearest": nearest(name, [*known, "all"])}
            yield _of_lever("unknown_reference", "mitigate", name, details)
    revision = plan.levers.revision_date
    if revision is not None and not plan.status_date < revision <= plan.horizon:
        first, last = plan.status_date + datetime.timedelta(days=1), plan.horizon
        reason = Told(f"须在 {first} 至 {last} 之间", f"it must lie from {first} to {last}")
        yield _of_lever("bad_value", "revision_date", str(revision), {"reason": reason})


def _of_lever(code: str, lever: str, value: str, details: dict[str, object]) -> Problem:
    return Problem(code, LEVERS_FILE, None, f"levers.{lever}", value, details)


def check_money(plan: Plan, filed: Filed) -> Iterator[Problem]:
    """Tell of accounts that would overflow, and of projects that nobody is said to pay for."""
    received = {one.id: one.opening for one in plan.accounts}
    for release in plan.releases:
        if release.account in received:
            received[release.account] += release.amount
    for account in plan.accounts:
        if received[account.id] > _POOL_LIMIT_YUAN:
            yield Problem("sum_too_large", "accounts.csv", filed.row(account), "id", account.id)
    silent = [one.id for one in plan.projects if not one.funding] if plan.accounts else []
    if silent:
        shown = ", ".join(silent[:5]) + (", ..." if len(silent) > 5 else "")
        details: dict[str, object] = {"count": len(silent)}
        yield Problem("no_funding", "projects.csv", None, "funding", shown, details, "warning")
    for release in plan.releases:
        if release.issued is not None and release.issued > release.available:
            details = {"issued": release.issued}
            yield Problem(
                "available_before_issue", "releases.csv", filed.row(release), "available",
                str(release.available), details,
            )  # fmt: skip
    yield from _idle_earmarks(plan, filed)


def _idle_earmarks(plan: Plan, filed: Filed) -> Iterator[Problem]:
    """Tell of money earmarked for a project that has no funding line on the account."""
    accounts = {one.id: one for one in plan.accounts}
    by_id = {one.id: one for one in plan.projects}
    for release in plan.releases:
        if release.project not in by_id or release.account not in accounts:
            continue
        account, one = accounts[release.account], by_id[release.project]
        keys = {key for key, _ in one.funding}
        if account.id not in keys and account.class_ not in keys:
            yield Problem(
                "earmark_unused", "releases.csv", filed.row(release), "project", release.project,
                {"account": account.id}, "warning",
            )  # fmt: skip


CHECKS = (check_levers, check_money)
