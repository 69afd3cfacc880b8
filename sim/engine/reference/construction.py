"""Construction: work through the calendar at a monthly rate, stops, acceptance, delivery."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable

from sim.engine.reference.clock import Clock, Story
from sim.engine.rules import NEVER, PPM, Happening, Phase
from sim.sampling.realization import GIVEN_UP, Frame, Realization


class Construction:
    """The sites of all projects.

    Work is counted in milli-days x ppm and never rounded, so that cutting a month in two would
    change nothing.

    Attributes
    ----------
    rates_change : bool
        Whether work rates can ever differ from a month to the next.
    start, finish, delivered : list of int
        Days; `NEVER` while they have not come.
    rate : list of int
        Work rate of the present month, ppm.
    effective : list of int
        Work done by the end of the day before `since`, milli-days x ppm.
    since : list of int
        First day whose work is not yet counted.
    missed, gained, stopped : list of int
        Milli-days x ppm of the calendar that slow work left unused, that fast work got on top,
        and that stops left unused.
    delivery : list of simpy.Event
        Set off when a project is delivered, or dropped.
    """

    def __init__(
        self, clock: Clock, frame: Frame, drawn: Realization, drop: Callable[[int, Phase], None]
    ) -> None:
        self._clock, self._frame, self._drawn, self._drop = clock, frame, drawn, drop
        count = len(frame.done)
        # Plain lists of plain integers: quick to read one at a time, and exact.
        self.calendar: list[list[int]] = [row.tolist() for row in drawn.calendar]
        self._class_of: list[int] = frame.class_of.tolist()
        self._work: list[int] = drawn.work.tolist()
        self._first_work: list[int] = drawn.first_work.tolist()
        self._knot: list[int] = drawn.year_end_value.tolist()
        self._total: list[int] = drawn.total.tolist()
        self._done: list[int] = frame.done.tolist()
        self._curves = (frame.first_knots.tolist(), frame.second_knots.tolist())
        self._stop_at: list[int] = drawn.stop_at.tolist()
        self._stop_days: list[int] = drawn.stop_days.tolist()
        self._next_stop: list[int] = drawn.stop_first[:-1].tolist()
        self._last_stop: list[int] = drawn.stop_first[1:].tolist()
        self._months: list[int] = frame.month_ends.tolist()
        self._year_end = self._months[frame.year_end_month]
        policy = frame.policy
        self.rates_change = policy.money_limited or bool(policy.accelerates.any())
        self._rates_known_until = self._months[0] if self.rates_change else frame.days - 1
        self._month_opens = clock.signal()
        self.start = [NEVER] * count
        self.finish = [NEVER] * count
        self.delivered = [NEVER] * count
        self.rate = [PPM] * count
        self.effective = [0] * count
        self.since = [0] * count
        self.missed, self.gained, self.stopped = [0] * count, [0] * count, [0] * count
        self.delivery = [clock.signal() for _ in range(count)]

    # The story of a site -----------------------------------------------------------------------

    def build(self, project: int, first_day: int) -> Story:
        """Work from a day on until all is done, then have it accepted and deliver it."""
        self.since[project] = first_day
        while True:
            day = self._next_milestone(project)
            if day is None:
                if not self.rates_change:
                    return
                yield self._month_opens
                continue
            yield self._clock.turn(day, Phase.WORK, project)
            self.settle(project, day)
            if self.effective[project] >= self._work[project] * PPM:
                break
            if not self._stop(project, day):
                return
        self.finish[project] = day
        self._clock.note(Phase.WORK, project, Happening.FINISHED)
        delivered = day + int(self._drawn.acceptance[project])
        if delivered >= self._frame.days:
            return
        yield self._clock.turn(delivered, Phase.FINISH, project)
        self.delivered[project] = delivered
        self._clock.note(Phase.FINISH, project, Happening.DELIVERED)
        self.delivery[project].succeed()

    def _next_milestone(self, project: int) -> int | None:
        """Return the day on which the next stop or the finish comes at this month's rate."""
        first, last = self.since[project], self._rates_known_until
        if first > last or self.rate[project] == 0:
            return None
        target = self._work[project]
        if self._next_stop[project] < self._last_stop[project]:
            target = min(target, self._stop_at[self._next_stop[project]])
        need = -((self.effective[project] - target * PPM) // self.rate[project])
        available = self.calendar[self._class_of[project]]
        # The first day by whose end the work is done; no work at all is done on the first day.
        day = bisect_left(available, available[first] + max(need, 0), lo=first + 1) - 1
        return day if day <= last else None

    def _stop(self, project: int, day: int) -> bool:
        """Stop for the days of all stops reached today; False where the project is given up."""
        days = 0
        while (
            self._next_stop[project] < self._last_stop[project]
            and self._stop_at[self._next_stop[project]] * PPM <= self.effective[project]
        ):
            length = self._stop_days[self._next_stop[project]]
            self._next_stop[project] += 1
            if length == GIVEN_UP:
                self._drop(project, Phase.WORK)
                return False
            days += length
        self._clock.note(Phase.WORK, project, Happening.STOPPED, days)
        available = self.calendar[self._class_of[project]]
        resumes = min(day + 1 + days, self._frame.days)
        self.stopped[project] += (available[resumes] - available[day + 1]) * PPM
        self.since[project] = resumes
        return True

    def settle(self, project: int, day: int) -> None:
        """Count the work up to the end of a day."""
        first = self.since[project]
        if first > day:
            return
        available = self.calendar[self._class_of[project]]
        given, rate = available[day + 1] - available[first], self.rate[project]
        self.effective[project] += rate * given
        self.missed[project] += max(PPM - rate, 0) * given
        self.gained[project] += max(rate - PPM, 0) * given
        self.since[project] = day + 1

    def is_active(self, project: int) -> bool:
        """Tell whether a project is being built."""
        return self.start[project] != NEVER and self.finish[project] == NEVER

    def open_month(self, month: int) -> None:
        """Let the sites look ahead at a month whose rates are set now."""
        if month == len(self._months):
            return
        self._rates_known_until = max(self._rates_known_until, self._months[month])
        opens, self._month_opens = self._month_opens, self._clock.signal()
        opens.succeed()

    # What others ask ---------------------------------------------------------------------------

    def worked(self, project: int, day: int) -> int:
        """Return the whole milli-days of work done by the end of a day, since day 0."""
        done, first = self.effective[project], self.since[project]
        if day >= first:
            available = self.calendar[self._class_of[project]]
            done += self.rate[project] * (available[day + 1] - available[first])
        return min(done // PPM, self._work[project])

    def progress(self, project: int, worked: int) -> int:
        """Return the share of the work left at day 0 that is done, ppm."""
        whole = self._work[project]
        return worked * PPM // whole if whole else PPM

    def knot_gap(self, project: int) -> int:
        """Return the work left before the year-end knot, milli-days x ppm."""
        return max(self._first_work[project] * PPM - self.effective[project], 0)

    def value(self, project: int, worked: int, day: int) -> int:
        """Return the yuan of value, since the project began, of the work done by a day."""
        done, knot, total = self._done[project], self._knot[project], self._total[project]
        whole, first = self._work[project], self._first_work[project]
        if worked < first:
            share = on_curve(self._curves[0][project], worked, first)
            return done + (knot - done) * share // PPM
        if first < whole:
            share = on_curve(self._curves[1][project], worked - first, whole - first)
            return knot + (total - knot) * share // PPM
        # What the filed plan leaves over is settled after delivery and after the plan year.
        settled = self.delivered[project] < day and day > self._year_end
        return total if settled else knot


def on_curve(knots: list[int], worked: int, whole: int) -> int:
    """Read a curve of equal steps by linear interpolation with floor; ppm."""
    segments = len(knots) - 1
    step, rest = divmod(worked * segments, whole)
    if step == segments:
        return knots[-1]
    return knots[step] + (knots[step + 1] - knots[step]) * rest // whole
