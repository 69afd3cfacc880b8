"""What a cause leaves of a reference class, family by family, against theory."""

import dataclasses
import math
from typing import ClassVar

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import integrate, stats

from sim.plan.assembly import NEUTRAL_TYPE
from sim.plan.language import Distribution, parse_distribution
from sim.plan.quantiles import median, quantile
from sim.plan.residuals import deflated_multiplier, deflated_slip, deflated_type, in_force
from sim.plan.rows import Deflation

U = np.linspace(0.001, 0.999, 999)
FAMILIES = (
    "uniform(0.7, 1.5)", "uniform(0, 3)", "uniform(0, 0.4)", "triangular(0.8, 1, 1.9)",
    "pert(0.5, 0.8, 1.2)", "normal(1.2, 0.3, 0.4, 2)", "lognormal(1.3, 0.4)",
    "lognormal(median=1.15, sigma=0.28, tail=0.02)", "exponential(2)", "weibull(1.5, 0.8)",
    "gamma(4, 0.4)", "discrete(0:0.6, 1:0.1, 3:0.3)", "discrete(0.9:0.2, 1:0.5, 1.6:0.3)",
)  # fmt: skip
factors = st.floats(0.05, 1)


def of(text: str) -> Distribution:
    return parse_distribution(text)


def drawn(one: Distribution) -> NDArray[np.float64]:
    return quantile(one, U)


def moments(one: Distribution) -> tuple[float, float]:
    """Mean and standard deviation of a distribution, by integrating its quantiles."""

    def power(n: int) -> float:
        return float(integrate.quad(lambda u: float(quantile(one, u)) ** n, 0, 1, limit=200)[0])

    return power(1), math.sqrt(power(2) - power(1) ** 2)


@pytest.mark.parametrize("text", FAMILIES)
@given(excess=factors, spread=factors)
def test_the_median_comes_nearer_to_one(text: str, excess: float, spread: float) -> None:
    after = deflated_multiplier(of(text), excess, spread)
    assert median(after) == pytest.approx(1 + excess * (median(of(text)) - 1), abs=1e-12)


@pytest.mark.parametrize("text", FAMILIES)
@given(excess=factors, spread=factors)
def test_it_stays_a_multiplier(text: str, excess: float, spread: float) -> None:
    """Never below 0, never in another order."""
    after = drawn(deflated_multiplier(of(text), excess, spread))
    assert (after >= 0).all()
    assert (np.diff(after) >= -1e-12).all()


def test_a_lognormal_by_theory() -> None:
    """Mean = median x exp(sigma^2 / 2), and logarithms have the standard deviation sigma."""
    after = deflated_multiplier(of("lognormal(1.4, 0.5)"), 0.5, 0.6)
    middle, sigma = 1.2, 0.3
    assert np.log(drawn(after)) == pytest.approx(math.log(middle) + sigma * stats.norm.ppf(U))
    mean = middle * math.exp(sigma**2 / 2)
    assert moments(after) == pytest.approx(
        (mean, mean * math.sqrt(math.exp(sigma**2) - 1)), rel=1e-6
    )


def test_below_one_the_median_rises() -> None:
    assert median(deflated_multiplier(of("lognormal(0.8, 0.2)"), 0.25, 1)) == pytest.approx(0.95)


class TestTail:
    """A work that runs away does so for reasons of its own."""

    def test_it_is_not_touched(self) -> None:
        text = "lognormal(median=1.2, sigma=0.3, tail=0.1, tail_from=1.5, tail_alpha=2, cap=4)"
        after = deflated_multiplier(of(text), 0.5, 0.5)
        far = U[U > 0.9 + 1e-9]
        assert (quantile(after, far) == quantile(of(text), far)).all()
        # By theory: 1 - (1.5 / x)^2 of the tail lies below x.
        assert quantile(after, 0.95) == pytest.approx(1.5 * 0.5**-0.5)
        assert median(after) == pytest.approx(1.1)

    @pytest.mark.parametrize("excess", [0.05, 0.5, 1])
    @pytest.mark.parametrize("spread", [0.05, 1])
    def test_it_keeps_its_distance_from_a_median_that_rises(
        self, excess: float, spread: float
    ) -> None:
        text = "lognormal(median=0.5, sigma=0.3, tail=0.1, tail_from=0.6, cap=0.9)"
        after = deflated_multiplier(of(text), excess, spread)
        new = 1 + excess * (0.5 - 1)
        assert median(after) == pytest.approx(new)
        assert quantile(after, 0.9) == pytest.approx(0.6 / 0.5 * new)
        assert quantile(after, 1 - 1e-12) <= 0.9 / 0.5 * new + 1e-12


