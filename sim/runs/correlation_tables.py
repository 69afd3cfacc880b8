"""How much projects move together: in a run, as assumed, and for a common correlation."""

from __future__ import annotations

from collections.abc import Iterator

from sim.plan.portfolio import Portfolio
from sim.runs.columns import Row, error
from sim.runs.diversification import (
    Diversification,
    common_correlation,
    diversification,
    effective_by_size,
    jackknife_error,
    variances,
)
from sim.runs.estimates import block_sums
from sim.runs.layout import SPREAD_MEASURES, annual_plans
from sim.runs.simulate import Run
from sim.runs.squares import joined_parts
from sim.sampling.assumed import assumed_correlations
from sim.sampling.sampler import Sampler

COMMON = (0.0, 0.01, 0.02, 0.05, 0.1, 0.2)
"""Common correlations whose effect is shown."""


def correlation_rows(run: Run) -> Iterator[Row]:
    """Yield a row a group of projects of the target and measure, all of them first."""
    portfolio, tally, layout = run.portfolio, run.tally, run.tally.layout
    weights = dict.fromkeys(SPREAD_MEASURES, annual_plans(portfolio))
    weights["final_cost"] = portfolio.total
    sums, squares = block_sums(tally, "totals"), joined_parts(block_sums(tally, "totals_squares"))
    totals = variances(sums, squares, tally.sizes)
    single = {
        measure: variances(
            block_sums(tally, measure),
            joined_parts(block_sums(tally, f"{measure}_squares")),
            tally.sizes,
        )
        for measure in SPREAD_MEASURES
    }
    groups = [("all", "", portfolio.in_target, len(layout.groups))]
    groups += [(*group, g) for g, group in enumerate(layout.groups) if group.members.any()]
    for dimension, name, members, place in groups:
        for position, measure in enumerate(SPREAD_MEASURES):
            found = diversification(single[measure][members], totals[position, place])
            row: Row = {
                "dimension": dimension,
                "group": name,
                "measure": measure,
                "projects": int(members.sum()),
            }
            for column in Diversification._fields:
                values = getattr(found, column)
                row[column] = error(float(values[0]))
                row[f"{column}_se"] = error(float(jackknife_error(values, tally.sizes)))
            yield row | {"effective_by_size": error(effective_by_size(weights[measure][members]))}


def assumed_rows(sampler: Sampler) -> Iterator[Row]:
    """Yield a row a variable and relation of pairs: the correlations that draws are made with."""
    for one in assumed_correlations(sampler):
        yield {
            "variable": one.variable,
            "relation": one.relation,
            "pairs": one.pairs,
            "mean_score_correlation": error(one.scores),
            "lowest_score_correlation": error(one.lowest),
            "highest_score_correlation": error(one.highest),
            "mean_linear_correlation": error(one.linear),
        }


def common_rows(portfolio: Portfolio) -> Iterator[Row]:
    """Yield what common correlations would do, were spread in proportion to the annual plans."""
    weights = annual_plans(portfolio)[portfolio.in_target]
    if not weights.any():
        return
    for correlation in COMMON:
        effective, spread = common_correlation(weights, correlation)
        yield {
            "correlation": correlation,
            "effective_projects": effective,
            "sd_over_independent": spread,
        }
