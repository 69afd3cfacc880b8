"""From the tables of drivers.toml to frozen drivers."""

from __future__ import annotations

import datetime
import math
from collections.abc import Iterable, Iterator, Mapping
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
from sim.plan.rows import Dependence, Driver, DriverCorrelation, Exposure, MonthDay

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
    tables: dict[str, DriverTable | None] = {}
    shared: DependenceTable | None = None
    for name, table in file.values.items():
        if name == "dependence":
            shared = shape(DependenceTable, table, file, problems, (name,))
        elif name in (*BUILT_IN_UNCERTAINTIES, "all"):
            reason = Told("此名已保留", "the name is taken by the model itself")
            problems.append(_bad(file, name, "", "", reason))
        else:
            one = tables[name] = shape(DriverTable, table, file, problems, (name,))
            driver = _driver(name, one, file, converter, states[name], problems) if one else None
            if driver is not None:
                drivers.append(driver)
    dependence = Dependence()
    if shared is not None:
        dependence = _dependence(shared, tables, file, problems)
    return tuple(sorted(drivers, key=lambda driver: driver.name)), dependence


def _dependence(
    table: DependenceTable,
    drivers: Mapping[str, DriverTable | None],
    file: TomlFile,
    problems: list[Problem],
) -> Dependence:
    if math.fsum((table.city, table.type, table.programme, table.funding)) > 1:
        reason = Told("份额合计超过 1", "the shares sum to more than 1")
        problems.append(_bad(file, "dependence", "", "", reason))
    return Dependence(
        city=table.city,
        type=table.type,
        programme=table.programme,
        funding=table.funding,
        enterprise=table.enterprise,
        repair=table.repair,
        drivers=_correlated(table.drivers, drivers, file, problems),
    )


def _correlated(
    entries: Iterable[Any],
    drivers: Mapping[str, DriverTable | None],
    file: TomlFile,
    problems: list[Problem],
) -> tuple[DriverCorrelation, ...]:
    """Check correlations of drivers; neither their order nor that of a pair counts."""
    found: dict[tuple[str, str], float] = {}
    for entry in entries:
        reason = None
        if not _is_triple(entry):
            reason = Told(
                '每项写成 ["因素甲", "因素乙", -0.5]，系数 -1 至 1',
                'each is written ["one", "other", -0.5], with a correlation of -1 to 1',
            )
        elif entry[0] == entry[1]:
            reason = Told("两个须是不同的因素", "the two must be different drivers")
        elif (pair := (min(entry[:2]), max(entry[:2]))) in found:
            reason = Told("这一对已写过", "the pair stands there already")
        else:
            found[pair] = float(entry[2])
        if reason is not None:
            shown = ", ".join(map(str, entry)) if isinstance(entry, list) else entry
            problems.append(_bad(file, "dependence", "drivers", shown, reason))
    named = sorted({name for pair in found for name in pair})
    problems.extend(_not_correlated(named, drivers, file))
    return tuple(DriverCorrelation(a, b, found[a, b]) for a, b in sorted(found))


def _is_triple(entry: object) -> bool:
    if not (isinstance(entry, list) and len(entry) == 3):
        return False
    a, b, correlation = entry
    named = isinstance(a, str) and isinstance(b, str)
    return named and _is_number(correlation) and -1 <= correlation <= 1


def _not_correlated(
    names: Iterable[str], drivers: Mapping[str, DriverTable | None], file: TomlFile
) -> Iterator[Problem]:
    """Tell of drivers that are not there, or of which there is not one draw a replication."""
    column = "dependence.drivers"
    row = file.row(column.split("."))
    for name in names:
        if name not in drivers:
            what: dict[str, object] = {
                "what": Told("因素", "driver"), "nearest": nearest(name, drivers),
            }  # fmt: skip
            yield Problem("unknown_reference", file.name, row, column, name, what)
        elif (why := _drawn_more_than_once(drivers[name])) is not None:
            yield Problem("not_drawn_once", file.name, row, column, name, {"why": why})


def _drawn_more_than_once(table: DriverTable | None) -> Told | None:
    """Say what a driver is drawn for; None where it is drawn once, or its table is faulty."""
    if table is None:
        return None
    if table.acts_on == "calendar":
        return Told("每次停工各抽一次", "anew for each stop")
    if table.acts_on in _MONEY_ROOMS:
        return Told("每年各抽一次", "anew for each year")
    return Told("各县区各抽一次", "anew for each county") if table.scope == "county" else None


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
    each = None
    if table.each is not None:
        each = _distribution(name, "each", table, file, converter, problems)
        if table.acts_on == "calendar" or table.acts_on in _MONEY_ROOMS:
            reason = Told(
                "只有作用于项目的可以各项目再各自抽取",
                "projects draw of their own only where a driver acts on projects",
            )
            problems.append(_bad(file, name, "each", table.each, reason))
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
        each=each,
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
