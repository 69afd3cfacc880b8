"""Finished batches on disk: whole and of this run, or not counted.

A batch file holds three lines and a packed payload: what kind of file it is and in which version;
the BLAKE2b hash of all that follows; a header in JSON (fingerprint, platform, range, name, type
and shape of each array, size of the payload); then arrays of single bytes as they are, which are
told tightly by whoever made them; then the others, packed by zlib. Of these all first bytes of an
array stand together, then all second ones: high ones are mostly alike, so that it is enough to look
for runs, which takes a fraction of the time that looking for whatever repeats takes.
Nothing in it is code, and no size in it is believed before it is checked.
"""

from __future__ import annotations

import hashlib
import io
import json
import math
import os
import platform
import re
import shutil
import tempfile
import time
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Arrays = dict[str, NDArray[Any]]

_KIND = b"portfolio-simulator batch 2\n"
"""What kind of file it is; the number is that of its format."""
_LARGEST = 1 << 30
"""Bytes of a file, packed or not: a larger one is not ours."""
_LONGEST_HEADER = 1 << 16
_DIGITS = 64
_NAME = re.compile(r"batch-(\d{8,})-(\d{8,})\.sim", re.ASCII)
_TYPE = re.compile(r"[<|][biuf][1248]", re.ASCII)
_ABANDONED = 3600.0
"""Seconds after which a file that nobody has finished is taken for one that nobody will."""
_ATTEMPTS = 5
_SIZES = (320, 160, 80, 64, 40, 32, 20, 16, 10, 8, 5, 4, 2, 1)
"""All divide 320, so that batches end where precision is looked at."""
_WORK = {"reference": 4_000, "compiled": 400_000}
"""Project-replications of a batch, by engine: a second or two."""
_FIRST = {"reference": 64, "compiled": 320}
"""Replications of a batch at most, before they grow."""
_EARLY = 64
"""Replications at most of the very first batch: something is soon kept."""
_GROWTH = {"reference": 1, "compiled": 4}
"""So many times as large later batches are: to keep one costs as much as many replications."""


def cut(count: int, projects: int, engine: str) -> list[range]:
    """Cut replications into batches.

    Where they lie depends on the plan and the engine only, whatever is asked for and however many
    processes there are: what was finished is found again.

    Parameters
    ----------
    count, projects : int
        Replications asked for, and projects of the plan.
    engine : str
        Name of the engine.
    """
    most = _FIRST[engine]
    first = next((one for one in _SIZES if one <= most and one * projects <= _WORK[engine]), 1)
    largest, batches, at = first * _GROWTH[engine], [], 0
    while at < count:
        if at < first:  # an early one, and what is left
            size = first - at if at else min(first, _EARLY)
        else:  # those of 320 double: they end where precision is looked at, and so do larger ones
            size = min(at, largest) if first == _SIZES[0] else first
        batches.append(range(at, min(at + size, count)))
        at += size
    return batches


