"""Microseconds that the draws of a replication take, in all and by kind, best of several rounds.

    python benchmarks/draws.py [--replications N] [SCENARIO]

Each part is called from Python, which adds two or three microseconds to it.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

import numpy as np

import sim
from sim.plan.portfolio import build_portfolio
from sim.sampling.draw_calendar import draw_calendar
from sim.sampling.draw_gates import draw_gates
from sim.sampling.draw_money import draw_releases
from sim.sampling.draw_projects import draw_scores, draw_starts, draw_work_and_money
from sim.sampling.draw_risks import draw_strikes
from sim.sampling.draw_shared import apply_drivers, fill_shared
from sim.sampling.draws import allocate, draw_one, nothing_given, prepare
from sim.sampling.sampler import build_sampler
from sim.sampling.streams import key_of

ROUNDS = 5
SEED = 2021


def main() -> None:
    """Read the command line, measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("scenario", nargs="?", default="scenarios/luoyang-2021/baseline.toml")
    parser.add_argument("--replications", type=int, default=400)
    chosen = parser.parse_args()
    sampler = build_sampler(build_portfolio(sim.load_scenario(chosen.scenario).plan), SEED)
    model, _ = prepare(sampler)
    out, room = allocate(model)
    given, seed = nothing_given(model), key_of(SEED)
    laws, numbers, strikes = model.laws, model.numbers, room.risks

    def calendar(k: np.uint64) -> None:
        fill_shared(seed, k, model.shared, given, room.shared)
        draw_calendar(
            model.calendar, laws, numbers, room.shared, room.calendar, out.calendar, out.hits,
            out.hit_day, out.hit_loss,
        )  # fmt: skip

    parts: dict[str, Callable[[np.uint64], object]] = {
        "everything": lambda k: draw_one(model, seed, k, given, room, out),
        "effects of drivers": lambda _: apply_drivers(
            model.drivers, room.drivers, room.terms, room.effects
        ),
        "risks": lambda k: draw_strikes(model.risks, laws, numbers, seed, k, strikes),
        "starts": lambda k: draw_starts(
            model.projects, laws, numbers, seed, k, room.projects, out.projects
        ),
        "durations and costs": lambda k: draw_scores(
            model.projects, laws, numbers, seed, k, room.factors, room.inverses, room.projects
        ),
        "work and money": lambda _: draw_work_and_money(
            model.projects, room.effects, room.projects, strikes.saved, strikes.more,
            strikes.sooner, out.projects,
        ),
        "gates": lambda k: draw_gates(
            model.gates, laws, numbers, seed, k, room.effects, room.preparation, room.review,
            room.inverses, out.files,
        ),
        "releases": lambda _: draw_releases(
            model.releases, room.drivers, room.factor, room.delay, out.releases
        ),
        "calendar": calendar,
    }  # fmt: skip
    for name, part in parts.items():
        print(f"{name:22s} {measured(part, chosen.replications):8.1f}")


def measured(part: Callable[[np.uint64], object], count: int) -> float:
    """Return the microseconds that a part takes."""
    part(np.uint64(0))
    best = float("inf")
    for _ in range(ROUNDS):
        began = time.perf_counter()
        for k in range(count):
            part(np.uint64(k))
        best = min(best, time.perf_counter() - began)
    return best / count * 1e6


if __name__ == "__main__":
    main()
