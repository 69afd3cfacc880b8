"""A naive telling of the rules of money, after the text of docs/model.md and not after the code.

It takes from the engine when projects start and are delivered and what value they have, and tells
from there what is claimed, falls due, is set aside, paid, owed and left over: everything that the
engine's tables say about money, to the yuan.
"""

from __future__ import annotations

import datetime
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from sim.engine.rules import NEVER, PPM, Happening
from tests.worlds import Lived

TIERS = {"province": 0, "city": 1, "county": 2}
DEBT_CLASSES = ("loan", "special_bond")
OPENING = -1
"""Stands for the opening balance where a release is named."""


def ceiling(amount: Fraction) -> int:
    """Round up."""
    return -(-amount.numerator // amount.denominator)


@dataclass
class Purse:
    """Money by the release it came with, in the order in which it became available."""

    batches: list[list[int]] = field(default_factory=list)

    def total(self) -> int:
        """Return what is in it."""
        return sum(amount for _, amount in self.batches)

    def add(self, release: int, amount: int) -> None:
        """Put money in, behind what is there."""
        self.batches.append([release, amount])

    def take(self, amount: int) -> list[list[int]]:
        """Take money out, the oldest first."""
        assert amount <= self.total()
        taken: list[list[int]] = []
        while amount:
            release, there = self.batches[0]
            part = min(there, amount)
            taken.append([release, part])
            amount -= part
            self.batches[0][1] -= part
            if self.batches[0][1] == 0:
                self.batches.pop(0)
        return taken

    def withdraw(self, release: int) -> int:
        """Take out all that came with one release."""
        gone = sum(amount for r, amount in self.batches if r == release)
        self.batches = [[r, amount] for r, amount in self.batches if r != release]
        return gone


@dataclass
class Line:
    """A funding line of a project: its part of what is due, and what was paid on it."""

    project: int
    account: int
    share: Fraction
    due: list[int] = field(default_factory=list)
    paid: int = 0


class Ledger:
    """The books of one replication."""

    def __init__(self, lived: Lived) -> None:
        self.lived = lived
        self.plan = lived.portfolio.plan
        bonds = sorted(one.id for one in self.plan.accounts if one.class_ == "special_bond")
        others = [one.id for one in self.plan.accounts if one.class_ != "special_bond"]
        self.accounts = self.plan.accounts
        if not any(one.class_ == "own" for one in self.accounts):
            others.append("own")
        self.names = [*bonds, *sorted(others)]
        filed = {one.id: one for one in self.accounts}
        receives = {one.account for one in self.plan.releases}
        self.debt, self.is_path, self.rule, self.lapses, opening = [], [], [], [], []
        for name in self.names:
            one = filed.get(name)
            self.debt.append(
                one is not None
                and (one.equity == "no" or (one.equity == "" and one.class_ in DEBT_CLASSES))
            )
            bare = one is None or (one.class_ == "own" and not one.opening)
            self.is_path.append(bare and name not in receives)
            self.rule.append(self.plan.levers.payment_rule or (one.rule if one else "pro_rata"))
            self.lapses.append(
                one is not None and one.year_end == "lapse" and one.class_ != "special_bond"
            )
            opening.append(one.opening if one else 0)
        self.lines = [self.lines_of(i) for i in range(lived.portfolio.size)]
        self.pool = [Purse([[OPENING, amount]] if amount else []) for amount in opening]
        self.opening = opening
        self.earmarked: dict[tuple[int, int], Purse] = defaultdict(Purse)
        self.aside: dict[tuple[int, int, int], Purse] = defaultdict(Purse)
        self.in_transit = [0] * len(self.names)
        self.released, self.spent = [0] * len(self.names), [0] * len(self.names)
        self.lapsed, self.unmet = [0] * len(self.names), [0] * len(self.names)
        self.spent_of: dict[int, int] = defaultdict(int)
        self.runs = [self.pay_day(day) for day in lived.portfolio.month_ends.tolist()]
        self.claims = [self.claims_of(i) for i in range(lived.portfolio.size)]

    # What is filed ------------------------------------------------------------------------------

    def pay_day(self, month_end: int) -> int:
        """Rule 19: the last day of the month, in December the cut-off day."""
        date = self.lived.date(month_end)
        cut_off = self.plan.levers.december_cut_off or self.plan.december_cut_off
        if date.month != 12:
            return month_end
        return month_end - (date - datetime.date(date.year, *cut_off)).days

    def run_after(self, day: int) -> int:
        """Return the first payment run on or after a day; the number of runs if there is none."""
        return next((r for r, run in enumerate(self.runs) if run >= day), len(self.runs))

    def account_of(self, key: str, county: str) -> int:
        """Rule 18: an account, or that of a class in the county, else in the city."""
        if key in self.names:
            return self.names.index(key)
        for place in (county, "city", ""):
            for one in self.accounts:
                if (one.class_, one.county) == (key, place):
                    return self.names.index(one.id)
        raise AssertionError(f"no account for {key}")

    def lines_of(self, i: int) -> list[Line]:
        """Rule 19: equity first, then debt, each as filed; cumulative shares in ppm."""
        one = self.plan.projects[i]
        funding = one.funding or (("own", Fraction(1)),)
        shares: dict[int, Fraction] = defaultdict(Fraction)
        for key, share in funding:
            shares[self.account_of(key, one.county)] += share
        equity = [account for account in shares if not self.debt[account]]
        debt = [account for account in shares if self.debt[account]]
        lines, so_far = [], Fraction(0)
        for account in equity + debt:
            so_far += shares[account]
            lines.append(Line(i, account, Fraction(round(so_far * PPM), PPM)))
        return lines

    def equity_share(self, i: int) -> Fraction:
        """Share of the equity lines in the mix of a project."""
        return max(
            (line.share for line in self.lines[i] if not self.debt[line.account]),
            default=Fraction(0),
        )

    def split(self, i: int, due: int) -> list[int]:
        """Rule 19: the parts of what is due, never less than what the lines had before."""
        parts: list[int] = []
        for line in self.lines[i]:
            before = line.due[-1] if line.due else 0
            parts.append(max(before, ceiling(due * line.share) - sum(parts)))
        return parts

    # Claims -------------------------------------------------------------------------------------

    def premiums_of(self, i: int) -> list[int]:
        """Rule 12: what acceleration has cost by each month-end."""
        life, portfolio = self.lived.trajectory, self.lived.portfolio
        price = Fraction(str(self.plan.acceleration_premium))
        paces = {e.day: e.number for e in self.lived.events
                 if e.happening == Happening.RATE_SET and e.project == i}  # fmt: skip
        rate, total, before, premiums = PPM, 0, int(portfolio.done[i]), []
        for m, day in enumerate(portfolio.month_ends.tolist()):
            gain = int(life.value[i, m]) - before
            before += gain
            total += int(gain * max(rate - PPM, 0) // rate * price) if gain else 0
            premiums.append(total)
            rate = paces.get(day, rate)
            if life.finish[i] <= day:
                rate = PPM  # no work goes on
        return premiums

    def claimable_of(self, i: int) -> list[int]:
        """Rule 14: value up to the estimate, until the estimate is adjusted."""
        life, portfolio = self.lived.trajectory, self.lived.portfolio
        approved, total = self.plan.projects[i].total, int(self.lived.drawn.total[i])
        on = self.plan.states["all"] != "off"
        large = 10 * total > 11 * approved
        wait = self.plan.adjustment_days_above if large else self.plan.adjustment_days
        decided, values = None, []
        for m, day in enumerate(portfolio.month_ends.tolist()):
            value = int(life.value[i, m])
            if value > approved and decided is None:
                decided = day + (wait if on else 0)
            adjusted = decided is not None and day >= decided
            values.append(value if adjusted else min(value, approved))
        return values

    def claims_of(self, i: int) -> list[tuple[int, int, int]]:
        """Rules 15 to 17: month-end, yuan and payment run of every claim; month -1 for the past."""
        life, portfolio, drawn = self.lived.trajectory, self.lived.portfolio, self.lived.drawn
        kind = portfolio.type_of(i)
        ratio, kept = Fraction(str(kind.pay_ratio)), Fraction(str(kind.retention))
        low, high = (Fraction(str(point)) for point in kind.advance_recovery)
        opening = portfolio.opening_claims[i].tolist()
        claims = [(-1, amount, run) for run, amount in enumerate(opening)]
        entitled = int(ratio * int(portfolio.done[i]))
        advance = last_run = None
        held = 0
        claimable, premiums = self.claimable_of(i), self.premiums_of(i)
        for m, day in enumerate(portfolio.month_ends.tolist()):
            if advance is None and 0 <= life.start[i] <= day:
                advance = int(drawn.advance[i])
                claims.append((m, advance, self.run_after(day)))
                entitled += advance
            value = claimable[m] + premiums[m]
            share = Fraction(int(life.value[i, m]) * PPM // max(int(drawn.total[i]), 1), PPM)
            recovered = (share - low) / (high - low) if high > low else Fraction(share >= low)
            left = int((1 - min(max(recovered, Fraction(0)), Fraction(1))) * (advance or 0))
            right = left + min(int(ratio * value), int((1 - kept) * value))
            run = self.run_after(day + kind.pay_lag_days)
            if life.delivered[i] < day:
                right = int((1 - kept) * value)
                last_run = last_run or self.run_after(day + kind.retention_days)
            if right > entitled:
                claims.append((m, right - entitled, run))
                entitled = right
            if last_run is not None and value > entitled + held:
                claims.append((m, value - entitled - held, max(run, last_run)))
                held = value - entitled
        return [claim for claim in claims if claim[1]]

    # The days -----------------------------------------------------------------------------------

    def tell(self) -> Ledger:
        """Go through the days and leave the month-ends' tables behind."""
        lived, portfolio = self.lived, self.lived.portfolio
        ends, count = portfolio.month_ends.tolist(), portfolio.size
        self.table: dict[str, list[list[int]]] = {
            name: [] for name in ("released", "spent", "set_aside", "lapsed", "balance", "unmet",
                                  "paid", "arrears", "claimed", "due")
        }  # fmt: skip
        self.checked: dict[tuple[int, int], int] = {}
        self.due_of = [0] * count
        self.paid_of, self.debt_paid = [0] * count, [0] * count
        self.waiting = self.ready_days()
        receipts, checks = self.receipts(), self.checks()
        for day in range(portfolio.days):
            for r in receipts.pop(day, []):
                self.receive(*r)
            self.start_projects(day)
            if day in self.runs:
                self.pay(self.runs.index(day))
            for release in checks.get(day, []):
                self.checked[release, day] = self.spent_of[release]
                self.withdraw(release, day, receipts)
            if day in ends:
                if (lived.date(day).month, lived.date(day).day) == (12, 31):
                    self.close_year()
                self.record(ends.index(day))
        return self

    def ready_days(self) -> dict[int, int]:
        """Day from which each project that money holds up was ready in all else, rule 7."""
        life = self.lived.trajectory
        first: dict[int, int] = {}
        for event in self.lived.events:
            if event.happening == Happening.WAITS_FOR_MONEY:
                first.setdefault(event.project, event.day)
        for i, one in enumerate(self.plan.projects):
            if one.investor == "government" and 0 <= life.start[i] != NEVER:
                first.setdefault(i, int(life.start[i]))
        return first

    def receipts(self) -> dict[int, list[tuple[int, int, int, int]]]:
        """Rule 18: what comes in by day: account, project or -1, release, yuan."""
        drawn, found = self.lived.drawn, defaultdict(list)
        names = [one.id for one in self.plan.projects]
        for r, one in enumerate(self.plan.releases):
            project = names.index(one.project) if one.project else -1
            place = (self.names.index(one.account), project, r, int(drawn.release_amount[r]))
            found[int(drawn.release_day[r])].append(place)
        return found

    def receive(self, account: int, project: int, release: int, amount: int) -> None:
        """Take money in: new, or withdrawn from another project."""
        if release in self.spent_of:
            self.in_transit[account] -= amount
        else:
            self.released[account] += amount
            self.spent_of[release] = 0
        purse = self.pool[account] if project < 0 else self.earmarked[account, project]
        purse.add(release, amount)

    def needs_of(self, i: int) -> dict[int, list[tuple[int, int]]]:
        """Rule 6: number and yuan of the equity lines of the advance, by shared account."""
        needs: dict[int, list[tuple[int, int]]] = defaultdict(list)
        parts: list[int] = []
        for n, line in enumerate(self.lines[i]):
            parts.append(ceiling(int(self.lived.drawn.advance[i]) * line.share) - sum(parts))
            if not self.debt[line.account] and not self.is_path[line.account]:
                needs[line.account].append((n, parts[-1]))
        return needs

    def start_projects(self, day: int) -> None:
        """Rules 5 to 7: those start that can pay, and no others, in order of rank."""
        held: set[int] = set()
        for i in sorted(self.waiting):
            if self.waiting[i] > day or i in self.started(day):
                continue
            needs = self.needs_of(i)
            can = all(
                self.earmarked[a, i].total() + self.pool[a].total() >= sum(x for _, x in lines)
                and not (a in held and any(x for _, x in lines))
                for a, lines in needs.items()
            )
            starts = self.lived.trajectory.start[i] == day
            assert starts == can, f"{self.plan.projects[i].id}, day {day}: starts {starts}"
            if starts:
                for a, lines in needs.items():
                    for n, amount in lines:
                        self.set_aside(a, i, n, amount)
            elif self.plan.levers.start_rule == "block":
                held |= set(needs)

    def started(self, day: int) -> set[int]:
        """Projects that started before a day."""
        return {i for i in self.waiting if self.lived.trajectory.start[i] < day}

    def set_aside(self, account: int, i: int, line: int, amount: int) -> None:
        """Rule 6: from earmarked money first."""
        mine = self.earmarked[account, i]
        first = min(amount, mine.total())
        for release, part in mine.take(first) + self.pool[account].take(amount - first):
            self.aside[account, i, line].add(release, part)

    def pay(self, run: int) -> None:
        """Rules 19 to 23: one payment run."""
        for i, lines in enumerate(self.lines):
            self.due_of[i] = sum(amount for _, amount, at in self.claims[i] if at <= run)
            for line, part in zip(lines, self.split(i, self.due_of[i]), strict=True):
                line.due.append(part)
        self.unmet = [0] * len(self.names)
        for debt in (False, True):
            for account in range(len(self.names)):
                if self.debt[account] == debt:
                    self.pay_from(account, run)

    def pay_from(self, account: int, run: int) -> None:
        """Rule 20: set-aside, then earmarked money, then the pool by the account's rule."""
        asked: list[tuple[Line, int]] = []
        for i, lines in enumerate(self.lines):
            room = self.loan_room(i)
            for n, line in enumerate(lines):
                if line.account != account:
                    continue
                want = line.due[run] - line.paid
                if self.debt[account] and room is not None:
                    want = min(want, room)  # rule 22: what waits for equity is not asked for
                self.unmet[account] += want
                if self.is_path[account]:
                    want = min(want, self.own_limit(line, run) - line.paid)
                if self.is_path[account]:
                    self.released[account] += want
                    self.unmet[account] -= want
                    self.hand_over(line, account, [[OPENING, want]])
                    continue
                for purse in (self.aside[account, i, n], self.earmarked[account, i]):
                    part = min(want, purse.total())
                    self.hand_over(line, account, purse.take(part))
                    want -= part
                    self.unmet[account] -= part
                asked.append((line, want))
        given = self.share(account, run, asked)
        for (line, _), amount in zip(asked, given, strict=True):
            self.unmet[account] -= amount
            self.hand_over(line, account, self.pool[account].take(amount))

    def hand_over(self, line: Line, account: int, batches: list[list[int]]) -> None:
        """Pay a line."""
        for release, amount in batches:
            line.paid += amount
            self.paid_of[line.project] += amount
            self.spent[account] += amount
            self.spent_of[release] += amount
            if self.debt[account]:
                self.debt_paid[line.project] += amount

    def own_limit(self, line: Line, run: int) -> int:
        """Rule 23: what an owner can pay in all on the own-funds line."""
        share = Fraction(int(self.lived.drawn.own_share[line.project]), PPM)
        earlier = line.due[run - 12] if run >= 12 else 0
        return max(int(share * line.due[run] + (1 - share) * earlier), line.paid)

    def loan_room(self, i: int) -> int | None:
        """Rule 21: what more may be paid from debt; None for without limit."""
        equity = self.equity_share(i)
        if equity == 0:
            return None
        equity_paid = self.paid_of[i] - self.debt_paid[i]
        most = equity_paid * (1 - equity) / equity
        return max(int(most) - self.debt_paid[i], 0)

    def share(self, account: int, run: int, asked: list[tuple[Line, int]]) -> list[int]:
        """Rule 20: split the pool over what is asked for; lines stand in order of rank."""
        rule, there = self.rule[account], self.pool[account].total()
        if rule == "fifo":
            keys = [self.oldest(line) for line, _ in asked]
        elif rule == "tier":
            keys = [TIERS.get(self.plan.projects[line.project].tier, 3) for line, _ in asked]
        else:
            keys = [0 for _ in asked]
        given = [0] * len(asked)
        for key in sorted(set(keys)):
            group = [k for k in range(len(asked)) if keys[k] == key]
            wanted = sum(asked[k][1] for k in group)
            ratio = min(there * PPM // wanted, PPM) if wanted else 0
            if rule == "fifo":
                ratio = 0
            for k in group:
                given[k] = asked[k][1] * ratio // PPM
            rest = there - sum(given[k] for k in group)
            for k in group:
                more = min(rest, asked[k][1] - given[k])
                given[k] += more
                rest -= more
            there = rest
        return given

    @staticmethod
    def oldest(line: Line) -> int:
        """Return the run at which the oldest unpaid claim of a line fell due."""
        return next((run for run, due in enumerate(line.due) if due > line.paid), len(line.due))

    def checks(self) -> dict[int, list[int]]:
        """Rule 24: releases by the days on which their clocks are looked at."""
        arrays, drawn = self.lived.frame.accounts, self.lived.drawn
        found = defaultdict(list)
        for r, after in zip(
            arrays.check_release.tolist(), arrays.check_after.tolist(), strict=True
        ):
            found[int(drawn.release_day[r]) + after].append(r)
        return found

    def withdraw(
        self, release: int, day: int, receipts: dict[int, list[tuple[int, int, int, int]]]
    ) -> None:
        """Rule 24: move what lies idle at six months, with the lever."""
        wait, one = self.plan.levers.bond_reallocation_days, self.plan.releases[release]
        issued = one.issued or one.available
        if wait is None or not one.project or self.months_after(issued, 6) != self.lived.date(day):
            return
        account = self.names.index(one.account)
        project = [each.id for each in self.plan.projects].index(one.project)
        amount = self.earmarked[account, project].withdraw(release)
        self.in_transit[account] += amount
        if amount:
            receipts.setdefault(day + wait, []).append((account, -1, release, amount))

    @staticmethod
    def months_after(date: datetime.date, months: int) -> datetime.date:
        """Return the same day of a later month, or that month's last."""
        year, month = divmod(date.year * 12 + date.month - 1 + months, 12)
        for back in range(date.day, 0, -1):
            try:
                return datetime.date(year, month + 1, back)
            except ValueError:
                continue
        raise AssertionError

    def close_year(self) -> None:
        """Rule 25: what lapses is the free balance."""
        for account, gone in enumerate(self.lapses):
            if gone:
                amount = self.pool[account].total()
                self.pool[account].take(amount)
                self.lapsed[account] += amount

    def record(self, month: int) -> None:
        """Write the month-end down."""
        accounts = range(len(self.names))

        def within(purses: Mapping[Any, Purse], account: int) -> int:
            return sum(purse.total() for key, purse in purses.items() if key[0] == account)

        balance = [
            self.pool[a].total() + within(self.earmarked, a) + self.in_transit[a] for a in accounts
        ]
        now = {
            "released": self.released, "spent": self.spent, "lapsed": self.lapsed,
            "unmet": self.unmet, "balance": balance, "paid": self.paid_of, "due": self.due_of,
            "set_aside": [within(self.aside, a) for a in accounts],
            "claimed": [sum(x for at, x, _ in mine if at <= month) for mine in self.claims],
            "arrears": [due - paid for due, paid in zip(self.due_of, self.paid_of, strict=True)],
        }  # fmt: skip
        for name, amounts in now.items():
            self.table[name].append(list(amounts))
