"""Money, queues and causes in the run folder: by hand, and again from the same trajectories."""

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rich.console import Console

import sim
from sim.briefing.terminal import print_headline
from sim.briefing.words import TEXT
from sim.engine.rules import NANO_DAYS, NEVER, Wait
from sim.figures.amounts import Language
from sim.runs.folder import StoredRun
from tests.worlds import Lived, Row, live, project, write_world

REPLICATIONS = 7
LANGUAGES: tuple[Language, ...] = ("zh", "en")
UNIT = 10_000
ACCOUNT_COLUMNS = [
    "account", "name", "class", "county", "month", "budget_yuan", "opening_yuan",
    *(f"{measure}_{key}_yuan{error}" for measure in ("released", "paid", "balance", "unmet")
      for key in ("mean", "p10", "p50", "p90") for error in ("", "_se")),
    "set_aside_mean_yuan", "set_aside_mean_yuan_se", "lapsed_mean_yuan", "lapsed_mean_yuan_se",
    "p_short", "p_short_low", "p_short_high",
    *(f"execution_{key}{error}" for key in ("mean", "p10", "p50", "p90") for error in ("", "_se")),
]  # fmt: skip


def at(sample: Sequence[Any], percent: int) -> Any:
    """Return the smallest observed value that `percent` % of the sample do not exceed."""
    ordered = sorted(sample)
    return next(
        value for k, value in enumerate(ordered, start=1) if 100 * k >= percent * len(ordered)
    )


def assert_counted(found: str, sample: Sequence[int], percent: int, plan: int) -> None:
    """Hold a percentile against its sample: right to a cell, a thousandth of the plan."""
    exact, cell = at(sample, percent), plan // 1000
    if exact > plan * 5 // 4:  # what is far above the plan is counted in a few cells
        cell = 8 * plan // 128
    assert exact <= int(found) <= min(exact + cell, max(sample))


def store(folder: Path, out: Path, replications: int, *changes: str) -> StoredRun:
    # Plain, as `live` draws and as intervals of independent replications are worked out here.
    scenario = sim.load_scenario(folder, ["run.sampling=plain", *changes])
    return sim.write_run(sim.simulate(scenario, replications=replications), out)


