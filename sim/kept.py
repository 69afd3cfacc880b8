"""Arrays that a slow library made once, kept on disk beside machine code."""

from __future__ import annotations

import contextlib
import hashlib
import importlib.metadata
import io
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.jit import cache_folder

_DIGEST = 32
"""Bytes of the hash that stands before an array: what it does not fit is not believed."""


def kept(name: str, library: str, make: Callable[[], NDArray[Any]]) -> NDArray[Any]:
    """Return an array made with a library, beside machine code once it was made.

    To load some libraries takes longer than to draw and simulate a hundred replications.

    Parameters
    ----------
    name : str
        Of the array; names all that it depends on, but for the library's version and the sources.
    library : str
        What makes it.
    make : callable
        Makes it, where it was not kept by an earlier process.
    """
    place = cache_folder() / f"{name}-{importlib.metadata.version(library)}.npy"
    with contextlib.suppress(OSError):
        content = place.read_bytes()
        if content[:_DIGEST] == _digest(content[_DIGEST:]):
            found: NDArray[Any] = np.load(io.BytesIO(content[_DIGEST:]), allow_pickle=False)
            return found
    made = make()
    stream = io.BytesIO()
    np.save(stream, made, allow_pickle=False)
    with contextlib.suppress(OSError):  # where nothing can be kept it is made each time
        _write(place, _digest(stream.getvalue()) + stream.getvalue())
    return made


def _digest(content: bytes) -> bytes:
    return hashlib.blake2b(content, digest_size=_DIGEST).digest()


def _write(place: Path, content: bytes) -> None:
    """Write a file under its name once it is whole, and leave nothing else."""
    place.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=place.parent)
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        os.chmod(name, 0o644)  # others may read what is kept in an installation of all
        os.replace(name, place)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
