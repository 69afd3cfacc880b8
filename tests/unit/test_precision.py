"""Precision: what can be asked for, what an interval is worth, when it is looked at."""

import math
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from sim.engine.rules import NEVER
from sim.plan.precision import Precision, measures, read_precision
from sim.plan.problems import Problem
from sim.runs.counting import BLOCKS
from sim.runs.precision import FIRST, half_width, reached, stages

ASKED = Precision("reported", "p50", 5.0)


class TestReading:
    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("reported.p50=20亿", Precision("reported", "p50", 2e9)),
            ("reported.p50=20亿元", Precision("reported", "p50", 2e9)),
            (" year_end.paid.mean = 1,500 万 ", Precision("paid", "mean", 1.5e7)),
            ("final_cost.mean=0.5%", Precision("final_cost", "mean", 0.005, relative=True)),
            ("work_done.p20=1e8", Precision("work_done", "p20", 1e8)),
            ("arrears.p90=3元", Precision("arrears", "p90", 3.0)),
            ("reported.probability_target_met=1%",
             Precision("reported", "probability_target_met", 0.01)),
            ("paid.probability_target_met=0.02",
             Precision("paid", "probability_target_met", 0.02)),
            ("projects.started_in_year.mean=2", Precision("started_in_year", "mean", 2.0)),
            ("makespan_days.p80=10", Precision("makespan_days", "p80", 10.0)),
        ],
    )  # fmt: skip
    def test_forms(self, text: str, expected: Precision) -> None:
        assert read_precision(text) == expected

    @pytest.mark.parametrize(
        ("text", "code"),
        [
            ("", "unknown_measure"), ("reported.p50", "unknown_measure"),
            ("reported=5", "unknown_measure"), ("reported.p51=5", "unknown_measure"),
            ("reported.mean_se=5", "unknown_measure"), ("reporte.p50=5", "unknown_measure"),
            ("arrears.probability_target_met=1%", "unknown_measure"),
            ("=5", "unknown_measure"),
            ("reported.p50=", "bad_half_width"), ("reported.p50=0", "bad_half_width"),
            ("reported.p50=-1", "bad_half_width"), ("reported.p50=nan", "bad_half_width"),
            ("reported.p50=1e99999", "bad_half_width"), ("reported.p50=5 km", "bad_half_width"),
            ("reported.p50=五", "bad_half_width"), ("reported.p50=٥", "bad_half_width"),
            ("reported.probability_target_met=1亿", "bad_half_width"),
            ("started_in_year.mean=1万", "bad_half_width"),
            ("reported.p50=1==2", "bad_half_width"),
        ],
    )  # fmt: skip
    def test_refused(self, text: str, code: str) -> None:
        problem = read_precision(text, "base.toml")
        assert isinstance(problem, Problem)
        assert (problem.code, problem.file, problem.column) == (code, "base.toml", "run.precision")
        assert "reported.p50=20亿" in problem.render("en") or code == "bad_half_width"
        assert problem.render("zh") != problem.render("en")

    def test_what_is_possible_is_told(self) -> None:
        problem = read_precision("x.mean=1")
        assert isinstance(problem, Problem)
        told = problem.render("en")
        for measure in measures():
            value, _, statistic = measure.rpartition(".")
            assert value in told
            assert statistic in told


class TestStages:
    @pytest.mark.parametrize(
        ("count", "ends"),
        [
            (1, [1]), (319, [319]), (320, [320]), (321, [320, 321]), (640, [320, 640]),
            (10_240, [320, 640, 1280, 2560, 5120, 10_240]),
            (6000, [320, 640, 1280, 2560, 5120, 6000]),
        ],
    )  # fmt: skip
    def test_looks(self, count: int, ends: list[int]) -> None:
        found = stages(count, ASKED)
        assert [one.stop for one in found] == ends
        assert found[0].start == 0
        assert all(a.stop == b.start for a, b in pairwise(found))
        assert stages(count, None) == [range(count)]

    def test_the_first_look_gives_each_block_as_many(self) -> None:
        assert FIRST == BLOCKS * 16


def draws(count: int, seed: int) -> Any:
    return np.random.default_rng(seed).normal(1e9, 1e8, count).astype(np.int64)


class TestHalfWidth:
    def test_of_a_mean_by_hand(self) -> None:
        values = np.arange(20).repeat(2).reshape(20, 2).T.reshape(-1)  # block r % 20 holds r % 20
        assert values.tolist() == [*range(20), *range(20)]
        estimate, half = half_width(values, "mean")
        assert estimate == 9.5
        assert half == pytest.approx(2.0930240544 * math.sqrt(35.0 / 20))

    @pytest.mark.parametrize(
        ("statistic", "true"), [("mean", 1e9), ("p50", 1e9), ("p20", 1e9 - 84_162_123)]
    )
    @pytest.mark.parametrize("count", [320, 1280])
    def test_intervals_hold_the_truth_as_often_as_they_say(
        self, statistic: str, true: float, count: int
    ) -> None:
        found = [half_width(draws(count, seed), statistic) for seed in range(600)]
        held = sum(abs(estimate - true) <= half for estimate, half in found)
        assert 0.92 <= held / 600 <= 0.985

    def test_of_a_probability(self) -> None:
        found = [
            reached(draws(320, seed), Precision("paid", "probability_target_met", 0.01), 10**9)
            for seed in range(600)
        ]
        held = sum(abs(one.estimate - 0.5) <= one.half_width for one in found)
        assert 0.92 <= held / 600 <= 0.985

    def test_what_stays_the_same_inside_blocks_is_no_error(self) -> None:
        """A balanced block has the same mean as the others: its spread is not an error."""
        values = np.tile(np.arange(16), (20, 1)).T.reshape(-1) * 1000
        assert half_width(values, "mean") == (7500, 0)

    def test_a_percentile_is_never_taken_for_exact_where_values_differ(self) -> None:
        values = np.tile(np.arange(16), (20, 1)).T.reshape(-1) * 1000
        estimate, half = half_width(values, "p50")
        assert estimate == 7000
        assert half == 500

    @pytest.mark.parametrize("value", [0, 1])
    def test_a_probability_of_nought_or_one_is_not_certain(self, value: int) -> None:
        estimate, half = half_width(np.full(320, value), "probability_target_met")
        assert estimate == value
        assert half == pytest.approx((1 - 0.05 ** (1 / 320)) / 2)  # the rule of three

    def test_too_few(self) -> None:
        for statistic in ("mean", "p50", "probability_target_met"):
            assert half_width(np.arange(39) % 2, statistic)[1] == math.inf
        assert half_width(np.arange(40), "mean")[1] < math.inf

    def test_beyond_the_horizon(self) -> None:
        values = np.arange(320)
        values[::5] = NEVER
        assert half_width(values, "mean") == (math.inf, math.inf)
        assert half_width(values, "p50")[1] < math.inf
        assert half_width(values, "p80")[1] == math.inf
        assert half_width(values, "p90") == (math.inf, math.inf)
        assert not reached(values, Precision("makespan_days", "mean", 0.5, True), 1).enough

    def test_at_the_edge_of_the_sample(self) -> None:
        assert half_width(draws(40, 1), "p5")[1] == math.inf
        assert half_width(draws(40, 1), "p95")[1] == math.inf


def test_a_share_of_the_estimate() -> None:
    values = draws(640, 1)
    asked = Precision("paid", "mean", 0.01, relative=True)
    found = reached(values, asked, 0)
    assert found.wanted == pytest.approx(0.01 * values.mean())
    assert found.enough
    assert not reached(values, Precision("paid", "mean", 0.001, relative=True), 0).enough
