"""Money that remembers the release it came with: spent in the order in which it came."""

from __future__ import annotations

from collections import deque

Part = tuple[int, int]
"""A release (-1 for an opening balance) and yuan of it."""


class Purse:
    """Parts of money in order of arrival.

    Attributes
    ----------
    total : int
        Yuan in it.
    """

    def __init__(self) -> None:
        self.total = 0
        self._parts: deque[Part] = deque()

    def add(self, release: int, amount: int) -> None:
        """Put money in."""
        if amount:
            self._parts.append((release, amount))
            self.total += amount

    def take(self, amount: int) -> list[Part]:
        """Take the oldest money out; the purse must hold it."""
        assert 0 <= amount <= self.total, "no purse goes below zero"
        self.total -= amount
        taken: list[Part] = []
        while amount:
            release, held = self._parts.popleft()
            part = min(held, amount)
            taken.append((release, part))
            amount -= part
            if held > part:
                self._parts.appendleft((release, held - part))
        return taken

    def withdraw(self, release: int) -> int:
        """Take out all that is left of one release."""
        amount = sum(held for one, held in self._parts if one == release)
        self._parts = deque(part for part in self._parts if part[0] != release)
        self.total -= amount
        return amount
