"""The language in which distributions are written, as objects; no random numbers here."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from sim.plan.problems import Told

Unit = Literal["", "days", "amount"]
ReadSample = Callable[[str], tuple[float, ...]]

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


_OF_THE_TAIL = ("tail_from", "tail_alpha", "cap")
"""Arguments of the lognormal that mean nothing without a tail."""

LARGEST = 1e15
"""No parameter is larger: beyond it, whole numbers and sums are no longer exact."""


class DistributionError(ValueError):
    """Raised when a distribution does not parse; `told` says why in both languages."""

    def __init__(self, zh: str, en: str) -> None:
        super().__init__(zh, en)
        self.told = Told(zh, en)

    def __str__(self) -> str:
        return self.told.en


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


def parse_distribution(text: str, read_sample: ReadSample | None = None) -> Distribution:
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
    return _parse(text, read_sample, inside=False)


def as_written(distribution: Distribution, digits: int = 6) -> str:
    """Write a distribution of named parameters as `parse_distribution` reads it.

    Parameters
    ----------
    distribution : Distribution
        Of a family with a fixed number of parameters, without a prefix.
    digits : int
        Significant digits of each parameter.
    """
    given = dict(zip(_SIGNATURES[distribution.name], distribution.parameters, strict=True))
    if given.get("tail") == 0:
        for name in ("tail", *_OF_THE_TAIL):
            del given[name]
    inside = ", ".join(f"{name}={value:.{digits}g}" for name, value in given.items())
    return f"{distribution.name}({inside})"


def _parse(text: str, read_sample: ReadSample | None, inside: bool) -> Distribution:
    if _NUMBER.match(text.strip()):
        return Distribution("fixed", (parse_number(text.strip()),))
    match = _CALL.match(text)
    if match is None:
        raise DistributionError("应写成 名称(参数)", "expected name(arguments)")
    unit, name, body = match.group(1) or "", match.group(2), match.group(3)
    if inside and (unit or name == "chance"):
        # Refused before going down, so that no text leads deeper than one level.
        raise DistributionError(
            "chance 之内只能是普通分布", "chance takes a plain distribution inside"
        )
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
        raise DistributionError(
            f"没有名为“{name}”的分布（可用：{known}）", f"unknown name '{name}' (known: {known})"
        )
    return Distribution(parsed.name, parsed.parameters, unit, parsed.inner)  # type: ignore[arg-type]


def _split(body: str) -> list[str]:
    """Split at the commas outside parentheses."""
    parts, depth, start = [], 0, 0
    for position, character in enumerate(body):
        depth += (character == "(") - (character == ")")
        if depth < 0:
            break
        if character == "," and depth == 0:
            parts.append(body[start:position])
            start = position + 1
    if depth != 0:
        raise DistributionError("括号不配对", "unbalanced parentheses")
    parts.append(body[start:])
    return [part.strip() for part in parts]


def parse_number(text: str) -> float:
    """Read a finite number of sensible size.

    Raises
    ------
    DistributionError
        If the text is no number, or one beyond `LARGEST`.
    """
    if not _NUMBER.match(text):
        raise DistributionError(f"“{text}”不是数字", f"'{text}' is not a number")
    value = float(text)
    if not abs(value) <= LARGEST:
        raise DistributionError(f"“{text}”超出 {LARGEST:g}", f"'{text}' is beyond {LARGEST:g}")
    return value


def _bind(name: str, arguments: list[str]) -> tuple[float, ...]:
    signature = _SIGNATURES[name]
    bound = dict(signature)
    given: set[str] = set()
    for position, argument in enumerate(arguments if arguments != [""] else []):
        key, equals, value = (piece.strip() for piece in argument.partition("="))
        if not equals:
            if position >= len(signature):
                count = len(signature)
                raise DistributionError(
                    f"{name} 最多有 {count} 个参数", f"{name} takes {count} arguments at most"
                )
            key, value = list(signature)[position], argument
        if key not in signature:
            raise DistributionError(f"{name} 没有参数“{key}”", f"{name} has no argument '{key}'")
        if key in given:
            raise DistributionError(f"参数“{key}”重复", f"argument '{key}' is given twice")
        given.add(key)
        bound[key] = parse_number(value)
    missing = ", ".join(key for key, value in bound.items() if value is None)
    if missing:
        raise DistributionError(f"{name} 缺少参数 {missing}", f"{name} needs {missing}")
    idle = ", ".join(key for key in _OF_THE_TAIL if key in given)
    if idle and bound["tail"] == 0:
        raise DistributionError(
            f"没有尾部（tail 为 0）时 {idle} 不起作用；给出 tail，或删去",
            f"without a tail {idle} would do nothing: give tail, or leave it out",
        )
    return tuple(float(value) for value in bound.values() if value is not None)


def _check(distribution: Distribution) -> None:
    for wrong, zh, en in _rules(distribution.name, distribution.parameters):
        if wrong:
            raise DistributionError(zh, en)


def _rules(name: str, values: tuple[float, ...]) -> list[tuple[bool, str, str]]:
    """List what must not be, with the reason in both languages."""
    match name:
        case "uniform":
            low, high = values
            return [(low > high, "low 不得大于 high", "low must not exceed high")]
        case "triangular" | "pert":
            low, mode, high = values
            ordered = low <= mode <= high
            return [
                (not ordered, "low、mode、high 须依次不减", "low, mode and high must not decrease")
            ]
        case "normal":
            mean, sd, low, high = values
            far = low > mean + 8 * sd or high < mean - 8 * sd
            return [
                (sd < 0, "sd 不得为负", "sd must not be negative"),
                (low >= high, "low 须小于 high", "low must lie below high"),
                (far, "low 与 high 之间几乎没有概率",
                 "the span from low to high has almost no probability"),
            ]  # fmt: skip
        case "lognormal":
            median, sigma, tail, tail_from, alpha, cap = values
            positive = min(median, tail_from) > 0
            # A thousandth of sigma: nearer, the body has no place below the tail's beginning.
            near = positive and math.log(tail_from) - math.log(median) <= sigma / 1000
            return [
                (median <= 0, "median 须为正", "median must be positive"),
                (sigma < 0, "sigma 不得为负", "sigma must not be negative"),
                (not 0 <= tail < 0.5, "tail 须在 0（含）与 0.5 之间",
                 "tail must lie in [0, 0.5): the median does not lie in the tail"),
                (alpha <= 0, "tail_alpha 须为正", "tail_alpha must be positive"),
                (not 0 < tail_from < cap, "须 0 < tail_from < cap",
                 "0 < tail_from < cap must hold"),
                (tail > 0 and near, "尾部须始于中位数之上",
                 "the tail must begin above the median"),
            ]  # fmt: skip
        case "exponential":
            return [(values[0] <= 0, "mean 须为正", "the mean must be positive")]
        case "weibull" | "gamma":
            wrong = min(values) <= 0
            return [(wrong, "shape 与 scale 须为正", "shape and scale must be positive")]
    return []


def _chance(arguments: list[str], read_sample: ReadSample | None) -> Distribution:
    if len(arguments) != 2:
        raise DistributionError(
            "chance 需要一个概率和一个分布", "chance takes a probability and a distribution"
        )
    probability = parse_number(arguments[0])
    if not 0 <= probability <= 1:
        raise DistributionError("概率须在 0 与 1 之间", "the probability must lie between 0 and 1")
    return Distribution(
        "chance", (probability,), "", _parse(arguments[1], read_sample, inside=True)
    )


def _discrete(arguments: list[str]) -> Distribution:
    values, weights = [], []
    for argument in arguments:
        value, colon, weight = argument.partition(":")
        if not colon:
            raise DistributionError(
                "discrete 需要 值:概率 对", "discrete takes value:probability pairs"
            )
        values.append(parse_number(value.strip()))
        weights.append(parse_number(weight.strip()))
    if min(weights) < 0 or abs(math.fsum(weights) - 1) > 1e-9:
        raise DistributionError(
            "概率不得为负且合计须为 1", "the probabilities must not be negative and must sum to 1"
        )
    pairs = sorted(zip(values, weights, strict=True))
    ordered = [value for value, _ in pairs] + [weight for _, weight in pairs]
    return Distribution("discrete", tuple(ordered))


def _empirical(arguments: list[str], read_sample: ReadSample | None) -> Distribution:
    if len(arguments) != 1 or not arguments[0]:
        raise DistributionError("empirical 需要一个文件名", "empirical takes one file name")
    if read_sample is None:
        raise DistributionError(
            "此处不能使用 empirical", "empirical needs a plan folder to read from"
        )
    sample = read_sample(arguments[0])
    if not sample:
        raise DistributionError("文件中没有数字", "the file holds no numbers")
    return Distribution("empirical", tuple(sorted(sample)))
