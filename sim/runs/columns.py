"""Columns of tables: an estimate and, beside it, its sampling error."""

from __future__ import annotations

import datetime
import functools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.engine.rules import NEVER
from sim.plan.portfolio import Portfolio
from sim.runs.estimates import Percentiles, means, percentiles
from sim.runs.statistics import student
from sim.runs.tally import Tally

Floats = NDArray[np.float64]
Row = dict[str, Any]
Place = int | tuple[int, ...]
SPREAD = (10, 50, 90)


def error(value: float) -> float | None:
    """Return an error, None where there is none."""
    return None if math.isnan(value) else float(value)


def blank_where_none(values: Floats) -> NDArray[Any]:
    """Return floats as Python holds them, None for NaN."""
    cells = values.astype(object)
    cells[np.isnan(values)] = None
    return cells


def ratio_columns(name: str, found: tuple[Floats, Floats], place: Place) -> Row:
    """Return a ratio and its error; blank where there is none."""
    value, width = (error(part[place]) for part in found)
    return {name: value, f"{name}_se": width}


def share_columns(name: str, found: tuple[Floats, Floats, Floats] | None, place: Place) -> Row:
    """Return a probability and the ends of its interval; blank where it is not asked for."""
    keys = (name, f"{name}_low", f"{name}_high")
    if found is None:
        return dict.fromkeys(keys)
    return {key: float(values[place]) for key, values in zip(keys, found, strict=True)}


@dataclass(frozen=True, slots=True)
class Amounts:
    """Mean and percentiles of the amounts of a family.

    Attributes
    ----------
    means : ndarray of int64
        To the yuan.
    errors : ndarray of float64
        Their standard errors.
    percentiles : dict of int to Percentiles
        By percent; empty where the family is added up only.
    cells : ndarray of object
        All of them as they stand in a row, each with its error beside it; a row is the last axis.
    """

    means: NDArray[np.int64]
    errors: Floats
    percentiles: dict[int, Percentiles]
    cells: NDArray[Any]

    def columns(self, name: str, place: Place) -> Row:
        """Return the columns of one amount; `name` is what they begin with."""
        names = _amount_names(name, tuple(self.percentiles))
        return dict(zip(names, self.cells[place], strict=True))


@functools.cache
def _amount_names(name: str, percents: tuple[int, ...]) -> tuple[str, ...]:
    keys = (f"{name}mean_yuan", *(f"{name}p{percent}_yuan" for percent in percents))
    return tuple(f"{key}{end}" for key in keys for end in ("", "_se"))


def amounts(tally: Tally, family: str, percents: Sequence[int] = SPREAD) -> Amounts:
    """Estimate the amounts of a family; without percents, their means only."""
    found = percentiles(tally, family, percents) if percents else {}
    return with_cells(*means(tally, family), found)


def with_cells(middle: NDArray[np.int64], width: Floats, found: dict[int, Percentiles]) -> Amounts:
    """Join means, their errors and percentiles, and write them as they stand in a row."""
    estimates = [(middle, width), *((one.values, one.errors) for one in found.values())]
    cells = [part for value, error in estimates for part in (value, _yuan_errors(error))]
    return Amounts(middle, width, found, np.stack(cells, axis=-1))


def _yuan_errors(widths: Floats) -> NDArray[Any]:
    """Return errors of amounts, to the yuan; None where there are none."""
    none = np.isnan(widths)
    cells = np.rint(np.where(none, 0.0, widths)).astype(np.int64).astype(object)
    cells[none] = None
    return cells


def date_columns(portfolio: Portfolio, name: str, one: Percentiles, place: Place, t: float) -> Row:
    """Return a date and its error in days; blank beyond the horizon.

    Where only the upper end of the interval lies beyond, the lower half alone tells the error.
    """
    day, low, high = int(one.values[place]), int(one.low[place]), int(one.high[place])
    if day == NEVER:
        return {name: None, f"{name}_se": None}
    days = (day - low) / t if high == NEVER else float(one.errors[place])
    return {name: portfolio.origin + datetime.timedelta(days=day), f"{name}_se": error(days)}


def student_of(tally: Tally) -> float:
    """Return Student's t for the blocks of a tally."""
    return float(student(tally.sizes))


def month_name(portfolio: Portfolio, day: int) -> str:
    """Return the month of a day, as YYYY-MM."""
    return f"{portfolio.origin + datetime.timedelta(days=day):%Y-%m}"
