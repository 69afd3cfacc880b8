"""Case 10: a thousand equal projects; the common factor, not their number, decides the spread.

Each plans 0.3 bn yuan a year with a standard deviation of 0.09 bn. The published idea is
sd = 0.09 x sqrt(n + n (n - 1) r); expected values below are those of the list of known answers.
"""

import functools
import math
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from sim.plan.portfolio import build_portfolio
from sim.plan.scenario import load_scenario
from sim.sampling.draws import draw
from sim.sampling.sampler import build_sampler
from tests.analytic.test_known_answers import assert_mean, assert_sd
from tests.worlds import live, project, write_world

PROJECTS, REPLICATIONS, SEED = 1_000, 1_000, 10
BILLION = 10**9
SPREAD = {
    0.0: (2.846, 295.32),
    0.05: (20.315, 266.58),
    0.1: (28.588, 252.98),
    0.2: (40.330, 233.66),
}
"""Common correlation: standard deviation and fifth percentile of the total, bn yuan."""


def world(folder: Path, correlation: float) -> Path:
    rows = [
        project(f"P{k}", "2021-01-01", "2021-12-01", 30_000, 30_000, type="t", gates="none",
                rank=k)
        for k in range(PROJECTS)
    ]  # fmt: skip
    types = [{"type": "t", "cost": "normal(1, 0.3, 0.0001, 3)", "duration_cost_correlation": 1}]
    drivers = f'[dependence]\ncity = {correlation}\nsource = "case 10"\n'
    return write_world(folder, rows, 'horizon = 2021-12-31\ncalendar = "continuous"',
                       drivers=drivers, types=types)  # fmt: skip


@functools.cache
def totals(folder: Path) -> NDArray[np.float64]:
    """Year's investment of the city in each replication, bn yuan, as drawn."""
    sampler = build_sampler(build_portfolio(load_scenario(folder).plan), SEED)
    return np.array(
        [one.total.sum() / BILLION for one in draw(sampler, range(REPLICATIONS))], dtype=np.float64
    )


@pytest.fixture(scope="module", params=SPREAD)
def case(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[float, Path]:
    return request.param, world(tmp_path_factory.mktemp("case"), request.param)


def test_the_year_is_what_was_drawn(case: tuple[float, Path]) -> None:
    """All finish in the year, so the engine's total of the year is the drawn one to the yuan."""
    for replication in range(2):
        lived = live(case[1], replication, SEED)
        assert lived.trajectory.value[:, 11].sum() == lived.drawn.total.sum()


def test_spread_of_the_total(case: tuple[float, Path]) -> None:
    correlation, folder = case
    sd, _ = SPREAD[correlation]
    assert math.isclose(
        0.09 * math.sqrt(PROJECTS + PROJECTS * (PROJECTS - 1) * correlation), sd, abs_tol=5e-4
    )
    assert_mean(totals(folder), 300)
    assert_sd(totals(folder), sd)


def test_fifth_percentile(case: tuple[float, Path]) -> None:
    """The share of replications at or below it is 5 %: four standard errors of a share."""
    correlation, folder = case
    _, fifth = SPREAD[correlation]
    below = (totals(folder) <= fifth).mean()
    assert abs(below - 0.05) <= 4 * math.sqrt(0.05 * 0.95 / REPLICATIONS)
    assert math.isclose(300 + stats.norm.ppf(0.05) * SPREAD[correlation][0], fifth, abs_tol=0.01)
