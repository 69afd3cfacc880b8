"""Two tellings, one story: both engines give the same arrays, element for element.

Besides what stands here, every plan that `tests.worlds.live` simulates, generated ones included,
is told by both engines and compared.
"""

import dataclasses
from pathlib import Path

import numpy as np
import pytest

import sim
from sim.engine.agreement import first_difference
from sim.engine.compiled import run_compiled
from sim.engine.reference import run_reference
from sim.sampling.draws import draw
from sim.sampling.sampler import build_sampler
from tests.cutting import LUOYANG, cut_luoyang
from tests.worlds import live, project, write_world

BASELINE = LUOYANG / "baseline.toml"
SCENARIOS = sorted(path for path in LUOYANG.glob("*.toml") if path.stem not in ("plan", "drivers"))
VARIANTS = (
    "levers.start_rule=block",
    "levers.payment_rule=fifo",
    "levers.payment_rule=pro_rata",
    "levers.december_cut_off=12-10",
    "levers.revision_date=2021-07-31 levers.bond_reallocation_days=30",
    "levers.acceleration=off",
    "uncertainties.money=off",
    "uncertainties.coverage=stress uncertainties.capital_chain=stress",
    "uncertainties.all=off",
    'uncertainties.dependence.drivers=[["overstatement","understatement",-0.48]]',
)


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tenth of the plan, mostly the government's: enough for each rule to matter."""
    folder = tmp_path_factory.mktemp("town")
    return cut_luoyang(folder, ("laocheng", "chanhe", "city"), "2024-12-31") / "baseline.toml"


def compare(file: Path, changes: list[str], replications: range) -> None:
    scenario = sim.load_scenario(file, changes)
    sampler = build_sampler(sim.build_portfolio(scenario.plan), scenario.options.seed)
    for drawn in draw(sampler, replications):
        one, other = run_reference(sampler.frame, drawn), run_compiled(sampler.frame, drawn)
        assert first_difference(sampler.frame, one, other) == ""


@pytest.mark.parametrize("file", SCENARIOS, ids=lambda file: file.stem)
def test_a_replication_of_each_scenario(file: Path) -> None:
    compare(file, [], range(1))


@pytest.mark.parametrize("changes", VARIANTS)
def test_a_few_replications_under_other_rules(changes: str, town: Path) -> None:
    compare(town, changes.split(), range(2, 6))


@pytest.mark.slow
@pytest.mark.parametrize("file", SCENARIOS, ids=lambda file: file.stem)
def test_26_replications_of_each_scenario(file: Path, slow_share: float) -> None:
    compare(file, [], range(1, 1 + max(1, round(26 * slow_share))))


@pytest.mark.slow
@pytest.mark.parametrize("changes", VARIANTS)
def test_whole_replications_under_other_rules(changes: str, slow_share: float) -> None:
    compare(BASELINE, changes.split(), range(2, 3 + max(1, round(10 * slow_share))))


@pytest.mark.parametrize("others", [0, 1])
@pytest.mark.parametrize("wait", [0, 40, 400])
def test_given_up_while_its_estimate_waits(others: int, wait: int, tmp_path: Path) -> None:
    """What is over is measured no more, though the adjustment of its estimate comes later."""
    rows = [project("A", "2021-02-01", "2021-12-31", 900, 900, gates="none", type="dear")]
    rows += [project("B", "2021-02-01", "2023-05-31", 900, 300, gates="none")] * others
    settings = f"adjustment_days = {wait}\nadjustment_days_above = {wait}"
    risks = [{"id": "end", "name": "end", "applies_to": "type=dear", "probability": 1,
              "at": 0.97, "effect": "drop"}]  # fmt: skip
    types = [{"type": "dear", "cost": 1.6, "pay_ratio": 0.8, "pay_lag_days": 30}]
    world = write_world(tmp_path, rows, settings, risks=risks, types=types)
    life = live(world).trajectory  # both engines are held against each other there
    assert 0 < life.dropped[0] < life.delivered[0]
    assert life.value[0, -1] > 9_000_000 or wait


def test_the_first_event_that_differs_is_named(tmp_path: Path) -> None:
    rows = [project("A", "2021-02-01", "2021-03-31", 900, 900, gates="none"),
            project("B", "2021-02-01", "2021-05-31", 900, 900, gates="none")]  # fmt: skip
    lived = live(write_world(tmp_path, rows))
    one = lived.trajectory
    finish, value = one.finish.copy(), one.value.copy()
    finish[1] += 1
    value[0, 1] += 5
    other = dataclasses.replace(one, finish=finish, value=value)
    told = first_difference(lived.frame, one, other)
    day = int(lived.frame.month_ends[1])
    assert day < one.finish[1]
    assert f"day {day}: value[0, 1] is {value[0, 1] - 5} in one engine and {value[0, 1]}" in told
    assert first_difference(lived.frame, one, one) == ""
    narrow = dataclasses.replace(one, start=one.start.astype(np.int32))
    assert "start" in first_difference(lived.frame, one, narrow)
