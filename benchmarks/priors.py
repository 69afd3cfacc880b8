"""What `calibrate` finds if evidence or priors were other, from one ensemble.

Usage: python benchmarks/priors.py [--designs D] [-n N]. The defaults are those of `calibrate` (two
minutes on two cores). For each variant: the posterior of understatement, of government's over that
of enterprises and of overstatement; and how well ratios of kinds of works that later lists
published are forecast: the sum of logarithms of their predictive densities (of the logarithm of the
ratio), which a variant may not learn from but where it says so.
"""

from __future__ import annotations

import argparse
import dataclasses
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich import box
from rich.console import Console
from rich.table import Table

from sim.analysis.calibration import (
    FIRST_MONTH,
    KIND_SPREADS,
    POINTS,
    Posterior,
    learn,
    marginals,
    posterior,
)
from sim.analysis.emulator import fit_emulator
from sim.analysis.predictive import KINDS_LATER, held_against
from sim.analysis.published import REFERENCE
from sim.plan.evidence import KINDS, PlaceYear, read_evidence
from sim.plan.parameters import PARAMETERS
from sim.runs.ensemble import prior_points, run_ensemble, usual_drivers

Floats = NDArray[np.float64]
Rows = Sequence[PlaceYear]

BASELINE = Path(__file__).parents[1] / "scenarios" / "luoyang-2021" / "baseline.toml"
SEED, LAST_YEAR, UNHEARD = 2021, 2020, 4_096
NAMES = tuple(one.name for one in PARAMETERS)
SHOWN = ("understatement", "understatement_government", "overstatement")
LUCK = 0.05
"""Deviation of a year's luck in a ratio, and of what is believed of its middle, together."""


def without_kinds(rows: Rows) -> list[PlaceYear]:
    """Return rows without shares of kinds of works."""
    found = []
    for row in rows:
        kept = [k for k, (scope, _) in enumerate(row.cells) if scope not in KINDS]
        cells = tuple(row.cells[k] for k in kept)
        found.append(dataclasses.replace(row, cells=cells, shares=row.shares[kept]))
    return found


def without_share(row: PlaceYear, place: str, scope: str) -> PlaceYear:
    """Return a row without a place's shares of one scope."""
    if row.place != place:
        return row
    kept = [k for k, cell in enumerate(row.cells) if cell[0] != scope]
    cells = tuple(row.cells[k] for k in kept)
    return dataclasses.replace(row, cells=cells, shares=row.shares[kept])


def at(points: Floats, name: str, values: Floats) -> Floats:
    """Return points with another prior of one parameter."""
    changed = points.copy()
    changed[:, NAMES.index(name)] = values
    return changed


def score(found: Posterior, rows: Rows, later: Rows) -> tuple[float, int]:
    """Return the sum of logarithmic scores of later ratios of kinds, and their number.

    Each is forecast without its province: those of Guangdong rest on other provinces alone.
    """
    held = [
        one
        for one in held_against(found, rows, later)
        if one.kind == KINDS_LATER and one.month >= FIRST_MONTH
    ]
    total = 0.0
    for one in held:
        # A mixture: its spreads about a middle that is known much better.
        middle, luck = np.log(one.p50), LUCK**2 + KIND_SPREADS**2
        densities = np.exp(-0.5 * (np.log(one.share) - middle) ** 2 / luck)
        total += np.log(np.mean(densities / np.sqrt(2 * np.pi * luck)))
    return total, len(held)


def main() -> None:
    """Simulate an ensemble and print what each variant finds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--designs", type=int, default=64)
    parser.add_argument("-n", "--replications", type=int, default=128)
    asked = parser.parse_args()
    workers = os.cpu_count() or 1
    ensemble = run_ensemble(BASELINE, asked.designs, asked.replications, SEED, workers)
    told = read_evidence(REFERENCE).rows
    rows = [row for row in told if row.year <= LAST_YEAR]
    later = [row for row in told if row.year > LAST_YEAR]
    points = prior_points(SEED, POINTS)
    government = points[:, NAMES.index("understatement_government")]
    positive = at(points, "understatement_government", (government + 1) / 2)
    even = (np.argsort(np.argsort(points, axis=0), axis=0) + 0.5) / len(points)
    flat = at(points, "overstatement", 0.30 * even[:, NAMES.index("overstatement")])
    flat = at(flat, "productivity", 0.85 + 0.35 * even[:, NAMES.index("productivity")])
    but_one = [without_share(row, "enping", "infrastructure") for row in told]
    unheard = posterior(
        NAMES, flat[:UNHEARD], fit_emulator(ensemble.values, ensemble.shares), rows, flat
    )

    def learned(heard: Rows, before: Floats) -> Posterior:
        return learn(ensemble, heard, before, usual_drivers)

    variants = {
        "as it is": (learned(rows, points), rows),
        "kinds of works not heard": (learned(without_kinds(rows), points), without_kinds(rows)),
        "government between 0 and 1": (learned(rows, positive), rows),
        "both of these": (learned(without_kinds(rows), positive), without_kinds(rows)),
        "later years heard too": (learned(told, points), told),
        "these but for one share (Enping's infrastructure, 2022)": (learned(but_one, points), told),
        "flat overstatement and durations, no classes heard": (unheard, rows),
    }
    table = Table(box=box.SIMPLE_HEAD)
    for name in ("variant", "understatement", "government over it", "overstatement"):
        table.add_column(name, justify="right" if table.columns else "left")
    table.add_column("later ratios of kinds: log score", justify="right")
    for name, (found, heard) in variants.items():
        beliefs = {one.name: one for one in marginals(found)}
        cells = [f"{beliefs[key].mean:.3f} ± {beliefs[key].sd:.3f}" for key in SHOWN]
        scored = score(found, heard, [] if heard is told else later)
        table.add_row(name, *cells, f"{scored[0]:+.2f} of {scored[1]}" if scored[1] else "–")
    Console(width=140).print(table)


if __name__ == "__main__":
    main()