class TestOneRoad:
    """One road of 365 days at 10,000 yuan a day, and an account whose year is known by hand."""

    # At each month-end of the year, in 10,000 yuan: received, paid and due so far.
    RECEIVED = (0, 0, 0, 100, 100, 100, 100, 100, 100, 100, 150, 350)
    DUE = (31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365)
    PAID = (31, 40, 40, 120, 140, 140, 140, 140, 140, 140, 190, 365)
    OPENING, BUDGET = 40, 500

    @pytest.fixture(scope="class")
    def stored(self, tmp_path_factory: pytest.TempPathFactory) -> StoredRun:
        folder = write_world(
            tmp_path_factory.mktemp("plan"),
            [project("A", "2021-01-01", "2021-12-31", 365, 365, gates="none", funding="G:1")],
            'calendar = "continuous"',
            accounts=[{"id": "G", "name": "=市本级", "class": "general_budget", "county": "city",
                       "opening": self.OPENING, "budget": self.BUDGET, "year_end": "lapse"}],
            releases=[
                {"account": "G", "available": "2021-04-15", "amount": 100},
                {"account": "G", "available": "2021-11-01", "amount": 50},
                {"account": "G", "available": "2021-12-10", "amount": 200},
            ],
        )  # fmt: skip
        return store(folder, tmp_path_factory.mktemp("out"), 2)

    def rows(self, stored: StoredRun) -> list[dict[str, str]]:
        return [row for row in stored.table("accounts") if row["account"] == "G"][:12]

    def test_columns(self, stored: StoredRun) -> None:
        assert list(stored.table("accounts")[0]) == ACCOUNT_COLUMNS
        first = self.rows(stored)[0]
        assert first["name"] == "'=市本级"
        assert (first["class"], first["county"], first["month"]) == (
            "general_budget", "city", "2021-01",
        )  # fmt: skip
        assert first["budget_yuan"] == str(self.BUDGET * UNIT)

    def test_the_year_of_the_account(self, stored: StoredRun) -> None:
        rows = self.rows(stored)
        for key in ("mean", "p10", "p50", "p90"):
            received = [int(row[f"released_{key}_yuan"]) for row in rows]
            paid = [int(row[f"paid_{key}_yuan"]) for row in rows]
            unmet = [int(row[f"unmet_{key}_yuan"]) for row in rows]
            balance = [int(row[f"balance_{key}_yuan"]) for row in rows]
            assert received == [amount * UNIT for amount in self.RECEIVED]
            for month, (owed, handed) in enumerate(zip(self.DUE, self.PAID, strict=True)):
                # Value is read off the curve in ppm: up to 4 yuan of 3,650,000 are rounded off.
                short = owed > handed
                exact = handed * UNIT
                assert exact - 4 * (not short) <= paid[month] <= exact
                assert (owed - handed) * UNIT - 4 <= unmet[month] <= (owed - handed) * UNIT
                left = (self.OPENING + self.RECEIVED[month]) * UNIT - paid[month]
                assert balance[month] == (0 if month == 11 else left)

    def test_the_months_in_which_it_runs_short(self, stored: StoredRun) -> None:
        assert [row["p_short"] for row in self.rows(stored)] == list("011011111110")

    def test_what_is_left_lapses_at_year_end(self, stored: StoredRun) -> None:
        lapsed = [int(row["lapsed_mean_yuan"]) for row in self.rows(stored)]
        assert lapsed == [0] * 11 + [25 * UNIT]

    def test_execution_is_paid_over_budget_at_year_end(self, stored: StoredRun) -> None:
        rows = self.rows(stored)
        for key in ("mean", "p10", "p50", "p90"):
            assert [row[f"execution_{key}"] for row in rows] == [""] * 11 + ["0.73"]
        found = stored.summary["execution"]
        assert found.keys() == {"general_budget"}
        assert found["general_budget"]["budget_yuan"] == self.BUDGET * UNIT
        assert found["general_budget"]["p50"] == 365 / 500
        assert found["general_budget"]["sd"] == 0

    def test_arrears_by_month_and_at_year_end(self, stored: StoredRun) -> None:
        rows = [row for row in stored.table("months") if row["measure"] == "arrears"][:12]
        owed = [int(row["p50_yuan"]) for row in rows]
        for month, amount in enumerate(owed):
            expected = (self.DUE[month] - self.PAID[month]) * UNIT
            assert expected - 4 <= amount <= expected
        assert {row["plan_yuan"] for row in rows} == {""}
        assert stored.summary["arrears"]["p95"] == 0
        (row,) = stored.table("projects")
        assert {row[f"arrears_{key}_yuan"] for key in ("mean", "p10", "p50", "p90")} == {"0"}

    def test_nobody_joined_or_left(self, stored: StoredRun) -> None:
        assert stored.summary["revised_plan"] is None
        assert stored.summary["projects"]["dropped"]["mean"] == 0

    @pytest.mark.parametrize("language", LANGUAGES)
    def test_the_headline_names_the_account(self, stored: StoredRun, language: Language) -> None:
        """It cannot pay all in nine months, February the first; in December nothing is unpaid."""
        printed = io.StringIO()
        print_headline(stored, Console(file=printed, width=140), language)
        lines = printed.getvalue().splitlines()
        (row,) = [line.split() for line in lines if "2021-02" in line]
        assert row == ["'=市本级", "2021-02", "9", "0.00"]
        for key in ("causes", "short", "execution"):
            title = TEXT[language][key].format(unit={"zh": "万元", "en": "10,000 yuan"}[language])
            assert title in [line.strip() for line in lines], "the title does not stand on one line"

    def test_execution_of_very_large_accounts(self, tmp_path: Path) -> None:
        """Owners' payments are not bounded like an account: ppm of them leave 64 bits."""
        rows = [
            project(f"A{k}", "2021-01-01", "2021-12-31", 10**8, 10**8, gates="none",
                    investor="enterprise", funding="own:1")
            for k in range(12)
        ]  # fmt: skip
        accounts: list[Row] = [{"id": "W", "name": "w", "class": "own", "budget": 10**8}]
        folder = write_world(tmp_path / "p", rows, 'calendar = "continuous"', accounts=accounts)
        assert store(folder, tmp_path, 1).summary["execution"]["own"]["mean"] == 12


