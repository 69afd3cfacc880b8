"""A second telling of the draws: batches of replications in numpy and scipy, no kernels.

Slower to start with and faster in bulk than one kernel a number, and written apart from them: what
both say alike is not a slip of either. Only what is prepared once is shared.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]

_MULTIPLIERS = (np.uint64(0xD2511F53), np.uint64(0xCD9E8D57))
_WEYL = (0x9E3779B9, 0xBB67AE85)
_LOW, _HALF = np.uint64(0xFFFFFFFF), np.uint64(32)


def uniforms(seed: int, replications: ArrayLike, addresses: ArrayLike) -> Floats:
    """Draw one uniform number for each replication and address, shape (R, A)."""
    rows = np.asarray(replications, dtype=np.uint64)[:, None]
    columns = np.asarray(addresses, dtype=np.uint64)[None, :]
    c0, c1, c2, c3 = np.broadcast_arrays(rows & _LOW, rows >> _HALF, columns & _LOW,
                                         columns >> _HALF)  # fmt: skip
    key0, key1 = seed & 0xFFFFFFFF, seed >> 32
    for _ in range(10):
        product0, product1 = _MULTIPLIERS[0] * c0, _MULTIPLIERS[1] * c2
        c0, c1, c2, c3 = (
            (product1 >> _HALF) ^ c1 ^ np.uint64(key0),
            product1 & _LOW,
            (product0 >> _HALF) ^ c3 ^ np.uint64(key1),
            product0 & _LOW,
        )
        key0, key1 = (key0 + _WEYL[0]) & 0xFFFFFFFF, (key1 + _WEYL[1]) & 0xFFFFFFFF
    bits = np.minimum(((c0 << _HALF) | c1) >> np.uint64(11), np.uint64((1 << 53) - 2))
    return np.asarray((bits.astype(np.float64) + 0.5) * 2.0**-53, dtype=np.float64)
