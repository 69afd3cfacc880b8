"""From the tables of drivers.toml to frozen drivers."""

from __future__ import annotations

import dataclasses
import datetime
import math
from collections.abc import Mapping
from typing import Any

from sim.plan.availability import NO_START
from sim.plan.cells import CellError, Converter, check_draws, check_factor, check_name, month_day
from sim.plan.configuration import (
    BUILT_IN_UNCERTAINTIES,
    DependenceTable,
    DriverTable,
    TomlFile,
    shape,
)
from sim.plan.language import Distribution, DistributionError
from sim.plan.problems import Problem, Told, nearest
from sim.plan.rows import Dependence, Driver, Exposure, MonthDay

_EXPOSED_BY = ("type", "season", "investor", "county", "tier", "system", "programme")
_CALENDARS_BY = ("season", "county")
"""All that a calendar tells apart."""
_MONEY_ROOMS = (
    "special_bond", "bond_delay", "fund_budget", "general_budget", "grant", "loan", "coverage",
)  # fmt: skip
_MONEY_BY = ("county", "tier")
"""All that accounts are told apart by: their county, and whether it is the city's own."""
_LARGEST_EXPOSURE = 10
_MULTIPLIER, _ADDITION, _DAYS = (0.0, 1000.0), (-1.0, 1000.0), (0.0, 3660.0)
_RANGE = {"intent": _ADDITION, "report": _ADDITION, "calendar": _DAYS, "bond_delay": _DAYS}
"""What draws may come to, by what the driver acts on; a multiplier for all others."""


def read_drivers(
    file: TomlFile, converter: Converter, states: Mapping[str, str], problems: list[Problem]
) -> tuple[tuple[Driver, ...], Dependence]:
    """Check the tables of drivers.toml.

    Parameters
    ----------
    file : TomlFile
        As read, with every change applied.
    converter : Converter
        Parses distributions.
    states : mapping of str
        State of each uncertainty.
    problems : list of Problem
        What is found wrong is appended here.
    """
    drivers = []
    dependence = Dependence()
    for name, table in file.values.items():
        if name == "dependence":
            shares = shape(DependenceTable, table, file, problems, (name,))
            if shares is not None:
                fields = {field.name for field in dataclasses.fields(Dependence)}
                dependence = Dependence(**shares.model_dump(include=fields))
                if math.fsum((shares.city, shares.type, shares.programme, shares.funding)) > 1:
                    reason = Told("份额合计超过 1", "the shares sum to more than 1")
                    problems.append(_bad(file, name, "", "", reason))
        elif name in (*BUILT_IN_UNCERTAINTIES, "all"):
            reason = Told("此名已保留", "the name is taken by the model itself")
            problems.append(_bad(file, name, "", "", reason))
        else:
            one = shape(DriverTable, table, file, problems, (name,))
            driver = _driver(name, one, file, converter, states[name], problems) if one else None
            if driver is not None:
                drivers.append(driver)
    return tuple(sorted(drivers, key=lambda driver: driver.name)), dependence


def _bad(file: TomlFile, name: str, key: str, value: object, reason: Told) -> Problem:
    path = list(filter(None, [name, *key.split(".")]))
    return Problem(
        "bad_value", file.name, file.row(path), ".".join(path), str(value), {"reason": reason}
    )


