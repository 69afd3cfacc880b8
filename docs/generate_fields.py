"""Write the tables of columns in contract.md from the table of names, or check that they agree.

Run ``python docs/generate_fields.py`` after `sim/plan/fields.csv` has changed; with ``--check``
nothing is written, and the exit code is 1 where the document is out of date.
"""

from __future__ import annotations

import argparse
import csv
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

DOCUMENT = Path(__file__).parent / "contract.md"
FIELDS = Path(__file__).parent.parent / "sim" / "plan" / "fields.csv"
BEGIN, END = "<!-- begin: fields -->", "<!-- end: fields -->"
_HEAD = (
    "| column | kind | default | allowed | unit | 中文 | meaning |\n|---|---|---|---|---|---|---|"
)


def rendered(rows: Sequence[Mapping[str, str]]) -> str:
    """Render the columns of all tables as Markdown, one section a table.

    Parameters
    ----------
    rows : sequence of mapping
        Rows of fields.csv, in its order.

    Returns
    -------
    str
        Sections in the order in which the tables first appear.
    """
    tables: dict[str, list[str]] = {}
    for row in rows:
        cells = (
            f"`{row['column']}`", row["kind"], _default(row), _allowed(row), row["unit"],
            row["zh"], row["meaning"],
        )  # fmt: skip
        line = "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
        tables.setdefault(row["table"], []).append(line)
    sections = [f"#### {name}.csv\n\n{_HEAD}\n" + "\n".join(rows) for name, rows in tables.items()]
    return "\n\n".join(sections)


def _default(row: Mapping[str, str]) -> str:
    if row["required"] == "yes":
        return "**required**"
    return f"`{row['default']}`" if row["default"] else "blank"


def _allowed(row: Mapping[str, str]) -> str:
    if row["choices"]:
        return ", ".join(f"`{choice}`" for choice in row["choices"].split("|"))
    low, high = row["minimum"], row["maximum"]
    if low and high:
        return f"{low} to {high}"
    return f"{low} or more" if low else f"{high} or less" if high else ""


def replaced(document: str, section: str) -> str:
    """Put a section between the markers of a document.

    Raises
    ------
    ValueError
        If the document does not hold each marker once, in order.
    """
    head, begin, rest = document.partition(BEGIN)
    _, end, tail = rest.partition(END)
    if not begin or not end or BEGIN in rest or END in tail:
        raise ValueError(f"expected one '{BEGIN}' and one '{END}' after it")
    return f"{head}{BEGIN}\n\n{section}\n\n{END}{tail}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Write or check the document.

    Returns
    -------
    int
        0 where the document is up to date (now), 1 where a check finds that it is not.
    """
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if out of date")
    options = parser.parse_args(arguments)
    with FIELDS.open(encoding="utf-8", newline="") as stream:
        section = rendered(list(csv.DictReader(stream)))
    old = DOCUMENT.read_text(encoding="utf-8")
    new = replaced(old, section)
    if new == old:
        return 0
    if options.check:
        sys.stderr.write(f"{DOCUMENT.name} is out of date: run python docs/generate_fields.py\n")
        return 1
    DOCUMENT.write_text(new, encoding="utf-8", newline="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
