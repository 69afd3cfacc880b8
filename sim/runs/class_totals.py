"""What durations, costs and starts come to with everything inside, beside their reference classes.

A class tells how works of a kind fared through every cause at once. What the simulation draws for
a type is less than that, since approvals, money, seasons and risks are simulated by themselves
(`plan.residuals`); together they should come to the class again.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sim.engine.rules import NEVER
from sim.plan.configuration import usual_engine
from sim.plan.portfolio import Portfolio
from sim.plan.quantiles import quantile
from sim.plan.rows import Deflation, ProjectType
from sim.plan.scenario import Scenario, load_scenario
from sim.runs.counting import BLOCKS
from sim.runs.layout import annual_plans
from sim.runs.outcomes import MEASURES, Outcomes
from sim.runs.statistics import block_error, block_sizes
from sim.runs.workers import outcomes_of
from sim.sampling.sampler import build_sampler

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

SHORTEST = 180
"""Planned days still to come below which a project's ratio says more of one festival than of it."""
LATE = 30
"""Days behind the planned start from which a start counts as late."""
APART = 0.40
"""Standard deviation between projects of one list of the share of the annual plan reported at
year-end (derived from published lists; about 40 points)."""
_PIECE = 64
"""Replications whose outcomes are in memory together."""
_YEAR = 365
"""A finish is planned at least so long before the horizon: else the longest would never be seen."""
GAPS = (
    "duration_median", "duration_p80", "cost_median", "cost_p80", "late", "missed", "apart",
)  # fmt: skip
"""What a replication is compared by, all types together."""
CLASS_COLUMNS = (
    ("duration", "median"), ("duration", "p80"), ("cost", "median"), ("cost", "p80"),
    ("late", "share"), ("missed", "share"),
)  # fmt: skip
"""Quantities and statistics of a type, in the order in which they are told."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """Which projects are compared, and with what.

    Attributes
    ----------
    types : ndarray of str, shape (P,)
        Type of each project.
    since, planned : ndarray of int64, shape (P,)
        Day from which a project's time is counted (its first open gate or its planned start;
        day 0 of what is under way), and days that the plan gives it from there.
    timed, costed, starting, listed : ndarray of bool, shape (P,)
        Projects whose time, cost, start and share of the annual plan are compared.
    annual : ndarray of int64, shape (P,)
        Annual plans, yuan.
    classes : mapping of str to ProjectType
        The reference classes, by type, as published: nothing taken out.
    """

    portfolio: Portfolio
    types: NDArray[np.str_]
    since: NDArray[np.int64]
    planned: NDArray[np.int64]
    timed: Bools
    costed: Bools
    starting: Bools
    listed: Bools
    annual: NDArray[np.int64]
    classes: Mapping[str, ProjectType]


def reference_classes(
    scenario: str | Path, changes: Sequence[str] = ()
) -> Mapping[str, ProjectType]:
    """Read the types of a scenario with nothing taken out of their reference classes."""
    plan = load_scenario(scenario, changes).plan
    names = [one.name for one in fields(Deflation)]
    whole = [f"deflation.{cause}.{name}=1" for cause in plan.deflation for name in names]
    return load_scenario(scenario, (*changes, *whole)).plan.types


def compare_with(portfolio: Portfolio, classes: Mapping[str, ProjectType]) -> Comparison:
    """Choose the projects that are compared.

    Time is counted from the decision, as most classes do: from the first gate that is still open.
    """
    opened = np.array([NEVER if chain is None else chain.begin for chain in portfolio.chains])
    since = np.minimum(opened, portfolio.planned_start)
    since = np.where(portfolio.begun, 0, np.maximum(since, 0))
    planned = portfolio.planned_finish + 1 - since
    plan = portfolio.plan
    alive = portfolio.in_target & ~portfolio.finished & ~portfolio.dropped
    # What a row says of its own is no class.
    usual, usual_cost = (
        np.array([getattr(one, name) == getattr(plan.types[one.type], name) if one.type else False
                  for one in plan.projects])
        for name in ("duration", "cost")
    )  # fmt: skip
    annual = annual_plans(portfolio)
    in_view = portfolio.planned_finish < portfolio.days - _YEAR
    return Comparison(
        portfolio=portfolio,
        types=np.array([one.type for one in plan.projects]),
        since=since,
        planned=planned,
        timed=alive & usual & in_view & (planned >= SHORTEST),
        costed=alive & usual_cost & (portfolio.total > portfolio.done),
        starting=alive & ~portfolio.begun & (portfolio.planned_start <= portfolio.year_end_day),
        listed=alive & (annual > 0),
        annual=annual,
        classes=classes,
    )


@dataclass(frozen=True, slots=True)
class Totals:
    """What projects came to, by replication; N replications, P projects.

    Attributes
    ----------
    duration, cost : ndarray of float64, shape (N, P)
        Actual over planned days and remaining cost; infinite where a project never finished.
    late, missed : ndarray of bool, shape (N, P)
        Whether a project started more than `LATE` days after its planned start, or not in the
        plan year.
    share : ndarray of float64, shape (N, P)
        Reported investment of the plan year over the annual plan.
    """

    duration: Floats
    cost: Floats
    late: Bools
    missed: Bools
    share: Floats


def totals_of(compared: Comparison, outcomes: Outcomes) -> Totals:
    """Return what the projects of some replications came to."""
    portfolio = compared.portfolio
    days = (outcomes.finish + 1 - compared.since).astype(np.float64)
    days[outcomes.finish == NEVER] = np.inf
    left = np.maximum(portfolio.total - portfolio.done, 1)
    return Totals(
        duration=days / np.maximum(compared.planned, 1),
        cost=(outcomes.final_cost - portfolio.done) / left,
        late=outcomes.start > portfolio.planned_start + LATE,
        missed=outcomes.start > portfolio.year_end_day,
        share=outcomes.year_end[:, MEASURES.index("reported")] / np.maximum(compared.annual, 1),
    )


def joined(some: Iterable[Totals]) -> Totals:
    """Join what pieces of a run came to."""
    pieces = list(some)
    return Totals(*(np.concatenate([getattr(one, name) for one in pieces])
                    for name in ("duration", "cost", "late", "missed", "share")))  # fmt: skip


def _percentile(values: Floats, at: float, axis: int | None = None) -> Floats:
    # An observed value: what never finished is beyond any number, and no mean of one.
    return np.asarray(np.quantile(values, at, axis=axis, method="inverted_cdf"))


def gaps(compared: Comparison, totals: Totals) -> Floats:
    """Return how far each replication lies from the classes, all types together.

    Returns
    -------
    ndarray of float64, shape (N, 7)
        In the order of `GAPS`; nought where no project can be compared. For durations and costs
        the median over projects of the logarithm of a ratio over its class's median, and the P80
        of that over its class's P80; for starts the late and the missed share, less what the
        classes say; and the deviation between projects of their shares of the annual plan, less
        `APART`. Nought throughout where they agree.
    """
    columns = []
    for values, chosen, name in (
        (totals.duration, compared.timed, "duration"), (totals.cost, compared.costed, "cost"),
    ):  # fmt: skip
        for at in (0.5, 0.8):
            told = {
                kind: _class_percentile(one, name, at) for kind, one in compared.classes.items()
            }
            held = np.array([told[kind] for kind in compared.types[chosen].tolist()])
            own = np.log(values[:, chosen] / held)
            columns.append(_percentile(own, at, axis=1) if chosen.any() else np.zeros(len(own)))
    kinds = compared.types[compared.starting].tolist()
    for found, name in ((totals.late, "slip"), (totals.missed, "no_start")):
        told = {kind: _class_share(one, name) for kind, one in compared.classes.items()}
        off = found[:, compared.starting] - np.array([told[kind] for kind in kinds])
        columns.append(off.mean(axis=1) if kinds else np.zeros(len(off)))
    told_apart = totals.share[:, compared.listed]
    columns.append(told_apart.std(axis=1) - APART if compared.listed.any() else columns[-1] * 0)
    return np.stack(columns, axis=1)


def _class_percentile(one: ProjectType, name: str, at: float) -> float:
    return float(quantile(getattr(one, name), at))


_GRID = (np.arange(20_000) + 0.5) / 20_000


def _class_share(one: ProjectType, name: str) -> float:
    """Return the share of starts that a class has late (missed years too), or missed."""
    if name == "no_start":
        return one.no_start
    slips = float((np.rint(quantile(one.slip, _GRID)) > LATE).mean())
    return 1 - (1 - slips) * (1 - one.no_start)


@dataclass(frozen=True, slots=True)
class ClassRow:
    """A type's class beside what the simulation comes to.

    Attributes
    ----------
    type : str
        Type of works.
    quantity : str
        `duration`, `cost`, `late` or `missed`.
    statistic : str
        `median`, `p80` or `share`.
    projects : int
        Projects compared.
    reference : float
        What the class says.
    simulated, error : float
        What projects came to, over all replications, and its standard error from blocks; NaN
        where too few ever finish.
    """

    type: str
    quantity: str
    statistic: str
    projects: int
    reference: float
    simulated: float
    error: float


def class_rows(compared: Comparison, totals: Totals) -> tuple[ClassRow, ...]:
    """Compare every type with its class; projects and replications count alike."""
    rows = []
    for kind in sorted(set(compared.types.tolist()) & set(compared.classes)):
        one, mine = compared.classes[kind], compared.types == kind
        for name, values, chosen in (
            ("duration", totals.duration, mine & compared.timed),
            ("cost", totals.cost, mine & compared.costed),
        ):  # fmt: skip
            for statistic, at in (("median", 0.5), ("p80", 0.8)):
                told = _class_percentile(one, name, at)
                found = _by_blocks(values[:, chosen], at)
                rows.append(ClassRow(kind, name, statistic, int(chosen.sum()), told, *found))
        for name, found_in, part in (
            ("late", totals.late, "slip"), ("missed", totals.missed, "no_start"),
        ):  # fmt: skip
            chosen = mine & compared.starting
            found = _by_blocks(found_in[:, chosen].astype(np.float64), None)
            count = int(chosen.sum())
            rows.append(ClassRow(kind, name, "share", count, _class_share(one, part), *found))
    return tuple(row for row in rows if row.projects)


def _by_blocks(values: Floats, at: float | None) -> tuple[float, float]:
    """Return a percentile (or the mean) and its standard error; NaN of nothing."""
    if values.size == 0:
        return math.nan, math.nan

    def told(some: Floats) -> float:
        return float(some.mean() if at is None else _percentile(some, at))

    sizes, whole = block_sizes(len(values)), told(values)
    each = [told(values[k::BLOCKS]) if size else whole for k, size in enumerate(sizes)]
    if not np.isfinite(each).all():  # some never finish: nobody knows how late they are
        return whole, math.nan
    return whole, float(block_error(np.array(each), sizes, np.array(whole)))


def simulate_totals(
    compared: Comparison, scenario: Scenario, replications: int, workers: int
) -> Totals:
    """Simulate a scenario and keep what its projects came to."""
    options = scenario.options
    sampler = build_sampler(compared.portfolio, options.seed, options.sampling)
    pieces = [range(at, min(at + _PIECE, replications)) for at in range(0, replications, _PIECE)]
    found = outcomes_of(sampler, pieces, usual_engine(), workers)
    return joined(totals_of(compared, outcomes) for outcomes in found)
