"""Mean pairwise correlation and effective number of projects, against closed forms."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from sim.runs.counting import BLOCKS, add_squares, count_room
from sim.runs.diversification import (
    common_correlation,
    diversification,
    effective_by_size,
    jackknife_error,
    variances,
)
from sim.runs.squares import PARTS, joined_parts
from sim.runs.statistics import block_error

NEAR_LARGEST = 2**54 - 1


@pytest.mark.parametrize(
    ("count", "correlation"),
    [(2, -0.5), (10, -0.05), (10, 0.0), (10, 0.3), (1_000, 0.0), (1_000, 0.02), (1_000, 1.0)],
)
def test_equal_projects(count: int, correlation: float) -> None:
    """n / (1 + (n - 1) r), whatever the variance of each."""
    variance = 49.0
    total = count * variance * (1 + (count - 1) * correlation)
    found = diversification(np.full(count, variance), np.array(total))
    assert found.mean_correlation == pytest.approx(correlation, abs=1e-12)
    assert found.effective_projects == pytest.approx(count / (1 + (count - 1) * correlation))
    assert found.effective_if_independent == pytest.approx(count)


def test_unequal_projects() -> None:
    """Standard deviations 3, 4 and 12; correlations .1, .2 and .3: by hand."""
    spread = np.array([3.0, 4.0, 12.0])
    pairs = {(0, 1): 0.1, (0, 2): 0.2, (1, 2): 0.3}
    covariance = sum(2 * r * spread[a] * spread[b] for (a, b), r in pairs.items())
    found = diversification(spread**2, np.array(169.0 + covariance))
    weights = {(a, b): spread[a] * spread[b] for a, b in pairs}
    mean = sum(pairs[pair] * weights[pair] for pair in pairs) / sum(weights.values())
    assert found.mean_correlation == pytest.approx(mean)
    assert found.effective_projects == pytest.approx(361 / (169 + covariance))
    assert found.effective_if_independent == pytest.approx(361 / 169)


def test_what_does_not_vary_counts_for_nothing() -> None:
    varying = diversification(np.array([4.0, 9.0]), np.array(16.0))
    among = diversification(np.array([4.0, 0.0, 9.0, 0.0]), np.array(16.0))
    assert among == varying
    alone = diversification(np.array([0.0, 4.0]), np.array(4.0))
    assert math.isnan(alone.mean_correlation)
    assert alone.effective_projects == 1
    assert all(math.isnan(one) for one in diversification(np.zeros(3), np.array(0.0)))
    hedged = diversification(np.array([4.0, 4.0]), np.array(0.0))
    assert hedged.mean_correlation == -1
    assert math.isnan(hedged.effective_projects)


def test_by_size() -> None:
    assert effective_by_size(np.array([7, 7, 7, 0])) == 3
    assert effective_by_size(np.array([3, 4])) == 49 / 25
    assert math.isnan(effective_by_size(np.array([0, 0])))


@pytest.mark.parametrize("correlation", [0.0, 0.05, 0.2])
def test_a_common_correlation(correlation: float) -> None:
    """Against the matrix written out, where spread is proportional to size."""
    weights = np.array([1, 2, 5, 40])
    matrix = np.full((4, 4), correlation) + (1 - correlation) * np.eye(4)
    total = weights @ matrix @ weights
    effective, spread = common_correlation(weights, correlation)
    assert effective == pytest.approx(48**2 / total)
    assert spread == pytest.approx(math.sqrt(total / (weights @ weights)))


@settings(deadline=None)
@given(st.lists(st.integers(-NEAR_LARGEST, NEAR_LARGEST), min_size=1, max_size=40))
def test_squares_are_exact(values: list[int]) -> None:
    parts = sums_of_squares(np.array(values, np.int64))
    assert (parts >= 0).all()
    assert joined_parts(parts.astype(object)).sum() == sum(one * one for one in values)


def test_squares_of_a_whole_batch_do_not_overflow() -> None:
    parts = sums_of_squares(np.full(4_096, -NEAR_LARGEST), blocks=1)
    assert joined_parts(parts.astype(object)).sum() == 4_096 * NEAR_LARGEST**2


def sums_of_squares(values: NDArray[np.int64], blocks: int = BLOCKS) -> NDArray[np.int64]:
    """Return the sums of parts of squares by block, of values that come to so many blocks."""
    sums, numbers = np.zeros((PARTS, BLOCKS), np.int64), np.arange(len(values)) % blocks
    add_squares(values[:, None], 0, numbers, sums, count_room(0))
    return sums


def by_block(sample: NDArray[np.int64]) -> tuple[NDArray[np.object_], NDArray[np.int64]]:
    blocks = np.arange(len(sample)) % BLOCKS
    sums = [sum(sample[blocks == block].tolist()) for block in range(BLOCKS)]
    return np.array(sums, dtype=object), np.bincount(blocks, minlength=BLOCKS)


@pytest.mark.parametrize("count", [1, 2, 7, 20, 21, 61])
def test_variances_of_all_and_without_each_block(count: int) -> None:
    sample = 10**12 + np.random.default_rng(count).integers(0, 1_000, count)
    (sums, sizes), (squares, _) = by_block(sample), by_block(sample.astype(object) ** 2)
    found = variances(sums, squares, sizes)
    blocks = np.arange(count) % BLOCKS
    for place in range(1 + BLOCKS):
        left = (sample - 10**12)[blocks != place - 1]
        if len(left) < 2:
            assert math.isnan(found[place])
        else:
            assert found[place] == pytest.approx(left.var(ddof=1), rel=1e-12)


def test_the_error_of_a_mean_is_that_of_blocks() -> None:
    """Of a mean, leaving out equal blocks tells the same as blocks alone."""
    sample = np.random.default_rng(4).normal(size=10 * BLOCKS)
    blocks = np.arange(len(sample)) % BLOCKS
    without = [sample[blocks != block].mean() for block in range(BLOCKS)]
    sizes = np.full(BLOCKS, 10)
    alone = np.array([sample[blocks == block].mean() for block in range(BLOCKS)])
    expected = block_error(alone, sizes, alone.mean())
    found = jackknife_error(np.array([sample.mean(), *without]), sizes)
    assert found == pytest.approx(float(expected))
