"""Many plans at once: replications whose uncertain parameters are spread widely, to learn from.

What a published share says about a parameter shows where the parameter varies. Shared drivers
vary from replication to replication; what stands in the plan (residuals, exposures) varies from
one design to the next, each with replications of its own.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sim.plan.configuration import usual_engine
from sim.plan.evidence import KINDS, STARTS
from sim.plan.language import parse_distribution
from sim.plan.parameters import PARAMETERS, own_draw
from sim.plan.portfolio import Portfolio, build_portfolio
from sim.plan.quantiles import quantile
from sim.plan.rows import Exposure, ProjectType
from sim.plan.scenario import Scenario, load_scenario
from sim.runs.class_totals import compare_with, gaps, reference_classes, totals_of
from sim.runs.layout import ALL, annual_plans
from sim.runs.outcomes import MEASURES, Outcomes
from sim.runs.parts import STAGES, Parts, parts_of
from sim.runs.workers import outcomes_of
from sim.sampling import register
from sim.sampling.quasi import SCRAMBLES, quasi_points
from sim.sampling.sampler import build_sampler
from sim.sampling.streams import fill_uniforms, key_of

Floats = NDArray[np.float64]

MONTHS = 12
_GOVERNMENT = "government"
_PIECE = 64
"""Replications whose outcomes are in memory together."""


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
        annual plan. Under `starts`: projects started over those planned to start in the year. Under
        a kind of works: its share over that of all works, at the same mix of stages.
    gaps : ndarray of float64, shape (N, 7)
        How far durations, costs, starts and the spread of projects lie from what is known of
        them, in the order of `class_totals.GAPS`.
    """

    names: tuple[str, ...]
    values: Floats
    shares: dict[str, Floats]
    gaps: Floats


