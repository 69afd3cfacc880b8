"""Put numbers into credibility.md: `python docs/update_credibility.py [-n N] [--only BLOCK ...]`.

Simulates the Luoyang baseline with one parameter after another changed, on the same luck, and the
tables of evidence beside it; writes each table between its marks, so that what the document shows
is what ran. About ten minutes on two cores; needs numba.
"""

from __future__ import annotations

import argparse
import csv
import os
import re
import shutil
import tempfile
import tomllib
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

import sim
from sim.analysis.calibration import Posterior, posterior
from sim.analysis.emulator import fit_emulator
from sim.analysis.predictive import predictive
from sim.analysis.published import REFERENCE
from sim.analysis.scopes import scope_ratios
from sim.plan.evidence import PlaceYear, read_evidence
from sim.plan.scenario import Scenario
from sim.runs.ensemble import run_ensemble
from sim.runs.on_schedule import (
    ProjectYears,
    filed_curve,
    is_active,
    project_years,
    proportional_plan,
    share_reaching,
)
from sim.runs.paired import Estimate, Years, difference, simulate_years, spread
from sim.runs.statistics import mean_error

ROOT = Path(__file__).parent.parent
PLAN = ROOT / "scenarios/luoyang-2021"
BASELINE = PLAN / "baseline.toml"
DOCUMENT = ROOT / "docs/credibility.md"
SHOWN = ("reported", "work_done", "paid")
STAGES = ("completing", "continuing", "new")
YUAN = 1e8
WORKERS = os.cpu_count() or 1
KINDS: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "type": {
        "industry": ("industrial_plant", "petrochemical"),
        "infrastructure": ("rail_metro", "roads", "bridges_tunnels", "energy_power",
                           "water_conservancy"),
        "transport": ("rail_metro", "roads", "bridges_tunnels"),
        "water": ("water_conservancy",),
    },
    "system": {"industry": ("industry",), "infrastructure": ("infrastructure",)},
}  # fmt: skip
"""Which projects stand for a published scope. New infrastructure (IT) stands for neither."""
TYPE_REPLICATIONS = 64
"""Replications told project by project."""
LISTED, AUDITED = 9, 8
"""Months of a list that counts projects on schedule, and of an audit that counts those behind."""


def _row(*cells: object) -> str:
    return "| " + " | ".join(str(cell) for cell in cells) + " |"


def _table(heads: Sequence[str], rows: Iterable[Sequence[object]], texts: int = 1) -> str:
    lines = [_row(*heads), "|" + "---|" * texts + "---:|" * (len(heads) - texts)]
    return "\n".join([*lines, *(_row(*row) for row in rows)])


def _effect(one: Estimate) -> str:
    if one.value == 0 == one.error:
        return "0"
    return f"{one.value / YUAN:+,.1f} ± {2 * one.error / YUAN:.1f}"


def _spread(one: Estimate) -> str:
    return f"{one.value / YUAN:,.1f} ± {2 * one.error / YUAN:.1f}"


def _share(values: Any) -> str:
    error = mean_error(np.asarray(values, dtype=np.float64))
    return f"{100 * float(np.mean(values)):.1f} % ± {200 * (error or 0):.1f}"


def _band(values: Any, form: str = ".2f") -> str:
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
        """Published shares, one row a place and year."""
        if self._evidence is None:
            self._evidence = read_evidence(REFERENCE).rows
        return self._evidence

    @property
    def posterior(self) -> Posterior:
        """What `calibrate` finds with its defaults."""
        if self._posterior is None:
            found = run_ensemble(BASELINE, 32, 256, 2021, WORKERS, lambda done, count: None)
            emulator = fit_emulator(found.values, found.shares)
            self._posterior = posterior(found.names, found.values, emulator, self.evidence)
        return self._posterior


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
            _edit(folder / one["file"], one)
        return sim.load_scenario(folder / BASELINE.name, changes)


