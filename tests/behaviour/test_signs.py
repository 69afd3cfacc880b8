"""In which direction each driver, lever and payment term moves the year: signs.csv.

The table was written before anything was run; where an expectation was wrong, `why` tells what it
was. A change and the plan without it share every draw, so what is judged is the mean of the
differences replication by replication, against its standard error.

What stands under `setting`, parted by blanks, holds on both sides: theory may speak only where,
say, money is no matter (`uncertainties.money=off`).

| symbol | the difference is |
|---|---|
| `+`, `-` | above, below nothing by more than chance |
| `>`, `<` | not below, not above nothing by more than chance |
| `0` | nothing, in every replication |
| `?` | whatever it is |
"""

import csv
import math
import re
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping
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
_TYPES_COLUMN = re.compile(r"types\.\*\.(\w+)=(\+?)(\S+)")
_OF_THE_PLAN = "plan."
"""Keys of plan.toml, which no scenario may change: they are written into a copy of the plan."""


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


def rewrite(plan: Path, change: str) -> None:
    """Write a change of the table, such as `plan.adjustment_days=0`, into a plan.toml."""
    key, _, value = change.removeprefix(_OF_THE_PLAN).partition("=")
    old = plan.read_text(encoding="utf-8")
    new, found = re.subn(rf"^{key} = .*$", f"{key} = {value}", old, flags=re.MULTILINE)
    assert found == 1, change
    plan.write_text(new, encoding="utf-8")


def changed(file: Path, changes: Iterable[str]) -> Scenario:
    """Read a scenario with changes of the table, each of which sees those before it."""
    paths: list[str] = []
    with tempfile.TemporaryDirectory() as folder:
        for change in changes:
            if change.startswith(_OF_THE_PLAN):
                if file.parent != Path(folder):
                    shutil.copytree(file.parent, folder, dirs_exist_ok=True)
                    file = Path(folder) / file.name
                rewrite(file.parent / "plan.toml", change)
            else:
                paths += overrides(change, sim.load_scenario(file, paths))
        return sim.load_scenario(file, paths)


def headlines(run: Run) -> Values:
    columns = run.samples
    return {
        name: np.asarray(columns[column], dtype=np.float64) for name, column in HEADLINES.items()
    }


class Sides:
    """A plan, and what becomes of it with and without a row's change."""

    def __init__(self, file: Path, replications: int, workers: int | None) -> None:
        self._file, self._replications, self._workers = file, replications, workers
        self._before: dict[str, Values] = {}

    def judge(self, row: Mapping[str, str]) -> list[str]:
        """Return the cells of a row that do not hold, with what was found."""
        setting = row["setting"]
        if setting not in self._before:
            self._before[setting] = self._simulated(setting.split())
        return judge(row, self._before[setting], self._simulated([*setting.split(), row["change"]]))

    def _simulated(self, changes: Iterable[str]) -> Values:
        scenario = changed(self._file, changes)
        run = sim.simulate(scenario, replications=self._replications, workers=self._workers)
        return headlines(run)


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
    assert len({(row["change"], row["setting"]) for row in found}) == len(found)
    for row in found:
        assert set(row) == {"change", "setting", *HEADLINES, "why"}
        assert {row[name] for name in HEADLINES} <= set("+-<>0?")
        assert {row[name] for name in HEADLINES} != {"?"}, row["change"]
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
def part(tmp_path_factory: pytest.TempPathFactory) -> Sides:
    """Return a part of the plan."""
    file = cut_luoyang(tmp_path_factory.mktemp("part"), COUNTIES) / "baseline.toml"
    return Sides(file, REPLICATIONS, 1)


@pytest.mark.usefixtures("told_once")
@pytest.mark.parametrize("row", rows(), ids=lambda row: f"{row['change']} {row['setting']}".strip())
def test_direction(row: dict[str, str], part: Sides) -> None:
    assert part.judge(row) == []


@pytest.mark.slow
@pytest.mark.usefixtures("told_once")
def test_directions_in_the_whole_plan(slow_share: float) -> None:
    whole = Sides(LUOYANG / "baseline.toml", FULL_REPLICATIONS, None)
    wrong = {
        f"{row['change']} {row['setting']}": found
        for row in rows()[:: max(1, round(1 / slow_share))]
        if (found := whole.judge(row))
    }
    assert wrong == {}
