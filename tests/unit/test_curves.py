"""The S-curve and its knots."""

import numpy as np
import pytest
from scipy import stats

from sim.plan.curves import PPM, SEGMENTS, knots, s_curve


def test_s_curve_is_the_beta_distribution_without_an_early_share() -> None:
    x = np.linspace(0, 1, 21)
    np.testing.assert_allclose(s_curve(x, 1.8, 1.6, 0.0, 0.1), stats.beta(1.8, 1.6).cdf(x))


def test_early_share_is_booked_in_the_first_weeks() -> None:
    assert s_curve(0.1, 2, 2, 0.3, 0.1) == pytest.approx(0.3 + 0.7 * stats.beta(2, 2).cdf(0.1))
    assert s_curve(0.05, 2, 2, 0.3, 0.1) == pytest.approx(0.15 + 0.7 * stats.beta(2, 2).cdf(0.05))
    assert s_curve([0.0, 1.0], 2, 2, 0.3, 0.1).tolist() == [0, 1]


@pytest.mark.parametrize(("start", "end"), [(0.0, 0.4), (0.4, 1.0), (0.7, 0.7), (1.0, 1.0)])
def test_knots_run_from_nothing_to_everything(start: float, end: float) -> None:
    table = knots(start, end, 2.0, 1.7, 0.1, 0.05)
    assert (len(table), table[0], table[-1]) == (SEGMENTS + 1, 0, PPM)
    assert (np.diff(table) >= 0).all()


def test_a_piece_is_a_segment_of_the_one_curve() -> None:
    """No false calm at a fixed point: the pace at the end of a piece is that of the curve there."""
    first, second = knots(0.0, 0.5, 2, 2, 0, 0), knots(0.5, 1.0, 2, 2, 0, 0)
    assert first[-1] - first[-2] > 1.4 * PPM / SEGMENTS
    assert second[1] - second[0] > 1.4 * PPM / SEGMENTS
    middle = stats.beta(2, 2).cdf(0.25) / 0.5
    assert first[SEGMENTS // 2] == round(middle * PPM)
