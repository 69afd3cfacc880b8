"""The one door to numba: kernels are compiled where it is installed, plain Python where not.

A kernel is written in the part of Python that numba compiles, and gives the same bits either way.
Machine code is kept on disk in a folder named by a hash of all kernel sources and of what they
import: numba's own check sees changes only of the file in which a cached function stands, so that
an edited helper would leave old machine code and silently wrong numbers.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import importlib
import os
import re
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

# Another library of exp and log, where it is installed, would give other last bits than Python.
os.environ.setdefault("NUMBA_DISABLE_INTEL_SVML", "1")

numba: Any = None
with contextlib.suppress(ImportError):  # the reference engine serves without it
    numba = importlib.import_module("numba")

Function = TypeVar("Function", bound=Callable[..., Any])

AVAILABLE = numba is not None
"""Whether kernels are compiled."""

_ROOT = Path(__file__).parent
_IMPORTS = re.compile(r"^from sim((?:\.\w+)+) import (\([^)]*\)|.*)$", re.MULTILINE)
_DOOR = re.compile(
    r"^from sim\.jit import (?:\([^)]*|[^\n(]*)\b(?:compiled|inner|inlined|scalar)\b", re.MULTILINE
)
"""What makes a file one of kernels; those that only ask whether there is a compiler are none."""


def kernel_sources() -> list[Path]:
    """Return the files on which machine code depends: kernels and all that they import."""
    found = {path for path in _ROOT.rglob("*.py") if _DOOR.search(path.read_text("utf-8"))}
    pending = list(found)
    while pending:
        text = pending.pop().read_text(encoding="utf-8")
        for dotted, names in _IMPORTS.findall(text):
            place = _ROOT.joinpath(*dotted.strip(".").split("."))
            # What is imported may be a name of a module, or a module of a folder.
            inside = [place / f"{name}.py" for name in re.findall(r"\w+", names)]
            for path in (place.with_suffix(".py"), *inside):
                if path.is_file() and path not in found:
                    found.add(path)
                    pending.append(path)
    return sorted(found)


@functools.cache
def kernel_hash() -> str:
    """Hash the kernel sources and the version of the compiler."""
    whole = hashlib.sha256(numba.__version__.encode() if numba else b"")
    for path in kernel_sources():
        whole.update(path.relative_to(_ROOT).as_posix().encode())
        whole.update(path.read_bytes())
    return whole.hexdigest()[:16]


@functools.cache
def cache_folder() -> Path:
    """Return where machine code is kept: beside this file, else in the user's cache folder."""
    beside = _ROOT / "__pycache__" / "kernels"
    usual = os.environ.get("LOCALAPPDATA") or os.environ.get("XDG_CACHE_HOME")
    users = Path(usual) if usual else Path.home() / ".cache"
    for place in (beside, users / "project-portfolio-kernels"):
        try:
            place.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=place):
                return place / kernel_hash()
        except OSError:
            continue
    return Path(tempfile.gettempdir()) / f"project-portfolio-kernels-{kernel_hash()}"


def is_warm(kernel: str) -> bool:
    """Tell whether machine code of a kernel, of these sources, was kept by an earlier process."""
    return AVAILABLE and any(cache_folder().glob(f"**/*.{kernel}-*.nbc"))


if numba is not None:
    numba.config.CACHE_DIR = str(cache_folder())


def compiled(function: Function) -> Function:
    """Compile a kernel when it is first called: no fast-math, no threads of its own.

    It lets other threads run meanwhile, so that each can work on rows of its own.
    """
    return _compile(function, cache=True)


def inner(function: Function) -> Function:
    """Compile a kernel that only other kernels call: without the doors for Python."""
    return _compile(function, no_cpython_wrapper=True)


def inlined(function: Function) -> Function:
    """Compile an inner kernel into those that call it.

    Work space is handed on as tuples of many arrays: to pass one costs more than most of what is
    done with it, so what runs often must not be a call.
    """
    return _compile(function, no_cpython_wrapper=True, forceinline=True)


def scalar(function: Function) -> Function:
    """Compile a kernel from numbers to numbers into those that call it; Python may call it, too.

    Only where nothing is called does a loop over many numbers work on several at a time.
    """
    return _compile(function, cache=True, forceinline=True)


def _compile(function: Function, **options: bool) -> Function:
    if numba is None:
        return function
    # Divisors are checked where plans are loaded; the numpy model leaves the check out of kernels.
    # What allocates nothing needs no counts of references (`_nrt`): they cost more than the work.
    decorate = numba.njit(
        nogil=True,
        error_model="numpy",
        no_cfunc_wrapper=True,
        _nrt=False,
        **options,
    )
    result: Function = decorate(function)
    return result
