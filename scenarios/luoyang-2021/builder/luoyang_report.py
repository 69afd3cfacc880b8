"""The tables of shares that stand in the READMEs, between two markers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from luoyang_money import BATCHES, bond_calendar
from luoyang_sources import YI, Project

BEGIN, END = "<!-- begin: built -->", "<!-- end: built -->"


def update_readme(path: Path, projects: list[Project], words: Mapping[str, str]) -> None:
    """Replace what stands between the markers of a README.

    Parameters
    ----------
    path : Path
        The README.
    projects : list of Project
        What its tables count.
    words : mapping of str
        How headings and codes read in the README's language; as they are where not given.
    """
    text = path.read_text(encoding="utf-8")
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    block = "\n\n".join([BEGIN, *tables(projects, words), END])
    path.write_text(before + block + after, encoding="utf-8", newline="\n")


def tables(projects: list[Project], words: Mapping[str, str]) -> list[str]:
    """Return the tables in Markdown."""
    counted = [one for one in projects if one.stage != "reserve"]
    plan = sum(one.plan for one in counted)
    square = sum(one.plan**2 for one in counted)
    note = _say("effective: {effective}; plan without reserve: {plan}", words)
    return [
        _table("provenance", projects, lambda one: one.provenance, words),
        _table("stage", projects, lambda one: one.stage, words),
        _table("system", projects, lambda one: one.system, words),
        _table("investor", projects, lambda one: one.investor, words),
        note.format(effective=f"{plan**2 / square:.0f}", plan=f"{plan / YI:,.1f}"),
        _bonds(words),
    ]


def _say(text: str, words: Mapping[str, str]) -> str:
    return words.get(text, text)


def _row(cells: Iterable[str], words: Mapping[str, str]) -> str:
    return "| " + " | ".join(_say(cell, words) for cell in cells) + " |"


def _table(
    title: str,
    projects: Iterable[Project],
    key: Callable[[Project], str],
    words: Mapping[str, str],
) -> str:
    sums: dict[str, list[int]] = {}
    for one in projects:
        row = sums.setdefault(key(one), [0, 0, 0])
        row[0] += 1
        row[1] += one.total
        row[2] += one.plan
    whole = [sum(row[i] for row in sums.values()) for i in range(3)]
    heads = [title, "rows", "share", "total (亿元)", "share", "annual plan (亿元)", "share"]
    lines = [_row(heads, words), "|---|---:|---:|---:|---:|---:|---:|"]
    for name, row in [*sums.items(), ("sum", whole)]:
        shares = [f"{100 * row[i] / whole[i]:.1f} %" for i in range(3)]
        amounts = [f"{row[i] / YI:,.1f}" for i in (1, 2)]
        cells = [name, str(row[0]), shares[0], amounts[0], shares[1], amounts[1], shares[2]]
        lines.append(_row(cells, words))
    return "\n".join(lines)


def _bonds(words: Mapping[str, str]) -> str:
    calendar = bond_calendar()
    days = {month: f"2021-{month:02d}-{day:02d}" for month, day, _ in BATCHES}
    heads = ["month", "cumulative share issued, mean 2018-2020", "batch issued on"]
    lines = [_row(heads, words), "|---|---:|---|"]
    for month, share in calendar.items():
        lines.append(_row([str(month), f"{100 * share:.1f} %", days.get(month, "")], words))
    return "\n".join(lines)
