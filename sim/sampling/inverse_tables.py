"""Tables of quantiles that have no closed form: polynomials by cell of the normal score."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

CELLS_PER_SD = 8
LAST_SCORE = 8.5
JUST_INSIDE = 8.49
CELLS = int(2 * LAST_SCORE * CELLS_PER_SD)
TERMS = 8


def _nodes() -> tuple[Floats, Floats]:
    """Return the places of a cell at which tables are exact, and what makes polynomials of it."""
    places = np.cos(np.pi * (np.arange(TERMS) + 0.5) / TERMS)
    return places, np.linalg.inv(np.vander(places, increasing=True))


def _scores() -> Floats:
    """Return the scores at which tables are exact, shape (cells, terms)."""
    middles = (np.arange(CELLS) + 0.5) / CELLS_PER_SD - LAST_SCORE
    return middles[:, None] + _nodes()[0][None, :] / (2 * CELLS_PER_SD)


def _table(values: Floats) -> list[float]:
    """Return the coefficients of each cell's polynomial, lowest first."""
    coefficients: list[float] = (values @ _nodes()[1].T).ravel().tolist()
    return coefficients


def logit_of_pert(low: float, mode: float, high: float) -> list[float]:
    """Tabulate log(x / (1 - x)) of the beta quantile: smooth in the score; right to 1e-12."""
    from scipy import special

    scores = _scores()
    first = 1 + 4 * (mode - low) / (high - low)
    below, above = special.ndtr(scores), special.ndtr(-scores)
    x, rest = np.where(
        scores < 0,
        _pair(special.betaincinv(first, 6 - first, below)),
        _pair(special.betaincinv(6 - first, first, above))[::-1],
    )
    return _table(np.log(x) - np.log(rest))


def _pair(share: Floats) -> Floats:
    return np.stack([share, 1 - share])


def log_of_gamma(shape: float) -> list[float]:
    """Tabulate the logarithm of the gamma quantile, smooth in the score.

    Right to 1e-10 for shapes from 0.001 to a million; beyond, scipy itself is rougher than that.
    """
    from scipy import special

    scores = _scores()
    with np.errstate(divide="ignore", under="ignore"):
        x = np.where(
            scores < 0,
            special.gammaincinv(shape, special.ndtr(scores)),
            special.gammainccinv(shape, special.ndtr(-scores)),
        )
        # Where the quantile is too small to hold, the distribution function is a power.
        tiny = (special.log_ndtr(scores) + special.gammaln(shape + 1)) / shape
        return _table(np.where(x > 1e-200, np.log(x), tiny))
