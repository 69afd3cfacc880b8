"""Addressed draws of the builder, and what is derived from them: sizes, dates, progress."""

from __future__ import annotations

import datetime
import math
from collections.abc import Mapping, Sequence

import numpy as np
from luoyang_sources import FOLDER, STATUS, YEAR_END, Curve, Project, read_rows
from scipy.special import betainc, ndtri

from sim.sampling.register import address
from sim.sampling.streams import key_of, uniform

SEED = 97193
SIGMA = 1.5
TAIL, TAIL_ALPHA, TAIL_CAP = 0.06, 1.5, 10.0
SMALLEST, LARGEST = 1_000, 1_500_000
LEADING_FROM, LEADING_SHARE = 500_000, (0.4, 0.6)
SIZE_POWER = 0.2
EARLY_SPAN = 0.06
DAYS = 365.25
START_DAYS = {1: (18, 31), 2: (25, 28), 12: (1, 19)}
"""Days of a month on which work may begin, where deep winter and the festival close the rest."""


def draw(subject: str, variable: str, index: int = 0) -> float:
    """Return a uniform number that depends on its address and on nothing else."""
    where = address(subject, f"builder.{variable}", index)
    return float(uniform(key_of(SEED), np.uint64(0), np.uint64(where)))


def between(subject: str, variable: str, low: float, high: float) -> float:
    """Return a uniform number between two limits."""
    return low + (high - low) * draw(subject, variable)


def normal(subject: str, variable: str) -> float:
    """Return a standard normal number."""
    return float(ndtri(draw(subject, variable)))


def pick(subject: str, variable: str, choices: Sequence[str]) -> str:
    """Return one of several, all equally likely."""
    return choices[int(draw(subject, variable) * len(choices))]


def pick_weighted(subject: str, variable: str, choices: Mapping[str, float]) -> str:
    """Return one of several in proportion to their weights."""
    point = draw(subject, variable) * sum(choices.values())
    for name, weight in choices.items():
        point -= weight
        if point < 0:
            return name
    return next(reversed(list(choices)))


def relative_size(subject: str) -> float:
    """Return a heavy-tailed relative size: lognormal with a Pareto tail."""
    size = math.exp(SIGMA * normal(subject, "size"))
    if draw(subject, "tail") < TAIL:
        size *= min(TAIL_CAP, draw(subject, "tail_size") ** (-1 / TAIL_ALPHA))
    return size


def programme_sizes(ids: Sequence[str], target: int) -> list[int]:
    """Draw the sizes of a programme's projects; a large programme has one leading project.

    Parameters
    ----------
    ids : sequence of str
        Ids of the projects; the first may lead.
    target : int
        Wanted total.

    Returns
    -------
    list of int
        Sizes that sum to the target but for rounding.
    """
    if target < LEADING_FROM or len(ids) < 2:
        return scaled_sizes([relative_size(name) for name in ids], target)
    share = between(ids[0], "leading", *LEADING_SHARE)
    leading = round_amount(min(share * target, LARGEST))
    rest = [relative_size(name) for name in ids[1:]]
    return [leading, *scaled_sizes(rest, target - leading)]


def scaled_sizes(relative: Sequence[float], target: int) -> list[int]:
    """Scale relative sizes to a target total, within the smallest and largest allowed.

    Parameters
    ----------
    relative : sequence of float
        Relative sizes.
    target : int
        Wanted total.

    Returns
    -------
    list of int
        Rounded sizes; they sum to the target but for rounding.
    """
    low, high = 1e-9, 1e12
    for _ in range(200):
        factor = math.sqrt(low * high)
        total = sum(min(max(factor * size, SMALLEST), LARGEST) for size in relative)
        low, high = (factor, high) if total < target else (low, factor)
    return [round_amount(min(max(low * size, SMALLEST), LARGEST)) for size in relative]


def round_amount(value: float) -> int:
    """Round an amount as ledgers do: coarser where it is larger."""
    step = 1_000 if value >= 50_000 else 100 if value >= 5_000 else 10
    return max(step, round(value / step) * step)


def years_of(subject: str, curve: Curve, total: int) -> float:
    """Return the planned years of building: type, size to a small power, and noise."""
    scale = (total / (curve.unit_size * 10_000)) ** SIZE_POWER
    noise = math.exp(0.2 * normal(subject, "duration"))
    return float(min(max(curve.years * scale * noise, 1.2), 5.0))


def value_share(curve: Curve, share: float) -> float:
    """Return the value booked at a share of the building time."""
    share = min(max(share, 0.0), 1.0)
    early = curve.early * min(1.0, share / EARLY_SPAN)
    return float(early + (1 - curve.early) * betainc(curve.a, curve.b, share))


def share_at(project: Project, curve: Curve, day: datetime.date) -> float:
    """Return the share of value that the type's curve gives at the end of a day."""
    length = (project.finish - project.start).days + 1
    return value_share(curve, ((day - project.start).days + 1) / length)


def set_progress(project: Project, curve: Curve) -> None:
    """Set what is done and what is planned from the dates, the curve and some noise."""
    name, total = project.id, project.total
    at_status = share_at(project, curve, STATUS) if project.start <= STATUS else 0.0
    noise = math.exp(0.10 * normal(name, "done_noise"))
    done = min(at_status * noise, 0.96) if at_status > 0 else 0.0
    project.done = int(round(total * done, -1)) if done else 0
    if at_status and not project.done:
        project.done = 10
    if project.finish <= YEAR_END:
        over = 0.08 * draw(name, "settlement") if draw(name, "settled") > 0.85 else 0.0
        rest = total - project.done
        project.plan = rest - int(round(min(over * total, 0.5 * rest), -1))
        return
    gain = share_at(project, curve, YEAR_END) - at_status
    noise = math.exp(0.08 * normal(name, "plan_noise"))
    project.plan = int(round(min(total * gain * noise, 0.97 * (total - project.done)), -1))
    project.plan = max(project.plan, 10)


def new_start(subject: str) -> datetime.date:
    """Draw a planned start in the year: by month, clustered on rounds of ground-breaking."""
    rows = read_rows(FOLDER / "starts.csv")
    point = draw(subject, "start_month")
    row = next(one for one in rows if point <= float(one["cumulative"]))
    month = int(row["month"])
    if draw(subject, "in_round") < 0.6:
        return datetime.date.fromisoformat(pick(subject, "round", row["rounds"].split(";")))
    first, last = START_DAYS.get(month, (1, 28))
    return datetime.date(2021, month, first + int(draw(subject, "start_day") * (last - first + 1)))
