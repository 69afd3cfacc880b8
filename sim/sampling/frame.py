"""The frame: what engines get beside each realization, the same in every replication."""

from __future__ import annotations

import datetime
import math
from collections.abc import Sequence
from fractions import Fraction

import numpy as np

from sim.kept import kept
from sim.plan.approvals import GateChain
from sim.plan.portfolio import Portfolio
from sim.plan.rows import Window
from sim.sampling.realization import Accounts, Frame, Ints
from sim.sampling.terms import build_policy, build_terms


def cumulative(milli_days: Ints) -> Ints:
    """Return milli-days before each day, of shape (..., days + 1), from those of each day."""
    zeros = np.zeros((*milli_days.shape[:-1], 1), dtype=np.int64)
    return np.concatenate([zeros, np.cumsum(milli_days, axis=-1, dtype=np.int64)], axis=-1)


def count_workdays(portfolio: Portfolio) -> Ints:
    """Count working days before each day, by the official calendar known at the status date.

    Make-up days are known up to the plan year; later years follow weekdays and statutory
    holidays only.
    """
    last = portfolio.origin + datetime.timedelta(days=portfolio.days - 1)
    plan_year = portfolio.plan.plan_year
    name = f"workdays-{portfolio.origin}-{last}-{plan_year}"
    flags = kept(name, "holidays", lambda: _working(portfolio.origin, portfolio.days, plan_year))
    return np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(flags)])


def _working(origin: datetime.date, days: int, plan_year: int) -> Ints:
    """Return 1 for each working day, 0 for every other."""
    import holidays

    last = origin + datetime.timedelta(days=days - 1)
    years = range(origin.year, last.year + 1)
    china = holidays.country_holidays("CN", years=years, language="en_US")
    flags = np.zeros(days, dtype=np.int64)
    for day in range(days):
        date = origin + datetime.timedelta(days=day)
        if date.year <= plan_year:
            flags[day] = china.is_working_day(date)
        else:
            # Days moved to make long holidays are announced in the year before: not known yet.
            statutory = date in china and "substituted" not in china[date]
            flags[day] = date.weekday() < 5 and not statutory
    return flags


def build_frame(
    portfolio: Portfolio, chains: Sequence[tuple[int, GateChain]], accounts: Accounts
) -> Frame:
    """Lay out what an engine needs to know of the portfolio, integers only."""
    counts = np.zeros(portfolio.size, dtype=np.int64)
    begin = np.zeros(portfolio.size, dtype=np.int64)
    prework = np.zeros(portfolio.size, dtype=np.int64)
    after: list[tuple[int, ...]] = []
    weights: list[int] = []
    windows: list[int] = []
    plan = portfolio.plan
    binding = plan.windows if plan.states["gates"] != "off" else ()
    position = {one.window: k for k, one in enumerate(binding)}
    for i, chain in chains:
        counts[i], begin[i] = len(chain.gates), chain.begin
        if portfolio.baseline_start[i] > portfolio.year_end_day:
            prework[i] = chain.planned_by_year_end
        offset = len(weights)
        after.extend(tuple(offset + other for other in before) for before in chain.after)
        weights.extend(chain.planned_days)
        procedure = plan.projects[i].procedure
        windows.extend(position.get(plan.gates[procedure, gate].window, -1) for gate in chain.gates)
    reserve = np.array([one.stage == "reserve" for one in plan.projects], dtype=np.bool_)
    government = np.array([one.investor == "government" for one in plan.projects], dtype=np.bool_)
    policy = build_policy(portfolio)
    planned = portfolio.availability[:, -portfolio.first_day :][:, : portfolio.days]
    return Frame(
        days=portfolio.days,
        month_ends=portfolio.month_ends,
        year_end_month=portfolio.year_end_month,
        begun=portfolio.begun,
        finished=portfolio.finished,
        abandoned=portfolio.dropped & ~portfolio.finished,
        in_target=portfolio.in_target,
        reserve=reserve & ~portfolio.dropped & ~portfolio.postponed,
        joined=portfolio.pulled & reserve,
        left=portfolio.in_target & (portfolio.dropped | portfolio.postponed),
        cash_gated=government & policy.money_limited,
        baseline_start=portfolio.decided_start,
        planned_start=portfolio.baseline_start,
        planned_finish=portfolio.planned_finish,
        before_year=portfolio.before_year,
        done=portfolio.done,
        approved=portfolio.total,
        annual_plan=np.array([one.annual_plan for one in plan.projects], dtype=np.int64),
        first_knots=portfolio.first_knots,
        second_knots=portfolio.second_knots,
        filed_value=portfolio.filed_value,
        planned_work=portfolio.work_left,
        planned_losses=portfolio.planned_losses,
        planned_calendar=cumulative(planned),
        class_of=portfolio.class_of,
        predecessors=portfolio.predecessors,
        gate_first=np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(counts)]),
        gate_after=tuple(after),
        gate_begin=np.where(portfolio.pulled, 0, begin),
        gate_weight=np.array(weights, dtype=np.int64),
        prework_weight=np.where(portfolio.dropped, 0, prework),
        gate_window=np.array(windows, dtype=np.int64),
        window_places=np.array([places_for_plan(one) for one in binding], dtype=np.int64),
        terms=build_terms(portfolio),
        accounts=accounts,
        policy=policy,
    )


def places_for_plan(window: Window) -> int:
    """Return the places that a window has for the plan's files; -1 where it never binds."""
    if window.places is None:
        return -1
    left = math.floor(window.places * (1 - Fraction(str(window.outside_load))))
    return max(left, 1) if window.places > 0 and window.outside_load < 1 else 0
