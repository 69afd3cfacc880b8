"""Kernels of distributions against scipy and against the plan's own telling."""

import math
import statistics

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import special

from sim.plan.language import parse_distribution
from sim.plan.quantiles import quantile
from sim.sampling.inverses import Inverses, evaluate, evaluate_draws
from sim.sampling.normal import (
    FARTHEST,
    exponential,
    power,
    probability_of,
    score_of,
    score_of_log,
)

Floats = NDArray[np.float64]
EDGE = [2.0**-54, 2.0**-53, 1e-15, 1e-12, 1e-9, 1e-6]
U = np.unique([*EDGE, *(1 - np.array(EDGE[1:])), *((np.arange(2000) + 0.5) / 2000)])


def test_normal_quantile() -> None:
    found = [score_of(u) for u in U]
    np.testing.assert_allclose(found, special.ndtri(U), rtol=2e-15, atol=1e-16)
    standard = statistics.NormalDist()
    np.testing.assert_allclose(found, [standard.inv_cdf(u) for u in U], rtol=1e-15)
    small = 10.0 ** -np.arange(20, 300, 7)
    np.testing.assert_allclose([score_of(p) for p in small], special.ndtri(small), rtol=2e-15)
    assert (score_of(0.0), score_of(1.0)) == (-math.inf, math.inf)
    assert score_of(2.0**-53) == pytest.approx(-FARTHEST, rel=1e-15)


def test_normal_quantile_of_what_is_too_small_to_hold() -> None:
    logs = -(10.0 ** np.linspace(0, 8, 200))
    found = np.array([score_of_log(one) for one in logs])
    np.testing.assert_allclose(special.log_ndtr(found), logs, rtol=1e-14)
    np.testing.assert_allclose(found, special.ndtri_exp(logs), rtol=1e-12)


def test_normal_probability() -> None:
    scores = np.linspace(-9, 9, 1001)
    found = [probability_of(one) for one in scores]
    np.testing.assert_allclose(found, special.ndtr(scores), rtol=1e-14)


def test_nothing_stops_a_run() -> None:
    assert exponential(1e6) == math.inf
    assert exponential(-1e6) == 0
    assert power(0.0, -1.0) == math.inf
    assert (power(0.0, 2.0), power(0.0, 0.0), power(0.0, 1.0)) == (0, 1, 0)
    assert power(1e200, 10.0) == math.inf
    assert power(1e200, -10.0) == 0
    assert power(1e-200, 10.0) == 0
    assert power(1e-200, -10.0) == math.inf
    assert power(math.inf, -1.0) == 0
    assert power(math.inf, 0.5) == math.inf
    assert math.isnan(power(-1.0, 0.5))
    assert power(3.0, 2.5) == 3**2.5


FAMILIES = [
    "7", "uniform(2, 5)", "uniform(3, 3)", "triangular(2, 5, 8)", "triangular(2, 2, 8)",
    "triangular(2, 8, 8)", "triangular(4, 4, 4)", "pert(10, 20, 60)", "pert(10, 10, 60)",
    "pert(10, 60, 60)", "pert(0, 59, 60)", "pert(5, 5, 5)", "normal(5, 2, 1, 8)",
    "normal(5, 2)", "normal(5, 2, low=4)", "normal(0.97, 0.1, 0.6, 1.2)", "normal(5, 0)",
    "lognormal(1.1, 0.25)", "lognormal(1.1, 0)", "lognormal(1, 300)",
    "lognormal(1.05, 0.212, 0.01, 1.5)", "lognormal(1.4, 0.3, 0.1, 1.5)",
    "lognormal(35, 0.7, 0.08, 150, 1.6, cap=750)", "lognormal(1, 0.5, 0.45, 1.5)",
    "lognormal(1, 0, 0.02, 1.5)", "lognormal(1, 10, 0.02, 1.5)", "lognormal(1, 40, 0.02, 1.5)",
    "lognormal(1.499, 0.2, 0.3, 1.5)", "exponential(4)", "weibull(1.5, 3)", "weibull(0.02, 3)",
    "gamma(2.5, 3)", "gamma(0.3, 3)", "gamma(0.01, 3)", "gamma(400, 2)", "gamma(1000000, 1)",
    "discrete(7:0.3, 9:0.5, 11:0.2)", "discrete(7:1)", "discrete(-1:0.5, 2:0, 5:0.5)",
    "empirical(x.csv)", "chance(0.2, uniform(10, 20))", "chance(0, fixed(3))",
    "chance(1, pert(1, 2, 3))", "chance(0.132, lognormal(90, 0.8))",
]  # fmt: skip
# What stands behind the tables: see `sim.sampling.inverses`.
TABULATED = ("pert", "gamma", "chance(1")


