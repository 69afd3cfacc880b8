"""What quasi-random shared draws gain in the year-end mean, beside the most that they can.

    python benchmarks/quasi.py [--replications N] [--repeats K] [SCENARIO]

The variance of the mean of N replications is what N independent ones would have, s**2 / N, under
plain sampling. Under quasi-random sampling it comes from the means of blocks, which are
independent of each other: 20 in a run, and K runs with seeds of their own. Shared draws alone are
quasi-random, so what projects' own draws cause stays: the gain is at most the whole variance over
theirs. Theirs is half the mean square of differences between pairs of replications with the same
shared draws and different own ones. How near the bound is told twice: by the blocks, and, sharper,
by what their means still vary when projects' own draws are held: own over own and that rest.
Intervals are of 95 %, by resampling of blocks and pairs.
"""

from __future__ import annotations

import argparse

import numpy as np
from numpy.typing import NDArray

import sim
from sim.engine.compiled.city import simulate_one
from sim.engine.compiled.packing import build_state, build_world
from sim.plan.portfolio import build_portfolio
from sim.sampling.draws import allocate, draw_one, prepare, shared_uniforms
from sim.sampling.quasi import SCRAMBLES
from sim.sampling.rounding import raise_fault
from sim.sampling.sampler import Sampler, build_sampler
from sim.sampling.streams import key_of, uniform

AIM = 0.8
"""Share of the bound that should be reached."""
_BILLION = 1e9
_RESAMPLES = 2000

Floats = NDArray[np.float64]


class YearEnd:
    """The year-end reported amount of replications, in bn yuan."""

    def __init__(self, sampler: Sampler) -> None:
        self._model, self._still = prepare(sampler)
        self._drawn, self._room = allocate(self._model)
        self._world = build_world(sampler.frame)
        self._state = build_state(self._world, parts=1, tables=True)
        portfolio = sampler.portfolio
        self._counts, self._month = portfolio.in_target, portfolio.year_end_month
        self._before = int(portfolio.before_year[portfolio.in_target].sum())
        self._seed = key_of(sampler.seed)

    def of(self, replication: int, shared: Floats) -> float:
        """Simulate a replication with given shared draws (NaN for the generator's)."""
        number = np.uint64(replication)
        raise_fault(
            draw_one(self._model, self._seed, number, shared, self._room, self._drawn)
        )  # fmt: skip
        simulate_one(self._world, self._still, self._drawn, self._state)
        reported = self._state.tables[1]
        in_year = int(reported[self._counts, self._month].sum()) - self._before
        return in_year / _BILLION

    def own_luck(self, replication: int) -> float:
        """Return the difference of two replications with the same shared draws."""
        number = np.uint64(replication)
        same = np.array([uniform(self._seed, number, where) for where in self._model.shared])
        return self.of(replication, same) - self.of(replication + (1 << 40), same)


def blocks(
    scenario: sim.plan.scenario.Scenario, seed: int, count: int, held: bool = False
) -> Floats:  # fmt: skip
    """Return the outcomes of a quasi-random run, a row a block; projects' own draws may be held."""
    sampler = build_sampler(build_portfolio(scenario.plan), seed, "quasi")
    city = YearEnd(sampler)
    points = (shared_uniforms(sampler, [r])[0] for r in range(count))
    found = np.array([city.of(0 if held else r, point) for r, point in enumerate(points)])
    return found.reshape(-1, SCRAMBLES).T


def line(label: str, value: float, spread: Floats, form: str = ",.2f") -> None:
    """Print an estimate with its interval."""
    low, high = np.percentile(spread, [2.5, 97.5])
    print(f"{label:58}{value:>12{form}}   ({low:{form}} to {high:{form}})")


def main() -> None:
    """Read the command line, measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("scenario", nargs="?", default="scenarios/luoyang-2021/baseline.toml")
    parser.add_argument("--replications", type=int, default=10_240, help="a multiple of 20")
    parser.add_argument("--repeats", type=int, default=4)
    parser.add_argument("--pairs", type=int, default=2_000)
    chosen = parser.parse_args()
    count = max(chosen.replications // SCRAMBLES, 2) * SCRAMBLES
    scenario = sim.load_scenario(chosen.scenario)

    plain = YearEnd(build_sampler(build_portfolio(scenario.plan), 2021, "plain"))
    nothing = np.full(len(plain._model.shared), np.nan)
    whole = np.array([plain.of(r, nothing) for r in range(count)])
    pairs = np.array([plain.own_luck(r) for r in range(chosen.pairs)])
    runs = [blocks(scenario, 2021 + k, count) for k in range(chosen.repeats)]
    means = np.concatenate([run.mean(axis=1) for run in runs])
    still = blocks(scenario, 2021, count, held=True).mean(axis=1)

    def estimates(
        values: Floats, differences: Floats, of_blocks: Floats, of_held: Floats
    ) -> tuple[float, ...]:
        total, own = values.var(ddof=1), (differences**2).mean() / 2
        of_plain, of_quasi = total / count, of_blocks.var(ddof=1) / SCRAMBLES
        gain, bound = of_plain / of_quasi, total / own
        rest = of_held.var(ddof=1) / SCRAMBLES
        sharper = own / count / (own / count + rest)
        return (
            of_plain * 1e6, of_quasi * 1e6, gain, bound, gain / bound, own / total, rest * 1e6,
            sharper,
        )  # fmt: skip

    choice = np.random.default_rng(2021)

    def again(sample: Floats) -> Floats:
        return choice.choice(sample, len(sample))

    measured = (whole, pairs, means, still)
    found = estimates(*measured)
    spread = np.array([estimates(*map(again, measured)) for _ in range(_RESAMPLES)]).T
    print(f"{scenario.name}: year-end reported, {count:,} replications, {len(means)} blocks")
    print(f"mean (bn yuan): {whole.mean():.3f} plain, {means.mean():.3f} quasi-random")
    line("variance of the mean, plain (10^-6 bn yuan squared)", found[0], spread[0], ",.1f")
    line("variance of the mean, quasi-random", found[1], spread[1], ",.1f")
    line("reduction of variance", found[2], spread[2])
    line("most that shared draws can give (bound)", found[3], spread[3])
    line("share of variance that projects' own draws cause", found[5], spread[5], ".3f")
    line("share of the bound reached", found[4], spread[4], ".2f")
    line("variance of the mean that is left with own draws held", found[6], spread[6], ",.1f")
    line("share of the bound reached, sharper", found[7], spread[7], ".3f")
    print(f"aim: at least {AIM:g} of the bound")


if __name__ == "__main__":
    main()
