"""Published month-end shares: the medians by hand, and a table in which no list stands twice."""

import csv
import itertools
import re
from collections import Counter
from pathlib import Path

import pytest

from sim.analysis.published import published_shares, stage_shares, year_shares

TABLE = Path(__file__).parents[2] / "sim" / "analysis" / "reference" / "month_end_shares.csv"
# Shares as the evidence lists them, not as the table does, and their medians.
BY_HAND: dict[tuple[str, int], tuple[list[float], float]] = {
    ("all", 1): ([0.076, 0.08], 0.078),
    ("all", 2): ([0.174, 0.157, 0.143, 0.139, 0.15], 0.15),
    ("all", 9): ([0.94, 0.879, 0.936, 0.937, 0.69, 0.809], (0.879 + 0.936) / 2),
    ("all", 10): ([0.962, 0.931, 0.977, 0.851], (0.931 + 0.962) / 2),
    ("all", 11): ([1.169, 1.107, 0.972, 0.956], (0.972 + 1.107) / 2),
    ("all", 12): ([1.009, 1.138, 1.053, 1.204, 1.226, 1.515, 1.165, 1.037, 1.22], 1.165),
    ("new", 8): ([0.64, 0.699, 0.887, 0.6842, 0.2699], 0.6842),
    ("continuing", 8): ([0.75, 0.885, 0.988, 0.8355, 0.8175], 0.8355),
    ("completing", 8): ([0.73, 0.986, 1.074], 0.986),
    ("continuing", 5): ([0.585], 0.585),
}


def rows() -> list[dict[str, str]]:
    with TABLE.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def month_row(month: str, measure: str, p50: int, plan: object = "") -> dict[str, str]:
    """Return a row of months.csv."""
    return {"month": month, "measure": measure, "p50_yuan": str(p50), "plan_yuan": str(plan)}


@pytest.mark.parametrize(("scope", "month"), list(BY_HAND))
def test_medians_are_those_of_the_evidence(scope: str, month: int) -> None:
    shares, median = BY_HAND[scope, month]
    assert published_shares(scope)[month] == tuple(sorted(shares))
    if scope == "all":
        (found,) = year_shares([month_row(f"2021-{month:02d}", "reported", 1, 1)], 2021, 1)
    else:
        row = {"month": f"2021-{month:02d}", "stage": scope, "reported_p50_yuan": "1",
               "annual_plan_yuan": "1"}  # fmt: skip
        (found,) = stage_shares([row], scope)
    assert found.published == pytest.approx(median, abs=1e-12)
    assert (found.month, found.lists) == (month, len(shares))


def test_the_year_beside_its_plan() -> None:
    """Medians of reports over the annual plan, in the plan year only."""
    months = [
        month_row("2021-01", "work_done", 7, 30),
        month_row("2021-01", "reported", 20, 30),
        month_row("2021-01", "paid", 5),
        month_row("2021-12", "reported", 220, 200),
        month_row("2022-01", "reported", 240, 260),
    ]
    found = year_shares(months, 2021, 200)
    assert [(one.month, one.simulated, one.planned) for one in found] == [
        (1, 0.1, 0.15),
        (12, 1.1, 1.0),
    ]


def test_a_stage_over_its_own_plan_and_nothing_beside_it_where_nothing_is_published() -> None:
    stages = [
        {"month": "2021-08", "stage": stage, "reported_p50_yuan": "30", "annual_plan_yuan": plan}
        for stage, plan in (("new", "40"), ("pre_work", "60"))
    ]
    (new,), (pre_work,) = (stage_shares(stages, stage) for stage in ("new", "pre_work"))
    assert (new.simulated, new.planned, new.published) == (0.75, None, 0.6842)
    assert (pre_work.simulated, pre_work.published, pre_work.lists) == (0.5, None, 0)


class TestTable:
    def test_rows_are_complete_and_possible(self) -> None:
        for row in rows():
            assert row["place"], row
            assert row["scope"], row
            assert row["source"], row
            assert 2000 <= int(row["year"]) <= 2025, row
            assert 1 <= int(row["through_month"]) <= 12, row
            # A share, never per cent; the highest published is half as much again as the plan.
            assert 0.05 < float(row["share"]) < 1.6, row

    def test_no_list_stands_twice(self) -> None:
        """Neither by its name nor, under two names, by its page and figure."""
        named = Counter((row["place"], row["year"], row["through_month"], row["scope"])
                        for row in rows())  # fmt: skip
        assert [key for key, count in named.items() if count > 1] == []
        pages: Counter[tuple[str, ...]] = Counter()
        for row in rows():
            page = re.search(r"https?://[^\s|;]+", row["source"])
            if page and "..." not in row["source"]:
                key = (page.group(), row["year"], row["through_month"], row["scope"], row["share"])
                pages[key] += 1
        assert len(pages) > 60
        assert [key for key, count in pages.items() if count > 1] == []

    def test_a_list_never_falls_within_its_year(self) -> None:
        of_list: dict[tuple[str, str, str], list[tuple[int, float]]] = {}
        for row in rows():
            of_year = (row["place"], row["year"], row["scope"])
            point = (int(row["through_month"]), float(row["share"]))
            of_list.setdefault(of_year, []).append(point)
        assert max(len(points) for points in of_list.values()) >= 4
        for of_year, points in of_list.items():
            for (_, before), (_, after) in itertools.pairwise(sorted(points)):
                assert before < after, of_year
