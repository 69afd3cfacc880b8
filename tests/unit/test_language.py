"""The language of distributions: every family, every refusal, and nothing but its own error."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.plan.language import LARGEST, Distribution, DistributionError, parse_distribution

INFINITE = float("inf")


def sample(name: str) -> tuple[float, ...]:
    """Stand in for the files of a plan folder."""
    return {"three.csv": (3.0, 1.0, 2.0)}.get(name, ())


def parse(text: str) -> Distribution:
    """Parse with a plan folder at hand."""
    return parse_distribution(text, sample)


@pytest.mark.parametrize(
    ("positional", "by_keyword", "parameters", "lower"),
    [
        ("fixed(5)", "fixed(value=5)", (5,), 5),
        ("uniform(2, 5)", "uniform(high=5, low=2)", (2, 5), 2),
        ("triangular(2, 5, 8)", "triangular(2, high=8, mode=5)", (2, 5, 8), 2),
        ("pert(2, 5, 8)", "pert(low=2, mode=5, high=8)", (2, 5, 8), 2),
        ("normal(1, 0.1)", "normal(sd=0.1, mean=1)", (1, 0.1, -INFINITE, INFINITE), -INFINITE),
        ("normal(1, .1, 0, 2)", "normal(1, .1, high=2, low=0)", (1, 0.1, 0, 2), 0),
        ("normal(1, 0)", "normal(mean=1, sd=0)", (1, 0, -INFINITE, INFINITE), 1),
        ("lognormal(1.1, 0.25)", "lognormal(median=1.1, sigma=0.25)",
         (1.1, 0.25, 0, 1.5, 3, 5), 0),
        ("lognormal(1, 0.2, 0.02, 1.6, 2, 4)",
         "lognormal(1, 0.2, tail=0.02, tail_from=1.6, tail_alpha=2, cap=4)",
         (1, 0.2, 0.02, 1.6, 2, 4), 0),
        ("exponential(1000)", "exponential(mean=1e3)", (1000,), 0),
        ("weibull(1.5, 10)", "weibull(scale=10, shape=1.5)", (1.5, 10), 0),
        ("gamma(2, 3)", "gamma(shape=2, scale=3)", (2, 3), 0),
    ],
)  # fmt: skip
def test_families(
    positional: str, by_keyword: str, parameters: tuple[float, ...], lower: float
) -> None:
    parsed = parse(positional)
    assert parsed == parse(by_keyword) == parse(f"  {positional}\n".replace(",", " , "))
    assert (parsed.name, parsed.parameters) == (positional.partition("(")[0], parameters)
    assert parsed.unit == ""
    assert parsed.lower == lower


def test_families_of_lists() -> None:
    discrete = parse("discrete(9:0.5, 7:0.3, 11:0.2)")
    assert (discrete.parameters, discrete.lower) == ((7, 9, 11, 0.3, 0.5, 0.2), 7)
    empirical = parse("empirical(three.csv)")
    assert (empirical.parameters, empirical.lower) == ((1, 2, 3), 1)
    chance = parse("chance(0.2, discrete(5:0.5, -9:0.5))")
    assert (chance.parameters, chance.lower) == ((0.2,), -9)
    assert chance.inner == parse("discrete(5:0.5, -9:0.5)")
    assert parse("chance(0.2, 5)").lower == 0


@pytest.mark.parametrize("text", ["5", "5.", ".5", "-5", "+5e-3", " 5 ", "５"])
def test_plain_numbers_are_fixed(text: str) -> None:
    assert parse(text) == Distribution("fixed", (float(text),))


@pytest.mark.parametrize(
    ("text", "unit"),
    [("days: fixed(5)", "days"), ("amount:fixed(5)", "amount"), (" days : fixed(5)", "days")],
)
def test_units(text: str, unit: str) -> None:
    assert parse(text) == Distribution("fixed", (5.0,), unit)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "expected name"),
        ("fixed", "expected name"),
        ("fixed(5", "expected name"),
        ("weeks: fixed(5)", "expected name"),
        ("days: 5", "expected name"),
        ("Fixed(5)", "expected name"),
        ("nan", "expected name"),
        ("cauchy(1, 2)", "unknown name 'cauchy' (known: chance, discrete"),
        ("fixed(5))", "unbalanced"),
        ("fixed((5)", "unbalanced"),
        ("fixed()", "fixed needs value"),
        ("uniform(2)", "uniform needs high"),
        ("uniform(2, )", "'' is not a number"),
        ("uniform(2, 3, 4)", "takes 2 arguments at most"),
        ("uniform(2, mode=3)", "no argument 'mode'"),
        ("uniform(2, low=3)", "'low' is given twice"),
        ("uniform(2, nan)", "'nan' is not a number"),
        ("uniform(2, inf)", "'inf' is not a number"),
        ("uniform(2, 1_000)", "not a number"),
        ("fixed(1e16)", "beyond 1e+15"),
        ("1e999999999", "beyond 1e+15"),
        ("uniform(3, 2)", "low must not exceed high"),
        ("triangular(2, 8, 5)", "must not decrease"),
        ("pert(5, 2, 8)", "must not decrease"),
        ("normal(1, -0.1)", "sd must not be negative"),
        ("normal(1, 0.1, 2, 0)", "low must lie below high"),
        ("normal(1, 0.1, 5, 6)", "almost no probability"),
        ("normal(1, 0.1, -6, -5)", "almost no probability"),
        ("normal(1, 0, 2, 3)", "almost no probability"),
        ("lognormal(0, 1)", "median must be positive"),
        ("lognormal(1, -1)", "sigma must not be negative"),
        ("lognormal(1, 1, tail=0.5)", "tail must lie in [0, 0.5)"),
        ("lognormal(1, 1, cap=2)", "without a tail cap would do nothing"),
        ("lognormal(1, 1, 0, 2, 3, 5)", "without a tail tail_from, tail_alpha, cap would"),
        ("lognormal(1, 1, tail=0.1, tail_alpha=0)", "tail_alpha must be positive"),
        ("lognormal(1, 1, tail=0.1, tail_from=6)", "0 < tail_from < cap"),
        ("lognormal(2, 1, tail=0.1)", "begin above the median"),
        ("lognormal(1.4999, 1, tail=0.1)", "begin above the median"),
        ("exponential(0)", "mean must be positive"),
        ("weibull(0, 1)", "shape and scale"),
        ("gamma(1, -1)", "shape and scale"),
        ("chance(0.1)", "a probability and a distribution"),
        ("chance(1.1, fixed(5))", "between 0 and 1"),
        ("chance(0.1, days: fixed(5))", "plain distribution inside"),
        ("chance(0.1, chance(0.1, fixed(5)))", "plain distribution inside"),
        ("discrete(5)", "value:probability"),
        ("discrete()", "value:probability"),
        ("discrete(5:0.5, 6:0.6)", "must sum to 1"),
        ("discrete(5:1.5, 6:-0.5)", "must not be negative"),
        ("empirical()", "one file name"),
        ("empirical(a, b)", "one file name"),
        ("empirical(nothing.csv)", "holds no numbers"),
    ],
)
def test_refusals_say_why(text: str, reason: str) -> None:
    with pytest.raises(DistributionError, match=re.escape(reason)) as caught:
        parse(text)
    assert caught.value.told.zh != caught.value.told.en


def test_files_need_a_folder() -> None:
    with pytest.raises(DistributionError, match="plan folder"):
        parse_distribution("empirical(three.csv)")


@pytest.mark.parametrize(
    "text",
    ["chance(1," * 100_000, "chance(1," * 9999 + "5" + ")" * 9999, "(" * 100_000,
     "fixed(" + "(" * 50_000 + ")" * 50_001, "a" * 100_000, "9" * 100_000,
     "fixed(" + " " * 100_000, "fixed(1)" + ") " * 50_000],
)  # fmt: skip
def test_depth_and_length_do_no_harm(text: str) -> None:
    with pytest.raises(DistributionError):
        parse(text)


@given(st.text() | st.text(alphabet="fixedunormalchance(),:=. 0123456789e-+\n"))
def test_any_text_parses_or_is_refused(text: str) -> None:
    try:
        parsed = parse(text)
    except DistributionError:
        return
    assert parsed.parameters


NUMBERS = st.floats(-1e16, 1e16).map(repr) | st.sampled_from(["0", "1", "0.5", "1e-320", "-0.0"])
FAMILIES = ["fixed", "uniform", "triangular", "pert", "normal", "lognormal", "exponential",
            "weibull", "gamma", "discrete", "chance", "empirical"]  # fmt: skip


@given(st.sampled_from(FAMILIES), st.lists(NUMBERS, max_size=6))
def test_any_parameters_parse_or_are_refused(name: str, numbers: list[str]) -> None:
    try:
        parsed = parse(f"{name}({', '.join(numbers)})")
    except DistributionError:
        return
    given_numbers = [float(text) for text in numbers]
    assert all(abs(number) <= LARGEST for number in given_numbers)
    inner = parsed.inner.parameters if parsed.inner is not None else ()
    assert (*parsed.parameters, *inner)[: len(numbers)] == tuple(given_numbers)
