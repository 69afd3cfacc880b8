"""Nothing else moved: one more project, driver, replication, worker, batch; rows in any order."""

import csv
import dataclasses
import random
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import sim
from sim.plan.configuration import Sampling
from sim.runs import batches
from sim.runs.layout import build_layout
from sim.runs.replay import replay_one
from sim.runs.tally import to_arrays
from sim.runs.workers import run_batch
from sim.sampling.draws import draw
from sim.sampling.realization import Realization
from sim.sampling.sampler import build_sampler
from tests.cutting import LUOYANG, cut_luoyang
from tests.retold import gather, outcomes_of
from tests.worlds import (
    CALENDAR,
    DRIVERS,
    GATES,
    TYPES,
    Row,
    live,
    project,
    small_plans,
    small_world,
    write_world,
)

ROWS = [
    project("A", "2020-03-01", "2021-10-31", 900, 400, type="road", county="north",
            done_before_year=300, rank=1),
    project("B", "2021-03-15", "2022-06-30", 800, 300, type="road", county="south",
            gates="land;permit", rank=2),
    project("C", "2021-07-01", "2022-12-31", 700, 200, type="plant", county="north",
            predecessors="A", rank=3),
]  # fmt: skip
TABLES: dict[str, Any] = {
    "drivers": DRIVERS, "calendar": CALENDAR, "gates": GATES, "types": TYPES,
}  # fmt: skip
PER_PROJECT = (
    "slip", "work", "first_work", "year_end_value", "total", "acceptance",
    "overstatement",
)  # fmt: skip


def realization(folder: Path, number: int = 5, seed: int = 2021) -> Realization:
    portfolio = sim.build_portfolio(sim.load_plan(folder))
    return next(draw(build_sampler(portfolio, seed), [number]))


def assert_same(first: Any, second: Any, what: str = "") -> None:
    """Compare two dataclasses of arrays, array for array."""
    for field in dataclasses.fields(first):
        a, b = getattr(first, field.name), getattr(second, field.name)
        if isinstance(a, np.ndarray):
            assert a.dtype == b.dtype, f"{what}{field.name}"
            assert np.array_equal(a, b), f"{what}{field.name}"
        elif isinstance(a, dict):
            assert a.keys() == b.keys()
            assert all(np.array_equal(a[key], b[key]) for key in a), f"{what}{field.name}"
        else:
            assert a == b, f"{what}{field.name}"


