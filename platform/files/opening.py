"""Opening files for reading: regular files only, up to a size limit.

All readers use it. A named pipe or a device in a file's place would block a reader for ever, and a sparse
file of a terabyte would exhaust memory. Every failure is a UserError that names the file. The wording stays
as it is: `prepare --skip-bad` stores it in the manifest, whose hash is part of the identity of fold runs.
"""

from __future__ import annotations

import errno
import hashlib
import io
import os
import stat
from pathlib import Path

from platform.errors import UserError

LARGEST_BYTES = 256 * 2**20
"""Limit where a reader states none: an uncompressed image of the largest allowed size
(datasets/raw/sources.py) has 183 MiB."""

REMEDY = "restore it, or let it be read."
"""The end of a message where a reader states no better remedy."""

_KINDS = {
    stat.S_IFIFO: "a named pipe",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
    stat.S_IFSOCK: "a socket",
    stat.S_IFDIR: "a folder",
}


class MissingFile(UserError):
    """The file does not exist. For readers that accept a missing file."""


def open_regular(path: Path, *, remedy: str = REMEDY) -> io.BufferedReader:
    """The regular file `path`, opened for reading bytes. Links are followed.

    Raises MissingFile where nothing has that name, UserError where it is not a regular file or cannot be
    opened.
    """
    return io.BufferedReader(io.FileIO(_descriptor(path, remedy)[0]))


def check_regular(path: Path, *, remedy: str = REMEDY) -> None:
    """The checks of open_regular, for a file that a library opens by its name."""
    os.close(_descriptor(path, remedy)[0])


def open_lock(path: Path, *, remedy: str = REMEDY) -> io.BufferedWriter:
    """The regular file `path`, opened so that it can be locked. It is created if missing; content stays.

    Raises UserError where it is not a regular file or cannot be opened for writing.
    """
    try:
        # O_NONBLOCK: a pipe without a reader fails at once (ENXIO) instead of blocking.
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_NONBLOCK | os.O_CLOEXEC, 0o644)
    except (OSError, ValueError) as error:
        if path.exists():
            _check_kind(path, path.stat().st_mode)
        why = error.strerror if isinstance(error, OSError) else str(error)
        raise UserError(f"cannot open {path} for a lock: {why}; {remedy}") from error
    try:
        _check_kind(path, os.fstat(descriptor).st_mode)
    except UserError:
        os.close(descriptor)
        raise
    return io.BufferedWriter(io.FileIO(descriptor, "wb"))


def read_bytes(path: Path, *, largest_bytes: int = LARGEST_BYTES, remedy: str = REMEDY) -> bytes:
    """All bytes of the regular file `path`. Raises as open_regular; UserError above `largest_bytes`."""
    descriptor, size = _descriptor(path, remedy)
    try:
        if size > largest_bytes:
            raise _too_large(path, size, largest_bytes)
        content = os.read(descriptor, size + 1)
        # Kernel files, as in /proc, state no size; others may grow meanwhile.
        while not 0 < len(content) == size:
            more = os.read(descriptor, 2**20)
            if not more:
                break
            content += more
            if len(content) > largest_bytes:
                raise _too_large(path, len(content), largest_bytes)
        return content
    except OSError as error:
        raise _cannot_read(path, error, remedy) from error
    finally:
        os.close(descriptor)


def read_text(path: Path, *, largest_bytes: int = LARGEST_BYTES, remedy: str = REMEDY) -> str:
    """The text of `path`: UTF-8 with or without a byte order mark, or UTF-16 with one.

    Raises UserError as read_bytes does, and for other encodings, with the line.
    """
    return decoded(read_bytes(path, largest_bytes=largest_bytes, remedy=remedy), str(path))


def decoded(content: bytes, where: str) -> str:
    """`content` as text: UTF-8 with or without a byte order mark, or UTF-16 with one; UserError otherwise."""
    try:
        if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
            text = content.decode("utf-16")
        else:
            text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise UserError(
            f"{where}, line {line} is not text in UTF-8 (byte {error.start}); save it as UTF-8."
        ) from error
    if "\0" in text:  # UTF-16 without a byte order mark, or a file that never reached the disk
        line = text.count("\n", 0, text.find("\0")) + 1
        raise UserError(f"{where}, line {line} is not text in UTF-8 (it has a zero byte); restore it.")
    return text


def file_sha256(path: Path, *, remedy: str = REMEDY) -> str:
    """The SHA-256 of the regular file `path`, in hexadecimal. Raises as open_regular."""
    with open_regular(path, remedy=remedy) as file:
        try:
            return hashlib.file_digest(file, "sha256").hexdigest()
        except OSError as error:
            raise _cannot_read(path, error, remedy) from error


def _descriptor(path: Path, remedy: str) -> tuple[int, int]:
    """The descriptor of the opened file, and its size in bytes.

    Its kind is checked before opening, because opening a device may have effects, and again afterwards.
    """
    try:
        _check_kind(path, os.stat(path).st_mode)
        # O_NONBLOCK: a pipe created in between would block until it has a writer.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY)
    except (OSError, ValueError) as error:  # ValueError: a null character in the name
        raise _cannot_read(path, error, remedy) from error
    try:
        state = os.fstat(descriptor)
        _check_kind(path, state.st_mode)
    except UserError:
        os.close(descriptor)
        raise
    return descriptor, state.st_size


def _check_kind(path: Path, mode: int) -> None:
    if not stat.S_ISREG(mode):
        kind = _KINDS.get(stat.S_IFMT(mode), "not a file")
        raise UserError(f"{path} is {kind}, but a regular file is needed; put the file itself there.")


def _cannot_read(path: Path, error: OSError | ValueError, remedy: str) -> UserError:
    why = error.strerror if isinstance(error, OSError) else str(error)
    absent = isinstance(error, OSError) and error.errno in (errno.ENOENT, errno.ENOTDIR)
    kind = MissingFile if absent else UserError
    return kind(f"cannot read {path}: {why}; {remedy}")


def _too_large(path: Path, size: int, largest_bytes: int) -> UserError:
    return UserError(
        f"{path} has {size:,} bytes, but at most {largest_bytes:,} are read of such a file; "
        "put the right file there."
    )
