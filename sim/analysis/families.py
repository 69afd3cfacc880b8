"""Families of distributions that types.csv can hold, fitted to records and judged by them."""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np

from sim.analysis.fitting import Floats, Records, lognormal
from sim.plan.language import Distribution

FEWEST = 3
"""Finished records below which two parameters are not fitted."""
_PARAMETERS = 2


@dataclass(frozen=True, slots=True)
class Candidate:
    """One family, fitted by maximum likelihood to the owner's records alone.

    Attributes
    ----------
    law : Distribution
        As types.csv would hold it.
    log_likelihood, aic : float
        Of ratios; running projects count by the share beyond them.
    aicc : float or None
        With the correction for small samples (Hurvich and Tsai 1989), n being the finished ones;
        None where they are too few for it.
    distance : float
        Largest distance between the distribution function and that of Kaplan and Meier (1958),
        which without running projects is the statistic of Kolmogorov and Smirnov.
    p_value : float or None
        Of the test of Shapiro and Wilk on normal scores of the fitted distribution function (Chen
        and Balakrishnan 1995), which allows for parameters that were fitted. None with running
        projects, for which it is not made, and where all scores are equal.
    """

    law: Distribution
    log_likelihood: float
    aic: float
    aicc: float | None
    distance: float
    p_value: float | None


def candidates(records: Records) -> tuple[Candidate, ...]:
    """Fit each family of two parameters; none where records are too few or have no spread.

    The location is 0: a ratio has no other lower end. Families that types.csv cannot hold
    (log-logistic, Burr) are not tried.
    """
    finished = records.finished
    if len(finished) < FEWEST or finished[0] == finished[-1]:
        return ()
    return tuple(_fitted(name, records) for name in ("lognormal", "weibull", "gamma"))


def ahead(found: tuple[Candidate, ...]) -> float | None:
    """Return by how much AICc prefers the best family to the lognormal; None where unknown."""
    known = [one.aicc for one in found if one.aicc is not None]
    if not known or found[0].aicc is None:
        return None
    return found[0].aicc - min(known)


def _fitted(name: str, records: Records) -> Candidate:
    from scipy import stats

    running = records.running[records.running > 0]
    data = stats.CensoredData(uncensored=records.finished, right=running)
    family, first, scale = _start(name, records.finished)
    shape, _, scale = family.fit(data, first, scale=scale, floc=0)
    frozen = family(shape, scale=scale)
    found = float(frozen.logpdf(records.finished).sum() + frozen.logsf(running).sum())
    aic = 2 * _PARAMETERS - 2 * found
    spare = len(records.finished) - _PARAMETERS - 1
    aicc = aic + 2 * _PARAMETERS * (_PARAMETERS + 1) / spare if spare > 0 else None
    return Candidate(
        law=lognormal(scale, shape) if name == "lognormal" else _law(name, shape, scale),
        log_likelihood=found,
        aic=aic,
        aicc=aicc,
        distance=_distance(frozen, data, records.finished[-1]),
        p_value=None if len(running) else _p_value(frozen, records.finished),
    )


def _law(name: str, shape: float, scale: float) -> Distribution:
    return Distribution(name, (float(shape), float(scale)))


def _start(name: str, finished: Floats) -> tuple[Any, float, float]:
    """Return a family of scipy.stats, and shape and scale by moments to set out from."""
    from scipy import stats

    logs = np.log(finished)
    spread = max(float(logs.std()), 1e-3)
    match name:
        case "lognormal":
            return stats.lognorm, spread, math.exp(float(logs.mean()))
        case "weibull":
            shape = math.pi / math.sqrt(6) / spread
            return stats.weibull_min, shape, math.exp(float(logs.mean()) + np.euler_gamma / shape)
        case _:
            shape = (float(finished.mean()) / float(finished.std())) ** 2
            return stats.gamma, shape, float(finished.mean()) / shape


def _distance(frozen: Any, data: Any, last: float) -> float:
    from scipy import stats

    steps = stats.ecdf(data).cdf
    known = steps.quantiles <= last  # beyond the last finish nothing is known
    here, fitted = steps.probabilities[known], frozen.cdf(steps.quantiles[known])
    before = np.concatenate([[0.0], here[:-1]])
    return float(max(np.abs(fitted - here).max(), np.abs(fitted - before).max()))


def _p_value(frozen: Any, finished: Floats) -> float | None:
    from scipy import special, stats

    scores = special.ndtri(np.clip(frozen.cdf(finished), 1e-12, 1 - 1e-12))
    if np.ptp(scores) == 0:
        return None
    with warnings.catch_warnings():  # above 5,000 scores the p-value may be inaccurate
        warnings.simplefilter("ignore", UserWarning)
        return float(stats.shapiro(scores).pvalue)
