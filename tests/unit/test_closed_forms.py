"""Jointly normal items, the spending curve and sensitivity indices, told another way."""

import numpy as np
import pytest
from scipy import stats

from sim.analysis.joint_normal import joint_level, own_level, sd_of_sum, spread_missed, update
from sim.analysis.sobol import sobol_indices
from sim.analysis.spending_curve import PUBLISHED, SpendingCurve


def test_joint_level_is_the_probability_of_both() -> None:
    """By the law of total probability: over the first, the second given it."""
    r, at = 0.6, stats.norm.ppf(0.8)
    x = np.linspace(-9, at, 200_001)
    given = stats.norm.cdf((at - r * x) / np.sqrt(1 - r * r)) * stats.norm.pdf(x)
    assert joint_level(0.8, r) == pytest.approx(np.trapezoid(given, x), abs=1e-7)
    assert joint_level(own_level(0.55, r), r) == pytest.approx(0.55, abs=1e-7)


def test_sums_of_correlated_items() -> None:
    covariance = 4.0 * (0.25 + 0.75 * np.eye(7))
    assert sd_of_sum(7, 2.0, 0.25) == pytest.approx(np.sqrt(covariance.sum()))
    assert spread_missed(7, 0.0) == 0
    with pytest.raises(ValueError, match="cannot all"):
        sd_of_sum(7, 2.0, -0.5)


def test_update_is_the_regression_on_what_was_observed() -> None:
    rng = np.random.default_rng(3)
    half = rng.normal(size=(5, 5))
    covariance, means = half @ half.T + np.eye(5), rng.normal(size=5)
    after = update(means, covariance, [1.0, -2.0])
    precision = np.linalg.inv(covariance)  # of the rest, given the others, is its own block
    np.testing.assert_allclose(np.linalg.inv(after.covariance), precision[2:, 2:])
    pull = precision[2:, :2] @ (np.array([1.0, -2.0]) - means[:2])
    np.testing.assert_allclose(after.means, means[2:] - np.linalg.solve(precision[2:, 2:], pull))
    assert after.mean == pytest.approx(after.means.sum() - 1)
    assert after.reaches(after.percentile(0.2)) == pytest.approx(0.8)


def test_nothing_and_everything_observed() -> None:
    before, over = (update([1, 2], np.eye(2), seen) for seen in ([], [3, 4]))
    assert before.mean == 3
    assert before.sd == pytest.approx(np.sqrt(2))
    assert over.mean == 7
    assert over.sd == 0


@pytest.mark.parametrize(
    ("covariance", "observed"),
    [(np.eye(3), [1.0]), (np.eye(2), [1.0, 2.0, 3.0]), (np.zeros((2, 2)), [1.0])],
)
def test_updates_that_make_no_sense_are_refused(
    covariance: np.ndarray[tuple[int, int]], observed: list[float]
) -> None:
    with pytest.raises(ValueError, match=r"fit together|no spread"):
        update([1.0, 2.0], covariance, observed)


def test_the_curve_and_its_inverse() -> None:
    for share in (0.0, 0.01, 0.25, 0.5, 0.99, 1.0):
        assert float(PUBLISHED.share(PUBLISHED.time(share))) == pytest.approx(share, abs=1e-12)
    x, step = np.linspace(0.05, 0.95, 19), 1e-6
    slope = (PUBLISHED.share(x + step) - PUBLISHED.share(x - step)) / (2 * step)
    np.testing.assert_allclose(PUBLISHED.slope(x), slope, atol=1e-8)


@pytest.mark.parametrize("c", np.linspace(-2, 2, 9))
@pytest.mark.parametrize("k", [-2.0, -1.0, 1.0, 2.9, 3.0, 4.0, 9.0])
def test_a_curve_is_refused_just_if_it_falls_somewhere(c: float, k: float) -> None:
    x = np.linspace(0, 1, 2_001)
    lowest = (1 + 2 * c * x - c - (18 * x**2 - 18 * x + 3) / k).min()
    if lowest < 0:
        with pytest.raises(ValueError, match="would fall"):
            SpendingCurve(c, k)
    else:
        assert (np.diff(SpendingCurve(c, k).share(x)) >= 0).all()


@pytest.mark.parametrize(("c", "k"), [(0.1, 0.0), (np.nan, 3.0), (0.1, np.inf)])
def test_parameters_that_are_no_numbers_are_refused(c: float, k: float) -> None:
    with pytest.raises(ValueError, match="must be numbers"):
        SpendingCurve(c, k)


def test_indices_of_a_sum_are_shares_of_its_variance() -> None:
    rng = np.random.default_rng(5)
    a, b = rng.normal(size=(2, 3, 2**14))
    weights = np.array([3.0, 2.0, 1.0])
    mixed = [weights @ np.where(np.arange(3)[:, None] == d, b, a) for d in range(3)]
    found = sobol_indices(weights @ a, weights @ b, mixed)
    np.testing.assert_allclose(found.first, weights**2 / 14, atol=0.03)
    np.testing.assert_allclose(found.total, weights**2 / 14, atol=0.03)


@pytest.mark.parametrize(
    ("one", "mixed", "told"),
    [([1.0, 2.0], [[1.0]], "fit"), ([1.0, 1.0], [[1.0, 1.0]], "vary"),
     ([1.0, 2.0, 3.0], [[1.0, 2.0, 3.0]], "power of 2")],
)  # fmt: skip
def test_evaluations_that_say_nothing_are_refused(
    one: list[float], mixed: list[list[float]], told: str
) -> None:
    with pytest.raises(ValueError, match=told):
        sobol_indices(one, one, mixed)
