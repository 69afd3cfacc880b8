"""From a portfolio to realizations: which draws are needed, and how they become integers."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sim.plan.approvals import GateChain
from sim.plan.curves import PPM
from sim.plan.language import Distribution
from sim.plan.portfolio import Portfolio
from sim.plan.problems import InputError, Problem
from sim.plan.quantiles import quantile
from sim.plan.rows import Driver
from sim.plan.tables import YUAN_PER_UNIT
from sim.sampling import register
from sim.sampling.calendars import CalendarModel, calendar_model, realized_calendar
from sim.sampling.dependence import (
    GivenCorrelation,
    Loadings,
    given_correlation,
    one_factor_loadings,
)
from sim.sampling.realization import Bools, Frame, Ints, Realization
from sim.sampling.streams import uniforms

Floats = NDArray[np.float64]
_MULTIPLYING = ("duration", "cost")
_ADDING = ("intent", "report")
ACTIVE_ROOMS = (*_MULTIPLYING, *_ADDING, "calendar")
"""What drivers can act on in this version; the money rooms come with the full model."""

_NO_START_SPREAD_DAYS = 180
"""A start that the year does not see happens in the first half of the next, uniformly."""


@dataclass(frozen=True, slots=True)
class Sampler:
    """Everything that drawing needs, prepared once.

    Attributes
    ----------
    seed : int
        Root seed.
    portfolio : Portfolio
        The plan and its baseline.
    frame : Frame
        What engines get beside each realization.
    chains : tuple of (int, GateChain)
        Projects with open gates, by position.
    loadings : Loadings
        Common factors of the normal scores.
    given : dict of str to GivenCorrelation or None
        Matrices that replace the factors, by variable.
    calendar : CalendarModel or None
        None where the planned calendar is what happens.
    drivers : tuple of Driver
        Drivers that are switched on and act on a room that exists.
    groups : dict of str to slice
        Where each group of draws stands in `addresses`.
    addresses : ndarray of uint64
        Addresses of all draws of a replication.
    workdays : ndarray of int64, shape (days + 1,)
        Working days before each day.
    planned_calendar : ndarray of int64, shape (C, days + 1)
        Cumulative planned availability from day 0.
    """

    seed: int
    portfolio: Portfolio
    frame: Frame
    chains: tuple[tuple[int, GateChain], ...]
    loadings: Loadings
    given: dict[str, GivenCorrelation | None]
    calendar: CalendarModel | None
    drivers: tuple[Driver, ...]
    groups: dict[str, slice]
    addresses: NDArray[np.uint64]
    workdays: Ints
    planned_calendar: Ints

    def switched_on(self, name: str) -> bool:
        """Tell whether one of the built-in uncertainties is on."""
        return self.portfolio.plan.states[name] != "off"


def build_sampler(portfolio: Portfolio, seed: int) -> Sampler:
    """Prepare the drawing of realizations.

    Parameters
    ----------
    portfolio : Portfolio
        The plan and its baseline.
    seed : int
        Root seed.

    Returns
    -------
    Sampler
        To be passed to `draw`.

    Raises
    ------
    InputError
        If addresses collide, or correlations contradict each other.
    """
    plan = portfolio.plan
    drivers = tuple(
        driver
        for driver in plan.drivers
        if driver.state != "off" and driver.acts_on in ACTIVE_ROOMS
    )
    calendar = calendar_model(portfolio, [one for one in drivers if one.acts_on == "calendar"])
    position = {one.id: i for i, one in enumerate(plan.projects)}
    correlated = {name for row in plan.correlations for name in (row.project_a, row.project_b)}
    loadings = one_factor_loadings(plan.projects, plan.dependence, correlated)
    given = {
        variable: given_correlation(
            plan.correlations,
            variable,
            position,
            {one.id: getattr(one, variable) for one in plan.projects},
        )
        for variable in (register.DURATION, register.COST)
    }
    chains = tuple((i, chain) for i, chain in enumerate(portfolio.chains) if chain is not None)
    labels = list(_labels(portfolio, chains, loadings, calendar, drivers))
    groups: dict[str, slice] = {}
    flat: list[register.Label] = []
    for name, members in labels:
        groups[name] = slice(len(flat), len(flat) + len(members))
        flat.extend(members)
    addresses = register.addresses(flat)
    collisions = register.find_collisions(flat, addresses)
    if collisions:
        raise InputError(
            Problem("duplicate_address", "projects.csv", None, "id", first,
                    {"first": first, "second": second})
            for first, second in collisions
        )  # fmt: skip
    planned = portfolio.availability[:, -portfolio.first_day :][:, : portfolio.days]
    return Sampler(
        seed=seed,
        portfolio=portfolio,
        frame=_frame(portfolio, chains),
        chains=chains,
        loadings=loadings,
        given=given,
        calendar=calendar,
        drivers=drivers,
        groups=groups,
        addresses=addresses,
        workdays=_workdays(portfolio) if chains else np.arange(portfolio.days + 1),
        planned_calendar=_cumulative(planned),
    )


def _labels(
    portfolio: Portfolio,
    chains: Sequence[tuple[int, GateChain]],
    loadings: Loadings,
    calendar: CalendarModel | None,
    drivers: Sequence[Driver],
) -> Iterator[tuple[str, list[register.Label]]]:
    ids = [one.id for one in portfolio.plan.projects]
    for variable in (
        register.SLIP,
        register.NO_START,
        register.NO_START_DELAY,
        register.DURATION,
        register.COST,
        register.ACCEPTANCE,
    ):
        yield variable, [(name, variable, 0) for name in ids]
    gates = [f"{ids[i]}/{gate}" for i, chain in chains for gate in chain.gates]
    for variable in (register.GATE_PREPARATION, register.GATE_REVIEW, register.GATE_ELAPSED):
        yield variable, [(name, variable, 0) for name in gates]
    yield register.FACTOR, [(name, register.FACTOR, 0) for name in loadings.factors]
    yield (
        register.DRIVER,
        [
            (subject, register.DRIVER, 0)
            for driver in drivers
            if driver.acts_on != "calendar"
            for subject in _subjects(portfolio, driver)
        ],
    )
    stops = calendar.stops if calendar is not None else ()
    yield "calendar", [label for stop in stops for label in stop.labels]


def _subjects(portfolio: Portfolio, driver: Driver) -> list[str]:
    if driver.scope == "city":
        return [driver.name]
    return [f"{driver.name}/{county}" for county in _counties(portfolio)]


def _counties(portfolio: Portfolio) -> list[str]:
    return sorted({one.county for one in portfolio.plan.projects})


def _cumulative(milli_days: Ints) -> Ints:
    zeros = np.zeros((milli_days.shape[0], 1), dtype=np.int64)
    return np.concatenate([zeros, np.cumsum(milli_days, axis=1, dtype=np.int64)], axis=1)


def _workdays(portfolio: Portfolio) -> Ints:
    """Count working days before each day, by the official calendar known at the status date.

    Make-up days are known up to the plan year; later years follow weekdays and statutory
    holidays only.
    """
    import holidays

    last = portfolio.origin + datetime.timedelta(days=portfolio.days - 1)
    china = holidays.country_holidays("CN", years=range(portfolio.origin.year, last.year + 1))
    flags = np.zeros(portfolio.days, dtype=np.int64)
    for day in range(portfolio.days):
        date = portfolio.origin + datetime.timedelta(days=day)
        if date.year <= portfolio.plan.plan_year:
            flags[day] = china.is_working_day(date)
        else:
            flags[day] = date.weekday() < 5 and date not in china
    return np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(flags)])


def _frame(portfolio: Portfolio, chains: Sequence[tuple[int, GateChain]]) -> Frame:
    counts = np.zeros(portfolio.size, dtype=np.int64)
    begin = np.zeros(portfolio.size, dtype=np.int64)
    prework = np.zeros(portfolio.size, dtype=np.int64)
    after: list[tuple[int, ...]] = []
    weights: list[int] = []
    for i, chain in chains:
        counts[i], begin[i] = len(chain.gates), chain.begin
        if portfolio.baseline_start[i] > portfolio.year_end_day:
            prework[i] = chain.planned_by_year_end
        offset = len(weights)
        after.extend(tuple(offset + other for other in before) for before in chain.after)
        weights.extend(chain.planned_days)
    return Frame(
        days=portfolio.days,
        month_ends=portfolio.month_ends,
        year_end_month=portfolio.year_end_month,
        begun=portfolio.begun,
        finished=portfolio.finished,
        baseline_start=portfolio.baseline_start,
        before_year=portfolio.before_year,
        done=portfolio.done,
        first_knots=portfolio.first_knots,
        second_knots=portfolio.second_knots,
        class_of=portfolio.class_of,
        predecessors=portfolio.predecessors,
        gate_first=np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(counts)]),
        gate_after=tuple(after),
        gate_begin=begin,
        gate_weight=np.array(weights, dtype=np.int64),
        prework_weight=prework,
        pay_ratio=portfolio.pay_ratio,
        pay_run=portfolio.pay_lag_months,
        opening_claims=portfolio.opening_claims,
    )


def draw(sampler: Sampler, replications: Sequence[int]) -> Iterator[Realization]:
    """Draw realizations; each depends on the seed and its own number only.

    Parameters
    ----------
    sampler : Sampler
        From `build_sampler`.
    replications : sequence of int
        Numbers of the replications.

    Yields
    ------
    Realization
        In the order asked for.
    """
    numbers = np.asarray(replications, dtype=np.int64)
    u = uniforms(sampler.seed, numbers, sampler.addresses)
    batch = _Batch(sampler, u)
    drivers, factors = batch.drivers()
    earliest, acceptance = batch.starts(), batch.acceptance()
    work, first_work = batch.work(factors["duration"])
    year_end_value, total = batch.values(factors["cost"], factors["intent"])
    overstatement = np.rint(factors["report"] * PPM).astype(np.int64)
    gate_open, preparation, review, workdays = batch.gates()
    for row, number in enumerate(numbers.tolist()):
        yield Realization(
            replication=number,
            earliest_start=earliest[row],
            work=work[row],
            first_work=first_work[row],
            year_end_value=year_end_value[row],
            total=total[row],
            acceptance=acceptance[row],
            overstatement=overstatement[row],
            gate_open=gate_open,
            gate_preparation=preparation[row],
            gate_review=review[row],
            workdays=workdays,
            calendar=batch.calendar(row),
            may_start=batch.may_start(),
            drivers={name: float(values[row]) for name, values in drivers.items()},
        )


class _Batch:
    """The draws of several replications, from uniforms of shape (R, A) to integers."""

    def __init__(self, sampler: Sampler, u: Floats) -> None:
        self._sampler, self._u = sampler, u
        self._portfolio = sampler.portfolio
        self._count = len(u)
        self._duration_u, self._cost_u = self._probabilities()

    def _of(self, group: str) -> Floats:
        return self._u[:, self._sampler.groups[group]]

    def _full(self, value: float) -> Floats:
        return np.full((self._count, self._portfolio.size), value)

    def drivers(self) -> tuple[dict[str, Floats], dict[str, Floats]]:
        """Return what drivers drew, by subject, and their joint effect on each project."""
        projects = self._portfolio.plan.projects
        drawn: dict[str, Floats] = {}
        effect = {name: self._full(1.0) for name in _MULTIPLYING}
        effect |= {name: self._full(0.0) for name in _ADDING}
        u, column = self._of(register.DRIVER), 0
        for driver in self._sampler.drivers:
            if driver.acts_on == "calendar":
                continue
            subjects = _subjects(self._portfolio, driver)
            for subject in subjects:
                drawn[subject] = quantile(driver.active, u[:, column])
                column += 1
            exposure = np.array(
                [driver.exposure.of(getattr(one, driver.exposure.by)) for one in projects]
            )
            if driver.scope == "city":
                values = drawn[driver.name][:, None]
            else:
                values = np.stack([drawn[f"{driver.name}/{p.county}"] for p in projects], axis=1)
            if driver.acts_on in _MULTIPLYING:
                effect[driver.acts_on] = effect[driver.acts_on] * values**exposure
            else:
                effect[driver.acts_on] = effect[driver.acts_on] + values * exposure
        return drawn, effect

    def starts(self) -> Ints:
        """Planned start plus slip; a start that the year does not see falls into the next."""
        portfolio = self._portfolio
        start = np.broadcast_to(portfolio.baseline_start, (self._count, portfolio.size)).copy()
        waiting = ~portfolio.begun & ~portfolio.finished
        if not self._sampler.switched_on("slip"):
            return start
        slip_u, missed_u = self._of(register.SLIP), self._of(register.NO_START)
        delay = np.floor(self._of(register.NO_START_DELAY) * _NO_START_SPREAD_DAYS)
        next_year = portfolio.year_end_day + 1
        for i in np.flatnonzero(waiting):
            one = portfolio.type_of(int(i))
            slip = np.maximum(np.rint(quantile(one.slip, slip_u[:, i])), 0).astype(np.int64)
            start[:, i] += slip
            if portfolio.baseline_start[i] < next_year and one.no_start > 0:
                missed = missed_u[:, i] < one.no_start
                late = next_year + delay[:, i].astype(np.int64)
                start[:, i] = np.where(missed, np.maximum(start[:, i], late), start[:, i])
        return start

    def acceptance(self) -> Ints:
        """Days from finish to delivery."""
        u = self._of(register.ACCEPTANCE)
        if not self._sampler.switched_on("acceptance"):
            u = np.full(u.shape, 0.5)
        days = self._quantiles(
            [self._portfolio.type_of(i).acceptance_days for i in range(self._portfolio.size)], u
        )
        return np.rint(days).astype(np.int64)

    def _quantiles(self, distributions: Sequence[Distribution], u: Floats) -> Floats:
        """Evaluate one distribution a column, each different one only once."""
        columns: dict[Distribution, list[int]] = {}
        for i, one in enumerate(distributions):
            columns.setdefault(one, []).append(i)
        result = np.empty(u.shape)
        for one, members in columns.items():
            result[:, members] = quantile(one, u[:, members])
        return result

    def _probabilities(self) -> tuple[Floats, Floats]:
        """Correlated probabilities of durations and costs."""
        from scipy import special

        sampler, portfolio = self._sampler, self._portfolio
        own = special.ndtri(self._of(register.DURATION))
        common = special.ndtri(self._of(register.FACTOR))
        z_duration = own
        if sampler.switched_on("dependence"):
            z_duration = sampler.loadings.mix(common, own)
        if (given := sampler.given[register.DURATION]) is not None:
            z_duration = given.impose(z_duration)
        z_cost = special.ndtri(self._of(register.COST))
        if sampler.switched_on("dependence"):
            rho = np.array(
                [portfolio.type_of(i).duration_cost_correlation for i in range(portfolio.size)]
            )
            z_cost = rho * z_duration + np.sqrt(1 - rho**2) * z_cost
        if (given := sampler.given[register.COST]) is not None:
            z_cost = given.impose(special.ndtri(self._of(register.COST)))
        edge = 2.0**-53
        return (
            np.clip(special.ndtr(z_duration), edge, 1 - edge),
            np.clip(special.ndtr(z_cost), edge, 1 - edge),
        )

    def work(self, driven: Floats) -> tuple[Ints, Ints]:
        """Milli-days of work left, and the part before the year-end knot."""
        portfolio, projects = self._portfolio, self._portfolio.plan.projects
        u, on = self._duration_u, self._sampler.switched_on("duration")
        distributions = [one.duration for one in projects]
        drawn = self._quantiles(distributions, u if on else np.full(u.shape, 0.5))
        replaces = np.array([one.duration.unit == "days" for one in projects], dtype=np.bool_)
        multiplier = np.where(replaces | (not on), 1.0, drawn)
        planned = np.broadcast_to(portfolio.work_left, drawn.shape).astype(np.float64).copy()
        for i in np.flatnonzero(replaces):
            planned[:, i] = self._work_of_days(int(i), np.rint(drawn[:, i]).astype(np.int64))
        work = np.rint(planned * multiplier * driven).astype(np.int64)
        whole = np.maximum(portfolio.work_left, 1)
        return work, _scaled(work, portfolio.work_to_year_end, whole)

    def _work_of_days(self, i: int, days: Ints) -> Ints:
        """Effective work after the status date of a construction that takes so many days."""
        portfolio = self._portfolio
        row = np.concatenate([[0], np.cumsum(portfolio.availability[portfolio.class_of[i]])])
        start = int(portfolio.baseline_start[i])
        first, end = max(start, 0), np.maximum(start + days, max(start, 0))
        inside = np.minimum(end - portfolio.first_day, len(row) - 1)
        beyond = end - portfolio.first_day - inside
        begin = min(first - portfolio.first_day, len(row) - 1)
        outside = max(first - portfolio.first_day - begin, 0)
        return np.asarray(row[inside] - row[begin] + (beyond - outside) * 1000, dtype=np.int64)

    def values(self, driven: Floats, intent: Floats) -> tuple[Ints, Ints]:
        """Yuan at the year-end knot and in all."""
        portfolio, projects = self._portfolio, self._portfolio.plan.projects
        u, on = self._cost_u, self._sampler.switched_on("cost")
        drawn = self._quantiles([one.cost for one in projects], u if on else np.full(u.shape, 0.5))
        replaces = np.array([one.cost.unit == "amount" for one in projects], dtype=np.bool_)
        left = (portfolio.total - portfolio.done).astype(np.float64)
        unit = YUAN_PER_UNIT[portfolio.plan.amount_unit]
        multiplied = left * (drawn if on else 1.0) * driven
        replaced = np.maximum(drawn * unit - portfolio.done, 0) * driven
        rest = np.where(replaces, replaced, multiplied)
        total = portfolio.done + np.rint(rest).astype(np.int64)
        filed = (portfolio.year_end_value - portfolio.done).astype(np.float64)
        share = np.divide(filed, left, out=np.ones_like(filed), where=left > 0)
        knot = portfolio.done + np.rint(rest * share * (1 + intent)).astype(np.int64)
        # Pre-work spending is what was filed: neither growth nor intent of the construction.
        prework = portfolio.baseline_start > portfolio.year_end_day
        total = np.where(prework, np.maximum(total, portfolio.year_end_value), total)
        knot = np.where(prework, portfolio.year_end_value, np.minimum(knot, total))
        return np.maximum(knot, portfolio.done), total

    def gates(self) -> tuple[Bools, Ints, Ints, Ints]:
        """State and working days of every open gate, and the count of working days."""
        sampler = self._sampler
        shape = (self._count, int(sampler.frame.gate_first[-1]))
        preparation, review = np.ones(shape, dtype=np.int64), np.ones(shape, dtype=np.int64)
        is_open = np.ones(shape[1], dtype=np.bool_)
        if not sampler.switched_on("gates"):
            # With uncertainty off gates take exactly the time that the plan leaves them.
            column = 0
            for _, chain in sampler.chains:
                for length in chain.planned_days:
                    is_open[column] = chain.fits
                    review[:, column] = max(length - 1, 1)
                    column += 1
            return is_open, preparation, review, np.arange(sampler.frame.days + 1)
        columns = [
            (sampler.portfolio.plan.gates[sampler.portfolio.plan.projects[i].procedure, gate],
             chain.under_way and not before)
            for i, chain in sampler.chains
            for gate, before in zip(chain.gates, chain.after, strict=True)
        ]  # fmt: skip
        drawn = self._quantiles([gate.preparation for gate, _ in columns],
                                self._of(register.GATE_PREPARATION))  # fmt: skip
        read = self._quantiles([gate.review for gate, _ in columns], self._of(register.GATE_REVIEW))
        left = self._of(register.GATE_ELAPSED)
        for column, (_, under_way) in enumerate(columns):
            if under_way:
                # Of a gate under way the rest is drawn: what was done by the status date is a
                # uniform share of the whole, taken from the preparation first.
                whole = drawn[:, column] + read[:, column]
                rest = whole * left[:, column]
                read[:, column] = np.minimum(read[:, column], rest)
                drawn[:, column] = rest - read[:, column]
        preparation = np.maximum(np.rint(drawn), 1).astype(np.int64)
        review = np.maximum(np.rint(read), 1).astype(np.int64)
        return is_open, preparation, review, sampler.workdays

    def calendar(self, row: int) -> Ints:
        """Cumulative availability of one replication."""
        model = self._sampler.calendar
        if model is None:
            return self._sampler.planned_calendar
        return _cumulative(realized_calendar(model, self._of("calendar")[row]))

    def may_start(self) -> Bools:
        """Days on which projects may start; every day where uncertainty is off."""
        if self._portfolio.plan.states["all"] == "off":
            return np.ones_like(self._portfolio.may_start)
        return self._portfolio.may_start


def _scaled(amount: Ints, numerator: Ints, denominator: Ints) -> Ints:
    """Return floor(amount x numerator / denominator) without leaving int64."""
    quotient, remainder = np.divmod(amount, denominator)
    return np.asarray(quotient * numerator + remainder * numerator // denominator, dtype=np.int64)
