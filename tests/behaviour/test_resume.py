"""A run killed at any moment goes on with the same command and ends with the same bytes."""

import contextlib
import errno
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import sim
from sim.cli import main
from sim.figures import charts
from sim.runs import batches, workers
from sim.runs.batches import BatchStore
from sim.runs.folder import find_run, partial_folder
from tests.worlds import CALENDAR, DRIVERS, GATES, TYPES, project, write_world

ROOT = Path(__file__).parents[2]
REPLICATIONS = 160
# Many small batches, so that kills fall among them; a real process in all else.
CHILD = """
import sys
from sim.cli import main
from sim.runs import batches
batches._WORK.update(reference=40, compiled=160)
if __name__ == "__main__":
    main(sys.argv[1:])
"""
COMPILED = ("--engine", "compiled", "-n", 6_000)
"""Batches of twenty."""
FILE = re.compile(r"batch-(\d+)-(\d+)\.sim")


@pytest.fixture(scope="module")
def plan(tmp_path_factory: pytest.TempPathFactory) -> Path:
    rows = [
        project(f"P{i}", "2021-03-15", "2022-06-30", 800 + i, 300, type="road", county="south",
                gates="land;permit" if i % 2 else "none", system=f"s{i % 3}")
        for i in range(8)
    ]  # fmt: skip
    folder = tmp_path_factory.mktemp("plan") / "town"
    write_world(folder, rows, "target = 1500", DRIVERS, calendar=CALENDAR, gates=GATES, types=TYPES)
    (folder.parent / "child.py").write_text(CHILD)
    return folder


def command(plan: Path, out: Path, *more: object) -> list[str]:
    words: tuple[object, ...] = (plan.parent / "child.py", "run", plan, "-n", REPLICATIONS)
    words += ("--out", out, "--engine", "reference", *more)
    return [sys.executable, *map(str, words)]


def begin(plan: Path, out: Path, *more: object) -> subprocess.Popen[str]:
    """Begin a run in a process group of its own."""
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    return subprocess.Popen(
        command(plan, out, *more), cwd=plan.parent, env=environment, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True,
    )  # fmt: skip


def end(process: subprocess.Popen[str], within: float = 120) -> str:
    """Wait for a run to end well and return what it said."""
    try:
        printed, told = process.communicate(timeout=within)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    assert process.returncode == 0, told
    assert "Traceback" not in told
    return printed + told


def batch_files(out: Path) -> list[Path]:
    with contextlib.suppress(FileNotFoundError):  # the run has just ended
        return list(out.glob("town/.partial-*/batch-*"))
    return []


def kept(out: Path) -> dict[str, bytes]:
    """Return the finished batches, by name."""
    found = {}
    for path in batch_files(out):
        with contextlib.suppress(FileNotFoundError):  # the run has just ended
            found[path.name] = path.read_bytes()
    return found


def content(out: Path) -> dict[str, bytes]:
    """Return every file of every run, without timings; nothing else may stand beside them."""
    files = {}
    for path in sorted((out / "town").rglob("*")):
        if path.is_file():
            name = path.relative_to(out).as_posix()
            files[name] = path.read_bytes()
            if path.name == "manifest.json":
                manifest = json.loads(files[name])
                del manifest["timing"]
                manifest["changes"] = [
                    one for one in manifest["changes"] if one["path"] != "run.workers"
                ]
                del manifest["resolved"]["run"]["workers"]
                files[name] = json.dumps(manifest).encode()
    return files


@dataclass(frozen=True)
class Undisturbed:
    """What a run comes to that nobody kills, and how long it takes."""

    files: dict[str, bytes]
    seconds: float


@pytest.fixture(scope="module")
def undisturbed(plan: Path, tmp_path_factory: pytest.TempPathFactory) -> Undisturbed:
    return left_alone(plan, tmp_path_factory.mktemp("whole"))


@pytest.fixture(scope="module")
def compiled(plan: Path, tmp_path_factory: pytest.TempPathFactory) -> Undisturbed:
    end(begin(plan, tmp_path_factory.mktemp("warm"), *COMPILED))
    return left_alone(plan, tmp_path_factory.mktemp("whole"), *COMPILED)


