"""Arrays that a slow library made once, kept on disk beside machine code."""

from __future__ import annotations

import contextlib
import importlib.metadata
import os
import tempfile
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.jit import cache_folder


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
    with contextlib.suppress(OSError, ValueError, EOFError):  # none, or none that is whole
        found: NDArray[Any] = np.load(place)
        return found
    made = make()
    with contextlib.suppress(OSError):  # where nothing can be kept it is made each time
        place.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=place.parent, delete=False) as stream:
            np.save(stream, made)
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(stream.name, place)
    return made
