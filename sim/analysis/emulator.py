"""An emulator: month-end shares as quadratics of the parameters, learned from an ensemble."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sim.plan.evidence import STARTS, Cell

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Quadratic:
    """Quadratics of the parameters, one a column.

    Attributes
    ----------
    centre, half : ndarray of float64, shape (K,)
        Middle and half-width of the parameters' ranges.
    coefficients : ndarray of float64, shape (F, C)
        Of constant, linear and quadratic terms.
    """

    centre: Floats
    half: Floats
    coefficients: Floats

    def means(self, values: Floats) -> Floats:
        """Return the means at parameters of shape (N, K), shape (N, C)."""
        found: Floats = _terms((values - self.centre) / self.half) @ self.coefficients
        return found


@dataclass(frozen=True, slots=True)
class Emulator:
    """A quadratic of the parameters for each cell.

    Attributes
    ----------
    cells : tuple of (scope, month)
        What is emulated; logarithms of shares but for starts.
    surface : Quadratic
        The means.
    covariance : ndarray of float64, shape (C, C)
        Of what the parameters leave: a year's common luck, the same for all its cells.
    explained : ndarray of float64, shape (C,)
        Share of a cell's variance that the parameters explain.
    """

    cells: tuple[Cell, ...]
    surface: Quadratic
    covariance: Floats
    explained: Floats

    def means(self, values: Floats) -> Floats:
        """Return the emulated means at parameters of shape (N, K), shape (N, C)."""
        return self.surface.means(values)


def _terms(scaled: Floats) -> Floats:
    count = scaled.shape[1]
    first, second = np.triu_indices(count)
    return np.concatenate(
        [np.ones((len(scaled), 1)), scaled, scaled[:, first] * scaled[:, second]], axis=1
    )


def fit_quadratic(values: Floats, found: Floats) -> Quadratic:
    """Fit quadratics by least squares.

    Parameters
    ----------
    values : ndarray of float64, shape (N, K)
        Parameters.
    found : ndarray of float64, shape (N, C)
        What came of them.
    """
    low, high = values.min(axis=0), values.max(axis=0)
    centre, half = (low + high) / 2, (high - low) / 2
    terms = _terms((values - centre) / half)
    coefficients = np.linalg.lstsq(terms, found, rcond=None)[0].astype(np.float64)
    return Quadratic(centre, half, coefficients)


def fit_emulator(values: Floats, shares: Mapping[str, Floats]) -> Emulator:
    """Fit the emulator to an ensemble.

    Parameters
    ----------
    values : ndarray of float64, shape (N, K)
        Parameters.
    shares : mapping of str to ndarray of float64, shape (N, 12)
        By scope. Cells in which a share is ever nought are left out: they have no logarithm.
    """
    columns, cells = [], []
    for scope, table in shares.items():
        for month in range(table.shape[1]):
            column = table[:, month]
            if scope != STARTS:
                if column.min() <= 0:
                    continue
                column = np.log(column)
            columns.append(column)
            cells.append((scope, month + 1))
    found = np.stack(columns, axis=1)
    surface = fit_quadratic(values, found)
    rest = found - surface.means(values)
    covariance: Floats = rest.T @ rest / (len(values) - len(surface.coefficients))
    total = found.var(axis=0)
    explained: Floats = 1 - rest.var(axis=0) / np.where(total > 0, total, 1.0)
    return Emulator(tuple(cells), surface, covariance, explained)
