"""Degenerate and extreme plans, in which nothing is left to chance."""

from __future__ import annotations

import dataclasses

import numpy as np

from sim.engine.rules import NEVER
from sim.runs.outcomes import ACCOUNT_MEASURES, MEASURES, Outcomes
from sim.sampling.sampler import Sampler
from sim.verification.case import Measured, Setting
from sim.verification.simulated import Row, Samples, sampler_of, simulate, written

_PAID = MEASURES.index("paid")
_SETTINGS = 'horizon = 2022-12-31\ncalendar = "continuous"\n'
_OFF = ["uncertainties.all=off"]


def _everything(outcomes: Outcomes) -> Samples:
    """Return every array of the outcomes."""
    found = {
        field.name: getattr(outcomes, field.name)
        for field in dataclasses.fields(outcomes)
        if field.name != "drivers"
    }
    return found | {f"driver {name}": values for name, values in outcomes.drivers.items()}


def no_money(setting: Setting) -> Measured:
    """Every account is empty: who needs its first instalment never starts, and nobody is paid."""
    sampler = sampler_of("no-money", setting)
    found = simulate(sampler, setting, setting.count(200, 50), _everything)
    needs = sampler.frame.cash_gated & ~sampler.frame.begun
    of = {name: found["accounts"][:, k] for k, name in enumerate(ACCOUNT_MEASURES)}
    inside = of["spent"] + of["set_aside"] + of["lapsed"] + of["balance"]
    ended = found["finish"] != NEVER
    return {
        "needing": int(needs.sum()),
        "started": int((found["start"][:, needs] != NEVER).sum()),
        "others_waiting": int((found["start"][:, ~needs] == NEVER).sum()),
        "paid": int(np.abs(found["months"][:, _PAID]).sum()),
        "leaks": int((inside != of["released"]).sum()),
        # What was built is owed in full: nothing is kept back, all is due in the year.
        "not_owed": int((found["arrears"] != found["final_cost"])[ended].sum()),
        "built": int(ended.all(axis=0).sum()),
    }


def one_project(setting: Setting) -> Measured:
    """Simulate a plan of one project: sure, it is the ledger; with a sure law, that law."""
    sure = simulate(sampler_of("one-project", setting, _OFF), setting, 1, _everything)
    longer = ["projects.P.duration=days: fixed(100)", "projects.P.cost=amount: fixed(1234.5678)"]
    other = simulate(sampler_of("one-project", setting, longer), setting, 50, _everything)
    return {
        "finish": int(sure["finish"][0, 0]) + 1,
        "value": int(sure["months"][0, 0, -1]),
        "days_low": int((other["finish"] - other["start"]).min()) + 1,
        "days_high": int((other["finish"] - other["start"]).max()) + 1,
        "cost_low": int(other["final_cost"].min()),
        "cost_high": int(other["final_cost"].max()),
    }


def _risky(setting: Setting, probability: float | None) -> Sampler:
    """Return forty projects under a register of three risks, or under none."""
    rows = [
        {"id": f"P{k}", "name": "P", "gates": "none", "rank": k, "total": 1_000 + k,
         "annual_plan": 500, "planned_start": "2021-03-01", "planned_finish": "2021-09-16"}
        for k in range(40)
    ]  # fmt: skip
    tables: dict[str, list[Row]] = {"projects": [*rows]}
    if probability is not None:
        tables["risks"] = [
            {"id": f"R{k}", "name": "R", "probability": probability, "at": at, "cost": cost,
             "days": f"fixed({days})", "repeat": repeat}
            for k, (at, days, cost, repeat) in enumerate(
                [(0.25, 7, 1, 1), (0.5, 11, 1, 3), (0, 0, 1.5, 1)]
            )
        ]  # fmt: skip
    with written(_SETTINGS, **tables) as folder:
        return sampler_of(folder, setting)


def certain_risks(setting: Setting) -> Measured:
    """Three risks that are sure to strike: 7 + 3 x 11 days, and half as much again to pay."""
    sampler = _risky(setting, 1.0)
    found = simulate(sampler, setting, setting.count(200, 20), _everything)
    late = found["finish"] - sampler.frame.planned_finish
    cost = found["final_cost"] * 2 - sampler.frame.approved * 3
    return {
        "late_low": int(late.min()),
        "late_high": int(late.max()),
        "cost_off": int((cost != 0).sum()),
    }


def impossible_risks(setting: Setting) -> Measured:
    """Compare registers of risks that never strike with none: no trace in any number.

    Of probability 0 they are not even laid out. Of 1e-300 they are, and drawn in every
    replication: no uniform number lies so low.
    """
    count = setting.count(200, 20)
    zero, tiny, without = (
        simulate(_risky(setting, p), setting, count, _everything) for p in (0.0, 1e-300, None)
    )
    return {"differing": _differing(zero, without), "differing_tiny": _differing(tiny, without)}


def _differing(one: Samples, other: Samples) -> int:
    """Count the arrays in which two runs differ."""
    return sum(not np.array_equal(one[name], other[name]) for name in {*one, *other})


def ten_thousand(setting: Setting) -> Measured:
    """Ten thousand projects without uncertainty: every one as it was filed."""
    count = 10_000
    days = np.arange(count)
    starts = np.datetime64("2021-01-01") + days % 200
    ends = starts + 30 + days % 130
    rows = [
        {"id": f"P{k:05d}", "name": "P", "type": "t", "gates": "none", "rank": k,
         "total": 100 + k % 977, "annual_plan": 100 + k % 977,
         "planned_start": str(starts[k]), "planned_finish": str(ends[k])}
        for k in range(count)
    ]  # fmt: skip
    types: list[Row] = [
        {
            "type": "t",
            "duration": "uniform(0.5, 3)",
            "cost": "uniform(0.5, 2)",
            "curve_a": 2,
            "curve_b": 1.5,
            "slip": "uniform(0, 90)",
        }
    ]
    with written(_SETTINGS, projects=rows, types=types) as folder:
        sampler = sampler_of(folder, setting, _OFF)
    found = simulate(sampler, setting, 1, _everything)
    origin = np.datetime64("2021-01-01")
    filed = np.array([row["total"] for row in rows], dtype=np.int64) * 10_000
    return {
        "projects": len(found["finish"][0]),
        "other_start": int((origin + found["start"][0] != starts).sum()),
        "other_finish": int((origin + found["finish"][0] != ends).sum()),
        "other_amount": int((found["year_end"][0, 0] != filed).sum()),
        "other_cost": int((found["final_cost"][0] != filed).sum()),
        "total": int(found["months"][0, 0, 11]),
    }
