"""Append-only files of whole lines, with repair of a last line damaged by a full disk or a power cut."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

BLOCK_BYTES = 65536


def last_line_start(path: Path) -> int:
    """Byte offset of the last line, with or without a line feed at its end; 0 in a file of one line."""
    with path.open("rb") as file:
        end = file.seek(0, os.SEEK_END) - 1  # the line feed at the very end starts no new line
        while end > 0:
            start = max(0, end - BLOCK_BYTES)
            file.seek(start)
            found = file.read(end - start).rfind(b"\n")
            if found >= 0:
                return start + found + 1
            end = start
    return 0


def cut_damaged_end(path: Path, is_whole: Callable[[bytes], bool]) -> bytes:
    """Cut off a damaged last line, one without a line feed or rejected by `is_whole`; return what was cut.

    `is_whole` gets the line with its line feed. Every write is one line, synced before the next one, so a
    kill, a full disk or a power cut (which may leave zero bytes) damages the last line only. Raises OSError
    as `open` does.
    """
    start = last_line_start(path)
    with path.open("r+b") as file:
        file.seek(start)
        line = file.read()
        if not line or (line.endswith(b"\n") and is_whole(line)):
            return b""
        file.truncate(start)
        os.fsync(file.fileno())
    return line


def append_synced(path: Path, content: bytes) -> None:
    """Append whole lines and sync them, all or none: a failed write leaves the file unchanged.

    Raises OSError when the disk is full, or the file cannot be written.
    """
    with path.open("ab", buffering=0) as file:
        before = os.fstat(file.fileno()).st_size
        try:
            written = 0
            while written < len(content):  # a nearly full disk accepts part of it first
                written += file.write(content[written:])
            os.fsync(file.fileno())
        except BaseException:
            os.ftruncate(file.fileno(), before)
            raise
