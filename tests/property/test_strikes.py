"""What registered risks do in the engine: places passed, stops, savings, cost, drops."""

from pathlib import Path

import numpy as np
import pytest

import sim
from sim.engine.rules import NANO_DAYS, NEVER, Cause
from tests.worlds import Row, live, luck, project, write_world

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
    drawn = luck(folder, REPLICATIONS)
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


def test_a_risk_multiplies_the_cost_as_drawn(tmp_path: Path) -> None:
    """Of 500,000 left the cost draws the double; half of it is left at three quarters: x 1.5."""
    row = risk("0.75", "fixed(0)", cost="fixed(1.5)")
    lived = live(world(tmp_path, row, cost="fixed(2)"))
    assert lived.drawn.total[0] == 500_000 + 1_000_000 + 250_000


def test_what_a_dropped_project_set_aside_goes_back_where_it_came_from(tmp_path: Path) -> None:
    """A is given up in the month of its start: B, which waits, gets the pool's part at once."""
    rows = [
        project("A", "2021-02-01", "2021-12-31", 100, 100, gates="none", rank=1, type="t",
                funding="G:1"),
        project("B", "2021-02-02", "2021-12-31", 100, 100, gates="none", rank=2, type="t",
                funding="G:1"),
    ]  # fmt: skip
    types = [{"type": "t", "advance": 0.5, "advance_recovery": "0.2-0.8"}]
    accounts = [{"id": "G", "name": "g", "class": "special_bond", "opening": 20, "equity": "yes"}]
    releases = [{"account": "G", "available": "2021-01-15", "amount": 40, "project": "A"}]
    row = risk("0.005", "fixed(0)", effect="drop", applies_to="id=A")
    folder = write_world(tmp_path, rows, 'calendar = "continuous"', types=types,
                         accounts=accounts, releases=releases, risks=[row])  # fmt: skip
    lived = live(folder)
    life = lived.trajectory
    dropped = int(life.dropped[0])
    assert dropped < lived.portfolio.month_ends[1]
    # Nothing was claimed by it, no advance either; 40 are A's alone, 20 the pool's.
    assert life.paid[0, -1] <= 10_000
    assert life.set_aside[0, 1] == 0
    assert life.start[1] == NEVER  # 20 are free, B needs 50: the earmark is not for others
    assert life.balance[0, 1] + life.spent[0, 1] == 600_000


def test_money_that_comes_back_wakes_those_who_wait(tmp_path: Path) -> None:
    """A takes all but a rest and is given up on its second day; B, ready that day, starts next."""
    rows = [
        project(name, start, "2021-12-31", 100, 100, gates="none", rank=rank, type="t",
                funding="G:1")
        for name, start, rank in (("A", "2021-02-01", 1), ("B", "2021-02-02", 2))
    ]  # fmt: skip
    types = [{"type": "t", "advance": 0.5, "advance_recovery": "0.2-0.8"}]
    accounts = [{"id": "G", "name": "g", "class": "general_budget", "opening": 55}]
    row = risk("0.005", "fixed(0)", effect="drop", applies_to="id=A")
    folder = write_world(tmp_path, rows, 'calendar = "continuous"', types=types,
                         accounts=accounts, risks=[row])  # fmt: skip
    lived = live(folder)
    assert str(lived.date(lived.trajectory.dropped[0])) == "2021-02-02"
    assert str(lived.date(lived.trajectory.start[1])) == "2021-02-03"


def test_mitigation_is_spent_in_step_with_the_work(tmp_path: Path) -> None:
    """A project of two years, half of it in the plan year: half of the 40,000 yuan falls there."""
    rows = [project("A", "2021-01-01", "2022-12-31", 100, 50, gates="none")]
    row = risk("0.75", "fixed(0)", mitigation="m", mitigation_cost=4, mitigated_probability=0)
    folder = write_world(tmp_path, rows, 'calendar = "continuous"', risks=[row])
    drawn = live(folder, changes=["levers.mitigate=R"]).drawn
    assert (drawn.year_end_value[0], drawn.total[0]) == (520_000, 1_040_000)


def test_land_that_takes_for_ever_is_refused_and_never_wraps(tmp_path: Path) -> None:
    rows = [project("A", "2021-06-01", "2021-12-31", 1, 1, gates="land")]
    gates = [{"procedure": "approval", "gate": "land", "review": "fixed(10)"}]
    driver = '[quota]\ntitle = "q"\ndistribution = "fixed(900)"\nacts_on = "land"\n'
    driver += 'exposure = { by = "type", default = 9 }\n'
    with pytest.raises(sim.InputError) as refused:
        live(write_world(tmp_path, rows, drivers=driver, gates=gates))
    assert [one.code for one in refused.value.problems] == ["drawn_out_of_range"]


def test_nobody_claims_more_than_all_it_costs(tmp_path: Path) -> None:
    """An advance that is recovered last, beside a high pay ratio, would claim above the total."""
    rows = [project("A", "2021-01-01", "2021-12-31", 100, 100, gates="none", type="t")]
    types = [{"type": "t", "advance": 0.5, "pay_ratio": 0.9, "advance_recovery": "0.95-1"}]
    life = live(write_world(tmp_path, rows, 'calendar = "continuous"', types=types)).trajectory
    assert life.claimed.max() == 1_000_000


def test_one_project_takes_one_decision(tmp_path: Path) -> None:
    rows = [project("A", "2021-03-01", "2021-12-31", 1, 1)]
    with pytest.raises(sim.InputError) as refused:
        live(write_world(tmp_path, rows), changes=["levers.drop=A", "levers.postpone=A"])
    assert [(one.column, one.value) for one in refused.value.problems if one.level == "error"] == [
        ("levers.postpone", "A")
    ]
