"""The command `verify`: every known answer is told, and one that does not hold is told as such."""

import dataclasses
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import sim.analysis.scoring
from sim.plan.problems import InputError
from sim.verification import arithmetic, case, verify
from sim.verification.case import (
    Distance,
    Estimate,
    Quantity,
    Setting,
    judge,
    load_cases,
    load_quantities,
)
from tests.behaviour.test_commands import ask

ROOT = Path(__file__).parents[2]
QUICK = ("14", "18", "21", "22", "no-money", "one-project", "certain-risks")


def test_the_table_in_chinese(capsys: pytest.CaptureFixture[str]) -> None:
    assert ask("verify", "--only", ",".join(QUICK)) == 0
    told = capsys.readouterr()
    known = [one for one in load_quantities() if one.case in QUICK]
    lines = told.out.splitlines()
    for one in known:
        assert any(one.zh in line and one.expected in line and "相符" in line for line in lines)
    for row in load_cases():
        assert (f"依据 {row.id}：{row.source}" in told.out) == (row.id in QUICK)
    assert f"{len(known)} 项全部相符（{len(QUICK)} 个算例" in lines[-1]
    assert "不符" not in told.out


def test_the_table_in_english(capsys: pytest.CaptureFixture[str]) -> None:
    assert ask("verify", "--only", "22, 18", "--engine", "reference", "--lang", "en") == 0
    printed = capsys.readouterr().out
    for words in ("Cases with known answers", "expected", "got", "tolerance", "verdict", "holds"):
        assert words in printed
    assert "(cases: 2, reference engine" in printed.splitlines()[-1]


def test_without_names_every_case_is_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verify, "judge_case", lambda one, setting: [])
    told: list[tuple[int, int]] = []
    done = list(verify.verify(on_progress=lambda *at: told.append(at)))
    assert [one for one, _ in done] == list(load_cases())
    assert told == [(k, len(done)) for k in range(len(done) + 1)]