def run_ensemble(
    scenario: str | Path,
    designs: int,
    replications: int,
    seed: int,
    workers: int,
    on_progress: Callable[[int, int], None] | None = None,
) -> Ensemble:
    """Simulate a plan with its free parameters spread between their ends.

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
    blocks, classes = [], reference_classes(scenario)
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
        blocks.append(_simulated(scenario, classes, given, batch, seed, workers))
        if on_progress is not None:
            on_progress((number + 1) * replications, designs * replications)
    values = np.concatenate([found for found, _, _ in blocks])
    shares = {name: np.concatenate([one[name] for _, one, _ in blocks]) for name in blocks[0][1]}
    gaps_found = np.concatenate([one for _, _, one in blocks])
    return Ensemble(tuple(one.name for one in PARAMETERS), values, shares, gaps_found)


def prior_points(seed: int, count: int) -> Floats:
    """Return parameters as believed before any evidence, drawn at random, shape (count, K).

    Not from quasi-random points: who takes every so many-th of these takes a pattern.
    """
    addresses = register.addresses([(one.name, register.DESIGN, 1) for one in PARAMETERS])
    even = np.empty((count, len(PARAMETERS)))
    for number in range(count):
        fill_uniforms(key_of(seed), np.uint64(number), addresses, even[number])
    drawn = (
        quantile(parse_distribution(one.prior), even[:, k]) for k, one in enumerate(PARAMETERS)
    )
    return np.stack(list(drawn), axis=1)


def usual_drivers(values: Floats) -> Floats:
    """Return parameters with every driver at its median: a class holds for all years."""
    usual = values.copy()
    for k, one in enumerate(PARAMETERS):
        if one.kind == "driver":
            usual[:, k] = quantile(parse_distribution(one.prior), 0.5)
    return usual


def spread_scenario(scenario: str | Path, given: Mapping[str, float]) -> Scenario:
    """Read a scenario with the parameters of its plan set, and drivers spread between their ends.

    Parameters
    ----------
    scenario : str or Path
        A scenario file or a plan folder.
    given : mapping of str to float
        Values of the parameters that are no drivers.
    """
    changes = [
        f"uncertainties.{one.driver}.distribution=uniform({one.low}, {one.high})"
        for one in PARAMETERS
        if one.kind == "driver"
    ]
    changes += [
        f"uncertainties.{one.driver}.each={own_draw(given[one.name])}"
        for one in PARAMETERS
        if one.kind == "each"
    ]
    changes += [
        f"{path}={given[one.name]!r}"
        for one in PARAMETERS
        if one.kind == "design"
        for path in one.paths
    ]
    loaded = load_scenario(scenario, changes)
    exposed = {one.driver: given[one.name] for one in PARAMETERS if one.kind == "exposure"}
    drivers = tuple(
        dataclasses.replace(
            one,
            exposure=Exposure("investor", 1.0, {_GOVERNMENT: exposed[one.name]}),
        )
        if one.name in exposed
        else one
        for one in loaded.plan.drivers
    )
    # What was found before is forgotten: parameters are spread apart.
    apart = dataclasses.replace(loaded.plan.dependence, drivers=())
    plan = dataclasses.replace(loaded.plan, drivers=drivers, dependence=apart)
    return dataclasses.replace(loaded, plan=plan)


def _simulated(
    scenario: str | Path,
    classes: Mapping[str, ProjectType],
    given: Mapping[str, float],
    batch: range,
    seed: int,
    workers: int,
) -> tuple[Floats, dict[str, Floats], Floats]:
    """Simulate one design; return the values of all parameters, shares, and gaps to classes."""
    portfolio = build_portfolio(spread_scenario(scenario, given).plan)
    sampler, compared = build_sampler(portfolio, seed, "quasi"), compare_with(portfolio, classes)
    cut = _cut(portfolio)
    pieces = [batch[at : at + _PIECE] for at in range(0, len(batch), _PIECE)]
    values, shares, found = [], [], []
    for outcomes in outcomes_of(sampler, pieces, usual_engine(), workers, cut.parts):
        columns = [
            outcomes.drivers[one.driver] if one.kind == "driver"
            else np.full(len(outcomes.replications), given[one.name])
            for one in PARAMETERS
        ]  # fmt: skip
        values.append(np.stack(columns, axis=1))
        shares.append(_shares(portfolio, cut, outcomes))
        found.append(gaps(compared, totals_of(compared, outcomes)))
    joined = {name: np.concatenate([one[name] for one in shares]) for name in shares[0]}
    return np.concatenate(values), joined, np.concatenate(found)


@dataclass(frozen=True, slots=True)
class _Cut:
    """A plan cut into stages, and these by which kinds of works a project stands for.

    Attributes
    ----------
    kinds : tuple of tuple of str
        Sets of kinds that occur.
    plans : ndarray of int64, shape (L, S)
        Annual plans in the target, by set of kinds and stage.
    parts : Parts
        The same as parts, one after the other.
    """

    kinds: tuple[tuple[str, ...], ...]
    plans: NDArray[np.int64]
    parts: Parts


def _cut(portfolio: Portfolio) -> _Cut:
    kinds = [
        tuple(kind for kind, types in KINDS.items() if one.type in types)
        for one in portfolio.plan.projects
    ]
    sets = tuple(sorted(set(kinds)))
    names = [f"{kind} {stage}" for kind in sets for stage in STAGES]
    parts = parts_of(
        names,
        [f"{kind} {one.stage}" for kind, one in zip(kinds, portfolio.plan.projects, strict=True)],
    )
    plans, target = annual_plans(portfolio), portfolio.in_target
    filed = [plans[target & (parts.of_project == part)].sum() for part in range(parts.count)]
    return _Cut(sets, np.array(filed, np.int64).reshape(len(sets), len(STAGES)), parts)


def _shares(portfolio: Portfolio, cut: _Cut, outcomes: Outcomes) -> dict[str, Floats]:
    """Return shares of annual plans by scope and month, and shares of planned starts."""
    months = slice(portfolio.year_end_month - MONTHS + 1, portfolio.year_end_month + 1)
    count = len(outcomes.replications)
    reported = outcomes.part_months[:, :, months].reshape(count, *cut.plans.shape, MONTHS)
    whole = outcomes.months[:, MEASURES.index("reported"), months]
    found = {ALL: whole / cut.plans.sum()}
    plans, stages = cut.plans.sum(axis=0), reported.sum(axis=1)
    for position, stage in enumerate(STAGES):
        if plans[position]:
            found[stage] = stages[:, position] / plans[position]
    for kind in KINDS:
        own = np.array([kind in names for names in cut.kinds])
        filed = cut.plans[own].sum(axis=0)
        has = filed > 0
        if has.any():
            mix = plans[has, None] / plans[has].sum()
            share = reported[:, own].sum(axis=1)[:, has] / filed[has, None]
            everything = stages[:, has].sum(axis=1) / plans[has].sum()
            found[kind] = _over((share * mix).sum(axis=1), everything)
    planned = (
        portfolio.in_target & ~portfolio.begun & ~portfolio.finished
        & (portfolio.planned_start <= portfolio.year_end_day)
    )  # fmt: skip
    ends = portfolio.month_ends[months]
    started = outcomes.start[:, planned, None] <= ends
    found[STARTS] = started.sum(axis=1) / max(int(planned.sum()), 1)
    return found


def _over(above: Floats, below: Floats) -> Floats:
    """Return a ratio; nought, which has no logarithm, where nothing is below it."""
    return np.divide(above, below, out=np.zeros_like(above), where=below > 0)
