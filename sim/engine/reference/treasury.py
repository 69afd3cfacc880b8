"""The treasury: accounts receive, set first instalments aside, and close their year."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

import numpy as np
import simpy

from sim.engine.reference.clock import Clock, Story
from sim.engine.reference.lines import Lines
from sim.engine.reference.purse import OPENING, Part, Purse
from sim.engine.rules import Happening, Phase
from sim.sampling.realization import Frame, Realization


class Treasury:
    """The money of all accounts: their pools, what is earmarked, what is set aside.

    Attributes
    ----------
    pool : list of Purse
        Free money of each account.
    earmarked : dict of (account, project) to Purse
        Money of an account that only one project may draw on.
    put_aside : dict of int to Purse
        Money set aside for funding lines.
    reserved : set of int
        Lines that something is or was earmarked or set aside for.
    balance, set_aside, released, spent, lapsed, unmet : list of int
        Yuan by account: free and earmarked; set aside; received, paid, lapsed so far; asked for
        and not paid at the last run.
    """

    def __init__(self, clock: Clock, frame: Frame, drawn: Realization, lines: Lines) -> None:
        self._clock, self._frame, self._drawn, self._lines = clock, frame, drawn, lines
        accounts = frame.accounts
        size, months = len(accounts.rule), len(frame.month_ends)
        bond: list[bool] = accounts.bond.tolist()
        self._bond = bond
        self.pool = [Purse(remembers) for remembers in bond]
        self.earmarked: dict[tuple[int, int], Purse] = {}
        self.put_aside: dict[int, Purse] = {}
        self.reserved: set[int] = set()
        self._of_pool: dict[int, int] = {}
        """Yuan set aside for a line that came from the pool."""
        for account, amount in enumerate(accounts.opening.tolist()):
            self.pool[account].add(OPENING, amount)
        self.balance: list[int] = accounts.opening.tolist()
        self.set_aside = [0] * size
        self.released, self.spent, self.lapsed = [0] * size, [0] * size, [0] * size
        self.unmet = [0] * size
        self._release_spent = [0] * len(drawn.release_amount)
        self._received = [clock.signal() for _ in range(size)]
        self._waiting: set[int] = set()
        self.tables = {
            name: np.zeros((size, months), dtype=np.int64)
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
            yield self._clock.turn(day, Phase.RECEIVE, self._clock.first)
            for release in by_day[day]:
                self._take_in(release, int(self._drawn.release_amount[release]))

    def _take_in(self, release: int, amount: int) -> None:
        account = int(self._frame.accounts.release_account[release])
        project = int(self._frame.accounts.release_project[release])
        purse = self.pool[account] if project < 0 else self._marked(account, project)
        purse.add(release, amount)
        self.released[account] += amount
        self.balance[account] += amount
        self._clock.note(Phase.RECEIVE, project, Happening.RECEIVED, amount, account)
        self._announce(account)

    def _marked(self, account: int, project: int) -> Purse:
        """Return the purse of what an account holds for a project alone."""
        key = (account, project)
        if key not in self.earmarked:
            self.earmarked[key] = Purse(self._bond[account])
            mine = self._lines.of_project[project]
            self.reserved.update(line for line in mine if self._lines.account[line] == account)
        return self.earmarked[key]

    def _announce(self, account: int) -> None:
        """Tell those who wait for money that an account has received some."""
        signal, self._received[account] = self._received[account], self._clock.signal()
        signal.succeed()

    def count_spent(self, parts: list[Part]) -> None:
        """Count what is spent of the releases that carry a clock."""
        for release, amount in parts:
            if release != OPENING:
                self._release_spent[release] += amount

    def clock_checks(self) -> Iterator[Story]:
        """Yield a story for each check of a bond release's clock."""
        accounts = self._frame.accounts
        for check, release in enumerate(accounts.check_release.tolist()):
            day = int(self._drawn.release_day[release]) + int(accounts.check_after[check])
            # What is not there yet cannot lie idle.
            day = max(day, int(self._drawn.release_day[release]))
            if day < self._frame.days:
                yield self._check(check, release, day)

    def _check(self, check: int, release: int, day: int) -> Story:
        """See how much of a release is spent; what is idle at 6 months may be withdrawn."""
        yield self._clock.turn(day, Phase.CLOSE, check)
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
        moved = self._marked(account, project).withdraw(release)
        if moved == 0:
            return
        self._clock.note(Phase.CLOSE, project, Happening.WITHDRAWN, moved, account)
        if day + max(wait, 1) < self._frame.days:
            # After the releases of the day, in order of the checks.
            yield self._clock.turn(day + max(wait, 1), Phase.RECEIVE, check)
            self.pool[account].add(release, moved)
            self._clock.note(Phase.RECEIVE, -1, Happening.RECEIVED, moved, account)
            self._announce(account)

    # Starting ----------------------------------------------------------------------------------

    def set_aside_first_instalment(self, project: int) -> bool:
        """Set the equity part of the advance aside; False where an account cannot pay it."""
        lines = self._lines
        mine = lines.of_project[project]
        advance = int(self._drawn.advance[project])
        parts = dict(zip(mine, lines.split(project, 0, advance, [0] * len(mine)), strict=True))
        needed = {line: parts[line] for line in lines.shared_equity(project) if parts[line]}
        if any(
            self._is_reserved(lines.account[line], project)
            or amount > self._available(lines.account[line], project)
            for line, amount in needed.items()
        ):
            self._waiting.add(project)
            return False
        for line, amount in needed.items():
            self._put(line, project, amount)
        if project in self._waiting:
            self._waiting.discard(project)
            self._let_others_try(project)
        return True

    def _accounts_of(self, project: int) -> list[int]:
        """Return the shared equity accounts of a project."""
        return sorted({self._lines.account[line] for line in self._lines.shared_equity(project)})

    def _is_reserved(self, account: int, project: int) -> bool:
        """Tell whether a project of higher rank waits at an account and blocks it."""
        return self._frame.policy.starts_block and any(
            account in self._accounts_of(other) for other in self._waiting if other < project
        )

    def _let_others_try(self, project: int) -> None:
        """Wake those whom a project blocked, now that it waits no more."""
        if self._frame.policy.starts_block:
            for account in self._accounts_of(project):
                self._announce(account)

    def _available(self, account: int, project: int) -> int:
        return self.pool[account].total + self._marked(account, project).total

    def _put(self, line: int, project: int, amount: int) -> None:
        account = self._lines.account[line]
        marked, purse = self._marked(account, project), Purse(self._bond[account])
        first = min(amount, marked.total)
        marked.move_to(purse, first)
        self.pool[account].move_to(purse, amount - first)
        self.put_aside[line] = purse
        self._of_pool[line] = amount - first
        self.reserved.add(line)
        self.balance[account] -= amount
        self.set_aside[account] += amount
        self._clock.note(Phase.STARTS, project, Happening.SET_ASIDE, amount, account)

    def receipt(self, project: int) -> simpy.Event:
        """Return the event that one of the project's equity accounts receives money."""
        return self._clock.any_of([self._received[a] for a in self._accounts_of(project)])

    def give_back(self, project: int) -> None:
        """Return what a project that is given up had set aside to where it came from."""
        self._waiting.discard(project)
        for line in self._lines.of_project[project]:
            if line in self.put_aside:
                account, purse = self._lines.account[line], self.put_aside[line]
                amount = purse.total
                # Earmarked money went in first and is spent first.
                purse.move_to(self._marked(account, project), max(amount - self._of_pool[line], 0))
                purse.move_to(self.pool[account], purse.total)
                self.balance[account] += amount
                self.set_aside[account] -= amount
                if amount:
                    self._clock.tell(self._announce_tomorrow(account))

    def _announce_tomorrow(self, account: int) -> Story:
        """Tell those who wait of money that came back after today's starts."""
        if self._clock.now + 1 < self._frame.days:
            yield self._clock.turn(self._clock.now + 1, Phase.RECEIVE, self._clock.last)
            self._announce(account)

    # Closing -----------------------------------------------------------------------------------

    def close_year(self) -> None:
        """Let the free balance of lapsing accounts lapse; bond money never does."""
        accounts = self._frame.accounts
        for account in np.flatnonzero(accounts.lapses & ~accounts.bond).tolist():
            amount = self.pool[account].total
            self.pool[account].take(amount)
            self.balance[account] -= amount
            self.lapsed[account] += amount
            if amount:
                self._clock.note(Phase.CLOSE, -1, Happening.LAPSED, amount, account)

    def record(self, month: int) -> None:
        """Write the state of all accounts at a month-end."""
        lists = (self.released, self.spent, self.set_aside, self.lapsed, self.balance, self.unmet)
        for table, values in zip(self.tables.values(), lists, strict=True):
            table[:, month] = values
