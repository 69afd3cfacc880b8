"""Construction: work through the calendar at a monthly rate, stops, acceptance, delivery."""

from __future__ import annotations

from sim.engine.compiled.agenda import note
from sim.engine.compiled.arithmetic import first_reaching, on_curve, quotient, share_of
from sim.engine.compiled.records import Agenda, Book, Int, Ints32, Record, Stage, State, World
from sim.engine.rules import PPM
from sim.jit import inlined
from sim.sampling.layout import Drawn
from sim.sampling.realization import GIVEN_UP


@inlined
def next_target(drawn: Drawn, site: Record, p: int) -> int:
    """Return the milli-days of work at which a project's next stop or its finish comes."""
    one = drawn.projects[p]
    if site.next_stop < one.stop_end:
        return min(one.work, drawn.stops[site.next_stop].at)
    return Int(one.work)


@inlined
def plan_milestone(world: World, drawn: Drawn, state: State, p: int) -> None:
    """Note the day on which the next stop or the finish comes, if this month's rate brings it."""
    site = state.sites[p]
    first, last = site.since, state.books[Book.KNOWN_UNTIL]
    if first > last or site.rate == 0:
        return
    calendar, begun = world.projects[p].calendar, Int(site.begun)
    lacking = max(site.target * PPM - site.effective, 0)
    if (state.available[1, calendar] - begun) * site.rate < lacking:
        return
    row = drawn.calendar[calendar]
    reaches = begun + quotient(lacking + site.rate - 1, site.rate)
    # The first day by whose end the work is done; no work at all is done on the first day.
    day = first_reaching(row, reaches, first + 1, last + 1) - 1
    note(state.by_day, state.following, Agenda.WORK, day, p)


@inlined
def settle(site: Record, available: int, day: int) -> None:
    """Count the work up to the end of a day, by which so many milli-days were available."""
    if site.since > day:
        return
    given = available - site.begun
    site.effective += site.rate * given
    if site.rate < PPM:
        site.missed += (PPM - site.rate) * given
    else:
        site.gained += (site.rate - PPM) * given
    go_on_from(site, available, day + 1)


@inlined
def go_on_from(site: Record, available: int, day: int) -> None:
    """Let work go on from the morning of a day, before which so many milli-days were available."""
    site.since, site.begun = day, available


@inlined
def reach_milestone(world: World, drawn: Drawn, state: State, p: int, day: int) -> bool:
    """Finish or stop; False where the project is given up."""
    site, one = state.sites[p], drawn.projects[p]
    row = drawn.calendar[world.projects[p].calendar]
    settle(site, Int(row[day + 1]), day)
    days = world.policy[0].days
    if site.effective >= one.work * PPM:
        site.finish = day
        site.stage = Stage.ACCEPTANCE
        if day + one.acceptance < days:
            note(state.by_day, state.following, Agenda.DELIVERY, day + one.acceptance, p)
        return True
    length = Int(0)
    while site.next_stop < one.stop_end:
        stop = drawn.stops[site.next_stop]
        if stop.at * PPM > site.effective:
            break
        site.next_stop += 1
        if stop.days == GIVEN_UP:
            return False
        length += stop.days
    site.target = next_target(drawn, site, p)
    resumes = min(day + 1 + length, days)
    state.told[p].stopped += (Int(row[resumes]) - Int(row[day + 1])) * PPM
    go_on_from(site, Int(row[resumes]), resumes)
    plan_milestone(world, drawn, state, p)
    return True


@inlined
def worked(site: Record, available: int, work: int, day: int) -> int:
    """Return the whole milli-days of work done by the end of a day, since day 0."""
    done = site.effective
    if day >= site.since:
        done += site.rate * (available - site.begun)
    return min(quotient(done, PPM), work)


@inlined
def value_of(
    knots: Ints32,
    one: Record,
    site: Record,
    done: int,
    amount: int,
    settled: bool,
) -> int:
    """Return the yuan of value, since the project began, of an amount of work.

    Parameters
    ----------
    knots : ndarray of int32, shape (2, segments + 1)
        Both curves.
    one, site : record of DRAWN, record of SITE
        What was drawn of the project, and how it stands.
    done, amount : int
        Yuan at the status date; milli-days worked since.
    settled : bool
        Whether what the filed plan leaves over is booked: after delivery and the plan year.
    """
    if amount < one.first_work:
        share = on_curve(knots[0], site, 0, amount, one.first_work)
        return done + share_of(one.year_end_value - done, share)
    if one.first_work < one.work:
        rest, whole = amount - one.first_work, one.work - one.first_work
        share = on_curve(knots[1], site, knots.shape[1], rest, whole)
        return one.year_end_value + share_of(one.total - one.year_end_value, share)
    return one.total if settled else one.year_end_value


@inlined
def progress(amount: int, work: int) -> int:
    """Return the share of the work left at day 0 that is done, ppm."""
    return quotient(amount * PPM, work) if work else PPM


@inlined
def look_up(drawn: Drawn, state: State, which: int, day: int) -> None:
    """Look up what all calendars have made available by the end of a day."""
    for c in range(drawn.calendar.shape[0]):
        state.available[which, c] = drawn.calendar[c, day + 1]
