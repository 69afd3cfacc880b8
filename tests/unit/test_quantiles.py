"""Inverse distribution functions against scipy's, and their shape."""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import optimize, stats

from sim.plan.language import parse_distribution
from sim.plan.quantiles import cuts, median, quantile

GRID = np.array([1e-9, 1e-3, 0.05, 0.25, 0.5, 0.75, 0.95, 0.999, 1 - 1e-9])

TWINS = [
    ("uniform(2, 5)", stats.uniform(2, 3)),
    ("triangular(2, 5, 8)", stats.triang(0.5, 2, 6)),
    ("triangular(2, 2, 8)", stats.triang(0.0, 2, 6)),
    ("triangular(2, 8, 8)", stats.triang(1.0, 2, 6)),
    ("pert(10, 20, 60)", stats.beta(1.8, 4.2, 10, 50)),
    ("normal(5, 2, 1, 8)", stats.truncnorm(-2, 1.5, 5, 2)),
    ("normal(mean=5, sd=2)", stats.norm(5, 2)),
    ("lognormal(median=1.1, sigma=0.25)", stats.lognorm(0.25, scale=1.1)),
    ("exponential(4)", stats.expon(scale=4)),
    ("weibull(1.5, 3)", stats.weibull_min(1.5, scale=3)),
    ("gamma(2.5, 3)", stats.gamma(2.5, scale=3)),
]


@pytest.mark.parametrize(("text", "twin"), TWINS, ids=[text for text, _ in TWINS])
def test_against_scipy(text: str, twin: stats.rv_continuous) -> None:
    found = quantile(parse_distribution(text), GRID)
    np.testing.assert_allclose(found, twin.ppf(GRID), rtol=1e-9, atol=1e-12)


def test_discrete_and_fixed() -> None:
    die = parse_distribution("discrete(7:0.3, 9:0.5, 11:0.2)")
    assert quantile(die, [0.1, 0.299, 0.31, 0.79, 0.81]).tolist() == [7, 7, 9, 9, 11]
    assert quantile(parse_distribution("fixed(5)"), [0.1, 0.9]).tolist() == [5, 5]
    assert quantile(parse_distribution("5"), [0.5]).tolist() == [5]


def test_empirical_takes_each_value_equally_often() -> None:
    sample = parse_distribution("empirical(x.csv)", lambda _: (3.0, 1.0, 2.0, 2.0))
    assert quantile(sample, [0.2, 0.25, 0.3, 0.6, 0.76]).tolist() == [1, 1, 2, 2, 3]


def test_chance_strikes_as_often_as_it_says() -> None:
    slip = parse_distribution("chance(0.2, uniform(10, 20))")
    u = (np.arange(100_000) + 0.5) / 100_000
    drawn = quantile(slip, u)
    assert (drawn > 0).mean() == pytest.approx(0.2, abs=1e-4)
    assert drawn[drawn > 0].mean() == pytest.approx(15, abs=1e-3)
    assert quantile(parse_distribution("chance(0, fixed(3))"), GRID).max() == 0


def test_lognormal_with_a_tail() -> None:
    """Above `tail_from` lies the tail's probability, Pareto-distributed and capped."""
    heavy = parse_distribution(
        "lognormal(median=1.05, sigma=0.2, tail=0.04, tail_from=1.5, tail_alpha=3, cap=5)"
    )
    u = (np.arange(1_000_000) + 0.5) / 1_000_000
    drawn = quantile(heavy, u)
    assert (drawn > 1.5).mean() == pytest.approx(0.04, abs=2e-6)
    assert drawn.max() == 5.0
    # Pareto with alpha 3: half of the tail lies beyond 1.5 x 2^(1/3).
    assert (drawn > 1.5 * 2 ** (1 / 3)).mean() == pytest.approx(0.02, abs=2e-6)
    assert (np.diff(drawn) >= 0).all()


TAILED = [
    (1.05, 0.212, 0.01, 1.5),
    (1.4, 0.3, 0.1, 1.5),
    (35, 0.7, 0.08, 150),
    (1, 0.5, 0.45, 1.5),
    (1, 0, 0.02, 1.5),
    (1, 40, 0.02, 1.5),
    (1.499, 0.2, 0.3, 1.5),
    (1, 1e-9, 0.02, 1.5),
]
"""Median, sigma, tail and tail_from."""


