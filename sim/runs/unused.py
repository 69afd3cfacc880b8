"""What is read and checked, and not simulated in this version: said, never passed over."""

from __future__ import annotations

from sim.plan.rows import Plan
from sim.plan.scenario import Scenario
from sim.sampling.sampler import ACTIVE_ROOMS

TYPE_COLUMNS = (
    "advance", "advance_recovery", "retention", "retention_days", "arrears_tolerance",
    "slow_rate", "acceleration", "funding",
)  # fmt: skip
"""Columns of types.csv that wait for the money model."""


def unused_inputs(plan: Plan) -> list[str]:
    """List the tables, columns and drivers of a plan that have no effect."""
    tables = {"accounts": plan.accounts, "releases": plan.releases, "windows": plan.windows,
              "risks": plan.risks}  # fmt: skip
    unused = [f"{name}.csv" for name, rows in tables.items() if rows]
    if plan.types:
        unused.append(f"types.csv ({', '.join(TYPE_COLUMNS)})")
    if any(one.funding for one in plan.projects):
        unused.append("projects.csv (funding)")
    return unused + [
        f"drivers.toml [{one.name}]" for one in plan.drivers if one.acts_on not in ACTIVE_ROOMS
    ]


def changes_without_effect(scenario: Scenario) -> list[str]:
    """List the paths that a scenario or the command line changes to no effect."""
    idle = {one.name for one in scenario.plan.drivers if one.acts_on not in ACTIVE_ROOMS}
    found = []
    for path, _, _ in scenario.changes:
        section, _, rest = path.partition(".")
        column = rest.rpartition(".")[2]
        if (
            section == "accounts"
            or (section == "types" and column in TYPE_COLUMNS)
            or (section == "projects" and column == "funding")
            or (section == "uncertainties" and rest.partition(".")[0] in idle)
        ):
            found.append(path)
    return found
