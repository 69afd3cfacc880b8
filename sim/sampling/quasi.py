"""Shared draws from scrambled Sobol points, in blocks that are independent of each other.

Replication r is point r // 20 of scramble r % 20: any number of replications makes up to 20 blocks
of nearly equal size, each a prefix of a digital sequence, and any replication can be had alone.
A draw whose label stands in `register.SOBOL` has the dimension that its place there says. Every
other draw has a van der Corput sequence whose points are shuffled for it alone (as Latin hypercube
samples are padded to quasi-random points: Owen 1994): evenly spread by itself, at random beside all
others. Each draw is scrambled alone, with words of the counter-based generator at an address of
its own, so that a draw more or less moves no other.

Scrambling is a random lower-triangular matrix and a random shift of digits (Matousek 1998), which
leaves each draw uniform and the mean of a block unbiased. Shuffling is a random upper-triangular
matrix before it, which keeps every prefix of 2**m points evenly spread.
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from sim.kept import kept
from sim.sampling import register
from sim.sampling.register import Label
from sim.sampling.streams import fill_uniforms, key_of

Floats = NDArray[np.float64]
_Words = NDArray[np.uint64]

SCRAMBLES = 20
"""Blocks: 10,240 replications are 20 scrambles of 512 points."""

_LEVELS = 16
"""Digits of a point's number; a scramble is shifted anew after so many points, 2**16."""
_BITS = 53
_SHIFTS = 2 * _LEVELS
"""Words of a label in a scramble: two a level, and from here on the shifts."""
_ONE = np.uint64(1)
_TOPMOST = np.uint64((1 << _BITS) - 2)
_CELL = 2.0**-_BITS


class QuasiPoints:
    """Points for some draws; each coordinate depends on its label, the seed and the replication.

    What a scramble needs is made when first asked for; threads may ask for points together.

    Parameters
    ----------
    labels : sequence of Label
        The draws, in the order of coordinates.
    seed : int
        Root seed.
    """

    def __init__(self, labels: Sequence[Label], seed: int) -> None:
        self._key = key_of(seed)
        self._names = [f"{subject}/{variable}/{index}" for subject, variable, index in labels]
        known = [register.SOBOL.get(label) for label in labels]
        self._registered = np.array([k for k, one in enumerate(known) if one is not None], np.int64)
        self._dimensions = np.array([one for one in known if one is not None], np.int64)
        self._addresses: dict[int, _Words] = {}
        self._mixing: dict[int, list[_Words]] = {b: [] for b in range(SCRAMBLES)}
        self._directions: dict[int, list[_Words]] = {b: [] for b in range(SCRAMBLES)}
        self._shifts: dict[int, tuple[int, _Words]] = {}
        self._one_at_a_time = threading.Lock()

    def point(self, replication: int) -> Floats:
        """Return the coordinates of one replication, strictly between 0 and 1.

        They stand on the grid of `streams.uniform`.
        """
        scramble, number = replication % SCRAMBLES, replication // SCRAMBLES
        around, low = divmod(number, 1 << _LEVELS)
        held = self._shifts.get(scramble)
        if held is None or held[0] != around:
            held = self._shifts[scramble] = (around, self._words(scramble, _SHIFTS + around))
        digits = held[1].copy()
        gray = low ^ (low >> 1)
        for level in range(gray.bit_length()):
            if gray >> level & 1:
                digits ^= self._direction(scramble, level)
        # As in the generator, the topmost cell, which would round up to 1, joins the one below.
        cells: Floats = np.minimum(digits, _TOPMOST).astype(np.float64)
        return (cells + 0.5) * _CELL

    def _direction(self, scramble: int, level: int) -> _Words:
        """Return what digit `level` of a point's number changes, at every coordinate."""
        directions = self._directions[scramble]
        if len(directions) <= level:
            with self._one_at_a_time:
                while len(directions) <= level:
                    directions.append(self._next_direction(scramble))
        return directions[level]

    def _next_direction(self, scramble: int) -> _Words:
        mixing, k = self._mixing[scramble], len(self._directions[scramble])
        here = np.uint64(1 << (_BITS - 1 - k))
        # A column of the lower-triangular matrix: one on the diagonal, anything below.
        mixing[k:] = [(self._words(scramble, 2 * k) & (here - _ONE)) | here]
        # A column of the upper-triangular one: one on the diagonal, anything above.
        above = np.uint64((1 << _BITS) - (1 << (_BITS - k)))
        plain = (self._words(scramble, 2 * k + 1) & above) | here
        if len(self._registered):
            plain[self._registered] = sobol_directions()[k, self._dimensions]
        mixed = np.zeros_like(plain)
        for j, column in enumerate(mixing):
            mixed ^= column * (plain >> np.uint64(_BITS - 1 - j) & _ONE)
        return mixed

    def _words(self, scramble: int, word: int) -> _Words:
        """Return one random word of 53 digits for every coordinate."""
        where = self._addresses.get(word)
        if where is None:
            labels = [(name, register.SCRAMBLE, word) for name in self._names]
            where = register.addresses(labels)
            if word <= _SHIFTS:
                self._addresses[word] = where
        uniforms = np.empty(len(where))
        fill_uniforms(self._key, np.uint64(scramble), where, uniforms)
        return (uniforms * 2.0**_BITS).astype(np.uint64)


@functools.cache
def sobol_directions() -> _Words:
    """Return what each digit of a point's number changes in the unscrambled Sobol sequence.

    Returns
    -------
    ndarray of uint64, shape (16, registered dimensions)
        By digit of the Gray code of the number; in units of 2**-53.
    """
    return kept(f"sobol-{len(register.SOBOL)}", "scipy", _made_directions)


def _made_directions() -> _Words:
    """Return the directions of all levels, a row each."""
    from scipy.stats import qmc

    # The Gray code of 2**(level + 1) - 1 is 2**level: a point of a single direction.
    sequence = qmc.Sobol(d=len(register.SOBOL), scramble=False)
    points = []
    for level in range(_LEVELS):
        sequence.reset().fast_forward((2 << level) - 1)
        points.append(sequence.random(1)[0])
    return (np.array(points) * 2.0**_BITS).astype(np.uint64)


def quasi_points(labels: Sequence[Label], seed: int, replications: Sequence[int]) -> Floats:
    """Return the quasi-random uniforms of some draws.

    Parameters
    ----------
    labels : sequence of Label
        The draws.
    seed : int
        Root seed.
    replications : sequence of int
        Numbers of the replications, from 0.

    Returns
    -------
    ndarray of float64, shape (R, S)
        Strictly between 0 and 1, on the grid of `streams.uniform`. Each depends on its own label,
        the seed and the number of its replication only.
    """
    points = QuasiPoints(labels, seed)
    result = np.empty((len(replications), len(labels)))
    for row, number in enumerate(replications):
        result[row] = points.point(int(number))
    return result
