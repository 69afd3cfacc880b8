"""Fitting multipliers to an owner's own records, shrunk towards a reference class.

The reference class counts as so many records of its own. What is fitted is a lognormal body with
the reference's rare Pareto tail, the form in which types.csv holds the classes.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sim.plan.language import Distribution
from sim.plan.quantiles import quantile, tail_cut

Floats = NDArray[np.float64]

MOST_IN_TAIL = 0.1
"""A tail is rare: where more than this, and than twice the reference's share, lies beyond its
beginning, it begins further out. Deflation leaves tails alone, so no tail may hold what is body.
"""
_SIGMA, _INDEX, _LARGEST_SHARE = (1e-3, 3.0), (0.2, 200.0), 0.45
"""Within these the descent looks."""
_CLOSE = 1e-9
_UPPER = 0.95
"""Level of the one-sided bound below which records exclude the reference's share in the tail."""


@dataclass(frozen=True, slots=True)
class Records:
    """Ratios of actual to planned, in ascending order.

    Attributes
    ----------
    finished : ndarray of float64, shape (F,)
        Of finished projects; above 0.
    running : ndarray of float64, shape (C,)
        Of projects under way: lower bounds of what their ratios will be (right-censored).
    """

    finished: Floats
    running: Floats

    @classmethod
    def of(cls, finished: ArrayLike, running: ArrayLike = ()) -> Records:
        """Sort ratios; a bound of 0 says nothing and is kept for the count alone."""
        return cls(*(np.sort(np.asarray(given, np.float64)) for given in (finished, running)))


@dataclass(frozen=True, slots=True)
class Shrunk:
    """What is written for one type and measure.

    Attributes
    ----------
    law : Distribution
        The lognormal, with a tail where the reference has one.
    weight : float
        F / (n0 + F), the weight of the own finished records; running ones come on top.
    in_tail : int
        Finished records at or beyond the beginning of the tail.
    moved : bool
        Whether the tail begins further out than the reference's.
    at_edge : bool
        Whether sigma ran against a bound: no lognormal body describes the records.
    """

    law: Distribution
    weight: float
    in_tail: int = 0
    moved: bool = False
    at_edge: bool = False


def lognormal(
    median: float, sigma: float, tail: float = 0.0, start: float = 1.5, alpha: float = 3.0,
    cap: float = 5.0,
) -> Distribution:  # fmt: skip
    """Return the lognormal of types.csv."""
    values = (median, sigma, tail, start, alpha, cap)
    return Distribution("lognormal", tuple(map(float, values)))


def shrink(records: Records, reference: Distribution | None, prior: float) -> Shrunk | None:
    """Fit a lognormal, with the reference's tail, to records and reference together.

    Parameters
    ----------
    records : Records
        The owner's own.
    reference : Distribution or None
        A lognormal; None where there is no reference class.
    prior : float
        n0, how many records the reference counts as; not below 0.

    Returns
    -------
    Shrunk or None
        None where there is nothing to go by: no finished record and no reference, or records
        without spread that stand alone.

    Notes
    -----
    The parameters maximise

        sum log f(finished) + sum log S(running) + n0 E[log f(X)],  X from the reference,

    the likelihood with n0 pseudo-records spread as the reference is (a power prior, Ibrahim and
    Chen 2000). Without records the maximum is the reference itself (Gibbs' inequality), with many
    it is the maximum-likelihood fit. Without tail and running projects it is the centre of the
    normal-inverse-gamma posterior of log ratios with n0 prior records and degrees of freedom:
    mean (n0 m0 + F m) / (n0 + F), variance (n0 s0^2 + SS + n0 F (m - m0)^2 / (n0 + F)) / (n0 + F).

    Of the tail three rules keep what few records cannot show. Its share is not fitted below the
    reference's unless the records exclude that: the floor is the smaller of the reference's
    share and the upper 95 % limit of Clopper and Pearson (1934) for the records' own. Its index
    counts the reference as n0 records in the tail. It begins where the reference's does, unless
    more than a tenth of records and pseudo-records (and more than twice its share) would lie
    beyond: then the body is fitted to all of them, and the reference's tail put on where the body
    leaves its share, with the cap moved in step.
    """
    count = len(records.finished)
    weight = count / (prior + count) if count else 0.0
    if count == 0:
        return None if reference is None else Shrunk(reference, weight)
    if reference is None or prior == 0:
        prior, weight = 0.0, 1.0
        if records.finished[0] == records.finished[-1]:
            return None
    if reference is None or reference.parameters[2] == 0:
        return _plain(records, reference, prior, weight)
    return _tailed(records, reference, prior, weight)


