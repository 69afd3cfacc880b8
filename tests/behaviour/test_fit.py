"""The command fit: what it writes and prints, what it refuses, and that the result simulates."""

import shutil
from pathlib import Path

import pytest

import sim
from sim.cli import main
from sim.plan.cells import Converter
from sim.plan.language import Distribution
from sim.plan.tables import read_table
from sim.runs.csvfiles import read_csv
from tests.plans import write_plan
from tests.worlds import stored

LUOYANG = Path(__file__).parents[2] / "scenarios" / "luoyang-2021"
HEAD = "type,measure,planned,actual,status\n"
MANY = HEAD + "".join(f"road,duration,100,{days},\n" for days in (180, 190, 200, 210, 220, 230))


def ask(*words: str | Path) -> int:
    """Run a command in this process and return its exit code."""
    with pytest.raises(SystemExit) as caught:
        main([str(word) for word in words])
    return int(caught.value.code or 0)


def history(folder: Path, text: str) -> Path:
    """Write a file of records."""
    path = folder / "history.csv"
    path.write_text(text, encoding="utf-8")
    return path


def held(path: Path) -> dict[str, Distribution]:
    """Return the durations of a types.csv as the plan would read them."""
    rows = Converter(path.parent, "元", []).rows(read_table(path, "types", []), "types")
    return {row["type"]: row["duration"] for row in rows if row is not None}