class TestDraws:
    def test_one_more_project(self, tmp_path: Path) -> None:
        more = [*ROWS, project("D", "2021-02-01", "2021-12-01", 50, 50, type="road", rank=4,
                               county="north", gates="land;environment;permit")]  # fmt: skip
        before = realization(write_world(tmp_path / "a", ROWS, **TABLES))
        after = realization(write_world(tmp_path / "b", more, **TABLES))
        for name in PER_PROJECT:
            assert np.array_equal(getattr(before, name), getattr(after, name)[:3]), name
        assert np.array_equal(before.gate_review, after.gate_review[: len(before.gate_review)])
        assert np.array_equal(before.calendar, after.calendar[: len(before.calendar)])
        assert before.drivers == after.drivers

    def test_one_more_driver(self, tmp_path: Path) -> None:
        extra = '\n[epidemic]\ntitle = "e"\ndistribution = "fixed(9)"\nacts_on = "calendar"\n'
        extra += 'window = ["01-01", "12-31"]\n'
        before = realization(write_world(tmp_path / "a", ROWS, **TABLES))
        tables = TABLES | {"drivers": DRIVERS + extra}
        after = realization(write_world(tmp_path / "b", ROWS, **tables))
        for name in (*PER_PROJECT, "gate_preparation", "gate_review"):
            assert np.array_equal(getattr(before, name), getattr(after, name)), name
        assert not np.array_equal(before.calendar, after.calendar)

    def test_switching_a_driver_off_leaves_all_other_luck(self, tmp_path: Path) -> None:
        folder = write_world(tmp_path, ROWS, **TABLES)
        on = live(folder, 3)
        off = live(folder, 3, changes=["uncertainties.overstatement=off"])
        assert not off.drawn.overstatement.any()
        assert on.drawn.overstatement.any()
        for name in PER_PROJECT[:-1]:
            assert np.array_equal(getattr(on.drawn, name), getattr(off.drawn, name)), name
        assert np.array_equal(on.drawn.calendar, off.drawn.calendar)

    def test_a_changed_project_moves_no_other(self, tmp_path: Path) -> None:
        folder = write_world(tmp_path, ROWS, **TABLES)
        one = live(folder, 3).drawn
        two = live(folder, 3, changes=["projects.C.duration=fixed(1)"]).drawn
        assert one.work[2] != two.work[2]
        assert np.array_equal(one.work[:2], two.work[:2])

    @pytest.mark.parametrize("sampling", ["quasi", "plain"])
    @pytest.mark.parametrize("number", [0, 17, 2**40])
    def test_any_replication_stands_alone(
        self, tmp_path: Path, number: int, sampling: Sampling
    ) -> None:
        plan = sim.load_plan(write_world(tmp_path, ROWS, **TABLES))
        sampler = build_sampler(sim.build_portfolio(plan), 1, sampling)
        together = list(draw(sampler, [3, number, 8]))
        assert_same(together[1], next(draw(sampler, [number])))

    @pytest.mark.parametrize("sampling", ["quasi", "plain"])
    def test_batches_of_any_size(self, tmp_path: Path, sampling: Sampling) -> None:
        plan = sim.load_plan(write_world(tmp_path, ROWS, **TABLES))
        sampler = build_sampler(sim.build_portfolio(plan), 1, sampling)
        layout = build_layout(sampler)
        whole = gather(layout, [run_batch(sampler, layout, range(20))])
        pieces = [run_batch(sampler, layout, range(k, min(k + 7, 20))) for k in (14, 0, 7)]
        joined = gather(layout, pieces)
        first, second = (to_arrays(tally) | samples for tally, samples in (whole, joined))
        assert first.keys() == second.keys()
        assert all(np.array_equal(first[name], second[name]) for name in first)

    def test_seeds_differ_and_zero_is_one_of_them(self, tmp_path: Path) -> None:
        folder = write_world(tmp_path, ROWS, **TABLES)
        drawn = {seed: realization(folder, seed=seed).work.tolist() for seed in (0, 1, 2**63)}
        assert len({tuple(work) for work in drawn.values()}) == 3


def outcomes_by_id(run: Any) -> dict[str, list[int]]:
    ids = [one.id for one in run.portfolio.plan.projects]
    finish = outcomes_of(run).finish
    return {name: finish[:, i].tolist() for i, name in enumerate(ids)}


class TestTrajectories:
    @settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(rows=small_plans(), order=st.randoms(use_true_random=False))
    def test_rows_in_any_order(self, rows: Sequence[Row], order: random.Random) -> None:
        shuffled = list(rows)
        order.shuffle(shuffled)
        folders = [small_world(rows), small_world(shuffled)]
        try:
            first, second = (live(folder, 4) for folder in folders)
        except sim.InputError:
            return
        finally:
            for folder in folders:
                shutil.rmtree(folder)
        assert_same(first.trajectory, second.trajectory)
        assert first.events == second.events

    def test_one_more_project_changes_none_that_does_not_wait_for_it(self, tmp_path: Path) -> None:
        more = [*ROWS, project("D", "2021-02-01", "2021-12-01", 50, 50, type="road", rank=0)]
        runs = [
            sim.simulate(sim.load_scenario(write_world(tmp_path / name, rows, **TABLES)),
                         replications=20)
            for name, rows in (("a", ROWS), ("b", more))
        ]  # fmt: skip
        before, after = (outcomes_by_id(run) for run in runs)
        assert before == {name: after[name] for name in before}