@pytest.mark.parametrize(
    "text",
    ["uniform(0.8, 1.2)", "triangular(0.6, 1, 1.4)", "pert(0.7, 1, 1.3)",
     "normal(1, 0.2, 0.5, 1.5)", "discrete(0.5:0.2, 1:0.6, 2:0.2)"],
)  # fmt: skip
def test_about_one_straight_lines_shrink(text: str) -> None:
    """Where the median is 1, one factor for both is 1 + f (x - 1): mean and sd follow."""
    after = deflated_multiplier(of(text), 0.4, 0.4)
    assert drawn(after) == pytest.approx(1 + 0.4 * (drawn(of(text)) - 1), abs=1e-12)
    if not text.startswith("discrete"):
        mean, sd = moments(of(text))
        assert moments(after) == pytest.approx((1 + 0.4 * (mean - 1), 0.4 * sd), rel=1e-6)


def test_a_uniform_by_theory() -> None:
    """From 1 to 2, median 1.5: the new median is 1.25, the half-width 1/3 of it times 0.6."""
    low, high = deflated_multiplier(of("uniform(1, 2)"), 0.5, 0.6).parameters
    assert (low, high) == pytest.approx((1.25 * (1 - 0.6 / 3), 1.25 * (1 + 0.6 / 3)))


def test_a_multiplier_that_may_be_nothing_keeps_within_it() -> None:
    """Half of what uniform(0, 3) exceeds 1 by, with all its spread: from 0 still."""
    assert deflated_multiplier(of("uniform(0, 3)"), 0.5, 1).parameters == (0.0, 2.5)


def test_a_weibull_by_theory() -> None:
    """A power of a Weibull draw is one: logarithms shrink, with sd pi / sqrt(6) / shape."""
    before = of("weibull(2, 1.5)")
    after = deflated_multiplier(before, 0.5, 0.5)
    middle = 1.5 * math.log(2) ** 0.5
    scores = np.log(drawn(after) / (1 + 0.5 * (middle - 1)))
    assert scores == pytest.approx(0.5 * np.log(drawn(before) / middle), abs=1e-9)
    logs = stats.weibull_min(after.parameters[0], scale=after.parameters[1])
    sd = math.sqrt(logs.expect(lambda x: np.log(x) ** 2) - logs.expect(np.log) ** 2)
    assert sd == pytest.approx(0.5 * math.pi / math.sqrt(6) / 2, rel=1e-4)


def test_an_exponential_is_a_weibull_of_shape_one() -> None:
    mean = 1.3 / math.log(2)
    one = deflated_multiplier(of(f"exponential({mean!r})"), 0.5, 0.8)
    other = deflated_multiplier(of(f"weibull(1, {mean!r})"), 0.5, 0.8)
    assert one.name == other.name == "weibull"
    assert one.parameters == pytest.approx(other.parameters)
    assert median(one) == pytest.approx(1.15)


def test_a_gamma_by_theory() -> None:
    """Its coefficient of variation is 1 / sqrt(shape)."""
    after = deflated_multiplier(of("gamma(4, 0.5)"), 0.5, 0.5)
    mean, sd = moments(after)
    assert sd / mean == pytest.approx(0.5 * 0.5, rel=1e-4)


def test_a_sample() -> None:
    before = Distribution("empirical", (0.8, 1.0, 1.0, 1.5, 1.7))
    assert deflated_multiplier(before, 0.5, 0.5).parameters == pytest.approx(
        (0.9, 1.0, 1.0, 1.25, 1.35)
    )


