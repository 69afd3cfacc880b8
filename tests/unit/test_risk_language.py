"""The small languages of risks.csv: filters, repetitions, triggers, places."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from sim.plan.language import Distribution
from sim.plan.loading import load_plan
from sim.plan.risks import FILTER_COLUMNS, covers, parse_filter, parse_repetition, parse_triggers
from sim.plan.rows import Project, Repetition, Risk
from tests.worlds import Row, project, write_world

DATES = ("2021-03-01", "2021-09-30")


def projects(folder: Path) -> Sequence[Project]:
    """Return four projects that differ in county, type and tags."""
    rows = [
        project("P1", *DATES, 9, 9, county="north", type="road", tags="metro;must"),
        project("P2", *DATES, 9, 9, county="south", type="road", tags="must"),
        project("P3", *DATES, 9, 9, county="north", type="plant", owner="甲：乙"),
        project("P4", *DATES, 9, 9, county="south", type="plant", investor="enterprise"),
    ]
    types = [{"type": "road"}, {"type": "plant"}]
    return load_plan(write_world(folder, rows, types=types)).projects


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "P1 P2 P3 P4"),
        ("type=road", "P1 P2"),
        ("type=road;county=north", "P1"),
        (" type = road | plant ; county != north ; ", "P2 P4"),
        ("type=road|plant；county！＝north", "P2 P4"),
        ("id=P1|P4", "P1 P4"),
        ("tags=must", "P1 P2"),
        ("tags=must;tags=metro", "P1"),
        ("tags!=metro|other", "P2 P3 P4"),
        ("investor=enterprise", "P4"),
        ("procedure=approval;stage=new", "P1 P2 P3"),
        ("owner=甲：乙", "P3"),
        ("type=road;type=plant", ""),
    ],
)
def test_filters(text: str, expected: str, tmp_path: Path) -> None:
    conditions = parse_filter(text)
    found = [one.id for one in projects(tmp_path) if covers(conditions, one)]
    assert found == expected.split()


def test_every_column_of_filters_is_one_of_projects() -> None:
    assert set(FILTER_COLUMNS) <= set(Project.__dataclass_fields__)


def test_repetitions() -> None:
    assert parse_repetition("1") == Repetition(1, loop=False)
    assert parse_repetition("20") == Repetition(20, loop=False)
    assert parse_repetition("loop") == Repetition(20, loop=True)


def test_triggers() -> None:
    assert parse_triggers("R05") == ((("R05", 1.0),),)
    assert parse_triggers(" R1 ; R2 : 0.4 ") == ((("R1", 1.0),), (("R2", 0.4),))
    branches = ((("R1", 0.3), ("R2", 0.7)), (("R3", 0.0),))
    assert parse_triggers("R1:0.3|R2:0.7;R3:0") == branches
    assert parse_triggers("R1：0.3｜R2：0.7；R3:0") == branches
    # Added up one by one in binary fractions, these come to more than one.
    assert 0.05 + 0.55 + 0.3 + 0.1 > 1
    assert len(parse_triggers("R1:0.05|R2:0.55|R3:0.3|R4:0.1")[0]) == 4


def risk(folder: Path, **cells: str) -> Risk:
    """Read a risk from a plan of one project with a gate."""
    rows = [project("A", *DATES, 9, 9, gates="land")]
    gates = [{"procedure": "approval", "gate": "land"}]
    row: Row = {"id": "R1", "name": "r", "probability": "0.5", **cells}
    (one,) = load_plan(write_world(folder, rows, gates=gates, risks=[row])).risks
    return one


def test_blank_cells(tmp_path: Path) -> None:
    one = risk(tmp_path)
    assert one.at == Distribution("uniform", (0.0, 1.0))
    assert one.days == Distribution("fixed", (0.0,))
    assert one.cost == Distribution("fixed", (1.0,))
    assert (one.applies_to, one.triggers, one.repeat) == ((), (), Repetition(1, loop=False))
    assert (one.scope, one.parallel, one.effect) == ("project", "", "delay")
    assert (one.mitigation_cost, one.mitigated_probability, one.mitigated_days) == (0, None, None)


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        ("land", "land"),
        ("0.4", Distribution("fixed", (0.4,))),
        ("0", Distribution("fixed", (0.0,))),
        ("uniform(0.1, 0.5)", Distribution("uniform", (0.1, 0.5))),
    ],
)
def test_places(at: str, expected: str | Distribution, tmp_path: Path) -> None:
    assert risk(tmp_path, at=at).at == expected


def test_days_may_be_gained(tmp_path: Path) -> None:
    one = risk(tmp_path, days="uniform(-3660, 20)", mitigated_days="-5", cost="0.9")
    assert one.days == Distribution("uniform", (-3660.0, 20.0))
    assert one.mitigated_days == Distribution("fixed", (-5.0,))
    assert one.cost == Distribution("fixed", (0.9,))
