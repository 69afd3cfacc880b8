"""Statistics against values worked out by hand or published."""

import math

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from sim.runs.statistics import (
    against_target,
    describe,
    mean_error,
    moments,
    percentile,
    percentile_errors,
    probability,
    student,
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
    sample = np.array([base - 1, base, base + 1])
    assert moments(sample) == (base, 1.0)
    # Three replications are three blocks, and their error is that of the text books.
    assert mean_error(sample) == pytest.approx(1 / math.sqrt(3))


def test_a_sample_of_one_has_no_spread() -> None:
    found = describe(np.array([7]))
    assert (found["p50"], found["sd"], found["mean_se"], found["p50_se"]) == (7, None, None, None)


def test_a_mean_has_the_error_of_its_blocks() -> None:
    """Replication r belongs to block r modulo 20: here one block lies 20 above the others."""
    sample = np.tile([20] + [0] * 19, 7)
    blocks = np.array([20.0] + [0.0] * 19)
    assert mean_error(sample) == pytest.approx(blocks.std(ddof=1) / math.sqrt(20))


def test_blocks_weigh_by_their_size() -> None:
    """Thirty replications: ten blocks of two, ten of one."""
    sample = np.arange(30) ** 2
    sizes = np.array([2] * 10 + [1] * 10)
    means = np.array([sample[b::20].mean() for b in range(20)])
    expected = math.sqrt((sizes / 30 * (means - sample.mean()) ** 2).sum() / 19)
    assert mean_error(sample) == pytest.approx(expected)


def test_student() -> None:
    for filled in range(2, 21):
        sizes = np.array([3] * filled + [0] * (20 - filled))
        assert float(student(sizes)) == pytest.approx(stats.t.ppf(0.975, filled - 1), rel=1e-8)
    assert math.isnan(float(student(np.array([5] + [0] * 19))))


def test_an_event_never_seen_may_still_be() -> None:
    """The rule of three: with 3 / n it would have been seen in 95 of 100 samples."""
    never = probability(np.zeros(1000, dtype=np.bool_))
    assert (never["value"], never["low"]) == (0, 0)
    assert never["high"] == pytest.approx(3 / 1000, rel=0.01)
    always = probability(np.ones(1000, dtype=np.bool_))
    assert (always["value"], always["high"]) == (1, 1)
    assert always["low"] == pytest.approx(1 - 3 / 1000, rel=0.01)
    one = probability(np.array([True]))
    assert one == {"value": 1, "low": pytest.approx(0.05), "high": 1}


def test_a_probability_has_an_interval_within_its_range() -> None:
    rare = np.zeros(200, dtype=np.bool_)
    rare[[3, 7]] = True
    found = probability(rare)
    blocks = rare.reshape(-1, 20).mean(axis=0)
    reach = stats.t.ppf(0.975, 19) * blocks.std(ddof=1) / math.sqrt(20)
    assert found["low"] == 0
    assert found["high"] == pytest.approx(0.01 + reach)


class TestCoverage:
    """Of 95 % intervals 95 of 100 hold the truth, up to the luck of so many trials."""

    TRIALS = 600

    def check(self, hits: int) -> None:
        allowed = 4 * math.sqrt(0.95 * 0.05 / self.TRIALS)
        assert 0.95 - allowed <= hits / self.TRIALS <= 0.95 + allowed

    def samples(self, count: int) -> NDArray[np.int64]:
        generator = np.random.default_rng(11)
        drawn = 1e6 * generator.standard_exponential((self.TRIALS, count))
        return np.asarray(drawn, dtype=np.int64)

    @pytest.mark.parametrize("count", [110, 400])  # in blocks of unequal size, and of equal
    def test_means(self, count: int) -> None:
        t = stats.t.ppf(0.975, 19)
        hits = 0
        for sample in self.samples(count):
            error = mean_error(sample)
            assert error is not None
            hits += abs(sample.mean() - 1e6) <= t * error
        self.check(hits)

    def test_probabilities(self) -> None:
        truth = math.exp(-1)
        found = [probability(sample > 1e6) for sample in self.samples(1000)]
        self.check(sum(one["low"] <= truth <= one["high"] for one in found))

    @pytest.mark.parametrize("percent", [10, 50, 90])
    def test_percentiles(self, percent: int) -> None:
        truth, t = -1e6 * math.log(1 - percent / 100), stats.t.ppf(0.975, 19)
        hits = 0
        for sample in self.samples(1000):
            error = percentile_errors(sample, (percent,))[percent]
            assert error is not None
            hits += abs(percentile(sample, percent) - truth) <= t * error
        self.check(hits)

    def test_points_that_are_spread_evenly_have_smaller_errors(self) -> None:
        """In strata the mean is all but certain; order statistics would not see it."""
        generator = np.random.default_rng(5)
        places = (np.arange(2000) // 20 + generator.random(2000)) / 100
        even = np.asarray(1e6 * places, dtype=np.int64)
        loose = np.asarray(1e6 * generator.random(2000), dtype=np.int64)
        for errors in (
            [mean_error(sample) for sample in (even, loose)],
            [percentile_errors(sample, (50,))[50] for sample in (even, loose)],
        ):
            assert errors[0] is not None
            assert errors[1] is not None
            assert errors[0] < errors[1] / 4


def test_tail_mean() -> None:
    sample = np.arange(1, 101)
    assert tail_mean(sample, 0.05)[0] == pytest.approx((96 + 97 + 98 + 99 + 100) / 5)
    # Of 10 values the worst 5 % is half of the largest.
    assert tail_mean(np.arange(1, 11), 0.05)[0] == 10
    # Of 30 values it is one and a half: the largest and half of the next.
    assert tail_mean(np.arange(1, 31), 0.05)[0] == pytest.approx((30 + 29 / 2) / 1.5)


def test_tail_mean_and_its_error() -> None:
    """The mean of the worst 5 % of exponentials is 1 + ln 20, and its error what trials show."""
    generator = np.random.default_rng(3)
    drawn = np.asarray(1e6 * generator.standard_exponential((300, 2000)), dtype=np.int64)
    found = np.array([tail_mean(sample) for sample in drawn], dtype=np.float64)
    assert found[:, 0].mean() == pytest.approx(1e6 * (1 + math.log(20)), rel=0.01)
    assert found[:, 1].mean() == pytest.approx(found[:, 0].std(), rel=0.15)


def test_against_target() -> None:
    found = against_target(np.array([90, 100, 110, 120]), 100)
    assert found["probability_target_met"]["value"] == 0.75  # type: ignore[index]
    assert found["expected_shortfall"] == 2.5
    assert found["cvar95_shortfall"] == 10
