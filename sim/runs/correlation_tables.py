"""How much the projects of a run moved together, from its tally."""

from __future__ import annotations

from collections.abc import Iterator

from sim.runs.columns import Row, error
from sim.runs.diversification import (
    Diversification,
    diversification,
    effective_by_size,
    jackknife_error,
    variances,
)
from sim.runs.estimates import block_sums
from sim.runs.layout import SPREAD_MEASURES, annual_plans
from sim.runs.simulate import Run
from sim.runs.squares import joined_parts


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
