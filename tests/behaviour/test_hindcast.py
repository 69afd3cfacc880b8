"""The command hindcast: a tiny plan scored by hand, what is refused, the shipped outcomes."""

import json
from pathlib import Path

import pytest

import sim
from sim.analysis.hindcast import Group, Score
from sim.briefing import hindcast
from sim.cli import main
from sim.plan.outcomes import read_outcomes
from sim.plan.problems import InputError
from sim.runs.csvfiles import read_csv
from tests.worlds import Row, project, write_world

LUOYANG = Path(__file__).parents[2] / "scenarios" / "luoyang-2021"
HEAD = "commitment,project,actual_start,actual_finish,outcome,source,confidence\n"
KNOWN = (
    HEAD
    + "K1,,,,kept,paper,high\n"
    + ",B,2021-03-02,2021-12-31,,paper,low\n"  # K2 kept, K5 (start) kept
    + "K3,,2022-02-01,,,paper,medium\n"  # missed
    + "K4,,,,unknown,,\n"
    + "K6,,,,kept,paper,high\n"  # outside
)


def ask(*words: str | Path | int) -> int:
    """Run a command in this process and return its exit code."""
    with pytest.raises(SystemExit) as caught:
        main([str(word) for word in words])
    return int(caught.value.code or 0)


@pytest.fixture
def world(tmp_path: Path) -> Path:
    """Write a plan in which nothing is uncertain but that an approval takes far too long."""
    rows = [
        project("A", "2020-03-01", "2021-06-30", 900, 400, done_before_year=300),
        project("B", "2021-03-01", "2022-03-31", 900, 400, gates="none"),
        project("G", "2021-04-01", "2022-03-31", 900, 400, gates="land;permit"),
    ]
    common = {"strength": "plan", "deadline": "2021-12-31"}
    commitments: list[Row] = [
        {"id": "K1", "text": "finish A", "kind": "finish", "projects": "A", **common},
        {"id": "K2", "text": "finish B", "kind": "finish", "projects": "B", **common},
        {"id": "K3", "text": "start G", "kind": "start", "projects": "G", **common},
        {"id": "K4", "text": "finish A soon", "kind": "finish", "projects": "A",
         **common, "deadline": "2021-07-31"},
        {"id": "K5", "text": "start B", "kind": "start", "projects": "B", **common,
         "strength": "strive"},
        {"id": "K6", "text": "jobs", "kind": "outside", "why_outside": "no works", **common},
    ]  # fmt: skip
    gates: list[Row] = [
        {"procedure": "approval", "gate": "land", "review": "fixed(1)"},
        {"procedure": "approval", "gate": "permit", "after": "land", "review": "fixed(400)"},
    ]
    folder = write_world(
        tmp_path / "plan", rows, 'calendar = "continuous"', commitments=commitments, gates=gates
    )
    (folder / "january.toml").write_text('[about]\ntitle = "January"\n', encoding="utf-8")
    return folder


def outcomes(world: Path, text: str = KNOWN) -> Path:
    """Write a file of outcomes beside the plan."""
    path = world.parent / "outcomes.csv"
    path.write_text(text, encoding="utf-8")
    return path


