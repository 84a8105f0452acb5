"""Advisory locks of the kernel (`flock`), which end with the process that holds them."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Literal

from platform.files.opening import open_lock

LockState = Literal["acquired", "held", "unsupported"]
"""`held`: another process has the lock. `unsupported`: the file system has no locks."""


def try_lock(file: IO[bytes]) -> LockState:
    """Lock `file` if it is free; the lock ends when the file is closed."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return "acquired"
    except BlockingIOError:
        return "held"
    except OSError:
        return "unsupported"


def wait_for_lock(file: IO[bytes]) -> None:
    """Lock `file` as soon as it is free. OSError: the file system has no such locks."""
    fcntl.flock(file, fcntl.LOCK_EX)


@contextmanager
def exclusive(path: Path) -> Iterator[None]:
    """Hold a lock on the file `path` for the block; wait while another process holds it.

    The file is created for the lock and removed afterwards. UserError as `open_lock`.
    """
    while True:
        with open_lock(path) as lock:
            wait_for_lock(lock)
            if not _is_named(lock, path):  # the previous holder removed the file while this one waited
                continue
            try:
                yield
            finally:
                path.unlink(missing_ok=True)
            return


def _is_named(file: IO[bytes], path: Path) -> bool:
    """Whether `path` still names the open `file`."""
    try:
        return os.path.samestat(path.stat(), os.fstat(file.fileno()))
    except FileNotFoundError:
        return False
