"""Verification of large files by SHA-256: at the first opening, and again after any change.

A successful verification is recorded under a name made of the hash and the file's size, times and inode. An
edited, restored or copied file has a new change time, which no program can set, so it is hashed again. The
record is an empty file in `.verified` next to the store, where all nodes that share the disk find it, or in
the user's cache folder if the data is read-only. If neither is writable, every opening hashes again.
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
"""Folder of the records, next to the store."""

SETTLED_SECONDS = 2.0
"""A file younger than this is hashed without a record: a change within the same tick of the file system's
clock, up to two seconds on some, would not show in its times."""

ANNOUNCED_BYTES = 4 * 10**9
"""From this size on a message says that the file is being verified."""


def has_sha256(path: Path, sha256: str, *, store: Path | None = None) -> bool:
    """Whether the file has that SHA-256 (64 hex digits); False if it does not exist.

    `store`: the folder of the store that it belongs to; None: the file's folder. Raises UserError if it
    cannot be read or is not a regular file. Concurrent processes of one machine hash a file once.
    """
    beside = (path.parent if store is None else store).absolute().parent / MEMORY_FOLDER
    try:
        with open_regular(path) as file:
            name = _memory_name(file, sha256)
            if _is_remembered(beside, name):
                return True
            with _alone(file):
                # The previous holder of the lock may have hashed it.
                return _is_remembered(beside, name) or _hashed(path, file, sha256, beside)
    except MissingFile:
        return False
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror}; {REMEDY}") from error


def _hashed(path: Path, file: BufferedReader, sha256: str, beside: Path) -> bool:
    """Whether the open file has the hash; recorded if so and if the file did not change meanwhile."""
    state = os.fstat(file.fileno())
    if state.st_size >= ANNOUNCED_BYTES:
        size = f"{state.st_size / 1e9:.0f} GB"
        print(f"Verifying {path} ({size}; repeated only if it changes) ...", file=sys.stderr, flush=True)
    name, begun = _memory_name(file, sha256), time.time()
    if hashlib.file_digest(file, "sha256").hexdigest() != sha256:
        return False
    settled = begun - state.st_ctime >= SETTLED_SECONDS
    if settled and not is_dry_run() and name == _memory_name(file, sha256):
        _remember(beside, name)
    return True


def _memory_name(file: BufferedReader, sha256: str) -> str:
    """Name of the record for the open file in its present state, without the device number, which differs
    between nodes."""
    state = os.fstat(file.fileno())
    facts = [sha256, state.st_size, state.st_mtime_ns, state.st_ctime_ns, state.st_ino]
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()


def _memory_folders(beside: Path) -> tuple[Path, Path]:
    """The folders of records: `beside` the store, and in the user's cache folder."""
    cache = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return beside, Path(cache) / "fer-platform" / "verified"


def _is_remembered(beside: Path, name: str) -> bool:
    return any(os.path.isfile(folder / name) for folder in _memory_folders(beside))


def _remember(beside: Path, name: str) -> None:
    for folder in _memory_folders(beside):
        try:
            folder.mkdir(parents=True, exist_ok=True)
            (folder / name).touch()
        except OSError:
            continue
        return


@contextmanager
def _alone(file: BufferedReader) -> Iterator[None]:
    """Exclude other processes of this machine, if the file system supports it (NFS: not for readers)."""
    with suppress(OSError):
        wait_for_lock(file)
    yield  # closing the file releases the lock
