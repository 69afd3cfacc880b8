"""What cases 22 and 28 of the known answers show beyond the table that `verify` runs.

Tolerances of what is drawn are four standard errors.
"""

import math
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

import sim
from sim.engine.reference import run_reference
from sim.sampling.draws import draw
from sim.sampling.sampler import Sampler, build_sampler
from tests.worlds import Row, live, project, write_world

REPLICATIONS = 1_500
Ints = NDArray[np.int64]


def plan(rows: Sequence[Row], settings: str = "", **tables: Sequence[Row]) -> Path:
    """Write a plan on a calendar without stops."""
    folder = Path(tempfile.mkdtemp(prefix="answers-"))
    base = 'calendar = "continuous"\nhorizon = 2022-12-31\n'
    return write_world(folder, rows, base + settings, "", **tables)


def sampler_of(folder: Path) -> Sampler:
    """Read a plan folder, up to what draws."""
    return build_sampler(sim.build_portfolio(sim.load_scenario(folder, ()).plan), 2021)


def one_day(name: str, date: str, total: int, **more: object) -> Row:
    """Return an enterprise's project whose whole value is there after one day."""
    return project(name, date, date, total, total, investor="enterprise", gates="none", **more)


class TestToTheYuan:
    """Case 28: whole yuan, and none lost."""

    def test_a_great_sum_over_many(self) -> None:
        pool, count = 300_000_000_000, 1_037
        owed = [350_000_000 + 1_009 * k for k in range(count)]
        rows = [
            project(f"P{k}", "2020-01-01", "2021-12-31", 10**9, 0, done_before_year=10**9,
                    stage="continuing", arrears=need, funding="A:1")
            for k, need in enumerate(owed)
        ]  # fmt: skip
        accounts = [{"id": "A", "name": "A", "class": "grant", "opening": pool, "rule": "pro_rata"}]
        settings = 'amount_unit = "元"\nhorizon = 2021-12-31'
        life = live(plan(rows, settings, accounts=accounts)).trajectory
        assert life.paid[:, 0].sum() == pool
        ratio = pool * 10**6 // sum(owed)
        expected = [need * ratio // 10**6 for need in owed]
        rest = pool - sum(expected)
        for k, need in enumerate(owed):  # what rounding left over goes by rank
            more = min(rest, need - expected[k])
            expected[k], rest = expected[k] + more, rest - more
        assert life.paid[:, 0].tolist() == expected
        assert life.balance[0, 0] == 0
        assert life.unmet[0, 0] == sum(owed) - pool


FLOORS: list[Row] = [
    {"months": months, "share": share, "smallest": 30, "issued_from": "2021-01-01"}
    for months, share in ((3, 0.25), (6, 0.5), (9, 0.75), (12, 1))
]


class TestBondFloors:
    """Case 22: 25, 50, 75 and 100 % spent at 3, 6, 9 and 12 months after issue."""

    @staticmethod
    def passed(folder: Path, release: int = 0) -> dict[int, tuple[int, bool]]:
        """Return yuan spent, and whether that reaches the floor, by months after issue."""
        sampler = sampler_of(folder)
        life = run_reference(sampler.frame, next(draw(sampler, [0])))
        found = {}
        for check, spent in zip(sampler.purses.checks, life.check_spent.tolist(), strict=True):
            if check.release == release and check.floor is not None:
                amount = sampler.purses.releases[release].amount
                found[check.months] = (spent, spent >= check.floor.share * amount)
        return found

    @staticmethod
    def spent_in_steps(steps: dict[str, int], floors: list[Row], **issue: object) -> Path:
        """Write a plan that spends a bond of 100 in known steps."""
        rows = [
            one_day(f"P{k}", date, total, funding="bond:1")
            for k, (date, total) in enumerate(steps.items())
        ]
        release: Row = {
            "account": "bond", "issued": "2021-01-04", "available": "2021-01-20", "amount": 100,
            **issue,
        }  # fmt: skip
        accounts = [{"id": "bond", "name": "b", "class": "special_bond", "county": "north"}]
        return plan(rows, accounts=accounts, releases=[release], bond_floors=floors)

    def test_paid_a_day_late(self) -> None:
        """April's payment comes after the look of 4 April, and counts at the next."""
        steps = {"2021-04-02": 25, "2021-06-10": 25}
        found = self.passed(self.spent_in_steps(steps, FLOORS))
        assert found[3] == (0, False)
        assert found[6] == (500_000, True)

    @pytest.mark.parametrize(
        ("floor", "in_force"),
        [
            ({}, True), ({"county": "north"}, True), ({"county": "south"}, False),
            ({"smallest": 100}, True), ({"smallest": 101}, False),
            ({"issued_from": "2021-01-04"}, True), ({"issued_from": "2021-01-05"}, False),
            ({"issued_to": "2021-01-04"}, True), ({"issued_to": "2021-01-03"}, False),
        ],
    )  # fmt: skip
    def test_in_force(self, floor: Row, in_force: bool) -> None:
        """A floor goes by the account's county, the day of issue and the size of the release."""
        folder = self.spent_in_steps({"2021-03-10": 24}, [{"months": 3, "share": 0.25, **floor}])
        assert list(self.passed(folder)) == ([3] if in_force else [])

    def test_day_of_availability_where_no_issue_is_filed(self) -> None:
        steps = {"2021-04-02": 25}
        folder = self.spent_in_steps(steps, FLOORS, issued="", available="2021-02-01")
        assert self.passed(folder)[3] == (250_000, True)  # looked at on 1 May, paid on 30 April

    def test_oldest_money_first(self) -> None:
        """Opening balance, then releases in order of availability."""
        rows = [one_day("P", "2021-05-10", 120, funding="bond:1")]
        accounts = [{"id": "bond", "name": "b", "class": "special_bond", "opening": 50}]
        releases = [
            {"account": "bond", "available": "2021-03-01", "amount": 40, "batch": "second"},
            {"account": "bond", "available": "2021-02-01", "amount": 60, "batch": "first"},
        ]
        folder = plan(rows, accounts=accounts, releases=releases, bond_floors=FLOORS)
        names = [one.batch for one in sampler_of(folder).purses.releases]
        assert self.passed(folder, names.index("first"))[6][0] == 600_000
        assert self.passed(folder, names.index("second"))[6][0] == 100_000

    def test_an_even_year_fails_without_any_delay(self) -> None:
        """As with case 21's curve: money spent evenly over just twelve months misses the floors.

        Of 365 equal days 90, 181 and 273 lie before the looks of 1 April, July and October.
        """
        row = project("P", "2021-01-01", "2021-12-31", 365, 365, investor="enterprise",
                      gates="none", funding="bond:1")  # fmt: skip
        accounts = [{"id": "bond", "name": "b", "class": "special_bond"}]
        releases = [{"account": "bond", "available": "2021-01-01", "amount": 365, "project": "P"}]
        folder = plan([row], accounts=accounts, releases=releases, bond_floors=FLOORS)
        found = self.passed(folder)
        for months, days in ((3, 90), (6, 181), (9, 273)):
            # A knot's share is rounded down to a millionth: 4 yuan of 3,650,000.
            assert found[months][0] == pytest.approx(days * 10_000, abs=4)
            assert not found[months][1]
        assert found[12] == (3_650_000, True)

    def test_chance_of_passing(self) -> None:
        """Spend-out within 362 days passes the half-year's floor: 181 days of it lie before.

        The whole days of uniform(200, 500) are 200 with half a chance, 201 and so on with a
        full one: 162.5 of 300.
        """
        row = project("P", "2021-01-01", "2021-12-31", 1_000, 1_000, investor="enterprise",
                      gates="none", funding="bond:1",
                      duration="days: uniform(200, 500)")  # fmt: skip
        accounts = [{"id": "bond", "name": "b", "class": "special_bond"}]
        releases = [{"account": "bond", "available": "2021-01-01", "amount": 1_000, "project": "P"}]
        sampler = sampler_of(
            plan([row], accounts=accounts, releases=releases, bond_floors=FLOORS[1:2])
        )
        check = [one.floor is not None for one in sampler.purses.checks].index(True)
        count, hits = 600, 0
        for drawn in draw(sampler, range(count)):
            spent = int(run_reference(sampler.frame, drawn).check_spent[check])
            days = int(drawn.work[0]) / 1_000
            if days != 362:  # where it is, a knot's rounding may take the last yuan
                assert (spent >= 5_000_000) == (days < 362)
            hits += spent >= 5_000_000
        expected = 162.5 / 300
        error = math.sqrt(expected * (1 - expected) / count)
        assert abs(hits / count - expected) <= 4 * error
