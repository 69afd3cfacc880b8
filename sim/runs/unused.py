"""What is read and checked, and changes nothing in this run: said, never passed over."""

from __future__ import annotations

from sim.plan.rows import Plan
from sim.plan.scenario import Scenario
from sim.sampling.money import ACCOUNT_ROOMS, OWN
from sim.sampling.risks import RiskModel

_RESIDUALS = {
    "duration_excess": "duration", "duration_spread": "duration", "cost_excess": "cost",
    "cost_spread": "cost", "slip": "slip", "no_start": "slip",
}  # fmt: skip
"""Which uncertainty draws what is deflated."""
_MONEY_COLUMNS = ("funding", "arrears_tolerance", "slow_rate")


def is_money_limited(plan: Plan) -> bool:
    """Tell whether accounts limit what can be paid."""
    return bool(plan.accounts) and plan.states["money"] != "off"


def unused_inputs(plan: Plan, risks: RiskModel | None) -> list[str]:
    """List the tables, rows and drivers of a plan that have no effect.

    Parameters
    ----------
    plan : Plan
        The plan with its scenario's changes.
    risks : RiskModel or None
        The register as drawn from.
    """
    unused = []
    if not is_money_limited(plan):
        tables = {"accounts": plan.accounts, "releases": plan.releases}
        unused += [f"{name}.csv" for name, rows in tables.items() if rows]
    if plan.states["gates"] == "off" and plan.windows:
        unused.append("windows.csv")
    if plan.states["risks"] == "off" and plan.risks:
        unused.append("risks.csv")
    if risks is not None:
        unused += [f"risks.csv {name}" for name, _ in risks.unused]
    return unused + [
        f"drivers.toml [{one.name}]" for one in plan.drivers if _is_idle(one.name, plan)
    ]


def _is_idle(name: str, plan: Plan) -> bool:
    driver = next(one for one in plan.drivers if one.name == name)
    if driver.state == "off":
        return False  # switched off on purpose
    if driver.acts_on in (*ACCOUNT_ROOMS, OWN):
        return not is_money_limited(plan)
    if driver.acts_on == "calendar":
        return plan.calendar == "continuous"
    return driver.acts_on == "land" and plan.states["gates"] == "off"


def _is_out_of_force(path: str, plan: Plan) -> bool:
    """Tell whether a factor counts for nothing: its cause is off, or what it deflates is."""
    cause, _, quantity = path.rpartition(".")
    return "off" in (plan.states[cause], plan.states[_RESIDUALS[quantity]])


def changes_without_effect(scenario: Scenario) -> list[str]:
    """List the paths that a scenario or the command line changes to no effect."""
    plan = scenario.plan
    idle = {one.name for one in plan.drivers if _is_idle(one.name, plan)}
    limited, found = is_money_limited(plan), []
    for path, _, _ in scenario.changes:
        section, _, rest = path.partition(".")
        of_money = section in ("accounts", "releases") or rest.rpartition(".")[2] in _MONEY_COLUMNS
        of_idle = section == "uncertainties" and rest.partition(".")[0] in idle
        of_deflation = section == "deflation" and _is_out_of_force(rest, plan)
        if (of_money and not limited) or of_idle or of_deflation:
            found.append(path)
    return found