def _edit(path: Path, one: Mapping[str, Any]) -> None:
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


def _count(numbers: Numbers) -> str:
    means = ", ".join(
        f"{name.replace('_', ' ')} {numbers.years().year_end[name].mean() / YUAN:,.0f}"
        for name in SHOWN
    )
    return f"{numbers.replications} replications, seed 2021. Baseline means: {means}."


def driver_sources(numbers: Numbers) -> str:
    """Return distribution, source and confidence of each driver."""
    given = tomllib.loads((PLAN / "drivers.toml").read_text("utf-8"))
    rows = []
    for one in numbers.baseline.plan.drivers:
        table = given[one.name]
        law = f"`{table['distribution']}`"
        if "probability" in table:
            law += f", probability {table['probability']}"
        stress = f"`{table['stress']}`"
        rows.append(
            [f"`{one.name}`", law, stress, numbers.settings["drivers"][one.name], one.source]
        )
    heads = ("driver", "distribution", "stress", "confidence", "source")
    return _table(heads, rows, texts=5)


def driver_effects(numbers: Numbers) -> str:
    """Return what each driver does when off and in its stress."""
    rows = []
    for one in numbers.baseline.plan.drivers:
        cells = []
        for state in ("off", "stress"):
            after = numbers.years(f"uncertainties.{one.name}={state}")
            cells += [_effect(difference(after, numbers.years(), name)) for name in SHOWN]
        rows.append([f"`{one.name}`", *cells])
    heads = ["driver", *(f"{state}: {name.replace('_', ' ')}" for state in ("off", "stress")
                         for name in SHOWN)]  # fmt: skip
    return _count(numbers) + "\n\n" + _table(heads, rows)


def parameter_effects(numbers: Numbers) -> str:
    """Return what other values of the other parameters do."""
    rows = []
    for one in numbers.settings["parameters"]:
        after = numbers.run(edited(one, numbers.baseline))
        effects = [_effect(difference(after, numbers.years(), name)) for name in SHOWN]
        sd = f"{spread(after, 'reported').value / YUAN:,.0f}"
        rows.append([one["group"], one["name"], one["stands"], one["confidence"], *effects, sd])
    heads = ("group", "if instead", "stands", "confidence", "reported", "work done", "paid",
             "sd of reported")  # fmt: skip
    base = f" Its sd of reported: {spread(numbers.years(), 'reported').value / YUAN:,.0f}."
    return _count(numbers) + base + "\n\n" + _table(heads, rows, texts=4)


def spreads(numbers: Numbers) -> str:
    """Return standard deviations at year-end with no driver, each alone, and all."""
    names = [one.name for one in numbers.baseline.plan.drivers]
    off = {name: f"uncertainties.{name}=off" for name in names}
    alone = {
        name: tuple(change for other, change in off.items() if other != name) for name in names
    }
    none = numbers.years(*off.values())
    cases = [
        ("all on (baseline)", numbers.years()),
        ("all drivers off", none),
        (
            "all drivers and dependence off: projects' own luck",
            numbers.years(*off.values(), "uncertainties.dependence=off"),
        ),
    ]
    cases += [(f"only `{name}`", numbers.years(*changes)) for name, changes in alone.items()]
    rows = []
    whole = {name: spread(numbers.years(), name).value for name in SHOWN}
    for title, years in cases:
        cells = []
        for name in SHOWN:
            found = spread(years, name)
            cells += [_spread(found), f"{(found.value / whole[name]) ** 2:.0%}"]
        rows.append([title, *cells])
    heads = ["drivers", *(cell for name in SHOWN for cell in (f"sd of {name.replace('_', ' ')}",
                                                              "of its variance"))]  # fmt: skip
    return f"{numbers.replications} replications; 100 m yuan.\n\n" + _table(heads, rows)


