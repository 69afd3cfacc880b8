"""Squares of whole numbers, in parts that sums of 64 bits can hold; exact."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.jit import inlined

Ints = NDArray[np.int64]

PARTS = 3
_BITS = 30
_MASK = 2**_BITS - 1
_MOST = 2**54 - 1


MOST_SQUARED = 2**54
"""Yuan from which on a square is not told: 18 million times 1 bn."""


@inlined
def square_parts(value: int) -> tuple[int, int, int]:
    """Return the square of a whole number in parts of 30 bits, the last one holding the rest.

    Parameters
    ----------
    value : int
        Below `MOST_SQUARED` in size: who hands it in sees to that. Of 4,096 of them each part adds
        up to less than 2**62.

    Returns
    -------
    tuple of int
        The square is the sum of these times 2**0, 2**30 and 2**60.
    """
    size = abs(value) & _MOST  # so that products are seen to be of 32 bits, which are quick
    high, low = size >> _BITS, size & _MASK
    lowest = low * low
    middle = (lowest >> _BITS) + 2 * high * low
    return lowest & _MASK, middle & _MASK, (middle >> _BITS) + high * high


def joined_parts(sums: NDArray[Any]) -> NDArray[Any]:
    """Return sums of squares from sums of their parts, as Python's integers.

    Parameters
    ----------
    sums : ndarray of Python integers, shape (..., 3, BLOCKS)
        From `sim.runs.estimates.block_sums`.
    """
    low, middle, high = (sums[..., part, :] for part in range(PARTS))
    return np.asarray(low + middle * 2**_BITS + high * 2 ** (2 * _BITS))