class BatchStore:
    """The finished batches of one run, as files of one folder.

    Parameters
    ----------
    folder : Path
        Where they stand; made when the first one is written. Processes may share it.
    fingerprint : str
        The run's: batches of another one are never read.
    """

    def __init__(self, folder: Path, fingerprint: str) -> None:
        self.folder = folder
        self._about = {
            "fingerprint": fingerprint,
            # A fingerprint holds on one platform and one version of Python.
            "platform": f"{platform.system()} {platform.machine()} {platform.python_version()}",
        }

    def write(self, batch: range, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Store a batch: under its name once it is whole and on disk, else not at all.

        Raises
        ------
        OSError
            If it cannot be written; `filename` tells where.
        """
        content = _packed(self._header(batch), arrays)
        place = self.folder / _name(batch)
        for attempt in range(_ATTEMPTS):
            try:
                self._make()
                return self._replace(place, content)
            except FileNotFoundError:  # removed meanwhile, by an equal run that was quicker
                if attempt == _ATTEMPTS - 1:
                    raise
            except OSError as error:
                raise OSError(error.errno, error.strerror, str(place)) from error

    def read(self, batch: range) -> Arrays | None:
        """Return a batch; None where there is none, or none that is whole and of this run."""
        try:
            with (self.folder / _name(batch)).open("rb") as stream:
                size = os.fstat(stream.fileno()).st_size
                # As much as is asked for is allocated, whatever is there.
                content = b"" if size > _LARGEST else stream.read(size)
        except OSError:
            return None
        return _unpacked(self._header(batch), content)

    def finished(self) -> list[range]:
        """Return the batches that stand here and look whole, in order; `read` looks closer."""
        try:
            names = sorted(os.listdir(self.folder))
        except OSError:
            return []
        batches = [
            range(int(match[1]), int(match[2]) + 1)
            for match in map(_NAME.fullmatch, names)
            if match and len(match[0]) < 60
        ]
        return [batch for batch in batches if self._looks_whole(batch)]

    def sweep(self) -> None:
        """Remove what killed processes left half-written, long enough ago to be sure of it."""
        for path in self.folder.glob(".writing-*"):
            try:
                if time.time() - path.stat().st_mtime > _ABANDONED:
                    path.unlink()
            except OSError:  # gone, or not to be had: it is in nobody's way
                continue

    def remove(self) -> None:
        """Remove every batch; what cannot be removed stays."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _header(self, batch: range) -> dict[str, Any]:
        return self._about | {"first": batch.start, "last": batch.stop - 1}

    def _looks_whole(self, batch: range) -> bool:
        try:
            with (self.folder / _name(batch)).open("rb") as stream:
                start = stream.read(len(_KIND) + _DIGITS + _LONGEST_HEADER)
                size = os.fstat(stream.fileno()).st_size
        except OSError:
            return False
        parts = _parts(self._header(batch), start)
        return parts is not None and size == parts[2] + parts[1]["packed"]

    def _make(self) -> None:
        if not self.folder.is_dir():
            self.folder.mkdir(parents=True, exist_ok=True)
            to_disk(self.folder.parent)

    def _replace(self, place: Path, content: bytes) -> None:
        handle, name = tempfile.mkstemp(prefix=".writing-", dir=self.folder)
        try:
            with os.fdopen(handle, "wb") as stream:
                stream.write(content)
                stream.flush()
                os.fsync(stream.fileno())
            try:
                os.replace(name, place)
            except PermissionError:  # Windows, while another process reads the same batch
                if not place.exists():
                    raise
                os.unlink(name)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
        to_disk(self.folder)


def to_disk(folder: Path) -> None:
    """Let the names in a folder outlive a loss of power, on systems that can promise it."""
    if os.name != "posix":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _name(batch: range) -> str:
    return f"batch-{batch.start:08}-{batch.stop - 1:08}.sim"


def _packed(header: dict[str, Any], arrays: Mapping[str, NDArray[Any]]) -> bytes:
    listed, plain, packed, size = [], [], [], 0
    packer = zlib.compressobj(1, zlib.DEFLATED, zlib.MAX_WBITS, 9, zlib.Z_RLE)
    for name in arrays:  # in their order, which is that of columns
        array = np.ascontiguousarray(arrays[name])
        array = array.astype(array.dtype.newbyteorder("<"), copy=False)
        if not _TYPE.fullmatch(array.dtype.str):
            raise TypeError(f"{name}: arrays of {array.dtype} are not stored")
        listed.append([name, array.dtype.str, list(arrays[name].shape)])
        size += array.nbytes
        if array.itemsize == 1:
            plain.append(array.tobytes())
        else:
            planes = array.reshape(-1).view(np.uint8).reshape(-1, array.itemsize).T
            packed.append(packer.compress(planes.tobytes()))
    payload = b"".join([*plain, *packed, packer.flush()])
    header = header | {"arrays": listed, "packed": len(payload)}
    line = json.dumps(header, ensure_ascii=True).encode() + b"\n"
    if len(line) > _LONGEST_HEADER or max(len(payload), size) > _LARGEST // 2:
        raise ValueError("a batch is too large to be stored")
    digest = _digest(line + payload)
    return _KIND + digest + b"\n" + line + payload


def _digest(content: bytes) -> bytes:
    return hashlib.blake2b(content, digest_size=_DIGITS // 2).hexdigest().encode()


def _parts(expected: dict[str, Any], content: bytes) -> tuple[bytes, dict[str, Any], int] | None:
    """Return the hash, the header and where the payload begins; None for any other file."""
    begins = len(_KIND) + _DIGITS + 1
    ends = content.find(b"\n", begins, begins + _LONGEST_HEADER)
    if not content.startswith(_KIND) or content[begins - 1 : begins] != b"\n" or ends < 0:
        return None
    try:
        header = json.loads(content[begins:ends])
    except (ValueError, RecursionError):
        return None
    if not isinstance(header, dict) or type(header.get("packed")) is not int:
        return None
    if any(header.get(key) != value for key, value in expected.items()):
        return None
    return content[len(_KIND) : begins - 1], header, ends + 1


def _unpacked(expected: dict[str, Any], content: bytes) -> Arrays | None:
    parts = _parts(expected, content)
    if parts is None or parts[0] != _digest(content[len(_KIND) + _DIGITS + 1 :]):
        return None
    shapes = _shapes(parts[1].get("arrays"))
    if shapes is None:
        return None
    sizes = {name: math.prod(shape) * dtype.itemsize for name, (dtype, shape) in shapes.items()}
    if sum(sizes.values()) > _LARGEST:
        return None
    single = {name for name, (dtype, _) in shapes.items() if dtype.itemsize == 1}
    plain = sum(sizes[name] for name in single)
    packed = sum(sizes.values()) - plain
    begins = parts[2] + plain
    unpacker = zlib.decompressobj()  # one byte more, as a limit of nought would be none
    try:
        unpacked = unpacker.decompress(content[begins:], packed + 1)
    except zlib.error:
        return None
    if len(unpacked) != packed or not unpacker.eof or unpacker.unused_data:
        return None
    sources = {True: io.BytesIO(content[parts[2] : begins]), False: io.BytesIO(unpacked)}
    arrays = {}
    for name, (dtype, shape) in shapes.items():
        planes = np.frombuffer(sources[name in single].read(sizes[name]), np.uint8)
        piece = planes.reshape(dtype.itemsize, -1).T.copy()  # an array of its own, to be written to
        arrays[name] = piece.view(dtype).reshape(shape)
    return arrays


def _shapes(listed: object) -> dict[str, tuple[np.dtype[Any], tuple[int, ...]]] | None:
    """Return type and shape of each array; None where what is listed is no such thing."""
    shapes: dict[str, tuple[np.dtype[Any], tuple[int, ...]]] = {}
    for one in listed if isinstance(listed, list) else [None]:
        match one:
            case [str(name), str(kind), list(shape)] if _TYPE.fullmatch(kind):
                lengths = [n for n in shape if type(n) is int and 0 <= n <= _LARGEST]
                if len(lengths) != len(shape) or len(shape) > 16:
                    return None
                # Of nought in one direction others may not be of any size all the same.
                if math.prod(max(n, 1) for n in lengths) > _LARGEST:
                    return None
                try:
                    shapes[name] = np.dtype(kind), tuple(lengths)
                except TypeError:  # letters and digits that make no type
                    return None
            case _:
                return None
    return shapes
