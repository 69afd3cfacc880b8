"""Statistics against values worked out by hand or published."""

import math

import numpy as np
import pytest

from sim.runs.statistics import (
    against_target,
    describe,
    moments,
    percentile,
    probability,
    tail_mean,
)


@pytest.mark.parametrize(
    ("percent", "expected"), [(5, 10), (10, 10), (11, 20), (20, 20), (50, 50), (51, 60), (95, 100)]
)
def test_percentile_is_the_value_not_exceeded(percent: int, expected: int) -> None:
    assert percentile(np.arange(100, 0, -10), percent) == expected


def test_moments_are_exact_for_large_integers() -> None:
    """Sums of squares far beyond 64 bits do not lose digits."""
    base = 300_000_000_000
    mean, error, sd = moments(np.array([base - 1, base, base + 1]))
    assert (mean, sd) == (base, 1.0)
    assert error == pytest.approx(1 / math.sqrt(3))


def test_a_sample_of_one_has_no_spread() -> None:
    assert describe(np.array([7]))["sd"] is None
    assert describe(np.array([7]))["p50"] == 7


def test_wilson_interval() -> None:
    """Newcombe 1998, table I: 81 of 263 gives 0.2553 to 0.3662; 0 of 20 gives 0 to 0.1611."""
    found = probability(np.arange(263) < 81)
    assert (round(found["low"], 4), round(found["high"], 4)) == (0.2553, 0.3662)
    none = probability(np.zeros(20, np.bool_))
    assert (none["low"], round(none["high"], 4)) == (0.0, 0.1611)
    assert probability(np.ones(20, np.bool_))["high"] == 1.0


def test_tail_mean() -> None:
    sample = np.arange(1, 101)
    assert tail_mean(sample, 0.05) == pytest.approx((96 + 97 + 98 + 99 + 100) / 5)
    # Of 10 values the worst 5 % is half of the largest.
    assert tail_mean(np.arange(1, 11), 0.05) == 10
    # Of 30 values it is one and a half: the largest and half of the next.
    assert tail_mean(np.arange(1, 31), 0.05) == pytest.approx((30 + 29 / 2) / 1.5)


def test_against_target() -> None:
    found = against_target(np.array([90, 100, 110, 120]), 100)
    assert found["probability_target_met"]["value"] == 0.75  # type: ignore[index]
    assert found["expected_shortfall"] == 2.5
    assert found["cvar95_shortfall"] == 10
