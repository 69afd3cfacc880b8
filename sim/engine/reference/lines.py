"""Funding lines: which accounts pay a project, in which shares."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from sim.engine.rules import PPM
from sim.sampling.realization import Accounts


class Lines:
    """The funding lines of all projects, equity first.

    Attributes
    ----------
    of_project : list of range
        Lines of each project.
    of_account : list of list of int
        Lines that draw on each account, in order of rank.
    project, account : list of int
        Whom a line pays for, and from where.
    """

    def __init__(self, accounts: Accounts) -> None:
        first: list[int] = accounts.line_first.tolist()
        self.of_project = [range(low, high) for low, high in pairwise(first)]
        self.project = [p for p, mine in enumerate(self.of_project) for _ in mine]
        self.account: list[int] = accounts.line_account.tolist()
        self.of_account: list[list[int]] = [[] for _ in accounts.rule]
        for line, account in enumerate(self.account):
            self.of_account[account].append(line)
        self._share: list[int] = accounts.line_share.tolist()
        shared = (~accounts.debt & ~accounts.own).tolist()
        self._equity = [[line for line in mine if shared[self.account[line]]]
                        for mine in self.of_project]  # fmt: skip

    def shared_equity(self, project: int) -> Sequence[int]:
        """Return a project's lines on equity accounts that others draw on too."""
        return self._equity[project]

    def split(self, project: int, before: int, amount: int, due: Sequence[int]) -> list[int]:
        """Split an amount over a project's lines: cumulative shares, rounded up, equity first.

        Parameters
        ----------
        project : int
            Position.
        before, amount : int
            Yuan split earlier, and now.
        due : sequence of int
            Yuan that each of the project's lines got earlier.

        Returns
        -------
        list of int
            Yuan of each line, none negative, their sum the amount.
        """
        parts: list[int] = []
        reached, cumulative = 0, 0
        mine = self.of_project[project]
        for line, earlier in zip(mine, due, strict=True):
            reached += earlier
            target = -(-(before + amount) * self._share[line] // PPM)
            part = min(amount - cumulative, max(0, target - reached - cumulative))
            if line == mine[-1]:
                part = amount - cumulative
            parts.append(part)
            cumulative += part
        return parts
