"""Numbers in the tables of a run, beside what a hand counts from the contract."""

import math
from pathlib import Path

import numpy as np
import polars
import pytest

from tests.worlds import Row, project, stored, write_world

GATE: Row = {"procedure": "approval", "gate": "g", "preparation": "fixed(1)",
             "review": "fixed(1)"}  # fmt: skip
# What of the year each sees: capitals are planned, small letters happen; s a start, f a finish.
COUNTED: list[tuple[Row, str]] = [
    (project("begun", "2020-03-01", "2021-10-31", 9, 4, done_before_year=5), "Ff"),
    (project("over", "2020-03-01", "2020-08-31", 9, 0, done_before_year=9, stage="completing"), ""),
    (project("overdue", "2020-11-01", "2021-06-30", 9, 9, stage="new"), "SsFf"),
    (project("new", "2021-05-01", "2022-04-30", 9, 4), "Ss"),
    (project("on the last day", "2021-12-31", "2022-12-31", 9, 0), "Ss"),
    (project("to the last day", "2021-02-01", "2021-12-31", 9, 9), "SsFf"),
    (project("to New Year", "2021-02-01", "2022-01-01", 9, 9), "Ss"),
    (project("next year", "2022-01-01", "2022-12-31", 9, 0), ""),
    (project("pre-work", "2022-03-01", "2022-12-31", 9, 1, gates="g"), ""),
    (project("reserve", "2021-07-01", "2021-11-30", 9, 9, stage="reserve"), "SsFf"),
    (project("slipped", "2021-12-01", "2022-11-30", 9, 1, type="slips"), "S"),
    (project("missed", "2021-02-01", "2021-11-30", 9, 9, type="misses"), "SF"),
    (project("beyond", "2021-01-01", "2026-12-31", 9, 1), "Ss"),
]
COUNTED_TYPES: list[Row] = [
    {"type": "slips", "slip": "fixed(40)"}, {"type": "misses", "no_start": 1},
]  # fmt: skip


def test_starts_and_finishes_of_the_year(tmp_path: Path) -> None:
    """From day 0 to year-end, of all projects: begun ones do not start, finished ones not finish.

    The reserve counts here; a start before the status date does not; those finished before count
    among the finished of the horizon.
    """
    rows: list[Row] = [{"gates": "none", **row} for row, _ in COUNTED]
    world = write_world(tmp_path / "plan", rows, gates=[GATE], types=COUNTED_TYPES)
    run = stored(world, tmp_path / "runs", replications=3)

    def having(letter: str) -> int:
        return sum(letter in what for _, what in COUNTED)

    found = run.summary["projects"]
    assert found["count"] == len(COUNTED)
    assert found["planned_starts_in_year"] == having("S") == 9
    assert found["planned_finishes_in_year"] == having("F") == 5
    counts = {
        "started_in_year": having("s"),
        "finished_in_year": having("f"),
        "finished_in_horizon": len(COUNTED) - 1,
    }
    for key, expected in counts.items():
        assert (found[key]["mean"], found[key]["sd"]) == (expected, 0), key
    samples = run.samples()
    for key in ("started_in_year", "finished_in_year"):
        assert samples[key].to_list() == [counts[key]] * 3
    by_name = {row["id"]: row for row in run.table("projects")}
    for row, what in COUNTED:
        name, shares = row["id"], by_name[row["id"]]
        # What had begun, or was over, cannot start; what was over cannot finish.
        start = "" if name in ("begun", "over") else str(int("s" in what))
        finish = "" if name == "over" else str(int("f" in what))
        assert (shares["p_start_in_year"], shares["p_finish_in_year"]) == (start, finish), name


