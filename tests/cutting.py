"""Part of the Luoyang plan as a folder of its own: small enough to be run by the hundred."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Collection, Iterable
from fractions import Fraction
from pathlib import Path

LUOYANG = Path(__file__).parents[1] / "scenarios" / "luoyang-2021"
Rows = list[dict[str, str]]

_AS_THEY_ARE = (
    "types.csv", "gates.csv", "windows.csv", "calendar.csv", "drivers.toml", "risks.csv",
    "baseline.toml",
)  # fmt: skip
_SHARED = ("loan", "own")
"""Accounts that all counties draw on: they are cut to the share of the plans that remain."""


def cut_luoyang(folder: Path, counties: Collection[str], horizon: str = "2021-12-31") -> Path:
    """Write the projects of some counties, with their accounts and releases, as a plan.

    What reaches beyond the counties goes: predecessors, promises, the money of others. A
    horizon at the end of the plan year moves nothing before it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for name in _AS_THEY_ARE:
        shutil.copy(LUOYANG / name, folder / name)
    every = _read("projects")
    projects = [row for row in every if row["county"] in counties]
    ids = {row["id"] for row in projects}
    for row in projects:
        row["predecessors"] = ";".join(one for one in _ids(row["predecessors"]) if one in ids)
    share = {key: _demand(projects, key) / _demand(every, key) for key in _SHARED}
    accounts = [row for row in _read("accounts") if row["county"] in counties]
    accounts += [row for row in _read("accounts") if row["id"] in share and row not in accounts]
    kept = {row["id"] for row in accounts}
    releases = [
        row for row in _read("releases")
        if row["account"] in kept and row["project"] in ids | {""}
    ]  # fmt: skip
    promises = [row for row in _read("commitments") if set(_ids(row["projects"])) <= ids]
    for row in accounts:
        row["budget"] = _scaled(row["budget"], share.get(row["id"], Fraction(1)))
    for row in releases:
        row["amount"] = _scaled(row["amount"], share.get(row["account"], Fraction(1)))
    tables = {
        "projects": projects, "accounts": accounts, "releases": releases, "commitments": promises,
    }  # fmt: skip
    for name, rows in tables.items():
        _write(folder / f"{name}.csv", rows)
    plan = (LUOYANG / "plan.toml").read_text(encoding="utf-8").splitlines()
    target = next(position for position, line in enumerate(plan) if line.startswith("target"))
    plan[target] = f"horizon = {horizon}"
    (folder / "plan.toml").write_text("\n".join(plan) + "\n", encoding="utf-8")
    return folder


def _ids(cell: str) -> list[str]:
    return [one for one in cell.split(";") if one]


def _read(table: str) -> Rows:
    with (LUOYANG / f"{table}.csv").open(encoding="utf-8-sig", newline="") as stream:
        return list(csv.DictReader(stream))


def _write(path: Path, rows: Rows) -> None:
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def _demand(projects: Iterable[dict[str, str]], key: str) -> Fraction:
    """Return what the annual plans want of an account; every project names its funding."""
    wanted = Fraction(0)
    for row in projects:
        for line in row["funding"].split(";"):
            name, _, share = line.partition(":")
            if name == key:
                wanted += Fraction(row["annual_plan"]) * Fraction(share)
    return wanted


def _scaled(amount: str, share: Fraction) -> str:
    """Scale an amount of 10,000 yuan to whole ones."""
    return str(round(Fraction(amount or "0") * share))
