"""The same properties, many more times: `pytest -m slow`."""

import math
import shutil
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import sim
from tests.analytic import test_known_answers
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
    """Case 03 again: ten times the replications, a third of the tolerance."""
    count = math.ceil(20_000 * slow_share)
    run = sim.simulate(
        sim.load_scenario(test_known_answers.CASES / "03-activity-network"),
        replications=count,
        workers=2,
    )
    late = (run.outcomes.makespan > 5_000).mean()
    expected = 1 - test_known_answers.TestActivityNetwork.distribution(5)
    assert abs(late - expected) <= 4 * math.sqrt(expected * (1 - expected) / count)
    mean = run.outcomes.makespan.mean() / 1000
    assert abs(mean - 83 / 24) <= 4 * 1.6991624 / math.sqrt(count)
