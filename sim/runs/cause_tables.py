"""Where the days went, and how long files queued, from the outcomes of a run."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.engine.rules import NANO_DAYS, NEVER, Cause, Wait
from sim.plan.portfolio import Portfolio
from sim.runs.simulate import Run
from sim.runs.statistics import spread

Ints = NDArray[np.int64]
Row = dict[str, Any]
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


def project_days(run: Run, i: int) -> dict[str, float | None]:
    """Return the mean days of a project by cause.

    The waits over all replications; what comes after the start over those that started, None
    where none did, or where the plan itself goes beyond the horizon. What is unfinished at the
    horizon counts up to it, so that the mean is then a lower bound.
    """
    outcomes = run.outcomes
    names = cause_names(run.portfolio)
    waits = outcomes.waits[:, i].mean(axis=0).tolist()
    begun = outcomes.start[:, i] != NEVER
    later: list[float | None] = [None] * (len(names) - len(waits))
    if begun.any() and _planned_to_finish(run)[i]:
        later = (outcomes.causes[begun, i].mean(axis=0) / NANO_DAYS).tolist()
    return dict(zip(names, [*waits, *later], strict=True))


def cause_rows(run: Run) -> Iterator[Row]:
    """Yield, for all projects and by group, the mean days that each cause moved the finish.

    Over projects that are not finished at the status date, started, and are planned to finish
    within the horizon; a mean over projects and replications, and one weighted with the annual
    plan.
    """
    portfolio, outcomes = run.portfolio, run.outcomes
    plan = portfolio.plan
    weight = np.array([one.annual_plan for one in plan.projects], dtype=np.float64)
    started = (outcomes.start != NEVER) & ~portfolio.finished & _planned_to_finish(run)
    days = np.concatenate([outcomes.waits.astype(np.float64), outcomes.causes / NANO_DAYS], axis=2)
    names = cause_names(run.portfolio)
    groups: list[tuple[str, str, NDArray[np.bool_]]] = [
        ("all", "", np.ones(portfolio.size, dtype=np.bool_))
    ]
    for dimension in _DIMENSIONS:
        values = np.array([getattr(one, dimension) for one in plan.projects])
        groups += [(dimension, group, values == group) for group in sorted(set(values.tolist()))]
    for dimension, group, mask in groups:
        counts = started & mask
        if not counts.any():
            continue
        heavy = counts * weight
        for k, name in enumerate(names):
            column = days[:, :, k]
            yield {
                "dimension": dimension,
                "group": group,
                "cause": name,
                "mean_days": float((column * counts).sum() / counts.sum()),
                "mean_days_by_plan": (
                    float((column * heavy).sum() / heavy.sum()) if heavy.sum() > 0 else None
                ),
            }


def queue_rows(run: Run) -> Iterator[Row]:
    """Yield a window and month a row: files waiting, files taken, mean wait of those taken."""
    portfolio = run.portfolio
    queued, taken, waited = (run.outcomes.queues[:, k] for k in range(3))
    waiting, through = spread(queued), spread(taken)
    for w, window in enumerate(run.windows):
        for month, day in enumerate(portfolio.month_ends.tolist()):
            files = int(taken[:, w, month].sum())
            yield {
                "window": window.window,
                "name": window.name,
                "places": window.places,
                "month": f"{portfolio.origin + datetime.timedelta(days=day):%Y-%m}",
                "waiting_mean": float(queued[:, w, month].mean()),
                "waiting_p50": int(waiting[2][w, month]),
                "waiting_p90": int(waiting[3][w, month]),
                "taken_mean": float(taken[:, w, month].mean()),
                "taken_p50": int(through[2][w, month]),
                "days_waited_mean": (int(waited[:, w, month].sum()) / files if files else None),
            }
