"""Which projects keep up with their annual plans, month by month, in simulated years.

Lists and audits count projects that are behind; amounts alone cannot be held against them.
"""

from __future__ import annotations

import datetime
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sim.engine.compiled import run_compiled
from sim.engine.reference import run_reference
from sim.jit import AVAILABLE
from sim.plan.portfolio import Portfolio, build_portfolio
from sim.plan.scenario import Scenario
from sim.runs.layout import annual_plans
from sim.sampling.draws import draw
from sim.sampling.sampler import build_sampler

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class ProjectYears:
    """What projects did in simulated years, in the months of the plan year after the status date.

    Attributes
    ----------
    portfolio : Portfolio
        The plan.
    months : tuple of int
        Months of the year, 1 to 12.
    ends : ndarray of int64, shape (M,)
        Days of their ends.
    start, delivered : ndarray of int64, shape (N, P)
        Days; `rules.NEVER` beyond the horizon.
    work_done, reported : ndarray of int64, shape (N, P, M)
        Yuan since the beginning of the year.
    """

    portfolio: Portfolio
    months: tuple[int, ...]
    ends: Ints
    start: Ints
    delivered: Ints
    work_done: Ints
    reported: Ints

    def at(self, month: int) -> int:
        """Return the position of a month."""
        return self.months.index(month)


def project_years(scenario: Scenario, replications: int) -> ProjectYears:
    """Simulate years and keep what each project did in them.

    Parameters
    ----------
    scenario : Scenario
        Its seed and sampling hold.
    replications : int
        How many, from number 0 on.
    """
    portfolio = build_portfolio(scenario.plan)
    sampler = build_sampler(portfolio, scenario.options.seed, scenario.options.sampling)
    run = run_compiled if AVAILABLE else run_reference
    count = portfolio.filed_value.shape[1]
    months = slice(portfolio.year_end_month - count + 1, portfolio.year_end_month + 1)
    found = [run(sampler.frame, one) for one in draw(sampler, range(replications))]
    before = portfolio.before_year[:, None]
    return ProjectYears(
        portfolio=portfolio,
        months=tuple(range(12 - count + 1, 13)),
        ends=portfolio.month_ends[months],
        start=np.stack([one.start for one in found]),
        delivered=np.stack([one.delivered for one in found]),
        work_done=np.stack([one.value[:, months] - before for one in found]),
        reported=np.stack([one.reported[:, months] - before for one in found]),
    )


def is_active(years: ProjectYears, month: int) -> Bools:
    """Return who is active at a month-end, shape (N, P).

    In the target, with an annual plan, not finished before the status date; begun, or planned to
    have begun. What was delivered in the year stays: its annual plan was part of the list.
    """
    portfolio, end = years.portfolio, years.ends[years.at(month)]
    listed = portfolio.in_target & ~portfolio.finished & (annual_plans(portfolio) > 0)
    return np.asarray(listed & ((years.start <= end) | (portfolio.planned_start <= end)))


def proportional_plan(portfolio: Portfolio, end: int) -> Floats:
    """Return the part of each annual plan that is due by a day if it runs evenly, shape (P,).

    Evenly from the planned start (or 1 January) to the planned finish (or 31 December).

    Parameters
    ----------
    portfolio : Portfolio
        The plan.
    end : int
        Day.
    """
    first = (datetime.date(portfolio.plan.plan_year, 1, 1) - portfolio.origin).days
    begin = np.maximum(portfolio.planned_start, first)
    last = np.minimum(portfolio.planned_finish, portfolio.year_end_day)
    passed = np.clip(end - begin + 1, 0, None) / np.maximum(last - begin + 1, 1)
    return np.asarray(annual_plans(portfolio) * np.minimum(passed, 1.0), dtype=np.float64)


def filed_curve(portfolio: Portfolio, position: int) -> Floats:
    """Return the year's work due by a month-end as the plan was filed, seasons and all, shape (P,).

    Parameters
    ----------
    portfolio : Portfolio
        The plan.
    position : int
        Which month-end of the plan year after the status date.
    """
    return np.asarray(portfolio.filed_value[:, position] - portfolio.before_year, np.float64)


def share_reaching(
    years: ProjectYears, month: int, due: Floats, part: float, measure: str = "work_done"
) -> Floats:
    """Return by replication the share of active projects that reach a part of what is due.

    Parameters
    ----------
    years : ProjectYears
        Simulated years.
    month : int
        1 to 12.
    due : ndarray of float64, shape (P,)
        Yuan due by the month-end.
    part : float
        The part that is asked for. Where nothing is due, all reach it.
    measure : {"work_done", "reported"}
        What is held against it.

    Returns
    -------
    ndarray of float64, shape (N,)
        Projects count alike. NaN where none is active.
    """
    done = getattr(years, measure)[:, :, years.at(month)]
    active = is_active(years, month)
    reached = done >= part * due
    with np.errstate(invalid="ignore"):
        return np.asarray((reached & active).sum(axis=1) / active.sum(axis=1), dtype=np.float64)
