"""What checks know beside the plan itself: where rows stand, and what files define."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from sim.plan.problems import nearest
from sim.plan.rows import Project


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
    complete : frozenset of str
        Tables of which every row could be read.
    lost : mapping of table to set of str
        Columns whose cells are not known because the header misnames some.
    framed : bool
        Whether plan.toml could be read; without it nothing can be said against its dates.
    """

    numbers: Mapping[int, int | None]
    defined: Mapping[str, frozenset[str] | None]
    complete: frozenset[str] = frozenset()
    lost: Mapping[str, frozenset[str]] = field(default_factory=dict)
    framed: bool = True

    def row(self, one: object) -> int | None:
        """Return the row number of an object of the plan."""
        return self.numbers.get(id(one))

    def lacks(self, table: str, key: str) -> bool:
        """Tell whether a table certainly does not define a key."""
        known = self.defined[table]
        return known is not None and key not in known

    def knows(self, table: str, *columns: str) -> bool:
        """Tell whether what the columns of a table say is known of the rows that were read."""
        return self.lost.get(table, frozenset()).isdisjoint(columns)

    def knows_all(self, table: str, *columns: str) -> bool:
        """Tell whether what the columns of a table say is known of every row."""
        return table in self.complete and self.knows(table, *columns)

    def knows_with_type(self, column: str, project: Project, types: Collection[str]) -> bool:
        """Tell whether it is known what a column that types fill in says of a project."""
        typed = not project.type or project.type in types
        return typed and self.knows("projects", column, "type") and self.knows("types", column)

    def nearest(self, table: str, key: str) -> str:
        """Return the defined key that looks most like another."""
        return nearest(key, self.defined[table] or ())
