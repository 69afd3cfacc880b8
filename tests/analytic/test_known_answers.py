"""Known answers through plan folders: exact or published, none copied from our own output.

Durations are scaled by 100 or 1,000 so that rounding to whole days stays far below the
tolerance, which is four standard errors everywhere.
"""

import functools
import math
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

import sim
from sim.engine.rules import NEVER
from tests.retold import outcomes_of

CASES = Path(__file__).parent / "cases"
REPLICATIONS = 2_000
SEED = 2021


@functools.cache
def days(case: str, replications: int = REPLICATIONS) -> dict[str, NDArray[np.float64]]:
    """Days from the status date to the finish of each activity, and of all as `makespan`."""
    scenario = sim.load_scenario(CASES / case, ["run.sampling=plain"])  # errors as of independent
    run = sim.simulate(scenario, replications=replications, seed=SEED)
    outcomes = outcomes_of(run)
    assert (outcomes.finish != NEVER).all(), "the horizon is too short for this case"
    found = {
        one.id: (outcomes.finish[:, i] + 1).astype(np.float64)
        for i, one in enumerate(run.portfolio.plan.projects)
    }
    return found | {"makespan": outcomes.makespan.astype(np.float64)}


def assert_mean(sample: NDArray[np.float64], expected: float) -> None:
    error = sample.std(ddof=1) / math.sqrt(len(sample))
    assert abs(sample.mean() - expected) <= 4 * error, (sample.mean(), expected, error)


def assert_probability(hits: NDArray[np.bool_], expected: float) -> None:
    error = math.sqrt(expected * (1 - expected) / len(hits))
    assert abs(hits.mean() - expected) <= 4 * error, (hits.mean(), expected, error)


def assert_sd(sample: NDArray[np.float64], expected: float) -> None:
    """Four standard errors of the standard deviation, from the sample's fourth moment."""
    centred = sample - sample.mean()
    spread = np.var(centred**2, ddof=1)
    error = math.sqrt(spread / len(sample)) / (2 * expected)
    assert abs(sample.std(ddof=1) - expected) <= 4 * error, (sample.std(ddof=1), expected, error)


class TestActivityNetwork:
    """Case 03: five exponential activities, whose completion time has a closed form."""

    @staticmethod
    def distribution(t: float) -> float:
        return (
            (t**2 / 2 - 3 * t - 3) * math.exp(-2 * t)
            + (-(t**2) / 2 - 3 * t + 3) * math.exp(-t)
            + 1
            - math.exp(-3 * t)
        )

    @pytest.mark.parametrize("t", [1, 2, 3, 4, 5, 6, 8, 10])
    def test_distribution_function(self, t: float) -> None:
        assert_probability(
            days("03-activity-network")["makespan"] <= 1000 * t, self.distribution(t)
        )

    def test_formula_against_its_printed_value(self) -> None:
        assert 1 - self.distribution(5) == pytest.approx(0.165329707, abs=1e-9)

    def test_mean_and_spread(self) -> None:
        makespan = days("03-activity-network")["makespan"] / 1000
        assert_mean(makespan, 83 / 24)
        assert_sd(makespan, 1.6991624)

    @pytest.mark.parametrize(
        ("probability", "quantile"),
        [(0.1, 1.578161), (0.5, 3.161167), (0.8, 4.714520), (0.9, 5.721887), (0.95, 6.664457)],
    )
    def test_percentiles(self, probability: float, quantile: float) -> None:
        assert_probability(days("03-activity-network")["makespan"] <= 1000 * quantile, probability)


class TestPertNetwork:
    """Case 05: the published 14-activity network, simulated as a network."""

    # Mean, sd, P(T <= 55) and P80 of a separate simulation of two million replications.
    @pytest.mark.parametrize(
        ("family", "mean", "sd", "by_55", "p80"),
        [("pert", 51.627, 3.172, 0.8515, 54.35), ("triangular", 52.643, 3.565, 0.7441, 55.68)],
    )
    def test_completion(
        self, family: str, mean: float, sd: float, by_55: float, p80: float
    ) -> None:
        makespan = days(f"05-{family}-network")["makespan"] / 100
        assert_mean(makespan, mean)
        assert_sd(makespan, sd)
        assert_probability(makespan <= 55, by_55)
        assert_probability(makespan <= p80, 0.8)

    def test_published_early_finishes_are_those_of_mean_durations(self) -> None:
        """The published table rests on (a + 4 m + b) / 6; fixed durations reproduce it."""
        scenario = CASES / "05-pert-network"
        classic = {
            "A": 533, "B": 233, "C": 500, "D": 817, "E": 967, "F": 467, "G": 583, "H": 433,
            "I": 667, "J": 417, "K": 983, "L": 533, "M": 217, "N": 783,
        }  # fmt: skip
        changes = [f"projects.{name}.duration=days: fixed({d})" for name, d in classic.items()]
        run = sim.simulate(sim.load_scenario(scenario, changes), replications=1)
        finish = dict(zip(classic, outcomes_of(run).finish[0] + 1, strict=True))
        published = {
            "A": 5.33, "B": 2.33, "C": 10.33, "D": 13.50, "E": 20.00, "F": 18.17, "G": 19.33,
            "H": 24.33, "I": 31.00, "J": 35.17, "K": 40.83, "L": 40.50, "M": 43.00, "N": 50.83,
        }  # fmt: skip
        for name, expected in published.items():
            # Eight roundings to a hundredth of the published unit at most on any path.
            assert abs(finish[name] / 100 - expected) <= 0.04, name


