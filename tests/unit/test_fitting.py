"""Fitting to own records: known answers, censoring, shrinkage to a reference class, its tail."""

import math
from collections.abc import Callable

import numpy as np
import pytest
from scipy import integrate, stats

from sim.analysis.families import ahead, candidates
from sim.analysis.fitting import Records, log_likelihood, lognormal, percentile, shrink
from sim.plan.language import Distribution, as_written, parse_distribution
from sim.plan.quantiles import quantile

PLAIN = lognormal(1.02, 0.1)
TAILED = lognormal(1.12, 0.28, 0.04, 1.5, 3.0, 5.0)
HISTORIES, SIZE = 30, 300
MEDIAN, SIGMA = 1.25, 0.3


def estimates(kept: Callable[[np.ndarray, np.ndarray], Records]) -> np.ndarray:
    """Fit many simulated histories: log medians and sigmas, shape (2, HISTORIES)."""
    generator = np.random.default_rng(20210115)
    found = []
    for _ in range(HISTORIES):
        ratios = MEDIAN * np.exp(SIGMA * generator.standard_normal(SIZE))
        seen = generator.uniform(0.3, 2.5, SIZE)  # how long each has been watched, at most
        fitted = shrink(kept(ratios, seen), None, 0.0)
        assert fitted is not None
        found.append((math.log(fitted.law.parameters[0]), fitted.law.parameters[1]))
    return np.array(found).T


def off(found: np.ndarray) -> np.ndarray:
    """How many standard errors the mean of estimates is away from the truth."""
    errors = found.std(axis=1, ddof=1) / math.sqrt(HISTORIES)
    return np.asarray((found.mean(axis=1) - [math.log(MEDIAN), SIGMA]) / errors)


class TestRecovery:
    def test_finished_records(self) -> None:
        assert np.all(np.abs(off(estimates(lambda ratios, seen: Records.of(ratios)))) < 4)

    def test_running_records_count_as_lower_bounds(self) -> None:
        def censored(ratios: np.ndarray, seen: np.ndarray) -> Records:
            return Records.of(ratios[ratios <= seen], seen[ratios > seen])

        def dropped(ratios: np.ndarray, seen: np.ndarray) -> Records:
            return Records.of(ratios[ratios <= seen])

        def as_finished(ratios: np.ndarray, seen: np.ndarray) -> Records:
            return Records.of(np.minimum(ratios, seen))

        assert np.all(np.abs(off(estimates(censored))) < 4)
        # What a reader of finished projects alone, or of stopped clocks, would believe.
        assert off(estimates(dropped))[0] < -8
        assert off(estimates(as_finished))[0] < -8

    def test_body_and_tail(self) -> None:
        truth = lognormal(1.2, 0.25, 0.06, 1.5, 5.0, 5.0)
        generator = np.random.default_rng(7)
        found = []
        for _ in range(8):
            ratios = quantile(truth, generator.random(1000))
            seen = generator.uniform(0.8, 4.0, 1000)
            records = Records.of(ratios[ratios <= seen], seen[ratios > seen])
            fitted = shrink(records, TAILED, 0.0)
            assert fitted is not None
            assert not fitted.moved
            median, sigma, tail, _, alpha, _ = fitted.law.parameters
            found.append((math.log(median), sigma, tail, 1 / alpha))
        mean, spread = np.mean(found, axis=0), np.std(found, axis=0, ddof=1)
        true = [math.log(1.2), 0.25, 0.06, 1 / 5]
        assert np.all(np.abs(mean - true) < 4 * spread / math.sqrt(8))


