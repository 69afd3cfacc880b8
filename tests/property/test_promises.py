"""Promises on small plans, judged by hand."""

from pathlib import Path

import pytest

import sim
from tests.retold import outcomes_of
from tests.worlds import Row, project, write_world

ROWS = [
    project("A", "2021-01-01", "2021-12-15", 100, 100, quantity=10, unit="km", type="slow"),
    project("B", "2021-03-01", "2022-12-31", 100, 50, quantity=20, unit="km", type="slow"),
]
TYPES: list[Row] = [{"type": "slow", "acceptance_days": "fixed(10)"}]


def judged(
    folder: Path, kind: str, members: str, deadline: str, quantity: object = ""
) -> list[int]:
    """Return whether one promise is kept, and the day or the thousandths of units."""
    promise: Row = {
        "id": "K", "text": "K", "strength": "plan", "kind": kind, "projects": members,
        "deadline": deadline, "quantity": quantity, "unit": "km",
    }  # fmt: skip
    world = write_world(folder, ROWS, types=TYPES, commitments=[promise])
    run = sim.simulate(sim.load_scenario(world), replications=1)
    outcomes = outcomes_of(run)
    return [int(outcomes.kept[0, 0]), int(outcomes.kept_measure[0, 0])]


@pytest.mark.parametrize(
    ("kind", "members", "deadline", "kept", "day"),
    [
        # A is finished on 15 December (day 348) and delivered ten days later.
        ("finish", "A", "2021-12-24", 0, 358),
        ("finish", "A", "2021-12-25", 1, 358),
        ("start", "B", "2021-02-28", 0, 59),
        ("start", "B", "2021-03-01", 1, 59),
        # All of them, so the last one decides.
        ("start", "A;B", "2021-02-28", 0, 59),
    ],
)
def test_starts_and_finishes(
    tmp_path: Path, kind: str, members: str, deadline: str, kept: int, day: int
) -> None:
    assert judged(tmp_path, kind, members, deadline) == [kept, day]


@pytest.mark.parametrize(
    ("deadline", "quantity", "kept", "units"),
    [
        # In mid-month, after the finish: all ten, whatever the last month-end said.
        ("2021-12-15", 10, 1, 10_000),
        ("2021-12-30", 10, 1, 10_000),
        # The day before it: 334 of 349 days of work by 30 November.
        ("2021-12-14", 10, 0, 10_000 * (334 * 10**6 // 349) // 10**6),
        # Before the first month-end nothing has been counted.
        ("2021-01-30", 10, 0, 0),
    ],
)
def test_quantities(tmp_path: Path, deadline: str, quantity: int, kept: int, units: int) -> None:
    assert judged(tmp_path, "quantity", "A", deadline, quantity) == [kept, units]


def test_quantities_of_several_projects_add_up(tmp_path: Path) -> None:
    """B has done 306 of 671 days by the end of the year."""
    units = 10_000 + 20_000 * (306 * 10**6 // 671) // 10**6
    assert judged(tmp_path, "quantity", "A;B", "2021-12-31", 20) == [0, units]
    assert judged(tmp_path, "quantity", "A;B", "2021-12-31", 19) == [1, units]
