"""Payment terms and policy as engines read them: integers, positions of months and runs."""

from __future__ import annotations

import datetime

import numpy as np

from sim.plan.curves import PPM
from sim.plan.portfolio import Portfolio
from sim.sampling.realization import Ints, Policy, Terms

GROWTH_LIMIT = PPM // 10
"""Growth of the approved total that counts before its adjustment: the 10 % above which an audit
comes first."""
ACCELERATING_MONTHS = (8, 9, 10, 11)
"""At these month-ends owners look at what is missing and set the pace of the next month."""


def build_terms(portfolio: Portfolio) -> Terms:
    """Lay the types' payment terms out by project and run."""
    kinds = [portfolio.type_of(i) for i in range(portfolio.size)]
    ends, pay_days = portfolio.month_ends, portfolio.pay_days

    def ppm(column: str) -> Ints:
        return np.array([round(getattr(one, column) * PPM) for one in kinds], dtype=np.int64)

    def runs_after(days: Ints) -> Ints:
        """Return the first run at least so many days after each month-end, by project."""
        found = np.searchsorted(pay_days, ends[None, :] + days[:, None], side="left")
        return found.astype(np.int64)

    lag = np.array([one.pay_lag_days for one in kinds], dtype=np.int64)
    kept_for = np.array([one.retention_days for one in kinds], dtype=np.int64)
    return Terms(
        pay_days=pay_days,
        pay_ratio=ppm("pay_ratio"),
        retention=ppm("retention"),
        due_run=runs_after(lag),
        advance_run=np.searchsorted(pay_days, ends, side="left").astype(np.int64),
        retention_run=runs_after(kept_for),
        recovery_from=np.array([round(one.advance_recovery[0] * PPM) for one in kinds]),
        recovery_to=np.array([round(one.advance_recovery[1] * PPM) for one in kinds]),
        tolerance=ppm("arrears_tolerance"),
        slow_rate=ppm("slow_rate"),
        fast_rate=ppm("acceleration"),
        opening=portfolio.opening_claims,
    )


def build_policy(portfolio: Portfolio) -> Policy:
    """Lay out what levers and the plan decide for all projects."""
    plan = portfolio.plan
    levers, on = plan.levers, plan.states["all"] != "off"
    somebody_can = any(portfolio.type_of(i).acceleration > 1 for i in range(portfolio.size))
    accelerates = np.zeros(len(portfolio.month_ends), dtype=np.bool_)
    for month, day in enumerate(portfolio.month_ends.tolist()):
        date = portfolio.origin + datetime.timedelta(days=day)
        accelerates[month] = (
            on
            and somebody_can
            and levers.acceleration == "on"
            and date.year == plan.plan_year
            and date.month in ACCELERATING_MONTHS
        )
    revision = levers.revision_date
    wait = levers.bond_reallocation_days
    return Policy(
        money_limited=bool(plan.accounts) and plan.states["money"] != "off",
        starts_block=levers.start_rule == "block",
        accelerates=accelerates,
        premium=round(plan.acceleration_premium * PPM),
        growth_limit=GROWTH_LIMIT,
        adjustment_days=plan.adjustment_days if on else 0,
        adjustment_days_above=plan.adjustment_days_above if on else 0,
        revision_day=-1 if revision is None else (revision - portfolio.origin).days,
        reallocation_days=-1 if wait is None else wait,
    )
