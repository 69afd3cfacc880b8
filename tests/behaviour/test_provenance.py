"""What a manifest says of a run is what has run: the bytes read, the scenario as it held."""

import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

import pytest

import sim
from sim.cli import main
from sim.plan.scenario import Scenario
from sim.runs import provenance
from tests.plans import FILES, replaced, write_plan

BASE = """\
plan = "../plan"
[about]
title = "基准"
question = "多少？"
[uncertainties]
prices = "stress"
[types.road]
no_start = 0.5
[run]
seed = 5
replications = 3
"""
SCENARIO = """\
base = "../bases/base.toml"
[about]
title = "应力"
date = 2021-01-15
[uncertainties.prices]
stress = "fixed(1.3)"
[projects.P4]
total = 950
"""


@pytest.fixture
def scenario(tmp_path: Path) -> Path:
    """Write a plan, a base on it elsewhere, and a scenario on the base in a third place."""
    write_plan(tmp_path / "plan")
    for name, text in (("bases/base.toml", BASE), ("mine/s.toml", SCENARIO)):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path / "mine" / "s.toml"


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def manifest_of(scenario: Scenario, out: Path, replications: int | None = None) -> dict[str, Any]:
    """Run a scenario and return the manifest as it stands on disk."""
    stored = sim.write_run(sim.simulate(scenario, replications=replications), out)
    found: dict[str, Any] = json.loads((stored.folder / "manifest.json").read_text("utf-8"))
    return found


READ = {name: sha256(text) for name, text in FILES.items()}


class TestInputs:
    def test_every_file_that_was_read_and_no_other(self, scenario: Path, tmp_path: Path) -> None:
        (tmp_path / "plan" / "other.toml").write_text(BASE, encoding="utf-8")
        (tmp_path / "plan" / "notes.csv").write_text("a,b\n", encoding="utf-8")
        manifest = manifest_of(sim.load_scenario(scenario), tmp_path / "out")
        assert manifest["inputs_sha256"] == READ | {
            "../mine/s.toml": sha256(SCENARIO),
            "../bases/base.toml": sha256(BASE),
        }

    def test_a_plan_folder_alone(self, tmp_path: Path) -> None:
        scenario = sim.load_scenario(write_plan(tmp_path / "plan"))
        assert dict(scenario.inputs) == READ

    def test_tables_that_are_not_there_have_no_hash(self, tmp_path: Path) -> None:
        folder = write_plan(tmp_path / "plan", {"correlations.csv": None, "drivers.toml": None})
        inputs = dict(sim.load_scenario(folder).inputs)
        assert READ.keys() - inputs.keys() == {"correlations.csv", "drivers.toml"}

    def test_what_was_read_counts_not_what_stands_there_later(
        self, scenario: Path, tmp_path: Path
    ) -> None:
        """Every input is edited once loaded, then all of them are gone: the run is none of that."""
        loaded = sim.load_scenario(scenario)
        for path in tmp_path.rglob("*.*"):
            path.write_bytes(path.read_bytes() + b"\n# edited\n")
        run = sim.simulate(loaded)
        for name in ("plan", "bases", "mine"):
            shutil.rmtree(tmp_path / name)
        stored = sim.write_run(run, tmp_path / "out")
        assert stored.manifest["inputs_sha256"] == READ | {
            "../mine/s.toml": sha256(SCENARIO),
            "../bases/base.toml": sha256(BASE),
        }

    def test_a_sample_is_known_by_its_place_in_the_folder(self, tmp_path: Path) -> None:
        """A sample in a folder of its own does not speak for its namesake at the top."""
        changed = replaced("projects.csv", "empirical(costs.txt)", "empirical(./past/costs.csv)")
        folder = write_plan(tmp_path / "plan", changed | {"costs.csv": "2\n"})
        (folder / "past").mkdir()
        (folder / "past" / "costs.csv").write_text("0.9\n1.3\n", encoding="utf-8")
        loaded = sim.load_scenario(folder)
        assert dict(loaded.inputs)["past/costs.csv"] == sha256("0.9\n1.3\n")
        assert [(one.code, one.file) for one in loaded.warnings] == [("unknown_file", "costs.csv")]

    def test_the_order_of_rows_leaves_the_fingerprint_but_not_the_hash(
        self, tmp_path: Path
    ) -> None:
        header, first, second, *rest = FILES["releases.csv"].splitlines()
        swapped = "\n".join([header, second, first, *rest]) + "\n"
        one = manifest_of(sim.load_scenario(write_plan(tmp_path / "a" / "plan")), tmp_path / "1",
                          replications=2)  # fmt: skip
        two = manifest_of(
            sim.load_scenario(write_plan(tmp_path / "b" / "plan", {"releases.csv": swapped})),
            tmp_path / "2", replications=2,
        )  # fmt: skip
        assert one["fingerprint"] == two["fingerprint"]
        differ = {
            name
            for name, mark in one["inputs_sha256"].items()
            if two["inputs_sha256"][name] != mark
        }
        assert differ == {"releases.csv"}


