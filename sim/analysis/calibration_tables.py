"""Rows of the files that a calibration writes."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sim.analysis.calibration import (
    CLASS_SPREADS,
    Posterior,
    correlations,
    effective_size,
    marginals,
    remaining_gaps,
)
from sim.analysis.predictive import Coverage, Held, Predictive, beliefs, predictive
from sim.plan.parameters import PARAMETERS
from sim.runs.class_totals import GAPS, ClassRow
from sim.runs.ensemble import MONTHS
from sim.runs.layout import ALL

Row = dict[str, Any]

PERCENTS = (10, 50, 90)


def parameter_titles(language: str) -> Mapping[str, str]:
    """Return what people read for each parameter, in Chinese (`zh`) or English."""
    return {one.name: one.title if language == "zh" else one.title_en for one in PARAMETERS}


def parameter_rows(found: Posterior) -> Iterator[Row]:
    """Yield a row a parameter: what was believed before and after."""
    for one in marginals(found):
        yield {
            "parameter": one.name,
            "prior_mean": round(one.prior_mean, 4),
            "prior_sd": round(one.prior_sd, 4),
            "class_mean": round(one.class_mean, 4),
            "class_sd": round(one.class_sd, 4),
            "mean": round(one.mean, 4),
            "sd": round(one.sd, 4),
            "p5": round(one.p5, 4),
            "p50": round(one.p50, 4),
            "p95": round(one.p95, 4),
            "share_of_prior_variance_taken_away": round(one.told, 3),
        }


def correlation_rows(found: Posterior) -> Iterator[Row]:
    """Yield a row a parameter: its posterior correlation with each other."""
    names, matrix = correlations(found)
    for name, line in zip(names, matrix, strict=True):
        yield {"parameter": name} | {
            other: round(value, 3) for other, value in zip(names, line, strict=True)
        }


def gap_rows(found: Posterior) -> Iterator[Row]:
    """Yield a row a number of the classes: how far from it the posterior still lies."""
    for name, spread, (mean, sd) in zip(GAPS, CLASS_SPREADS, remaining_gaps(found), strict=True):
        yield {
            "quantity": name,
            "known_to": float(spread),
            "mean": round(mean, 4),
            "sd": round(sd, 4),
        }


def class_table(rows: Sequence[ClassRow]) -> Iterator[Row]:
    """Yield a row a type, quantity and statistic: the reference class and what is simulated."""
    for one in rows:
        yield {
            "type": one.type,
            "quantity": one.quantity,
            "statistic": one.statistic,
            "projects": one.projects,
            "reference": round(one.reference, 4),
            "simulated": round(one.simulated, 4),
            "se": None if math.isnan(one.error) else round(one.error, 4),
        }


def held_rows(held: Sequence[Held]) -> Iterator[Row]:
    """Yield a row a published share."""
    for one in held:
        yield {
            "place": one.place,
            "year": one.year,
            "scope": one.scope,
            "month": one.month,
            "kind": one.kind,
            "share": round(one.share, 4),
            "p10": round(one.p10, 4),
            "p50": round(one.p50, 4),
            "p90": round(one.p90, 4),
            "probability_of_less": round(one.standing, 4),
            "inside": "yes" if one.inside else "no",
        }


def month_bands(found: Posterior) -> list[tuple[int, Predictive, Predictive]]:
    """Return by month what a place that publishes, and what any place, comes to."""
    emulated, believed = set(found.emulator.cells), beliefs(found.weights)
    return [
        (
            month,
            predictive(found, (ALL, month), believed),
            predictive(found, (ALL, month), believed, biased=False),
        )
        for month in range(1, MONTHS + 1)
        if (ALL, month) in emulated
    ]


def month_rows(bands: Sequence[tuple[int, Predictive, Predictive]]) -> Iterator[Row]:
    """Yield a row a month: percentiles with and without publication bias."""
    for month, published, plain in bands:
        row: Row = {"month": month}
        for name, band in (("published", published), ("any_place", plain)):
            for percent in PERCENTS:
                row[f"{name}_p{percent}"] = round(band.percentile(percent / 100), 4)
        yield row


def told_apart(found: Posterior, least: float = 0.35) -> list[tuple[str, str, float]]:
    """Return pairs of parameters that the evidence cannot tell apart, closest first.

    Parameters
    ----------
    found : Posterior
        The posterior.
    least : float
        Absolute posterior correlation from which a pair is named: priors are independent.
    """
    names, matrix = correlations(found)
    pairs = [
        (names[i], names[j], float(matrix[i, j]))
        for i in range(len(names))
        for j in range(i)
        if abs(matrix[i, j]) >= least
    ]
    return sorted(pairs, key=lambda pair: -abs(pair[2]))


def about(found: Posterior, held: Sequence[Held], covered: Sequence[Coverage]) -> Mapping[str, Any]:
    """Return what calibration.json says beside the provenance."""
    return {
        "provinces": len(found.terms),
        "shares": len(held),
        "points": len(found.values),
        "effective_points": round(effective_size(found), 1),
        "parameters": {
            one.name: {
                "prior_mean": one.prior_mean, "prior_sd": one.prior_sd,
                "class_mean": one.class_mean, "class_sd": one.class_sd, "mean": one.mean,
                "sd": one.sd, "p5": one.p5, "p50": one.p50, "p95": one.p95,
            }
            for one in marginals(found)
        },
        "not_told_apart": [list(pair) for pair in told_apart(found)],
        "coverage_of_80_percent_bands": {
            one.scope: {
                "places": one.places, "shares": one.shares, "inside": one.inside,
                "low": one.low, "high": one.high,
            }
            for one in covered
        },
    }  # fmt: skip