def left_alone(plan: Path, out: Path, *more: object) -> Undisturbed:
    began = time.monotonic()
    told = end(begin(plan, out, *more))
    seconds = time.monotonic() - began
    assert "继续" not in told
    files = content(out)
    assert {name.split("/")[2] for name in files if name.count("/") > 1} >= {
        "summary.json", "samples.parquet", "projects.csv", "figures",
    }  # fmt: skip
    assert not list(out.glob("town/.*"))
    return Undisturbed(files, seconds)


class Killer:
    """Kills runs, begins them anew, and watches what they keep."""

    def __init__(self, plan: Path, out: Path, seed: int, usual: float) -> None:
        self.plan, self.out, self.usual = plan, out, usual
        self.moments = random.Random(seed)
        self.kills = self.among_batches = 0

    def run(self, least: int, *more: object) -> None:
        """Kill a run again and again at random moments."""
        while self.kills < least:
            before = kept(self.out)
            process = begin(self.plan, self.out, *more)
            until_killed = self.moments.uniform(0.15, 0.95) * self.usual
            if self.kills % 2:  # however slow the machine is, every other kill falls among batches
                more_of_them = len(before) + self.moments.randint(1, 6)
                while len(batch_files(self.out)) < more_of_them and process.poll() is None:
                    time.sleep(0.005)
                until_killed = self.moments.uniform(0, 0.05)
            time.sleep(until_killed)
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.communicate(timeout=60)
            if process.returncode == 0:  # it was quicker: another one
                if not before and self.kills % 2 == 0:  # and, as it began from nothing, not as late
                    self.usual = until_killed
                return
            assert process.returncode == -signal.SIGKILL
            self.kills += 1
            self.among_batches += bool(kept(self.out))
            if not list(self.out.glob("town/latest")):
                after = kept(self.out)
                assert {name: after.get(name) for name in before} == before, "a batch was lost"


def killed_and_ended(
    plan: Path, out: Path, least: int, seed: int, whole: Undisturbed, *more: object
) -> Killer:
    killer, attempt = Killer(plan, out, seed, whole.seconds), 0
    while killer.kills < least:
        assert attempt < 10 * least, "runs end before they can be killed"
        killer.out = out / str(attempt)
        killer.out.mkdir(parents=True)
        killer.run(least, *more)
        found = sum(int(m[2]) - int(m[1]) + 1 for m in map(FILE.fullmatch, kept(killer.out)) if m)
        told = end(begin(plan, killer.out, *more))
        if found:
            assert f"已有 {found:,} 次，继续" in told
        assert content(killer.out) == whole.files
        assert not list(killer.out.glob("town/.partial-*"))
        assert not list(killer.out.glob("town/.writing-*"))
        attempt += 1
    return killer


class TestKilled:
    def test_a_few_times(self, plan: Path, tmp_path: Path, undisturbed: Undisturbed) -> None:
        killer = killed_and_ended(plan, tmp_path, 3, 9, undisturbed, "--workers", 1)
        assert killer.among_batches

    @pytest.mark.slow
    @pytest.mark.parametrize("workers", [1, 2])
    def test_many_times(
        self,
        workers: int,
        plan: Path,
        tmp_path: Path,
        undisturbed: Undisturbed,
        slow_share: float,
    ) -> None:
        kills = max(8, round(24 * slow_share))
        killer = killed_and_ended(plan, tmp_path, kills, workers, undisturbed, "--workers", workers)
        assert killer.among_batches >= kills / 3

    @pytest.mark.slow
    def test_the_compiled_engine(
        self, plan: Path, tmp_path: Path, compiled: Undisturbed, slow_share: float
    ) -> None:
        """Kills among batches written a hundred a second, on threads."""
        kills = max(4, round(24 * slow_share))
        killer = killed_and_ended(plan, tmp_path, kills, 5, compiled, *COMPILED, "--workers", 2)
        assert killer.among_batches >= kills / 3

    def test_workers_do_not_outlive_their_parent(self, plan: Path, tmp_path: Path) -> None:
        process = begin(plan, tmp_path, "--workers", 2, "-n", 100_000)
        try:
            self.wait_for_batches(tmp_path, 3)
            process.kill()
            process.communicate(timeout=30)  # workers hold the pipes too: all are gone
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
        assert process.returncode == -signal.SIGKILL

    def wait_for_batches(self, out: Path, count: int) -> None:
        until = time.monotonic() + 60
        while len(kept(out)) < count and time.monotonic() < until:
            time.sleep(0.02)

    def test_a_run_that_stands_clears_away_what_was_left(self, plan: Path, tmp_path: Path) -> None:
        words = ["run", str(plan), "-n", "2", "--out", str(tmp_path), "--quiet"]
        ask(*words)
        mark = (tmp_path / "town" / "latest").read_text().strip()
        for name in (f".partial-{mark}", f".writing-{mark}-x", ".partial-other"):
            (tmp_path / "town" / name).mkdir()
            (tmp_path / "town" / name / "file").write_text("left")
        assert ask(*words) == 0
        assert [path.name for path in (tmp_path / "town").glob(".*")] == [".partial-other"]


