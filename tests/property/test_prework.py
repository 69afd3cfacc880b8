"""Spending before a start in a later year: accrual over gates, and what the filed amount is."""

import datetime
from pathlib import Path

import pytest

from sim.runs.folder import StoredRun
from tests.worlds import STATUS, Row, project, stored, write_world

FILED = 1_000_000
"""Yuan of the year's plan, of ten times as much in all."""
PLANNED_START = datetime.date(2022, 3, 1)
DRIVER = '[under]\ntitle = "u"\ndistribution = "fixed(0.3)"\nacts_on = "intent"\n'


def run_of(folder: Path, review: int, **more: str) -> StoredRun:
    """Run one project whose only gate takes one working day and then a review."""
    gates: list[Row] = [{"procedure": "approval", "gate": "g", "preparation": "fixed(1)",
                         "review": f"fixed({review})", "cushion": 0}]  # fmt: skip
    row = project("A", str(PLANNED_START), "2023-12-31", 1_000, 100, gates="g", cost="fixed(1.5)",
                  **more)  # fmt: skip
    world = write_world(folder / "plan", [row], drivers=DRIVER, gates=gates)
    return stored(world, folder / "runs")


def value_by_month(run: StoredRun) -> dict[str, int]:
    """Value of work done by the end of each month."""
    rows = [row for row in run.table("months") if row["measure"] == "work_done"]
    return {row["month"]: int(row["mean_yuan"]) for row in rows}


@pytest.mark.parametrize("review", [10, 150])
def test_the_year_ends_at_the_filed_amount(tmp_path: Path, review: int) -> None:
    """Gates passed in the year: the filed amount, though costs grow and owners mean to do more."""
    run = run_of(tmp_path, review)
    assert value_by_month(run)["2021-12"] == FILED
    assert run.summary["final_cost"]["mean"] == 15 * FILED
    # Nothing is built before the start, and from then on everything grows to the realised total.
    found = value_by_month(run)
    assert found["2022-02"] == FILED < found["2022-03"] < found["2022-12"]
    assert max(found.values()) == found["2024-12"] == 15 * FILED


def test_of_construction_both_would_raise_it(tmp_path: Path) -> None:
    """The same cost and intent on a start within the year: 1.5 x 1.3 of what was filed."""
    row = project("A", "2021-07-01", "2023-12-31", 1_000, 100, cost="fixed(1.5)", gates="none")
    run = stored(write_world(tmp_path / "plan", [row], drivers=DRIVER), tmp_path / "runs")
    assert value_by_month(run)["2021-12"] == FILED * 15 * 13 // 100


def test_blocked_gates_spend_late_and_all_by_the_start(tmp_path: Path) -> None:
    """Accrual is the time gone over the time that the gate takes, in planned gate-days.

    The gate was to take all the days to the planned start; those up to year-end earn the filed
    amount. It takes until the day of the start, because nothing else holds the project.
    """
    run = run_of(tmp_path, 400)
    (row,) = run.table("projects")
    taken = (datetime.date.fromisoformat(row["start_p50"]) - STATUS).days - 1
    planned = (PLANNED_START - STATUS).days - 1
    by_year_end = 364
    assert taken > planned + 100
    found = value_by_month(run)
    for month, last in {"2021-01": 31, "2021-06": 181, "2021-12": 365, "2022-02": 424}.items():
        share = planned * (last - 1) / taken / by_year_end
        # Whole gate-days and ppm: a gate-day at most is lost.
        assert FILED * (share - 1 / by_year_end) <= found[month] <= FILED * share, month
    assert found["2021-12"] < FILED <= found[row["start_p50"][:7]]


def test_quick_gates_spend_early_and_never_more_than_was_filed(tmp_path: Path) -> None:
    """Passed in January, all of it is spent in January."""
    found = value_by_month(run_of(tmp_path, 5))
    assert {found[f"2021-{month:02d}"] for month in range(1, 13)} == {FILED}
