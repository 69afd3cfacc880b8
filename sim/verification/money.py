"""Money: who is paid from a short pool, whole yuan, and the clocks of bonds."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from sim.analysis.spending_curve import PUBLISHED
from sim.runs.outcomes import ACCOUNT_MEASURES, MEASURES, Outcomes
from sim.sampling.sampler import Sampler
from sim.verification.case import Measured, Setting
from sim.verification.simulated import Row, Samples, sampler_of, simulate, written

_FLOORS = {3: 0.25, 6: 0.5, 9: 0.75, 12: 1.0}
"""Published thresholds of case 22: share of a batch spent by so many months after its issue."""
_WAN = 10_000
_YEAR = 'amount_unit = "元"\nhorizon = 2021-12-31\ncalendar = "continuous"\n'


def _payments(outcomes: Outcomes) -> Samples:
    return {
        "paid": outcomes.year_end[:, MEASURES.index("paid")],
        "owed": outcomes.arrears,
        "cost": outcomes.final_cost,
        "accounts": outcomes.accounts[..., -1],
    }


def _account(found: Samples, measure: str) -> NDArray[np.int64]:
    """Return what accounts say at the last month-end, shape (N, A)."""
    return np.asarray(found["accounts"][:, ACCOUNT_MEASURES.index(measure)])


def _position(sampler: Sampler, account: str) -> int:
    return [one.id for one in sampler.purses.accounts].index(account)


def one_pool(setting: Setting) -> Measured:
    """Case 24: A and B need uniform(0, 100) each of a pool of 120, by two rules."""
    count = setting.count(20_000, 1_500)
    found: dict[str, object] = {}
    totals, broken = [], 0
    for rule in ("tier", "pro_rata"):
        sampler = sampler_of("24-one-pool", setting, [f"accounts.pool.rule={rule}"])
        samples = simulate(sampler, setting, count, _payments)
        paid, need = samples["paid"], samples["cost"]
        total = paid.sum(axis=1)
        unmet = _account(samples, "unmet")[:, _position(sampler, "pool")]
        broken += int((total + unmet != need.sum(axis=1)).sum())
        broken += int((paid + samples["owed"] != need).sum())
        found |= {f"{rule}_A": paid[:, 0] / _WAN, f"{rule}_B": paid[:, 1] / _WAN}
        totals.append(total)
    by_tier, pro_rata = totals
    return found | {
        "total": by_tier / _WAN,
        "binds": need.sum(axis=1) > 120 * _WAN,
        "rules_differ": int((by_tier != pro_rata).sum()),
        "not_conserved": broken,
    }


def bond_gates(setting: Setting) -> Measured:
    """Case 22: a batch just below each gate and one that just passes it; a curve against them."""
    found: dict[str, object] = {}
    for name, first in (("below", 2_400), ("enough", 2_500)):
        changes = [f"projects.P1.{column}={first}" for column in ("total", "annual_plan")]
        for months, (spent, passed) in _gates("22-bond-steps", setting, changes).items():
            found |= {f"{name}_{months}_spent": spent, f"{name}_{months}_passed": passed}
    sampler = sampler_of("22-bond-steps", setting)
    gates = [one for one in sampler.purses.checks if one.floor is not None]
    batches = [sampler.purses.releases[one.release].batch for one in gates]
    found["of_small"] = batches.count("S")
    found["before_3"] = sum(one.months < 3 for one in gates)
    with written(_YEAR.replace("2021", "2022"), **_along_the_curve()) as folder:
        for months, (spent, passed) in _gates(str(folder), setting).items():
            found |= {f"curve_{months}_spent": spent, f"curve_{months}_passed": passed}
    return found | _spend_out()


def _gates(
    folder: str, setting: Setting, changes: Sequence[str] = ()
) -> dict[int, tuple[float, int]]:
    """Return the share of the large batch spent by each gate, and whether that passes it."""
    sampler = sampler_of(folder, setting, changes)
    samples = simulate(
        sampler,
        setting,
        1,
        lambda one: {"spent": one.check_spent, "amount": one.check_amount},
    )
    found = {}
    rows = zip(
        sampler.purses.checks, samples["spent"][0].tolist(), samples["amount"][0].tolist(),
        strict=True,
    )  # fmt: skip
    for check, spent, amount in rows:
        if check.floor is not None:
            found[check.months] = (spent / amount, int(spent >= check.floor.share * amount))
    return found


def _along_the_curve() -> dict[str, Sequence[Row]]:
    """Return a plan whose works of each month spend a batch along the curve, over a year."""
    batch = 10**10
    ends = np.rint(PUBLISHED.share(np.arange(13) / 12) * batch).astype(np.int64)
    rows = [
        {"id": f"M{month}", "name": "M", "investor": "enterprise", "gates": "none",
         "total": step, "annual_plan": step, "funding": "bond:1",
         "planned_start": f"2021-{month:02d}-10", "planned_finish": f"2021-{month:02d}-10"}
        for month, step in enumerate(np.diff(ends).tolist(), start=1)
    ]  # fmt: skip
    return {
        "projects": rows,
        "accounts": [{"id": "bond", "name": "b", "class": "special_bond"}],
        "releases": [{"account": "bond", "available": "2021-01-01", "amount": batch}],
        "bond_floors": [{"months": m, "share": s} for m, s in _FLOORS.items()],
    }


def _spend_out() -> dict[str, float]:
    """Return within how many months a batch must be spent to pass each gate, and how likely."""
    from scipy import stats

    law = stats.lognorm(0.3, scale=12)
    within = {months: months / PUBLISHED.time(share) for months, share in _FLOORS.items()}
    found = {f"within_{months}": longest for months, longest in within.items()}
    return found | {f"odds_{months}": float(law.cdf(one)) for months, one in within.items()}


def to_the_yuan(setting: Setting) -> Measured:
    """Case 28: three shares of a hundred, a great sum over many, and what goes in and out."""
    sampler = sampler_of("28-three-shares", setting)
    spent = _account(simulate(sampler, setting, 1, _payments), "spent")[0]
    shares = {f"share_{one}": int(spent[_position(sampler, one)]) for one in "ABC"}
    return shares | _great_sum(setting) | _conservation(setting)


def _great_sum(setting: Setting) -> dict[str, int]:
    pool, count = 300_000_000_000, 1_037
    owed = np.array([350_000_000 + 1_009 * k for k in range(count)], dtype=np.int64)
    rows = [
        {"id": f"P{k}", "name": "P", "stage": "continuing", "gates": "none", "rank": k,
         "total": 10**9, "done_before_year": 10**9, "annual_plan": 0, "arrears": need,
         "planned_start": "2020-01-01", "planned_finish": "2021-12-31", "funding": "A:1"}
        for k, need in enumerate(owed.tolist())
    ]  # fmt: skip
    accounts = [{"id": "A", "name": "A", "class": "grant", "opening": pool, "rule": "pro_rata"}]
    with written(_YEAR, projects=rows, accounts=accounts) as folder:
        found = simulate(sampler_of(folder, setting), setting, 1, _payments)
    paid = found["paid"][0]
    # A yuan of rounding each, and a ratio cut to ppm: what is left over goes by rank.
    cut = owed * (pool * 10**6 // int(owed.sum())) // 10**6
    return {
        "great_paid": int(paid.sum()),
        "great_left": int(_account(found, "balance")[0, 0]),
        "great_short": int(_account(found, "unmet")[0, 0]),
        "great_unfair": int(((paid < cut) | (paid > owed)).sum()),
    }


def _conservation(setting: Setting) -> dict[str, int]:
    """Count account-months in which paid + balance is not opened + received, and alike."""
    sampler = sampler_of("28-conservation", setting)
    opening = sampler.purses.arrays.opening[None, :, None]
    samples = simulate(
        sampler,
        setting,
        setting.count(2_000, 150),
        lambda one: {
            "accounts": one.accounts,
            "paid": one.months[:, MEASURES.index("paid")],
            "short": one.arrears_months,
        },
    )
    of = {name: samples["accounts"][:, k] for k, name in enumerate(ACCOUNT_MEASURES)}
    inside = of["spent"] + of["set_aside"] + of["lapsed"] + of["balance"]
    below = [of[name] < 0 for name in ("set_aside", "balance", "unmet")]
    return {
        "leaks": int((opening + of["released"] != inside).sum()),
        "unpaid_by_nobody": int((of["spent"].sum(axis=1) != samples["paid"]).sum()),
        "below_zero": int(sum(one.sum() for one in below)),
        "short_sometimes": int((samples["short"] > 0).any()),
    }