def money_world(folder: Path) -> Path:
    """Write a plan that uses every account class, queues, stops of calendars and decisions."""
    rows = [
        project("P1", "2020-07-01", "2021-10-31", 900, 600, done_before_year=200, county="north",
                type="road", tier="city", funding="general_budget:0.4;special_bond:0.6",
                system="s1", arrears=15),
        project("P2", "2021-03-01", "2021-11-30", 700, 500, county="north", type="road",
                gates="permit", funding="G1:0.5;loan:0.5", system="s2", predecessors="P5"),
        project("P3", "2021-02-01", "2021-12-31", 500, 400, investor="enterprise", county="south",
                type="road", gates="permit", funding="own:0.6;loan:0.4", system="s1"),
        project("P4", "2021-04-01", "2022-03-31", 400, 200, county="south", stage="reserve",
                type="road", gates="none", funding="own:0.5;G1:0.5"),
        project("P5", "2020-09-01", "2021-01-20", 100, 30, done_before_year=70, county="north",
                funding="grant:1", procedure="filing"),
        project("P6", "2021-12-27", "2022-06-30", 60, 5, county="south", type="ward",
                gates="none", funding="grant:1"),
    ]  # fmt: skip
    accounts: list[Row] = [
        {"id": "G1", "name": "north budget", "class": "general_budget", "county": "north",
         "opening": 60, "budget": 420, "year_end": "lapse"},
        {"id": "B1", "name": "north bonds", "class": "special_bond", "county": "north",
         "budget": 360},
        {"id": "L1", "name": "loans", "class": "loan", "budget": 300, "opening": 900},
        {"id": "T1", "name": "grants", "class": "grant", "opening": 100, "rule": "fifo"},
    ]  # fmt: skip
    releases: list[Row] = [
        {"account": "G1", "available": "2021-02-20", "amount": 150},
        {"account": "G1", "available": "2021-05-20", "amount": 200},
        {"account": "G1", "available": "2022-02-20", "amount": 900},
        {"account": "B1", "batch": "first", "issued": "2021-01-10", "available": "2021-02-10",
         "amount": 300, "project": "P1"},
        {"account": "B1", "batch": "late", "issued": "2024-03-10", "available": "2024-03-20",
         "amount": 60, "project": "P1"},
    ]  # fmt: skip
    types: list[Row] = [
        {"type": "road", "season": "site", "duration": "uniform(0.8, 1.6)", "advance": 0.2,
         "cost": "uniform(1, 1.3)", "advance_recovery": "0.1-0.6", "pay_ratio": 0.8,
         "pay_lag_days": 20, "retention": 0.03, "retention_days": 180, "slip": "uniform(0, 40)",
         "arrears_tolerance": 0.05, "acceleration": 1.3, "acceptance_days": "uniform(1, 20)"},
        {"type": "ward", "advance": 0.9},
    ]  # fmt: skip
    drivers = """
[budgets]
title = "Budgets"
distribution = "uniform(0.3, 1.1)"
acts_on = "general_budget"

[owners]
title = "Owners"
distribution = "uniform(0.5, 1)"
acts_on = "own"

[festival_stop]
title = "Festival"
distribution = "uniform(5, 40)"
acts_on = "calendar"
cause = "festival"
"""
    return write_world(
        folder, rows, 'target = 1500\nadjustment_days = 90\ndecember_cut_off = "12-25"', drivers,
        accounts=accounts, releases=releases, types=types,
        windows=[{"window": "W", "name": "Works office", "places": 1},
                 {"window": "V", "name": "Other office"}],
        gates=[{"procedure": procedure, "gate": "permit", "preparation": "uniform(5, 15)",
                "review": "uniform(25, 40)", "window": "W"}
               for procedure in ("approval", "filing")],
        calendar=[{"season": "site", "from": "02-04", "to": "02-28", "availability": 0.1,
                   "cause": "festival"}],
        bond_floors=[{"months": 6, "share": 0.5}],
    )  # fmt: skip


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return money_world(tmp_path_factory.mktemp("plan"))


