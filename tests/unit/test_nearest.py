"""The nearest correlation matrix: Higham's example, and what makes it the nearest."""

import numpy as np
import pytest
from numpy.typing import NDArray

from sim.sampling.nearest import NotConvergedError, nearest_correlation

HIGHAM = np.array([[1.0, 1.0, 0.0], [1.0, 1.0, 1.0], [0.0, 1.0, 1.0]])


def symmetric(seed: int, size: int) -> NDArray[np.float64]:
    values = np.random.default_rng(seed).uniform(-1, 1, (size, size))
    matrix = (values + values.T) / 2
    np.fill_diagonal(matrix, 1.0)
    return matrix


def test_the_published_example() -> None:
    """Higham (2002), section 5: printed to four digits, and the distance."""
    found = nearest_correlation(HIGHAM)
    expected = np.array([[1, 0.7607, 0.1573], [0.7607, 1, 0.7607], [0.1573, 0.7607, 1]])
    assert np.abs(found - expected).max() <= 5e-5
    assert np.linalg.norm(found - HIGHAM) == pytest.approx(0.5278, abs=5e-5)


@pytest.mark.parametrize("matrix", [HIGHAM, symmetric(2, 6), symmetric(3, 20)])
def test_no_other_correlation_matrix_is_nearer(matrix: NDArray[np.float64]) -> None:
    """Of a convex set C, P is the nearest to A where <A - P, X - P> <= 0 for all X of C."""
    size = len(matrix)
    found = nearest_correlation(matrix)
    assert np.array_equal(found, found.T)
    assert np.array_equal(np.diag(found), np.ones(size))
    assert np.linalg.eigvalsh(found)[0] >= -1e-12
    assert np.linalg.eigvalsh(matrix)[0] < -0.1
    # Of rank one and of rank two: corners of the set, where such a product is largest.
    rng = np.random.default_rng(5)
    others = [np.outer(signs, signs) for signs in rng.choice([-1.0, 1.0], (2_000, size))]
    for _ in range(500):
        rows = rng.normal(size=(size, 2))
        rows /= np.linalg.norm(rows, axis=1, keepdims=True)
        others.append(rows @ rows.T)
    assert max(float(((matrix - found) * (one - found)).sum()) for one in others) <= 1e-7


@pytest.mark.parametrize("matrix", [np.eye(4), np.full((3, 3), 1.0), 0.7 * np.eye(5) + 0.3])
def test_what_is_one_already_stays(matrix: NDArray[np.float64]) -> None:
    assert np.abs(nearest_correlation(matrix) - matrix).max() <= 1e-9


def test_what_does_not_settle_is_told() -> None:
    with pytest.raises(NotConvergedError, match="after 3 steps"):
        nearest_correlation(HIGHAM, most_steps=3)