def test_an_answer_that_does_not_hold_ends_with_1(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    wrong = tuple(
        dataclasses.replace(one, expected="0.166") if one.of == "brier" else one
        for one in load_quantities()
    )
    monkeypatch.setattr(verify, "load_quantities", lambda: wrong)
    assert ask("verify", "--only", "18,21") == 1
    lines = capsys.readouterr().out.splitlines()
    assert sum("不符" in line for line in lines) == 2  # its row, and the last line
    assert "中 1 项不符：18 Brier评分（2 个算例" in lines[-1]


def test_a_broken_function_ends_with_1(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    right = sim.analysis.scoring.pinball_loss
    monkeypatch.setattr(arithmetic, "pinball_loss", lambda f, p, y: right(f, 1 - p, y))
    assert ask("verify", "--only", "18", "--lang", "en") == 1
    assert "Not holding: 2 of 19: 18 pinball loss" in capsys.readouterr().out.splitlines()[-1]


def test_a_broken_engine_ends_with_1(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Rounding shares down gives the odd yuan to the last account."""
    from sim.engine.reference.lines import Lines

    def split(self: Lines, project: int, before: int, amount: int, due: object) -> list[int]:
        mine = self.of_project[project]
        parts = [amount // len(mine)] * (len(mine) - 1)
        return [*parts, amount - sum(parts)]

    monkeypatch.setattr(Lines, "split", split)
    assert ask("verify", "--only", "28", "--engine", "reference") == 1
    assert "100元三等分：A、28 100元三等分：C" in capsys.readouterr().out.splitlines()[-1]


@pytest.mark.parametrize(
    ("name", "nearest"), [("027", "27"), ("no-mony", "no-money"), ("ten thousand", "ten-thousand")]
)
def test_unknown_names_are_told_with_the_nearest(
    name: str, nearest: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ask("verify", "--only", f"03,{name},nothing-like-it", "--lang", "en") == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert f"--only, value '{name}': there is no such case; the nearest is '{nearest}'" in told.err
    assert "value 'nothing-like-it': there is no such case; remedy" in told.err
    assert "the cases are 03, 05, " in told.err


def test_cases_may_be_named_without_the_leading_zero() -> None:
    assert [one.id for one in verify.choose(["3", "05"])] == ["03", "05"]
    ((case, verdicts),) = verify.verify(["9"])
    assert (case.id, all(one.holds for one in verdicts)) == ("09", True)
    assert verdicts


def test_without_the_compiler_the_reference_engine_serves(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(verify, "usual_engine", lambda: "reference")
    seen: list[Setting] = []

    def judged(one: case.Case, setting: Setting) -> list[case.Verdict]:
        seen.append(setting)
        return []

    monkeypatch.setattr(verify, "judge_case", judged)
    list(verify.verify(["18"]))
    assert seen == [Setting("reference")]
    with pytest.raises(InputError) as refused:
        verify.verify(["18"], "compiled")
    assert [one.code for one in refused.value.problems] == ["no_compiler"]


def known(kind: str, expected: str, at: float | None = None, drawn: int = 0) -> Quantity:
    return Quantity("x", "own", "q", case._kind(kind), at, expected, drawn, "q", "q")


SAMPLE = np.arange(1.0, 10_001.0)
"""Mean 5000.5; sd 2886.9; errors of both follow by hand."""


class TestTolerance:
    """Each rule at its very edge."""

    @pytest.mark.parametrize(
        ("expected", "got", "holds"),
        [("3", 3, True), ("3", 4, False), ("0x0a", 10, True), ("0", 1e-300, False),
         ("1/3", 1 / 3, True), ("0.1", 0.1 * (1 + 9e-13), True), ("0.1", 0.1 * (1 + 2e-12), False),
         ("300000000000", 300_000_000_001, False)],
    )  # fmt: skip
    def test_exact(self, expected: str, got: float, holds: bool) -> None:
        assert judge(known("exact", expected), got).holds is holds

    @pytest.mark.parametrize(
        ("expected", "got", "holds"),
        [("0.4900", 0.49005, True), ("0.4900", 0.490051, False), ("0.49", 0.494, True),
         ("27.5", 27.45, True), ("27.5", 27.44, False), ("288", 288.4, True)],
    )  # fmt: skip
    def test_printed(self, expected: str, got: float, holds: bool) -> None:
        assert judge(known("printed", expected), got).holds is holds

    def test_mean(self) -> None:
        reach = 4 * 2886.8956 / 100
        assert judge(known("mean", f"{5000.5 + reach - 0.1:.4f}"), SAMPLE).holds
        assert not judge(known("mean", f"{5000.5 + reach + 0.1:.4f}"), SAMPLE).holds

    def test_sd(self) -> None:
        """Of a uniform law the fourth moment over the squared variance is 9/5."""
        found = judge(known("sd", "2886.8956"), SAMPLE)
        assert found.tolerance == pytest.approx(4 * 2886.8956 * np.sqrt(0.8 / 4 / 10_000), rel=1e-3)
        assert found.holds
        assert not judge(known("sd", f"{2886.8956 + 1.02 * found.tolerance:.4f}"), SAMPLE).holds

    def test_probability(self) -> None:
        hits = np.arange(400) < 100
        assert judge(known("share", "0.33"), hits).holds  # four errors: 0.094
        assert not judge(known("share", "0.35"), hits).holds
        at = known("at_most", "0.25", at=2_500.0)
        assert judge(at, SAMPLE).got == 0.25

    def test_percentile_by_ranks(self) -> None:
        """Of 10,000 the P80 stands at rank 8,000, give or take 4 sqrt(1,600) = 160."""
        for expected, holds in (("7840", True), ("8161", True), ("7838", False), ("8163", False)):
            assert judge(known("percentile", expected, at=0.8), SAMPLE).holds is holds
        assert judge(known("percentile", "8000", at=0.8), SAMPLE).got == 8_000

    def test_an_answer_that_was_simulated_adds_its_error(self) -> None:
        exact, drawn = (judge(known("mean", "5000", drawn=n), SAMPLE) for n in (0, 10_000))
        assert drawn.tolerance == pytest.approx(np.sqrt(2) * exact.tolerance)

    def test_estimate_and_distance(self) -> None:
        assert judge(known("estimate", "1"), Estimate(1.39, 0.1)).holds
        assert not judge(known("estimate", "1"), Estimate(1.41, 0.1)).holds
        # The Kolmogorov distribution: exceeded with probability 2 exp(-2 x^2) far out.
        edge = np.sqrt(-np.log(6.3342e-5 / 2) / 2 / 10_000)
        assert judge(known("distance", "0"), Distance(0.99 * edge, 10_000)).holds
        assert not judge(known("distance", "0"), Distance(1.01 * edge, 10_000)).holds

    @pytest.mark.parametrize("sample", [np.array([]), np.array([1.0, np.nan])])
    def test_what_is_no_sample_is_refused(self, sample: case.Floats) -> None:
        with pytest.raises(ValueError, match="cannot be judged"):
            judge(known("mean", "1"), sample)

    def test_an_unknown_rule_is_refused(self) -> None:
        with pytest.raises(ValueError, match="no rule of tolerance"):
            known("roughly", "1")


def test_simulated_answers_are_tight_enough_to_say_something() -> None:
    """A tolerance as wide as the answer would say nothing."""
    for name in ("24", "25", "27"):
        one = next(one for one in load_cases() if one.id == name)
        for found in verify.judge_case(one, Setting("compiled")):
            if found.quantity.kind in ("mean", "sd"):
                assert found.tolerance < 0.1 * float(found.quantity.value), found


@pytest.mark.slow
def test_broken_sources_are_noticed(slow_share: float) -> None:
    """A few of the mutations of docs/verify.md, or all of them."""
    command = [sys.executable, "benchmarks/mutations.py", "--engine", "reference"]
    # Each takes a minute: of a part of the slow checks half as many.
    every = 1 if slow_share >= 1 else max(round(2 / slow_share), 2) if slow_share > 0 else 20
    done = subprocess.run(
        [*command, "--every", str(every)], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
