"""Many plans at once: replications whose uncertain parameters are spread widely, to learn from.

What a published share says about a parameter shows where the parameter varies. Shared drivers
vary from replication to replication; what stands in the plan (residuals, exposures) varies from
one design to the next, each with replications of its own.
"""

from __future__ import annotations

import dataclasses
import datetime
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sim.plan.configuration import usual_engine
from sim.plan.evidence import STARTS
from sim.plan.portfolio import Portfolio, build_portfolio
from sim.plan.rows import Exposure
from sim.plan.scenario import Scenario, load_scenario
from sim.runs.layout import ALL, stage_plans
from sim.runs.outcomes import MEASURES, STAGES, Outcomes
from sim.runs.workers import outcomes_of
from sim.sampling import register
from sim.sampling.quasi import SCRAMBLES, quasi_points
from sim.sampling.sampler import build_sampler

Floats = NDArray[np.float64]

MONTHS = 12
_GOVERNMENT = "government"
_PIECE = 64
"""Replications whose outcomes are in memory together."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """Something unknown that the evidence may speak of.

    Attributes
    ----------
    name, title, title_en : str
        Its name, and what people read.
    low, high : float
        Ends of its prior, which is uniform.
    kind : str
        `driver`: what the driver of that path draws for the whole city, in each replication anew.
        `exposure`: how strongly government projects are exposed to that driver.
        `design`: the value at that path of a scenario.
    path : str
        Where it stands.
    """

    name: str
    title: str
    title_en: str
    low: float
    high: float
    kind: str
    path: str


PARAMETERS = (
    Parameter("understatement", "企业计划留有余地", "understatement of enterprises",
              0.0, 0.35, "driver", "understatement"),
    Parameter("understatement_government", "政府项目余地与企业之比",
              "understatement of government over that of enterprises",
              0.0, 1.0, "exposure", "understatement"),
    Parameter("overstatement", "填报高于形象进度", "overstatement", 0.0, 0.30,
              "driver", "overstatement"),
    Parameter("productivity", "全市工期系数", "durations of all sites", 0.85, 1.20,
              "driver", "productivity"),
    Parameter("slip", "开工推迟余因", "what is left of slips", 0.18, 0.96,
              "design", "deflation.gates.slip"),
    Parameter("duration", "工期余因", "what risks leave of the excess of durations", 0.24, 1.0,
              "design", "deflation.risks.duration_excess"),
    Parameter("cost", "投资余因", "what risks leave of the excess of costs", 0.24, 1.0,
              "design", "deflation.risks.cost_excess"),
)  # fmt: skip
"""The free parameters, few and stated; priors as wide as practice and audits leave possible."""


@dataclass(frozen=True, slots=True)
class Ensemble:
    """What replications with widely spread parameters came to.

    Attributes
    ----------
    names : tuple of str
        Names of the parameters.
    values : ndarray of float64, shape (N, K)
        Their values, by replication.
    shares : dict of str to ndarray of float64, shape (N, 12)
        By scope (`all`, a stage): reported investment of the year up to each month-end over the
        annual plan. Under `starts`: projects started over those planned to start in the year.
    """

    names: tuple[str, ...]
    values: Floats
    shares: dict[str, Floats]


def run_ensemble(
    scenario: str | Path,
    designs: int,
    replications: int,
    seed: int,
    workers: int,
    on_progress: Callable[[int, int], None] | None = None,
) -> Ensemble:
    """Simulate a plan with its free parameters spread over their priors.

    Parameters
    ----------
    scenario : str or Path
        A scenario file or a plan folder.
    designs : int
        How many values parameters of the plan take; they are spread evenly.
    replications : int
        Replications of each design.
    seed : int
        Root seed.
    workers : int
        Threads; the outcome does not depend on them.
    on_progress : callable, optional
        Called with the replications done and asked for.

    Returns
    -------
    Ensemble
        In the order of designs, and of replications within them.

    Raises
    ------
    InputError
        If the plan is wrong, or has no driver that a parameter stands for.
    """
    labels = [(one.name, register.DESIGN, 0) for one in PARAMETERS if one.kind != "driver"]
    # Of one scramble: its points are spread evenly.
    points = quasi_points(labels, seed, range(0, designs * SCRAMBLES, SCRAMBLES))
    blocks = []
    if on_progress is not None:
        on_progress(0, designs * replications)
    for number, point in enumerate(points):
        given = {
            name: one.low + (one.high - one.low) * float(at)
            for (name, _, _), at in zip(labels, point, strict=True)
            for one in PARAMETERS
            if one.name == name
        }
        batch = range(number * replications, (number + 1) * replications)
        blocks.append(_simulated(scenario, given, batch, seed, workers))
        if on_progress is not None:
            on_progress((number + 1) * replications, designs * replications)
    values = np.concatenate([found for found, _ in blocks])
    shares = {name: np.concatenate([one[name] for _, one in blocks]) for name in blocks[0][1]}
    return Ensemble(tuple(one.name for one in PARAMETERS), values, shares)


def spread_scenario(scenario: str | Path, given: Mapping[str, float]) -> Scenario:
    """Read a scenario with the parameters of its plan set, and drivers spread over their priors.

    Parameters
    ----------
    scenario : str or Path
        A scenario file or a plan folder.
    given : mapping of str to float
        Values of the parameters that are no drivers.
    """
    changes = [
        f"uncertainties.{one.path}.distribution=uniform({one.low}, {one.high})"
        for one in PARAMETERS
        if one.kind == "driver"
    ]
    changes += [f"{one.path}={given[one.name]!r}" for one in PARAMETERS if one.kind == "design"]
    loaded = load_scenario(scenario, changes)
    exposed = {one.path: given[one.name] for one in PARAMETERS if one.kind == "exposure"}
    drivers = tuple(
        dataclasses.replace(
            one,
            exposure=Exposure("investor", 1.0, {_GOVERNMENT: exposed[one.name]}),
        )
        if one.name in exposed
        else one
        for one in loaded.plan.drivers
    )
    # What lies beyond the year has no part in its shares; priors are independent.
    horizon = datetime.date(loaded.plan.plan_year, 12, 31)
    apart = dataclasses.replace(loaded.plan.dependence, drivers=())
    plan = dataclasses.replace(loaded.plan, drivers=drivers, horizon=horizon, dependence=apart)
    return dataclasses.replace(loaded, plan=plan)


def _simulated(
    scenario: str | Path, given: Mapping[str, float], batch: range, seed: int, workers: int
) -> tuple[Floats, dict[str, Floats]]:
    """Simulate one design; return the values of all parameters, and shares."""
    portfolio = build_portfolio(spread_scenario(scenario, given).plan)
    sampler = build_sampler(portfolio, seed, "quasi")
    pieces = [batch[at : at + _PIECE] for at in range(0, len(batch), _PIECE)]
    values, shares = [], []
    for outcomes in outcomes_of(sampler, pieces, usual_engine(), workers):
        columns = [
            outcomes.drivers[one.path] if one.kind == "driver"
            else np.full(len(outcomes.replications), given[one.name])
            for one in PARAMETERS
        ]  # fmt: skip
        values.append(np.stack(columns, axis=1))
        shares.append(_shares(portfolio, outcomes))
    joined = {name: np.concatenate([one[name] for one in shares]) for name in shares[0]}
    return np.concatenate(values), joined


def _shares(portfolio: Portfolio, outcomes: Outcomes) -> dict[str, Floats]:
    """Return shares of annual plans by scope and month, and shares of planned starts."""
    months = slice(portfolio.year_end_month - MONTHS + 1, portfolio.year_end_month + 1)
    amounts = {ALL: outcomes.months[:, MEASURES.index("reported"), months]} | {
        stage: outcomes.stage_months[:, position, months] for position, stage in enumerate(STAGES)
    }
    found = {name: amounts[name] / filed for name, filed in stage_plans(portfolio).items()}
    planned = (
        portfolio.in_target & ~portfolio.begun & ~portfolio.finished
        & (portfolio.planned_start <= portfolio.year_end_day)
    )  # fmt: skip
    ends = portfolio.month_ends[months]
    started = outcomes.start[:, planned, None] <= ends
    found[STARTS] = started.sum(axis=1) / max(int(planned.sum()), 1)
    return found