def _plain(records: Records, reference: Distribution | None, prior: float, weight: float) -> Shrunk:
    from scipy import optimize, special

    finished, running = _logs(records.finished), _logs(records.running)
    centre, variance = 0.0, 1.0
    if reference is not None:
        centre, variance = math.log(reference.parameters[0]), reference.parameters[1] ** 2
    count = len(finished)
    total = prior + count
    mean = (prior * centre + float(finished.sum())) / total
    squares = float(((finished - finished.mean()) ** 2).sum())
    squares += prior * count / total * (float(finished.mean()) - centre) ** 2
    sigma = math.sqrt((prior * variance + squares) / total)
    if len(running):
        start = np.array([mean, math.log(max(sigma, _SIGMA[0]))])

        def misfit(at: Floats) -> float:
            scale = math.exp(at[1])
            score = (finished - at[0]) / scale
            pseudo = ((centre - at[0]) ** 2 + variance) / scale**2
            value = total * at[1] + 0.5 * float(score @ score) + 0.5 * prior * pseudo
            return float(value - special.log_ndtr((at[0] - running) / scale).sum())

        bounds = [(-10.0, 10.0), (math.log(_SIGMA[0]), math.log(_SIGMA[1]))]
        mean, log_sigma = optimize.minimize(misfit, start, bounds=bounds, method="L-BFGS-B").x
        sigma = math.exp(log_sigma)
    held = min(max(sigma, _SIGMA[0]), _SIGMA[1])
    return Shrunk(lognormal(math.exp(mean), held), weight, at_edge=held in _SIGMA)


def _tailed(records: Records, reference: Distribution, prior: float, weight: float) -> Shrunk:
    start = reference.parameters[3]
    in_tail = int(np.count_nonzero(records.finished >= start))
    most = max(MOST_IN_TAIL, 2 * reference.parameters[2])
    if _share_beyond(records, reference, prior) > most:
        return _spliced(records, reference, prior, weight, in_tail)
    return _together(records, reference, prior, weight, in_tail)


def _share_beyond(records: Records, reference: Distribution, prior: float) -> float:
    """Return the share of records and pseudo-records beyond the beginning of the tail.

    Running projects count where they are known to lie beyond.
    """
    from scipy import stats

    tail, start = reference.parameters[2:4]
    count = len(records.finished) + int(np.count_nonzero(records.running >= start))
    data = stats.CensoredData(uncensored=records.finished, right=records.running)
    beyond = float(stats.ecdf(data).sf.evaluate(np.array([start]))[0])  # Kaplan and Meier (1958)
    return float((prior * tail + count * beyond) / (prior + count))


def _spliced(
    records: Records, reference: Distribution, prior: float, weight: float, in_tail: int
) -> Shrunk:
    """Put the reference's tail on a body of the records' own, from its quantile 1 - tail on."""
    plain = _plain(records, reference, prior, weight)
    median, sigma = plain.law.parameters[:2]
    tail, start, alpha, cap = reference.parameters[2:]
    begins = percentile(plain.law, 1 - tail)
    law = lognormal(median, sigma, tail, begins, alpha, cap * begins / start)
    return Shrunk(law, weight, in_tail, moved=True, at_edge=plain.at_edge)


