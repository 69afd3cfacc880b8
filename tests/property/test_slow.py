"""The same properties, many more times: `pytest -m slow`."""

import math
import shutil
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import sim
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
