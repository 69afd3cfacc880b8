"""Residuals: what the causes that are simulated leave of published reference classes.

A reference class shows how works of a kind fared, through every cause at once. Where a cause is
simulated by itself, its part must not be drawn a second time: plan.toml says what each leaves.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import fields, replace
from math import log, prod

import numpy as np

from sim.plan.configuration import DeflationTable, TomlFile, deflating, shape
from sim.plan.language import Distribution
from sim.plan.problems import Problem, nearest
from sim.plan.quantiles import median
from sim.plan.rows import Deflation, ProjectType

_TABLE = "deflation"
QUANTITIES = tuple(one.name for one in fields(Deflation))


def read_deflation(
    file: TomlFile, states: Iterable[str] | None, problems: list[Problem]
) -> dict[str, Deflation]:
    """Check the table [deflation] of plan.toml.

    Parameters
    ----------
    file : TomlFile
        As read, with every change applied.
    states : iterable of str or None
        Names of all uncertainties; None where drivers.toml could not be read, so that nobody
        knows.
    problems : list of Problem
        What is found wrong is appended here.

    Returns
    -------
    dict of str to Deflation
        By cause, of the tables that are well-formed.
    """
    tables = file.values.get(_TABLE, {})
    if not isinstance(tables, dict):
        return {}  # told with the other keys of the file
    causes = None if states is None else deflating(states)
    found = {}
    for cause, table in tables.items():
        if causes is not None and cause not in causes:
            row, column = file.row([_TABLE, cause]), f"{_TABLE}.{cause}"
            details: dict[str, object] = {"nearest": nearest(cause, causes)}
            problems.append(Problem("no_cause", file.name, row, column, cause, details))
            continue
        checked = shape(DeflationTable, table, file, problems, (_TABLE, cause))
        if checked is not None:
            found[cause] = Deflation(**checked.model_dump())
    return found


def in_force(deflation: Mapping[str, Deflation], states: Mapping[str, str]) -> Deflation:
    """Return what all causes that are not off leave together: the products of their factors."""
    acting = [one for cause, one in sorted(deflation.items()) if states.get(cause) != "off"]
    return Deflation(**{name: prod(getattr(one, name) for one in acting) for name in QUANTITIES})


def deflated_type(one: ProjectType, left: Deflation) -> ProjectType:
    """Return a type with its residuals deflated; the same object where nothing is to be done."""
    if left == Deflation():
        return one
    return replace(
        one,
        duration=deflated_multiplier(one.duration, left.duration_excess, left.duration_spread),
        cost=deflated_multiplier(one.cost, left.cost_excess, left.cost_spread),
        slip=deflated_slip(one.slip, left.slip),
        no_start=one.no_start * left.no_start,
    )


def deflated_multiplier(given: Distribution, excess: float, spread: float) -> Distribution:
    """Bring a multiplier's median nearer to 1, and its draws nearer to the median.

    Parameters
    ----------
    given : Distribution
        Of a multiplier. A single number, and what stands in days or amounts, is returned as it is:
        it is somebody's statement and no reference class.
    excess : float
        In (0, 1]. The median m becomes 1 + excess x (m - 1).
    spread : float
        In (0, 1]. Factor on the deviation from the median.

    Returns
    -------
    Distribution
        Of the same family.

    Notes
    -----
    The deviation is that of logarithms for the lognormal and for the Weibull family: with new
    median n, a draw x becomes n (x / m)^spread. The tail of a lognormal is not touched: it stands
    for works that run away for reasons of their own; only where the median rises does it keep its
    distance. Of the gamma family, which no power of a draw belongs to, the coefficient of
    variation is multiplied. All others are moved and shrunk on a straight line: x becomes
    n + spread x min(1, n / m) x (x - m), which is the deviation as a share of the median where
    the median falls, and never leads below 0 nor widens. With one factor f for both and a median
    of 1 that is 1 + f (x - 1).
    """
    if excess == spread == 1 or given.name == "fixed" or given.unit:
        return given
    middle = median(given)
    new = 1 + excess * (middle - 1)
    values = given.parameters
    match given.name:
        case "lognormal":
            _, sigma, tail, tail_from, alpha, cap = values
            risen = max(1.0, new / middle)
            return _with(given, new, spread * sigma, tail, tail_from * risen, alpha, cap * risen)
        case "exponential":
            return _weibull(new, 1 / spread)
        case "weibull":
            return _weibull(new, values[0] / spread)
        case "gamma":
            exponent = values[0] / spread**2
            return _with(given, exponent, new / median(Distribution("gamma", (exponent, 1.0))))
        case "chance":
            raise ValueError("a multiplier has no chance to be 0")
    if new < middle:
        return _on_a_line(given, (1 - spread) * new, spread * new / middle)
    return _on_a_line(given, new - spread * middle, spread)


def deflated_slip(given: Distribution, factor: float) -> Distribution:
    """Make slips rarer; where a distribution has no probability of a slip, make them shorter.

    `chance(p, D)` becomes `chance(factor x p, D)`: approvals and money that are simulated take
    away whole slips, and what slips for other reasons slips as long as ever. The days of any other
    distribution are multiplied by the factor; a single number is left as it is.
    """
    if factor == 1 or given.name == "fixed":
        return given
    values = given.parameters
    match given.name:
        case "chance":
            return replace(given, parameters=(factor * values[0],))
        case "lognormal":
            middle, sigma, tail, tail_from, alpha, cap = values
            return _with(
                given, factor * middle, sigma, tail, factor * tail_from, alpha, factor * cap
            )
        case "exponential":
            return _with(given, factor * values[0])
        case "weibull" | "gamma":
            return _with(given, values[0], factor * values[1])
    return _on_a_line(given, 0.0, factor)


def _with(given: Distribution, *values: float) -> Distribution:
    return replace(given, parameters=tuple(map(float, values)))


def _weibull(middle: float, exponent: float) -> Distribution:
    """Return the Weibull distribution of a median and a shape."""
    return Distribution("weibull", (exponent, middle / log(2) ** (1 / exponent)))


def _on_a_line(given: Distribution, start: float, slope: float) -> Distribution:
    """Return the distribution of start + slope x draw, for families that straight lines keep."""
    values = np.asarray(given.parameters)
    if given.name == "discrete":
        half = len(values) // 2
        return _with(given, *(start + slope * values[:half]), *values[half:])
    moved = start + slope * values
    if given.name == "normal":
        moved[1] = slope * values[1]
    return _with(given, *moved)
