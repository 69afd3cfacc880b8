"""Tables of credibility.md that hold simulated years against what was published."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from credibility_runs import (
    BASELINE,
    LAST_YEAR,
    PLAN,
    ROOT,
    TYPE_REPLICATIONS,
    WORKERS,
    Numbers,
    band_cell,
    share_cell,
    table,
)

import sim
from sim.analysis.predictive import coverage, held_against, predictive
from sim.analysis.scopes import scope_ratios
from sim.plan import evidence
from sim.plan.parameters import own_draw
from sim.plan.portfolio import build_portfolio
from sim.runs.class_totals import (
    CLASS_COLUMNS,
    ClassRow,
    class_rows,
    compare_with,
    reference_classes,
    simulate_totals,
)
from sim.runs.on_schedule import (
    ProjectYears,
    filed_curve,
    is_active,
    project_years,
    proportional_plan,
    share_reaching,
)

COVERED = {
    "first_quarter": "first quarter (not learned from)",
    "later": "2021 to 2024 (not learned from)",
    "kinds": "kinds of works over their list",
    "kinds_later": "kinds of works, 2021 to 2024 or first quarter (not learned from)",
}
STAGES = ("completing", "continuing", "new")
KINDS: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "type": {**evidence.KINDS, "water": ("water_conservancy",)},
    "system": {"industry": ("industry",), "infrastructure": ("infrastructure",)},
}
"""Which projects stand for a published scope."""
ORDERED = (1, 2, 3, 4, 6, 8, 9, 10, 12)
"""Months of which orders are told."""
LISTED, AUDITED = 9, 8
"""Months of a list that counts projects on schedule, and of an audit that counts those behind."""


def months(numbers: Numbers) -> str:
    """Return simulated, published and calibrated month-end shares, in all and by stage."""
    years, rows = numbers.years(), []
    emulated = set(numbers.posterior.emulator.cells)
    published: dict[tuple[str, int], list[float]] = {}
    for row in numbers.published:
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
                    predictive(numbers.posterior, (scope, month), numbers.believed, biased=biased)
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
                shown = band_cell(told)
            elif told:
                shown = f"{np.median(told):.2f} ({min(told):.2f} to {max(told):.2f})"
            rows.append([scope, month, band_cell(own), len(told) or "", shown, *bands])
    heads = ("projects", "month", "simulated, this plan", "places", "published",
             "a place that publishes", "any place (no publication bias)")  # fmt: skip
    return table(heads, rows)


def _kind_shares(years: ProjectYears, by: str, names: tuple[str, ...], month: int) -> Any:
    plan = years.portfolio.plan
    column = np.array([getattr(one, by) for one in plan.projects])
    chosen = np.isin(column, names) & years.portfolio.in_target
    filed = sum(one.annual_plan for one, is_in in zip(plan.projects, chosen, strict=True) if is_in)
    return years.reported[:, chosen, years.at(month)].sum(axis=1) / filed


def _at_equal_mix(years: ProjectYears, by: str, names: tuple[str, ...], month: int) -> Any:
    """Return shares of kinds as if the stages had the parts that they have in the whole plan."""
    plan = years.portfolio.plan
    kind = np.isin([getattr(one, by) for one in plan.projects], names) & years.portfolio.in_target
    stage = np.array([one.stage for one in plan.projects])
    filed = np.array([one.annual_plan for one in plan.projects])
    whole = sum(filed[(stage == one) & years.portfolio.in_target].sum() for one in STAGES)
    reported, standard = years.reported[:, :, years.at(month)], 0.0
    for one in STAGES:
        part = filed[(stage == one) & years.portfolio.in_target].sum() / whole
        own = kind & (stage == one)
        standard = standard + part * reported[:, own].sum(axis=1) / filed[own].sum()
    return standard


def _filed_share(years: ProjectYears, by: str, names: tuple[str, ...], month: int) -> float:
    portfolio = years.portfolio
    column = np.array([getattr(one, by) for one in portfolio.plan.projects])
    chosen = np.isin(column, names) & portfolio.in_target
    annual = np.array([one.annual_plan for one in portfolio.plan.projects])[chosen].sum()
    return float(filed_curve(portfolio, years.at(month))[chosen].sum() / annual)


def _stage_mix(years: ProjectYears) -> Iterator[list[str]]:
    """Yield which share of the annual plans of a kind each stage has."""
    listed = [
        one
        for one, counts in zip(
            years.portfolio.plan.projects, years.portfolio.in_target, strict=True
        )
        if counts
    ]
    for name, types in KINDS["type"].items():
        own = [one for one in listed if one.type in types]
        whole = sum(one.annual_plan for one in own)
        parts = [sum(one.annual_plan for one in own if one.stage == stage) for stage in STAGES]
        yield [name, *(f"{part / whole:.0%}" for part in parts)]


def kinds(numbers: Numbers) -> str:
    """Return ratios of kinds of works, simulated beside published."""
    years, rows = numbers.projects, []
    pairs = (("industry", "infrastructure"), ("industry", "transport"), ("industry", "all"),
             ("infrastructure", "all"), ("transport", "all"), ("water", "all"))  # fmt: skip
    everything = tuple({one.type for one in years.portfolio.plan.projects})
    by_type = {**KINDS["type"], "all": everything}
    for above, below in pairs:
        for one in scope_ratios(numbers.published, above, below):
            top, bottom = (_kind_shares(years, "type", by_type[name], one.month)
                           for name in (above, below))  # fmt: skip
            ratio = top / bottom
            place = f"{one.place} {one.year}"
            share = f"{np.mean(ratio > 1):.0%}"
            cells = (one.month, place, f"{one.ratio:.2f}", band_cell(ratio), share)
            rows.append([f"{above} / {below}", *cells])
    heads = ("ratio", "month", "place", "published", "simulated by type", "simulated above 1")
    return f"{TYPE_REPLICATIONS} replications.\n\n" + table(heads, rows)


def orderings(numbers: Numbers) -> str:
    """Return in which share of replications stages and kinds follow each other as expected."""
    years, rows = numbers.years(), []
    for month in ORDERED:
        one = {name: years.stages[name][:, month - 1] / years.plans[name] for name in STAGES}
        first, second = one["completing"] > one["continuing"], one["continuing"] > one["new"]
        means = [f"{one[name].mean():.2f}" for name in STAGES]
        held = [f"{np.mean(holds):.1%}" for holds in (first, second, first & second)]
        rows.append([month, *means, *held])
    stages = table(("month", *STAGES, "completing > continuing", "continuing > new", "both"), rows)
    rows = []
    for by, scopes in KINDS.items():
        for month in ORDERED:
            chosen = [scopes[name] for name in ("industry", "infrastructure")]
            top, bottom = (_kind_shares(numbers.projects, by, one, month) for one in chosen)
            filed = [_filed_share(numbers.projects, by, one, month) for one in chosen]
            ahead = (top / filed[0]) / (bottom / filed[1])
            even = [_at_equal_mix(numbers.projects, by, one, month) for one in chosen]
            alike = even[0] / even[1]
            rows.append([
                by, month, f"{top.mean():.2f}", f"{bottom.mean():.2f}", band_cell(top / bottom),
                f"{np.mean(top > bottom):.0%}", *(f"{one:.2f}" for one in filed), band_cell(ahead),
                f"{np.mean(ahead > 1):.0%}", band_cell(alike), f"{np.mean(alike > 1):.0%}",
            ])  # fmt: skip
    kinds_heads = (
        "projects by", "month", "industry", "infrastructure", "ratio", "above 1",
        "filed: industry", "filed: infrastructure", "ratio of simulated over filed", "above 1",
        "ratio at equal mix of stages", "above 1",
    )  # fmt: skip
    published = []
    for above, below in (("completing", "continuing"), ("continuing", "new")):
        found = scope_ratios(numbers.published, above, below)
        against = [f"{one.place} {one.year}-{one.month:02d}: {one.ratio:.2f}"
                   for one in found if one.ratio <= 1]  # fmt: skip
        published.append([f"{above} > {below}", ", ".join(against) or "none", len(found),
                          len(found) - len(against)])  # fmt: skip
    lists = table(
        ("published order", "does not hold in (ratio)", "lists", "holds in"), published, 2
    )
    mixed = table(("annual plan of", *STAGES), list(_stage_mix(numbers.projects)))
    return "\n\n".join([
        f"{numbers.replications} replications.", stages, lists,
        f"{TYPE_REPLICATIONS} replications.", table(kinds_heads, rows), mixed,
    ])  # fmt: skip


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
            cells = [share_cell(one) for one in (*behind, *on)]
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
        f"(work done) {np.mean(asleep.sum(axis=1) / late.sum(axis=1)):.0%} have not begun. Those "
        f"behind hold {share_cell(weighed)} of the annual plans of active projects."
    )
    about = f"{TYPE_REPLICATIONS} replications; active projects on average: {active}."
    return "\n\n".join([about, table(heads, rows, texts=2), more, _by_intents(numbers)])


def _by_intents(numbers: Numbers) -> str:
    """Tell the two measures at the ends of what is believed of the spread of intents."""
    with (PLAN / "calibration" / "parameters.csv").open(encoding="utf-8-sig", newline="") as stream:
        (filing,) = (row for row in csv.DictReader(stream) if row["parameter"] == "filing")
    told = []
    for end in ("p5", "p95"):
        change = f"uncertainties.understatement.each={own_draw(float(filing[end]))}"
        years = project_years(sim.load_scenario(BASELINE, [change]), TYPE_REPLICATIONS)
        due = {
            AUDITED: proportional_plan(years.portfolio, int(years.ends[years.at(AUDITED)])),
            LISTED: filed_curve(years.portfolio, years.at(LISTED)),
        }
        behind = 1 - share_reaching(years, AUDITED, due[AUDITED], 2 / 3, "work_done")
        on = share_reaching(years, LISTED, due[LISTED], 0.95, "work_done")
        told.append(f"{share_cell(behind)} and {share_cell(on)} at {float(filing[end]):.2f}")
    return (
        "The spread of projects' intents is known badly. Behind by more than a third, and at least "
        f"95 % of the filed curve, at the ends of its 90 % interval: {'; '.join(told)}."
    )


def classes(numbers: Numbers) -> str:
    """Return what durations, costs and starts come to, beside the reference classes."""
    baseline = numbers.baseline
    compared = compare_with(build_portfolio(baseline.plan), reference_classes(BASELINE))
    totals = simulate_totals(compared, baseline, numbers.replications, WORKERS)
    found: dict[str, dict[tuple[str, str], ClassRow]] = {}
    for one in class_rows(compared, totals):
        found.setdefault(one.type, {})[one.quantity, one.statistic] = one
    rows = []
    for kind, mine in found.items():
        cells = [
            f"{one.reference:.2f} / {one.simulated:.2f} ± {2 * one.error:.2f}"
            for one in (mine[column] for column in CLASS_COLUMNS if column in mine)
        ]
        rows.append([kind, mine["duration", "median"].projects, *cells])
    heads = ("type", "projects", "duration: median", "P80", "cost: median", "P80",
             "starts late by a month", "not in the year")  # fmt: skip
    about = f"{numbers.replications} replications; class / simulated ± two standard errors."
    return f"{about}\n\n" + table(heads, rows)


def covered(numbers: Numbers) -> str:
    """Return how often published shares lie in bands learned from all other provinces."""
    later = [row for row in numbers.published if row.year > LAST_YEAR]
    rows = [
        [
            COVERED.get(one.scope, one.scope),
            one.places,
            one.shares,
            f"{one.inside:.0%}",
            f"{one.low:.0%} to {one.high:.0%}",
        ]
        for one in coverage(held_against(numbers.posterior, numbers.evidence, later))
    ]
    heads = ("published", "places", "shares", "inside the band of 80 %", "95 % interval")
    return table(heads, rows)


def scores(numbers: Numbers) -> str:
    """Return what `hindcast` finds on promises whose outcome is known."""
    with tempfile.TemporaryDirectory() as place:
        outcomes, count = str(PLAN / "outcomes.csv"), str(numbers.replications)
        command = [sys.executable, "run_sim.py", "hindcast", str(BASELINE), "--outcomes", outcomes,
                   "-n", count, "--out", place]  # fmt: skip
        environment = os.environ | {"PYTHONPATH": str(ROOT)}
        subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True)
        (path,) = Path(place).glob("*/hindcast-*/hindcast.json")
        found = json.loads(path.read_text("utf-8"))
    rows = []
    for name, group in found["groups"].items():
        told = {one: f"{score['brier']:.3f}" for one, score in group["scores"].items()}
        cells = [told.get(one, "") for one in ("model", "on_time", "base_rate", "slippage")]
        rows.append([name, group["kept"], group["missed"], group["unknown"], *cells])
    heads = ("promises", "kept", "missed", "unknown", "model", "all on time", "base rate",
             "slippage alone")  # fmt: skip
    about = f"Brier scores, the smaller the better; {numbers.replications} replications."
    return f"{about}\n\n" + table(heads, rows)