def test_a_status_date_within_the_year_counts_from_the_day_after(tmp_path: Path) -> None:
    """What started or finished in the year before the status date is counted no more."""
    rows = [
        project("earlier", "2021-02-01", "2021-11-30", 9, 9, done_this_year=4),
        project("over", "2021-02-01", "2021-05-31", 9, 9, done_this_year=9, stage="completing"),
        project("first day", "2021-07-01", "2022-11-30", 9, 4),
    ]
    world = write_world(tmp_path / "plan", rows, "status_date = 2021-06-30")
    found = stored(world, tmp_path / "runs").summary["projects"]
    assert (found["planned_starts_in_year"], found["started_in_year"]["mean"]) == (1, 1)
    assert (found["planned_finishes_in_year"], found["finished_in_year"]["mean"]) == (1, 1)
    assert found["finished_in_horizon"]["mean"] == 3


class TestPlanMet:
    """groups.csv, `p_plan_met`: how often what is reported reaches the group's annual plans."""

    REPLICATIONS = 500
    COST = "discrete(0.9: 0.3, 1: 0.2, 1.2: 0.5)"

    def group(self, rows: list[dict[str, str]], dimension: str, name: str) -> dict[str, str]:
        (found,) = [r for r in rows if (r["dimension"], r["group"]) == (dimension, name)]
        return found

    def test_against_samples_counted_by_hand(self, tmp_path: Path) -> None:
        """One project keeps its plan with 0.2 + 0.5; a pair unless both fall short, or one does
        and the other is only just enough: 1 - 0.09 - 2 x 0.06.
        """
        rows = [
            project("one", "2021-01-01", "2021-11-30", 1_000, 1_000, system="s1", cost=self.COST),
            project("two", "2021-01-01", "2021-11-30", 1_000, 1_000, system="s2", cost=self.COST),
            project("three", "2021-01-01", "2021-11-30", 1_000, 1_000, system="s2",
                    cost=self.COST),
            # Outside the target: neither its plan nor its reports count in the group.
            project("spare", "2021-01-01", "2021-11-30", 9_000, 9_000, system="s1",
                    stage="reserve", cost="fixed(0.1)"),
        ]  # fmt: skip
        run = stored(write_world(tmp_path / "plan", rows), tmp_path / "runs", self.REPLICATIONS)
        groups, samples = run.table("groups"), run.samples()
        assert isinstance(samples, polars.DataFrame)
        for name, annual, expected in (("s1", 10_000_000, 0.7), ("s2", 20_000_000, 0.79)):
            row = self.group(groups, "system", name)
            assert int(row["annual_plan_yuan"]) == annual
            reported = np.array(samples[f"reported_{name}_yuan"].to_list())
            met = sum(value >= annual for value in reported.tolist())
            # Reaching the plan exactly is reaching it, and happens here.
            assert (reported == annual).any()
            assert float(row["p_plan_met"]) == pytest.approx(met / self.REPLICATIONS, rel=1e-9)
            error = math.sqrt(expected * (1 - expected) / self.REPLICATIONS)
            assert abs(float(row["p_plan_met"]) - expected) <= 4 * error
        assert not [row for row in groups if row["group"] == "reserve"]

    def test_what_is_reported_decides_not_what_is_done(self, tmp_path: Path) -> None:
        """At half pace half of the plan is done; reports twice as high reach it, by a hair."""
        driver = """
[over]
title = "o"
distribution = "fixed(1)"
acts_on = "report"
exposure = { by = "system", default = 0.0, enough = 1.0, short = 0.99 }
"""
        rows = [
            project(name, "2021-01-01", "2022-12-31", 730, 400, system=name, duration="fixed(2)")
            for name in ("enough", "honest", "short")
        ]
        world = write_world(tmp_path / "plan", rows, drivers=driver)
        groups = stored(world, tmp_path / "runs").table("groups")
        found = {name: self.group(groups, "system", name) for name in ("enough", "honest", "short")}
        assert {row["work_done_mean_yuan"] for row in found.values()} == {"2000000"}
        assert {name: float(row["p_plan_met"]) for name, row in found.items()} == {
            "enough": 1, "honest": 0, "short": 0,
        }  # fmt: skip