MIDDLE, SPREAD = 1_200, 250
"""Mean and standard deviation of a path of case 07, days."""


class TestMergeBias:
    """Case 07: parallel paths, independent and correlated."""

    @pytest.mark.parametrize("n", [2, 3, 5, 10])
    def test_joint_probability(self, n: int) -> None:
        found = days("07-parallel-paths")
        together = np.stack([found[f"N{i:02d}"] for i in range(1, n + 1)])
        on_time: NDArray[np.bool_] = np.logical_and.reduce(together <= MIDDLE)
        assert_probability(on_time, 0.5**n)

    @pytest.mark.parametrize(
        ("n", "extra"),
        [(2, 0.564190), (3, 0.846284), (5, 1.162964), (10, 1.538753), (20, 1.867475)],
    )
    def test_mean_of_the_maximum(self, n: int, extra: float) -> None:
        found = days("07-parallel-paths")
        latest = np.stack([found[f"N{i:02d}"] for i in range(1, n + 1)]).max(axis=0)
        assert_mean((latest - MIDDLE) / SPREAD, extra)

    @pytest.mark.parametrize(("pair", "r"), [("A", 0.3), ("B", 0.5), ("C", 0.9)])
    def test_correlated_pairs(self, pair: str, r: float) -> None:
        found = days("07-correlated-pairs")
        first, second = found[f"{pair}1"], found[f"{pair}2"]
        extra = math.sqrt((1 - r) / math.pi)
        assert_mean((np.maximum(first, second) - MIDDLE) / SPREAD, extra)
        both = (first <= MIDDLE) & (second <= MIDDLE)
        assert_probability(both, 0.25 + math.asin(r) / (2 * math.pi))

    def test_gaussian_scores_have_their_rank_correlations(self) -> None:
        """Case 12's helper: r = 0.5 gives Spearman 0.482584 and Kendall 1/3."""
        found = days("07-correlated-pairs")
        spearman = float(stats.spearmanr(found["B1"], found["B2"]).statistic)
        kendall = float(stats.kendalltau(found["B1"], found["B2"]).statistic)
        # Errors of the sample values at r = 0: an upper bound for r = 0.5.
        assert abs(spearman - 0.482584) <= 4 / math.sqrt(REPLICATIONS - 1)
        error = math.sqrt(2 * (2 * REPLICATIONS + 5) / (9 * REPLICATIONS * (REPLICATIONS - 1)))
        assert abs(kendall - 1 / 3) <= 4 * error

    def test_clark(self) -> None:
        found = days("07-correlated-pairs")
        latest = np.maximum(found["X"], found["Y"]) / 10
        assert_mean(latest, 103.938117)
        assert_sd(latest, 10.550801)
        assert_probability(found["X"] > found["Y"], 0.627850)


class TestCorrelatedCosts:
    """Case 12: correlation must not move the marginals."""

    @staticmethod
    @functools.cache
    def costs() -> NDArray[np.float64]:
        scenario = sim.load_scenario(CASES / "12-correlated-costs", ["run.sampling=plain"])
        run = sim.simulate(scenario, replications=REPLICATIONS, seed=SEED)
        return np.asarray(outcomes_of(run).final_cost / 1e8)

    def test_total(self) -> None:
        total = self.costs().sum(axis=1)
        assert_mean(total, 30.0)
        assert_sd(total, math.sqrt(16.853742))

    @pytest.mark.parametrize(
        ("column", "distribution"),
        [
            (0, stats.norm(10, 2)),
            (1, stats.triang(0.5, 5, 10)),
            (2, stats.uniform(8, 4)),
        ],
        ids=["normal", "triangular", "uniform"],
    )
    def test_marginals(self, column: int, distribution: stats.rv_continuous) -> None:
        assert stats.kstest(self.costs()[:, column], distribution.cdf).pvalue > 1e-4

    def test_the_linear_correlations_are_those_asked_for(self) -> None:
        found: NDArray[np.float64] = np.asarray(np.corrcoef(self.costs().T))
        for (a, b), r in {(0, 1): 0.5, (0, 2): 0.3, (1, 2): 0.4}.items():
            error = (1 - r * r) / math.sqrt(REPLICATIONS)
            assert abs(found[a, b] - r) <= 4 * error


class TestPert:
    """Case 26: beta-PERT (10, 20, 60) is not classic PERT."""

    @pytest.mark.parametrize(
        ("activity", "mean", "sd", "percentiles"),
        [
            ("P", 25.0, math.sqrt(75), {10: 14.4951, 50: 23.8336, 80: 32.5129, 90: 37.2667}),
            ("T", 30.0, 10.801234, {10: 17.0711, 50: 28.3772, 80: 40.0, 90: 45.8579}),
        ],
    )
    def test_moments_and_percentiles(
        self, activity: str, mean: float, sd: float, percentiles: dict[int, float]
    ) -> None:
        sample = days("26-pert")[activity] / 100
        assert_mean(sample, mean)
        assert_sd(sample, sd)
        for percent, quantile in percentiles.items():
            assert_probability(sample <= quantile, percent / 100)


class TestExponentialPair:
    """Case 27: two parallel exponentials with means 10 and 20."""

    def test_mean_of_the_maximum(self) -> None:
        assert_mean(days("27-exponential-pair")["makespan"] / 100, 23.333333)

    def test_which_is_critical(self) -> None:
        found = days("27-exponential-pair")
        assert_probability(found["L"] > found["S"], 2 / 3)
