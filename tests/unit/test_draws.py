"""What is drawn out of range is refused, never wrapped."""

from pathlib import Path

import pytest

import sim
from tests.retold import outcomes_of
from tests.worlds import Row, project, write_world

ROWS = [project("A", "2020-01-01", "2022-12-31", 100_000, 30_000, done_before_year=30_000)]


@pytest.mark.parametrize(
    ("acts_on", "distribution", "exposure"),
    [
        ("duration", "uniform(500, 1000)", 10),
        ("duration", "fixed(0)", -1),
        ("cost", "fixed(0)", -1),
        ("report", "fixed(-0.9)", 5),
        ("intent", "fixed(-0.9)", 5),
    ],
)
def test_out_of_range(tmp_path: Path, acts_on: str, distribution: str, exposure: float) -> None:
    driver = f'[d]\ntitle = "d"\ndistribution = "{distribution}"\nacts_on = "{acts_on}"\n'
    driver += f"exposure = {{ default = {exposure} }}\n"
    folder = write_world(tmp_path, ROWS, drivers=driver)

    def load_and_run() -> None:
        sim.simulate(sim.load_scenario(folder), replications=2)

    with pytest.raises(sim.InputError) as refused:
        load_and_run()
    errors = {one.code for one in refused.value.problems if one.level == "error"}
    assert errors in ({"drawn_out_of_range"}, {"growth_too_large"})


def test_a_driver_acts_with_its_exposure(tmp_path: Path) -> None:
    """A multiplier is raised to the exposure, an addition multiplied by it."""
    drivers = """
[pace]
title = "p"
distribution = "fixed(3)"
acts_on = "duration"
exposure = { by = "type", default = 1.0, heavy = 2.0, immune = 0.0 }

[over]
title = "o"
distribution = "fixed(0.1)"
acts_on = "report"
exposure = { by = "type", default = 1.0, heavy = 2.0, immune = 0.0 }
"""
    types: list[Row] = [{"type": name} for name in ("heavy", "immune", "plain")]
    rows = [project(row["type"], "2021-01-01", "2021-01-10", 100, 100, type=row["type"])
            for row in types]  # fmt: skip
    world = write_world(tmp_path, rows, drivers=drivers, types=types)
    run = sim.simulate(sim.load_scenario(world), replications=1)
    assert (outcomes_of(run).finish[0] + 1).tolist() == [90, 10, 30]
