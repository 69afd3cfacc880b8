"""Squares of whole numbers, in parts that sums of 64 bits can hold; exact."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]

PARTS = 3
_BITS = 30
_MASK = 2**_BITS - 1


def square_parts(values: Ints) -> Ints:
    """Return the squares of whole numbers in parts of 30 bits, the last one holding the rest.

    Parameters
    ----------
    values : ndarray of int64, shape (...)
        Below 2**54 in size, which the sum of all projects of a plan is. Of 4,096 of them each
        part adds up to less than 2**62.

    Returns
    -------
    ndarray of int64, shape (..., 3)
        A square is the sum of parts times 2**0, 2**30 and 2**60.
    """
    size = np.abs(values)
    high, low = size >> _BITS, size & _MASK
    parts = np.empty((*values.shape, PARTS), np.int64)
    lowest = low * low
    middle = (lowest >> _BITS) + 2 * high * low
    parts[..., 0] = lowest & _MASK
    parts[..., 1] = middle & _MASK
    parts[..., 2] = (middle >> _BITS) + high * high
    return parts


def joined_parts(sums: NDArray[Any]) -> NDArray[Any]:
    """Return sums of squares from sums of their parts, as Python's integers.

    Parameters
    ----------
    sums : ndarray of Python integers, shape (..., 3, BLOCKS)
        From `sim.runs.estimates.block_sums`.
    """
    low, middle, high = (sums[..., part, :] for part in range(PARTS))
    return np.asarray(low + middle * 2**_BITS + high * 2 ** (2 * _BITS))
