"""Where the days went, and how long files queued, from the tally of a run."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from sim.engine.rules import NANO_DAYS, Cause, Wait
from sim.plan.portfolio import Portfolio
from sim.runs.columns import Row, error, month_name
from sim.runs.estimates import Percentiles, block_counts_seen, block_sums, percentiles, ratio
from sim.runs.layout import annual_plans
from sim.runs.simulate import Run

Ints = NDArray[np.int64]
Estimate = tuple[float | None, float | None]
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
    tally, names = run.tally, cause_names(run.portfolio)
    waits, causes = block_sums(tally, "waits"), block_sums(tally, "causes_of_started")
    started, told = _started(run), _planned_to_finish(run)
    rows = []
    for i in range(run.portfolio.size):
        row: Row = {}
        for k, name in enumerate(names):
            later = k - waits.shape[1]
            if later < 0:
                found: Estimate = ratio(waits[i, k], tally.sizes)
            elif told[i] and started[i].any():
                found = ratio(causes[i, later], started[i], NANO_DAYS)
            else:
                found = None, None
            row[f"days_{name}"], row[f"days_{name}_se"] = found
        rows.append(row)
    return rows


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
        number, heavy = counts[members].sum(axis=0), (counts * weight)[members].sum(axis=0)
        for k, name in enumerate(cause_names(portfolio)):
            column = days[members, k]
            mean = ratio(column.sum(axis=0), number, NANO_DAYS)
            weighted: Estimate = (None, None)
            if heavy.sum() > 0:
                weighted = ratio((column * weight[members]).sum(axis=0), heavy, NANO_DAYS)
            yield {
                "dimension": dimension,
                "group": group,
                "cause": name,
                "mean_days": mean[0],
                "mean_days_se": mean[1],
                "mean_days_by_plan": weighted[0],
                "mean_days_by_plan_se": weighted[1],
            }


def queue_rows(run: Run) -> Iterator[Row]:
    """Yield a window and month a row: files waiting, files taken, mean wait of those taken."""
    portfolio, tally = run.portfolio, run.tally
    queued, taken, waited = (block_sums(tally, name) for name in ("queued", "taken", "waited"))
    waiting, through = percentiles(tally, "queued", (50, 90)), percentiles(tally, "taken", (50,))
    for w, window in enumerate(run.windows):
        for month, day in enumerate(portfolio.month_ends.tolist()):
            row: Row = {
                "window": window.window,
                "name": window.name,
                "places": window.places,
                "month": month_name(portfolio, day),
            }
            row["waiting_mean"], row["waiting_mean_se"] = ratio(queued[w, month], tally.sizes)
            for percent, one in waiting.items():
                row |= _files(f"waiting_p{percent}", one, (w, month))
            row["taken_mean"], row["taken_mean_se"] = ratio(taken[w, month], tally.sizes)
            row |= _files("taken_p50", through[50], (w, month))
            found: Estimate = (None, None)
            if taken[w, month].sum():
                found = ratio(waited[w, month], taken[w, month])
            row["days_waited_mean"], row["days_waited_mean_se"] = found
            yield row


def _files(name: str, one: Percentiles, place: tuple[int, int]) -> Row:
    return {name: int(one.values[place]), f"{name}_se": error(one.errors[place])}
