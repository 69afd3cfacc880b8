"""The same properties, many more times: `pytest -m slow`."""

import math
import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import sim
from tests.analytic import test_known_answers as known
from tests.property import test_days, test_rules
from tests.property.test_identity import assert_identity
from tests.worlds import Row, live, live_as_planned, small_plans, small_world

pytestmark = pytest.mark.slow
LUOYANG = Path(__file__).parents[2] / "scenarios" / "luoyang-2021"


def test_rules_on_many_replications_of_the_luoyang_plan(slow_share: float) -> None:
    for replication in range(math.ceil(25 * slow_share)):
        lived = live(LUOYANG / "baseline.toml", replication, changes=test_rules.plain_terms())
        for check in test_rules.CHECKS[1:]:
            check(lived)
        limited = live(LUOYANG / "baseline.toml", replication)
        for check in test_days.CHECKS:
            check(limited)


def test_rules_and_identity_on_many_generated_plans(slow_share: float) -> None:
    @settings(
        max_examples=math.ceil(2_000 * slow_share),
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow],
    )
    @given(rows=small_plans(), replication=st.integers(0, 10_000))
    def check_all(rows: Sequence[Row], replication: int) -> None:
        folder = small_world(rows)
        try:
            assert_identity(live_as_planned(folder))
            lived = live(folder, replication)
        except sim.InputError:
            return
        finally:
            shutil.rmtree(folder)
        for check in test_rules.CHECKS:
            check(lived)

    check_all()


def test_the_activity_network_with_a_finer_tolerance(slow_share: float) -> None:
    """Case 03 again: up to ten times the replications, a third of the tolerance.

    The short form has four times as many as the ordinary test, and so half of its tolerance.
    """
    count = max(4 * known.REPLICATIONS, math.ceil(10 * known.REPLICATIONS * slow_share))
    scenario = sim.load_scenario(known.CASES / "03-activity-network", ["run.sampling=plain"])
    run = sim.simulate(scenario, replications=count, seed=known.SEED, workers=2)
    makespan = run.samples["makespan_days"].astype(np.float64) / 1000
    assert len(makespan) == count
    for t in (1, 2, 3, 4, 5, 6, 8, 10):
        known.assert_probability(makespan <= t, known.TestActivityNetwork.distribution(t))
    known.assert_mean(makespan, 83 / 24)
    known.assert_sd(makespan, 1.6991624)
