"""The tables of shares that stand in the READMEs, between two markers."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from luoyang_money import BATCHES, bond_calendar
from luoyang_sources import YI, Project

BEGIN, END = "<!-- begin: built -->", "<!-- end: built -->"


def update_readme(path: Path, projects: list[Project]) -> None:
    """Replace what stands between the markers of a README."""
    text = path.read_text(encoding="utf-8")
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    block = "\n\n".join([BEGIN, *tables(projects), END])
    path.write_text(before + block + after, encoding="utf-8", newline="\n")


def tables(projects: list[Project]) -> list[str]:
    """Return the tables in Markdown."""
    counted = [one for one in projects if one.stage != "reserve"]
    plan = sum(one.plan for one in counted)
    square = sum(one.plan**2 for one in counted)
    return [
        _table("provenance", projects, lambda one: one.provenance),
        _table("stage", projects, lambda one: one.stage),
        _table("system", projects, lambda one: one.system),
        _table("investor", projects, lambda one: one.investor),
        "Effective number of projects, 1 / sum(share of the annual plan squared): "
        f"{plan**2 / square:.0f}. Annual plan without the reserve: {plan / YI:,.1f}.",
        _bonds(),
    ]


def _table(title: str, projects: Iterable[Project], key: Callable[[Project], str]) -> str:
    sums: dict[str, list[int]] = {}
    for one in projects:
        row = sums.setdefault(key(one), [0, 0, 0])
        row[0] += 1
        row[1] += one.total
        row[2] += one.plan
    whole = [sum(row[i] for row in sums.values()) for i in range(3)]
    lines = [
        f"| {title} | rows | share | total (亿元) | share | annual plan (亿元) | share |",
        "|---|---:|---:|---:|---:|---:|---:|",
    ]
    for name, row in [*sums.items(), ("sum", whole)]:
        shares = [f"{100 * row[i] / whole[i]:.1f} %" for i in range(3)]
        lines.append(
            f"| {name} | {row[0]} | {shares[0]} | {row[1] / YI:,.1f} | {shares[1]} "
            f"| {row[2] / YI:,.1f} | {shares[2]} |"
        )
    return "\n".join(lines)


def _bonds() -> str:
    calendar = bond_calendar()
    days = {month: f"{day:02d}" for month, day, _ in BATCHES}
    lines = ["| month | cumulative share issued, mean 2018-2020 | batch |", "|---|---:|---|"]
    for month, share in calendar.items():
        batch = f"issued 2021-{month:02d}-{days[month]}" if month in days else ""
        lines.append(f"| {month} | {100 * share:.1f} % | {batch} |")
    return "\n".join(lines)
