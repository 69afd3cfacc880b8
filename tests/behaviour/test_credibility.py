"""credibility.md: its tables stand, those that need no runs are up to date, each change changes."""

import importlib
import re
from pathlib import Path
from typing import Any

import pytest

import sim
from sim.runs.csvfiles import read_csv

ROOT = Path(__file__).parents[2]
DOCUMENT = (ROOT / "docs/credibility.md").read_text(encoding="utf-8")


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(str(ROOT / "docs"))
    return importlib.import_module("credibility_runs")


def block(mark: str) -> str:
    found = re.findall(rf"<!-- begin: {mark} -->\n(.*?)\n<!-- end: {mark} -->", DOCUMENT, re.DOTALL)
    assert len(found) == 1, mark
    return str(found[0])


def test_every_table_stands(runs: Any) -> None:
    blocks = importlib.import_module("update_credibility").BLOCKS
    assert set(re.findall(r"<!-- begin: (\S+) -->", DOCUMENT)) == set(blocks)
    assert all(block(mark).count("\n|") > 1 for mark in blocks)


def test_drivers_are_up_to_date(runs: Any) -> None:
    """Distributions, letters and sources as the plan has them today."""
    effects = importlib.import_module("credibility_effects")
    assert effects.driver_sources(runs.Numbers(40)) == block("driver-sources")
    names = [one.name for one in sim.load_scenario(runs.BASELINE).plan.drivers]
    assert re.findall(r"^\| `(\w+)`", block("driver-effects"), re.MULTILINE) == names


def test_parameters_are_those_of_the_table(runs: Any) -> None:
    given = runs.Numbers(40).settings["parameters"]
    told = [line.split(" | ")[:2] for line in block("parameter-effects").splitlines()[4:]]
    assert told == [[f"| {one['group']}", one["name"]] for one in given]


def test_an_edit_changes_what_it_names_and_nothing_else(runs: Any, tmp_path: Path) -> None:
    path = tmp_path / "types.csv"
    path.write_text('type,slip,pay\na,"chance(0.2, fixed(0.5))",0.7\nb,,0.8\n', encoding="utf-8")
    runs.edit(path, {"column": "slip", "find": r"chance\(([\d.]+)", "times": 1.5})
    runs.edit(path, {"column": "pay", "find": r"^([\d.]+)$", "plus": -0.1})
    assert path.read_text("utf-8").split() == [
        "type,slip,pay", 'a,"chance(0.3,', 'fixed(0.5))",0.6', "b,,0.7",
    ]  # fmt: skip
    with pytest.raises(SystemExit, match="nothing matches"):
        runs.edit(path, {"column": "slip", "find": r"chunce\(([\d.]+)", "times": 1.5})


@pytest.mark.slow
def test_each_change_changes_the_plan(runs: Any) -> None:
    numbers = runs.Numbers(40)
    for one in numbers.settings["parameters"]:
        after = runs.edited(one, numbers.baseline).plan
        before = numbers.baseline.plan
        parts = (
            "types", "gates", "risks", "states", "levers", "deflation", "dependence", "drivers",
        )  # fmt: skip
        assert any(getattr(after, part) != getattr(before, part) for part in parts), one["name"]
        filed = [[(p.id, p.total, p.annual_plan, p.planned_start, p.planned_finish)
                  for p in plan.projects] for plan in (before, after)]  # fmt: skip
        assert filed[0] == filed[1]


def test_calibration_is_told_as_it_was_found() -> None:
    """The table of calibration.md holds what parameters.csv holds."""
    document = (ROOT / "docs/calibration.md").read_text(encoding="utf-8")
    (table,) = re.findall(
        r"<!-- begin: posterior -->\n(.*?)\n<!-- end: posterior -->", document, re.DOTALL
    )
    told = [line.strip("| ").split(" | ") for line in table.splitlines()[2:]]
    found = read_csv(ROOT / "scenarios/luoyang-2021/calibration/parameters.csv")
    assert len(told) == len(found)
    for cells, one in zip(told, found, strict=True):
        for cell, (mean, sd) in zip(
            cells[1:4], (("prior_mean", "prior_sd"), ("class_mean", "class_sd"), ("mean", "sd")),
            strict=True,
        ):  # fmt: skip
            assert cell == f"{float(one[mean]):.3f} ± {float(one[sd]):.3f}"
        assert cells[4] == f"{float(one['p5']):.3f} to {float(one['p95']):.3f}"
