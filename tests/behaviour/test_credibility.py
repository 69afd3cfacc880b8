"""credibility.md: its tables stand, those that need no runs are up to date, each change changes."""

import importlib
import re
from pathlib import Path
from typing import Any

import pytest

import sim

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
        parts = ("types", "gates", "risks", "states", "levers", "deflation", "dependence")
        assert any(getattr(after, part) != getattr(before, part) for part in parts), one["name"]
        filed = [[(p.id, p.total, p.annual_plan, p.planned_start, p.planned_finish)
                  for p in plan.projects] for plan in (before, after)]  # fmt: skip
        assert filed[0] == filed[1]