class TestResolved:
    def test_the_base_and_every_override_worked_in(self, scenario: Path, tmp_path: Path) -> None:
        loaded = sim.load_scenario(
            scenario,
            ["uncertainties.slip=off", "uncertainties.dependence.city=0.2", "types.road.slip=3",
             "run.seed=7"],
        )  # fmt: skip
        held = manifest_of(loaded, tmp_path / "out", replications=4)["resolved"]
        assert held["about"] == {
            "title": "应力", "question": "多少？", "author": "", "date": "2021-01-15",
            "source": "", "scored": True,
        }  # fmt: skip
        assert held["types"] == {"road": {"no_start": 0.5, "slip": 3}}
        assert held["projects"] == {"P4": {"total": 950}}
        assert (held["levers"], held["accounts"]) == ({}, {})
        assert held["run"] == {
            "replications": 4, "seed": 7, "sampling": "quasi", "engine": "compiled",
            "workers": None, "precision": None,
        }  # fmt: skip
        uncertainties = held["uncertainties"]
        assert uncertainties["slip"] == {"state": "off"}
        assert uncertainties["duration"] == {"state": "on"}
        assert (uncertainties["dependence"]["city"], uncertainties["dependence"]["state"]) == (
            0.2, "on",
        )  # fmt: skip
        prices = uncertainties["prices"]
        assert (prices["state"], prices["stress"]) == ("stress", "fixed(1.3)")
        assert prices["distribution"] == "normal(1.02, 0.03, 0.9, 1.2)"
        assert prices["exposure"] == {"by": "type", "default": 1.0, "road": 1.2}
        assert prices["probability"] == 1.0  # a default: what holds is said, not only what is filed

    def test_all_is_a_brush_not_an_uncertainty(self, tmp_path: Path) -> None:
        loaded = sim.load_scenario(write_plan(tmp_path / "plan"), ["uncertainties.all=off"])
        assert {table["state"] for table in loaded.uncertainties.values()} == {"off"}
        assert loaded.uncertainties.keys() == {
            "duration", "cost", "slip", "gates", "acceptance", "dependence", "risks", "money",
            "prices", "festival_stop",
        }  # fmt: skip


@pytest.mark.usefixtures("no_charts")
class TestRunOptions:
    """Overrides of run options are changes like any other."""

    def asked(self, scenario: Path, out: Path, *words: object) -> list[dict[str, str]]:
        with pytest.raises(SystemExit) as ended:
            main(["run", str(scenario), "--out", str(out), "--quiet", *map(str, words)])
        assert ended.value.code == 0
        (folder,) = (path for path in (out / "s").iterdir() if path.is_dir())
        manifest = json.loads((folder / "manifest.json").read_text("utf-8"))
        assert manifest["resolved"]["run"]["seed"] == manifest["seed"]
        assert manifest["resolved"]["run"]["replications"] == manifest["replications"]
        assert manifest["resolved"]["run"]["sampling"] == manifest["sampling"]
        summary = json.loads((folder / "summary.json").read_text("utf-8"))
        assert summary["sampling"] == manifest["sampling"]
        return [one for one in manifest["changes"] if one["path"].startswith("run.")]

    @pytest.mark.parametrize(
        ("words", "log"),
        [
            ([], []),
            (["--set", "run.seed=7"], [("run.seed", "5", "7")]),
            (["--seed", 7], [("run.seed", "5", "7")]),
            (["-n", 4], [("run.replications", "3", "4")]),
            (["--set", "run.seed=7", "--seed", 8], [("run.seed", "5", "8")]),
            (["--sampling", "plain"], [("run.sampling", "quasi", "plain")]),
            (["--workers", 1], [("run.workers", "", "1")]),
            (["--engine", "reference"], [("run.engine", "compiled", "reference")]),
        ],
    )
    def test_on_the_command_line(
        self, words: list[object], log: list[tuple[str, str, str]], scenario: Path, tmp_path: Path
    ) -> None:
        found = self.asked(scenario, tmp_path / "out", *words)
        assert [(one["path"], one["old"], one["new"]) for one in found] == log

    def test_from_python(self, scenario: Path) -> None:
        loaded = sim.load_scenario(scenario)
        run = sim.simulate(loaded, replications=2, seed=5)
        assert run.scenario.changes == (*loaded.changes, ("run.replications", "3", "2"))
        assert (run.scenario.options.replications, run.scenario.options.seed) == (2, 5)
        assert loaded.options.replications == 3

    def test_an_override_of_a_mistake(self, scenario: Path) -> None:
        scenario.write_text(SCENARIO + '[run]\nseed = "x"\n', encoding="utf-8")
        assert ("run.seed", "x", "7") in sim.load_scenario(scenario, ["run.seed=7"]).changes


def test_the_source_is_hashed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """An edit during a run is not what has run: the folder keeps the mark it began with."""
    provenance.source_hash.cache_clear()
    began = provenance.source_hash()
    monkeypatch.setattr(provenance, "_MODEL", ("plan", "engine"))
    assert provenance.source_hash() == began
    provenance.source_hash.cache_clear()
    assert provenance.source_hash() != began
    provenance.source_hash.cache_clear()
