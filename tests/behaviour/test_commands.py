"""The command line as a person meets it: what is printed, written, found again, interrupted."""

import contextlib
import json
import os
import pty
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

import sim
from sim.cli import main
from sim.figures import charts
from sim.runs import simulate
from sim.runs.csvfiles import cell, read_csv
from tests.worlds import CALENDAR, DRIVERS, GATES, TYPES, Row, project, write_world

ROOT = Path(__file__).parents[2]
FILES = {
    "manifest.json", "summary.json", "projects.csv", "groups.csv", "months.csv", "stages.csv",
    "commitments.csv", "causes.csv", "correlation.csv", "samples.parquet",
    "figures/year_fan.zh.png", "figures/year_end.zh.png", "figures/causes.zh.png",
}  # fmt: skip
STATISTICS = {"mean", "mean_se", "sd", "p5", "p10", "p20", "p50", "p80", "p90", "p95"}


@pytest.fixture
def world(tmp_path: Path) -> Path:
    rows = [
        project("A", "2020-03-01", "2021-10-31", 900, 400, type="road", county="north",
                done_before_year=300, system="s1", quantity=40, unit="km"),
        project("=B", "2021-03-15", "2022-06-30", 800, 300, type="road", county="south",
                gates="land;permit", system="s2"),
    ]  # fmt: skip
    commitments: list[Row] = [
        {"id": "K1", "text": "40 km", "strength": "plan", "kind": "quantity", "projects": "A",
         "quantity": 40, "unit": "km", "deadline": "2021-12-31"},
        {"id": "K2", "text": "start B", "strength": "strive", "kind": "start", "projects": "=B",
         "deadline": "2021-12-31"},
        {"id": "K3", "text": "finish A", "strength": "must", "kind": "finish", "projects": "A",
         "deadline": "2021-12-31"},
        {"id": "K4", "text": "jobs", "strength": "must", "kind": "outside",
         "why_outside": "not construction"},
    ]  # fmt: skip
    folder = write_world(
        tmp_path / "small", rows, "target = 600", DRIVERS, calendar=CALENDAR, gates=GATES,
        types=TYPES, commitments=commitments,
    )  # fmt: skip
    (folder / "base.toml").write_text('[about]\ntitle = "小情景"\n[run]\nreplications = 12\n')
    return folder


def ask(*words: object) -> int:
    """Run a command and return its exit code."""
    with pytest.raises(SystemExit) as ended:
        main([str(word) for word in words])
    code = ended.value.code
    assert isinstance(code, int)
    return code


def run_folder(out: Path, name: str = "base") -> Path:
    """Follow the pointer to the newest run."""
    return out / name / (out / name / "latest").read_text().strip()


def written(folder: Path) -> set[str]:
    return {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()}


