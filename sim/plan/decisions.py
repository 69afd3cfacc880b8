"""Checks of what levers name, and of what money needs to add up."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

from sim.plan.changes import LEVERS_FILE
from sim.plan.filed import Filed
from sim.plan.problems import Problem, Told
from sim.plan.rows import EVERY_RISK, Plan

_POOL_LIMIT_YUAN = 9 * 10**12
"""Most that an account may hold in all: times a million ppm it stays inside int64."""


def check_levers(plan: Plan, filed: Filed) -> Iterator[Problem]:
    """Tell of decisions about what is not there, or that cannot be taken."""
    levers = plan.levers
    for lever in ("drop", "postpone", "pull_forward"):
        for name in getattr(levers, lever):
            if filed.lacks("projects", name):
                near, what = filed.nearest("projects", name), Told("项目", "project")
                yield _of_lever("unknown_reference", lever, name, what=what, nearest=near)
    for first, second in combinations(("drop", "postpone", "pull_forward"), 2):
        for name in sorted(set(getattr(levers, first)) & set(getattr(levers, second))):
            reason = Told(f"同一项目也在 {first} 中", f"the project stands in {first} too")
            yield _of_lever("bad_value", second, name, reason=reason)
    for name in levers.mitigate:
        if name != EVERY_RISK and filed.lacks("risks", name):
            near, what = filed.nearest("risks", name), Told("风险", "risk")
            yield _of_lever("unknown_reference", "mitigate", name, what=what, nearest=near)
    for one in plan.projects:
        staged = filed.knows("projects", "stage")
        if one.id in levers.pull_forward and one.stage != "reserve" and staged:
            yield _of_lever("not_in_reserve", "pull_forward", one.id, stage=one.stage)
        begun = one.stage in ("continuing", "completing") and one.planned_start <= plan.status_date
        if one.id in levers.postpone and begun:
            yield _of_lever("already_begun", "postpone", one.id, start=one.planned_start)
    day = levers.revision_date
    if day is not None and filed.framed and not plan.status_date < day <= plan.year_end:
        ends = {"after": plan.status_date, "last": plan.year_end}
        yield _of_lever("revision_outside", "revision_date", str(day), **ends)


def _of_lever(code: str, lever: str, value: str, **details: object) -> Problem:
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
    silent = [
        one.id
        for one in plan.projects
        if plan.accounts and not one.funding and filed.knows_with_type("funding", one, plan.types)
    ]
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
        if not filed.knows_with_type("funding", one, plan.types):
            continue
        keys = {key for key, _ in one.funding}
        if account.id not in keys and account.class_ not in keys:
            yield Problem(
                "earmark_unused", "releases.csv", filed.row(release), "project", release.project,
                {"account": account.id}, "warning",
            )  # fmt: skip


CHECKS = (check_levers, check_money)
