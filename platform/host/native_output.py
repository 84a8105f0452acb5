"""Redirection of native (C++) output to a file, while Python's output stays on the screen."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TextIO

from platform.errors import ClusterLost


@contextmanager
def native_output_to(log_file: Path) -> Iterator[None]:
    """Redirect descriptors 1 and 2 to `log_file` for the block.

    Python's own streams stay the same objects, since other code may hold them, but write to duplicates of
    the original descriptors. Child processes of the block inherit the file. Streams that do not use these
    descriptors (pytest captures them) are left alone. After a ClusterLost the redirection stays: C++ threads
    keep writing until the process ends.
    """
    kept = {number: os.dup(number) for number in (1, 2)}
    streams = [] if _captured() else [(sys.__stdout__, 1), (sys.__stderr__, 2)]
    moved = [(stream, number) for stream, number in streams if stream and _file_of(stream, number)]
    for stream, number in moved:
        _point(stream, number, kept[number])
    with log_file.open("ab") as log:
        for number in kept:
            os.dup2(log.fileno(), number)
    try:
        yield
    except ClusterLost:
        raise
    except BaseException:
        _restore(kept, moved)
        raise
    _restore(kept, moved)


def _restore(kept: dict[int, int], moved: Sequence[tuple[TextIO, int]]) -> None:
    for number, descriptor in kept.items():
        os.dup2(descriptor, number)
    for stream, number in moved:
        _point(stream, kept[number], number)
    for descriptor in kept.values():
        os.close(descriptor)


def _captured() -> bool:
    try:
        return sys.stdout.fileno() not in (1, 2)
    except (OSError, ValueError, AttributeError):
        return True


def _file_of(stream: TextIO, number: int) -> io.FileIO | None:
    """The raw file of `stream`; None unless it uses the descriptor `number`."""
    buffer = getattr(stream, "buffer", None)
    file = getattr(buffer, "raw", buffer)  # python -u: no buffer in between
    if not isinstance(file, io.FileIO) or file.closed:
        return None
    return file if file.fileno() == number else None


def _point(stream: TextIO, before: int, number: int) -> None:
    """Make `stream` write to the descriptor `number` instead of `before`."""
    file = _file_of(stream, before)
    if file is None:  # other code has closed or replaced it
        return
    with suppress(OSError, ValueError):
        stream.flush()
    io.FileIO.__init__(file, number, "wb", closefd=False)