class TestShrinkage:
    @pytest.mark.parametrize("reference", [PLAIN, TAILED])
    def test_no_record_leaves_the_reference(self, reference: Distribution) -> None:
        fitted = shrink(Records.of([], [0.4, 2.0]), reference, 20)
        assert fitted is not None
        assert fitted.law is reference
        assert fitted.weight == 0

    def test_no_record_and_no_reference(self) -> None:
        assert shrink(Records.of([], [0.4]), None, 20) is None
        assert shrink(Records.of([1.0, 1.0]), None, 20) is None

    def test_centre_of_the_normal_inverse_gamma_posterior(self) -> None:
        logs = np.array([0.10, 0.30, 0.50, 0.30])
        fitted = shrink(Records.of(np.exp(logs)), PLAIN, 6)
        assert fitted is not None
        mean = (6 * math.log(1.02) + 1.2) / 10
        between = 6 * 4 / 10 * (0.30 - math.log(1.02)) ** 2
        sigma = math.sqrt((6 * 0.01 + 0.08 + between) / 10)
        assert fitted.law.parameters[:3] == pytest.approx((math.exp(mean), sigma, 0))
        assert fitted.weight == pytest.approx(0.4)

    def test_a_bound_that_says_nothing_changes_nothing(self) -> None:
        finished = [0.9, 1.1, 1.4]
        for reference in (PLAIN, TAILED):
            without = shrink(Records.of(finished), reference, 20)
            beside = shrink(Records.of(finished, [0.0, 0.01]), reference, 20)
            assert without is not None
            assert beside is not None
            assert beside.law.parameters == pytest.approx(without.law.parameters, rel=1e-4)

    @pytest.mark.parametrize("reference", [PLAIN, TAILED])
    def test_records_like_the_reference_leave_it(self, reference: Distribution) -> None:
        ratios = quantile(reference, (np.arange(400) + 0.5) / 400)
        fitted = shrink(Records.of(ratios), reference, 20)
        assert fitted is not None
        for probability in (0.05, 0.2, 0.5, 0.8, 0.95):
            there = percentile(reference, probability)
            assert percentile(fitted.law, probability) == pytest.approx(there, rel=0.01)

    @pytest.mark.parametrize("reference", [PLAIN, TAILED])
    @pytest.mark.parametrize("own", [lognormal(0.95, 0.2), lognormal(1.6, 0.3)])
    def test_many_records_are_believed(self, reference: Distribution, own: Distribution) -> None:
        ratios = quantile(own, (np.arange(4000) + 0.5) / 4000)
        fitted = shrink(Records.of(ratios), reference, 20)
        assert fitted is not None
        assert fitted.weight > 0.99
        for probability in (0.2, 0.5, 0.8):
            there = percentile(own, probability)
            assert percentile(fitted.law, probability) == pytest.approx(there, rel=0.02)

    @pytest.mark.parametrize("reference", [PLAIN, TAILED])
    def test_more_prior_records_are_nearer_to_the_reference(self, reference: Distribution) -> None:
        records = Records.of([0.7, 0.75, 0.8, 0.85], [0.5])
        highs = []
        for prior in (0, 2, 20, 200, 1e6):
            fitted = shrink(records, reference, prior)
            assert fitted is not None
            highs.append(percentile(fitted.law, 0.5))
        assert highs == sorted(highs)
        assert highs[-1] == pytest.approx(percentile(reference, 0.5), rel=1e-3)

    def test_order_of_records_moves_no_bit(self) -> None:
        finished, running = [0.9, 1.7, 1.1, 1.3, 0.8], [1.2, 0.6]
        one = shrink(Records.of(finished, running), TAILED, 20)
        other = shrink(Records.of(finished[::-1], running[::-1]), TAILED, 20)
        assert one == other


class TestTail:
    def test_few_records_without_one_keep_it(self) -> None:
        for count in (1, 10, 60):
            fitted = shrink(Records.of(np.linspace(0.9, 1.3, count)), TAILED, 20)
            assert fitted is not None
            assert fitted.law.parameters[2:] == pytest.approx(TAILED.parameters[2:])

    def test_many_records_without_one_lower_it_to_what_they_do_not_exclude(self) -> None:
        fitted = shrink(Records.of(np.linspace(0.9, 1.3, 500)), TAILED, 20)
        assert fitted is not None
        assert fitted.law.parameters[2] == pytest.approx(1 - 0.05 ** (1 / 500), rel=1e-6)

    def test_records_in_it_raise_it(self) -> None:
        finished = [*np.linspace(0.8, 1.4, 27), 1.8, 2.2, 3.0]
        fitted = shrink(Records.of(finished), TAILED, 20)
        assert fitted is not None
        assert fitted.in_tail == 3
        assert fitted.law.parameters[2] == pytest.approx((20 * 0.04 + 3) / 50, rel=1e-4)
        excess = sum(math.log(one / 1.5) for one in (1.8, 2.2, 3.0))
        seen = 1 - (5 / 1.5) ** -3.0
        index = (20 * seen + 3) / (20 * seen / 3 + excess)
        assert fitted.law.parameters[4] == pytest.approx(index, rel=1e-3)

    def test_where_many_lie_beyond_its_beginning_it_begins_further_out(self) -> None:
        records = Records.of(quantile(lognormal(1.5, 0.3), (np.arange(100) + 0.5) / 100))
        fitted, plain = shrink(records, TAILED, 20), shrink(records, lognormal(1.12, 0.28), 20)
        assert fitted is not None
        assert plain is not None
        assert fitted.moved
        assert fitted.law.parameters[2] == 0.04
        assert fitted.law.parameters[4] == 3.0
        for probability in (0.05, 0.5, 0.8, 0.95):
            there = percentile(plain.law, probability)
            assert percentile(fitted.law, probability) == pytest.approx(there)
        assert percentile(fitted.law, 0.995) > percentile(plain.law, 0.995)

    def test_running_projects_beyond_it_count(self) -> None:
        fitted = shrink(Records.of([1.6], [3.0, 4.0] * 30), TAILED, 20)
        assert fitted is not None
        assert fitted.moved
        assert percentile(fitted.law, 0.5) > 2

    def test_what_is_written_can_be_read(self) -> None:
        generator = np.random.default_rng(3)
        for _ in range(20):
            own = lognormal(float(generator.uniform(0.3, 6)), float(generator.uniform(0.01, 1)))
            count = int(generator.integers(1, 40))
            fitted = shrink(Records.of(quantile(own, generator.random(count))), TAILED, 20)
            assert fitted is not None
            again = parse_distribution(as_written(fitted.law))
            assert again.parameters == pytest.approx(fitted.law.parameters, rel=1e-5)


