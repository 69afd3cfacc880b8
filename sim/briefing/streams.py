"""The streams that a command writes to."""

from __future__ import annotations

import codecs
import io
import sys


def can_say_anything() -> None:
    """Let no character stop a command, whatever the encoding of the terminal or pipe.

    ASCII is what a missing locale looks like: UTF-8 is written then. Any other encoding is kept,
    and a character that it lacks is written as an escape.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            ascii_only = codecs.lookup(stream.encoding).name == "ascii"
            encoding = "utf-8" if ascii_only else stream.encoding
            stream.reconfigure(encoding=encoding, errors="backslashreplace")
