"""A second telling of the draws: batches of replications in numpy and scipy, no kernels.

It is written apart from the kernels of `sim.sampling`: what both say alike is not a slip of
either. Only what is prepared once, before any draw, is shared.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from sim.plan.curves import PPM
from sim.plan.language import Distribution
from sim.plan.quantiles import quantile
from sim.plan.tables import YUAN_PER_UNIT
from sim.sampling import register
from sim.sampling.calendars import CalendarModel
from sim.sampling.dependence import GivenCorrelation
from sim.sampling.draw_shared import shared_labels
from sim.sampling.frame import cumulative
from sim.sampling.money import ACCOUNT_ROOMS, BOND_DELAY, acts_on_account, exposure_of, years_of
from sim.sampling.quasi import quasi_points
from sim.sampling.realization import Realization
from sim.sampling.sampler import ADDING, MULTIPLYING, Sampler, subjects
from tests.naive_risks import (
    Struck,
    extra_cost,
    gate_effects,
    still_ahead,
    stops_of,
    strike,
    work_saved,
)

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_MULTIPLIERS = (np.uint64(0xD2511F53), np.uint64(0xCD9E8D57))
_WEYL = (0x9E3779B9, 0xBB67AE85)
_LOW, _HALF = np.uint64(0xFFFFFFFF), np.uint64(32)


def uniforms(seed: int, replications: ArrayLike, addresses: ArrayLike) -> Floats:
    """Draw one uniform number for each replication and address, shape (R, A)."""
    rows = np.asarray(replications, dtype=np.uint64)[:, None]
    columns = np.asarray(addresses, dtype=np.uint64)[None, :]
    c0, c1, c2, c3 = np.broadcast_arrays(rows & _LOW, rows >> _HALF, columns & _LOW,
                                         columns >> _HALF)  # fmt: skip
    key0, key1 = seed & 0xFFFFFFFF, seed >> 32
    for _ in range(10):
        product0, product1 = _MULTIPLIERS[0] * c0, _MULTIPLIERS[1] * c2
        c0, c1, c2, c3 = (
            (product1 >> _HALF) ^ c1 ^ np.uint64(key0),
            product1 & _LOW,
            (product0 >> _HALF) ^ c3 ^ np.uint64(key1),
            product0 & _LOW,
        )
        key0, key1 = (key0 + _WEYL[0]) & 0xFFFFFFFF, (key1 + _WEYL[1]) & 0xFFFFFFFF
    bits = np.minimum(((c0 << _HALF) | c1) >> np.uint64(11), np.uint64((1 << 53) - 2))
    return np.asarray((bits.astype(np.float64) + 0.5) * 2.0**-53, dtype=np.float64)


def whole(values: Floats) -> Ints:
    """Round, where nothing is out of range."""
    assert np.isfinite(values).all()
    return np.rint(values).astype(np.int64)


def quantiles_of(distributions: Sequence[Distribution], u: Floats) -> Floats:
    """Evaluate one distribution a column, each different one only once."""
    columns: dict[Distribution, list[int]] = {}
    for i, one in enumerate(distributions):
        columns.setdefault(one, []).append(i)
    result = np.empty(u.shape)
    for one, members in columns.items():
        result[:, members] = quantile(one, u[:, members])
    return result


def impose(given: GivenCorrelation | None, scores: Floats, own: Floats) -> Floats:
    """Return scores with columns mixed anew by a given triangle."""
    if given is None:
        return scores
    result = scores.copy()
    for row, column in enumerate(given.columns):
        mixed = np.zeros(len(scores))
        for k in range(row + 1):
            mixed = mixed + given.triangle[row, k] * own[:, given.columns[k]]
        result[:, column] = mixed
    return result


def tie(sampler: Sampler, u: Floats) -> None:
    """Correlate the uniforms of drivers, group by group, in place."""
    for group in sampler.ties:
        columns = [sampler.addresses == np.uint64(register.address(*one)) for one in group.labels]
        own = np.stack([special.ndtri(u[:, column][:, 0]) for column in columns], axis=1)
        scores = own @ group.triangle.T
        for k, column in enumerate(columns):
            if group.triangle[k, :k].any():
                u[:, column] = special.ndtr(scores[:, [k]])


def realized_calendar(model: CalendarModel, u: Floats) -> tuple[Ints, Ints]:
    """Return milli-days left of each day (C, days) and taken by each cause (K, C, days)."""
    shares = model.still.copy()
    days = shares.shape[2]
    for stop, (length, occurs, place) in zip(model.stops, u.reshape(-1, 3), strict=True):
        driver = stop.driver
        stress = driver.state == "stress"
        if occurs >= (driver.stress_probability if stress else driver.probability):
            continue
        drawn = float(quantile(driver.active, np.array([length]))[0])
        count = round(drawn / driver.episodes) if stop.placed else round(drawn)
        if stop.placed:
            room = max(stop.last - stop.first + 1 - count, 0)
            begin = stop.first + int(place * (room + 1))
        else:
            begin = stop.first + (stop.last - stop.first + 1 - count) // 2
        span = slice(max(begin, 0), max(min(begin + count, days), 0))
        shares[stop.cause, stop.rows, span] *= stop.factors[:, None]
    losses = np.empty(shares.shape, dtype=np.int64)
    share, left = np.ones(shares.shape[1:]), np.full(shares.shape[1:], 1000, dtype=np.int64)
    for k in range(len(shares)):
        share *= shares[k]
        now = np.rint(share * 1000).astype(np.int64)
        losses[k], left = left - now, now
    return left, losses


def naive_draw(sampler: Sampler, replications: Sequence[int]) -> Iterator[Realization]:
    """Draw realizations, all at once."""
    numbers = np.asarray(replications, dtype=np.int64)
    u = uniforms(sampler.seed, numbers, sampler.addresses)
    if sampler.sampling == "quasi":
        labels = shared_labels(sampler)
        points = quasi_points(labels, sampler.seed, numbers.tolist())
        for label, column in zip(labels, points.T, strict=True):
            u[:, sampler.addresses == np.uint64(register.address(*label))] = column[:, None]
    tie(sampler, u)
    batch = _Batch(sampler, u)
    drivers, effects = batch.drivers()
    work, first_work, saved = batch.work(effects["duration"])
    year_end_value, total = batch.values(effects["cost"], effects["intent"])
    slip, acceptance = batch.starts(), batch.acceptance()
    advance = batch.advances(year_end_value, total)
    overstatement = whole((1 + effects["report"]) * PPM) - PPM
    is_open, preparation, review, workdays = batch.gates(effects["land"])
    delay = np.zeros(preparation.shape, np.int64)
    dropped = delay != 0
    if sampler.risks is not None:
        assert batch.struck is not None
        delay, dropped = gate_effects(sampler.risks, batch.struck, preparation.shape[1])
    release_day, release_amount = batch.releases()
    own = np.clip(np.rint(effects["own"] * PPM), 0, PPM).astype(np.int64)
    portfolio = sampler.portfolio
    off = portfolio.plan.states["all"] == "off"
    for row, number in enumerate(numbers.tolist()):
        calendar, losses = sampler.planned_calendar, sampler.planned_losses
        if sampler.calendar is not None:
            left, taken = realized_calendar(sampler.calendar, batch.of("calendar")[row])
            calendar, losses = cumulative(left), cumulative(taken)
        stops = (np.zeros(portfolio.size + 1, np.int64), *(np.zeros(0, np.int64),) * 2)
        if sampler.risks is not None and batch.struck is not None:
            stops = stops_of(sampler.risks, batch.struck, row, work[row])
        yield Realization(
            replication=number,
            slip=slip[row], work=work[row], first_work=first_work[row], work_saved=saved[row],
            year_end_value=year_end_value[row], total=total[row], advance=advance[row],
            acceptance=acceptance[row], overstatement=overstatement[row],
            gate_open=is_open, gate_preparation=preparation[row], gate_review=review[row],
            gate_delay=delay[row], gate_dropped=dropped[row],
            stop_first=stops[0], stop_at=stops[1], stop_days=stops[2],
            workdays=workdays, calendar=calendar, calendar_losses=losses,
            may_start=np.ones_like(portfolio.may_start) if off else portfolio.may_start,
            release_day=release_day[row], release_amount=release_amount[row],
            own_share=own[row],
            drivers={name: float(values[row]) for name, values in drivers.items()},
        )  # fmt: skip


class _Batch:
    """The draws of several replications, from uniforms of shape (R, A) to integers."""

    def __init__(self, sampler: Sampler, u: Floats) -> None:
        self._sampler, self._u = sampler, u
        self._portfolio = sampler.portfolio
        self._count = len(u)
        self._duration_u, self._cost_u = self._probabilities()
        self.struck: Struck | None = None
        if sampler.risks is not None:
            everything = np.maximum(self._portfolio.work_before + self._portfolio.work_left, 1)
            behind = self._portfolio.work_before / everything
            struck = strike(sampler.risks, self.of("risks"))
            self.struck = still_ahead(sampler.risks, struck, behind)
        self._money: dict[tuple[str, int], Floats] = {}

    def of(self, group: str) -> Floats:
        return self._u[:, self._sampler.groups[group]]

    def _full(self, value: float) -> Floats:
        return np.full((self._count, self._portfolio.size), value)

    def drivers(self) -> tuple[dict[str, Floats], dict[str, Floats]]:
        """Return what drivers drew, by subject, and their joint effect on each project."""
        portfolio, projects = self._portfolio, self._portfolio.plan.projects
        drawn: dict[str, Floats] = {}
        effect = {name: self._full(1.0) for name in MULTIPLYING}
        effect |= {name: self._full(0.0) for name in ADDING}
        u, column = self.of(register.DRIVER), 0
        for driver in self._sampler.drivers:
            if driver.acts_on == "calendar":
                continue
            for subject, index in subjects(portfolio, driver):
                values = quantile(driver.active, u[:, column])
                column += 1
                if index == 0:
                    drawn[subject] = values
                self._money[subject, index] = values
            if driver.acts_on in ACCOUNT_ROOMS:
                continue
            by = driver.exposure.by
            exposure = np.array(
                [driver.exposure.of(portfolio.attribute(i, by)) for i in range(len(projects))]
            )
            if driver.scope == "city":
                values = drawn[driver.name][:, None]
            else:
                values = np.stack([drawn[f"{driver.name}/{p.county}"] for p in projects], axis=1)
            if driver.acts_on in MULTIPLYING:
                effect[driver.acts_on] = effect[driver.acts_on] * values**exposure
            else:
                effect[driver.acts_on] = effect[driver.acts_on] + values * exposure
        each, column = self.of(register.DRIVER_EACH), 0
        for driver in self._sampler.drivers:
            if driver.each is not None:
                values = quantile(driver.each, each[:, column : column + len(projects)])
                column += len(projects)
                adds = driver.acts_on not in MULTIPLYING
                before = effect[driver.acts_on]
                effect[driver.acts_on] = before + values if adds else before * values
        return drawn, effect

    def starts(self) -> Ints:
        """Days of slip; a start that the year does not see falls into the next."""
        portfolio = self._portfolio
        planned = portfolio.decided_start
        start = np.broadcast_to(planned, (self._count, portfolio.size)).copy()
        waiting = ~portfolio.begun & ~portfolio.finished
        if self._sampler.switched_on("slip"):
            slip_u, missed_u = self.of(register.SLIP), self.of(register.NO_START)
            delay = np.floor(self.of(register.NO_START_DELAY) * 180)
            next_year = portfolio.year_end_day + 1
            for i in np.flatnonzero(waiting):
                one = portfolio.type_of(int(i))
                slip = np.maximum(np.rint(quantile(one.slip, slip_u[:, i])), 0).astype(np.int64)
                start[:, i] += slip
                if planned[i] < next_year and one.no_start > 0:
                    missed = missed_u[:, i] < one.no_start
                    late = next_year + delay[:, i].astype(np.int64)
                    start[:, i] = np.where(missed, np.maximum(start[:, i], late), start[:, i])
        held = np.where(portfolio.postponed & waiting, portfolio.year_end_day + 1, planned)
        return np.maximum(start, held) - planned

    def acceptance(self) -> Ints:
        """Days from finish to delivery."""
        u = self.of(register.ACCEPTANCE)
        if not self._sampler.switched_on("acceptance"):
            u = np.full(u.shape, 0.5)
        kinds = [self._portfolio.type_of(i) for i in range(self._portfolio.size)]
        return whole(quantiles_of([one.acceptance_days for one in kinds], u))

    def _probabilities(self) -> tuple[Floats, Floats]:
        """Return correlated probabilities of durations and costs."""
        sampler, portfolio = self._sampler, self._portfolio
        own = special.ndtri(self.of(register.DURATION))
        own_cost = special.ndtri(self.of(register.COST))
        duration, cost = own, own_cost
        if sampler.switched_on("dependence"):
            factors = special.ndtri(self.of(register.FACTOR))
            duration = own * sampler.loadings.own
            for k in range(len(sampler.loadings.factors)):
                duration = duration + factors[:, k, None] * sampler.loadings.common[None, :, k]
            duration = impose(sampler.given[register.DURATION], duration, own)
            rho = np.array(
                [portfolio.type_of(i).duration_cost_correlation for i in range(portfolio.size)]
            )
            cost = rho * duration + np.sqrt(1 - rho**2) * own_cost
            cost = impose(sampler.given[register.COST], cost, own_cost)
        edge = 2.0**-53
        return (
            np.clip(special.ndtr(duration), edge, 1 - edge),
            np.clip(special.ndtr(cost), edge, 1 - edge),
        )

    def work(self, driven: Floats) -> tuple[Ints, Ints, Ints]:
        """Milli-days of work left, the part before the year-end knot, and what was saved of it."""
        portfolio, projects = self._portfolio, self._portfolio.plan.projects
        u, on = self._duration_u, self._sampler.switched_on("duration")
        drawn = quantiles_of([one.duration for one in projects], u if on else np.full(u.shape, 0.5))
        replaces = np.array([one.duration.unit == "days" for one in projects], dtype=np.bool_)
        multiplier = np.where(replaces | (not on), 1.0, drawn)
        planned = np.broadcast_to(portfolio.work_left, drawn.shape).astype(np.float64).copy()
        for i in np.flatnonzero(replaces):
            planned[:, i] = self._work_of_days(int(i), np.rint(drawn[:, i]).astype(np.int64))
        work = whole(planned * multiplier * driven)
        saved = np.zeros_like(work)
        if self._sampler.risks is not None and self.struck is not None:
            saved = work_saved(self._sampler.risks, self.struck, work)
        work = work - saved
        quotient, remainder = np.divmod(work, np.maximum(portfolio.work_left, 1))
        to_knot = portfolio.work_to_year_end
        part = quotient * to_knot + remainder * to_knot // np.maximum(portfolio.work_left, 1)
        return work, part, saved

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
        more, sooner, mitigation = self._full(0.0), self._full(0.0), np.zeros(portfolio.size)
        if self._sampler.risks is not None and self.struck is not None:
            more, sooner = extra_cost(self._sampler.risks, self.struck, until)
            mitigation = self._sampler.risks.mitigation_cost.astype(np.float64)
        in_year = rest * (share + sooner) + mitigation * until
        rest = rest * (1 + more) + mitigation
        total = portfolio.done + whole(np.maximum(rest, 0))
        # Nobody means to do less of what is to end in the year.
        ends = portfolio.planned_finish <= portfolio.year_end_day
        intent = np.where(ends, np.maximum(intent, 0), intent)
        knot = portfolio.done + whole(np.maximum(in_year, 0) * (1 + intent))
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

    def gates(self, land: Floats) -> tuple[NDArray[np.bool_], Ints, Ints, Ints]:
        """Return which gates are open, their preparation and review (R, G), and workdays."""
        sampler, plan = self._sampler, self._portfolio.plan
        if not sampler.switched_on("gates"):
            lengths = [length for _, chain in sampler.chains for length in chain.planned_days]
            fits = [chain.fits for _, chain in sampler.chains for _ in chain.gates]
            review = np.maximum(np.array(lengths, dtype=np.int64) - 1, 1)
            shape = (self._count, len(lengths))
            return (
                np.array(fits, np.bool_), np.ones(shape, np.int64), np.broadcast_to(review, shape),
                np.arange(sampler.frame.days + 1),
            )  # fmt: skip
        columns = [
            (i, gate, plan.gates[plan.projects[i].procedure, gate], chain.under_way and not before)
            for i, chain in sampler.chains
            for gate, before in zip(chain.gates, chain.after, strict=True)
        ]
        rows = [row for _, _, row, _ in columns]
        drawn = quantiles_of([row.preparation for row in rows], self.of(register.GATE_PREPARATION))
        read = quantiles_of([row.review for row in rows], self.of(register.GATE_REVIEW))
        left = self.of(register.GATE_ELAPSED)
        for column, (project, gate, _, under_way) in enumerate(columns):
            if gate == "land":
                drawn[:, column] *= land[:, project]
                read[:, column] *= land[:, project]
            if under_way:
                rest = (drawn[:, column] + read[:, column]) * left[:, column]
                read[:, column] = np.minimum(read[:, column], rest)
                drawn[:, column] = rest - read[:, column]
        is_open = np.ones(len(columns), np.bool_)
        return is_open, np.maximum(whole(drawn), 1), np.maximum(whole(read), 1), sampler.workdays

    def releases(self) -> tuple[Ints, Ints]:
        """Day and yuan of every release."""
        portfolio, purses = self._portfolio, self._sampler.purses
        shape = (self._count, len(purses.releases))
        factor, delay = np.ones(shape), np.full(shape, float(portfolio.plan.levers.bond_delay_days))
        accounts = {one.id: one for one in purses.accounts}
        planned, filed = np.zeros(shape[1], dtype=np.int64), np.zeros(shape[1])
        years = years_of(portfolio)
        for r, release in enumerate(purses.releases):
            account = accounts[release.account]
            planned[r], filed[r] = (release.available - portfolio.origin).days, release.amount
            if account.class_ != "special_bond":
                delay[:, r] = 0
            year = min(max(release.available.year - years.start, 0), len(years) - 1)
            for driver in self._sampler.drivers:
                if driver.acts_on not in ACCOUNT_ROOMS or not acts_on_account(driver, account):
                    continue
                subject = driver.name
                if driver.scope == "county":
                    subject = f"{driver.name}/{account.county or 'city'}"
                values, strength = self._money[subject, year], exposure_of(driver, account)
                if driver.acts_on == BOND_DELAY:
                    delay[:, r] += values * strength
                else:
                    factor[:, r] *= values**strength
        return np.maximum(planned + whole(delay), 0), whole(filed * factor)
