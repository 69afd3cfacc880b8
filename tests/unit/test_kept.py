"""What a library made once is read back, and made again where it is not there or not whole."""

import os
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from sim import kept as module
from sim.kept import kept


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    place = tmp_path / "not" / "yet" / "there"
    monkeypatch.setattr(module, "cache_folder", lambda: place)
    return place


def numbers() -> NDArray[np.uint64]:
    return np.arange(60, dtype=np.uint64).reshape(20, 3)


def unasked() -> NDArray[np.uint64]:
    raise AssertionError


def test_made_once(folder: Path) -> None:
    assert np.array_equal(kept("primes", "numpy", numbers), numbers())
    found = kept("primes", "numpy", unasked)
    assert found.dtype == np.uint64
    assert np.array_equal(found, numbers())
    assert [path.name for path in folder.iterdir()] == [f"primes-{np.__version__}.npy"]


@pytest.mark.parametrize("left", [0, 7, 100, 300])
def test_half_a_file_is_made_again(left: int, folder: Path) -> None:
    kept("primes", "numpy", numbers)
    (path,) = folder.iterdir()
    path.write_bytes(path.read_bytes()[:left])
    assert np.array_equal(kept("primes", "numpy", numbers), numbers())
    assert np.array_equal(kept("primes", "numpy", unasked), numbers())


@pytest.mark.parametrize("place", [0, 31, 32, 60, 200, -1])
def test_a_damaged_file_is_not_believed(place: int, folder: Path) -> None:
    """One bit in the hash, the description or the numbers."""
    kept("primes", "numpy", numbers)
    (path,) = folder.iterdir()
    content = bytearray(path.read_bytes())
    content[place] ^= 1
    path.write_bytes(content)
    assert np.array_equal(kept("primes", "numpy", numbers), numbers())
    assert np.array_equal(kept("primes", "numpy", unasked), numbers())


def test_what_is_no_such_file_is_not_believed(folder: Path) -> None:
    kept("primes", "numpy", numbers)
    (path,) = folder.iterdir()
    for content in (b"", b"PK" + bytes(100), path.read_bytes()[32:], bytes(1000)):
        path.write_bytes(content)
        assert np.array_equal(kept("primes", "numpy", numbers), numbers())


def test_a_full_disk_leaves_nothing(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    assert np.array_equal(kept("primes", "numpy", numbers), numbers())
    assert list(folder.iterdir()) == []


def test_made_each_time_where_nothing_can_be_kept(folder: Path) -> None:
    folder.parent.parent.mkdir()
    folder.parent.write_text("a file")
    for _ in range(2):
        assert np.array_equal(kept("primes", "numpy", numbers), numbers())
