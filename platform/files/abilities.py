"""What a file system must be able to do to hold results, tried in a folder.

A mounted object store (Mountpoint for S3, s3fs, gcsfuse) looks like a folder and lacks part of it. A command
finds that out here, before it computes anything, and not when its first result is to be stored.
"""

from __future__ import annotations

import errno
import os
import shutil
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
"""Full disk, exceeded quota, exceeded file-size limit: they say nothing about the file system."""


class Unable(OSError):
    """The file system cannot do `what`, for the reason in `strerror`."""

    def __init__(self, error: OSError, what: str) -> None:
        super().__init__(error.errno, error.strerror or str(error))
        self.what = what
        """In words: `rename a folder`."""


def check_abilities(folder: Path) -> None:
    """Try in the existing `folder` all that the results store, checkpoints, leases and the study rely on.

    Leaves nothing behind and takes a few milliseconds on a local disk. OSError: the disk is full, or nothing
    can be made there. Unable: something else failed, and what that was.
    """
    place = folder / f".try-{uuid.uuid4().hex[:12]}"
    try:
        place.mkdir()
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(folder)) from error
    try:
        for what, attempt in _ATTEMPTS:
            with _naming(what):
                attempt(place)
    finally:
        shutil.rmtree(place, ignore_errors=True)


def _create_once(place: Path) -> None:
    _write(place / "file", os.O_CREAT | os.O_EXCL, b"file", synced=True)
    _write(place / "other", os.O_CREAT | os.O_EXCL, b"other")
    with suppress(FileExistsError):
        os.close(os.open(place / "file", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644))
        raise OSError(errno.EIO, "it made the same file twice")


def _append(place: Path) -> None:
    _write(place / "file", os.O_APPEND, b"+more")
    _expect(place / "file", b"file+more")


def _overwrite(place: Path) -> None:
    _write(place / "file", 0, b"FILE")
    _expect(place / "file", b"FILE+more")


def _replace_file(place: Path) -> None:
    os.replace(place / "other", place / "file")
    _expect(place / "file", b"other")


def _rename_folder(place: Path) -> None:
    for name in ("made", "standing"):
        (place / name).mkdir()
        _write(place / name / "file", os.O_CREAT, name.encode())
    os.rename(place / "made", place / "moved")
    _expect(place / "moved" / "file", b"made")
    try:
        os.rename(place / "moved", place / "standing")
    except OSError as error:
        if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
            raise
    else:
        raise OSError(errno.EIO, "a folder with content was replaced")


_ATTEMPTS: tuple[tuple[str, Callable[[Path], None]], ...] = (
    ("create a file exclusively and sync it", _create_once),
    ("append to a file", _append),
    ("overwrite part of a file", _overwrite),
    ("rename a file over another", _replace_file),
    ("rename a folder", _rename_folder),
)


def _write(path: Path, how: int, content: bytes, *, synced: bool = False) -> None:
    handle = os.open(path, os.O_WRONLY | how, 0o644)
    try:
        os.write(handle, content)
        if synced:  # once: a busy disk takes long for it
            os.fsync(handle)
    finally:
        os.close(handle)


def _expect(path: Path, content: bytes) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        found = os.read(handle, len(content) + 1)
    finally:
        os.close(handle)
    if found != content:
        raise OSError(errno.EIO, "it reads other content than was written")


@contextmanager
def _naming(what: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in NO_ROOM:
            raise
        raise Unable(error, what) from error
