"""Build the generated tables of the Luoyang 2021 plan, byte for byte the same each time.

Usage: ``python scenarios/luoyang-2021/builder/build.py [--out DIR]``. Reads the hand-written
tables of this folder and of the plan folder; writes plan.toml, projects.csv, commitments.csv,
accounts.csv and releases.csv, and, in the plan folder, the tables of shares in the two READMEs.
"""

from __future__ import annotations

import argparse
import csv
import json
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from luoyang_gates import read_gates
from luoyang_links import link_phases, link_roads, set_funding, set_ranks
from luoyang_money import account_rows, demands, release_rows
from luoyang_report import update_readme
from luoyang_rows import named_projects, quantity_projects, synthetic_projects
from luoyang_sources import (
    FOLDER,
    PLAN,
    Programme,
    Project,
    read_counties,
    read_curves,
    read_programmes,
    read_rows,
    read_texts,
)

PROJECT_COLUMNS = (
    "id", "name", "project_code", "system", "programme", "county", "type", "tier", "owner",
    "investor", "procedure", "stage", "rank", "total", "done_before_year", "done_this_year",
    "annual_plan", "planned_start", "planned_finish", "gates", "funding", "arrears",
    "predecessors", "duration", "cost", "quantity", "unit", "tags", "provenance", "source",
    "note",
)  # fmt: skip
COMMITMENT_COLUMNS = (
    "id", "key_task", "text", "strength", "kind", "projects", "quantity", "unit", "deadline",
    "why_outside",
)  # fmt: skip
ACCOUNT_COLUMNS = (
    "id", "name", "class", "county", "opening", "budget", "rule", "year_end", "equity",
    "provenance", "source",
)  # fmt: skip
RELEASE_COLUMNS = (
    "account", "batch", "issued", "available", "amount", "project", "provenance", "source",
)  # fmt: skip

DEFLATION_NOTE = (
    "What each simulated cause leaves of the reference classes in types.csv while it is on.",
    "Judgement, split roughly as the causes move days in the baseline. With everything on: 0.5 of",
    "the excess of durations and 0.85 of their spread, 0.7 of the excess of costs and all of their",
    "spread, 0.6 of the probability of a slip. Missed years (no_start) are left as published.",
)


def build_projects(texts: Mapping[str, Any]) -> list[Project]:
    """Return all projects, in order of id."""
    counties, curves, gates = read_counties(), read_curves(), read_gates()
    projects = named_projects(texts)
    projects += quantity_projects(texts, counties, curves, gates)
    invented = synthetic_projects(read_programmes(), projects, texts, counties, curves, gates)
    projects += invented
    link_phases(projects, curves, texts)
    link_roads(projects, curves)
    set_funding(projects)
    return set_ranks(projects)


def project_row(one: Project, texts: Mapping[str, Any]) -> list[str]:
    """Return a project as cells in the order of the columns."""
    source = f"{one.source}; {texts['arrears_note']}" if one.arrears else one.source
    cells = {
        "id": one.id,
        "name": one.name,
        "system": one.system,
        "programme": one.programme,
        "county": one.county,
        "type": one.type,
        "tier": one.tier,
        "owner": one.owner,
        "investor": one.investor,
        "procedure": one.procedure,
        "stage": one.stage,
        "rank": str(one.rank),
        "total": str(one.total),
        "done_before_year": str(one.done),
        "done_this_year": "0",
        "annual_plan": str(one.plan),
        "planned_start": one.start.isoformat(),
        "planned_finish": one.finish.isoformat(),
        "gates": one.gates,
        "funding": one.funding,
        "arrears": str(one.arrears),
        "predecessors": one.predecessors,
        "quantity": one.quantity,
        "unit": one.unit,
        "tags": one.tags,
        "provenance": one.provenance,
        "source": source,
        "note": one.note,
    }
    return [cells.get(column, "") for column in PROJECT_COLUMNS]


