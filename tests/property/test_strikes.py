"""What registered risks do in the engine: places passed, stops, savings, cost, drops."""

from pathlib import Path

import numpy as np
import pytest

from sim.engine.rules import NANO_DAYS, NEVER, Cause
from tests.worlds import Row, live, project, write_world

REPLICATIONS = 300


def world(folder: Path, *risks: Row, **more: object) -> Path:
    """One project of 200 days, half of them before the status date, in a calendar without stops."""
    rows = [project("A", "2020-09-23", "2021-04-10", 100, 50, done_before_year=50, gates="none",
                    **more)]  # fmt: skip
    return write_world(folder, rows, 'calendar = "continuous"', risks=risks)


def risk(at: str, days: str, **more: object) -> Row:
    return {"id": "R", "name": "r", "probability": 1, "at": at, "days": days, **more}


def test_a_place_passed_strikes_no_more(tmp_path: Path) -> None:
    """Of places spread evenly over the whole work half are passed; the rest are spread evenly."""
    folder = world(tmp_path, risk("uniform(0, 1)", "fixed(7)"))
    drawn = [live(folder, k).drawn for k in range(REPLICATIONS)]
    hits = np.array([len(one.stop_days) for one in drawn])
    assert abs(hits.mean() - 0.5) <= 4 * np.sqrt(0.25 / REPLICATIONS)
    places = np.concatenate([one.stop_at / one.work[0] for one in drawn])
    assert abs(places.mean() - 0.5) <= 4 / np.sqrt(12 * len(places))
    assert places.min() >= 0
    assert places.max() <= 1


@pytest.mark.parametrize(("at", "struck"), [("0.49", False), ("0.51", True)])
def test_a_stop_moves_the_finish_by_its_days(tmp_path: Path, at: str, struck: bool) -> None:
    lived = live(world(tmp_path, risk(at, "fixed(7)")))
    life, planned = lived.trajectory, int(lived.portfolio.planned_finish[0])
    assert life.finish[0] == planned + 7 * struck
    assert life.causes[0, Cause.STOPS] == 7 * struck * NANO_DAYS
    assert life.causes[0].sum() == 7 * struck * NANO_DAYS


def test_an_opportunity_saves_days(tmp_path: Path) -> None:
    lived = live(world(tmp_path, risk("0.75", "fixed(-10)")))
    life = lived.trajectory
    assert life.finish[0] == lived.portfolio.planned_finish[0] - 10
    assert life.causes[0, Cause.OPPORTUNITIES] == -10 * NANO_DAYS


def test_cost_grows_by_what_remains_at_the_place(tmp_path: Path) -> None:
    """Half of 500,000 yuan is left at three quarters: a factor of 1.2 adds 50,000."""
    lived = live(world(tmp_path, risk("0.75", "fixed(0)", cost="fixed(1.2)")))
    assert lived.drawn.total[0] == 1_000_000 + 50_000


def test_a_drop_ends_the_project_at_its_place(tmp_path: Path) -> None:
    lived = live(world(tmp_path, risk("0.75", "fixed(0)", effect="drop")))
    life = lived.trajectory
    # 0.75 of the whole 200 days are reached at the end of day 49, the fiftieth of those left.
    assert (life.finish[0], life.delivered[0], life.dropped[0]) == (NEVER, NEVER, 49)
    assert (life.value[0, 2:] == life.value[0, 2]).all()
    assert life.value[0, -1] == 750_000


def test_mitigation_is_paid_and_works(tmp_path: Path) -> None:
    row = risk("0.75", "fixed(30)", mitigation="m", mitigation_cost=3, mitigated_days="fixed(5)")
    folder = world(tmp_path, row)
    plain = live(folder)
    for name in ("R", "all"):
        mended = live(folder, changes=[f"levers.mitigate={name}"])
        assert plain.trajectory.finish[0] - mended.trajectory.finish[0] == 25
        assert mended.drawn.total[0] - plain.drawn.total[0] == 30_000


def test_switched_off_nothing_strikes(tmp_path: Path) -> None:
    folder = world(tmp_path, risk("0.75", "fixed(30)", cost="fixed(2)"))
    lived = live(folder, changes=["uncertainties.risks=off"])
    assert lived.trajectory.finish[0] == lived.portfolio.planned_finish[0]
    assert lived.drawn.total[0] == 1_000_000