def evaluated(laid_out: Inverses, row: int, given: Floats, are_scores: bool = False) -> Floats:
    rows, numbers = laid_out.tables()
    out = np.empty(len(given))
    evaluate(rows, numbers, np.full(len(given), row), given, len(given), are_scores, out)
    return out


@pytest.mark.parametrize("are_scores", [False, True])
def test_draws_in_strides_give_the_same_bits(are_scores: bool) -> None:
    """Family by family or one after another, into another array or in place."""
    laid_out, generator = Inverses(), np.random.default_rng(3)
    known = [
        laid_out.add(parse_distribution(text, lambda _: (3.0, 1.0, 2.0, 2.0))) for text in FAMILIES
    ]
    which = generator.choice(known, 4_000)
    given = generator.normal(0, 3, 4_000) if are_scores else generator.uniform(size=4_000)
    given[:2] = (-9.0, 9.0) if are_scores else (2.0**-54, 1 - 2.0**-53)
    rows, numbers = laid_out.tables()
    expected, found = np.empty(4_000), np.empty(4_000)
    evaluate(rows, numbers, which, given, 4_000, are_scores, expected)
    draws, room = laid_out.draws(which.tolist()), np.empty((3, 4_000))
    evaluate_draws(rows, numbers, draws, given, are_scores, room, found)
    assert np.array_equal(found, expected)
    evaluate_draws(rows, numbers, draws, given, are_scores, room, given)
    assert np.array_equal(given, expected)


@pytest.mark.parametrize("text", FAMILIES)
def test_every_family_is_what_the_plan_says(text: str) -> None:
    distribution = parse_distribution(text, lambda _: (3.0, 1.0, 2.0, 2.0))
    laid_out = Inverses()
    for other in FAMILIES[:5]:
        laid_out.add(parse_distribution(other))
    row = laid_out.add(distribution)
    assert laid_out.add(distribution) == row
    with np.errstate(over="ignore"):
        expected = quantile(distribution, U)
    # A wide spread multiplies the last bits of scores and probabilities.
    wide = ("lognormal(1, ", "weibull(0.02", "gamma(0.01")
    relative = 2e-12 if text.startswith(TABULATED) else 1e-13
    relative *= 100 if text.startswith(wide) else 1
    found = evaluated(laid_out, row, U)
    np.testing.assert_allclose(found, expected, rtol=relative, atol=1e-15)
    # Near 1 a probability's own last bit is worth much of the quantile; a score has no such end.
    scores = special.ndtri(U[(U > 2.0**-54) & (U < 1 - 1e-9)])
    with np.errstate(over="ignore"):
        expected = quantile(distribution, special.ndtr(scores))
    found = evaluated(laid_out, row, scores, are_scores=True)
    np.testing.assert_allclose(found, expected, rtol=max(relative, 1e-8), atol=1e-15)


@pytest.mark.parametrize("text", FAMILIES)
def test_scores_beyond_the_farthest_count_as_it(text: str) -> None:
    laid_out = Inverses()
    row = laid_out.add(parse_distribution(text, lambda _: (3.0, 1.0, 2.0, 2.0)))
    found = evaluated(laid_out, row, np.array([-99, -FARTHEST, FARTHEST, 99]), are_scores=True)
    assert found[0] == found[1] <= found[2] == found[3]


def test_medians_are_fixed_numbers() -> None:
    laid_out = Inverses()
    row = laid_out.add_median(parse_distribution("days: triangular(2, 5, 8)"))
    assert evaluated(laid_out, row, np.array([0.001, 0.9])).tolist() == [5, 5]