class TestTogether:
    def test_two_of_the_same(self, plan: Path, tmp_path: Path, undisturbed: Undisturbed) -> None:
        both = [begin(plan, tmp_path), begin(plan, tmp_path)]
        for process in both:
            end(process)
        assert content(tmp_path) == undisturbed.files

    def test_the_quicker_one_takes_everything_away(
        self, plan: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Batches vanish halfway, and what is being written too."""
        scenario = sim.load_scenario(plan, ["run.engine=reference"])
        monkeypatch.setitem(batches._WORK, "reference", 40)
        first = sim.write_run(sim.simulate(scenario, replications=20), tmp_path)
        shutil.move(first.folder, tmp_path / "kept")
        store = BatchStore(partial_folder(first.folder), first.folder.name)

        def vanish(done: int, _: int) -> None:
            if done == 10:
                store.remove()

        run = sim.simulate(scenario, replications=20, store=store, on_progress=vanish)
        assert [one.start for one in store.finished()] == [10, 15]

        def quicker(stored: Any) -> None:
            shutil.copytree(tmp_path / "kept", first.folder)
            shutil.rmtree(stored.folder)

        second = sim.write_run(run, tmp_path, quicker)
        assert second.folder == first.folder
        assert second.manifest == first.manifest


def ask(*words: object) -> int:
    engine = ("--engine", "reference") if "--engine" not in words else ()
    with pytest.raises(SystemExit) as ended:
        main([str(word) for word in (*words, *engine)])
    assert isinstance(ended.value.code, int)
    return ended.value.code


class TestStore:
    """Batches found, batches passed over; all in this process."""

    COUNT = 23

    @pytest.fixture(autouse=True)
    def small(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(batches._WORK, "reference", 40)

    def run(self, plan: Path, store: BatchStore | None, **more: Any) -> tuple[Any, list[int]]:
        seen: list[int] = []
        run = sim.simulate(
            sim.load_scenario(plan, ["run.engine=reference"]), replications=self.COUNT, store=store,
            on_progress=lambda done, _: seen.append(done), **more,
        )  # fmt: skip
        return sim.summarise(run), seen

    def test_without_a_store_nothing_is_written(
        self, plan: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(tmp_path)
        _, seen = self.run(plan, None)
        assert seen == [0, 5, 10, 15, 20, 23]
        assert list(tmp_path.iterdir()) == []

    def test_what_is_there_is_not_done_again(self, plan: Path, tmp_path: Path) -> None:
        store = BatchStore(tmp_path / "partial", "m")
        whole, seen = self.run(plan, store)
        assert seen == [0, 5, 10, 15, 20, 23]
        assert self.run(plan, store) == (whole, [23])
        (store.folder / "batch-00000005-00000009.sim").unlink()
        (store.folder / "batch-00000020-00000022.sim").write_bytes(b"")
        assert self.run(plan, store) == (whole, [15, 20, 23])
        assert self.run(plan, store) == (whole, [23])

    @pytest.mark.parametrize(
        "drop", ["counts", "samples/replication", "others", "length", "steps", "end", "kind"]
    )
    def test_what_is_no_batch_of_this_model_is_done_again(
        self, drop: str, plan: Path, tmp_path: Path
    ) -> None:
        store = BatchStore(tmp_path / "partial", "m")
        whole, _ = self.run(plan, store)
        arrays = store.read(range(5, 10))
        assert arrays is not None
        if drop == "samples/replication":
            arrays[drop] = arrays[drop] + 5
        elif drop == "length":
            arrays["samples/paid_yuan"] = arrays["samples/paid_yuan"][:4]
        elif drop == "others":
            arrays["stray"] = arrays["sizes"]
        elif drop == "steps":  # a position beyond the end
            more = np.frombuffer(bytes([0x1F, 255, 255, 255, 127]), np.uint8)
            arrays["counts"] = np.concatenate([arrays["counts"], more])
        elif drop == "end":  # a step that does not end
            more = np.frombuffer(bytes([0x1F, 128]), np.uint8)
            arrays["block_counts"] = np.concatenate([arrays["block_counts"], more])
        elif drop == "kind":
            arrays["low_sums"] = arrays["low_sums"].astype(float)
        else:
            del arrays[drop]
        store.write(range(5, 10), arrays)
        assert self.run(plan, store) == (whole, [18, 23])

    def test_two_workers_store_what_one_finds(self, plan: Path, tmp_path: Path) -> None:
        store = BatchStore(tmp_path / "partial", "m")
        whole, seen = self.run(plan, store, workers=2)
        assert (seen[0], seen[-1], len(seen)) == (0, 23, 6)
        assert self.run(plan, store) == (whole, [23])
        assert self.run(plan, None) == (whole, [0, 5, 10, 15, 20, 23])


class TestInterrupted:
    def test_batches_are_kept_and_counted(
        self, plan: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
    ) -> None:  # fmt: skip
        monkeypatch.setitem(batches._WORK, "reference", 40)
        self.interrupt_after(3, monkeypatch)
        words = ("run", plan, "-n", 40, "--out", tmp_path)
        assert ask(*words) == 130
        told = capsys.readouterr().err.splitlines()[-1]
        assert told == "已中断；已完成 15 / 40 次模拟并保留，重新运行同一命令即可继续。"
        self.interrupt_after(2, monkeypatch)
        assert ask(*words, "--lang", "en") == 130
        told = capsys.readouterr().err
        assert "15 done earlier, continuing (40 in all)" in told
        assert "Interrupted; replications done and kept: 25 of 40. The same command" in told
        monkeypatch.undo()
        monkeypatch.setitem(batches._WORK, "reference", 40)
        assert ask(*words) == 0
        assert "已有 25 次，继续（共 40 次）" in capsys.readouterr().err

    def interrupt_after(self, count: int, monkeypatch: pytest.MonkeyPatch) -> None:
        done: list[int] = []

        def run_batch(*words: Any) -> Any:
            if len(done) == count:
                raise KeyboardInterrupt
            done.append(1)
            return usual(*words)

        monkeypatch.undo()
        monkeypatch.setitem(batches._WORK, "reference", 40)
        usual = workers.run_batch
        monkeypatch.setattr(workers, "run_batch", run_batch)

    def test_while_the_folder_is_written(
        self, plan: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
    ) -> None:  # fmt: skip
        def interrupted(*_: object) -> None:
            raise KeyboardInterrupt

        monkeypatch.setitem(charts.CHARTS, "year_end", interrupted)
        assert ask("run", plan, "-n", 40, "--out", tmp_path) == 130
        assert "已完成 40 / 40 次" in capsys.readouterr().err
        assert find_run(tmp_path / "town") is None


class TestFullDisk:
    WORDS = ("-n", 40, "--workers", 1)

    @pytest.mark.parametrize(
        ("code", "step"),
        [(errno.ENOSPC, 5), pytest.param(errno.EDQUOT, 1, marks=pytest.mark.slow)],
    )
    def test_at_every_write(
        self, code: int, step: int, plan: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
    ) -> None:  # fmt: skip
        """The disk takes a little more each time, and the same command goes on each time."""
        monkeypatch.setitem(batches._WORK, "reference", 80)
        usual, left = os.fsync, [0]

        def sync(handle: int) -> None:
            if left[0] == 0:
                raise OSError(code, os.strerror(code))
            left[0] -= 1
            usual(handle)

        monkeypatch.setattr(os, "fsync", sync)
        before, rounds = 0, 0
        while rounds < 1_000:
            left[0] = 2 + step * rounds
            found = ask("run", plan, *self.WORDS, "--out", tmp_path, "--lang", "en", "--quiet")
            told = capsys.readouterr().err
            if found == 0:
                break
            assert found == 1
            last = told.splitlines()[-1]
            match = re.match(
                r"The disk is full: cannot write '(.+)' "
                r"\((.+)\); replications done and kept: (\d+) of 40",
                last,
            )
            assert match or "the run itself is done and kept" in last, told
            assert "Traceback" not in told
            assert not list(tmp_path.rglob(".writing-*"))
            if match:
                assert int(match[3]) >= before
                before = int(match[3])
            rounds += 1
        assert before == 40
        # Every file of the run folder, and the folder itself, was the one that did not fit.
        folder = next(path.parent for path in tmp_path.rglob("manifest.json"))
        written = sum(1 for _ in folder.rglob("*")) + 1
        assert written > 8
        assert rounds >= (written - 2) / step
        assert not list(tmp_path.glob("town/.*"))

    def test_before_anything_is_simulated(
        self, plan: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
    ) -> None:  # fmt: skip
        def full(path: str, *_: object) -> None:
            raise OSError(errno.ENOSPC, "No space left on device", path)

        monkeypatch.setattr(os, "mkdir", full)
        assert ask("run", plan, *self.WORDS, "--out", tmp_path) == 1
        (told,) = [line for line in capsys.readouterr().err.splitlines() if "磁盘" in line]
        assert "已完成 0 / 40 次模拟并保留" in told

    @pytest.mark.parametrize(
        "kilobytes",
        [300, *(pytest.param(size, marks=pytest.mark.slow) for size in (60, 500, 700))],
    )
    def test_a_real_one(
        self, kilobytes: int, plan: Path, tmp_path: Path, undisturbed: Undisturbed
    ) -> None:
        """A small file system of its own, which is made larger afterwards."""
        run = " ".join(command(plan, tmp_path / "disk"))
        script = f"""
        mount -t tmpfs -o size={kilobytes}k tmpfs {tmp_path}/disk || exit 99
        {run} && exit 98
        test $? = 1 || exit 97
        mount -o remount,size=64m {tmp_path}/disk
        {run} || exit 96
        cp -r {tmp_path}/disk/town {tmp_path}/town
        """
        (tmp_path / "disk").mkdir()
        if shutil.which("unshare") is None:
            pytest.skip("no namespaces here")
        done = subprocess.run(
            ["unshare", "-rm", "bash", "-uc", script], capture_output=True, text=True,
            cwd=plan.parent, env=os.environ | {"PYTHONPATH": str(ROOT)}, timeout=600,
        )  # fmt: skip
        if done.returncode == 99 or "unshare failed" in done.stderr:
            pytest.skip("nothing can be mounted here")
        assert done.returncode == 0, done.stderr
        assert "Traceback" not in done.stderr
        full = [line for line in done.stderr.splitlines() if line.startswith("磁盘已满")]
        assert len(full) == 1
        match = re.search(rf"已完成 (\d+) / {REPLICATIONS} 次", full[0])
        assert match
        if match[1] != "0":
            assert f"已有 {match[1]} 次，继续" in done.stderr
        assert content(tmp_path) == undisturbed.files


@pytest.fixture(autouse=True)
def quiet_signals() -> Iterator[None]:
    """Leave the handling of interrupts as it was found."""
    usual = signal.getsignal(signal.SIGINT)
    yield
    assert signal.getsignal(signal.SIGINT) is usual
