"""What the tables of credibility.md are made of: runs, evidence, and how cells are written."""

from __future__ import annotations

import csv
import functools
import os
import re
import shutil
import tempfile
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

import sim
from sim.analysis.calibration import POINTS, Posterior, learn
from sim.analysis.predictive import Beliefs, beliefs
from sim.analysis.published import REFERENCE
from sim.plan.evidence import PlaceYear, read_evidence
from sim.plan.scenario import Scenario
from sim.runs.ensemble import prior_points, run_ensemble, usual_drivers
from sim.runs.on_schedule import ProjectYears, project_years
from sim.runs.paired import Estimate, Years, simulate_years
from sim.runs.statistics import mean_error

ROOT = Path(__file__).parent.parent
PLAN = ROOT / "scenarios/luoyang-2021"
BASELINE = PLAN / "baseline.toml"
SHOWN = ("reported", "work_done", "paid")
YUAN = 1e8
WORKERS = os.cpu_count() or 1
LAST_YEAR = 2020
"""The last that is learned from: the forecast is of January 2021."""
TYPE_REPLICATIONS = 64
"""Replications told project by project."""


def row(*cells: object) -> str:
    """Return a row of a table in Markdown."""
    return "| " + " | ".join(str(cell) for cell in cells) + " |"


def table(heads: Sequence[str], rows: Iterable[Sequence[object]], texts: int = 1) -> str:
    """Return a table in Markdown, its first columns texts, the others numbers."""
    lines = [row(*heads), "|" + "---|" * texts + "---:|" * (len(heads) - texts)]
    return "\n".join([*lines, *(row(*cells) for cells in rows)])


def effect_cell(one: Estimate) -> str:
    """Write a difference in 100 m yuan with two standard errors."""
    if one.value == 0 == one.error:
        return "0"
    return f"{one.value / YUAN:+,.1f} ± {2 * one.error / YUAN:.1f}"


def spread_cell(one: Estimate) -> str:
    """Write a deviation in 100 m yuan with two standard errors."""
    return f"{one.value / YUAN:,.1f} ± {2 * one.error / YUAN:.1f}"


def share_cell(values: Any) -> str:
    """Write a mean share over replications with two standard errors."""
    error = mean_error(np.asarray(values, dtype=np.float64))
    return f"{100 * float(np.mean(values)):.1f} % ± {200 * (error or 0):.1f}"


def band_cell(values: Any, form: str = ".2f") -> str:
    """Write the median and, in brackets, P10 to P90."""
    low, middle, high = (float(one) for one in np.quantile(values, (0.1, 0.5, 0.9)))
    return f"{middle:{form}} ({low:{form}}-{high:{form}})"


class Numbers:
    """What is simulated once and shown in several blocks."""

    def __init__(self, replications: int) -> None:
        self.replications = replications
        self.settings = tomllib.loads((ROOT / "docs/credibility.toml").read_text("utf-8"))
        self.baseline = sim.load_scenario(BASELINE)
        self._years: dict[tuple[str, ...], Years] = {}
        self._projects: ProjectYears | None = None
        self._evidence: tuple[PlaceYear, ...] | None = None
        self._posterior: Posterior | None = None
        unrated = {one.name for one in self.baseline.plan.drivers} ^ set(self.settings["drivers"])
        if unrated:
            raise SystemExit(f"credibility.toml and drivers.toml differ: {sorted(unrated)}")

    def years(self, *changes: str) -> Years:
        """Simulate the baseline with changes."""
        if changes not in self._years:
            self._years[changes] = self.run(sim.load_scenario(BASELINE, changes))
        return self._years[changes]

    def run(self, scenario: Scenario) -> Years:
        """Simulate a scenario."""
        return simulate_years(scenario, self.replications, WORKERS)

    @property
    def projects(self) -> ProjectYears:
        """The baseline, project by project."""
        if self._projects is None:
            self._projects = project_years(self.baseline, TYPE_REPLICATIONS)
        return self._projects

    @property
    def evidence(self) -> tuple[PlaceYear, ...]:
        """Published shares, one row a place and year: what is learned from."""
        if self._evidence is None:
            self._evidence = tuple(row for row in self.published if row.year <= LAST_YEAR)
        return self._evidence

    @functools.cached_property
    def published(self) -> tuple[PlaceYear, ...]:
        """The same of all years."""
        return read_evidence(REFERENCE).rows

    @property
    def posterior(self) -> Posterior:
        """What `calibrate` finds with its defaults."""
        if self._posterior is None:
            found = run_ensemble(BASELINE, 64, 128, 2021, WORKERS, lambda done, count: None)
            self._posterior = learn(found, self.evidence, prior_points(2021, POINTS), usual_drivers)
        return self._posterior

    @functools.cached_property
    def believed(self) -> Beliefs:
        """What its forecasts need."""
        return beliefs(self.posterior.weights)


def edited(parameter: Mapping[str, Any], baseline: Scenario) -> Scenario:
    """Return the baseline with one parameter changed, as credibility.toml says.

    Raises
    ------
    SystemExit
        If an edit finds nothing to change.
    """
    changes = list(parameter.get("set", ()))
    if "deflation" in parameter:
        for cause, factors in baseline.plan.deflation.items():
            for name in ("duration_excess", "duration_spread", "cost_excess", "cost_spread",
                         "slip", "no_start"):  # fmt: skip
                factor = getattr(factors, name)
                if factor < 1:
                    changes.append(f"deflation.{cause}.{name}={factor ** parameter['deflation']}")
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "plan"
        shutil.copytree(PLAN, folder, ignore=shutil.ignore_patterns("builder", "expected"))
        for one in parameter.get("edits", ()):
            edit(folder / one["file"], one)
        return sim.load_scenario(folder / BASELINE.name, changes)


def edit(path: Path, one: Mapping[str, Any]) -> None:
    """Change the numbers that an edit of credibility.toml marks in a column of a table."""
    with path.open(encoding="utf-8-sig", newline="") as stream:
        rows = list(csv.DictReader(stream))
    times, plus, found = one.get("times", 1.0), one.get("plus", 0.0), 0

    def changed(match: re.Match[str]) -> str:
        start, end = (place - match.start() for place in match.span(1))
        number = round(float(match.group(1)) * times + plus, 6)
        return match.group()[:start] + f"{number:g}" + match.group()[end:]

    for row in rows:
        row[one["column"]], count = re.subn(one["find"], changed, row[one["column"]])
        found += count
    if not found:
        raise SystemExit(f"{path.name}: {one['column']}: nothing matches {one['find']}")
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
