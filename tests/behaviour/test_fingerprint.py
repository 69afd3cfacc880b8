"""What names a run: all that its numbers depend on, and nothing else (contract, run folder)."""

import dataclasses
import importlib.metadata
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

import sim
from tests.plans import replaced, write_plan
from tests.worlds import Row, project, write_world

ROOT = Path(__file__).parents[2]
ROWS = [
    project("A", "2021-01-01", "2021-10-31", 1_234, 1_234, type="t", rank=1),
    project("B", "2021-03-01", "2022-06-30", 800, 300, type="t", rank=2),
    project("C", "2021-07-01", "2022-12-31", 700, 200, rank=3),
]
TYPES: list[Row] = [{"type": "t", "duration": "uniform(0.9, 1.2)"}, {"type": "u"}]
DRIVERS = """
[prices]
title = "p"
distribution = "uniform(0.9, 1.1)"
stress = "uniform(1, 1.3)"
acts_on = "cost"

[flood]
title = "f"
distribution = "fixed(9)"
acts_on = "calendar"
window = ["06-25", "08-25"]
probability = 0.5

[dependence]
city = 0.2
"""
SCENARIO = '[about]\ntitle = "a"\n[run]\nseed = 5\nreplications = 1\n'


def world(folder: Path, rows: list[Row] = ROWS, scenario: str = SCENARIO) -> Path:
    """Write the plan and a scenario on it."""
    settings = "horizon = 2022-12-31"
    plan = write_world(folder / "plan", rows, settings, DRIVERS, types=TYPES)
    (plan / "base.toml").write_text(scenario, encoding="utf-8")
    return plan


def name_of(
    plan: Path,
    *changes: str,
    file: str = "base.toml",
    seed: int | None = None,
    replications: int | None = None,
) -> str:
    """Run a scenario and return the name of its folder."""
    scenario = sim.load_scenario(plan / file, changes)
    run = sim.simulate(scenario, seed=seed, replications=replications)
    return sim.write_run(run, plan.parent / "runs").folder.name


@pytest.mark.parametrize(
    "change",
    [
        "projects.A.total=1235",
        "projects.B.annual_plan=301",
        "projects.B.planned_finish=2022-07-01",
        "projects.C.name=other",
        'types.t.duration="uniform(0.9, 1.3)"',
        "types.u.pay_lag_days=30",
        "uncertainties.prices=off",
        "uncertainties.prices=stress",
        "uncertainties.flood.probability=0.6",
        "uncertainties.slip=off",
        "uncertainties.dependence.city=0.3",
        "deflation.flood.duration_spread=0.9",
    ],
)
def test_one_changed_input_is_another_run(tmp_path: Path, change: str) -> None:
    plan = world(tmp_path)
    assert name_of(plan, change) != name_of(plan)


