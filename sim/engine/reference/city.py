"""A year and what follows: the stories of all projects, and the month-ends that bind them."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from sim.engine.reference.approvals import Approvals
from sim.engine.reference.causes import causes_of_days
from sim.engine.reference.claims import Claims
from sim.engine.reference.clock import Clock, Story
from sim.engine.reference.construction import Construction
from sim.engine.reference.lines import Lines
from sim.engine.reference.payments import Payments
from sim.engine.reference.revision import Revision
from sim.engine.reference.treasury import Treasury
from sim.engine.rules import NEVER, PPM, Happening, Phase, Wait
from sim.engine.trajectory import Event, Trajectory
from sim.sampling.realization import Frame, Realization


def run_reference(
    frame: Frame, realization: Realization, log: list[Event] | None = None
) -> Trajectory:
    """Simulate one realization.

    Parameters
    ----------
    frame : Frame
        What is the same in every replication.
    realization : Realization
        Every random input.
    log : list, optional
        Events are appended to it, in the order in which they happen.

    Returns
    -------
    Trajectory
        Dates and amounts.
    """
    city = City(frame, realization, log)
    city.clock.environment.run()
    return city.trajectory()


class City:
    """One replication: a clock, the parts of the city, and the stories that bind them."""

    def __init__(self, frame: Frame, drawn: Realization, log: list[Event] | None) -> None:
        count, gates = len(frame.done), len(frame.gate_weight)
        checks = len(frame.accounts.check_release)
        self.clock = Clock(max(count, gates, checks), log)
        self._frame, self._drawn = frame, drawn
        self._months: list[int] = frame.month_ends.tolist()
        self._year_end = self._months[frame.year_end_month]
        self._revision = Revision(self.clock, frame)
        self._approvals = Approvals(self.clock, frame, drawn, self._revision)
        self._site = Construction(self.clock, frame, drawn, self._drop)
        self._claims = Claims(self.clock, frame, drawn)
        lines = Lines(frame.accounts)
        self._treasury = Treasury(self.clock, frame, drawn, lines)
        self._payments = Payments(self.clock, frame, drawn, lines, self._treasury)
        self._dropped = [NEVER] * count
        self._ready = [NEVER] * count
        self._waits = [[0] * len(Wait) for _ in range(count)]
        # Plain lists of plain integers: quick to read one at a time, and exact.
        self._done: list[int] = frame.done.tolist()
        self._total: list[int] = drawn.total.tolist()
        self._overstatement: list[int] = drawn.overstatement.tolist()
        self._finished: list[bool] = frame.finished.tolist()
        self._prework: list[int] = frame.prework_weight.tolist()
        self._filed: list[list[int]] = frame.filed_value.tolist()
        self._tolerance: list[int] = frame.terms.tolerance.tolist()
        self._slow_rate: list[int] = frame.terms.slow_rate.tolist()
        self._fast_rate: list[int] = frame.terms.fast_rate.tolist()
        self._accelerates: list[bool] = frame.policy.accelerates.tolist()
        months = len(self._months)
        # What has not begun stands at its filed amount.
        self._value = [[done] * months for done in self._done]
        self._reported = [[done] * months for done in self._done]
        self._paid, self._arrears, self._claimed, self._progress = (
            [[0] * months for _ in range(count)] for _ in range(4)
        )
        self._live = list(range(count))
        self._to_measure = np.flatnonzero(~frame.finished).tolist()
        self._tell_stories()

    def _tell_stories(self) -> None:
        clock = self.clock
        for project in range(len(self._dropped)):
            clock.tell(self._project(project))
            at_rest = self._frame.finished[project] or self._frame.abandoned[project]
            if not self._frame.begun[project] and not at_rest:
                for gate in self._approvals.open_gates(project):
                    clock.tell(self._approvals.gate(project, gate, self._drop))
        for story in (
            self._treasury.receive(),
            *self._treasury.clock_checks(),
            self._revision.story(self._site.start, self._dropped),
            self._payment_runs(),
            self._month_ends(),
        ):
            clock.tell(story)

    # Projects ----------------------------------------------------------------------------------

    def _project(self, project: int) -> Story:
        frame, site = self._frame, self._site
        if frame.finished[project]:
            site.start[project] = int(frame.baseline_start[project])
            site.finish[project] = site.delivered[project] = int(frame.planned_finish[project])
            site.delivery[project].succeed()
            return
        if frame.abandoned[project]:
            if frame.begun[project]:
                site.start[project] = int(frame.baseline_start[project])
            self._dropped[project] = -1
            site.delivery[project].succeed()
            return
        if frame.begun[project]:
            site.start[project] = int(frame.baseline_start[project])
            yield from site.build(project, 0)
            return
        yield self.clock.all_of(
            [self._approvals.passing[gate] for gate in self._approvals.open_gates(project)]
        )
        yield self.clock.all_of([site.delivery[other] for other in frame.predecessors[project]])
        if self._revision.may_move(project, self._first_start_day(project)):
            yield self._revision.decided
        day = self._first_start_day(project)
        if day >= frame.days:
            return
        self._ready[project] = day
        yield self.clock.turn(day, Phase.STARTS, project)
        if frame.cash_gated[project]:
            yield from self._find_first_instalment(project)
        day = self.clock.now
        self._waits[project][Wait.EQUITY] = day - self._ready[project]
        site.start[project] = day
        self.clock.note(Phase.STARTS, project, Happening.STARTED)
        yield from site.build(project, day)

    def _find_first_instalment(self, project: int) -> Story:
        """Try to set the first instalment aside, now and whenever money comes."""
        while not self._treasury.set_aside_first_instalment(project):
            self.clock.note(Phase.STARTS, project, Happening.WAITS_FOR_MONEY)
            yield self._treasury.receipt(project)
            allowed = self._next_allowed(project, self.clock.now)
            if allowed >= self._frame.days:
                yield self.clock.signal()  # never again before the horizon
            yield self.clock.turn(allowed, Phase.STARTS, project)

    def _next_allowed(self, project: int, day: int) -> int:
        """Return the first day from `day` on that no no-start period holds."""
        allowed = self._drawn.may_start[self._frame.class_of[project]]
        while day < self._frame.days and not allowed[day]:
            day += 1
        return day

    def _first_start_day(self, project: int) -> int:
        """Find the day on which a project is ready but for money, and book what it waited for.

        What lies beyond the horizon counts as the day after it.
        """
        days, planned = self._frame.days, self._revision.start[project]
        gates = self._approvals.open_gates(project)
        passed = [self._approvals.passed[gate] for gate in gates]
        unqueued = [self._approvals.unqueued(project, gate) for gate in gates]
        delivered = [self._delivered_or_dropped(one) + 1
                     for one in self._frame.predecessors[project]]  # fmt: skip
        ready = {
            Wait.GATE: max(unqueued, default=planned),
            Wait.WINDOW: max(passed, default=planned),
            Wait.PREDECESSOR: max(delivered, default=planned),
            Wait.SLIP: planned + int(self._drawn.slip[project]),
        }
        day = planned
        for cause, earliest in ready.items():
            self._waits[project][cause] = max(min(earliest, days) - day, 0)
            day = max(day, min(earliest, days))
        free = self._next_allowed(project, day)
        self._waits[project][Wait.NO_START] = free - day
        return free

    def _delivered_or_dropped(self, project: int) -> int:
        return min(self._site.delivered[project], self._dropped[project])

    def _drop(self, project: int, phase: Phase) -> None:
        """Give a project up: it stands still, and successors no longer wait for it."""
        self._dropped[project] = self.clock.now
        self.clock.note(phase, project, Happening.DROPPED)
        self._treasury.give_back(project)
        self._site.delivery[project].succeed()

    # Month-ends --------------------------------------------------------------------------------

    def _month_ends(self) -> Story:
        for month, day in enumerate(self._months):
            yield self.clock.turn(day, Phase.MEASURE, self.clock.last)
            for project in self._to_measure:
                self._measure(project, month, day)
            self._to_measure = [one for one in self._to_measure if not self._is_told(one, month)]
            yield self.clock.turn(day, Phase.CLOSE, self.clock.late)
            self._close(month, day)
            if self._nothing_left():
                return

    def _payment_runs(self) -> Story:
        for run, day in enumerate(self._frame.terms.pay_days.tolist()):
            if self._nothing_left():
                return
            yield self.clock.turn(day, Phase.PAY, self.clock.last)
            for project in self._live:
                if amount := self._claims.due[project][run]:
                    self._payments.fall_due(project, amount, run)
            self._payments.pay(run, self._live)

    def _nothing_left(self) -> bool:
        """Tell whether all projects are over and no account goes on receiving."""
        return not self._live and not self._frame.policy.money_limited

    def _measure(self, project: int, month: int, day: int) -> None:
        """Measure the value of work, report it, and claim what is due on it."""
        site, claims = self._site, self._claims
        started = site.start[project] != NEVER
        if not (started or self._prework[project]):
            return
        done = self._done[project]
        before = self._value[project][month - 1] if month else done
        worked = site.worked(project, min(day, self._dropped[project]))
        seen = site.value(project, worked, day) if started else self._prework_value(project, day)
        value = max(before, claims.recognised(project, seen, day))
        overstated = (value - done) * (PPM + self._overstatement[project]) // PPM
        reported = min(done + overstated, self._total[project])
        self._value[project][month], self._reported[project][month] = value, reported
        if started:
            self._progress[project][month] = site.progress(project, worked)
            if self._dropped[project] == NEVER:
                claims.claim_advance(project, month)
            in_work = month == 0 or site.finish[project] > self._months[month - 1]
            if site.rate[project] > PPM and in_work:
                claims.add_premium(project, value - before, site.rate[project])
        claims.claim(project, value, month, settled=site.delivered[project] < day)
        if value > before:
            self.clock.note(Phase.MEASURE, project, Happening.MEASURED, value)
            self.clock.note(Phase.MEASURE, project, Happening.REPORTED, reported)

    def _prework_value(self, project: int, day: int) -> int:
        """Return the value of what is spent on gates before the start."""
        done, knot = self._done[project], int(self._drawn.year_end_value[project])
        until = min(day, self._dropped[project])
        share = self._approvals.prework(project, until, self._year_end)
        return done + (knot - done) * share // PPM

    def _close(self, month: int, day: int) -> None:
        """Set next month's rates, write the month down, close the year."""
        if self._frame.accounts.year_closes[month] and self._frame.policy.money_limited:
            self._treasury.close_year()
        claimed = self._claims.claimed
        for project in self._live:
            self._paid[project][month] = self._payments.paid[project]
            self._arrears[project][month] = self._payments.arrears[project]
            self._claimed[project][month] = claimed[project]
            at_work = self._site.is_active(project) and self._dropped[project] == NEVER
            if self._site.rates_change and at_work:
                self._site.settle(project, day)
                self._site.rate[project] = self._next_rate(project, month, day)
        self._treasury.record(month)
        self._approvals.record(month)
        over = {one for one in self._live if self._is_over(one, month, day)}
        self._live = [one for one in self._live if one not in over]
        # What was given up stands still: an adjustment that comes later raises it no more.
        self._to_measure = [one for one in self._to_measure if one not in over]
        self._site.open_month(month + 1)

    def _next_rate(self, project: int, month: int, day: int) -> int:
        """Return the work rate of the next month: arrears slow, owners behind accelerate."""
        value = self._value[project][month]
        base = max(value, self._claims.ever_claimed(project), 1)  # arrears filed before any value
        owed = self._payments.arrears[project]
        tolerated = base * self._tolerance[project] // PPM
        rate = PPM
        if owed > tolerated:
            rate = max(PPM - (owed - tolerated) * PPM // base, self._slow_rate[project])
        elif self._accelerates[month] and value < self._filed[project][month]:
            planned = self._frame.planned_calendar[self._frame.class_of[project]]
            left = int(planned[self._year_end + 1] - planned[day + 1])
            needed = -(-self._site.knot_gap(project) // left) if left else PPM
            rate = max(PPM, min(needed, self._fast_rate[project]))
        if rate != self._site.rate[project]:
            self.clock.note(Phase.CLOSE, project, Happening.RATE_SET, rate)
        return rate

    def _is_told(self, project: int, month: int) -> bool:
        """Tell whether a project has claimed all that it ever will; if so, its value stays."""
        delivered = self._site.delivered[project] < self._months[month]
        if not delivered or not self._claims.is_complete(project):
            return False
        self._carry_forward(project, month, (self._value, self._reported, self._progress))
        return True

    def _is_over(self, project: int, month: int, day: int) -> bool:
        """Tell whether nothing can change any more; if so, carry the last month forward."""
        if day <= self._year_end or self._payments.arrears[project]:
            return False
        if self._dropped[project] == NEVER and not (
            self._site.delivered[project] < day
            and (self._finished[project] or self._claims.is_complete(project))
        ):
            return False
        if any(self._claims.due[project][month + 1 :]):
            return False
        self._carry_forward(
            project, month,
            (self._value, self._reported, self._progress, self._paid, self._arrears,
             self._claimed),
        )  # fmt: skip
        return True

    def _carry_forward(self, project: int, month: int, tables: Iterable[list[list[int]]]) -> None:
        """Let later months of a project repeat this one."""
        left = len(self._months) - month - 1
        for table in tables:
            row = table[project]
            row[month + 1 :] = [row[month]] * left

    # The outcome -------------------------------------------------------------------------------

    def trajectory(self) -> Trajectory:
        """Return what happened, as arrays."""
        frame, site = self._frame, self._site
        for project, start in enumerate(site.start):
            if start == NEVER and self._dropped[project] == NEVER:  # what held it until the end
                ready = self._first_start_day(project)
                self._waits[project][Wait.EQUITY] = max(frame.days - ready, 0)
        causes = causes_of_days(frame, self._drawn, site, self._revision.start, self._dropped)
        return Trajectory(
            replication=self._drawn.replication,
            start=np.array(site.start, dtype=np.int64),
            finish=np.array(site.finish, dtype=np.int64),
            delivered=np.array(site.delivered, dtype=np.int64),
            dropped=np.array(self._dropped, dtype=np.int64),
            waits=np.array(self._waits, dtype=np.int64).reshape(-1, len(Wait)),
            causes=causes,
            joined=self._revision.joined,
            left=self._revision.left,
            value=np.array(self._value, dtype=np.int64),
            reported=np.array(self._reported, dtype=np.int64),
            paid=np.array(self._paid, dtype=np.int64),
            arrears=np.array(self._arrears, dtype=np.int64),
            claimed=np.array(self._claimed, dtype=np.int64),
            progress=np.array(self._progress, dtype=np.int64),
            premium=np.array(self._claims.premium, dtype=np.int64),
            **self._treasury.tables,
            queued=self._approvals.queued,
            taken=self._approvals.taken,
            waited=self._approvals.waited,
            check_spent=self._treasury.check_spent,
        )