def _together(
    records: Records, reference: Distribution, prior: float, weight: float, in_tail: int
) -> Shrunk:
    """Fit body, share and index of the tail, which begins where the reference's does."""
    from scipy import optimize, stats

    median, sigma, tail, start, alpha, cap = reference.parameters
    edge, reach = math.log(start), math.log(cap / start)
    count = len(records.finished)
    floor = min(tail, float(stats.beta.ppf(_UPPER, in_tail + 1, count - in_tail)))
    centre = edge - sigma * tail_cut(median, sigma, tail, start) if sigma else math.log(median)
    body_mean, body_variance = _cut_moments(centre, sigma, edge)
    seen = -math.expm1(-alpha * reach)  # share of the reference's tail that the cap leaves as it is

    def misfit(at: Floats) -> float:
        mean, log_sigma, share, index = at[0], at[1], _logistic(at[2]), math.exp(at[3])
        scale = math.exp(log_sigma)
        one = _log_likelihood(records, mean, scale, share, index, edge, reach)
        body = ((body_mean - mean) ** 2 + body_variance) / (2 * scale**2)
        inside = _log_ndtr((edge - mean) / scale)
        pseudo = (1 - tail) * (math.log1p(-share) - log_sigma - body - inside)
        pseudo += tail * math.log(share) + seen * (at[3] - index / alpha)
        return float(-one - prior * pseudo)

    best = np.array([centre, math.log(max(sigma, 2 * _SIGMA[0])), _logit(max(tail, floor)),
                     math.log(alpha)])  # fmt: skip
    bounds = [
        (math.log(median) - 10, edge + 10),
        (math.log(_SIGMA[0]), math.log(_SIGMA[1])),
        (_logit(floor), _logit(_LARGEST_SHARE)),
        (math.log(_INDEX[0]), math.log(_INDEX[1])),
    ]
    # What is cut is flat in places: descents go on from where the last one ended.
    for _ in range(3):
        best = optimize.minimize(misfit, best, bounds=bounds, method="L-BFGS-B").x
    mean, scale, share, index = best[0], math.exp(best[1]), _logistic(best[2]), math.exp(best[3])
    law = lognormal(_median(mean, scale, share, edge), scale, share, start, index, cap)
    at_edge = any(abs(float(best[1]) - math.log(end)) < _CLOSE for end in _SIGMA)
    return Shrunk(law, weight, in_tail, at_edge=at_edge)


def log_likelihood(records: Records, law: Distribution) -> float:
    """Return the log-likelihood of ratios under a lognormal of types.csv.

    Finished ratios count by density (beyond the cap: by the share there), running ones by the
    share beyond them.
    """
    median, sigma, tail, start, alpha, cap = law.parameters
    if tail == 0:
        found = _log_likelihood(records, math.log(median), sigma, 0.0, alpha, math.inf, math.inf)
    else:
        edge = math.log(start)
        centre = edge - sigma * tail_cut(median, sigma, tail, start)
        found = _log_likelihood(records, centre, sigma, tail, alpha, edge, math.log(cap / start))
    return found - float(_logs(records.finished).sum())


def _log_likelihood(
    records: Records, mean: float, scale: float, share: float, index: float, edge: float,
    reach: float,
) -> float:  # fmt: skip
    """Return the log-likelihood of log ratios under a body cut at `edge` and a tail from there."""
    from scipy import special

    finished, running = _logs(records.finished), _logs(records.running)
    body, far = finished[finished < edge], finished[finished >= edge] - edge
    inside = _log_ndtr((edge - mean) / scale)
    score = (body - mean) / scale
    constant = math.log(scale) + 0.5 * math.log(2 * math.pi) + inside - math.log1p(-share)
    found = -0.5 * float(score @ score) - len(body) * constant
    if len(far):
        found += len(far) * math.log(share) - index * float(np.minimum(far, reach).sum())
        found += np.count_nonzero(far < reach - _CLOSE) * math.log(index)
    open_body, open_far = running[running < edge], running[running >= edge] - edge
    if share == 0:  # nothing is cut: exact far out, too
        return float(found + special.log_ndtr((mean - open_body) / scale).sum())
    below = np.exp(special.log_ndtr((open_body - mean) / scale) - inside)
    found += float(np.log1p(-(1 - share) * below).sum())
    if len(open_far):
        found += len(open_far) * math.log(share) - index * float(np.minimum(open_far, reach).sum())
    return float(found)


def percentile(law: Distribution, probability: float) -> float:
    """Return one quantile of a distribution."""
    return float(quantile(law, np.array([probability]))[0])


def _logs(ratios: Floats) -> Floats:
    return np.log(ratios[ratios > 0])


def _cut_moments(mean: float, sigma: float, edge: float) -> tuple[float, float]:
    """Return mean and variance of a normal distribution cut off above `edge`."""
    from scipy import stats

    if sigma == 0:
        return mean, 0.0
    cut = stats.truncnorm(-np.inf, (edge - mean) / sigma, mean, sigma)
    return float(cut.mean()), float(cut.var())


def _median(mean: float, sigma: float, share: float, edge: float) -> float:
    """Return the median of the whole from the centre of the body before it is cut."""
    from scipy import special

    inside = _log_ndtr((edge - mean) / sigma)
    score = float(special.ndtri_exp(math.log(0.5 / (1 - share)) + inside))
    return math.exp(mean + sigma * score)


def _log_ndtr(score: float) -> float:
    from scipy import special

    return float(special.log_ndtr(score))


def _logistic(value: float) -> float:
    return 1 / (1 + math.exp(-value))


def _logit(share: float) -> float:
    return math.log(share / (1 - share))
