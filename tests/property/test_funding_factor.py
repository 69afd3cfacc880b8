"""[dependence]: what durations have in common by city and by investor (model, 2.4; contract)."""

import itertools
import math
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

import sim
from tests.retold import outcomes_of
from tests.worlds import Row, project, write_world

REPLICATIONS = 1_500
SIGMA = 0.2
DAYS = 1_000
INVESTORS = ("government", "government", "enterprise", "enterprise")


def correlations(folder: Path, shares: str) -> Mapping[tuple[str, str], list[float]]:
    """Correlations of the normal scores of durations, by the investors of the two projects."""
    finish = "2023-09-27"  # a thousand days after the status date
    rows: list[Row] = [
        project(f"P{k}", "2021-01-01", finish, 100, 10, investor=investor, type="t", gates="none")
        for k, investor in enumerate(INVESTORS)
    ]
    types: list[Row] = [{"type": "t", "duration": f"lognormal(median=1, sigma={SIGMA})"}]
    settings = "horizon = 2040-12-31"
    world = write_world(folder, rows, settings, f"[dependence]\n{shares}\n", types=types)
    scenario = sim.load_scenario(world, ["run.sampling=plain"])  # errors as of independent ones
    run = sim.simulate(scenario, replications=REPLICATIONS, seed=2021)
    # The logarithm of a lognormal duration is its normal score; a day is nothing in a thousand.
    scores = np.log((outcomes_of(run).finish + 1) / DAYS) / SIGMA
    found: dict[tuple[str, str], list[float]] = {}
    for a, b in itertools.combinations(range(len(INVESTORS)), 2):
        r = float(np.corrcoef(scores[:, a], scores[:, b])[0, 1])
        found.setdefault((INVESTORS[a], INVESTORS[b]), []).append(r)
    # Marginals do not move: standard normal, whatever the shares.
    for k in range(len(INVESTORS)):
        assert abs(scores[:, k].mean()) <= 4 / math.sqrt(REPLICATIONS)
        assert abs(scores[:, k].std(ddof=1) - 1) <= 4 / math.sqrt(2 * REPLICATIONS)
    return found


@pytest.mark.parametrize(
    ("shares", "government", "enterprise", "across"),
    [
        # A variance share in common is the correlation.
        ("funding = 0.5", 0.5, 0.5, 0.0),
        # Enterprises share half of the city's part: 0.3 and 0.15, so sqrt(0.3 x 0.15) across.
        (
            "city = 0.3\nenterprise = 0.5\nfunding = 0.4",
            0.3 + 0.4,
            0.15 + 0.4,
            math.sqrt(0.3 * 0.15),
        ),
    ],
    ids=["funding", "funding-and-city"],
)
def test_projects_of_one_investor_share_luck(
    tmp_path: Path, shares: str, government: float, enterprise: float, across: float
) -> None:
    expected = {
        ("government", "government"): government,
        ("enterprise", "enterprise"): enterprise,
        ("government", "enterprise"): across,
    }
    found = correlations(tmp_path, shares)
    assert found.keys() == expected.keys()
    for pair, r in expected.items():
        for one in found[pair]:
            assert abs(one - r) <= 4 * (1 - r * r) / math.sqrt(REPLICATIONS), (pair, one, r)
