"""What is counted and added up of each replication: families of quantities, and their grids."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sim.engine.rules import PPM, Cause, Wait
from sim.plan.portfolio import Portfolio
from sim.runs.counting import BLOCKS, SKIP, add_groups
from sim.runs.grids import Grid, Grids, day_grid, lay_out, money_grid, number_grid
from sim.runs.outcomes import ACCOUNT_MEASURES, MEASURES, Outcomes
from sim.runs.parts import STAGES
from sim.runs.squares import MOST_SQUARED, PARTS
from sim.sampling.accounts import Purses
from sim.sampling.sampler import Sampler

Ints = NDArray[np.int64]

ALL = "all"
"""All projects in the target, among names of stages."""
DIMENSIONS = ("system", "programme", "county", "type", "tier", "investor", "stage")
SPREAD_MEASURES = (*MEASURES, "final_cost")
"""Of which the variances of projects and of groups are told."""
PROJECT, CITY = 1_000, 10_000
"""Cells of a plan: of a project, an account or a bond; of the city and of its parts."""
_NEVER_ABOVE = 2**63 - 1
"""Mark of what is not asked how often it lies above one."""
_ROOM = 128
"""Cells above five quarters of a plan, where little is expected."""


class Group(NamedTuple):
    """Projects of the target that have a value in common."""

    dimension: str
    name: str
    members: NDArray[np.bool_]


class Family(NamedTuple):
    """Quantities of one kind: their shape, their grids (none where only added up), their marks."""

    shape: tuple[int, ...]
    grids: list[Grid]
    marks: Ints


@dataclass(frozen=True, slots=True)
class Layout:
    """Where each quantity stands in a tally.

    Attributes
    ----------
    portfolio : Portfolio
        The plan and its baseline.
    purses : Purses
        Accounts, releases and bond checks, as the outcomes number them.
    groups : tuple of Group
        Groups of projects.
    members, bounds : ndarray of int64
        Projects of one group after the other, and where those of each begin and end; those of the
        whole target stand last.
    places : mapping of str to slice
        Quantities of each family; those that are counted come first.
    shapes : mapping of str to tuple of int
        Shape of each family.
    grids : Grids
        Of the quantities that are counted.
    marks : ndarray of int64, shape (Q,)
        How often each counted quantity lies above its mark is told by block, exactly.
    size : int
        Number of all quantities.
    """

    portfolio: Portfolio
    purses: Purses
    groups: tuple[Group, ...]
    members: Ints
    bounds: Ints
    places: Mapping[str, slice]
    shapes: Mapping[str, tuple[int, ...]]
    grids: Grids
    marks: Ints
    size: int


def build_layout(sampler: Sampler) -> Layout:
    """Lay out the tally of a plan.

    Parameters
    ----------
    sampler : Sampler
        From `sim.sampling.sampler.build_sampler`.
    """
    portfolio, purses = sampler.portfolio, sampler.purses
    groups = tuple(_groups(portfolio))
    windows = sampler.frame.window_places.size
    families = dict(_counted(portfolio, purses, groups, windows))
    marks = np.concatenate([family.marks for family in families.values()])
    grids = [grid for family in families.values() for grid in family.grids]
    shapes = {name: family.shape for name, family in families.items()}
    shapes |= _added(portfolio, purses, windows, len(groups))
    places, size = {}, 0
    for name, shape in shapes.items():
        places[name] = slice(size, size + int(np.prod(shape)))
        size = places[name].stop
    members = [
        np.flatnonzero(chosen) for chosen in (*(one.members for one in groups), portfolio.in_target)
    ]
    bounds = np.cumsum([0, *map(len, members)])
    return Layout(
        portfolio, purses, groups, np.concatenate(members), bounds, places, shapes,
        lay_out(grids, BLOCKS), marks, size,
    )  # fmt: skip


def _groups(portfolio: Portfolio) -> Iterator[Group]:
    for dimension in DIMENSIONS:
        values = np.array([getattr(one, dimension) for one in portfolio.plan.projects])
        for name in sorted(set(values.tolist())):
            yield Group(dimension, name, (values == name) & portfolio.in_target)


def annual_plans(portfolio: Portfolio) -> Ints:
    """Return the annual plan of each project."""
    return np.array([one.annual_plan for one in portfolio.plan.projects], dtype=np.int64)


def stage_plans(portfolio: Portfolio) -> dict[str, int]:
    """Return the annual plan of all projects in the target, and of each stage that has one."""
    plans, own = annual_plans(portfolio), np.array([p.stage for p in portfolio.plan.projects])
    found = {ALL: int(plans[portfolio.in_target].sum())}
    for stage in STAGES:  # the reserve, which is in no target, is none of them
        if filed := int(plans[own == stage].sum()):
            found[stage] = filed
    return found


def _counted(
    portfolio: Portfolio, purses: Purses, groups: tuple[Group, ...], windows: int
) -> Iterator[tuple[str, Family]]:
    """Yield the families that are counted, in the order in which they stand."""
    size, months, plan = portfolio.size, len(portfolio.month_ends), portfolio.plan
    annual, total = annual_plans(portfolio), portfolio.total
    target = portfolio.in_target

    def family(
        shape: tuple[int, ...], grids: list[Grid], marks: int | list[int] | None = None
    ) -> Family:
        given = _NEVER_ABOVE if marks is None else marks
        return Family(shape, grids, np.broadcast_to(np.array(given, np.int64), len(grids)))

    days = [day_grid(portfolio.days)] * size
    for name in ("start", "finish"):
        yield name, family((size,), days, portfolio.year_end_day)
    of_year = [
        money_grid(a, PROJECT, t, PROJECT)
        for a, t in zip(annual.tolist(), total.tolist(), strict=True)
    ]
    for name in (*MEASURES, "arrears"):
        yield name, family((size,), of_year)
    yield (
        "final_cost",
        family((size,), [money_grid(t, PROJECT, 8 * t, _ROOM) for t in total.tolist()]),
    )
    whole, everything = int(annual[target].sum()), int(total.sum())
    city = money_grid(whole, CITY, everything, 1_000)
    later = money_grid(everything, CITY, 2 * everything, _ROOM)
    by_month = [city if m <= portfolio.year_end_month else later for m in range(months)]
    yield "months", family((len(MEASURES), months), by_month * len(MEASURES))
    yield "arrears_months", family((months,), by_month)
    plans = [(int(annual[one.members].sum()), int(total[one.members].sum())) for one in groups]
    parts = [money_grid(a, CITY, t, 1_000) for a, t in plans]
    for measure in MEASURES:
        # A plan is met by what is not below it.
        marks = [a - 1 for a, _ in plans]
        yield f"groups_{measure}", family((len(groups),), parts, marks)
    stages = np.array([one.stage for one in plan.projects])
    sums = [(annual[stages == stage].sum(), total[stages == stage].sum()) for stage in STAGES]
    year = portfolio.year_end_month + 1
    stage_grids = [money_grid(int(a), CITY, int(t), 1_000) for a, t in sums]
    yield "stages", family((len(STAGES), year), [one for one in stage_grids for _ in range(year)])
    accounts = [
        _account_grid(purses, a, int(annual.sum()), everything) for a in range(len(purses.accounts))
    ]
    for name in ("released", "spent", "balance", "unmet"):
        monthly = [one for one in accounts for _ in range(months)]
        yield name, family((len(accounts), months), monthly, 0)
    files = [number_grid(size, 8 * size)] * (windows * months)
    for name in ("queued", "taken"):
        yield name, family((windows, months), files)
    amounts = [purses.releases[check.release].amount for check in purses.checks]
    idle = [money_grid(amount, PROJECT, 8 * amount, _ROOM) for amount in amounts]
    yield "idle", family((len(idle),), idle, 0)
    kept = [_commitment_grid(portfolio, k) for k in range(len(plan.commitments))]
    yield "kept_measure", family((len(kept),), kept)


def _account_grid(purses: Purses, position: int, annual: int, total: int) -> Grid:
    """Return the grid of an account: of what it is known to have, else of the city's plan."""
    one = purses.accounts[position]
    released = sum(release.amount for release in purses.releases if release.account == one.id)
    known = max(one.budget, one.opening + released)
    if known == 0 or purses.arrays.own[position]:
        return money_grid(annual, CITY, total, 1_000)
    return money_grid(known, PROJECT, 8 * known, _ROOM)