@pytest.fixture(scope="module")
def stored(world: Path, tmp_path_factory: pytest.TempPathFactory) -> StoredRun:
    return store(world, tmp_path_factory.mktemp("out"), REPLICATIONS)


@pytest.fixture(scope="module")
def lives(world: Path) -> list[Lived]:
    """Return the same replications, each simulated alone."""
    return [live(world, replication) for replication in range(REPLICATIONS)]


def months_of(one: Lived) -> list[str]:
    return [f"{one.date(day):%Y-%m}" for day in one.portfolio.month_ends.tolist()]


class TestAccounts:
    def test_every_number_comes_from_the_trajectories(
        self, stored: StoredRun, lives: list[Lived]
    ) -> None:
        rows = {(row["account"], row["month"]): row for row in stored.table("accounts")}
        ids = sorted(["G1", "B1", "L1", "T1", "own"])
        months = months_of(lives[0])
        assert set(rows) == {(name, month) for name in ids for month in months}
        varied = 0
        plan = lives[0].portfolio.plan
        known = {"own": sum(one.annual_plan for one in plan.projects)}
        for one in plan.accounts:
            released = sum(release.amount for release in plan.releases if release.account == one.id)
            known[one.id] = max(one.budget, one.opening + released)
        for (name, month), row in rows.items():
            where = ids.index(name), months.index(month)
            for measure, source in (
                ("released", "released"), ("paid", "spent"), ("balance", "balance"),
                ("unmet", "unmet"),
            ):  # fmt: skip
                sample = [int(getattr(one.trajectory, source)[where]) for one in lives]
                varied += len(set(sample)) > 1
                for percent in (10, 50, 90):
                    assert_counted(row[f"{measure}_p{percent}_yuan"], sample, percent, known[name])
                assert abs(REPLICATIONS * int(row[f"{measure}_mean_yuan"]) - sum(sample)) <= 3.5
            for measure in ("set_aside", "lapsed"):
                sample = [int(getattr(one.trajectory, measure)[where]) for one in lives]
                assert abs(REPLICATIONS * int(row[f"{measure}_mean_yuan"]) - sum(sample)) <= 3.5
            short = sum(int(one.trajectory.unmet[where]) > 0 for one in lives)
            assert float(row["p_short"]) == pytest.approx(short / REPLICATIONS, abs=1e-9)
        assert varied > 100

    def test_the_reader_can_add_up_every_line(self, stored: StoredRun) -> None:
        """Opening and receipts are payments, money set aside, what lapsed, and the balance."""
        aside = lapsed = 0
        for row in stored.table("accounts"):
            parts = [int(row[f"{name}_mean_yuan"]) for name in
                     ("paid", "set_aside", "lapsed", "balance")]  # fmt: skip
            had = int(row["opening_yuan"]) + int(row["released_mean_yuan"])
            assert abs(had - sum(parts)) <= 2  # five means, each rounded
            aside, lapsed = aside + parts[1], lapsed + parts[2]
        assert aside > 0
        assert lapsed > 0

    def test_unmet_is_what_was_asked_of_the_account(self, lives: list[Lived]) -> None:
        """What equity and owners could not pay is owed; a loan kept in step with it lacks nothing.

        The loan account starts with more than all loans: it is never short.
        """
        ids = sorted(["G1", "B1", "L1", "T1", "own"])
        held_back = 0
        for one in lives:
            unmet = one.trajectory.unmet
            assert (unmet[ids.index("L1")] == 0).all()
            owed = one.trajectory.arrears.sum(axis=0)
            assert (unmet.sum(axis=0) <= owed).all()
            held_back += int((owed - unmet.sum(axis=0)).sum())
        assert held_back > 0

    def test_execution(self, stored: StoredRun, lives: list[Lived]) -> None:
        ids, december = sorted(["G1", "B1", "L1", "T1", "own"]), lives[0].month("2021-12")
        budgets = {"general_budget": ("G1", 420), "special_bond": ("B1", 360), "loan": ("L1", 300)}
        assert stored.summary["execution"].keys() == budgets.keys()
        rows = {(row["account"], row["month"]): row for row in stored.table("accounts")}
        for class_, (name, budget) in budgets.items():
            shares = [
                int(one.trajectory.spent[ids.index(name), december]) / (budget * UNIT)
                for one in lives
            ]
            found, row = stored.summary["execution"][class_], rows[name, "2021-12"]
            assert found["budget_yuan"] == budget * UNIT
            for percent in (10, 50, 90):
                assert found[f"p{percent}"] == pytest.approx(at(shares, percent), abs=1e-6)
                counted = float(row[f"execution_p{percent}"])
                # A thousandth of what the account is known to have, up to 13.1 to a budget of 4.2.
                assert found[f"p{percent}"] <= counted <= found[f"p{percent}"] + 3.2e-3
            assert found["mean"] == pytest.approx(sum(shares) / REPLICATIONS, abs=1e-6)
        assert rows["T1", "2021-12"]["execution_p50"] == ""

    def test_without_accounts_there_is_no_table(self, world: Path, tmp_path: Path) -> None:
        free = store(world, tmp_path, 1, "uncertainties.money=off")
        assert free.table("accounts") == free.table("bonds") == []
        assert free.summary["execution"] == {}
        assert free.summary["arrears"]["mean"] == 0


