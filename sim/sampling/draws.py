"""From uniforms to a realization: every random input, drawn and rounded once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from sim.plan.curves import PPM
from sim.plan.quantiles import quantile
from sim.plan.tables import YUAN_PER_UNIT
from sim.sampling import register
from sim.sampling.calendars import realized_calendar
from sim.sampling.frame import cumulative
from sim.sampling.gate_times import gate_times, quantiles_of
from sim.sampling.money import ACCOUNT_ROOMS, own_share, realized_releases
from sim.sampling.realization import Bools, Ints, Realization
from sim.sampling.risks import strike
from sim.sampling.rounding import whole
from sim.sampling.sampler import ADDING, MULTIPLYING, Sampler, subjects
from sim.sampling.streams import uniforms
from sim.sampling.strikes import extra_cost, gate_effects, still_ahead, stops_of, work_saved

Floats = NDArray[np.float64]

_WORK_LIMIT = 10**12
"""Milli-days: a thousand times a project of centuries; times the curve's segments it fits int64."""
_AMOUNT_LIMIT = 9 * 10**12
"""Yuan: times a million ppm it fits int64."""
_REPORT_LIMIT = 1000 * PPM
_NO_START_SPREAD_DAYS = 180
"""A start that the year does not see happens in the first half of the next, uniformly."""


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
    slip, acceptance = batch.starts(), batch.acceptance()
    work, first_work, saved = batch.work(factors["duration"])
    year_end_value, total = batch.values(factors["cost"], factors["intent"])
    advance = batch.advances(year_end_value, total)
    # A report may fall short of the work, but not below nothing: 1 + overstatement >= 0.
    overstatement = whole((1 + factors["report"]) * PPM, _REPORT_LIMIT, "report") - PPM
    gates = gate_times(sampler, u, factors["land"])
    delay, dropped = gate_effects(batch.strikes, len(numbers), gates.preparation.shape[1])
    release_day, release_amount = batch.releases()
    own = own_share(factors["own"])
    for row, number in enumerate(numbers.tolist()):
        calendar, losses = batch.calendar(row)
        stops = stops_of(batch.strikes, row, work[row])
        yield Realization(
            replication=number,
            slip=slip[row],
            work=work[row],
            first_work=first_work[row],
            work_saved=saved[row],
            year_end_value=year_end_value[row],
            total=total[row],
            advance=advance[row],
            acceptance=acceptance[row],
            overstatement=overstatement[row],
            gate_open=gates.is_open,
            gate_preparation=gates.preparation[row],
            gate_review=gates.review[row],
            gate_delay=delay[row],
            gate_dropped=dropped[row],
            stop_first=stops.first,
            stop_at=stops.at,
            stop_days=stops.days,
            workdays=gates.workdays,
            calendar=calendar,
            calendar_losses=losses,
            may_start=batch.may_start(),
            release_day=release_day[row],
            release_amount=release_amount[row],
            own_share=own[row],
            drivers={name: float(values[row]) for name, values in drivers.items()},
        )


