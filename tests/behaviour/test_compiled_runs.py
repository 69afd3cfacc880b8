"""Runs on the compiled engine: the same as on the reference engine, with and without a compiler."""

import dataclasses
import json
import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import sim
from sim import jit
from sim.cli import main
from sim.plan.problems import InputError
from sim.runs import crosscheck, rows, simulate, workers
from sim.runs.crosscheck import all_differences, differences, tell_again
from sim.runs.layout import build_layout
from sim.runs.outcomes import MEASURES
from sim.runs.parts import parts_of
from sim.runs.rows import prepare_runner, row_bytes, run_rows
from sim.runs.workers import simulate_batch
from sim.sampling.sampler import build_sampler
from tests.worlds import CALENDAR, DRIVERS, GATES, TYPES, project, write_world

ROOT = Path(__file__).parents[2]
ROWS = [
    project("A", "2021-03-15", "2022-06-30", 800, 300, type="road", county="south", gates="permit"),
    project("B", "2021-04-01", "2021-12-31", 900, 900, type="plant", county="north", gates="none",
            predecessors="A"),
    project("C", "2020-06-01", "2021-10-31", 500, 300, done_before_year=200, type="road",
            county="north", gates="none", stage="continuing"),
]  # fmt: skip
TIED = DRIVERS + 'drivers = [["overstatement", "understatement", -0.48]]\n'
WITHOUT = "import sys; sys.modules['numba'] = None; from sim.cli import main; main({words!r})"
"""A process in which the compiler cannot be imported."""


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("town") / "town"
    return write_world(
        folder, ROWS, "horizon = 2022-12-31", TIED, calendar=CALENDAR, gates=GATES, types=TYPES
    )


def contents(folder: Path) -> dict[str, bytes]:
    """Return the tables of a run; engine and fingerprint stand elsewhere."""
    return {path.name: path.read_bytes() for path in folder.glob("*.csv")}