def test_bonds(stored: StoredRun, lives: list[Lived]) -> None:
    """The first batch: at 6 months (with the floor) and at 12; the late one has no 12 months."""
    rows = stored.table("bonds")
    places = [(row["batch"], row["months"], row["floor"]) for row in rows]
    assert places == [
        ("first", "6", ""), ("first", "12", ""), ("first", "6", "0.5"),
        ("late", "6", ""), ("late", "6", "0.5"),
    ]  # fmt: skip
    for q, row in enumerate(rows[:3]):
        spent = [int(one.trajectory.check_spent[q]) for one in lives]
        idle = [300 * UNIT - amount for amount in spent]
        assert (row["account"], row["county"], row["project"]) == ("B1", "north", "P1")
        assert (row["name"], row["issued"]) == ("P1", "2021-01-10")
        assert int(row["amount_mean_yuan"]) == 300 * UNIT
        assert int(row["idle_mean_yuan"]) == round(sum(idle) / REPLICATIONS)
        assert_counted(row["idle_p50_yuan"], idle, 50, 300 * UNIT)
        assert_counted(row["idle_p90_yuan"], idle, 90, 300 * UNIT)
        share = sum(amount > 0 for amount in idle) / REPLICATIONS
        assert float(row["p_idle"]) == pytest.approx(share, abs=1e-9)
    halves = [int(one.trajectory.check_spent[2]) >= 150 * UNIT for one in lives]
    kept = sum(halves) / REPLICATIONS
    assert float(rows[2]["p_floor_met"]) == pytest.approx(kept, abs=1e-9)
    assert float(rows[2]["p_floor_met_low"]) <= kept <= float(rows[2]["p_floor_met_high"])
    assert rows[0]["p_floor_met"] == ""


def test_bond_spending_counts_what_was_paid_by_the_day(lives: list[Lived]) -> None:
    """Six months after 10 January is 10 July: what the account had paid by the end of June."""
    bonds = sorted(["G1", "B1", "L1", "T1", "own"]).index("B1")
    for one in lives:
        paid_by_june = int(one.trajectory.spent[bonds, one.month("2021-06")])
        assert int(one.trajectory.check_spent[0]) == paid_by_june
    assert len({int(one.trajectory.check_spent[0]) for one in lives}) > 1


