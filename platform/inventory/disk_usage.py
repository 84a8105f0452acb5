"""Bytes that files and folders take."""

from __future__ import annotations

import os
from pathlib import Path


def bytes_of(path: Path | str) -> int:
    """Bytes of a file, or of all files below a folder; links count as nothing and are not followed.

    What disappears or cannot be read meanwhile counts as nothing.
    """
    total = 0
    waiting = [os.fspath(path)]
    while waiting:
        current = waiting.pop()
        try:
            with os.scandir(current) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append(entry.path)
                    elif entry.is_file(follow_symlinks=False):
                        total += entry.stat(follow_symlinks=False).st_size
        except NotADirectoryError:
            total += _file_bytes(current)
        except OSError:
            continue
    return total


def newest_change(path: Path) -> float:
    """Time of the last change of anything below `path`, in seconds since 1970; 0 where nothing is there."""
    newest = 0.0
    waiting = [os.fspath(path)]
    while waiting:
        current = waiting.pop()
        try:
            newest = max(newest, os.lstat(current).st_mtime)
            with os.scandir(current) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append(entry.path)
                    else:
                        newest = max(newest, entry.stat(follow_symlinks=False).st_mtime)
        except OSError:
            continue
    return newest


def _file_bytes(path: str) -> int:
    try:
        return 0 if os.path.islink(path) else os.lstat(path).st_size
    except OSError:
        return 0
