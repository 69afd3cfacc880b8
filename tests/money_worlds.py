"""Small plans in which money is short, for tests: every kind of account, claim and lever."""

from __future__ import annotations

import datetime
import tempfile
from dataclasses import dataclass
from pathlib import Path

from hypothesis import strategies as st

from tests.worlds import STATUS, Lived, Row, live, project, write_world

KINDS: tuple[Row, ...] = (
    {"type": "bare"},
    {"type": "road", "advance": 0.3, "advance_recovery": "0.2-0.8", "pay_ratio": 0.8,
     "pay_lag_days": 30, "retention": 0.03, "retention_days": 90, "arrears_tolerance": 0.05,
     "slow_rate": 0.4, "acceleration": 1.5, "cost": "uniform(0.9, 1.4)",
     "duration": "uniform(0.7, 1.5)", "acceptance_days": 20},
    {"type": "school", "advance": 0.1, "advance_recovery": "0-0.5", "pay_ratio": 1,
     "retention": 0.1, "retention_days": 45, "pay_lag_days": 15, "arrears_tolerance": 0,
     "acceleration": 2, "cost": 1.05, "duration": "uniform(0.5, 1.3)"},
    {"type": "plant", "advance": 0.5, "pay_ratio": 0.6, "pay_lag_days": 75, "retention": 0.05,
     "arrears_tolerance": 0.3, "slow_rate": 0, "cost": 1.2, "duration": 1.4, "acceleration": 1.2},
)  # fmt: skip
OWNERS = """
[owners]
title = "o"
distribution = "uniform(0, 1.1)"
acts_on = "own"
"""
CLASSES = ("general_budget", "fund_budget", "special_bond", "grant", "loan", "other")
MIXES = (
    (1,), (0.4, 0.6), (0.25, 0.75), ("1/3", "1/3", "1/3"), (0.1, 0.2, 0.7), (0.5, 0.2, 0.2, 0.1),
)  # fmt: skip
AMOUNTS = ((0, 1, 7, 400), (0, 999, 20_000, 150_000), (500_000, 2_000_000))
"""Of poor, short and rich plans."""


TOTALS = ((1, 13, 1_000), (1_000, 123_457, 1_000_003))
"""Those of one plan lie within what a plan may hold without looking like a slip of units."""


@dataclass(frozen=True)
class MoneyWorld:
    """A plan with accounts, and what is decided on it."""

    projects: list[Row]
    accounts: list[Row]
    releases: list[Row]
    settings: str
    changes: tuple[str, ...]

    def written(self) -> Path:
        """Write it into a folder of its own."""
        folder = Path(tempfile.mkdtemp(prefix="money-"))
        tables = {"accounts": self.accounts, "types": list(KINDS)}
        if self.releases:
            tables["releases"] = self.releases
        settings = 'amount_unit = "元"\nhorizon = 2023-03-31\n' + self.settings
        return write_world(folder, self.projects, settings, OWNERS, **tables)

    def live(self, replication: int = 0, *more: str) -> Lived:
        """Simulate one replication, with further changes."""
        return live(self.written(), replication, changes=[*self.changes, *more])


def _day(offset: int) -> str:
    return str(STATUS + datetime.timedelta(days=offset + 1))


@st.composite
def _accounts(draw: st.DrawFn, amounts: st.SearchStrategy[int]) -> list[Row]:
    rows: list[Row] = []
    classes = draw(st.sets(st.sampled_from(CLASSES), min_size=2, max_size=5))
    for name in sorted(classes):
        for county in ["city", *(["north"] if draw(st.booleans()) else [])]:
            rows.append(
                {
                    "id": f"{name[:5]}-{county}",
                    "name": name,
                    "class": name,
                    "county": county,
                    "opening": draw(amounts),
                    "rule": draw(st.sampled_from(["tier", "pro_rata", "fifo"])),
                    "year_end": draw(st.sampled_from(["carry", "lapse"])),
                    "equity": draw(st.sampled_from(["", "", "yes", "no"])),
                }
            )
    if draw(st.booleans()):
        rows.append(
            {
                "id": "owners", "name": "own", "class": "own", "county": "city",
                "opening": draw(st.sampled_from((0, 0, 20_000))), "rule": "tier",
                "year_end": "carry", "equity": draw(st.sampled_from(["", "yes", "no"])),
            }
        )  # fmt: skip
    return draw(st.permutations(rows))


