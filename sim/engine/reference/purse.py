"""Money that remembers the release it came with: spent in the order in which it came."""

from __future__ import annotations

from collections import deque

OPENING = -1
"""Stands where the number of a release is expected, for an opening balance."""

Part = tuple[int, int]
"""A release and yuan of it."""


class Purse:
    """Parts of money in order of arrival.

    Parameters
    ----------
    remembers : bool
        Whether the parts matter: they do where bond releases carry a clock. Elsewhere only the
        total is kept.

    Attributes
    ----------
    total : int
        Yuan in it.
    """

    def __init__(self, remembers: bool) -> None:
        self.total = 0
        self._remembers = remembers
        self._parts: deque[Part] = deque()

    def add(self, release: int, amount: int) -> None:
        """Put money in."""
        self.total += amount
        if self._remembers and amount:
            self._parts.append((release, amount))

    def take(self, amount: int) -> list[Part]:
        """Take the oldest money out; the purse must hold it. Returns the parts it remembers."""
        assert 0 <= amount <= self.total, "no purse goes below zero"
        self.total -= amount
        taken: list[Part] = []
        while amount and self._remembers:
            release, held = self._parts.popleft()
            part = min(held, amount)
            taken.append((release, part))
            amount -= part
            if held > part:
                self._parts.appendleft((release, held - part))
        return taken

    def move_to(self, other: Purse, amount: int) -> None:
        """Move the oldest money into another purse of the same account."""
        for release, part in self.take(amount):
            other.add(release, part)
            amount -= part
        other.add(OPENING, amount)

    def withdraw(self, release: int) -> int:
        """Take out all that is left of one release."""
        amount = sum(held for one, held in self._parts if one == release)
        self._parts = deque(part for part in self._parts if part[0] != release)
        self.total -= amount
        return amount
