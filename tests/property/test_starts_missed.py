"""The no-start draw: a planned start misses its year and falls into the next (model, 2.4)."""

import datetime
import math
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.worlds import project, stored, write_world

pytestmark = pytest.mark.usefixtures("told_once")
PROJECTS = 3_000
PLANNED = datetime.date(2021, 6, 1)
NEW_YEAR = datetime.date(2022, 1, 1)
SPREAD_DAYS = 180


def starts(folder: Path, probability: float, slip: str = "fixed(0)") -> NDArray[np.int64]:
    """Days from New Year to the start of many projects that differ in their luck only.

    With one replication every percentile of a start is that start.
    """
    types = [{"type": "t", "no_start": probability, "slip": slip}]
    rows = [
        project(f"P{k:04d}", str(PLANNED), "2022-05-31", 100, 50, type="t") for k in range(PROJECTS)
    ]
    run = stored(write_world(folder / "plan", rows, types=types), folder / "runs")
    return np.array(
        [
            (datetime.date.fromisoformat(row["start_p50"]) - NEW_YEAR).days
            for row in run.table("projects")
        ]
    )


def assert_share(hits: NDArray[np.bool_], expected: float) -> None:
    error = math.sqrt(expected * (1 - expected) / len(hits))
    assert abs(hits.mean() - expected) <= 4 * error, (hits.mean(), expected, error)


def test_as_often_as_the_type_says_and_anywhere_in_half_a_year(tmp_path: Path) -> None:
    found = starts(tmp_path, 0.6)
    on_time = found == (PLANNED - NEW_YEAR).days
    assert_share(~on_time, 0.6)
    missed = found[~on_time]
    # One in 11,000 samples of 1,800 leaves out the first or the last day.
    assert (missed.min(), missed.max()) == (0, SPREAD_DAYS - 1)
    # Each tenth of the half-year sees a tenth of them.
    for first in range(0, SPREAD_DAYS, 18):
        assert_share((missed >= first) & (missed < first + 18), 0.1)
    assert abs(missed.mean() - (SPREAD_DAYS - 1) / 2) <= 4 * math.sqrt(
        (SPREAD_DAYS**2 - 1) / 12 / len(missed)
    )


def test_later_where_the_slip_is_longer(tmp_path: Path) -> None:
    """A slip until the 87th day: half of them draw a day, of 180, and 93 lie beyond it."""
    found = starts(tmp_path, 0.5, "fixed(300)")
    slipped = (PLANNED + datetime.timedelta(days=300) - NEW_YEAR).days
    assert slipped == 86
    assert found.min() == slipped
    assert_share(found > slipped, 0.5 * (SPREAD_DAYS - 1 - slipped) / SPREAD_DAYS)


def test_only_starts_that_are_planned_up_to_year_end(tmp_path: Path) -> None:
    """The last day of the year counts; begun projects and later starts know nothing of it."""
    rows = [
        project("last day", "2021-12-31", "2022-12-31", 100, 1, type="t"),
        project("overdue", "2020-05-01", "2022-12-31", 100, 1, stage="new", type="t"),
        project("next year", "2022-01-01", "2022-12-31", 100, 0, type="t"),
        project("begun", "2020-05-01", "2022-12-31", 100, 1, type="t"),
    ]
    world = write_world(tmp_path / "plan", rows, types=[{"type": "t", "no_start": 1}])

    def start_of(*changes: str) -> dict[str, str]:
        table = stored(world, tmp_path / "runs", changes=changes).table("projects")
        return {row["id"]: row["start_p50"] for row in table}

    found = start_of()
    for name in ("last day", "overdue"):
        assert "2022-01-01" <= found[name] <= "2022-06-29", name
    assert found["next year"] == "2022-01-01"
    assert found["begun"] == "2020-05-01"
    # Switched off with the slip: every planned start happens.
    off = start_of("uncertainties.slip=off")
    assert (off["last day"], off["overdue"]) == ("2021-12-31", "2021-01-01")
