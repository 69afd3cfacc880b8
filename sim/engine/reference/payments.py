"""Payment runs: what falls due is split over funding lines and paid, equity before debt."""

from __future__ import annotations

from collections.abc import Sequence

from sim.engine.reference.clock import Clock
from sim.engine.reference.lines import Lines
from sim.engine.reference.sharing import Request, share_pool
from sim.engine.reference.treasury import Treasury
from sim.engine.rules import NEVER, PPM, Happening, Phase
from sim.sampling.realization import AccountRule, Frame, Realization

_YEAR = 12
_UNLIMITED = -1
"""Stands where the number of an account is expected, when money is unlimited."""


class Payments:
    """What is due, paid and owed.

    Attributes
    ----------
    paid, arrears : list of int
        Yuan by project: paid since the status date; due and unpaid.
    """

    def __init__(
        self, clock: Clock, frame: Frame, drawn: Realization, lines: Lines, treasury: Treasury
    ) -> None:
        self._clock, self._lines, self._treasury = clock, lines, treasury
        accounts = frame.accounts
        self._limited = frame.policy.money_limited
        self._rule: list[int] = accounts.rule.tolist()
        self._debt: list[bool] = accounts.debt.tolist()
        self._own: list[bool] = accounts.own.tolist()
        self._tier: list[int] = accounts.tier.tolist()
        self._equity_share: list[int] = accounts.equity_share.tolist()
        self._own_share: list[int] = drawn.own_share.tolist()
        count, size = len(frame.done), len(lines.account)
        self._due_so_far, self.paid, self.arrears = [0] * count, [0] * count, [0] * count
        self._equity_paid, self._debt_paid = [0] * count, [0] * count
        self._line_due, self._line_paid = [0] * size, [0] * size
        self._due_by_run: list[list[int]] = [[] for _ in range(size)]
        """By line: cumulative yuan due at each run, kept as far as the line has come."""

    def fall_due(self, project: int, amount: int, run: int) -> None:
        """Split what falls due over the project's lines."""
        before = self._due_so_far[project]
        self._due_so_far[project] = before + amount
        if not self._limited:
            return
        mine = self._lines.of_project[project]
        earlier = self._line_due[mine.start : mine.stop]
        parts = self._lines.split(project, before, amount, earlier)
        for line, due, part in zip(mine, earlier, parts, strict=True):
            history = self._due_by_run[line]
            history.extend([due] * (run - len(history)))
            history.append(due + part)
            self._line_due[line] = due + part

    def pay(self, run: int, projects: Sequence[int]) -> None:
        """Pay what is due: equity accounts first, then debt."""
        if not self._limited:
            for project in projects:
                self._pay_out(project, self._due_so_far[project] - self.paid[project], _UNLIMITED)
            return
        for debt in (False, True):
            for account in range(len(self._rule)):
                if self._debt[account] == debt:
                    self._pay_from(account, run)
        for project in projects:
            self.arrears[project] = owed = self._due_so_far[project] - self.paid[project]
            if owed:
                self._clock.note(Phase.PAY, project, Happening.OWED, owed)

    def _pay_from(self, account: int, run: int) -> None:
        """Let an account pay all lines that draw on it."""
        treasury, lines = self._treasury, self._lines
        debt, own = self._debt[account], self._own[account]
        asking, asked = [], []
        spent_before, asked_in_all = treasury.spent[account], 0
        for line in lines.of_account[account]:
            lacking = self._line_due[line] - self._line_paid[line]
            if lacking == 0:
                continue
            project = lines.project[line]
            # A loan that must wait for equity is not asked for; what an owner lacks is unmet.
            amount = min(lacking, self._in_step(project)) if debt else lacking
            asked_in_all += amount
            if own:
                self._pay_own_funds(line, account, project, amount, run)
                continue
            if line in treasury.reserved:
                amount -= self._pay_reserved(line, account, project, amount)
            if amount:
                asking.append(line)
                asked.append(amount)
        pool = treasury.pool[account]
        if sum(asked) > pool.total:
            asked = self._shares(account, asking, asked, pool.total)
        for line, amount in zip(asking, asked, strict=True):
            if amount:
                treasury.count_spent(pool.take(amount))
                treasury.balance[account] -= amount
                self._pay_line(line, account, lines.project[line], amount)
        treasury.unmet[account] = asked_in_all - (treasury.spent[account] - spent_before)

    def _in_step(self, project: int) -> int:
        """Return how much debt may be paid so that it does not run ahead of equity."""
        equity = self._equity_share[project]
        if equity == 0:
            return self._due_so_far[project]
        in_step = self._equity_paid[project] * (PPM - equity) // equity
        return max(in_step - self._debt_paid[project], 0)

    def _pay_own_funds(self, line: int, account: int, project: int, amount: int, run: int) -> None:
        """Pay what the owner has: a share of what is due, and the rest of a year ago."""
        share = self._own_share[project]
        if share < PPM:
            history = self._due_by_run[line]
            year_ago = history[min(run - _YEAR, len(history) - 1)] if run >= _YEAR else 0
            limit = (self._line_due[line] * share + year_ago * (PPM - share)) // PPM
            amount = max(min(amount, limit - self._line_paid[line]), 0)
        if amount:
            self._treasury.released[account] += amount
            self._pay_line(line, account, project, amount)

    def _pay_reserved(self, line: int, account: int, project: int, asked: int) -> int:
        """Pay from what nobody else may draw on: set aside, then earmarked."""
        treasury = self._treasury
        purse, marked = treasury.put_aside.get(line), treasury.earmarked.get((account, project))
        aside = earmarked = 0
        if purse is not None:
            aside = min(asked, purse.total)
            treasury.count_spent(purse.take(aside))
            treasury.set_aside[account] -= aside
        if marked is not None:
            earmarked = min(asked - aside, marked.total)
            treasury.count_spent(marked.take(earmarked))
            treasury.balance[account] -= earmarked
        if aside or earmarked:
            self._pay_line(line, account, project, aside + earmarked)
        return aside + earmarked

    def _shares(
        self, account: int, asking: Sequence[int], asked: Sequence[int], pool: int
    ) -> list[int]:
        """Share a pool that does not go round."""
        rule, lines = self._rule[account], self._lines
        requests = [
            Request(
                amount,
                self._tier[lines.project[line]],
                self._oldest_unpaid(line) if rule == AccountRule.FIFO else 0,
            )
            for line, amount in zip(asking, asked, strict=True)
        ]
        return share_pool(requests, pool, rule)

    def _oldest_unpaid(self, line: int) -> int:
        """Return the run at which the oldest unpaid claim of a line fell due."""
        paid = self._line_paid[line]
        return next((run for run, due in enumerate(self._due_by_run[line]) if due > paid), NEVER)

    def _pay_line(self, line: int, account: int, project: int, amount: int) -> None:
        self._line_paid[line] += amount
        self._treasury.spent[account] += amount
        if self._debt[account]:
            self._debt_paid[project] += amount
        else:
            self._equity_paid[project] += amount
        self._pay_out(project, amount, account)

    def _pay_out(self, project: int, amount: int, account: int) -> None:
        if amount:
            self.paid[project] += amount
            self._clock.note(Phase.PAY, project, Happening.PAID, amount, account)
