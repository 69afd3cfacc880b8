"""Lists of what each day brings, and the little sorting that keeps ranks in order."""

from __future__ import annotations

from sim.engine.compiled.records import NOBODY, Int, Ints, Ints32
from sim.jit import inlined, inner


@inlined
def note(by_day: Ints32, following: Ints32, kind: int, day: int, item: int) -> None:
    """Put an item first in the list of a day."""
    following[kind, item] = by_day[day, kind]
    by_day[day, kind] = item


@inner
def listed(first: int, following: Ints32, kind: int, into: Ints) -> int:
    """Write a list in order of rank; return its length."""
    count = 0
    item = Int(first)
    while item != NOBODY:
        place = count
        while place > 0 and into[place - 1] > item:
            into[place] = into[place - 1]
            place -= 1
        into[place] = item
        count += 1
        item = Int(following[kind, item])
    return count


@inner
def push(heap: Ints, size: int, item: int) -> int:
    """Put an item into a heap of which the smallest comes out first; return the new size."""
    place = size
    while place > 0 and heap[(place - 1) // 2] > item:
        heap[place] = heap[(place - 1) // 2]
        place = (place - 1) // 2
    heap[place] = item
    return size + 1


@inner
def pop(heap: Ints, size: int) -> int:
    """Take the smallest item out of a heap of `size` items."""
    smallest = heap[0]
    item = heap[size - 1]
    place = 0
    while True:
        child = 2 * place + 1
        if child >= size - 1:
            break
        if child + 1 < size - 1 and heap[child + 1] < heap[child]:
            child += 1
        if heap[child] >= item:
            break
        heap[place] = heap[child]
        place = child
    heap[place] = item
    return smallest