@pytest.mark.parametrize(
    "text", ["fixed(1.3)", "2", "days: lognormal(300, 0.2)", "amount: pert(5, 6, 9)"]
)
def test_statements_are_left_alone(text: str) -> None:
    one = of(text)
    assert deflated_multiplier(one, 0.5, 0.5) is one


@pytest.mark.parametrize("text", [*FAMILIES, "fixed(3)"])
def test_nothing_stated_leaves_everything(text: str) -> None:
    one = of(text)
    assert deflated_multiplier(one, 1, 1) is one
    assert deflated_slip(one, 1) is one


class TestSlips:
    @given(probability=st.floats(0.01, 1), factor=factors)
    def test_they_become_rarer_not_shorter(self, probability: float, factor: float) -> None:
        inner = "lognormal(90, 0.8)"
        after = deflated_slip(of(f"chance({probability:.6f}, {inner})"), factor)
        assert after.parameters[0] == pytest.approx(factor * round(probability, 6))
        assert after.inner == of(inner)

    def test_their_share_and_mean_by_theory(self) -> None:
        after = deflated_slip(of("chance(0.5, uniform(10, 50))"), 0.6)
        days = quantile(after, np.linspace(0.0005, 0.9995, 1_000))
        assert (days > 0).mean() == pytest.approx(0.3)
        assert days.mean() == pytest.approx(0.3 * 30, rel=1e-3)

    @pytest.mark.parametrize(
        "text",
        ["uniform(5, 90)", "triangular(0, 20, 60)", "pert(0, 20, 60)", "normal(30, 10, 0, 90)",
         "lognormal(90, 0.8)", "exponential(40)", "weibull(1.5, 60)", "gamma(2, 30)",
         "lognormal(median=60, sigma=0.5, tail=0.1, tail_from=200, cap=900)",
         "discrete(0:0.6, 30:0.4)"],
    )  # fmt: skip
    def test_without_a_probability_they_become_shorter(self, text: str) -> None:
        assert drawn(deflated_slip(of(text), 0.6)) == pytest.approx(0.6 * drawn(of(text)))

    def test_a_number_is_a_statement(self) -> None:
        one = of("fixed(20)")
        assert deflated_slip(one, 0.6) is one


class TestCauses:
    DEFLATION: ClassVar = {
        "gates": Deflation(slip=0.5, duration_excess=0.8),
        "flood": Deflation(duration_excess=0.5, cost_spread=0.9, no_start=0.7),
    }

    def test_factors_multiply(self) -> None:
        assert in_force(self.DEFLATION, {"gates": "on", "flood": "stress", "slip": "off"}) == (
            Deflation(slip=0.5, duration_excess=0.4, cost_spread=0.9, no_start=0.7)
        )

    def test_what_is_off_takes_nothing(self) -> None:
        states = {"gates": "on", "flood": "off"}
        assert in_force(self.DEFLATION, states) == self.DEFLATION["gates"]
        assert in_force({}, states) == Deflation()

    def test_each_quantity_where_it_belongs(self) -> None:
        """Six different factors, so that none can stand in another's place."""
        one = dataclasses.replace(
            NEUTRAL_TYPE,
            duration=of("lognormal(2, 0.5)"),
            cost=of("lognormal(3, 0.4)"),
            slip=of("chance(0.5, fixed(30))"),
            no_start=0.4,
        )
        after = deflated_type(one, Deflation(0.9, 0.8, 0.7, 0.6, 0.5, 0.25))
        assert after.duration.parameters[:2] == pytest.approx((1.9, 0.4))
        assert after.cost.parameters[:2] == pytest.approx((2.4, 0.24))
        assert after.slip.parameters == pytest.approx((0.25,))
        assert after.no_start == pytest.approx(0.1)
        left = {"duration": one.duration, "cost": one.cost, "slip": one.slip, "no_start": 0.4}
        assert dataclasses.replace(after, **left) == one  # type: ignore[arg-type]
        assert deflated_type(one, Deflation()) is one
