"""What a calibration found, as a scenario: middles and spreads that a plan can be run with."""

from __future__ import annotations

import json

import numpy as np
from numpy.typing import NDArray

from sim.analysis.calibration import Posterior, marginals
from sim.plan.language import parse_distribution
from sim.plan.parameters import PARAMETERS, Parameter, own_draw

Floats = NDArray[np.float64]

_DIGITS = 3
_END = 1e-9


def driver_distribution(one: Parameter, mean: float, sd: float) -> str:
    """Return a distribution with a posterior's mean and deviation, of the kind of its prior.

    A lognormal keeps the spread of its prior, which is that of years: the evidence tells of the
    middle, and the more it tells the less would be left of the years.

    Parameters
    ----------
    one : Parameter
        One that is a driver.
    mean, sd : float
        Of its posterior.

    Returns
    -------
    str
        A lognormal of that mean where the prior is one; else a normal cut at the ends of the
        prior.
    """
    prior = parse_distribution(one.prior)
    if prior.name == "lognormal":
        sigma = prior.parameters[1]
        median = mean / np.exp(sigma**2 / 2)
        return f"lognormal(median={median:.{_DIGITS}f}, sigma={sigma:.{_DIGITS}f})"
    low, high = prior.parameters[0], prior.parameters[-1]
    middle, spread = cut_normal(mean, sd, low, high)
    return f"normal({middle:.{_DIGITS}f}, {spread:.{_DIGITS}f}, {low:g}, {high:g})"


def cut_normal(mean: float, sd: float, low: float, high: float) -> tuple[float, float]:
    """Return middle and spread of the normal that, once it is cut, comes nearest to two moments.

    It has them, but where the mean lies so far out, or the deviation is so large, that no cut
    normal does. What is hardly told from a uniform one becomes a very wide normal.
    """
    from scipy import optimize, special

    width = high - low

    def off(given: Floats) -> Floats:
        middle, spread = given
        first, last = (low - middle) / spread, (high - middle) / spread
        inside = special.ndtr(last) - special.ndtr(first)
        dense, end = (np.exp(-0.5 * at**2) / np.sqrt(2 * np.pi) for at in (first, last))
        shift = (dense - end) / inside
        squares = 1 + (first * dense - last * end) / inside - shift**2
        return np.array([middle + spread * shift - mean, spread * np.sqrt(squares) - sd]) / width

    ends = ([low - width, width / 100], [high + width, 4 * width])
    begin = np.clip([mean, sd], *ends)
    found = optimize.least_squares(off, begin, bounds=ends, xtol=1e-12, ftol=1e-12).x
    return float(found[0]), float(found[1])


def score_correlations(found: Posterior) -> list[tuple[str, str, float]]:
    """Return the posterior correlations of the drivers' normal scores, by name.

    Scores are those of ranks (van der Waerden): correlated drivers are drawn by theirs.
    """
    from scipy import special

    weights = found.weights_of(0)
    drivers = sorted((one.driver, k) for k, one in enumerate(PARAMETERS) if one.kind == "driver")
    scores = []
    for _, k in drivers:
        order = np.argsort(found.values[:, k], kind="stable")
        reached = np.empty(len(order))
        reached[order] = np.cumsum(weights[order]) - weights[order] / 2
        # What weighs nothing may stand at an end, where no score is.
        scores.append(special.ndtri(np.clip(reached, _END, 1 - _END)))
    matrix = np.cov(np.array(scores), aweights=weights)
    deviations = np.sqrt(np.diag(matrix))
    matrix = matrix / np.outer(deviations, deviations)
    return [
        (drivers[i][0], drivers[j][0], float(matrix[i, j]))
        for i in range(len(drivers))
        for j in range(i + 1, len(drivers))
    ]


def calibrated_scenario(found: Posterior, base: str, told: str) -> str:
    """Write a scenario: a plan with its free parameters as the posterior has them.

    Parameters
    ----------
    found : Posterior
        The posterior.
    base : str
        Scenario that it changes, as its file names it.
    told : str
        Where it comes from.

    Returns
    -------
    str
        In TOML. Drivers have the mean and the deviation of the posterior, and are correlated as
        there; what stands in the plan has the mean, since it is the same in all replications.
    """
    beliefs = {one.name: one for one in marginals(found)}
    # Text as JSON writes it is text in TOML.
    named = json.dumps(base, ensure_ascii=False)
    lines = [
        f"# {' '.join(told.split())}",
        "",
        f"base = {named}",
        "",
        "[uncertainties.dependence]",
        "drivers = [",
    ]
    lines += [
        f'    ["{one}", "{other}", {value:.2f}],' for one, other, value in score_correlations(found)
    ]
    lines.append("]")
    ratios, spreads = (
        {one.driver: beliefs[one.name].mean for one in PARAMETERS if one.kind == kind}
        for kind in ("exposure", "each")
    )
    designs: dict[str, list[str]] = {}
    for one in PARAMETERS:
        belief = beliefs[one.name]
        if one.kind == "driver":
            distribution = driver_distribution(one, belief.mean, belief.sd)
            lines += ["", f"[uncertainties.{one.driver}]", f'distribution = "{distribution}"']
            if one.driver in spreads:
                lines.append(f'each = "{own_draw(round(spreads[one.driver], 2))}"')
            if one.driver in ratios:
                ratio = f"{ratios[one.driver]:.2f}"
                lines.append(
                    f'exposure = {{ by = "investor", default = 1.0, government = {ratio} }}'
                )
        elif one.kind == "design":
            for path in one.paths:
                table, key = path.rsplit(".", 1)
                designs.setdefault(table, []).append(f"{key} = {belief.mean:.2f}")
    for table, keys in designs.items():
        lines += ["", f"[{table}]", *keys]
    return "\n".join(lines) + "\n"
