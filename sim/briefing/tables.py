"""Tables and lines as a terminal shows them, Chinese characters two columns wide."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.table import Table

_PIECE = re.compile(r"[^，；。、]+[，；。、]*")


def plain_table(title: str) -> Table:
    """Return a table without columns yet, at least as wide as its title."""
    from rich import box
    from rich.cells import cell_len
    from rich.table import Table

    # A title wraps at the width of its table: give the table the width of its title.
    return Table(
        title=title, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD,
        min_width=cell_len(title),
    )  # fmt: skip


def folded(line: str, width: int) -> str:
    """Break a Chinese line where it pauses: a terminal would break inside a number."""
    from rich.cells import cell_len

    lines = [""]
    for piece in _PIECE.findall(line):
        if lines[-1] and cell_len(lines[-1] + piece.rstrip()) > width:
            lines.append("")
        lines[-1] += piece
    return "\n".join(lines)
