"""In which direction each driver, lever and payment term moves the year: signs.csv.

The table was written before anything was run. A change and the plan without it share every draw,
so what is judged is the mean of the differences replication by replication, against its standard
error.
"""

import csv
import math
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

import sim
from sim.plan.scenario import Scenario
from sim.runs.simulate import Run
from tests.cutting import LUOYANG, cut_luoyang

Values = Mapping[str, NDArray[np.float64]]

TABLE = Path(__file__).parent / "signs.csv"
HEADLINES = {
    "reported": "reported_yuan",
    "work_done": "work_done_yuan",
    "paid": "paid_yuan",
    "arrears": "arrears_yuan",
    "final_cost": "final_cost_yuan",
    "started": "started_in_year",
    "finished": "finished_in_year",
}
COUNTIES = ("laocheng", "chanhe", "city")
"""Half of their projects are the government's, so that money matters."""
REPLICATIONS = 12
FULL_REPLICATIONS = 40
"""Of the whole plan; the share of the slow checks says of how many rows."""
ERRORS = 2
"""Standard errors that a mean may lie on the wrong side, or must lie on the right one."""
_TYPES_COLUMN = re.compile(r"types\.\*\.(\w+)=(\+?)([\d.]+)")


def rows() -> list[dict[str, str]]:
    with TABLE.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def overrides(change: str, scenario: Scenario) -> Iterator[str]:
    """Write a change of the table as paths: `types.*` is every type, `=+30` adds."""
    match = _TYPES_COLUMN.fullmatch(change)
    if match is None:
        yield change
        return
    column, added, text = match.groups()
    for kind in scenario.plan.types.values():
        value = getattr(kind, column) + int(text) if added else text
        yield f"types.{kind.type}.{column}={value}"


def headlines(run: Run) -> Values:
    columns = run.samples
    return {
        name: np.asarray(columns[column], dtype=np.float64) for name, column in HEADLINES.items()
    }


def simulated(file: Path, change: str, replications: int, workers: int | None) -> Values:
    scenario = sim.load_scenario(file)
    changed = sim.load_scenario(file, list(overrides(change, scenario)) if change else [])
    return headlines(sim.simulate(changed, replications=replications, workers=workers))


def holds(symbol: str, difference: NDArray[np.float64]) -> bool:
    """Tell whether paired differences are as a symbol of the table says."""
    mean = float(difference.mean())
    room = ERRORS * float(difference.std(ddof=1)) / math.sqrt(len(difference))
    return {
        "+": mean > room,
        "-": mean < -room,
        ">": mean >= -room,
        "<": mean <= room,
        "0": not difference.any(),
        "?": True,
    }[symbol]


def judge(row: Mapping[str, str], before: Values, after: Values) -> list[str]:
    """Return the cells that do not hold, with what was found."""
    wrong = []
    for name in HEADLINES:
        difference = after[name] - before[name]
        if not holds(row[name], difference):
            error = difference.std(ddof=1) / math.sqrt(len(difference))
            wrong.append(f"{name}: {row[name]} expected, {difference.mean():.4g} ({error:.2g})")
    return wrong


def test_the_table_is_whole() -> None:
    found = rows()
    assert len({row["change"] for row in found}) == len(found)
    for row in found:
        assert set(row) == {"change", *HEADLINES, "why"}
        assert {row[name] for name in HEADLINES} <= set("+-<>0?")
        assert row["why"]


@pytest.mark.parametrize(
    ("differences", "symbols"),
    [
        ([3.0, 4.0, 5.0, 4.0], "+>?"),
        ([-3.0, -4.0, -5.0, -4.0], "-<?"),
        ([0.0, 0.0, 0.0, 0.0], "0<>?"),
        ([5.0, -5.0, 1.0, 0.0], "<>?"),
        ([7.0, 7.0, 7.0, 7.0], "+>?"),
    ],
)
def test_symbols_tell_differences_apart(differences: list[float], symbols: str) -> None:
    assert {one for one in "+-<>0?" if holds(one, np.array(differences))} == set(symbols)


@pytest.fixture(scope="module")
def part(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Values]:
    """Return a part of the plan, and what becomes of it without any change."""
    file = cut_luoyang(tmp_path_factory.mktemp("part"), COUNTIES) / "baseline.toml"
    return file, simulated(file, "", REPLICATIONS, 1)


@pytest.mark.parametrize("row", rows(), ids=lambda row: row["change"])
def test_direction(row: dict[str, str], part: tuple[Path, Values]) -> None:
    file, before = part
    after = simulated(file, row["change"], REPLICATIONS, 1)
    assert judge(row, before, after) == []


@pytest.mark.slow
def test_directions_in_the_whole_plan(slow_share: float) -> None:
    file = LUOYANG / "baseline.toml"
    before = simulated(file, "", FULL_REPLICATIONS, None)
    wrong = {
        row["change"]: found
        for row in rows()[:: max(1, round(1 / slow_share))]
        if (found := judge(row, before, simulated(file, row["change"], FULL_REPLICATIONS, None)))
    }
    assert wrong == {}
