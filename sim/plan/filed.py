"""What checks know beside the plan itself: where rows stand, and what files define."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sim.plan.problems import nearest


@dataclass(frozen=True, slots=True)
class Filed:
    """What checks know beside the plan itself.

    Attributes
    ----------
    numbers : mapping of int to int
        Row number of each row object, by its `id`.
    defined : mapping of table to set of str
        Keys that the files define. Rows with an error of their own are left out of the plan, but
        what they define exists; None where the file could not be read as a whole.
    framed : bool
        Whether plan.toml could be read; without it nothing can be said against its dates.
    """

    numbers: Mapping[int, int | None]
    defined: Mapping[str, frozenset[str] | None]
    framed: bool = True

    def row(self, one: object) -> int | None:
        """Return the row number of an object of the plan."""
        return self.numbers.get(id(one))

    def lacks(self, table: str, key: str) -> bool:
        """Tell whether a table certainly does not define a key."""
        known = self.defined[table]
        return known is not None and key not in known

    def nearest(self, table: str, key: str) -> str:
        """Return the defined key that looks most like another."""
        return nearest(key, self.defined[table] or ())