class TestLikelihood:
    @pytest.mark.parametrize("law", [PLAIN, TAILED])
    def test_density_and_share_beyond_are_those_of_the_distribution(
        self, law: Distribution
    ) -> None:
        def density(ratio: float) -> float:
            return math.exp(log_likelihood(Records.of([ratio]), law))

        for low, high in ((0.3, 0.6), (0.6, 0.9), (0.05, 0.5)):
            ends = (percentile(law, low), percentile(law, high))
            points = [1.5] if ends[0] < 1.5 < ends[1] else None
            assert integrate.quad(density, *ends, points=points)[0] == pytest.approx(high - low)
        for share in (0.01, 0.03, 0.3, 0.9):
            beyond = log_likelihood(Records.of([], [percentile(law, 1 - share)]), law)
            assert math.exp(beyond) == pytest.approx(share)

    def test_far_beyond_what_a_reference_knows(self) -> None:
        found = log_likelihood(Records.of([], [20.0]), PLAIN)
        assert found == pytest.approx(stats.norm.logsf(math.log(20 / 1.02) / 0.1))


class TestCandidates:
    def test_lognormal_has_the_closed_form(self) -> None:
        ratios = np.array([0.8, 1.0, 1.1, 1.3, 1.7, 2.0])
        logs = np.log(ratios)
        found = candidates(Records.of(ratios))[0]
        assert found.law.parameters[:2] == pytest.approx((np.exp(logs.mean()), logs.std()))
        expected = -3 * (math.log(2 * math.pi * logs.var()) + 1) - logs.sum()
        assert found.log_likelihood == pytest.approx(expected)
        assert found.aic == pytest.approx(4 - 2 * expected)
        assert found.aicc == pytest.approx(4 - 2 * expected + 12 / 3)
        fitted = stats.lognorm(logs.std(), scale=np.exp(logs.mean()))
        assert found.distance == pytest.approx(stats.kstest(ratios, fitted.cdf).statistic)
        assert found.p_value == pytest.approx(stats.shapiro(logs).pvalue, abs=1e-6)

    @pytest.mark.parametrize(
        ("best", "law"),
        [("gamma", Distribution("gamma", (2.0, 0.6))),
         ("weibull", Distribution("weibull", (4.0, 1.3))), ("lognormal", lognormal(1.2, 0.6))],
    )  # fmt: skip
    @pytest.mark.parametrize("censored", [False, True])
    def test_the_true_family_is_found(self, best: str, law: Distribution, censored: bool) -> None:
        generator = np.random.default_rng(11)
        ratios = quantile(law, generator.random(2000))
        seen = generator.uniform(0.2, 4, 2000) if censored else np.full(2000, np.inf)
        records = Records.of(ratios[ratios <= seen], seen[ratios > seen])
        found = candidates(records)
        assert min(found, key=lambda one: one.aic).law.name == best
        own = next(one for one in found if one.law.name == best)
        # Four standard errors of a percentile of 1,000 independent records, at the very least.
        for probability in (0.2, 0.5, 0.8):
            there = percentile(law, probability)
            slope = (
                percentile(law, probability + 0.01) - percentile(law, probability - 0.01)
            ) / 0.02
            error = slope * math.sqrt(probability * (1 - probability) / 1000)
            assert abs(percentile(own.law, probability) - there) < 4 * error
        better = ahead(found)
        assert better is not None
        assert (better > 10) is (best != "lognormal")
        assert (own.p_value is None) is censored

    def test_the_test_rejects_as_often_as_it_says(self) -> None:
        generator = np.random.default_rng(5)
        law, rejected, count = Distribution("gamma", (9.0, 0.12)), 0, 100
        for _ in range(count):
            found = candidates(Records.of(quantile(law, generator.random(40))))
            p_value = next(one.p_value for one in found if one.law.name == "gamma")
            assert p_value is not None
            rejected += p_value < 0.1
        assert abs(rejected / count - 0.1) < 4 * math.sqrt(0.1 * 0.9 / count)

    def test_too_few_or_all_equal(self) -> None:
        assert candidates(Records.of([1.0, 1.2])) == ()
        assert candidates(Records.of([1.1] * 9)) == ()
        assert ahead(()) is None
        assert ahead(candidates(Records.of([1.0, 1.2, 1.4]))) is None