def test_queues(stored: StoredRun, lives: list[Lived]) -> None:
    rows = {(row["window"], row["month"]): row for row in stored.table("queues")}
    months = months_of(lives[0])
    assert set(rows) == {(window, month) for window in "VW" for month in months}
    assert rows["W", "2021-01"]["name"] == "Works office"
    assert (rows["W", "2021-01"]["places"], rows["V", "2021-01"]["places"]) == ("1", "")
    waited_somewhere = 0
    for (window, month), row in rows.items():
        where = "VW".index(window), months.index(month)
        waiting = [int(one.trajectory.queued[where]) for one in lives]
        taken = [int(one.trajectory.taken[where]) for one in lives]
        days = [int(one.trajectory.waited[where]) for one in lives]
        waited_somewhere += sum(days)
        assert float(row["waiting_mean"]) == pytest.approx(np.mean(waiting))
        assert float(row["taken_mean"]) == pytest.approx(np.mean(taken))
        assert int(row["waiting_p50"]) == at(waiting, 50)
        assert int(row["waiting_p90"]) == at(waiting, 90)
        assert int(row["taken_p50"]) == at(taken, 50)
        if sum(taken):
            assert float(row["days_waited_mean"]) == pytest.approx(sum(days) / sum(taken))
        else:
            assert row["days_waited_mean"] == ""
    assert waited_somewhere > 0
    # Both files pass the one window, in every replication.
    assert sum(float(row["taken_mean"]) for row in rows.values()) == pytest.approx(2)


class TestCauses:
    NAMES = (
        "gate", "window", "predecessor", "slip", "no_start", "equity", "pulled_forward", "work",
        "stops", "opportunities", "arrears", "acceleration", "last_day", "calendar_festival",
    )  # fmt: skip

    def days(self, one: Lived) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
        """Return days by project and cause."""
        return np.hstack([one.trajectory.waits, one.trajectory.causes / NANO_DAYS])

    def test_the_table(self, stored: StoredRun, lives: list[Lived]) -> None:
        rows = stored.table("causes")
        plan = lives[0].portfolio.plan
        annual = np.array([one.annual_plan for one in plan.projects], dtype=float)
        groups = {("all", "")} | {
            (dimension, getattr(one, dimension))
            for one in plan.projects
            for dimension in ("system", "county", "type", "investor", "stage")
        }
        assert {(row["dimension"], row["group"]) for row in rows} == groups
        assert [row["cause"] for row in rows if row["dimension"] == "all"] == list(self.NAMES)
        for row in rows:
            members = [
                (one, i)
                for one in lives
                for i, filed in enumerate(plan.projects)
                if row["dimension"] == "all" or getattr(filed, row["dimension"]) == row["group"]
                if one.trajectory.start[i] != NEVER
            ]
            days = [self.days(one)[i, self.NAMES.index(row["cause"])] for one, i in members]
            weights = [annual[i] for _, i in members]
            assert float(row["mean_days"]) == pytest.approx(np.mean(days), abs=1e-6)
            weighted = np.average(days, weights=weights)
            assert float(row["mean_days_by_plan"]) == pytest.approx(weighted, abs=1e-6)

    def test_projects(self, stored: StoredRun, lives: list[Lived]) -> None:
        for i, row in enumerate(stored.table("projects")):
            begun = [one for one in lives if one.trajectory.start[i] != NEVER]
            for k, name in enumerate(self.NAMES):
                of = lives if k < len(Wait) else begun
                mean = np.mean([self.days(one)[i, k] for one in of])
                assert float(row[f"days_{name}"]) == pytest.approx(mean, abs=1e-6)

    def test_they_add_up_to_the_delay(self, stored: StoredRun, lives: list[Lived]) -> None:
        late = 0
        for i, row in enumerate(stored.table("projects")):
            finish = [int(one.trajectory.finish[i]) for one in lives]
            if NEVER in finish:
                continue
            delay = float(np.mean(finish)) - int(lives[0].portfolio.planned_finish[i])
            parts = sum(float(row[f"days_{name}"]) for name in self.NAMES)
            assert parts == pytest.approx(delay, abs=1e-6)
            late += int(delay > 1)
        assert late >= 3


