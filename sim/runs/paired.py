"""What a change does to the year's end on the same luck: differences replication by replication."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sim.plan.configuration import usual_engine
from sim.plan.portfolio import build_portfolio
from sim.plan.scenario import Scenario
from sim.runs.layout import stage_plans
from sim.runs.outcomes import MEASURES, Outcomes
from sim.runs.parts import STAGES
from sim.runs.statistics import mean_error, moments
from sim.runs.workers import outcomes_of
from sim.sampling.sampler import build_sampler

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

_PIECE = 64
"""Replications whose outcomes are in memory together."""


@dataclass(frozen=True, slots=True)
class Years:
    """Sums of many simulated years, a replication a row, in order of number.

    Attributes
    ----------
    year_end : dict of str to ndarray of int64, shape (N,)
        Yuan of the plan year by measure, over projects in the target.
    months : ndarray of int64, shape (N, M)
        Reported at month-ends of the year, the same projects.
    stages : dict of str to ndarray of int64, shape (N, M)
        The same by stage, where it has an annual plan.
    plans : dict of str to int
        Annual plans by stage; under `all` of all projects in the target.
    """

    year_end: dict[str, Ints]
    months: Ints
    stages: dict[str, Ints]
    plans: dict[str, int]


@dataclass(frozen=True, slots=True)
class Estimate:
    """A number and its standard error, both from blocks of replications.

    Attributes
    ----------
    value, error : float
        In the unit of the sample; NaN where one replication alone tells of no error.
    """

    value: float
    error: float


def simulate_years(scenario: Scenario, replications: int, workers: int = 1) -> Years:
    """Simulate a scenario and keep its plan year.

    Parameters
    ----------
    scenario : Scenario
        Its seed and sampling hold.
    replications : int
        How many, from number 0 on.
    workers : int
        Threads; the result is the same for any number.
    """
    portfolio = build_portfolio(scenario.plan)
    sampler = build_sampler(portfolio, scenario.options.seed, scenario.options.sampling)
    pieces = [
        range(at, min(at + _PIECE, replications)) for at in range(0, replications, _PIECE)
    ]  # fmt: skip
    sums = [_sums(one) for one in outcomes_of(sampler, pieces, usual_engine(), workers)]
    amounts, stages = (np.concatenate(parts) for parts in zip(*sums, strict=True))
    last = portfolio.year_end_month
    year = slice(last - portfolio.filed_value.shape[1] + 1, last + 1)
    plans = stage_plans(portfolio)
    return Years(
        year_end={name: amounts[:, k, last] for k, name in enumerate(MEASURES)},
        months=amounts[:, MEASURES.index("reported"), year],
        stages={name: stages[:, k, year] for k, name in enumerate(STAGES) if name in plans},
        plans=plans,
    )


def _sums(outcomes: Outcomes) -> tuple[Ints, Ints]:
    return outcomes.months.copy(), outcomes.part_months.copy()


def difference(after: Years, before: Years, measure: str) -> Estimate:
    """Return the mean of paired differences at year-end, in yuan."""
    gaps = after.year_end[measure] - before.year_end[measure]
    error = mean_error(gaps)
    return Estimate(float(gaps.mean()), math.nan if error is None else error)


def spread(years: Years, measure: str) -> Estimate:
    """Return the standard deviation at year-end, in yuan.

    Its error is that of the variance (mean of squared deviations) over twice the deviation.
    """
    sample = years.year_end[measure]
    mean, sd = moments(sample)
    if math.isnan(sd):
        return Estimate(math.nan, math.nan)
    error = mean_error(np.asarray((sample - mean) ** 2, dtype=np.float64))
    return Estimate(sd, 0.0 if sd == 0 else (error or 0.0) / (2 * sd))
