"""Where the days went, and how long files queued, from the tally of a run."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from sim.engine.rules import NANO_DAYS, Cause, Wait
from sim.plan.portfolio import Portfolio
from sim.runs.columns import Row, blank_where_none, error, month_name, ratio_columns
from sim.runs.estimates import Percentiles, block_counts_seen, block_sums, percentiles, ratios
from sim.runs.layout import annual_plans
from sim.runs.simulate import Run

Ints = NDArray[np.int64]
_DIMENSIONS = ("system", "county", "type", "investor", "stage")
CALENDAR = "calendar_"


def cause_names(portfolio: Portfolio) -> list[str]:
    """Return the causes of days: before the start, after it, and those of the calendar."""
    before = [wait.name.lower() for wait in Wait]
    after = [cause.name.lower() for cause in Cause]
    return [*before, *after, *(f"{CALENDAR}{cause}" for cause in portfolio.causes)]


def calendar_titles(portfolio: Portfolio) -> dict[str, dict[str, str]]:
    """Return what people call the causes of the calendar, by language.

    The name that plan.toml gives a cause, else the title of the driver that moves it, else its
    code.
    """
    plan = portfolio.plan
    drivers = {one.cause or one.name: one for one in plan.drivers if one.acts_on == "calendar"}
    titles = {}
    for cause in portfolio.causes:
        driver = drivers.get(cause)
        zh, en = (driver.title, driver.title_en) if driver else (cause, cause)
        titles[f"{CALENDAR}{cause}"] = {"zh": plan.labels["causes"].get(cause, zh), "en": en}
    return titles


def _planned_to_finish(run: Run) -> NDArray[np.bool_]:
    """Tell which projects are planned to finish within the horizon: only there can days be told."""
    return run.portfolio.planned_finish < run.portfolio.days


def day_columns(run: Run) -> list[Row]:
    """Return the mean days of each project by cause.

    The waits over all replications; what comes after the start over those that started, None
    where none did, or where the plan itself goes beyond the horizon. What is unfinished at the
    horizon counts up to it, so that the mean is then a lower bound.
    """
    tally, started = run.tally, _started(run)
    started[~_planned_to_finish(run)] = 0
    waits = ratios(block_sums(tally, "waits"), tally.sizes)
    causes = ratios(block_sums(tally, "causes_of_started"), started[:, None], NANO_DAYS)
    estimates = np.concatenate([np.stack(waits, axis=-1), np.stack(causes, axis=-1)], axis=1)
    keys = [f"days_{name}{end}" for name in cause_names(run.portfolio) for end in ("", "_se")]
    cells = blank_where_none(estimates.reshape(run.portfolio.size, -1))
    return [dict(zip(keys, row, strict=True)) for row in cells.tolist()]


def _started(run: Run) -> Ints:
    """Return in how many replications of each block each project starts."""
    tally = run.tally
    return tally.sizes - block_counts_seen(tally, "start", beyond=True)


def cause_rows(run: Run) -> Iterator[Row]:
    """Yield, for all projects and by group, the mean days that each cause moved the finish.

    Over projects that are not finished at the status date, started, and are planned to finish
    within the horizon; a mean over projects and replications, and one weighted with the annual
    plan.
    """
    portfolio, tally = run.portfolio, run.tally
    counts = _started(run).astype(object)
    counts[portfolio.finished | ~_planned_to_finish(run)] = 0
    weight = annual_plans(portfolio).astype(object)[:, None]
    waits = block_sums(tally, "waits_of_started") * NANO_DAYS
    days = np.concatenate([waits, block_sums(tally, "causes_of_started")], axis=1)
    heavy_counts, heavy_days = counts * weight, days * weight[:, None]
    chosen = (counts.sum(axis=1) > 0).astype(np.bool_)
    groups: list[tuple[str, str, NDArray[np.bool_]]] = [("all", "", chosen)]
    for dimension in _DIMENSIONS:
        values = np.array([getattr(one, dimension) for one in portfolio.plan.projects])
        groups += [
            (dimension, group, chosen & (values == group)) for group in sorted(set(values.tolist()))
        ]
    for dimension, group, members in groups:
        if not members.any():
            continue
        mean, weighted = (
            ratios(sums[members].sum(axis=0), sizes[members].sum(axis=0), NANO_DAYS)
            for sums, sizes in ((days, counts), (heavy_days, heavy_counts))
        )
        for k, name in enumerate(cause_names(portfolio)):
            row: Row = {"dimension": dimension, "group": group, "cause": name}
            row |= ratio_columns("mean_days", mean, k)
            yield row | ratio_columns("mean_days_by_plan", weighted, k)


def queue_rows(run: Run) -> Iterator[Row]:
    """Yield a window and month a row: files waiting, files taken, mean wait of those taken."""
    portfolio, tally = run.portfolio, run.tally
    taken = block_sums(tally, "taken")
    means = {
        "waiting_mean": ratios(block_sums(tally, "queued"), tally.sizes),
        "taken_mean": ratios(taken, tally.sizes),
        "days_waited_mean": ratios(block_sums(tally, "waited"), taken),
    }
    waiting, through = percentiles(tally, "queued", (50, 90)), percentiles(tally, "taken", (50,))
    for w, window in enumerate(run.windows):
        for month, day in enumerate(portfolio.month_ends.tolist()):
            row: Row = {
                "window": window.window,
                "name": window.name,
                "places": window.places,
                "month": month_name(portfolio, day),
            }
            row |= ratio_columns("waiting_mean", means["waiting_mean"], (w, month))
            for percent, one in waiting.items():
                row |= _files(f"waiting_p{percent}", one, (w, month))
            row |= ratio_columns("taken_mean", means["taken_mean"], (w, month))
            row |= _files("taken_p50", through[50], (w, month))
            yield row | ratio_columns("days_waited_mean", means["days_waited_mean"], (w, month))


def _files(name: str, one: Percentiles, place: tuple[int, int]) -> Row:
    return {name: int(one.values[place]), f"{name}_se": error(one.errors[place])}