class TestWritten:
    def test_what_has_no_records_stays_and_source_tells(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        records = history(
            tmp_path,
            "项目类型,指标,计划值,实际值,状态\n"
            + "".join(f"roads,duration,400,{400 + 40 * k},finished\n" for k in range(6))
            + "roads,duration,400,700,running\n",
        )
        assert ask("fit", records, "--out", tmp_path / "out", "--plan", LUOYANG) == 0
        printed = capsys.readouterr().out
        for words in ("参照类按 20 条记录计", "6+1", "23%", "右删失"):
            assert words in printed
        before, after = read_csv(LUOYANG / "types.csv"), read_csv(tmp_path / "out" / "types.csv")
        changed = [
            (old["type"], column)
            for old, new in zip(before, after, strict=True)
            for column in old
            if old[column] != new[column]
        ]
        assert changed == [("roads", "duration"), ("roads", "source")]
        row = next(row for row in after if row["type"] == "roads")
        assert "fitted to 6 finished and 1 running own records, weight 0.23" in row["source"]
        assert "median=1.1, sigma=0.25" in row["source"]  # what it was before
        law = held(tmp_path / "out" / "types.csv")["roads"]
        assert law.name == "lognormal"
        assert 1.1 < law.parameters[0] < 1.2
        assert law.parameters[2] >= 0.01

    def test_a_row_a_candidate(self, tmp_path: Path) -> None:
        ask("fit", history(tmp_path, MANY), "--out", tmp_path, "--plan", write_plan(tmp_path / "p"))
        rows = read_csv(tmp_path / "fit.csv")
        assert [(row["role"], row["family"]) for row in rows] == [
            ("reference", "lognormal"), ("candidate", "lognormal"), ("candidate", "weibull"),
            ("candidate", "gamma"), ("written", "lognormal"),
        ]  # fmt: skip
        best = next(row for row in rows if row["role"] == "candidate")
        others = [float(row["log_likelihood"]) for row in rows if row["family"] == "lognormal"]
        assert float(best["log_likelihood"]) == max(others)
        assert float(rows[-1]["own_weight"]) == pytest.approx(6 / 26)

    def test_order_of_rows_moves_nothing(self, tmp_path: Path) -> None:
        extra = "road,cost,10,12,\nplant,duration,50,40,running\nplant,duration,50,60,\n"
        head, *lines = (MANY + extra).splitlines(keepends=True)
        plan = write_plan(tmp_path / "plan")
        for name, text in (("one", lines), ("other", lines[::-1])):
            records = history(tmp_path, head + "".join(text))
            assert ask("fit", records, "--out", tmp_path / name, "--plan", plan) == 0
        for name in ("types.csv", "fit.csv"):
            assert (tmp_path / "one" / name).read_bytes() == (
                tmp_path / "other" / name
            ).read_bytes()

    def test_the_new_types_are_read_and_simulated(self, tmp_path: Path) -> None:
        plan = write_plan(tmp_path / "plan")
        changes = ["run.engine=reference"]
        before = stored(plan, tmp_path / "runs", 5, changes=changes)
        words = ("--out", tmp_path / "out", "--plan", plan, "--prior-records", "0")
        assert ask("fit", history(tmp_path, MANY), *words) == 0
        shutil.copy(tmp_path / "out" / "types.csv", plan / "types.csv")
        after = stored(plan, tmp_path / "runs", 5, changes=changes)
        road, slower = (one.table("projects")[0] for one in (before, after))
        assert road["type"] == "road"
        assert slower["finish_p10"] > road["finish_p90"]  # twice the rest of the work
        assert sim.load_plan(plan).types["road"].duration.name == "lognormal"

    def test_a_plan_without_types(self, tmp_path: Path) -> None:
        plan = tmp_path / "empty"
        plan.mkdir()
        assert ask("fit", history(tmp_path, MANY), "--out", tmp_path, "--plan", plan) == 0
        rows = read_csv(tmp_path / "types.csv")
        assert [list(row)[:3] for row in rows] == [["type", "duration", "cost"]]
        assert rows[0]["duration"].startswith("lognormal(median=2.0")
        assert rows[0]["cost"] == ""

    def test_prior_records(self, tmp_path: Path) -> None:
        records, plan = history(tmp_path, MANY), write_plan(tmp_path / "plan")
        medians = []
        for prior in ("0", "20", "1000"):
            ask("fit", records, "--out", tmp_path, "--plan", plan, "--prior-records", prior)
            medians.append(held(tmp_path / "types.csv")["road"].parameters[0])
        assert medians == sorted(medians, reverse=True)
        assert medians[0] == pytest.approx(2.043, abs=0.01)  # geometric mean of the six
        assert ask("fit", records, "--prior-records", "-1") == 2


class TestTold:
    def test_every_problem_at_once(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        records = history(
            tmp_path,
            "type,measure,planed,planned,actual,status\n"
            "roda,duration,,100,110,\n"
            "road,length,,100,110,\n"
            "road,duration,,0,110,\n"
            "road,duration,,100,0,finished\n"
            "road,duration,,many,110,done\n"
            "road,duration,,100,-1,\n"
            "road,duration,,1e-300,1e15,\n",
        )
        code = ask("fit", records, "--out", tmp_path / "out", "--plan", write_plan(tmp_path / "p"),
                   "--lang", "en")  # fmt: skip
        told = capsys.readouterr().err
        assert code == 2
        assert not (tmp_path / "out").exists()
        for words in (
            "row 1, column 'planed': unknown column; remedy",
            "row 2, column 'type', value 'roda': there is no such type; the nearest is 'road'",
            "row 3, column 'measure', value 'length'",
            "row 4, column 'planned', value '0': it must be above 0",
            "row 5, column 'actual', value '0': it must be above 0",
            "row 6, column 'planned', value 'many'",
            "row 6, column 'status', value 'done'",
            "row 7, column 'actual', value '-1'",
            "row 8, column 'actual', value '1e+15': actual is inf times planned",
        ):
            assert words in told, words
        assert "errors: 9" in told

    def test_warnings_stop_nothing(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        records = history(
            tmp_path,
            HEAD + "road,duration,100,9,\nroad,duration,100,9,running\nroad,cost,100,90,running\n"
            "hospital,duration,100,100,\n",
        )
        out = tmp_path / "out"
        assert ask("fit", records, "--out", out, "--plan", write_plan(tmp_path / "p")) == 0
        told = capsys.readouterr().err
        assert told.count("疑似单位错误") == 1  # a running project may well be at a tenth
        assert "第2行，列“actual”，值“9”：实际值是计划值的 0.09 倍" in told
        assert "“road”的“工期”只有 1 条已完成记录，少于 5 条" in told
        assert "“road”的“投资”没有已完成的记录（1 条在建）：保留原有分布不变" in told
        assert "“hospital”的“工期”没有可依靠的参照类" in told
        rows = {row["type"]: row for row in read_csv(out / "types.csv")}
        assert rows["road"]["cost"] == "fixed(1)"
        assert rows["hospital"]["duration"] == "fixed(1)"

    def test_another_family_and_another_form_are_told(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        # Of 200 records most lie just below 1.2, with a long way down: Weibull, not lognormal.
        ratios = [1.2 * (k / 200.5) ** (1 / 6) for k in range(1, 201)]
        text = HEAD + "".join(f"road,duration,1,{ratio:.6f},\n" for ratio in ratios)
        plan = write_plan(tmp_path / "p")
        ask("fit", history(tmp_path, text), "--out", tmp_path, "--plan", plan, "--lang", "en")
        printed = capsys.readouterr().out
        assert "weibull is clearly better than the lognormal" in printed
        assert "'triangular(0.9, 1, 1.4)' is no lognormal" in printed

    def test_a_median_beyond_all_records_is_told(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        rows = "roads,duration,100,160,\n" + "roads,duration,100,300,running\n" * 30
        words = ("--out", tmp_path, "--plan", LUOYANG, "--lang", "en")
        ask("fit", history(tmp_path, HEAD + rows), *words)
        printed = capsys.readouterr().out
        assert "extrapolated from running projects" in printed
        assert "too much lies beyond the beginning of the reference's tail" in printed
        ask("fit", history(tmp_path, HEAD + "roads,duration,100,60,\n"), *words)
        assert "extrapolated" not in capsys.readouterr().out

    def test_no_rows_no_file_no_folder(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert ask("fit", history(tmp_path, HEAD), "--plan", tmp_path / "nowhere") == 2
        told = capsys.readouterr().err
        assert "没有任何记录" in told
        assert "文件夹不存在" in told
        assert ask("fit", tmp_path / "absent.csv", "--plan", LUOYANG) == 2

    def test_the_plan_is_not_written_over(self, tmp_path: Path) -> None:
        plan = write_plan(tmp_path / "plan")
        before = (plan / "types.csv").read_bytes()
        assert ask("fit", history(tmp_path, MANY), "--out", plan, "--plan", plan) == 2
        assert (plan / "types.csv").read_bytes() == before

    def test_whole_or_not_at_all(self, tmp_path: Path) -> None:
        plan, out = write_plan(tmp_path / "plan"), tmp_path / "out"
        (out / "fit.csv").mkdir(parents=True)
        assert ask("fit", history(tmp_path, MANY), "--out", out, "--plan", plan) == 1
        assert [path.name for path in out.iterdir()] == ["fit.csv"]