def _commitment_grid(portfolio: Portfolio, position: int) -> Grid:
    """Return days, or a thousandth of the quantity that is promised."""
    one = portfolio.plan.commitments[position]
    if one.kind != "quantity":
        return day_grid(portfolio.days)
    promised = round((one.quantity or 0) * 1000)
    units = {row.id: row.quantity or 0 for row in portfolio.plan.projects}
    whole = round(sum(units[name] for name in one.projects) * 1000)
    return money_grid(promised, PROJECT, whole, PROJECT)


def _added(
    portfolio: Portfolio, purses: Purses, windows: int, groups: int
) -> dict[str, tuple[int, ...]]:
    """Return the shapes of the families that are added up only."""
    size, months = portfolio.size, len(portfolio.month_ends)
    accounts, checks = (len(purses.accounts), months), (len(purses.checks),)
    return {
        "waits": (size, len(Wait)),
        "waits_of_started": (size, len(Wait)),
        "causes_of_started": (size, len(Cause) + len(portfolio.causes)),
        "set_aside": accounts,
        "lapsed": accounts,
        "waited": (windows, months),
        "seen": checks,
        "amount": checks,
        "floor_met": checks,
        "kept": (len(portfolio.plan.commitments),),
        **{f"{measure}_squares": (size, PARTS) for measure in SPREAD_MEASURES},
        "totals": (len(SPREAD_MEASURES), groups + 1),
        "totals_squares": (len(SPREAD_MEASURES), groups + 1, PARTS),
    }