class TestWholeRun:
    """With charts."""

    def test_files_headline_and_pointer(
        self, world: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert ask("run", world / "base.toml", "-n", 40, "--out", tmp_path / "out") == 0
        printed = capsys.readouterr().out
        for words in (
            "小情景",
            "填报完成投资",
            "形象进度对应投资",
            "支付",
            "达标可能性",
            "八成把握",
        ):
            assert words in printed
        assert written(run_folder(tmp_path / "out")) == FILES

    def test_in_english(
        self, world: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        ask("run", world / "base.toml", "-n", 40, "--out", tmp_path, "--lang", "en")
        printed = capsys.readouterr().out
        assert "Eighty per cent sure" in printed
        assert "figures/year_fan.en.png" in written(run_folder(tmp_path))

    def test_the_same_run_finds_itself_done(
        self, world: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        words = ("run", world / "base.toml", "--out", tmp_path / "out")
        ask(*words)
        folder = run_folder(tmp_path / "out")
        before = {name: (folder / name).stat().st_mtime_ns for name in FILES}
        capsys.readouterr()
        assert ask(*words) == 0
        assert "已有结果" in capsys.readouterr().out
        assert {name: (folder / name).stat().st_mtime_ns for name in FILES} == before

    def test_without_network(
        self, world: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def refuse(*_: object, **__: object) -> None:
            raise AssertionError("a socket was opened")

        monkeypatch.setattr(socket, "socket", refuse)
        assert ask("run", world / "base.toml", "--out", tmp_path, "--workers", 1) == 0


@pytest.mark.usefixtures("no_charts")
class TestRun:
    @pytest.mark.parametrize(("language", "words"), [("zh", "不参与评分"), ("en", "never scored")])
    def test_later_knowledge_is_told(
        self,
        world: Path,
        tmp_path: Path,
        capsys: pytest.CaptureFixture[str],
        language: str,
        words: str,
    ) -> None:
        later = '[about]\ntitle = "后来"\nscored = false\n'
        (world / "later.toml").write_text(later, encoding="utf-8")
        for name, scored in (("base", True), ("later", False)):
            ask("run", world / f"{name}.toml", "-n", 2, "--out", tmp_path, "--lang", language)
            assert (words in capsys.readouterr().out) is not scored
            manifest = json.loads((run_folder(tmp_path, name) / "manifest.json").read_text("utf-8"))
            assert manifest["resolved"]["about"]["scored"] is scored

    @pytest.mark.parametrize(
        "more",
        [("--seed", 0), ("-n", 13), ("--set", "projects.A.total=901"),
         ("--set", "uncertainties.flood=stress")],
    )  # fmt: skip
    def test_what_changes_the_numbers_changes_the_folder(
        self, world: Path, tmp_path: Path, more: tuple[object, ...]
    ) -> None:
        ask("run", world / "base.toml", "--out", tmp_path, "--quiet")
        first = run_folder(tmp_path)
        ask("run", world / "base.toml", "--out", tmp_path, "--quiet", *more)
        assert run_folder(tmp_path) != first

    def test_quiet_prints_the_folder_only(
        self, world: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        ask("run", world / "base.toml", "--out", tmp_path, "--quiet")
        lines = capsys.readouterr().out.splitlines()
        assert len(lines) == 1
        assert Path(lines[0].split("：", 1)[1]) == run_folder(tmp_path)

    def test_changes_without_effect_are_told(
        self, world: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        words = ("run", world / "base.toml", "--out", tmp_path, "--quiet", "--lang", "en")
        ask(*words, "--set", "types.road.arrears_tolerance=0.3", "--set", "types.road.no_start=0.3")
        told = capsys.readouterr().err
        assert "no effect in this run: types.road.arrears_tolerance\n" in told

    def test_few_replications_claim_nothing(
        self, world: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        ask("run", world / "base.toml", "-n", 5, "--out", tmp_path)
        printed = capsys.readouterr().out
        assert "八成把握" not in printed
        assert "太少" in printed

    def test_the_most_binding_promises_come_first(
        self, world: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        ask("run", world / "base.toml", "--out", tmp_path)
        printed = capsys.readouterr().out
        assert printed.index("finish A") < printed.index("start B")

    def test_one_replication(self, world: Path, tmp_path: Path) -> None:
        assert ask("run", world / "base.toml", "-n", 1, "--out", tmp_path) == 0
        summary = json.loads((run_folder(tmp_path) / "summary.json").read_text(encoding="utf-8"))
        assert summary["year_end"]["reported"]["mean_se"] is None

    def test_progress_shows_where_a_person_is_looking(self, world: Path, tmp_path: Path) -> None:
        """On a terminal: how many are done, how many a second, and the time left."""
        ours, theirs = pty.openpty()
        command = [sys.executable, "run_sim.py", "run", str(world), "-n", "8",
                   "--out", str(tmp_path)]  # fmt: skip
        process = subprocess.Popen(
            command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=theirs,
            env=os.environ | {"TERM": "xterm", "COLUMNS": "120"},
        )  # fmt: skip
        os.close(theirs)
        seen = b""
        with contextlib.suppress(OSError):  # the terminal is gone when the process is
            while chunk := os.read(ours, 4096):
                seen += chunk
        os.close(ours)
        assert process.wait(timeout=60) == 0
        shown = seen.decode(errors="replace")
        assert "次/秒" in shown
        assert re.search(r"\d+/8", shown)

    def test_nothing_moves_where_nobody_is_looking(
        self, world: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        ask("run", world / "base.toml", "--out", tmp_path)
        assert "次/秒" not in capsys.readouterr().err

    def test_a_plan_folder_is_a_scenario_too(self, world: Path, tmp_path: Path) -> None:
        assert ask("run", world, "-n", 2, "--out", tmp_path, "--quiet") == 0
        assert run_folder(tmp_path, "small").is_dir()


@pytest.mark.usefixtures("no_charts")
class TestContents:
    @pytest.fixture
    def folder(self, world: Path, tmp_path: Path) -> Path:
        change = "types.road.pay_ratio=0.7"
        ask("run", world / "base.toml", "--out", tmp_path / "out", "--set", change, "--quiet")
        return run_folder(tmp_path / "out")

    def test_summary(self, folder: Path) -> None:
        summary = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
        assert summary["target_yuan"] == 6_000_000
        assert summary["replications"] == 12
        for measure in ("reported", "work_done", "paid"):
            found = summary["year_end"][measure]
            assert found.keys() >= STATISTICS | {"expected_shortfall", "cvar95_shortfall"}
            assert found["probability_target_met"].keys() == {"value", "low", "high"}
            assert found["p5"] <= found["p50"] <= found["p95"]
        assert summary["projects"]["count"] == 2
        for key in ("started_in_year", "finished_in_year", "finished_in_horizon"):
            assert summary["projects"][key].keys() >= STATISTICS
        assert summary["final_cost"].keys() >= STATISTICS
        assert summary["makespan_days"].keys() >= STATISTICS

    def test_manifest(self, folder: Path) -> None:
        manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
        assert manifest["changes"] == [
            {"path": "types.road.pay_ratio", "old": "0.75", "new": "0.7"}
        ]
        assert manifest["fingerprint"] == folder.name
        assert set(manifest["inputs_sha256"]) >= {"plan.toml", "projects.csv", "types.csv"}
        assert manifest["versions"]["sim"] == sim.__version__

    def test_tables_agree_with_each_other(self, folder: Path) -> None:
        stored = sim.find_run(folder)
        assert stored is not None
        samples = stored.samples()
        assert samples.height == 12
        assert (
            samples["reported_s1_yuan"] + samples["reported_s2_yuan"] == samples["reported_yuan"]
        ).all()
        in_year = stored.summary["year_end"]["reported"]
        assert sorted(samples["reported_yuan"].to_list())[5] == in_year["p50"]
        december = [row for row in stored.table("months") if row["month"] == "2021-12"]
        assert {row["measure"] for row in december} == {"reported", "work_done", "paid"}
        for row in december:
            exact = stored.summary["year_end"][row["measure"]]
            # Counted in cells of a ten-thousandth of the plan, at most.
            assert exact["p50"] <= int(row["p50_yuan"]) <= exact["p50"] + 7_000_000 / 10_000
            assert int(row["mean_yuan"]) == pytest.approx(exact["mean"], abs=0.5)
            assert float(row["p50_yuan_se"]) == pytest.approx(exact["p50_se"], rel=0.2)
        plans = {row["measure"]: row["plan_yuan"] for row in december}
        assert plans == {"reported": "7000000", "work_done": "7000000", "paid": ""}
        groups = stored.table("groups")
        for dimension in ("system", "county", "type", "stage"):
            means = [int(r["paid_mean_yuan"]) for r in groups if r["dimension"] == dimension]
            assert sum(means) == pytest.approx(stored.summary["year_end"]["paid"]["mean"], abs=3)

    def test_commitments(self, folder: Path) -> None:
        rows = {row["id"]: row for row in read_csv(folder / "commitments.csv")}
        for key in ("K1", "K2", "K3"):
            low, kept, high = (
                float(rows[key][column]) for column in ("p_kept_low", "p_kept", "p_kept_high")
            )
            assert 0 <= low <= kept <= high <= 1
        assert rows["K4"]["p_kept"] == ""
        assert rows["K4"]["why_outside"] == "not construction"
        assert float(rows["K1"]["median_quantity"]) <= 40
        assert rows["K2"]["median_date"] >= "2021-03-15"

    def test_what_lies_before_the_status_date_has_no_probability(self, tmp_path: Path) -> None:
        """Finished in an earlier year, finished in this one, begun; the last two are open."""
        rows = [
            project("OLD", "2019-03-01", "2020-10-31", 900, 0, done_before_year=900),
            project("NEW", "2021-02-01", "2021-05-31", 900, 900, done_this_year=900, stage="new",
                    gates="none"),
            project("BEGUN", "2020-03-01", "2021-10-31", 900, 400, done_before_year=300),
            project("AHEAD", "2021-08-01", "2021-12-01", 900, 300, gates="none"),
        ]  # fmt: skip
        folder = write_world(tmp_path / "plan", rows, "status_date = 2021-06-30\ntarget = 600")
        ask("run", folder, "-n", 2, "--out", tmp_path / "out", "--quiet")
        stored = read_csv(run_folder(tmp_path / "out", "plan") / "projects.csv")
        found = {row["id"]: (row["p_start_in_year"], row["p_finish_in_year"]) for row in stored}
        assert found == {
            "OLD": ("", ""), "NEW": ("", ""), "BEGUN": ("", "1"), "AHEAD": ("1", "1"),
        }  # fmt: skip

    def test_text_that_looks_like_a_formula_is_neutralised(self, folder: Path) -> None:
        content = (folder / "projects.csv").read_bytes()
        assert content.startswith(b"\xef\xbb\xbf")
        assert "'=B" in {row["id"] for row in read_csv(folder / "projects.csv")}

    @pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@x", "\tx"])
    def test_formula_cells(self, text: str) -> None:
        assert cell(text) == "'" + text

    def test_numbers_are_never_neutralised(self) -> None:
        assert (cell(-5), cell(-0.25), cell(None)) == ("-5", "-0.25", "")


class TestFailures:
    def test_a_failure_while_writing_leaves_the_batches_only(
        self, world: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
    ) -> None:  # fmt: skip
        def broken(*_: object) -> None:
            raise OSError(5, "Input/output error")

        monkeypatch.setitem(charts.CHARTS, "year_end", broken)
        assert ask("run", world / "base.toml", "--out", tmp_path / "out") == 1
        assert "Input/output error" in capsys.readouterr().err
        (left,) = written(tmp_path / "out")
        assert left.startswith("base/.partial-")
        monkeypatch.undo()
        assert ask("run", world / "base.toml", "--out", tmp_path / "out") == 0
        assert not list((tmp_path / "out" / "base").glob(".*"))

    def test_a_library_of_charts_that_does_not_load_leaves_the_batches_only(
        self, world: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
    ) -> None:  # fmt: skip
        monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
        assert ask("run", world / "base.toml", "--out", tmp_path / "out") == 1
        assert "matplotlib.figure" in capsys.readouterr().err
        (left,) = written(tmp_path / "out")
        assert left.startswith("base/.partial-")

    def test_charts_are_prepared_while_batches_run_and_not_before_one_is_there(
        self, world: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        there: list[set[str]] = []
        monkeypatch.setattr(charts, "prepare_charts", lambda: there.append(written(tmp_path)))
        words = ("run", world / "base.toml", "--out", tmp_path, "--engine", "compiled", "-n", 400)
        assert ask(*words) == 0
        (batches,) = there
        assert any(".partial-" in name for name in batches)
        assert ask(*words) == 0  # it stands already, with its charts
        assert len(there) == 1

    @pytest.mark.parametrize(
        ("standing", "blamed"),
        [("file", "."), ("file/below", ".."), ("dangling", "."), ("closed", ".")],
    )
    def test_a_place_that_takes_no_results_is_told_before_simulating(
        self, standing: str, blamed: str, world: Path, tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
    ) -> None:  # fmt: skip
        (tmp_path / "file").write_text("mine")
        (tmp_path / "dangling").symlink_to(tmp_path / "nowhere")
        out = tmp_path / standing
        if standing == "closed":
            self.close(out, monkeypatch)
        self.refuse_to_simulate(monkeypatch)
        assert ask("run", world / "base.toml", "--out", out, "--quiet") == 1
        (told,) = capsys.readouterr().err.splitlines()
        assert told.startswith(f"结果文件夹无法使用：“{Path(os.path.normpath(out / blamed))}”")
        assert ask("run", world / "base.toml", "--out", out, "--lang", "en") == 1
        assert "nothing was simulated" in capsys.readouterr().err
        assert (tmp_path / "file").read_text() == "mine"

    def close(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Make a folder that takes nothing new: root could still write into one without rights."""
        folder.mkdir()
        make = os.mkdir

        def refuse(path: str, *more: Any) -> None:
            if Path(path).parent == folder:
                raise PermissionError(13, "Permission denied", str(path))
            make(path, *more)

        monkeypatch.setattr(os, "mkdir", refuse)

    def refuse_to_simulate(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def refuse(*_: object, **__: object) -> None:
            raise AssertionError("it was simulated")

        monkeypatch.setattr(simulate, "simulate", refuse)

    @pytest.mark.usefixtures("no_charts")
    def test_who_may_read_the_run_may_read_latest(self, world: Path, tmp_path: Path) -> None:
        ask("run", world / "base.toml", "--out", tmp_path / "out", "--quiet")
        folder = run_folder(tmp_path / "out")
        modes = {
            path.stat().st_mode for path in (folder / "summary.json", folder.parent / "latest")
        }
        assert len(modes) == 1

    @pytest.mark.usefixtures("no_charts")
    @pytest.mark.parametrize("occupied", ["run", "pointer"])
    def test_names_that_the_run_needs_are_taken(
        self, occupied: str, world: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
    ) -> None:  # fmt: skip
        words = ("run", world / "base.toml", "--out", tmp_path / "out", "--quiet")
        ask(*words)
        folder = run_folder(tmp_path / "out")
        pointer = folder.parent / "latest"
        shutil.rmtree(folder)
        pointer.unlink()
        taken = folder if occupied == "run" else pointer
        if occupied == "run":
            taken.write_text("mine")
        else:
            taken.mkdir()
        self.refuse_to_simulate(monkeypatch)
        assert ask(*words) == 1
        assert str(taken) in capsys.readouterr().err
        assert taken.exists()

    def test_the_probe_leaves_no_trace(
        self, world: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        self.refuse_to_simulate(monkeypatch)
        assert ask("run", world / "base.toml", "--out", tmp_path / "deep" / "out") == 1
        assert [path.name for path in tmp_path.iterdir()] == ["small"]

    def test_a_folder_without_a_manifest_is_no_run(self, world: Path, tmp_path: Path) -> None:
        words = ("run", world / "base.toml", "--out", tmp_path / "out", "--quiet")
        ask(*words)
        folder = run_folder(tmp_path / "out")
        (folder / "manifest.json").unlink()
        (folder / "summary.json").write_text("{}")
        assert ask(*words) == 0
        assert written(folder) == FILES
        assert json.loads((folder / "summary.json").read_text(encoding="utf-8"))["year_end"]

    def test_the_slower_of_two_equal_runs_keeps_what_is_there(
        self, world: Path, tmp_path: Path
    ) -> None:
        run = sim.simulate(sim.load_scenario(world / "base.toml"), replications=3)
        first = sim.write_run(run, tmp_path)
        kept = (first.folder / "manifest.json").stat().st_mtime_ns
        second = sim.write_run(run, tmp_path)
        assert second.folder == first.folder
        assert (second.folder / "manifest.json").stat().st_mtime_ns == kept
        assert [path.name for path in (tmp_path / "base").glob(".writing-*")] == []

    def test_debug_shows_the_details(
        self, world: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def broken(*_: object) -> None:
            raise RuntimeError("broken")

        monkeypatch.setitem(charts.CHARTS, "year_end", broken)
        with pytest.raises(RuntimeError, match="broken"):
            main(["run", str(world / "base.toml"), "--out", str(tmp_path), "--debug"])

    @pytest.mark.parametrize(
        "words", [["fly"], ["run", "--nowhere"], ["run", "-n", "0"], ["replay"], ["run", "no.toml"]]
    )
    def test_wrong_words(self, words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
        assert ask(*words) == 2
        assert capsys.readouterr().err

    def test_interrupted(self, tmp_path: Path) -> None:
        """A real process, a real signal: exit code 130, one line, finished batches kept."""
        command = [sys.executable, "run_sim.py", "run", "-n", "2000", "--out", str(tmp_path)]
        process = subprocess.Popen(
            command, cwd=ROOT, stderr=subprocess.PIPE, text=True, start_new_session=True
        )
        assert process.stderr is not None
        process.stderr.readline()  # the warnings of the plan: it is loaded, the run begins
        time.sleep(2)
        os.killpg(process.pid, signal.SIGINT)
        try:
            _, told = process.communicate(timeout=60)
        finally:
            if process.poll() is None:  # it did not listen: nobody else would end it
                os.killpg(process.pid, signal.SIGKILL)
        assert process.returncode == 130, told
        match = re.search(r"已中断；已完成 (\d+) / 2,000 次", told.strip().splitlines()[-1])
        assert match, told
        assert "Traceback" not in told
        kept = [name.rpartition("/")[2].split("-") for name in written(tmp_path)]
        whole = [int(one[2].removesuffix(".sim")) - int(one[1]) + 1 for one in kept if one[1:]]
        assert sum(whole) == int(match[1])


class TestOtherCommands:
    def test_check(self, world: Path, capsys: pytest.CaptureFixture[str]) -> None:
        assert ask("check", world) == 0
        assert "检查通过" in capsys.readouterr().out

    @pytest.mark.parametrize(("language", "words"), [("zh", "审批"), ("en", "Reviews")])
    def test_order(self, language: str, words: str, capsys: pytest.CaptureFixture[str]) -> None:
        assert ask("order", "--lang", language) == 0
        assert words in capsys.readouterr().out

    def test_replay(self, world: Path, capsys: pytest.CaptureFixture[str]) -> None:
        assert ask("replay", world, "--replication", 3, "--lang", "en") == 0
        lines = capsys.readouterr().out.splitlines()
        dates = [line[:10] for line in lines[:-1]]
        assert dates == sorted(dates)
        assert any("started" in line for line in lines)
        assert any("'permit' passed" in line for line in lines)

    def test_replay_of_one_project(self, world: Path, capsys: pytest.CaptureFixture[str]) -> None:
        ask("replay", world, "--replication", 3, "--project", "A")
        lines = capsys.readouterr().out.splitlines()
        assert lines
        assert all("  A  " in line for line in lines)

    def test_replay_of_nobody(self, world: Path, capsys: pytest.CaptureFixture[str]) -> None:
        assert ask("replay", world, "--replication", 3, "--project", "Z") == 2
        assert "Z" in capsys.readouterr().err

    def test_the_documented_default_is_the_luoyang_baseline(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from sim.plan import scenario

        asked: list[Any] = []

        def remember(path: object, *_: object) -> None:
            asked.append(path)
            raise sim.InputError([])

        monkeypatch.setattr(scenario, "load_scenario", remember)
        assert ask() == 2
        assert ask("--quiet") == 2
        assert asked == ["scenarios/luoyang-2021/baseline.toml"] * 2