def _driver(
    name: str,
    table: DriverTable,
    file: TomlFile,
    converter: Converter,
    state: str,
    problems: list[Problem],
) -> Driver | None:
    before = len(problems)
    try:
        check_name(name)
    except CellError as error:
        row = file.row([name])
        problems.append(Problem(error.code, file.name, row, name, name, error.details))
    usual = _distribution(name, "distribution", table, file, converter, problems)
    stress = usual
    if table.stress is not None:
        stress = _distribution(name, "stress", table, file, converter, problems)
    exposure = _exposure(name, table, file, problems)
    window = None
    if table.window is not None:
        try:
            window = _window(*table.window)
        except ValueError:
            reason = Told(
                '每年一次写成 ["06-25", "08-25"]，只一次写成 [2021-07-17, 2021-07-27]，先起后止',
                'every year: ["06-25", "08-25"]; once: [2021-07-17, 2021-07-27], in order',
            )
            shown = ", ".join(map(str, table.window))
            problems.append(_bad(file, name, "window", shown, reason))
    strikes = (table.window is not None) + bool(table.cause)
    if strikes != (table.acts_on == "calendar"):
        reason = Told(
            "作用于 calendar 的须有 cause 或 window 之一，其他的都不能有",
            "a calendar driver has either a cause or a window, any other has none",
        )
        problems.append(_bad(file, name, "acts_on", table.acts_on, reason))
    if table.acts_on == "calendar" and table.exposure.get("by", "season") not in _CALENDARS_BY:
        reason = Told(
            "作用于 calendar 的只能按季节或县区", "a calendar driver goes by season or county"
        )
        problems.append(_bad(file, name, "exposure.by", table.exposure["by"], reason))
    if table.acts_on in _MONEY_ROOMS and table.exposure.get("by", "tier") not in _MONEY_BY:
        reason = Told(
            "作用于账户的只能按县区或层级（city / county）",
            "a driver of accounts goes by county, or by tier (city or county)",
        )
        problems.append(_bad(file, name, "exposure.by", table.exposure["by"], reason))
    if table.cause == NO_START:
        reason = Told(
            "no_start 是禁止开工期，不是停工原因", "no_start bans starts; it stops no work"
        )
        problems.append(_bad(file, name, "cause", table.cause, reason))
    if len(problems) > before or usual is None or stress is None:
        return None
    return Driver(
        name=name,
        title=table.title,
        title_en=table.title_en or table.title,
        distribution=usual,
        stress=stress,
        scope=table.scope,
        acts_on=table.acts_on,
        exposure=exposure,
        known_by=table.known_by,
        source=table.source,
        state=state,
        cause=table.cause,
        window=window,
        probability=table.probability,
        stress_probability=(
            table.probability if table.stress_probability is None else table.stress_probability
        ),
        availability=table.availability,
        episodes=table.episodes,
        key_works=table.key_works,
    )


def _window(
    start: str | datetime.date, end: str | datetime.date
) -> tuple[MonthDay, MonthDay] | tuple[datetime.date, datetime.date]:
    """Read a window, of every year or of one; raise ValueError where it is neither."""
    if isinstance(start, str) and isinstance(end, str):
        return month_day(start), month_day(end)
    if isinstance(start, str) or isinstance(end, str) or end < start:
        raise ValueError(start, end)
    return start, end


def _distribution(
    name: str,
    key: str,
    table: DriverTable,
    file: TomlFile,
    converter: Converter,
    problems: list[Problem],
) -> Distribution | None:
    text: str = getattr(table, key)
    try:
        parsed = converter.parse(text)
        if parsed.unit:
            raise CellError("unit_not_allowed")
        if table.acts_on not in _RANGE:
            check_factor(parsed)
        check_draws(parsed, *_RANGE.get(table.acts_on, _MULTIPLIER))
        return parsed
    except DistributionError as error:
        code: str = "not_a_distribution"
        details: dict[str, object] = {"reason": error.told}
    except CellError as error:
        code, details = error.code, error.details
    row = file.row([name, key])
    problems.append(Problem(code, file.name, row, f"{name}.{key}", text, details))
    return None


def _exposure(name: str, table: DriverTable, file: TomlFile, problems: list[Problem]) -> Exposure:
    factors: dict[str, float] = {}
    usual = {"calendar": "season"} | dict.fromkeys(_MONEY_ROOMS, "tier")
    by = table.exposure.get("by", usual.get(table.acts_on, "type"))
    if by not in _EXPOSED_BY:
        choices = ", ".join(_EXPOSED_BY)
        details: dict[str, object] = {"nearest": nearest(str(by), _EXPOSED_BY), "choices": choices}
        row = file.row([name, "exposure", "by"])
        problems.append(
            Problem("not_a_choice", file.name, row, f"{name}.exposure.by", str(by), details)
        )
    for key, factor in table.exposure.items():
        if key == "by":
            continue
        if _is_number(factor) and abs(factor) <= _LARGEST_EXPOSURE:
            factors[key] = float(factor)
        else:
            most = _LARGEST_EXPOSURE
            reason = Told(
                f"须为 -{most} 至 {most} 的数字", f"expected a number of -{most} to {most}"
            )
            problems.append(_bad(file, name, f"exposure.{key}", factor, reason))
    return Exposure(str(by), factors.pop("default", 1.0), factors)


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
