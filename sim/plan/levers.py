"""From the table of levers to frozen decisions."""

from __future__ import annotations

from sim.plan.cells import month_day
from sim.plan.configuration import LeversTable, Names
from sim.plan.rows import Levers


def read_levers(table: LeversTable) -> Levers:
    """Turn the checked table of levers into decisions."""
    cut_off = table.december_cut_off
    return Levers(
        start_rule=table.start_rule,
        acceleration=table.acceleration,
        december_cut_off=None if cut_off is None else month_day(cut_off),
        payment_rule=table.payment_rule,
        bond_delay_days=table.bond_delay_days,
        bond_reallocation_days=table.bond_reallocation_days,
        drop=_names(table.drop),
        postpone=_names(table.postpone),
        pull_forward=_names(table.pull_forward),
        revision_date=table.revision_date,
        mitigate=_names(table.mitigate),
    )


def _names(value: Names) -> tuple[str, ...]:
    parts = value.replace("；", ";").split(";") if isinstance(value, str) else value
    return tuple(dict.fromkeys(part.strip() for part in parts if part.strip()))