@st.composite
def _funding(draw: st.DrawFn, accounts: list[Row]) -> str:
    known = list(dict.fromkeys(str(row[key]) for key in ("class", "id") for row in accounts))
    keys = st.sampled_from([*known, *([] if "own" in known else ["own"])])
    shares = draw(st.sampled_from([mix for mix in MIXES if len(mix) <= len(known)]))
    names = draw(st.lists(keys, min_size=len(shares), max_size=len(shares), unique=True))
    return ";".join(f"{name}:{share}" for name, share in zip(names, shares, strict=True))


@st.composite
def money_worlds(draw: st.DrawFn) -> MoneyWorld:
    """Draw a plan in which accounts, claims, ties and decisions meet."""
    amounts = st.sampled_from(draw(st.sampled_from(AMOUNTS)))
    accounts = draw(_accounts(amounts))
    totals = st.sampled_from(draw(st.sampled_from(TOTALS)))
    rows: list[Row] = []
    for k in range(draw(st.integers(1, 7))):
        start = draw(st.sampled_from([-300, -40, 0, 10, 10, 10, 59, 100, 250, 356, 400]))
        finish = max(start + draw(st.sampled_from([1, 40, 300, 420])) - 1, 20)
        total = draw(totals)
        done = draw(st.integers(0, total)) if start < 0 else 0
        least = total // 2 if draw(st.booleans()) else 0
        late = draw(st.sampled_from([0, 0, 1, 5_000])) if start < 0 else 0
        rows.append(
            project(
                f"P{k}",
                _day(start),
                _day(finish),
                total,
                0 if start > 364 else draw(st.integers(min(least, total - done), total - done)),
                done_before_year=done,
                arrears=late,
                gates="none",
                stage="continuing" if start < 0 else "pre_work" if start > 364 else "new",
                type=draw(st.sampled_from([str(kind["type"]) for kind in KINDS])),
                county=draw(st.sampled_from(["city", "north", "south"])),
                investor=draw(st.sampled_from(["government", "government", "enterprise"])),
                tier=draw(st.sampled_from(["province", "city", "county", ""])),
                funding=draw(st.one_of(st.just(""), *[_funding(accounts)] * 3)),
                predecessors=draw(st.sampled_from(["", f"P{k - 1}"])) if k else "",
                rank=draw(st.integers(0, 9)) * 10 + k,
            )
        )
    releases: list[Row] = []
    for k in range(draw(st.integers(0, 12))):
        available = draw(st.integers(0, 760))
        releases.append(
            {
                "account": draw(st.sampled_from([str(row["id"]) for row in accounts])),
                "batch": f"B{k}", "available": _day(available),
                "issued": draw(st.sampled_from(["", _day(available - 20)])),
                "amount": draw(amounts),
                "project": draw(st.sampled_from(["", *(str(row["id"]) for row in rows)])),
            }
        )  # fmt: skip
    settings = draw(st.sampled_from(["", 'december_cut_off = "12-25"']))
    wait = draw(st.sampled_from([0, 20, 90]))
    settings += f"\nadjustment_days = {wait}\nadjustment_days_above = {3 * wait}"
    changes = [
        draw(st.sampled_from([(), ("levers.start_rule=block",)])),
        draw(st.sampled_from([(), ("levers.acceleration=off",)])),
        draw(st.sampled_from([(), (), ("levers.payment_rule=fifo",)])),
        draw(st.sampled_from([(), (), ("levers.december_cut_off=12-20",)])),
        draw(st.sampled_from([(), ("levers.bond_reallocation_days=30",)])),
    ]
    return MoneyWorld(rows, accounts, releases, settings, tuple(sum(changes, ())))