@pytest.mark.parametrize("parameters", TAILED)
def test_the_median_of_a_lognormal_with_a_tail_is_its_median(
    parameters: tuple[float, float, float, float],
) -> None:
    centre, sigma, tail, tail_from = parameters
    text = f"lognormal({centre}, {sigma}, {tail}, {tail_from}, cap=750)"
    assert median(parse_distribution(text)) == pytest.approx(centre, rel=1e-9)


@pytest.mark.parametrize("parameters", TAILED[:4])
def test_the_body_of_a_lognormal_with_a_tail_is_cut_where_the_tail_begins(
    parameters: tuple[float, float, float, float],
) -> None:
    """Its logarithm is scipy's truncated normal of the same sigma, whatever its centre."""
    centre, sigma, tail, tail_from = parameters
    end = np.log(tail_from)

    def body(middle: float) -> Any:
        return stats.truncnorm(-np.inf, (end - middle) / sigma, middle, sigma)

    middle = optimize.brentq(
        lambda x: body(x).ppf(0.5 / (1 - tail)) - np.log(centre), end - 8 * sigma, end + 8 * sigma
    )
    text = f"lognormal({centre}, {sigma}, {tail}, {tail_from}, cap=750)"
    shares = np.array([1e-6, 0.01, 0.3, 0.8, 0.999])
    found = quantile(parse_distribution(text), shares * (1 - tail))
    np.testing.assert_allclose(np.log(found), body(middle).ppf(shares), rtol=1e-7, atol=1e-7)


@pytest.mark.parametrize("text", [text for text, _ in TWINS])
@given(u=st.lists(st.floats(1e-12, 1 - 1e-12), min_size=2, max_size=20))
def test_never_decreasing(text: str, u: list[float]) -> None:
    assert (np.diff(quantile(parse_distribution(text), np.sort(u))) >= 0).all()


@pytest.mark.parametrize("text", [text for text, _ in TWINS])
def test_lower_is_the_end_of_the_support(text: str) -> None:
    distribution = parse_distribution(text)
    drawn = quantile(distribution, [1e-15])[0]
    assert drawn >= distribution.lower
    if math.isfinite(distribution.lower) and not text.startswith(("normal", "lognormal")):
        assert drawn == pytest.approx(distribution.lower, abs=0.05)


def test_median() -> None:
    assert median(parse_distribution("lognormal(median=1.3, sigma=0.7)")) == pytest.approx(1.3)


@pytest.mark.parametrize(
    ("text", "steps"),
    [
        ("discrete(7:0.3, 9:0.5, 11:0.2)", [0.3, 0.8]),
        ("empirical(x.csv)", [0.25, 0.75]),
        ("chance(0.4, fixed(3))", [0.6]),
        ("chance(0.4, discrete(1:0.5, 2:0.5))", [0.6, 0.8]),
        ("chance(0.4, empirical(x.csv))", [0.6, 0.7, 0.9]),
    ],
)
def test_cuts_stand_where_the_steps_are(text: str, steps: list[float]) -> None:
    distribution = parse_distribution(text, lambda _: (3.0, 1.0, 2.0, 2.0))
    found = cuts(distribution, np.linspace(0.001, 0.999, 50))
    inside = found[(found > 0) & (found < 1)]
    for step in steps:
        assert np.isclose(inside, step, rtol=1e-12).any()
        assert np.diff(quantile(distribution, [step - 1e-9, step + 1e-9]))[0] > 0
    between = (np.concatenate([[0.0], inside]) + np.concatenate([inside, [1.0]])) / 2
    assert len(np.unique(quantile(distribution, between))) == len(steps) + 1


def test_cuts_of_what_is_continuous() -> None:
    grid = np.array([0.25, 0.5, 0.75])
    assert cuts(parse_distribution("uniform(2, 5)"), grid).tolist() == [0.25, 0.5, 0.75]
    assert cuts(parse_distribution("chance(0.4, uniform(2, 5))"), grid) == pytest.approx(
        [0.6, 0.7, 0.8, 0.9]
    )
    # A sample with more steps than the grid: its largest steps, and the grid.
    sample = parse_distribution("empirical(x)", lambda _: (1, 2, 3, 14, 15, 26, 27, 38, 39, 40))
    assert cuts(sample, grid).tolist() == [0.25, 0.3, 0.5, 0.7, 0.75]
