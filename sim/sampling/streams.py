"""Counter-based random numbers: every draw has an address and nothing else.

The generator is Philox 4x32 with ten rounds (Salmon, Moraes, Dror and Shaw, "Parallel random
numbers: as easy as 1, 2, 3", SC 2011). The key is the root seed; the counter joins the number
of the replication (64 bits) and the address of the draw (64 bits). An address is the hash of
(subject, variable, index), so adding a project, a replication or a variable moves no other draw.
"""

from __future__ import annotations

import hashlib

import numpy as np
from numpy.typing import ArrayLike, NDArray

_MULTIPLIERS = (np.uint64(0xD2511F53), np.uint64(0xCD9E8D57))
_WEYL = (0x9E3779B9, 0xBB67AE85)
_ROUNDS = 10
_LOW = np.uint64(0xFFFFFFFF)
_HALF = np.uint64(32)


def address(subject: str, variable: str, index: int = 0) -> int:
    """Return the 64-bit address of a draw.

    Parameters
    ----------
    subject : str
        Whom the draw concerns: a project id, a driver, a gate of a project.
    variable : str
        What is drawn; a name from `sim.sampling.register`.
    index : int
        Which one, where a subject has several (a year, an episode).

    Returns
    -------
    int
        Unsigned 64-bit hash (BLAKE2b of the three parts, joined by a separator that cannot
        occur in a name).
    """
    text = f"{subject}\x1f{variable}\x1f{index}"
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "little")


def philox4x32(
    counter: tuple[ArrayLike, ArrayLike, ArrayLike, ArrayLike], key: tuple[int, int]
) -> tuple[NDArray[np.uint64], NDArray[np.uint64], NDArray[np.uint64], NDArray[np.uint64]]:
    """Apply Philox 4x32-10 to counters.

    Parameters
    ----------
    counter : four array_like of uint32 values
        The words of the counter, broadcast against each other.
    key : two ints
        The words of the key, each below 2**32.

    Returns
    -------
    tuple of four ndarray of uint64
        The four random words of each counter; each value is below 2**32.
    """
    c0, c1, c2, c3 = np.broadcast_arrays(*(np.asarray(word, dtype=np.uint64) for word in counter))
    key0, key1 = key
    for _ in range(_ROUNDS):
        product0 = _MULTIPLIERS[0] * c0
        product1 = _MULTIPLIERS[1] * c2
        c0, c1, c2, c3 = (
            (product1 >> _HALF) ^ c1 ^ np.uint64(key0),
            product1 & _LOW,
            (product0 >> _HALF) ^ c3 ^ np.uint64(key1),
            product0 & _LOW,
        )
        key0 = (key0 + _WEYL[0]) & 0xFFFFFFFF
        key1 = (key1 + _WEYL[1]) & 0xFFFFFFFF
    return c0, c1, c2, c3


def uniforms(seed: int, replications: ArrayLike, addresses: ArrayLike) -> NDArray[np.float64]:
    """Draw one uniform number for each replication and address.

    Parameters
    ----------
    seed : int
        Root seed, 0 <= seed < 2**64.
    replications : array_like of int, shape (R,)
        Numbers of the replications.
    addresses : array_like of uint64, shape (A,)
        Addresses from `address`.

    Returns
    -------
    ndarray of float64, shape (R, A)
        Values strictly between 0 and 1, on the grid (k + 1/2) / 2**53.

    Raises
    ------
    ValueError
        If the seed is negative or does not fit in 64 bits.
    """
    if not 0 <= seed < 1 << 64:
        raise ValueError(f"seed must lie in [0, 2**64), got {seed}")
    rows = np.asarray(replications, dtype=np.uint64)[:, None]
    columns = np.asarray(addresses, dtype=np.uint64)[None, :]
    counter = (rows & _LOW, rows >> _HALF, columns & _LOW, columns >> _HALF)
    word0, word1, _, _ = philox4x32(counter, (seed & 0xFFFFFFFF, seed >> 32))
    bits = ((word0 << _HALF) | word1) >> np.uint64(11)
    # The topmost cell would round up to 1.0 in double precision; it is shared with the cell below.
    bits = np.minimum(bits, np.uint64((1 << 53) - 2))
    return np.asarray((bits.astype(np.float64) + 0.5) * 2.0**-53, dtype=np.float64)
