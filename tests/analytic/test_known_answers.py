"""What the cases with known answers show beyond their tables."""

import math

import numpy as np
import pytest

from sim.verification.case import Setting
from sim.verification.portfolios import final_cost
from sim.verification.simulated import sampler_of, simulate


@pytest.mark.parametrize(
    ("folder", "correlations"),
    [
        ("12-correlated-costs", (0.5, 0.3, 0.4)),
        ("12-strongly-correlated", (0.9, 0.9, 0.9)),
        ("12-opposed", (-0.5, 0.3, -0.6)),
        ("12-uncorrelated", (0.0, 0.0, 0.0)),
    ],
)
def test_linear_correlations_are_those_asked_for(
    folder: str, correlations: tuple[float, float, float]
) -> None:
    setting, count = Setting("compiled"), 2_000
    costs = simulate(sampler_of(folder, setting), setting, count, final_cost)["cost"]
    found = np.corrcoef(costs.T)
    for (a, b), r in zip(((0, 1), (0, 2), (1, 2)), correlations, strict=True):
        error = (1 - r * r) / math.sqrt(count)
        assert abs(found[a, b] - r) <= 4 * error + 2e-4  # to which correlations are solved for
