"""The DHSS spending curve: cumulative spending over a project's time by two parameters.

Hudson (1978), "DHSS expenditure forecasting method", Chartered Surveyor Building and Quantity
Surveying Quarterly 5. Published values of C and K belong to a class of projects; fitted to single
projects they do far better, so take them as a shape to compare with, not as a law.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray


@dataclass(frozen=True, slots=True)
class SpendingCurve:
    """y = x + C x^2 - C x - (6 x^3 - 9 x^2 + 3 x) / K.

    Attributes
    ----------
    c, k : float
        Parameters.

    Raises
    ------
    ValueError
        If `k` is zero, or with these parameters spending would fall somewhere.
    """

    c: float
    k: float

    def __post_init__(self) -> None:
        if not (np.isfinite(self.c) and np.isfinite(self.k) and self.k != 0):
            raise ValueError(f"C and K must be numbers, K not zero: got {self.c}, {self.k}")
        # The slope is a parabola: it is lowest at an end or at its own turning point.
        turning = 0.5 + self.c * self.k / 18
        places = np.array([0.0, 1.0, min(max(turning, 0.0), 1.0)])
        if (self.slope(places) < 0).any():
            raise ValueError(f"spending would fall with C = {self.c}, K = {self.k}")

    def share(self, time: ArrayLike) -> NDArray[np.float64]:
        """Return the share spent by a share of the time, both between 0 and 1."""
        x = np.asarray(time, dtype=np.float64)
        return np.asarray(x + self.c * x**2 - self.c * x - (6 * x**3 - 9 * x**2 + 3 * x) / self.k)

    def slope(self, time: ArrayLike) -> NDArray[np.float64]:
        """Return the pace of spending, 1 being that of even spending."""
        x = np.asarray(time, dtype=np.float64)
        return np.asarray(1 + 2 * self.c * x - self.c - (18 * x**2 - 18 * x + 3) / self.k)

    def time(self, share: float) -> float:
        """Return the share of the time by which a share is spent, both between 0 and 1."""
        from scipy import optimize

        if share in (0.0, 1.0):  # the ends, which rounding may miss by a hair
            return share
        return float(optimize.brentq(lambda x: float(self.share(x)) - share, 0.0, 1.0, xtol=1e-13))


PUBLISHED = SpendingCurve(0.134, 3.884)
"""With the published parameters that the known answers rest on."""