def group_sums(layout: Layout, outcomes: Outcomes) -> Ints:
    """Return what groups and at last the whole target came to, shape (N, 4, G + 1)."""
    shape = len(outcomes.replications), len(SPREAD_MEASURES), len(layout.groups) + 1
    sums = np.empty(shape, np.int64)
    year = len(MEASURES)
    add_groups(outcomes.year_end, layout.members, layout.bounds, sums[:, :year])
    add_groups(outcomes.final_cost[:, None], layout.members, layout.bounds, sums[:, year:])
    if sums.size and max(int(sums.max()), -int(sums.min())) >= MOST_SQUARED:
        raise ValueError("the projects of a group come to more than can be squared exactly")
    return sums


def counted_values(layout: Layout, outcomes: Outcomes, sums: Ints) -> Iterator[tuple[str, Ints]]:
    """Yield the values of each family that is counted, replications first; given group sums."""
    year = layout.portfolio.year_end_month + 1
    yield "start", outcomes.start
    yield "finish", outcomes.finish
    for position, measure in enumerate(MEASURES):
        yield measure, outcomes.year_end[:, position]
    yield "arrears", outcomes.arrears
    yield "final_cost", outcomes.final_cost
    yield "months", outcomes.months
    yield "arrears_months", outcomes.arrears_months
    for position, measure in enumerate(MEASURES):
        yield f"groups_{measure}", sums[:, position, :-1]
    yield "stages", outcomes.part_months[:, :, :year]
    for name in ("released", "spent", "balance", "unmet"):
        yield name, outcomes.accounts[:, ACCOUNT_MEASURES.index(name)]
    yield "queued", outcomes.queues[:, 0]
    yield "taken", outcomes.queues[:, 1]
    idle = outcomes.check_amount - outcomes.check_spent
    yield "idle", np.where(outcomes.check_spent >= 0, idle, SKIP)
    yield "kept_measure", outcomes.kept_measure


def added_values(layout: Layout, outcomes: Outcomes, sums: Ints) -> Iterator[tuple[str, Ints]]:
    """Yield the values of each family that is added up only; days after starts stand apart."""
    yield "waits", outcomes.waits
    for name in ("set_aside", "lapsed"):
        yield name, outcomes.accounts[:, ACCOUNT_MEASURES.index(name)]
    yield "waited", outcomes.queues[:, 2]
    seen = outcomes.check_spent >= 0
    floors = np.array(
        [0 if one.floor is None else round(one.floor.share * PPM) for one in layout.purses.checks],
        dtype=np.int64,
    )
    needed = -(-outcomes.check_amount * floors // PPM)
    yield "seen", seen.astype(np.int64)
    yield "amount", np.where(seen, outcomes.check_amount, 0)
    yield "floor_met", (seen & (outcomes.check_spent >= needed)).astype(np.int64)
    yield "kept", outcomes.kept
    yield "totals", sums


def squared_values(outcomes: Outcomes, sums: Ints) -> Iterator[tuple[str, Ints]]:
    """Yield the values whose squares are added up: of projects, of groups and of all."""
    for position, measure in enumerate(MEASURES):
        yield f"{measure}_squares", outcomes.year_end[:, position]
    yield "final_cost_squares", outcomes.final_cost
    yield "totals_squares", sums


def started_values(outcomes: Outcomes) -> Iterator[tuple[str, Ints]]:
    """Yield the days that are added up over the replications in which a project starts."""
    yield "waits_of_started", outcomes.waits
    yield "causes_of_started", outcomes.causes
