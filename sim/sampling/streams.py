"""Counter-based random numbers: every draw has an address and nothing else.

The generator is Philox 4x32 with ten rounds (Salmon, Moraes, Dror and Shaw, "Parallel random
numbers: as easy as 1, 2, 3", SC 2011). The key is the root seed; the counter joins the number
of the replication (64 bits) and the address of the draw (64 bits). An address is the hash of
(subject, variable, index), so adding a project, a replication or a variable moves no other draw.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sim.jit import compiled, scalar

_MULTIPLIER_0 = np.uint64(0xD2511F53)
_MULTIPLIER_1 = np.uint64(0xCD9E8D57)
_WEYL_0 = np.uint64(0x9E3779B9)
_WEYL_1 = np.uint64(0xBB67AE85)
_ROUNDS = 10
_LOW = np.uint64(0xFFFFFFFF)
_HALF = np.uint64(32)
_DROPPED_BITS = np.uint64(11)
_TOPMOST = np.uint64((1 << 53) - 2)
_CELL = 2.0**-53


def key_of(seed: int) -> np.uint64:
    """Return a root seed as kernels take it.

    Raises
    ------
    ValueError
        If the seed is negative or does not fit in 64 bits.
    """
    if not 0 <= seed < 1 << 64:
        raise ValueError(f"seed must lie in [0, 2**64), got {seed}")
    return np.uint64(seed)


@scalar
def philox4x32(
    c0: np.uint64, c1: np.uint64, c2: np.uint64, c3: np.uint64, key0: np.uint64, key1: np.uint64
) -> tuple[np.uint64, np.uint64, np.uint64, np.uint64]:
    """Apply Philox 4x32-10.

    Parameters
    ----------
    c0, c1, c2, c3 : uint64
        The words of the counter, each below 2**32.
    key0, key1 : uint64
        The words of the key, likewise.

    Returns
    -------
    tuple of four uint64
        The random words, each below 2**32.
    """
    # Products of two words fit into 64 bits and sums are cut: nothing wraps, in Python neither.
    for _ in range(_ROUNDS):
        product0 = _MULTIPLIER_0 * c0
        product1 = _MULTIPLIER_1 * c2
        c0 = (product1 >> _HALF) ^ c1 ^ key0
        c2 = (product0 >> _HALF) ^ c3 ^ key1
        c1 = product1 & _LOW
        c3 = product0 & _LOW
        key0 = (key0 + _WEYL_0) & _LOW
        key1 = (key1 + _WEYL_1) & _LOW
    return c0, c1, c2, c3


@scalar
def uniform(seed: np.uint64, replication: np.uint64, where: np.uint64) -> float:
    """Draw the uniform number of a replication and an address.

    Parameters
    ----------
    seed : uint64
        Root seed.
    replication : uint64
        Number of the replication.
    where : uint64
        Address from `register.address`.

    Returns
    -------
    float
        Strictly between 0 and 1, on the grid (k + 1/2) / 2**53.
    """
    word0, word1, _, _ = philox4x32(
        replication & _LOW, replication >> _HALF, where & _LOW, where >> _HALF,
        seed & _LOW, seed >> _HALF,
    )  # fmt: skip
    bits = ((word0 << _HALF) | word1) >> _DROPPED_BITS
    # The topmost cell would round up to 1.0 in double precision; it is shared with the cell below.
    bits = min(bits, _TOPMOST)
    return (float(np.int64(bits)) + 0.5) * _CELL


@compiled
def fill_uniforms(
    seed: np.uint64,
    replication: np.uint64,
    addresses: NDArray[np.uint64],
    out: NDArray[np.float64],
) -> None:
    """Draw the uniform numbers of many addresses, one after another.

    Parameters
    ----------
    seed, replication : uint64
        As for `uniform`.
    addresses : ndarray of uint64, shape (A,)
        Addresses.
    out : ndarray of float64, shape (at least A,)
        Filled with what `uniform` gives for each.
    """
    for k in range(len(addresses)):
        out[k] = uniform(seed, replication, addresses[k])
