"""Scores against definitions told another way; published values are cases of `verify`."""

import numpy as np
import pytest
from scipy import integrate, stats

from sim.analysis.scoring import (
    accepted_coverage,
    brier,
    coverage,
    crps_ensemble,
    crps_normal,
    interval_score,
    pinball_loss,
)


def test_brier_of_known_forecasts() -> None:
    """Case 18: five forecasts of 0.1 with one hit, five of 0.8 with four hits."""
    found = brier([0.1] * 5 + [0.8] * 5, [1, 0, 0, 0, 0, 1, 1, 1, 1, 0])
    assert found.score == pytest.approx(0.165, rel=1e-12)
    assert found.reliability == pytest.approx(0.005, rel=1e-12)
    assert found.resolution == pytest.approx(0.090, rel=1e-12)
    assert found.uncertainty == pytest.approx(0.250, rel=1e-12)


def test_the_parts_of_the_brier_score_add_up_whatever_the_order() -> None:
    given = [0.2, 0.9, 0.2, 0.5, 0.9, 0.0, 1.0, 0.5]
    came = [False, True, True, True, False, False, True, False]
    found = brier(given, came)
    assert found.score == pytest.approx(
        found.reliability - found.resolution + found.uncertainty, rel=1e-12
    )
    turned = brier(given[::-1], came[::-1])
    assert turned.reliability == pytest.approx(found.reliability, rel=1e-12)


@pytest.mark.parametrize(
    ("given", "came"),
    [([], []), ([0.5], [1, 0]), ([1.1], [1]), ([-0.1], [1]), ([0.5], [2]), ([np.nan], [1])],
)
def test_brier_refuses(given: list[float], came: list[int]) -> None:
    with pytest.raises(ValueError, match=r"must|needed"):
        brier(given, came)


@pytest.mark.parametrize(("mean", "sd", "y"), [(0, 1, -3), (0, 1, 0.5), (2, 3, -1), (0, 2, 1)])
def test_crps_of_a_normal_is_the_integral_that_defines_it(mean: float, sd: float, y: float) -> None:
    law = stats.norm(mean, sd)
    low, _ = integrate.quad(lambda x: law.cdf(x) ** 2, mean - 12 * sd, y)
    high, _ = integrate.quad(lambda x: law.sf(x) ** 2, y, mean + 12 * sd)
    assert float(crps_normal(mean, sd, y)) == pytest.approx(low + high, abs=1e-8)


@pytest.mark.parametrize("y", [-1.0, 2.5, 3.0, 9.0])
def test_crps_of_an_ensemble_by_all_pairs(y: float) -> None:
    members = np.array([4.0, 1.0, 3.0, 3.0, 7.5])
    count = len(members)
    apart = np.abs(members[:, None] - members).sum()
    nearness = np.abs(members - y).mean()
    assert crps_ensemble(members, y) == pytest.approx(nearness - apart / (2 * count**2))
    fair = crps_ensemble(members, y, fair=True)
    assert fair == pytest.approx(nearness - apart / (2 * count * (count - 1)))


def test_one_member_is_a_point_forecast() -> None:
    assert crps_ensemble([3.0], 5.0) == 2.0
    with pytest.raises(ValueError, match="members"):
        crps_ensemble([3.0], 5.0, fair=True)


def test_interval_score_is_the_pinball_losses_of_its_ends() -> None:
    """Gneiting and Raftery: the interval score is 2 / alpha times the sum of the two losses."""
    y = np.array([270.0, 280.0, 300.0, 320.0, 333.0])
    whole = interval_score(280, 320, 0.8, y)
    ends = pinball_loss(280, 0.1, y) + pinball_loss(320, 0.9, y)
    np.testing.assert_allclose(whole, 2 / 0.2 * ends, rtol=1e-12)


def test_coverage_counts_ends() -> None:
    assert coverage([1, 1, 1, 1], [2, 2, 2, 2], [1, 2, 0.9, 2.1]) == (2, 4)


def test_accepted_coverage_holds_as_much_as_is_said() -> None:
    low, high = accepted_coverage(60, 0.8)
    law = stats.binom(60, 0.8)
    assert law.cdf(high) - law.cdf(low - 1) >= 0.95
    assert law.cdf(low - 1) <= 0.025
    assert law.sf(high) <= 0.025


def test_wrong_arguments_are_refused() -> None:
    with pytest.raises(ValueError, match="level"):
        interval_score(0, 1, 1.0, 0.5)
    with pytest.raises(ValueError, match="end before"):
        interval_score(1, 0, 0.8, 0.5)
    with pytest.raises(ValueError, match="probability"):
        pinball_loss(1, 0.0, 2)
    with pytest.raises(ValueError, match="above 0"):
        crps_normal(0, 0, 1)