class TestScored:
    def test_by_hand(self, world: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        words = ("--outcomes", outcomes(world), "-n", 2, "--engine", "reference")
        assert ask("hindcast", world / "january.toml", *words, "--out", tmp_path / "out") == 0
        printed = capsys.readouterr().out
        for text in (
            "finish A",
            "守住",
            "未守住",
            "只有 3 项",
            "另有 1 项承诺",
            "结论：模型的布赖尔评分",
        ):
            assert text in printed
        runs = tmp_path / "out" / "january"
        run = (runs / "latest").read_text().strip()
        folder = runs / f"hindcast-{run}"
        assert sorted(path.name for path in folder.iterdir()) == ["hindcast.csv", "hindcast.json"]
        rows = {row["id"]: row for row in read_csv(folder / "hindcast.csv")}
        assert list(rows) == ["K1", "K2", "K3", "K4", "K5"]
        told = {
            name: (row["p_model"], row["p_slippage"], row["outcome"], row["confidence"])
            for name, row in rows.items()
        }
        assert told == {
            "K1": ("1", "1", "kept", "high"), "K2": ("0", "0", "kept", "low"),
            "K3": ("0", "1", "missed", "medium"), "K4": ("1", "1", "unknown", ""),
            "K5": ("1", "1", "kept", "low"),
        }  # fmt: skip
        found = json.loads((folder / "hindcast.json").read_text("utf-8"))
        strong, weak = found["groups"]["strong"], found["groups"]["weak"]
        assert [strong[name] for name in ("promises", "kept", "missed", "unknown")] == [4, 2, 1, 1]
        scores = {name: one["brier"] for name, one in strong["scores"].items()}
        assert scores == pytest.approx(
            {"model": 1 / 3, "on_time": 1 / 3, "base_rate": 0.5, "slippage": 2 / 3}
        )
        assert weak["scores"]["model"]["brier"] == 0
        assert found["outside"] == 1
        assert found["run"] == run
        assert found["run_of_slippage"] != run
        assert (runs / found["run_of_slippage"] / "summary.json").is_file()

    def test_a_given_base_rate_in_english(
        self, world: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        ask("hindcast", world, "--outcomes", outcomes(world), "-n", 1, "--engine", "reference",
            "--out", tmp_path / "out", "--base-rate", "0.6", "--lang", "en")  # fmt: skip
        printed = capsys.readouterr().out
        assert "Base rate: 60%, as given." in printed
        assert "slippage alone" in printed
        assert "Few cases (only 3)" in printed
        assert "Verdict: the model's Brier score" in printed
        folder = next((tmp_path / "out" / "plan").glob("hindcast-*"))
        found = json.loads((folder / "hindcast.json").read_text("utf-8"))
        score = found["groups"]["strong"]["scores"]["base_rate"]["brier"]
        assert score == pytest.approx((0.16 + 0.16 + 0.36) / 3)

    def test_nothing_known(
        self, world: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        path = outcomes(world, HEAD + "K1,,,,unknown,,\n")
        words = ("-n", 1, "--engine", "reference", "--out", tmp_path / "out")
        assert ask("hindcast", world, "--outcomes", path, *words) == 0
        assert "无可评分" in capsys.readouterr().out

    def test_outcomes_beside_the_plan_move_no_run(self, world: Path) -> None:
        from sim.runs.provenance import fingerprint

        before = sim.load_scenario(world)
        (world / "outcomes.csv").write_text(KNOWN, encoding="utf-8")
        after = sim.load_scenario(world)
        marks = {fingerprint(one, 1, 1, "quasi", "reference") for one in (before, after)}
        assert len(marks) == 1
        assert "outcomes.csv" not in dict(after.inputs)
        assert not [one for one in after.warnings if one.file == "outcomes.csv"]


class TestRefused:
    def test_later_knowledge(
        self, world: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        later = '[about]\ntitle = "later"\nscored = false\n'
        (world / "later.toml").write_text(later, encoding="utf-8")
        words = ("--outcomes", outcomes(world), "--out", tmp_path / "out", "--lang", "en")
        assert ask("hindcast", world / "later.toml", *words) == 2
        assert "it is no forecast and is never scored" in capsys.readouterr().err
        assert not (tmp_path / "out").exists()

    def test_the_year_as_it_happened(self) -> None:
        path = LUOYANG / "2021-as-it-happened.toml"
        assert ask("hindcast", path, "--outcomes", LUOYANG / "outcomes.csv") == 2

    def test_no_promises_no_file(self, world: Path, capsys: pytest.CaptureFixture[str]) -> None:
        (world / "commitments.csv").unlink()
        assert ask("hindcast", world, "--outcomes", outcomes(world)) == 2
        assert "方案没有承诺" in capsys.readouterr().err
        assert ask("hindcast", world) == 2

    def test_every_problem_at_once(
        self, world: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        path = outcomes(
            world,
            "commitment,project,actual_start,actual_finish,outcome,source,confidance\n"
            "K11,,,,kept,paper,\n"
            "K1,A,,,kept,paper,\n"
            ",,,,,,\n"
            ",Z,2021-03-01,,,paper,\n"
            ",A,2021-03-01,2021-02-01,,paper,\n"
            "K1,,,,broken,paper,\n"
            "K2,,,,kept,,\n"
            "K2,,,,kept,paper,\n"
            "K3,,2022-02-01,,kept,paper,\n"
            ",G,,,missed,paper,\n"
            "K5,,2021-13-01,,,paper,\n",
        )
        assert ask("hindcast", world, "--outcomes", path, "--out", tmp_path / "o",
                   "--lang", "en") == 2  # fmt: skip
        told = capsys.readouterr().err
        for words in (
            "column 'confidance': unknown column; the nearest is 'confidence'",
            "row 2, column 'commitment', value 'K11': there is no such commitment",
            "row 3, column 'commitment': exactly one of commitment and project",
            "row 5, column 'project', value 'Z': there is no such project",
            "row 6, column 'actual_finish', value '2021-02-01': the actual finish comes before",
            "row 7, column 'outcome', value 'broken'",
            "row 8, column 'source': something is told without a source",
            "row 9, column 'commitment', value 'K2': the same value stands in row 8",
            "row 10, column 'outcome', value 'kept': the dates say 'missed' (deadline 2021-12-31)",
            "row 11, column 'outcome', value 'missed': an outcome belongs to a commitment",
            "row 12, column 'actual_start', value '2021-13-01'",
        ):
            assert words in told, words
        assert "errors: 11" in told
        assert not (tmp_path / "o").exists()


class TestOutcomes:
    def read(self, world: Path, text: str) -> dict[str, bool | None]:
        plan = sim.load_plan(world)
        found = read_outcomes(outcomes(world, text), plan).by_commitment
        return {name: one.kept for name, one in found.items()}

    def test_dates_of_projects(self, world: Path) -> None:
        assert self.read(world, HEAD + ",A,,2021-07-31,,p,\n") == {"K1": True, "K4": True}
        assert self.read(world, HEAD + ",A,,2021-08-01,,p,\n") == {"K1": True, "K4": False}
        assert self.read(world, HEAD + ",A,2020-03-01,,,p,\n") == {"K1": None, "K4": None}
        assert self.read(world, HEAD + ",B,2021-12-31,2022-05-01,,p,\n") == {
            "K2": False, "K5": True,
        }  # fmt: skip

    def test_of_several_projects_all_must_be_in_time(self, world: Path) -> None:
        text = (world / "commitments.csv").read_text("utf-8")
        assert "finish A,finish,A," in text
        changed = text.replace("finish A,finish,A,", "finish A,finish,A;B,")
        (world / "commitments.csv").write_text(changed, encoding="utf-8")
        early, late = "2021-06-01", "2022-06-01"
        assert self.read(world, HEAD + f",A,,{early},,p,\n")["K1"] is None
        assert self.read(world, HEAD + f",A,,{late},,p,\n")["K1"] is False
        assert self.read(world, HEAD + f",A,,{early},,p,\n,B,,{early},,p,\n")["K1"] is True
        assert self.read(world, HEAD + f",A,,{early},,p,\n,B,,{late},,p,\n")["K1"] is False

    def test_unknown_is_said_and_contradictions_are_told(self, world: Path) -> None:
        # Of K1 somebody doubts the date; K4 has nothing but the date.
        text = HEAD + ",A,,2021-08-01,,p,\nK1,,,,unknown,,\n"
        assert self.read(world, text) == {"K1": None, "K4": False}
        with pytest.raises(InputError) as caught:
            self.read(world, HEAD + ",A,,2021-08-01,,p,\nK1,,,,missed,p,\n")
        assert [one.code for one in caught.value.problems] == ["outcome_contradicts"]

    def test_the_shipped_file(self) -> None:
        plan = sim.load_plan(LUOYANG)
        found = read_outcomes(LUOYANG / "outcomes.csv", plan)
        assert not found.warnings
        known = {name: one for name, one in found.by_commitment.items() if one.kept is not None}
        assert len(known) >= 8
        assert all(one.source and one.confidence for one in known.values())
        judged = {one.id for one in plan.commitments if one.kind != "outside"}
        assert set(found.by_commitment) <= judged


class TestVerdict:
    """One sentence tells what the intervals say; the sign is the humble forecast's less ours."""

    @staticmethod
    def verdict(language: str, *ends: tuple[float | None, float | None]) -> str:
        names = ("on_time", "base_rate", "slippage")
        scores = [Score("model", 0.2, None, None, None, None)]
        for name, (low, high) in zip(names, ends, strict=False):
            scores.append(Score(name, 0.2, None, 0.0, low, high))
        group = Group("strong", (), 1, 1, 0, tuple(scores), {})
        return hindcast._verdict(group, hindcast.TEXT[language])

    def test_each_of_them(self) -> None:
        told = self.verdict("zh", (0.01, 0.3), (-0.2, -0.01), (-0.1, 0.1))
        assert told == (
            "结论：模型的布赖尔评分好于“全部按期”（95%区间在 0 之上）；"
            "模型的布赖尔评分差于“基准比率”（95%区间在 0 之下）；"
            "模型的布赖尔评分与“只按同类滑期”分不出高下（95%区间含 0）。"
        )
        told = self.verdict("en", (0.01, 0.3), (-0.2, -0.01), (-0.1, 0.1))
        assert told.startswith(
            "Verdict: the model's Brier score is better than that of all on time"
        )
        assert "worse than that of base rate" in told
        assert "cannot be told from that of slippage alone" in told

    def test_what_touches_nought_is_not_told_apart(self) -> None:
        told = self.verdict("zh", (0.0, 0.3), (-0.2, 0.0), (0.0, 0.0))
        names = "“全部按期、基准比率、只按同类滑期”"
        assert told == f"结论：模型的布赖尔评分与{names}分不出高下（95%区间含 0）。"

    def test_of_one_case(self) -> None:
        assert "无从比较" in self.verdict("zh", (None, None), (None, None))
        assert "cannot be compared" in self.verdict("en", (None, None), (None, None))