@pytest.fixture(scope="module")
def of_all_tables(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Name of a run of the plan that uses every table."""
    return named(tmp_path_factory.mktemp("all"), {})


def named(folder: Path, changed: Mapping[str, str]) -> str:
    """Run the plan that uses every table, with some of them changed."""
    plan = write_plan(folder / "plan", changed)
    (plan / "base.toml").write_text(SCENARIO, encoding="utf-8")
    return name_of(plan)


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("plan.toml", "target = 1200", "target = 1201"),
        ("plan.toml", "交通", "运输"),
        ("projects.csv", "2022-03-31", "2022-04-01"),
        ("costs.txt", "1.3", "1.4"),
        ("accounts.csv", "900\nA2", "901\nA2"),
        ("releases.csv", "2021-02-15", "2021-02-16"),
        ("types.csv", "fixed(30)", "fixed(31)"),
        ("gates.csv", '"uniform(5, 20)"', '"uniform(5, 21)"'),
        ("windows.csv", "W1,自然资源窗口,2", "W1,自然资源窗口,3"),
        ("calendar.csv", "02-28,0.2", "02-28,0.3"),
        ("drivers.toml", "triangular(18, 25, 35)", "triangular(18, 25, 36)"),
        ("risks.csv", "0.1", "0.2"),
        ("commitments.csv", "km,2022-12-31", "km,2022-12-30"),
        ("correlations.csv", "P3,P4,0.3", "P3,P4,0.2"),
    ],
)
def test_a_cell_of_every_table(
    tmp_path: Path, of_all_tables: str, file: str, old: str, new: str
) -> None:
    assert named(tmp_path, replaced(file, old, new)) != of_all_tables


def test_seed_replications_and_sampling(tmp_path: Path) -> None:
    plan = world(tmp_path)
    names = [
        name_of(plan), name_of(plan, seed=6), name_of(plan, seed=0),
        name_of(plan, replications=2), name_of(plan, seed=1, replications=5),
        name_of(plan, "run.sampling=plain"),
    ]  # fmt: skip
    assert len(set(names)) == len(names)
    # It does not matter who asked for them.
    assert name_of(plan, "run.seed=6") == name_of(plan, seed=6)
    assert name_of(plan, "run.replications=2") == name_of(plan, replications=2)


def test_engine(tmp_path: Path) -> None:
    run = sim.simulate(sim.load_scenario(world(tmp_path) / "base.toml"))
    other = dataclasses.replace(run, engine="reference")
    first, second = (sim.write_run(one, tmp_path / "runs") for one in (run, other))
    assert first.folder != second.folder


def test_name_and_title_of_the_scenario(tmp_path: Path) -> None:
    plan = world(tmp_path)
    (plan / "other.toml").write_text(SCENARIO, encoding="utf-8")
    (plan / "retitled").mkdir()
    (plan / "retitled" / "base.toml").write_text(
        'plan = ".."\n' + SCENARIO.replace('"a"', '"b"'), encoding="utf-8"
    )
    names = {name_of(plan, file=file) for file in ("base.toml", "other.toml", "retitled/base.toml")}
    assert len(names) == 3


@pytest.mark.parametrize("library", ["numpy", "scipy", "simpy", "holidays"])
def test_versions_of_numeric_libraries(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, library: str
) -> None:
    plan = world(tmp_path)
    before, version = name_of(plan), importlib.metadata.version
    other = {library: "0.0.1"}
    monkeypatch.setattr(importlib.metadata, "version", lambda name: other.get(name, version(name)))
    assert name_of(plan) != before


class TestTheSame:
    """Nothing that the numbers do not depend on."""

    def test_rows_and_columns_in_another_order(self, tmp_path: Path) -> None:
        """Ranks are given, so rows may stand anywhere."""
        turned: list[Row] = [dict(reversed(list(row.items()))) for row in reversed(ROWS)]
        assert name_of(world(tmp_path / "a")) == name_of(world(tmp_path / "b", turned))

    def test_another_order_of_types(self, tmp_path: Path) -> None:
        first, second = world(tmp_path / "a"), world(tmp_path / "b")
        lines = (second / "types.csv").read_text(encoding="utf-8").splitlines()
        text = "\n".join([lines[0], *reversed(lines[1:])]) + "\n"
        (second / "types.csv").write_text(text, encoding="utf-8")
        assert name_of(first) == name_of(second)

    def test_comments_blank_rows_and_ways_to_write_a_number(self, tmp_path: Path) -> None:
        first = world(tmp_path / "a")
        second = world(tmp_path / "b", scenario="# why\n" + SCENARIO.replace("= 5", "=  5 # luck"))
        for name in ("plan.toml", "drivers.toml"):
            text = (second / name).read_text(encoding="utf-8")
            (second / name).write_text(f"# a comment\n\n{text}", encoding="utf-8")
        text = (second / "projects.csv").read_text(encoding="utf-8")
        assert text.count("1234,1234") == 1
        text = text.replace("1234,1234", '"1,234",1.234e3').replace("2021-01-01", "2021/1/1")
        (second / "projects.csv").write_text("\ufeff" + text + ",,,,,,,\n", encoding="utf-8")
        assert name_of(first) == name_of(second)

    def test_folder_and_other_libraries(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        first = name_of(world(tmp_path / "a"))
        version = importlib.metadata.version
        other = {"polars": "0.0.1", "matplotlib": "0.0.1"}
        monkeypatch.setattr(
            importlib.metadata, "version", lambda name: other.get(name, version(name))
        )
        assert name_of(world(tmp_path / "elsewhere" / "b")) == first


SCRIPT = """
import functools, importlib.metadata, sys
sys.modules["numba"] = None  # a copy of the kernels would be compiled anew
importlib.metadata.version = functools.cache(importlib.metadata.version)  # no library changes
from pathlib import Path
import sim
from sim.runs.provenance import fingerprint, source_hash

plan, source = Path(sys.argv[1]), Path(sys.argv[2])
assert Path(sim.__file__).parent == source
scenario = sim.load_scenario(plan / "base.toml", ["run.engine=reference"])
run = sim.simulate(scenario, replications=1)

def name():
    source_hash.cache_clear()  # within one process the source is read once
    return fingerprint(run.scenario, run.seed, 1, run.sampling, run.engine)

before = name()
assert sim.write_run(run, plan.parent / "runs").folder.name == before
for file in sys.argv[3:]:
    path = source / file
    content = path.read_bytes()
    path.write_bytes(content + b"# a word more\\n")
    print(file, "same" if name() == before else "other")
    path.write_bytes(content)
assert name() == before
"""


def test_every_source_file_of_the_model(tmp_path: Path) -> None:
    """A copy of the package, one file after another changed: plan, sampling, engine, runs.

    What charts, words and comparisons make of stored numbers does not count.
    """
    copy = tmp_path / "code" / "sim"
    shutil.copytree(ROOT / "sim", copy, ignore=shutil.ignore_patterns("__pycache__", "fonts"))
    model: list[str] = []
    rest: list[str] = []
    for path in sorted(copy.rglob("*")):
        if path.suffix in (".py", ".csv", ".toml"):
            inside = path.relative_to(copy)
            of_model = inside.parts[0] in (
                "plan",
                "sampling",
                "engine",
                "runs",
                "jit.py",
                "kept.py",
            )
            (model if of_model else rest).append(inside.as_posix())
    assert {"plan/messages.toml", "plan/fields.csv", "engine/reference/city.py"} <= set(model)
    assert "analysis/reference/month_end_shares.csv" in rest
    told = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(world(tmp_path)), str(copy), *model, *rest],
        cwd=copy.parent, env=os.environ | {"PYTHONPATH": str(copy.parent)},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert told.returncode == 0, told.stderr
    found = dict(line.split() for line in told.stdout.splitlines())
    assert found == dict.fromkeys(model, "other") | dict.fromkeys(rest, "same")
