"""The frame: what engines get beside each realization, the same in every replication."""

from __future__ import annotations

import datetime
from collections.abc import Sequence

import numpy as np

from sim.plan.approvals import GateChain
from sim.plan.portfolio import Portfolio
from sim.sampling.realization import Frame, Ints


def cumulative(milli_days: Ints) -> Ints:
    """Return milli-days before each day, of shape (C, days + 1), from those of each day."""
    zeros = np.zeros((milli_days.shape[0], 1), dtype=np.int64)
    return np.concatenate([zeros, np.cumsum(milli_days, axis=1, dtype=np.int64)], axis=1)


def count_workdays(portfolio: Portfolio) -> Ints:
    """Count working days before each day, by the official calendar known at the status date.

    Make-up days are known up to the plan year; later years follow weekdays and statutory
    holidays only.
    """
    import holidays

    last = portfolio.origin + datetime.timedelta(days=portfolio.days - 1)
    years = range(portfolio.origin.year, last.year + 1)
    china = holidays.country_holidays("CN", years=years, language="en_US")
    flags = np.zeros(portfolio.days, dtype=np.int64)
    for day in range(portfolio.days):
        date = portfolio.origin + datetime.timedelta(days=day)
        if date.year <= portfolio.plan.plan_year:
            flags[day] = china.is_working_day(date)
        else:
            # Days moved to make long holidays are announced in the year before: not known yet.
            statutory = date in china and "substituted" not in china[date]
            flags[day] = date.weekday() < 5 and not statutory
    return np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(flags)])


def build_frame(portfolio: Portfolio, chains: Sequence[tuple[int, GateChain]]) -> Frame:
    """Lay out what an engine needs to know of the portfolio, integers only."""
    counts = np.zeros(portfolio.size, dtype=np.int64)
    begin = np.zeros(portfolio.size, dtype=np.int64)
    prework = np.zeros(portfolio.size, dtype=np.int64)
    after: list[tuple[int, ...]] = []
    weights: list[int] = []
    for i, chain in chains:
        counts[i], begin[i] = len(chain.gates), chain.begin
        if portfolio.baseline_start[i] > portfolio.year_end_day:
            prework[i] = chain.planned_by_year_end
        offset = len(weights)
        after.extend(tuple(offset + other for other in before) for before in chain.after)
        weights.extend(chain.planned_days)
    return Frame(
        days=portfolio.days,
        month_ends=portfolio.month_ends,
        year_end_month=portfolio.year_end_month,
        begun=portfolio.begun,
        finished=portfolio.finished,
        baseline_start=portfolio.baseline_start,
        planned_finish=portfolio.planned_finish,
        before_year=portfolio.before_year,
        done=portfolio.done,
        first_knots=portfolio.first_knots,
        second_knots=portfolio.second_knots,
        class_of=portfolio.class_of,
        predecessors=portfolio.predecessors,
        gate_first=np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(counts)]),
        gate_after=tuple(after),
        gate_begin=begin,
        gate_weight=np.array(weights, dtype=np.int64),
        prework_weight=prework,
        pay_ratio=portfolio.pay_ratio,
        pay_run=portfolio.pay_lag_months,
        opening_claims=portfolio.opening_claims,
    )
