"""Files that appear together, each whole, or not at all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path

from sim.runs.batches import to_disk


def write_whole(folder: Path, contents: Mapping[str, bytes]) -> None:
    """Write files into a folder, replacing those of the same names.

    All are written under other names first: where one cannot be written, none appears.

    Parameters
    ----------
    folder : Path
        Made where it does not stand.
    contents : mapping of str to bytes
        By name.

    Raises
    ------
    OSError
        If they cannot be written; `filename` tells where.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".writing-", dir=folder) as place:
            for name, content in contents.items():
                with (Path(place) / name).open("wb") as stream:
                    stream.write(content)
                    stream.flush()
                    os.fsync(stream.fileno())
            for name in contents:
                if (folder / name).is_dir():
                    raise IsADirectoryError(21, os.strerror(21), str(folder / name))
            for name in contents:
                os.replace(Path(place) / name, folder / name)
        to_disk(folder)
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(folder)) from error