def months(numbers: Numbers) -> str:
    """Return simulated, published and calibrated month-end shares, in all and by stage."""
    years, rows = numbers.years(), []
    emulated = set(numbers.posterior.emulator.cells)
    published: dict[tuple[str, int], list[float]] = {}
    for row in numbers.evidence:
        for cell, share in zip(row.cells, row.shares.tolist(), strict=True):
            published.setdefault(cell, []).append(share)
    for scope in ("all", *STAGES):
        reported = years.months if scope == "all" else years.stages[scope]
        for month in range(1, 13):
            own = reported[:, month - 1] / years.plans[scope]
            told = published.get((scope, month), [])
            if scope != "all" and not told:
                continue
            bands = []
            for biased in (True, False):
                band = (
                    predictive(numbers.posterior, (scope, month), biased=biased)
                    if (scope, month) in emulated
                    else None
                )
                bands.append(
                    "" if band is None else
                    f"{band.percentile(0.5):.2f} ({band.percentile(0.1):.2f}-"
                    f"{band.percentile(0.9):.2f})"
                )  # fmt: skip
            shown = ""
            if len(told) >= 5:
                shown = _band(told)
            elif told:
                shown = f"{np.median(told):.2f} ({min(told):.2f} to {max(told):.2f})"
            rows.append([scope, month, _band(own), len(told) or "", shown, *bands])
    heads = ("projects", "month", "simulated, this plan", "places", "published",
             "a place that publishes", "any place (no publication bias)")  # fmt: skip
    return _table(heads, rows)


def _kind_shares(years: ProjectYears, by: str, names: tuple[str, ...], month: int) -> Any:
    plan = years.portfolio.plan
    column = np.array([getattr(one, by) for one in plan.projects])
    chosen = np.isin(column, names) & years.portfolio.in_target
    filed = sum(one.annual_plan for one, is_in in zip(plan.projects, chosen, strict=True) if is_in)
    return years.reported[:, chosen, years.at(month)].sum(axis=1) / filed


def kinds(numbers: Numbers) -> str:
    """Return ratios of kinds of works, simulated beside published."""
    years, rows = numbers.projects, []
    pairs = (("industry", "infrastructure"), ("industry", "transport"), ("industry", "all"),
             ("infrastructure", "all"), ("transport", "all"), ("water", "all"))  # fmt: skip
    everything = tuple({one.type for one in years.portfolio.plan.projects})
    by_type = {**KINDS["type"], "all": everything}
    for above, below in pairs:
        for one in scope_ratios(numbers.evidence, above, below):
            top, bottom = (_kind_shares(years, "type", by_type[name], one.month)
                           for name in (above, below))  # fmt: skip
            ratio = top / bottom
            place = f"{one.place} {one.year}"
            share = f"{np.mean(ratio > 1):.0%}"
            rows.append([f"{above} / {below}", one.month, place, f"{one.ratio:.2f}", _band(ratio),
                         share])  # fmt: skip
    heads = ("ratio", "month", "place", "published", "simulated by type", "simulated above 1")
    return f"{TYPE_REPLICATIONS} replications.\n\n" + _table(heads, rows)


def orderings(numbers: Numbers) -> str:
    """Return in which share of replications stages and kinds follow each other as expected."""
    years, rows = numbers.years(), []
    for month in (3, 6, 9, 10, 12):
        one = {name: years.stages[name][:, month - 1] / years.plans[name] for name in STAGES}
        first, second = one["completing"] > one["continuing"], one["continuing"] > one["new"]
        means = [f"{one[name].mean():.2f}" for name in STAGES]
        held = [f"{np.mean(holds):.1%}" for holds in (first, second, first & second)]
        rows.append([month, *means, *held])
    stages = _table(("month", *STAGES, "completing > continuing", "continuing > new", "both"), rows)
    rows = []
    for by, scopes in KINDS.items():
        for month in (3, 6, 9, 10, 12):
            top, bottom = (_kind_shares(numbers.projects, by, scopes[name], month)
                           for name in ("industry", "infrastructure"))  # fmt: skip
            means = [f"{one.mean():.2f}" for one in (top, bottom)]
            rows.append([by, month, *means, _band(top / bottom), f"{np.mean(top > bottom):.0%}"])
    heads = ("projects by", "month", "industry", "infrastructure", "ratio",
             "industry > infrastructure")  # fmt: skip
    return (
        f"{numbers.replications} replications.\n\n{stages}\n\n{TYPE_REPLICATIONS} replications.\n\n"
        + _table(heads, rows)
    )


