"""A run that stops when it is precise enough: at fixed moments, the same however it got there."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import sim
from sim.cli import main
from sim.runs import batches
from sim.runs.batches import BatchStore
from tests.worlds import CALENDAR, DRIVERS, GATES, TYPES, project, write_world

BROAD, NARROW = "reported.mean=5%", "reported.mean=1元"


@pytest.fixture(scope="module")
def plan(tmp_path_factory: pytest.TempPathFactory) -> Path:
    rows = [
        project(f"P{i}", "2021-03-15", "2022-06-30", 800 + i, 300, type="road", county="south",
                gates="land;permit" if i % 2 else "none")
        for i in range(4)
    ]  # fmt: skip
    folder = tmp_path_factory.mktemp("plan") / "town"
    return write_world(
        folder, rows, "target = 900", DRIVERS, calendar=CALENDAR, gates=GATES, types=TYPES
    )


def ask(*words: object) -> int:
    with pytest.raises(SystemExit) as ended:
        main([str(word) for word in words])
    assert isinstance(ended.value.code, int)
    return ended.value.code


def manifest(out: Path) -> dict[str, Any]:
    folder = out / "town" / (out / "town" / "latest").read_text().strip()
    found: dict[str, Any] = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    return found


def simulate(plan: Path, precision: str, count: int, engine: str = "compiled", **more: Any) -> Any:
    changes = [f"run.engine={engine}", *([f"run.precision={precision}"] if precision else [])]
    return sim.simulate(sim.load_scenario(plan, changes), replications=count, **more)


def numbers(run: Any) -> dict[str, Any]:
    """Return the summary of a run but for the engine that ran it."""
    return sim.summarise(run) | {"engine": ""}


@pytest.fixture(scope="module")
def expected(plan: Path) -> dict[str, Any]:
    """Summary of as many replications as are precise enough, asked for as such."""
    return numbers(simulate(plan, "", 320))


class TestWhereItStops:
    @pytest.mark.parametrize(
        ("precision", "count", "stops"),
        [
            (BROAD, 1000, 320), (BROAD, 320, 320), (BROAD, 321, 320), (BROAD, 319, 319),
            (NARROW, 700, 700), (NARROW, 30, 30),
        ],
    )  # fmt: skip
    def test_at_a_look_or_at_the_ceiling(
        self, precision: str, count: int, stops: int, plan: Path
    ) -> None:
        run = simulate(plan, precision, count)
        assert run.replications == stops
        assert run.samples["replication"].tolist() == list(range(stops))
        assert run.precision.enough == (precision == BROAD)
        assert sim.summarise(run)["replications"] == stops

    def test_at_the_first_look_that_is_good_enough(self, plan: Path) -> None:
        halves = {count: simulate(plan, NARROW, count).precision.half_width for count in (320, 640)}
        allowed = halves[640] + 0.01
        run = simulate(plan, f"reported.mean={allowed:.3f}", 1280)
        assert run.replications == min(count for count in halves if halves[count] <= allowed)
        assert run.precision.half_width == halves[run.replications]
        assert halves[640] < halves[320]  # else this plan cannot tell

    @pytest.mark.parametrize("engine", ["compiled", "reference"])
    def test_the_numbers_are_those_of_the_same_replications_without_it(
        self, engine: str, plan: Path, expected: dict[str, Any]
    ) -> None:
        assert numbers(simulate(plan, BROAD, 1000, engine)) == expected

    @pytest.mark.parametrize(
        ("engine", "work", "workers"),
        [
            ("compiled", 1, 1), ("compiled", 20, 2), ("compiled", 4_000, 1),
            ("reference", 1, 1), ("reference", 20, 2),
        ],
    )  # fmt: skip
    def test_whatever_the_batches_and_processes(
        self, engine: str, work: int, workers: int, plan: Path, expected: dict[str, Any],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:  # fmt: skip
        monkeypatch.setitem(batches._WORK, engine, work)
        assert numbers(simulate(plan, BROAD, 1000, engine, workers=workers)) == expected

    def test_resumed(self, plan: Path, tmp_path: Path) -> None:
        store = BatchStore(tmp_path / "partial", "m")
        whole = simulate(plan, BROAD, 1000, "reference", store=store)
        (store.folder / "batch-00000064-00000127.sim").unlink()
        seen: list[tuple[int, int]] = []
        run = simulate(
            plan, BROAD, 1000, "reference", store=store, on_progress=lambda *now: seen.append(now)
        )
        assert seen == [(256, 1000), (320, 1000)]
        assert sim.summarise(run) == sim.summarise(whole)

    @pytest.mark.parametrize(
        "measure",
        ["work_done.p20", "paid.p80", "arrears.mean", "final_cost.p95", "started_in_year.mean",
         "finished_in_year.p10", "dropped.mean", "makespan_days.p50",
         "paid.probability_target_met"],
    )  # fmt: skip
    def test_of_what_it_says(self, measure: str, plan: Path) -> None:
        run = simulate(plan, f"{measure}=100%", 320)
        summary = sim.summarise(run)
        value, _, statistic = measure.rpartition(".")
        found = next(
            place[value]
            for place in (summary["year_end"], summary["projects"], summary)
            if value in place
        )[statistic]
        if statistic == "probability_target_met":
            found = found["value"]
        assert run.precision.estimate == pytest.approx(found)


@pytest.mark.usefixtures("no_charts")
class TestCommand:
    def test_told_noted_and_found_again(
        self, plan: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        words = ("run", plan, "-n", 1000, "--out", tmp_path, "--precision", "reported.mean=100万")
        for language, said, again in (
            ("zh", "已达到要求的精度：reported.mean 的95%区间半宽", "已有结果"),
            ("en", "As precise as asked: half of the 95 % interval of reported.mean", "already"),
        ):
            assert ask(*words, "--lang", language) == 0
            printed = capsys.readouterr().out
            assert said in printed
            assert ("320 次模拟" if language == "zh" else "replication 320") in printed
            assert (again in printed) == (language == "en")
        noted = manifest(tmp_path)
        assert noted["replications"] == 320
        about = noted["precision"]
        assert 0 < about.pop("half_width") <= 1e6
        assert about == {
            "measure": "reported.mean", "unit": "yuan", "half_width_asked": 1e6,
            "reached": True, "most_replications": 1000,
        }  # fmt: skip
        assert ["run.precision", "", "reported.mean=100万"] in [
            list(one.values()) for one in noted["changes"]
        ]

    def test_not_reached(
        self, plan: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        words = ("run", plan, "-n", 30, "--out", tmp_path, "--lang", "en", "--precision")
        assert ask(*words, "paid.probability_target_met=1%") == 0
        assert "Not as precise as asked" in capsys.readouterr().out
        about = manifest(tmp_path)["precision"]
        assert (about["half_width"], about["reached"]) == (None, False)

    def test_in_a_scenario_and_on_the_command_line(self, plan: Path) -> None:
        scenario = plan / "town.toml"
        scenario.write_text('[about]\ntitle = "t"\n[run]\nprecision = "paid.p50=1%"\n', "utf-8")
        try:
            given = sim.load_scenario(scenario).precision
            over = sim.load_scenario(scenario, ["run.precision=paid.mean=2万"]).precision
        finally:
            scenario.unlink()
        assert given is not None
        assert over is not None
        assert (given.measure, over.measure) == ("paid.p50", "paid.mean")

    @pytest.mark.parametrize("wrong", ["reported.p51=1", "reported.p50=x", "", "5"])
    def test_wrong(
        self, wrong: str, plan: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert ask("run", plan, "--out", tmp_path, "--precision", wrong) == 2
        told = capsys.readouterr().err
        assert "run.precision" in told
        assert "Traceback" not in told
        assert list(tmp_path.iterdir()) == []

    def test_it_names_the_run(self, plan: Path) -> None:
        mark: Callable[[str], str] = lambda text: fingerprint_of(plan, text)  # noqa: E731
        assert mark("reported.p50=20亿") == mark("year_end.reported.p50=2000000000")
        assert len({mark(""), mark("paid.mean=1"), mark("paid.mean=2"), mark("paid.p50=1")}) == 4


def fingerprint_of(plan: Path, precision: str) -> str:
    from sim.runs.provenance import fingerprint

    scenario = sim.load_scenario(plan, [f"run.precision={precision}"] if precision else [])
    return fingerprint(scenario, 1, 10, "quasi", "reference")
