"""The language in which distributions are written, as objects; no random numbers here."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

Unit = Literal["", "days", "amount"]

_CALL = re.compile(r"^\s*(?:(days|amount)\s*:\s*)?([a-z_]+)\s*\((.*)\)\s*$", re.DOTALL)
_NUMBER = re.compile(r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$")

# Parameters in order with their defaults; None where one must be given.
_SIGNATURES: dict[str, dict[str, float | None]] = {
    "fixed": {"value": None},
    "uniform": {"low": None, "high": None},
    "triangular": {"low": None, "mode": None, "high": None},
    "pert": {"low": None, "mode": None, "high": None},
    "normal": {"mean": None, "sd": None, "low": -math.inf, "high": math.inf},
    "lognormal": {
        "median": None, "sigma": None,
        "tail": 0.0, "tail_from": 1.5, "tail_alpha": 3.0, "cap": 5.0,
    },
    "exponential": {"mean": None},
    "weibull": {"shape": None, "scale": None},
    "gamma": {"shape": None, "scale": None},
}  # fmt: skip


class DistributionError(ValueError):
    """Raised when a distribution does not parse; the message says why."""


@dataclass(frozen=True, slots=True)
class Distribution:
    """A parsed distribution.

    Attributes
    ----------
    name : str
        Name of the family.
    parameters : tuple of float
        In the order of the family's signature; values then weights for `discrete`; the sorted
        sample for `empirical`; the probability for `chance`.
    unit : {"", "days", "amount"}
        Empty: a multiplier of what remains (or a plain quantity); otherwise it replaces the whole.
    inner : Distribution or None
        What `chance` draws from when it strikes.
    """

    name: str
    parameters: tuple[float, ...]
    unit: Unit = ""
    inner: Distribution | None = None

    @property
    def lower(self) -> float:
        """Lower end of the support."""
        first = self.parameters[0]
        match self.name:
            case "chance":
                assert self.inner is not None
                return min(0.0, self.inner.lower)
            case "normal":
                return first if self.parameters[1] == 0 else self.parameters[2]
            case "lognormal" | "exponential" | "weibull" | "gamma":
                return 0.0
            case "discrete":
                return min(self.parameters[: len(self.parameters) // 2])
            case _:
                return first


FIXED_ONE = Distribution("fixed", (1.0,))
FIXED_ZERO = Distribution("fixed", (0.0,))


def parse_distribution(
    text: str, read_sample: Callable[[str], tuple[float, ...]] | None = None
) -> Distribution:
    """Parse a distribution.

    Parameters
    ----------
    text : str
        For example ``pert(2, 5, 8)``, ``days: exponential(1000)`` or a plain number.
    read_sample : callable, optional
        Returns the numbers of the file that ``empirical(file)`` names.

    Returns
    -------
    Distribution
        The checked distribution.

    Raises
    ------
    DistributionError
        If the text does not parse or the parameters make no distribution.
    """
    if _NUMBER.match(text.strip()):
        return Distribution("fixed", (float(text),))
    match = _CALL.match(text)
    if match is None:
        raise DistributionError("expected name(arguments)")
    unit, name, body = match.group(1) or "", match.group(2), match.group(3)
    arguments = _split(body)
    if name == "chance":
        parsed = _chance(arguments, read_sample)
    elif name == "discrete":
        parsed = _discrete(arguments)
    elif name == "empirical":
        parsed = _empirical(arguments, read_sample)
    elif name in _SIGNATURES:
        parsed = Distribution(name, _bind(name, arguments))
        _check(parsed)
    else:
        known = ", ".join(sorted([*_SIGNATURES, "chance", "discrete", "empirical"]))
        raise DistributionError(f"unknown name '{name}' (known: {known})")
    return Distribution(parsed.name, parsed.parameters, unit, parsed.inner)  # type: ignore[arg-type]


def _split(body: str) -> list[str]:
    """Split at the commas outside parentheses."""
    parts, depth, start = [], 0, 0
    for position, character in enumerate(body):
        depth += (character == "(") - (character == ")")
        if depth < 0:
            raise DistributionError("unbalanced parentheses")
        if character == "," and depth == 0:
            parts.append(body[start:position])
            start = position + 1
    if depth:
        raise DistributionError("unbalanced parentheses")
    parts.append(body[start:])
    return [part.strip() for part in parts]


def _number(text: str) -> float:
    if not _NUMBER.match(text):
        raise DistributionError(f"'{text}' is not a number")
    value = float(text)
    if not math.isfinite(value):
        raise DistributionError(f"'{text}' is not finite")
    return value


def _bind(name: str, arguments: list[str]) -> tuple[float, ...]:
    signature = _SIGNATURES[name]
    bound = dict(signature)
    given: set[str] = set()
    for position, argument in enumerate(arguments):
        key, equals, value = (piece.strip() for piece in argument.partition("="))
        if not equals:
            if position >= len(signature):
                raise DistributionError(f"{name} takes {len(signature)} arguments")
            key, value = list(signature)[position], argument
        if key not in signature:
            raise DistributionError(f"{name} has no argument '{key}'")
        if key in given:
            raise DistributionError(f"argument '{key}' is given twice")
        given.add(key)
        bound[key] = _number(value)
    missing = [key for key, value in bound.items() if value is None]
    if missing:
        raise DistributionError(f"{name} needs {', '.join(missing)}")
    return tuple(float(value) for value in bound.values() if value is not None)


def _check(distribution: Distribution) -> None:
    name, values = distribution.name, distribution.parameters
    if name == "uniform" and not values[0] <= values[1]:
        raise DistributionError("low must not exceed high")
    if name in ("triangular", "pert") and not values[0] <= values[1] <= values[2]:
        raise DistributionError("low, mode and high must not decrease")
    if name == "normal":
        mean, sd, low, high = values
        if sd < 0 or not low < high:
            raise DistributionError("sd must not be negative and low must lie below high")
        if sd > 0 and (low > mean + 8 * sd or high < mean - 8 * sd):
            raise DistributionError("the span from low to high has almost no probability")
        if sd == 0 and not low <= mean <= high:
            raise DistributionError("the mean lies outside low and high")
    if name == "lognormal":
        median, sigma, tail, tail_from, alpha, cap = values
        if median <= 0 or sigma < 0:
            raise DistributionError("median must be positive and sigma not negative")
        if not 0 <= tail < 1 or alpha <= 0 or not 0 < tail_from < cap:
            raise DistributionError("tail in [0, 1), alpha above 0 and 0 < tail_from < cap")
        if tail > 0 and tail_from <= median:
            raise DistributionError("the tail must begin above the median")
    if name == "exponential" and values[0] <= 0:
        raise DistributionError("the mean must be positive")
    if name in ("weibull", "gamma") and min(values) <= 0:
        raise DistributionError("shape and scale must be positive")


def _chance(
    arguments: list[str], read_sample: Callable[[str], tuple[float, ...]] | None
) -> Distribution:
    if len(arguments) != 2:
        raise DistributionError("chance takes a probability and a distribution")
    probability = _number(arguments[0])
    if not 0 <= probability <= 1:
        raise DistributionError("the probability must lie between 0 and 1")
    inner = parse_distribution(arguments[1], read_sample)
    if inner.unit or inner.name == "chance":
        raise DistributionError("chance takes a plain distribution inside")
    return Distribution("chance", (probability,), "", inner)


def _discrete(arguments: list[str]) -> Distribution:
    values, weights = [], []
    for argument in arguments:
        value, colon, weight = argument.partition(":")
        if not colon:
            raise DistributionError("discrete takes value:probability pairs")
        values.append(_number(value.strip()))
        weights.append(_number(weight.strip()))
    if min(weights) < 0 or abs(math.fsum(weights) - 1) > 1e-9:
        raise DistributionError("the probabilities must be positive and sum to 1")
    pairs = sorted(zip(values, weights, strict=True))
    ordered = [value for value, _ in pairs] + [weight for _, weight in pairs]
    return Distribution("discrete", tuple(ordered))


def _empirical(
    arguments: list[str], read_sample: Callable[[str], tuple[float, ...]] | None
) -> Distribution:
    if len(arguments) != 1 or not arguments[0]:
        raise DistributionError("empirical takes one file name")
    if read_sample is None:
        raise DistributionError("empirical needs a plan folder to read from")
    sample = read_sample(arguments[0])
    if not sample:
        raise DistributionError("the file holds no numbers")
    return Distribution("empirical", tuple(sorted(sample)))
