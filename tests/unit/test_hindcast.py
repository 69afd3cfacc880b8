"""Scoring promises: by hand, strong and weak apart, unknown ones left out."""

import math
from dataclasses import replace

import pytest

from sim.analysis.hindcast import Promise, promises_of, score_groups
from sim.analysis.hindcast_tables import promise_rows
from sim.plan.outcomes import Outcome

ONE = Promise("K1", "text", "must", "finish", "2021-12-31", 0.8, 0.7, 0.9, 0.6, True, "s", "", "")


def cases(*given: tuple[float, float, bool | None], strength: str = "plan") -> list[Promise]:
    return [
        replace(ONE, id=f"K{k}", strength=strength, model=model, slippage=slippage, kept=kept)
        for k, (model, slippage, kept) in enumerate(given)
    ]


def test_by_hand() -> None:
    strong, weak = score_groups(cases((0.9, 0.5, True), (0.4, 0.5, True), (0.7, 0.5, False)))
    assert (strong.kept, strong.missed, strong.unknown) == (2, 1, 0)
    assert weak.promises == ()
    assert weak.scores == ()
    scores = {one.forecast: one for one in strong.scores}
    assert scores["model"].brier == pytest.approx((0.01 + 0.36 + 0.49) / 3)
    assert scores["on_time"].brier == pytest.approx(1 / 3)
    # Of the others: one of two kept, one of two, two of two.
    assert strong.probabilities["base_rate"] == (0.5, 0.5, 1.0)
    assert scores["base_rate"].brier == pytest.approx((0.25 + 0.25 + 1) / 3)
    assert scores["slippage"].brier == pytest.approx(0.25)
    assert scores["base_rate"].tenths is None
    parts = scores["slippage"].tenths
    assert parts is not None
    assert (parts.reliability, parts.resolution) == pytest.approx(((2 / 3 - 0.5) ** 2, 0))
    assert parts.uncertainty == pytest.approx(2 / 9)


def test_interval_of_the_difference_by_hand() -> None:
    strong, _ = score_groups(cases((1.0, 0.5, True), (0.0, 0.5, True), (0.0, 0.5, False)))
    on_time = strong.scores[1]
    assert on_time.forecast == "on_time"
    # Gaps 0, -1 and 1: mean 0, standard deviation 1; t of 2 degrees of freedom is 4.302653.
    assert on_time.worse == pytest.approx(0)
    assert (on_time.low, on_time.high) == pytest.approx((-2.484138, 2.484138), abs=1e-6)
    assert strong.scores[0].worse is None


def test_unknown_ones_are_left_out_and_counted() -> None:
    known = cases((0.9, 0.5, True), (0.4, 0.5, False))
    unknown = cases((0.1, 0.1, None), (0.99, 0.2, None))
    strong, _ = score_groups([unknown[0], *known, unknown[1]])
    alone, _ = score_groups(known)
    assert strong.scores == alone.scores
    assert strong.unknown == 2
    rows = promise_rows([strong])
    assert [row["scored"] for row in rows] == ["no", "yes", "yes", "no"]
    assert [row["p_base_rate"] for row in rows] == [None, 0.0, 1.0, None]
    assert [row["outcome"] for row in rows] == ["unknown", "kept", "missed", "unknown"]


def test_weak_promises_apart() -> None:
    strong_ones = cases((0.9, 0.5, True), strength="must") + cases((0.8, 0.5, True))
    weak_ones = cases((0.7, 0.5, False), strength="strive") + cases(
        (0.1, 0.5, False), strength="explore"
    )
    strong, weak = score_groups(weak_ones + strong_ones)
    assert strong.scores[0].brier == pytest.approx((0.01 + 0.04) / 2)
    assert weak.scores[0].brier == pytest.approx((0.49 + 0.01) / 2)
    assert (weak.kept, weak.missed) == (0, 2)
    assert weak.probabilities["base_rate"] == (0.0, 0.0)


def test_a_given_base_rate_and_a_single_case() -> None:
    strong, weak = score_groups(cases((0.9, 0.5, True)), base_rate=0.6)
    assert strong.probabilities["base_rate"] == (0.6,)
    assert {one.forecast for one in strong.scores} == {
        "model", "on_time", "base_rate", "slippage",
    }  # fmt: skip
    assert strong.scores[1].low is None
    alone, _ = score_groups(cases((0.9, 0.5, True)))
    assert "base_rate" not in alone.probabilities
    assert weak.scores == ()


def test_joining_runs_and_outcomes() -> None:
    row = {"id": "K1", "text": "t", "strength": "must", "kind": "start", "deadline": "2021-12-31",
           "p_kept": "0.25", "p_kept_low": "", "p_kept_high": ""}  # fmt: skip
    outside = {**row, "id": "K2", "kind": "outside", "p_kept": ""}
    other = {**row, "id": "K3"}
    slipping = [{**one, "p_kept": "0.75"} for one in (other, outside, row)]
    outcomes = {name: Outcome(True, "s", "high", "n") for name in ("K1", "K2")}
    first, second = promises_of([row, outside, other], slipping, outcomes)
    assert (first.id, first.model, first.slippage, first.kept) == ("K1", 0.25, 0.75, True)
    assert math.isnan(first.model_low)
    assert (second.id, second.kept, second.source) == ("K3", None, "")