@pytest.fixture(scope="module")
def short_of_money(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same with accounts, and a project in reserve, whose payments are nobody's target."""
    reserve = project("D", "2021-05-01", "2022-03-31", 600, 0, type="plant", county="north",
                      gates="none", stage="reserve")  # fmt: skip
    rows = [{**row, "funding": "G:0.3;own:0.3;L:0.4"} for row in [*ROWS, reserve]]
    accounts = [
        {"id": "G", "name": "g", "class": "general_budget", "opening": 300, "budget": 500},
        {"id": "L", "name": "l", "class": "loan", "opening": 900, "budget": 900},
    ]
    return write_world(
        tmp_path_factory.mktemp("short") / "town", rows, "horizon = 2022-12-31", TIED,
        calendar=CALENDAR, gates=GATES, types=TYPES, accounts=accounts,
    )  # fmt: skip


@pytest.mark.parametrize("plan", ["town", "short_of_money"])
def test_both_engines_write_the_same_tables(
    plan: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    found = []
    for engine in ("compiled", "reference"):
        scenario = sim.load_scenario(request.getfixturevalue(plan), [f"run.engine={engine}"])
        run = sim.simulate(scenario, replications=50, workers=2 if engine == "compiled" else 1)
        found.append(sim.write_run(run, tmp_path / engine))
    compiled, reference = found
    assert contents(compiled.folder) == contents(reference.folder)
    assert compiled.samples().equals(reference.samples())
    assert {**compiled.summary, "engine": ""} == {**reference.summary, "engine": ""}
    assert reference.manifest["cross_check"] is None
    assert compiled.manifest["cross_check"] == {
        "engine": "reference", "replications": [0, 25, 49], "agree": True, "differences": [],
    }  # fmt: skip


def test_a_difference_is_found_and_told(
    town: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    scenario = sim.load_scenario(town)
    sampler = build_sampler(sim.build_portfolio(scenario.plan), 1, "quasi")
    layout = build_layout(sampler)
    again = tell_again(prepare_runner(sampler), layout, 8)
    assert again.differs == ()
    run = simulate.simulate(scenario, replications=12, seed=1)
    assert all_differences([again], run.samples) == ()
    run.samples["finished_in_horizon"][8] += 1
    (odd,) = all_differences([again], run.samples)
    assert odd.startswith("replication 8: samples[finished_in_horizon]: ")
    usual = simulate_batch(sampler, [0, 4])
    late = usual.finish.copy()
    late[1, 2] += 1
    other = dataclasses.replace(usual, finish=late)
    assert differences(usual, other) == (f"finish[1, 2]: {late[1, 2] - 1}, {late[1, 2]}",)
    less = dataclasses.replace(usual, drivers={})
    assert differences(usual, less) == ("drivers: other names",)

    def wrong(*words: Any) -> Any:
        found = simulate_batch(*words)
        found.finish[0, 1] += 1
        return found

    monkeypatch.setattr(crosscheck, "simulate_batch", wrong)
    words = ["run", str(town), "-n", "5", "--out", str(tmp_path), "--quiet", "--lang", "en"]
    with pytest.raises(SystemExit) as ended:
        main(words)
    assert ended.value.code == 1
    assert "the two engines differ in replications [0, 2, 4]" in capsys.readouterr().err
    (manifest,) = tmp_path.glob("town/*/manifest.json")
    checked = json.loads(manifest.read_text(encoding="utf-8"))["cross_check"]
    assert not checked["agree"]
    told = [one.split(": ")[:2] for one in checked["differences"]]
    of_arrays = [words for words in told if not words[1].startswith("samples[")]
    assert of_arrays == [[f"replication {number}", "finish[0, 1]"] for number in (0, 2, 4)]


def ask(words: list[str], code: str, folder: Path) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    return subprocess.run(
        [sys.executable, "-c", code.format(words=words)], capture_output=True, text=True,
        cwd=folder, env=environment, check=False,
    )  # fmt: skip


def test_without_the_compiler_the_reference_engine_serves(town: Path, tmp_path: Path) -> None:
    words = ["run", str(town), "-n", "4", "--out", "out"]
    done = ask([*words, "--lang", "en"], WITHOUT, tmp_path)
    assert done.returncode == 0, done.stderr
    assert "numba) is not installed: the reference engine" in done.stderr
    pointer = tmp_path / "out" / "town" / "latest"
    folder = pointer.parent / pointer.read_text(encoding="utf-8").strip()
    assert json.loads((folder / "manifest.json").read_text("utf-8"))["engine"] == "reference"
    here = sim.simulate(sim.load_scenario(town), replications=4)
    assert here.engine == "compiled"
    stored = sim.write_run(here, tmp_path / "here")
    assert contents(folder) == contents(stored.folder)


def test_the_compiled_engine_asked_for_without_the_compiler(town: Path, tmp_path: Path) -> None:
    words = ["run", str(town), "-n", "4", "--engine", "compiled", "--out", "out"]
    done = ask(words, WITHOUT, tmp_path)
    assert done.returncode == 2
    assert "numba" in done.stderr
    assert not (tmp_path / "out").exists()


def test_the_library_says_so_too(town: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(simulate, "AVAILABLE", False)
    with pytest.raises(InputError) as found:
        sim.simulate(sim.load_scenario(town), replications=2)
    assert [one.code for one in found.value.problems] == ["no_compiler"]


def test_machine_code_is_kept_by_what_all_kernels_say() -> None:
    """An edit of any file that a kernel imports gives another folder."""
    sources = {path.relative_to(ROOT / "sim").as_posix() for path in jit.kernel_sources()}
    assert "engine/rules.py" in sources  # imported by kernels, itself none
    assert "sampling/layout.py" in sources
    assert {"engine/compiled/payments.py", "runs/rows.py", "sampling/normal.py"} <= sources
    decorated = re.compile(r"^@(?:jit\.)?(?:compiled|inner|inlined|scalar)$", re.MULTILINE)
    kernels = {
        path.relative_to(ROOT / "sim").as_posix()
        for path in (ROOT / "sim").rglob("*.py")
        if decorated.search(path.read_text("utf-8"))
    }
    assert len(kernels) > 15
    assert kernels <= sources
    for text in (
        "from sim.jit import (\n    compiled,\n    inner,\n)\n",
        "from sim.jit import inner\n",
    ):
        assert jit._DOOR.search(text)
    assert not {"cli.py", "runs/simulate.py", "runs/folder.py", "figures/charts.py"} & sources
    assert jit.cache_folder().name == jit.kernel_hash()


def test_first_compile_is_told_once(
    town: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for warm, told in ((False, True), (True, False)):
        monkeypatch.setattr(jit, "is_warm", lambda _, warm=warm: warm)
        with pytest.raises(SystemExit):
            main(["run", str(town), "-n", "3", "--out", str(tmp_path / str(warm))])
        assert ("首次使用：正在编译" in capsys.readouterr().err) == told


def bytes_of(town: Path, replications: int) -> int:
    sampler = build_sampler(sim.build_portfolio(sim.load_scenario(town).plan), 1)
    return replications * row_bytes(prepare_runner(sampler))


def test_no_more_room_than_is_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One project and forty years: a piece is long in replications, not in what is asked for."""
    write_world(tmp_path, ROWS[:1], "horizon = 2060-12-31", types=TYPES, gates=GATES)
    usual, asked = rows.allocate_rows, []

    def allocate(runner: Any, count: int) -> Any:
        asked.append(count)
        return usual(runner, count)

    monkeypatch.setattr(rows, "allocate_rows", allocate)
    sim.simulate(sim.load_scenario(tmp_path), replications=4)
    assert max(asked) == 4


def test_pieces_of_a_batch_do_not_matter(town: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scenario = sim.load_scenario(town)
    whole = sim.simulate(scenario, replications=90)
    monkeypatch.setattr(workers, "_PIECE", bytes_of(town, 20))
    pieces = sim.simulate(scenario, replications=90)
    assert sim.summarise(whole) == sim.summarise(pieces)
    assert np.array_equal(whole.tally.counts, pieces.tally.counts)


def test_a_piece_that_cannot_be_counted_spoils_the_run(
    town: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The last piece too: no batch is kept that is not whole."""
    monkeypatch.setattr(workers, "_PIECE", bytes_of(town, 50))
    usual, seen = workers._count, []

    def count(*words: Any) -> None:
        seen.append(1)
        if len(seen) == 2:
            raise MemoryError
        usual(*words)

    monkeypatch.setattr(workers, "_count", count)
    with pytest.raises(MemoryError):
        sim.simulate(sim.load_scenario(town), replications=90)
    assert len(seen) == 2


def test_work_space_that_was_used_before(town: Path) -> None:
    """What a replication leaves behind changes nothing in the next."""
    sampler = build_sampler(sim.build_portfolio(sim.load_scenario(town).plan), 1)
    runner = prepare_runner(sampler)
    with ThreadPoolExecutor(1) as pool:
        alone = [run_rows(prepare_runner(sampler), [k], pool) for k in (5, 9)]
        mixed = run_rows(runner, [5, 9, 5, 7, 9], pool)
    for name in ("start", "finish", "causes", "waits", "months", "year_end", "accounts"):
        values = getattr(mixed, name)
        assert np.array_equal(values[0], values[2])
        assert np.array_equal(values[1], values[4])
        assert np.array_equal(values[:2], np.concatenate([getattr(one, name) for one in alone]))


def test_parts_are_summed_by_both_engines(town: Path) -> None:
    """Any parts, overlapping stages; a project of the target may belong to none."""
    portfolio = sim.build_portfolio(sim.load_scenario(town).plan)
    sampler = build_sampler(portfolio, 1)
    names = [one.id for one in portfolio.plan.projects]
    chosen = {name: "some" if k % 3 else "others" for k, name in enumerate(names)}
    lone = next(name for k, name in enumerate(names) if portfolio.in_target[k])
    chosen[lone] = ""
    parts = parts_of(("some", "others"), [chosen[name] for name in names])
    with ThreadPoolExecutor(1) as pool:
        compiled = run_rows(prepare_runner(sampler, parts), [4, 7], pool)
    reference = simulate_batch(sampler, [4, 7], parts)
    assert compiled.part_months.shape == (2, 2, len(portfolio.month_ends))
    assert np.array_equal(compiled.part_months, reference.part_months)
    month = portfolio.year_end_month
    for part in range(2):
        own = (parts.of_project == part) & portfolio.in_target
        told = compiled.year_end[:, MEASURES.index("reported"), own].sum(axis=1)
        assert np.array_equal(compiled.part_months[:, part, month], told)
    missing = compiled.months[:, MEASURES.index("reported"), month]
    assert (compiled.part_months[:, :, month].sum(axis=1) < missing).any()


def test_threads_do_not_matter(town: Path) -> None:
    scenario = sim.load_scenario(town)
    one, three = (sim.simulate(scenario, replications=90, workers=n) for n in (1, 3))
    assert all(np.array_equal(one.samples[name], three.samples[name]) for name in one.samples)
    assert np.array_equal(one.tally.counts, three.tally.counts)
    assert np.array_equal(one.tally.low_sums, three.tally.low_sums)