def commitment_rows(projects: Iterable[Project]) -> list[list[str]]:
    """Return promises.csv with the keys of quantity programmes resolved to project ids."""
    by_key: dict[str, list[str]] = {}
    for one in projects:
        by_key.setdefault(one.key, []).append(one.id)
        by_key[one.id] = [one.id]
    rows = []
    for row in read_rows(FOLDER / "promises.csv"):
        keys = filter(None, row["delivers"].split(";"))
        row["projects"] = ";".join(name for key in keys for name in by_key[key])
        rows.append([row[column] for column in COMMITMENT_COLUMNS])
    return rows


def plan_toml(
    programmes: Iterable[Programme],
    counties: Mapping[str, Mapping[str, str]],
    texts: Mapping[str, Any],
) -> str:
    """Return plan.toml."""
    tables = {
        "systems": dict(texts["systems"]),
        "programmes": {one.code: one.name for one in programmes},
        "counties": {code: row["name"] for code, row in counties.items()},
        "types": dict(texts["types"]),
        "causes": dict(texts["causes"]),
    }
    lines = [
        f"name = {_quoted(texts['plan_name'])}",
        "status_date = 2020-12-31",
        "plan_year = 2021",
        "target = 30_000_000",
        f"amount_unit = {_quoted(texts['amount_unit'])}",
        'calendar = "site"',
        "# Estimated: treasuries stop paying in the last week of December; no local notice found.",
        'december_cut_off = "12-25"',
        "# Estimated: overtime, night work and more machines; no statistic found.",
        "acceleration_premium = 0.2",
        "# Estimated: within 10 % the budget office decides, above it an audit comes first.",
        "adjustment_days = 90",
        "adjustment_days_above = 270",
    ]
    for table, names in tables.items():
        lines += ["", f"[{table}]"]
        lines += [f"{code} = {_quoted(name)}" for code, name in names.items()]
        if table in ("systems", "programmes"):
            codes = ",\n".join(f'    "{code}"' for code in names)
            lines.append(f"derived = [\n{codes},\n]")
    return "\n".join([*lines, *deflation_lines()]) + "\n"


def deflation_lines() -> list[str]:
    """Return the tables [deflation] of plan.toml, each with its reason."""
    lines = ["", *(f"# {line}" for line in DEFLATION_NOTE)]
    for row in read_rows(FOLDER / "deflation.csv"):
        cause, why = row.pop("cause"), row.pop("why")
        lines += ["", *(f"# {line}" for line in textwrap.wrap(why, 90)), f"[deflation.{cause}]"]
        lines += [f"{quantity} = {factor}" for quantity, factor in row.items() if factor]
    return lines


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def write_table(path: Path, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Write a CSV table in UTF-8 with bare line feeds."""
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(rows)


def build(out: Path) -> list[Project]:
    """Write the generated tables to a folder and return the projects."""
    texts, counties = read_texts(), read_counties()
    projects = build_projects(texts)
    found = demands(projects, read_curves())
    out.mkdir(parents=True, exist_ok=True)
    (out / "plan.toml").write_text(
        plan_toml(read_programmes(), counties, texts), encoding="utf-8", newline="\n"
    )
    write_table(out / "projects.csv", PROJECT_COLUMNS, [project_row(p, texts) for p in projects])
    write_table(out / "commitments.csv", COMMITMENT_COLUMNS, commitment_rows(projects))
    write_table(out / "accounts.csv", ACCOUNT_COLUMNS, account_rows(found, counties, texts))
    write_table(out / "releases.csv", RELEASE_COLUMNS, release_rows(found, projects))
    return projects


def main() -> None:
    """Read the command line and build."""
    parser = argparse.ArgumentParser(description="Build the Luoyang 2021 plan.")
    parser.add_argument("--out", type=Path, default=PLAN, help="folder to write to")
    out: Path = parser.parse_args().out
    projects = build(out)
    if out.resolve() == PLAN:
        texts = read_texts()
        update_readme(PLAN / "README.md", projects, texts["readme_en"])
        update_readme(PLAN / "README.zh.md", projects, texts["readme_zh"] | texts["systems"])
    total, plan = sum(p.total for p in projects), sum(p.plan for p in projects)
    print(f"{len(projects)} projects, total {total}, annual plan {plan} (ten thousand yuan)")


if __name__ == "__main__":
    main()
