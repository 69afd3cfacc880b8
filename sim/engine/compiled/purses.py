"""Money in purses: parts remember their release where bond clocks run, oldest spent first."""

from __future__ import annotations

from sim.engine.compiled.records import NOBODY, OPENING, Book, Ints, Record, Records
from sim.jit import inlined, inner


@inlined
def empty(purse: Record) -> None:
    """Begin with nothing."""
    purse.total = 0
    purse.head = NOBODY
    purse.tail = NOBODY


@inlined
def add(
    purse: Record, nodes: Records, books: Ints, remembers: bool, release: int, amount: int
) -> None:
    """Put money in, behind what is there."""
    purse.total += amount
    if not remembers or amount == 0:
        return
    fresh = books[Book.FREE_NODE]
    if fresh == NOBODY:
        fresh = books[Book.FRESH_NODE]
        books[Book.FRESH_NODE] += 1
    else:
        books[Book.FREE_NODE] = nodes[fresh].next
    node = nodes[fresh]
    node.release = release
    node.amount = amount
    node.next = NOBODY
    if purse.tail == NOBODY:
        purse.head = fresh
    else:
        nodes[purse.tail].next = fresh
    purse.tail = fresh


@inlined
def _take_part(purse: Record, nodes: Records, books: Ints, most: int) -> tuple[int, int]:
    """Take up to so much of the oldest part; return its release and the yuan taken."""
    first = purse.head
    node = nodes[first]
    release, held = node.release, node.amount
    if held > most:
        node.amount = held - most
        return release, most
    purse.head = node.next
    if purse.head == NOBODY:
        purse.tail = NOBODY
    node.next = books[Book.FREE_NODE]
    books[Book.FREE_NODE] = first
    return release, held


@inlined
def spend(
    purse: Record, nodes: Records, books: Ints, remembers: bool, spent: Ints, amount: int
) -> None:
    """Take money out and count it as spent of the releases that it came with."""
    purse.total -= amount
    if not remembers:
        return
    while amount > 0:
        release, part = _take_part(purse, nodes, books, amount)
        if release != OPENING:
            spent[release] += part
        amount -= part


@inlined
def move(
    purse: Record, other: Record, nodes: Records, books: Ints, remembers: bool, amount: int
) -> None:
    """Move the oldest money into another purse of the same account."""
    purse.total -= amount
    if not remembers:
        other.total += amount
        return
    while amount > 0:
        release, part = _take_part(purse, nodes, books, amount)
        add(other, nodes, books, True, release, part)
        amount -= part


@inner
def withdraw(purse: Record, nodes: Records, books: Ints, release: int) -> int:
    """Take out all that is left of one release; return it."""
    amount = 0
    before = NOBODY
    place = purse.head
    while place != NOBODY:
        node = nodes[place]
        after = node.next
        if node.release == release:
            amount += node.amount
            if before == NOBODY:
                purse.head = after
            else:
                nodes[before].next = after
            if after == NOBODY:
                purse.tail = before
            node.next = books[Book.FREE_NODE]
            books[Book.FREE_NODE] = place
        else:
            before = place
        place = after
    purse.total -= amount
    return amount
