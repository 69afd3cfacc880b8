"""An owner's own records of planned and actual figures, and the types they are held against."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from sim.plan.cells import Converter
from sim.plan.language import Distribution
from sim.plan.problems import InputError, Level, Problem, Told, errors_of, nearest, nearest_place
from sim.plan.quantiles import quantile
from sim.plan.tables import RawTable, fields_of, read_table

TYPES = "types.csv"
_WRITTEN = ("duration", "cost", "source")
FEWEST = 5
"""Finished records below which one is told that they are few."""
_ODD, _IMPOSSIBLE = 10.0, 1000.0
"""Beyond so many times one of two figures may be in another unit; beyond so many it must be."""
_SCORE = 0.8416212335729143
"""Normal score of 80 %."""


@dataclass(frozen=True, slots=True)
class Group:
    """The records of one type and measure.

    Attributes
    ----------
    type, measure : str
        Code of the type; `duration` or `cost`.
    finished, running : tuple of float
        Ratios of actual to planned; of running projects so far.
    reference : Distribution or None
        The lognormal that the type has for this measure; None where it has no spread, which is no
        reference class.
    given : str
        The cell as it stands; empty where there is none.
    approximated : bool
        Whether the cell holds another family, which the reference shares median and P80 with.
    """

    type: str
    measure: str
    finished: tuple[float, ...]
    running: tuple[float, ...]
    reference: Distribution | None
    given: str
    approximated: bool


@dataclass(frozen=True, slots=True)
class History:
    """Records by type and measure, and the table that they are to replace cells of.

    Attributes
    ----------
    groups : tuple of Group
        In the order of the types, durations first.
    types : tuple of dict
        Rows of types.csv as text, columns in English; of a plan without one, a row a type.
    warnings : tuple of Problem
        What is odd but stops nothing.
    """

    groups: tuple[Group, ...]
    types: tuple[Mapping[str, str], ...]
    warnings: tuple[Problem, ...]


def read_history(path: Path, plan: Path) -> History:
    """Read records and the types.csv of a plan folder, and check both.

    Parameters
    ----------
    path : Path
        CSV file; columns in `fields.csv` under `history`.
    plan : Path
        Folder whose types.csv holds the reference classes; without the file there are none.

    Raises
    ------
    InputError
        With every problem found, if any of them is an error.
    """
    problems: list[Problem] = []
    raw = read_table(path, "history", problems)
    rows = Converter(path.parent, "元", problems).rows(raw, "history")
    if raw.whole and not raw.rows:
        problems.append(Problem("no_records", raw.file))
    if not plan.is_dir():
        near: dict[str, object] = {"nearest": nearest_place(plan)}
        problems.append(Problem("missing_folder", str(plan), details=near))
    there = (plan / TYPES).exists()
    types = read_table(plan / TYPES, "types", problems) if there else RawTable(TYPES)
    held = {row["type"]: row for row in Converter(plan, "元", problems).rows(types, "types") if row}
    ratios: dict[tuple[str, str], tuple[list[float], list[float]]] = {}
    for number, row in zip(raw.numbers, rows, strict=True):
        if row is None:
            continue
        if there and types.whole:
            _check_type(raw.file, number, row["type"], types, problems)
        ratio = _ratio(raw.file, number, row, problems)
        if ratio is not None:
            kept = ratios.setdefault((row["type"], row["measure"]), ([], []))
            kept[row["status"] == "running"].append(ratio)
    if errors_of(problems):
        raise InputError(problems)
    texts = _texts(types, sorted({one for one, _ in ratios}))
    order = {row["type"]: position for position, row in enumerate(texts)}
    groups = tuple(
        _group(one, measure, ratios[one, measure], held.get(one), texts[order[one]])
        for one, measure in sorted(ratios, key=lambda key: (order[key[0]], key[1] == "cost"))
    )
    problems.extend(_few(raw.file, group) for group in groups if len(group.finished) < FEWEST)
    return History(groups, texts, tuple(problems))


def check_place(out: Path, plan: Path) -> None:
    """Refuse to write over the plan's own types.csv.

    Raises
    ------
    InputError
        If that is where the result would go.
    """
    if (out / TYPES).resolve() == (plan / TYPES).resolve():
        raise InputError([Problem("own_input", TYPES)])


def _texts(types: RawTable, without: Iterable[str]) -> tuple[Mapping[str, str], ...]:
    """Return rows with every column that is to be written; without a table, a row a type."""
    rows = types.rows or [{"type": one} for one in without]
    columns = [name for name in fields_of("types") if name in rows[0] or name in _WRITTEN]
    return tuple({name: row.get(name, "") for name in columns} for row in rows)


def _check_type(file: str, number: int, one: str, types: RawTable, problems: list[Problem]) -> None:
    names = {row["type"] for row in types.rows}
    if one not in names:
        what = Told("类型", "type")
        details: dict[str, object] = {"what": what, "nearest": nearest(one, names)}
        problems.append(Problem("unknown_reference", file, number, "type", one, details))


def _ratio(
    file: str, number: int, row: Mapping[str, object], problems: list[Problem]
) -> float | None:
    planned, actual = row["planned"], row["actual"]
    assert isinstance(planned, float)
    assert isinstance(actual, float)
    running = row["status"] == "running"
    wrong = [
        name
        for name, value in (("planned", planned), ("actual", actual))
        if value == 0 and not (running and name == "actual")
    ]
    for name in wrong:
        problems.append(Problem("not_above_zero", file, number, name, "0"))
    if wrong:
        return None
    ratio = actual / planned
    if ratio > _ODD or (ratio < 1 / _ODD and not running):
        details: dict[str, object] = {"ratio": f"{ratio:.3g}"}
        within = 1 / _IMPOSSIBLE <= ratio <= _IMPOSSIBLE
        level: Level = "warning" if within else "error"
        problems.append(Problem("odd_ratio", file, number, "actual", f"{actual:g}", details, level))
    return ratio


def _group(
    one: str,
    measure: str,
    ratios: tuple[list[float], list[float]],
    cells: Mapping[str, object] | None,
    text: Mapping[str, str],
) -> Group:
    given = cells[measure] if cells is not None else None
    reference = None
    if isinstance(given, Distribution):
        reference = _as_lognormal(given)
    return Group(
        one, measure, tuple(ratios[0]), tuple(ratios[1]), reference, text[measure],
        approximated=reference is not None and reference is not given,
    )  # fmt: skip


def _as_lognormal(given: Distribution) -> Distribution | None:
    """Return a lognormal as it is, of another family the one of equal median and P80."""
    if given.name == "lognormal":
        return given if given.parameters[1] > 0 else None
    middle, high = (float(value) for value in quantile(given, [0.5, 0.8]))
    if not 0 < middle < high:
        return None
    sigma = math.log(high / middle) / _SCORE
    return Distribution("lognormal", (middle, sigma, 0.0, 1.5, 3.0, 5.0))


def _few(file: str, group: Group) -> Problem:
    """Tell that the finished records are few, and what follows."""
    about: dict[str, object] = {
        "type": group.type,
        "measure": Told({"duration": "工期", "cost": "投资"}[group.measure], group.measure),
        "count": len(group.finished) or len(group.running),
        "fewest": FEWEST,
    }
    if not group.finished:
        return Problem("none_finished", file, None, "type", group.type, about, "warning")
    if group.reference is None:
        return Problem("no_reference", file, None, "type", group.type, about, "warning")
    return Problem("few_records", file, None, "type", group.type, about, "warning")
