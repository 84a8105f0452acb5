"""Writes that are on the disk, not only in the kernel's cache, when the call returns."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import IO

NO_FOLDER_SYNC = (errno.EINVAL, errno.ENOTSUP, errno.EACCES, errno.EPERM)
"""Errors of file systems that cannot sync a folder, and of folders that may be written but not read."""


def sync(file: IO[bytes]) -> None:
    """Flush `file` to the disk. OSError: the disk is full or failing."""
    file.flush()
    os.fsync(file.fileno())


def write_synced(path: Path, content: bytes, *, mode: int | None = None) -> None:
    """Write a whole file and sync it. Not atomic: a kill leaves part of it.

    mode: the file's permissions; None leaves them to the umask. OSError: the file cannot be written.
    """
    with path.open("wb") as file:
        if mode is not None:
            os.fchmod(file.fileno(), mode)
        file.write(content)
        sync(file)


def sync_folder(folder: Path) -> None:
    """Sync the names in `folder`: until then a power cut can undo a rename. OSError: the disk is failing."""
    try:
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    except OSError as error:
        if error.errno not in NO_FOLDER_SYNC:
            raise