class _Batch:
    """The draws of several replications, from uniforms of shape (R, A) to integers."""

    def __init__(self, sampler: Sampler, u: Floats) -> None:
        self._sampler, self._u = sampler, u
        self._portfolio = sampler.portfolio
        self._count = len(u)
        self._duration_u, self._cost_u = self._probabilities()
        self.strikes = None
        if sampler.risks is not None:
            everything = np.maximum(self._portfolio.work_before + self._portfolio.work_left, 1)
            behind = self._portfolio.work_before / everything
            struck = strike(sampler.risks, self._of("risks"))
            self.strikes = still_ahead(sampler.risks, struck, behind)
        self._money: dict[tuple[str, int], Floats] = {}

    def _of(self, group: str) -> Floats:
        return self._u[:, self._sampler.groups[group]]

    def _full(self, value: float) -> Floats:
        return np.full((self._count, self._portfolio.size), value)

    def drivers(self) -> tuple[dict[str, Floats], dict[str, Floats]]:
        """Return what drivers drew, by subject, and their joint effect on each project."""
        projects = self._portfolio.plan.projects
        drawn: dict[str, Floats] = {}
        effect = {name: self._full(1.0) for name in MULTIPLYING}
        effect |= {name: self._full(0.0) for name in ADDING}
        u, column = self._of(register.DRIVER), 0
        for driver in self._sampler.drivers:
            if driver.acts_on == "calendar":
                continue
            for subject, index in subjects(self._portfolio, driver):
                values = quantile(driver.active, u[:, column])
                column += 1
                if index == 0:
                    drawn[subject] = values
                if driver.acts_on in ACCOUNT_ROOMS:
                    self._money[subject, index] = values
            if driver.acts_on in ACCOUNT_ROOMS:
                continue
            exposure = np.array(
                [
                    driver.exposure.of(self._portfolio.attribute(i, driver.exposure.by))
                    for i in range(len(projects))
                ]
            )
            if driver.scope == "city":
                values = drawn[driver.name][:, None]
            else:
                values = np.stack([drawn[f"{driver.name}/{p.county}"] for p in projects], axis=1)
            if driver.acts_on in MULTIPLYING:
                with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
                    effect[driver.acts_on] = effect[driver.acts_on] * values**exposure
            else:
                effect[driver.acts_on] = effect[driver.acts_on] + values * exposure
        return drawn, effect

    def starts(self) -> Ints:
        """Days of slip; a start that the year does not see falls into the next."""
        portfolio = self._portfolio
        planned = portfolio.decided_start
        start = np.broadcast_to(planned, (self._count, portfolio.size)).copy()
        waiting = ~portfolio.begun & ~portfolio.finished
        if self._sampler.switched_on("slip"):
            self._slip(start, np.flatnonzero(waiting), planned)
        held = np.where(portfolio.postponed & waiting, portfolio.year_end_day + 1, planned)
        return np.maximum(start, held) - planned

    def _slip(self, start: Ints, waiting: Ints, planned: Ints) -> None:
        """Add slips and missed starts to planned days, in place."""
        portfolio = self._portfolio
        slip_u, missed_u = self._of(register.SLIP), self._of(register.NO_START)
        delay = np.floor(self._of(register.NO_START_DELAY) * _NO_START_SPREAD_DAYS)
        next_year = portfolio.year_end_day + 1
        for i in waiting:
            one = portfolio.type_of(int(i))
            slip = np.maximum(np.rint(quantile(one.slip, slip_u[:, i])), 0).astype(np.int64)
            start[:, i] += slip
            if planned[i] < next_year and one.no_start > 0:
                missed = missed_u[:, i] < one.no_start
                late = next_year + delay[:, i].astype(np.int64)
                start[:, i] = np.where(missed, np.maximum(start[:, i], late), start[:, i])

    def acceptance(self) -> Ints:
        """Days from finish to delivery."""
        u = self._of(register.ACCEPTANCE)
        if not self._sampler.switched_on("acceptance"):
            u = np.full(u.shape, 0.5)
        days = quantiles_of(
            [self._portfolio.type_of(i).acceptance_days for i in range(self._portfolio.size)], u
        )
        return np.rint(days).astype(np.int64)

    def _probabilities(self) -> tuple[Floats, Floats]:
        """Return correlated probabilities of durations and costs."""
        from scipy import special

        sampler, portfolio = self._sampler, self._portfolio
        own = special.ndtri(self._of(register.DURATION))
        own_cost = special.ndtri(self._of(register.COST))
        duration, cost = own, own_cost
        if sampler.switched_on("dependence"):
            duration = sampler.loadings.mix(special.ndtri(self._of(register.FACTOR)), own)
            if (given := sampler.given[register.DURATION]) is not None:
                duration = given.impose(duration, own)
            rho = np.array(
                [portfolio.type_of(i).duration_cost_correlation for i in range(portfolio.size)]
            )
            cost = rho * duration + np.sqrt(1 - rho**2) * own_cost
            if (given := sampler.given[register.COST]) is not None:
                cost = given.impose(cost, own_cost)
        edge = 2.0**-53
        return (
            np.clip(special.ndtr(duration), edge, 1 - edge),
            np.clip(special.ndtr(cost), edge, 1 - edge),
        )

    def work(self, driven: Floats) -> tuple[Ints, Ints, Ints]:
        """Milli-days of work left, the part before the year-end knot, and what was saved of it."""
        portfolio, projects = self._portfolio, self._portfolio.plan.projects
        u, on = self._duration_u, self._sampler.switched_on("duration")
        distributions = [one.duration for one in projects]
        drawn = quantiles_of(distributions, u if on else np.full(u.shape, 0.5))
        replaces = np.array([one.duration.unit == "days" for one in projects], dtype=np.bool_)
        multiplier = np.where(replaces | (not on), 1.0, drawn)
        planned = np.broadcast_to(portfolio.work_left, drawn.shape).astype(np.float64).copy()
        for i in np.flatnonzero(replaces):
            planned[:, i] = self._work_of_days(int(i), np.rint(drawn[:, i]).astype(np.int64))
        work = whole(planned * multiplier * driven, _WORK_LIMIT, "work")
        saved = work_saved(self.strikes, work)
        work = work - saved
        planned_work = np.maximum(portfolio.work_left, 1)
        return work, _scaled(work, portfolio.work_to_year_end, planned_work), saved

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
        drawn = quantiles_of([one.cost for one in projects], u if on else np.full(u.shape, 0.5))
        replaces = np.array([one.cost.unit == "amount" for one in projects], dtype=np.bool_)
        left = (portfolio.total - portfolio.done).astype(np.float64)
        unit = YUAN_PER_UNIT[portfolio.plan.amount_unit]
        multiplied = left * (drawn if on else 1.0) * driven
        replaced = np.maximum(drawn * unit - portfolio.done, 0) * driven
        rest = np.where(replaces, replaced, multiplied)
        filed = (portfolio.year_end_value - portfolio.done).astype(np.float64)
        share = np.divide(filed, left, out=np.ones_like(filed), where=left > 0)
        planned = np.maximum(portfolio.work_left, 1)
        until = np.where(portfolio.work_left > 0, portfolio.work_to_year_end / planned, 1.0)
        more, sooner, mitigation = extra_cost(self.strikes, self._count, until)
        # Mitigation is spent in step with the work.
        in_year = rest * (share + sooner) + mitigation * until
        rest = rest * (1 + more) + mitigation
        total = portfolio.done + whole(np.maximum(rest, 0), _AMOUNT_LIMIT, "cost")
        raised = whole(np.maximum(in_year, 0) * (1 + intent), _AMOUNT_LIMIT, "intent")
        knot = portfolio.done + raised
        # Pre-work spending is what was filed: neither growth nor intent of the construction.
        prework = portfolio.baseline_start > portfolio.year_end_day
        total = np.where(prework, np.maximum(total, portfolio.year_end_value), total)
        knot = np.where(prework, portfolio.year_end_value, np.minimum(knot, total))
        total = np.where(portfolio.finished, portfolio.done, total)
        return np.where(portfolio.finished, portfolio.done, np.maximum(knot, portfolio.done)), total

    def advances(self, knot: Ints, total: Ints) -> Ints:
        """Yuan claimed at the start: a share of what is intended in the first year."""
        portfolio = self._portfolio
        share = np.array([round(portfolio.type_of(i).advance * PPM) for i in range(portfolio.size)])
        days = portfolio.planned_finish - portfolio.baseline_start + 1
        first_year = np.minimum(PPM * 365 // np.maximum(days, 1), PPM)
        later = portfolio.baseline_start > portfolio.year_end_day
        intended = np.where(later, (total - knot) * first_year // PPM, knot - portfolio.done)
        starts = ~portfolio.begun & ~portfolio.finished
        return np.asarray(np.where(starts, intended * share // PPM, 0), dtype=np.int64)

    def releases(self) -> tuple[Ints, Ints]:
        """Day and yuan of every release."""
        acting = [one for one in self._sampler.drivers if one.acts_on in ACCOUNT_ROOMS]
        return realized_releases(
            self._portfolio, self._sampler.purses, acting, self._money, self._count
        )

    def calendar(self, row: int) -> tuple[Ints, Ints]:
        """Cumulative availability of one replication, and what each cause takes."""
        model = self._sampler.calendar
        if model is None:
            return self._sampler.planned_calendar, self._sampler.planned_losses
        left, losses = realized_calendar(model, self._of("calendar")[row])
        return cumulative(left), cumulative(losses)

    def may_start(self) -> Bools:
        """Days on which projects may start; every day where uncertainty is off."""
        if self._portfolio.plan.states["all"] == "off":
            return np.ones_like(self._portfolio.may_start)
        return self._portfolio.may_start


def _scaled(amount: Ints, numerator: Ints, denominator: Ints) -> Ints:
    """Return floor(amount x numerator / denominator) without leaving int64."""
    quotient, remainder = np.divmod(amount, denominator)
    return np.asarray(quotient * numerator + remainder * numerator // denominator, dtype=np.int64)