def schedule(numbers: Numbers) -> str:
    """Return shares of projects behind and on schedule, by every definition tried."""
    years, rows = numbers.projects, []
    portfolio = years.portfolio
    dues = {
        month: {
            "time-proportional plan": proportional_plan(
                portfolio, int(years.ends[years.at(month)])
            ),
            "filed curve": filed_curve(portfolio, years.at(month)),
        }
        for month in (AUDITED, LISTED)
    }
    for measure in ("work_done", "reported"):
        for name in dues[AUDITED]:
            behind = [
                1 - share_reaching(years, AUDITED, dues[AUDITED][name], part, measure)
                for part in (0.8, 2 / 3, 0.5)
            ]
            on = [
                share_reaching(years, LISTED, dues[LISTED][name], part, measure)
                for part in (1.0, 0.95, 0.9)
            ]
            cells = [_share(one) for one in (*behind, *on)]
            rows.append([measure.replace("_", " "), name, *cells])
    heads = (
        "measure", "held against", "August: behind by more than a fifth", "more than a third",
        "more than a half", "September: at least all of it", "at least 95 %", "at least 90 %",
    )  # fmt: skip
    active = ", ".join(
        f"{is_active(years, month).sum(axis=1).mean():,.0f} at the end of month {month}"
        for month in (AUDITED, LISTED)
    )
    position = years.at(AUDITED)
    due, done = dues[AUDITED]["time-proportional plan"], years.work_done[:, :, position]
    active_now = is_active(years, AUDITED)
    late = active_now & (done < due * 2 / 3)
    asleep = late & (years.start > years.ends[position])
    filed = np.array([one.annual_plan for one in portfolio.plan.projects])
    weighed = (late * filed).sum(axis=1) / (active_now * filed).sum(axis=1)
    more = (
        f"Of those more than a third behind their time-proportional plan at the end of August "
        f"(work done) {np.mean(asleep.sum(axis=1) / late.sum(axis=1)):.0%} have not begun. They hold "
        f"{_share(weighed)} of the annual plans of active projects."
    )
    about = f"{TYPE_REPLICATIONS} replications; active projects on average: {active}."
    return f"{about}\n\n" + _table(heads, rows, texts=2) + f"\n\n{more}"


BLOCKS: Mapping[str, Callable[[Numbers], str]] = {
    "driver-sources": driver_sources,
    "driver-effects": driver_effects,
    "parameter-effects": parameter_effects,
    "spreads": spreads,
    "months": months,
    "kinds": kinds,
    "schedule": schedule,
    "orderings": orderings,
}


def put(text: str, mark: str, content: str) -> str:
    """Put content between two marks of a document."""
    begin, end = f"<!-- begin: {mark} -->", f"<!-- end: {mark} -->"
    before, rest = text.split(begin)
    return before + begin + "\n" + content + "\n" + end + rest.split(end)[1]


def main() -> None:
    """Simulate and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-n", "--replications", type=int, default=320)
    parser.add_argument("--only", nargs="+", choices=tuple(BLOCKS), default=tuple(BLOCKS))
    asked = parser.parse_args()
    if asked.replications < 40:
        parser.error("errors from 20 blocks need at least 40 replications")
    numbers = Numbers(asked.replications)
    for mark in asked.only:
        content = BLOCKS[mark](numbers)
        text = put(DOCUMENT.read_text(encoding="utf-8"), mark, content)
        DOCUMENT.write_text(text, encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