class TestProjectsAndSummary:
    def test_arrears(self, stored: StoredRun, lives: list[Lived]) -> None:
        december = lives[0].month("2021-12")
        owed = [one.trajectory.arrears[:, december].tolist() for one in lives]
        for i, row in enumerate(stored.table("projects")):
            sample = [amounts[i] for amounts in owed]
            for percent in (10, 50, 90):
                filed = lives[0].portfolio.plan.projects[i]
                plan = filed.total if max(sample) > filed.annual_plan else filed.annual_plan
                assert_counted(row[f"arrears_p{percent}_yuan"], sample, percent, plan)
            assert abs(int(row["arrears_mean_yuan"]) - sum(sample) / REPLICATIONS) <= 0.5
        totals = [sum(amounts) for amounts in owed]
        assert stored.summary["arrears"]["p50"] == at(totals, 50)
        assert stored.summary["arrears"]["mean"] == pytest.approx(sum(totals) / REPLICATIONS)
        assert stored.samples()["arrears_yuan"].to_list() == totals
        assert max(totals) > 0
        whole = sum(one.total for one in lives[0].portfolio.plan.projects) // 10
        for month, row in zip(
            months_of(lives[0]),
            (row for row in stored.table("months") if row["measure"] == "arrears"),
            strict=True,
        ):
            k = lives[0].month(month)
            sample = [int(one.trajectory.arrears[:, k].sum()) for one in lives]
            assert row["month"] == month
            for percent in (5, 10, 20, 50, 80, 90, 95):
                assert_counted(row[f"p{percent}_yuan"], sample, percent, whole)

    def test_net_of_growth(self, stored: StoredRun, lives: list[Lived]) -> None:
        """What a project did since the status date, at the price that was approved for it."""
        december = lives[0].month("2021-12")
        samples = []
        for one in lives:
            portfolio, sum_of_all = one.portfolio, 0.0
            for i in np.flatnonzero(portfolio.in_target).tolist():
                left = float(portfolio.total[i] - portfolio.done[i])
                grown = float(one.drawn.total[i] - portfolio.done[i])
                since = float(one.trajectory.value[i, december] - portfolio.done[i])
                sum_of_all += since * min(left / grown, 1) if grown else 0
            samples.append(sum_of_all)
        net, gross = stored.summary["net_of_growth"], stored.summary["year_end"]
        for percent in (5, 50, 95):
            assert net["work_done"][f"p{percent}"] == pytest.approx(at(samples, percent), abs=50)
        assert net["work_done"]["mean"] < gross["work_done"]["mean"] - UNIT
        met = sum(sample >= 1500 * UNIT for sample in samples) / REPLICATIONS
        assert net["work_done"]["probability_target_met"]["value"] == pytest.approx(met)

    def test_the_reserve_stands_outside_the_target(
        self, stored: StoredRun, lives: list[Lived]
    ) -> None:
        december = lives[0].month("2021-12")
        paid = [one.trajectory.paid[:, december] for one in lives]
        reserve = lives[0].position("P4")
        assert max(int(one[reserve]) for one in paid) > 0
        assert stored.samples()["paid_yuan"].to_list() == [
            int(one.sum() - one[reserve]) for one in paid
        ]

    def test_decisions(self, world: Path, tmp_path: Path) -> None:
        """P2 is dropped and P4 joins: the revised plan is 600 + 400 + 30 + 5 + 200."""
        decided = store(world, tmp_path, 3, "levers.drop=P2", "levers.pull_forward=P4")
        revised = decided.summary["revised_plan"]
        assert revised["annual_plan_yuan"]["mean"] == 1235 * UNIT
        assert (revised["joined"]["mean"], revised["left"]["mean"]) == (1, 1)
        assert decided.summary["annual_plan_yuan"] == 1535 * UNIT
        assert decided.summary["projects"]["dropped"]["mean"] == 1
        assert decided.samples()["dropped"].to_list() == [1, 1, 1]
        rows = {row["id"]: row for row in decided.table("projects")}
        members = ("P1", "P3", "P4", "P5", "P6")
        reported = sum(int(rows[name]["reported_mean_yuan"]) for name in members)
        assert revised["reported"]["mean"] == pytest.approx(reported, abs=3)
