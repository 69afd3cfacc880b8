"""Seconds a replication of the reference engine, beside a bare SimPy loop of as many events.

    python benchmarks/engine.py [--replications N] [SCENARIO]

An event is one thing that happens in the city: a file handed in, a place taken, a start, a stop,
a month's measurement, report, claim or payment of one project, a rate set; the log of a
replication lists them. Many share one turn of SimPy's queue (a month-end measures a thousand
projects in one turn), so both counts are printed. The bare loop does nothing but pass through
SimPy's queue: it is the floor for an engine that gave every event a turn of its own. All times
are of the processor, and are taken in turn in one run.
"""

from __future__ import annotations

import argparse
import statistics
import time

import simpy

import sim
from sim.engine.reference.city import City
from sim.engine.trajectory import Event
from sim.plan.portfolio import build_portfolio
from sim.sampling.draws import draw
from sim.sampling.realization import Frame, Realization
from sim.sampling.sampler import build_sampler

AIM = 4.0
"""Ratio to the bare loop that the reference engine should stay below."""


def bare_loop(events: int, processes: int = 1000) -> float:
    """Return the seconds that SimPy takes to pass through so many events."""
    environment = simpy.Environment()

    def story(turns: int) -> simpy.events.ProcessGenerator:
        for _ in range(turns):
            yield environment.timeout(1)

    for k in range(processes):
        environment.process(story(events // processes + (k < events % processes)))
    began = time.process_time()
    environment.run()
    return time.process_time() - began


def engine(frame: Frame, drawn: Realization) -> tuple[float, int, int]:
    """Return seconds, turns of the queue and things that happened, of one replication."""
    log: list[Event] = []
    City(frame, drawn, log).clock.environment.run()
    city = City(frame, drawn, None)
    turns = 0
    began = time.process_time()
    try:
        while True:
            city.clock.environment.step()
            turns += 1
    except simpy.core.EmptySchedule:
        pass
    city.trajectory()
    return time.process_time() - began, turns, len(log)


def main() -> None:
    """Read the command line, measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("scenario", nargs="?", default="scenarios/luoyang-2021/baseline.toml")
    parser.add_argument("--replications", type=int, default=5)
    chosen = parser.parse_args()
    portfolio = build_portfolio(sim.load_scenario(chosen.scenario).plan)
    sampler = build_sampler(portfolio, 2021)
    seconds, ratios, ratios_of_turns = [], [], []
    for drawn in draw(sampler, range(chosen.replications)):
        taken, turns, happened = engine(sampler.frame, drawn)
        seconds.append(taken)
        ratios.append(taken / bare_loop(happened))
        ratios_of_turns.append(taken / bare_loop(turns))
        print(f"{taken:6.3f} s  {happened:8,} events  {turns:8,} turns of the queue")
    print(f"seconds a replication (median): {statistics.median(seconds):.3f}")
    print(f"ratio to a bare loop of as many events (median): {statistics.median(ratios):.1f}"
          f" (aim: at most {AIM:g})")  # fmt: skip
    print(
        f"ratio to a bare loop of as many turns (median): {statistics.median(ratios_of_turns):.1f}"
    )


if __name__ == "__main__":
    main()