def run_files(folder: Path) -> dict[str, bytes]:
    """Everything a run wrote but the manifest, which holds timings."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.name != "manifest.json"
    }


class TestBytes:
    """The same bytes on the real plan: workers, order of rows."""

    REPLICATIONS = 4

    @pytest.fixture(scope="class", params=["part", pytest.param("whole", marks=pytest.mark.slow)])
    def plan(
        self, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
    ) -> Path:
        """The plan, or a tenth of it, most of which is the government's."""
        if request.param == "whole":
            return LUOYANG
        folder = tmp_path_factory.mktemp("plan") / LUOYANG.name
        return cut_luoyang(folder, ("laocheng", "chanhe", "city"), "2024-12-31")

    @pytest.fixture(scope="class")
    def reference(
        self, plan: Path, tmp_path_factory: pytest.TempPathFactory
    ) -> tuple[str, dict[str, bytes]]:
        run = sim.simulate(
            sim.load_scenario(plan / "baseline.toml", ["run.engine=reference"]),
            replications=self.REPLICATIONS,
            workers=1,
        )
        stored = sim.write_run(run, tmp_path_factory.mktemp("one"))
        return stored.folder.name, run_files(stored.folder)

    def test_two_workers(
        self, plan: Path, reference: tuple[str, dict[str, bytes]], tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:  # fmt: skip
        scenario = sim.load_scenario(plan / "baseline.toml", ["run.engine=reference"])
        monkeypatch.setitem(batches._WORK, "reference", len(scenario.plan.projects))
        seen: list[int] = []
        run = sim.simulate(
            scenario, replications=self.REPLICATIONS, workers=2,
            on_progress=lambda done, _: seen.append(done),
        )  # fmt: skip
        assert run.workers == 2
        assert len(seen) > 2  # several batches, so that two processes had something to share
        stored = sim.write_run(run, tmp_path)
        assert (stored.folder.name, run_files(stored.folder)) == reference

    def test_shuffled_rows(
        self, plan: Path, reference: tuple[str, dict[str, bytes]], tmp_path: Path
    ) -> None:
        shuffled = tmp_path / plan.name
        shutil.copytree(plan, shuffled, ignore=shutil.ignore_patterns("builder"))
        for path in shuffled.glob("*.csv"):
            with path.open(encoding="utf-8", newline="") as stream:
                header, *rows = list(csv.reader(stream))
            random.Random(7).shuffle(rows)
            with path.open("w", encoding="utf-8", newline="") as stream:
                csv.writer(stream, lineterminator="\n").writerows([header, *rows])
        run = sim.simulate(
            sim.load_scenario(shuffled / "baseline.toml", ["run.engine=reference"]),
            replications=self.REPLICATIONS,
            workers=1,
        )
        stored = sim.write_run(run, tmp_path / "out")
        assert (stored.folder.name, run_files(stored.folder)) == reference

    @pytest.mark.usefixtures("told_once")
    @pytest.mark.parametrize("sampling", ["quasi", "plain"])
    def test_replay_is_the_replication_of_the_run(self, sampling: Sampling, plan: Path) -> None:
        scenario = sim.load_scenario(plan / "baseline.toml", [f"run.sampling={sampling}"])
        run = sim.simulate(scenario, replications=3)
        alone = replay_one(scenario.plan, run.seed, 2, sampling).trajectory
        outcomes = outcomes_of(run)
        assert np.array_equal(outcomes.start[2], alone.start)
        assert np.array_equal(outcomes.finish[2], alone.finish)


def test_samples_know_their_replications(tmp_path: Path) -> None:
    scenario = sim.load_scenario(write_world(tmp_path, ROWS, **TABLES))
    samples = sim.simulate(scenario, replications=5).samples
    assert samples["replication"].tolist() == [0, 1, 2, 3, 4]
