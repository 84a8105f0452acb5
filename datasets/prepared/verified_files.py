"""Large files with a stated SHA-256: hashed when they are first opened, and again once they have changed.

That a file has its hash is remembered under a name made of the hash and of the file's size, times and inode.
An edited, restored or copied file has another change time, which no program can set, so it is hashed again.
What is remembered is an empty file in `.verified` beside the store, where all nodes that share the disk find
it; in the user's cache folder, where the data may not be written to; and else nowhere, so that every opening
hashes again.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import BufferedReader
from pathlib import Path

from platform.errors import UserError
from platform.files.dry_run import is_dry_run
from platform.files.locks import wait_for_lock
from platform.files.opening import REMEDY, MissingFile, open_regular

MEMORY_FOLDER = ".verified"
"""Beside the store's folder."""

SETTLED_SECONDS = 2.0
"""A file younger than this is hashed and not remembered: a change within the same tick of the file system's
clock, up to two seconds on some, would not show in its times."""

ANNOUNCED_BYTES = 4 * 10**9
"""From this size on a person is told what is being waited for."""


def has_sha256(path: Path, sha256: str) -> bool:
    """Whether the file has that SHA-256 (64 hexadecimal digits); False where there is no file.

    Raises UserError where it is no regular file or cannot be read. Several processes of a machine hash one
    file once.
    """
    try:
        with open_regular(path) as file:
            name = _memory_name(file, sha256)
            if _is_remembered(path, name):
                return True
            with _alone(file):
                # Whoever held the lock may have hashed it.
                return _is_remembered(path, name) or _hashed(path, file, sha256)
    except MissingFile:
        return False
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror}; {REMEDY}") from error


def _hashed(path: Path, file: BufferedReader, sha256: str) -> bool:
    """Hash the open file, and remember it if it has the hash and did not change meanwhile."""
    state = os.fstat(file.fileno())
    if state.st_size >= ANNOUNCED_BYTES:
        size = f"{state.st_size / 1e9:.0f} GB"
        print(f"Verifying {path} ({size}; again only once it has changed) ...", file=sys.stderr, flush=True)
    name, begun = _memory_name(file, sha256), time.time()
    if hashlib.file_digest(file, "sha256").hexdigest() != sha256:
        return False
    settled = begun - state.st_ctime >= SETTLED_SECONDS
    if settled and not is_dry_run() and name == _memory_name(file, sha256):
        _remember(path, name)
    return True


def _memory_name(file: BufferedReader, sha256: str) -> str:
    """Of the open file as it is now. Without its device, whose number differs between nodes."""
    state = os.fstat(file.fileno())
    facts = [sha256, state.st_size, state.st_mtime_ns, state.st_ctime_ns, state.st_ino]
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()


def _memory_folders(path: Path) -> tuple[Path, Path]:
    """Where it may be remembered: beside the store that holds `path`, and in the user's cache."""
    cache = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return path.absolute().parent.parent / MEMORY_FOLDER, Path(cache) / "fer-platform" / "verified"


def _is_remembered(path: Path, name: str) -> bool:
    return any(os.path.isfile(folder / name) for folder in _memory_folders(path))


def _remember(path: Path, name: str) -> None:
    for folder in _memory_folders(path):
        try:
            folder.mkdir(parents=True, exist_ok=True)
            (folder / name).touch()
        except OSError:
            continue
        return


@contextmanager
def _alone(file: BufferedReader) -> Iterator[None]:
    """Of the processes of this machine, where the file system has such locks (NFS: not for readers)."""
    with suppress(OSError):
        wait_for_lock(file)
    yield  # closing the file ends the lock
