"""The treasury: accounts receive, set aside, pay by rule, and close their year."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

import numpy as np
import simpy

from sim.engine.reference.clock import Clock, Story
from sim.engine.reference.purse import Purse
from sim.engine.reference.sharing import Request, share_pool
from sim.engine.rules import NEVER, PPM, Happening, Phase
from sim.sampling.realization import AccountRule, Frame, Realization

_OPENING = -1
_NO_LIMIT = 2**62


class Treasury:
    """All accounts, the funding lines that draw on them, and what is owed.

    Attributes
    ----------
    paid, arrears : list of int
        Yuan by project: paid since the status date; due and unpaid.
    """

    def __init__(self, clock: Clock, frame: Frame, drawn: Realization) -> None:
        self._clock, self._frame, self._drawn = clock, frame, drawn
        accounts = frame.accounts
        count, lines = len(frame.done), len(accounts.line_account)
        size, months = len(accounts.rule), len(frame.month_ends)
        self._limited = frame.policy.money_limited
        self._rule: list[int] = accounts.rule.tolist()
        self._debt: list[bool] = accounts.debt.tolist()
        self._own: list[bool] = accounts.own.tolist()
        self._tier: list[int] = accounts.tier.tolist()
        first: list[int] = accounts.line_first.tolist()
        self._lines = [range(first[p], first[p + 1]) for p in range(count)]
        self._project_of = [p for p, mine in enumerate(self._lines) for _ in mine]
        self._account: list[int] = accounts.line_account.tolist()
        self._share: list[int] = accounts.line_share.tolist()
        self._equity_share: list[int] = accounts.equity_share.tolist()
        self._own_share: list[int] = drawn.own_share.tolist()
        self._lines_of: list[list[int]] = [[] for _ in range(size)]
        for line, account in enumerate(self._account):
            self._lines_of[account].append(line)

        self._pool = [Purse() for _ in range(size)]
        self._earmarked: dict[tuple[int, int], Purse] = defaultdict(Purse)
        self._put_aside = [Purse() for _ in range(lines)]
        for account, amount in enumerate(accounts.opening.tolist()):
            self._pool[account].add(_OPENING, amount)
        self._balance: list[int] = accounts.opening.tolist()
        self._set_aside = [0] * size
        self._released, self._spent, self._lapsed = [0] * size, [0] * size, [0] * size
        self._unmet = [0] * size
        self._release_spent = [0] * len(drawn.release_amount)
        self._received = [clock.signal() for _ in range(size)]
        self._waiting: set[int] = set()

        self._due_so_far, self.paid, self.arrears = [0] * count, [0] * count, [0] * count
        self._line_due, self._line_paid = [0] * lines, [0] * lines
        self._equity_paid, self._debt_paid = [0] * count, [0] * count
        self._fell_due: list[list[tuple[int, int]]] = [[] for _ in range(lines)]
        """By line: run and cumulative due, kept where the oldest claim or own funds ask for it."""
        shape = (size, months)
        self.tables = {
            name: np.zeros(shape, dtype=np.int64)
            for name in ("released", "spent", "set_aside", "lapsed", "balance", "unmet")
        }
        self.check_spent = np.full(len(accounts.check_release), -1, dtype=np.int64)

    # Receiving ---------------------------------------------------------------------------------

    def receive(self) -> Story:
        """Receive every release on its day, before anything else happens."""
        by_day: dict[int, list[int]] = defaultdict(list)
        for release, day in enumerate(self._drawn.release_day.tolist()):
            by_day[day].append(release)
        for day in sorted(by_day):
            if day >= self._frame.days:
                return
            yield self._clock.turn(day, Phase.RECEIVE)
            for release in by_day[day]:
                self._take_in(release, int(self._drawn.release_amount[release]))

    def _take_in(self, release: int, amount: int) -> None:
        account = int(self._frame.accounts.release_account[release])
        project = int(self._frame.accounts.release_project[release])
        purse = self._pool[account] if project < 0 else self._earmarked[account, project]
        purse.add(release, amount)
        self._released[account] += amount
        self._balance[account] += amount
        self._clock.note(Phase.RECEIVE, project, Happening.RECEIVED, amount, account)
        self._announce(account)

    def _announce(self, account: int) -> None:
        """Tell those who wait for money that an account has received some."""
        signal, self._received[account] = self._received[account], self._clock.signal()
        signal.succeed()

    def clock_checks(self) -> Iterator[Story]:
        """Yield a story for each check of a bond release's clock."""
        accounts = self._frame.accounts
        for check, release in enumerate(accounts.check_release.tolist()):
            day = int(self._drawn.release_day[release]) + int(accounts.check_after[check])
            if self._drawn.release_day[release] < self._frame.days and day < self._frame.days:
                yield self._check(check, release, max(day, 0))

    def _check(self, check: int, release: int, day: int) -> Story:
        """See how much of a release is spent; what is idle at 6 months may be withdrawn."""
        yield self._clock.turn(day, Phase.CLOSE)
        spent, amount = self._release_spent[release], int(self._drawn.release_amount[release])
        self.check_spent[check] = spent
        accounts = self._frame.accounts
        account = int(accounts.release_account[release])
        project = int(accounts.release_project[release])
        if not accounts.check_idle[check]:
            return
        if spent < amount:
            self._clock.note(Phase.CLOSE, project, Happening.IDLE, amount - spent, account)
        wait = self._frame.policy.reallocation_days
        if wait < 0 or project < 0:
            return
        moved = self._earmarked[account, project].withdraw(release)
        if moved == 0:
            return
        self._clock.note(Phase.CLOSE, project, Happening.WITHDRAWN, moved, account)
        if day + max(wait, 1) < self._frame.days:
            yield self._clock.turn(day + max(wait, 1), Phase.RECEIVE)
            self._pool[account].add(release, moved)
            self._clock.note(Phase.RECEIVE, -1, Happening.RECEIVED, moved, account)
            self._announce(account)

    # Starting ----------------------------------------------------------------------------------

    def equity_lines(self, project: int) -> list[int]:
        """Return the lines of shared equity accounts of a project."""
        return [
            line
            for line in self._lines[project]
            if not self._debt[self._account[line]] and not self._own[self._account[line]]
        ]

    def set_aside_first_instalment(self, project: int) -> bool:
        """Set the equity part of the advance aside; False where an account cannot pay it."""
        lines = self.equity_lines(project)
        amounts = dict(zip(self._lines[project], self._split(project, 0, self._advance(project)),
                           strict=True))  # fmt: skip
        if self._is_blocked(project, lines):
            return False
        needed: dict[int, int] = defaultdict(int)
        for line in lines:
            needed[self._account[line]] += amounts[line]
        if any(need > self._available(account, project) for account, need in needed.items()):
            self._waiting.add(project)
            return False
        self._waiting.discard(project)
        for line in lines:
            self._put(line, project, amounts[line])
        return True

    def _advance(self, project: int) -> int:
        return int(self._drawn.advance[project])

    def _is_blocked(self, project: int, lines: Sequence[int]) -> bool:
        """Tell whether somebody of higher rank waits at one of the same accounts."""
        if not self._frame.policy.starts_block:
            return False
        mine = {self._account[line] for line in lines}
        ahead = [other for other in self._waiting if other < project]
        blocked = any(
            self._account[line] in mine for other in ahead for line in self.equity_lines(other)
        )
        if blocked:
            self._waiting.add(project)
        return blocked

    def _available(self, account: int, project: int) -> int:
        return self._pool[account].total + self._earmarked[account, project].total

    def _put(self, line: int, project: int, amount: int) -> None:
        account = self._account[line]
        marked = self._earmarked[account, project]
        first = min(amount, marked.total)
        for release, part in marked.take(first) + self._pool[account].take(amount - first):
            self._put_aside[line].add(release, part)
        self._balance[account] -= amount
        self._set_aside[account] += amount
        if amount:
            self._clock.note(Phase.STARTS, project, Happening.SET_ASIDE, amount, account)

    def receipt(self, project: int) -> simpy.Event:
        """Return the event that one of the project's equity accounts receives money."""
        accounts = {self._account[line] for line in self.equity_lines(project)}
        return self._clock.any_of([self._received[account] for account in sorted(accounts)])

    def give_back(self, project: int) -> None:
        """Return to the pool what a project that is given up had set aside."""
        self._waiting.discard(project)
        for line in self._lines[project]:
            account, purse = self._account[line], self._put_aside[line]
            amount = purse.total
            for release, part in purse.take(amount):
                self._pool[account].add(release, part)
            self._balance[account] += amount
            self._set_aside[account] -= amount

    # Paying ------------------------------------------------------------------------------------

    def fall_due(self, project: int, amount: int, run: int) -> None:
        """Split what falls due over the project's lines."""
        before = self._due_so_far[project]
        self._due_so_far[project] += amount
        if not self._limited:
            return
        parts = self._split(project, before, amount)
        for line, part in zip(self._lines[project], parts, strict=True):
            self._line_due[line] += part
            self._fell_due[line].append((run, self._line_due[line]))

    def _split(self, project: int, before: int, amount: int) -> list[int]:
        """Split an amount over the lines: cumulative shares, rounded up, equity first."""
        lines, parts, left = self._lines[project], [], amount
        reached, cumulative = 0, 0
        for line in lines:
            reached += self._line_due[line] if before else 0
            target = -(-(before + amount) * self._share[line] // PPM)
            part = min(left, max(0, target - reached - cumulative))
            if line == lines[-1]:
                part = left
            parts.append(part)
            cumulative += part
            left -= part
        return parts

    def pay(self, run: int, projects: Sequence[int]) -> None:
        """Pay what is due: equity accounts first, then debt."""
        if not self._limited:
            for project in projects:
                self._pay_out(project, self._due_so_far[project] - self.paid[project], -1)
            return
        for debt in (False, True):
            for account in range(len(self._rule)):
                if self._debt[account] == debt:
                    self._pay_from(account, run)
        for project in projects:
            self.arrears[project] = self._due_so_far[project] - self.paid[project]
            if self.arrears[project]:
                self._clock.note(Phase.PAY, project, Happening.OWED, self.arrears[project])

    def _pay_from(self, account: int, run: int) -> None:
        requests, total = [], 0
        fifo = self._rule[account] == AccountRule.FIFO
        for line in self._lines_of[account]:
            lacking = self._line_due[line] - self._line_paid[line]
            if lacking == 0:
                continue
            project = self._project_of[line]
            allowed = min(lacking, self._allowed(line, project, run))
            # A loan that must wait for equity is not asked for; what an owner lacks is unmet.
            total += allowed if self._debt[account] else lacking
            paid = self._pay_own(line, account, project, allowed)
            total -= paid
            if asked := allowed - paid:
                oldest = self._oldest_unpaid(line) if fifo else 0
                requests.append(Request(project, line, asked, self._tier[project], oldest))
        amounts = share_pool(requests, self._pool[account].total, self._rule[account])
        for request, amount in zip(requests, amounts, strict=True):
            if amount:
                parts = self._pool[account].take(amount)
                self._balance[account] -= amount
                self._pay_line(request.line, account, request.project, parts)
                total -= amount
        self._unmet[account] = total

    def _allowed(self, line: int, project: int, run: int) -> int:
        """Return how much may be paid on a line now: the rules on debt and on own funds."""
        account = self._account[line]
        if self._debt[account]:
            equity = self._equity_share[project]
            if equity == 0:
                return _NO_LIMIT
            in_step = self._equity_paid[project] * (PPM - equity) // equity
            return max(in_step - self._debt_paid[project], 0)
        if self._own[account]:
            share = self._own_share[project]
            if share >= PPM:
                return _NO_LIMIT
            now, year_ago = self._line_due[line], 0
            for fell, reached in self._fell_due[line]:
                if fell > run - 12:
                    break
                year_ago = reached
            limit = (now * share + year_ago * (PPM - share)) // PPM
            return max(limit - self._line_paid[line], 0)
        return _NO_LIMIT

    def _pay_own(self, line: int, account: int, project: int, asked: int) -> int:
        """Pay from what is the project's own: owner's funds, set aside, earmarked."""
        if asked == 0:
            return 0
        if self._own[account]:
            self._released[account] += asked
            self._pay_line(line, account, project, [(_OPENING, asked)])
            return asked
        aside = min(asked, self._put_aside[line].total)
        marked = self._earmarked.get((account, project))
        earmarked = min(asked - aside, marked.total) if marked else 0
        parts = self._put_aside[line].take(aside)
        if marked and earmarked:
            parts += marked.take(earmarked)
        self._set_aside[account] -= aside
        self._balance[account] -= earmarked
        if parts:
            self._pay_line(line, account, project, parts)
        return aside + earmarked

    def _pay_line(
        self, line: int, account: int, project: int, parts: Sequence[tuple[int, int]]
    ) -> None:
        amount = sum(part for _, part in parts)
        for release, part in parts:
            if release >= 0:
                self._release_spent[release] += part
        self._line_paid[line] += amount
        self._spent[account] += amount
        if self._debt[account]:
            self._debt_paid[project] += amount
        else:
            self._equity_paid[project] += amount
        self._pay_out(project, amount, account)

    def _pay_out(self, project: int, amount: int, account: int) -> None:
        if amount:
            self.paid[project] += amount
            self._clock.note(Phase.PAY, project, Happening.PAID, amount, account)

    def _oldest_unpaid(self, line: int) -> int:
        """Return the run at which the oldest unpaid claim of a line fell due."""
        for run, reached in self._fell_due[line]:
            if reached > self._line_paid[line]:
                return run
        return NEVER

    # Closing -----------------------------------------------------------------------------------

    def close_year(self) -> None:
        """Let the free balance of lapsing accounts lapse; bond money never does."""
        accounts = self._frame.accounts
        for account in np.flatnonzero(accounts.lapses & ~accounts.bond).tolist():
            amount = self._pool[account].total
            self._pool[account].take(amount)
            self._balance[account] -= amount
            self._lapsed[account] += amount
            if amount:
                self._clock.note(Phase.CLOSE, -1, Happening.LAPSED, amount, account)

    def record(self, month: int) -> None:
        """Write the state of all accounts at a month-end."""
        lists = (self._released, self._spent, self._set_aside, self._lapsed, self._balance,
                 self._unmet)  # fmt: skip
        for table, values in zip(self.tables.values(), lists, strict=True):
            table[:, month] = values
