"""Where Ray keeps its files on this machine, and which paths its processes can be started from."""

from __future__ import annotations

import os
import re
import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from platform.errors import UserError

REPOSITORY = Path(__file__).resolve().parents[2]
LONGEST_BYTES = 40
"""Of a folder for Ray. Its sockets lie in `session_DATE_TIME_MICROSECONDS_PROCESS/sockets/plasma_store`
below it, up to 66 bytes, and the kernel allows 107 (macOS: 103)."""
UNSUITABLE = re.compile(r"['\\\x00-\x1f\x7f\udc80-\udcff]")
"""In a path: Ray splits its workers' command at quotes and backslashes, and reads it as UTF-8."""
PLAIN = re.compile(r"[\w./@%+=:,-]*")
"""A path that means itself to a shell."""
SHORT_FOLDERS = Path("/tmp")


def check_paths(
    environment: Mapping[str, str] = os.environ,
    python: str = sys.executable,
    repository: Path = REPOSITORY,
) -> None:
    """UserError where Ray would start, and no worker ever would; or where its folder's path is too long."""
    for path, what in ((python, "the Python interpreter"), (str(repository), "this checkout")):
        found = UNSUITABLE.search(path)
        if found:
            raise UserError(
                f"Ray starts no worker from a path with {found[0]!r} in it, but {what} is {path!r}; move the "
                f"checkout, with its .venv made anew, to a path without it."
            )
    if os.pathsep in str(repository):
        raise UserError(
            f"Python finds no packages in a folder with {os.pathsep!r} in its path, but this checkout is "
            f"{str(repository)!r}; move it, and make its .venv anew."
        )
    _short_folder_needed(environment)


@contextmanager
def ray_folder(environment: Mapping[str, str] = os.environ) -> Iterator[str | None]:
    """The folder for Ray's files in the block; None where Ray's default (RAY_TMPDIR, TMPDIR, /tmp) will do.

    Otherwise a new one in /tmp that only this user can read, removed at the end. UserError: none can be
    made, or as `check_paths`.
    """
    if not _short_folder_needed(environment):
        yield None
        return
    try:
        folder = tempfile.mkdtemp(prefix="ray-", dir=SHORT_FOLDERS)
    except OSError as error:
        raise UserError(
            f"Ray needs a folder whose path has at most {LONGEST_BYTES - len('/ray')} bytes, but TMPDIR "
            f"is {environment['TMPDIR']!r}, and none can be made in {SHORT_FOLDERS} ({error.strerror}); set "
            f"RAY_TMPDIR to one that you can write."
        ) from error
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _short_folder_needed(environment: Mapping[str, str]) -> bool:
    """Whether TMPDIR will not do for Ray. UserError: RAY_TMPDIR, which the user set for Ray, will not."""
    chosen = environment.get("RAY_TMPDIR")
    folder = os.path.join(environment.get("TMPDIR", "/tmp") if chosen is None else chosen, "ray")
    length = len(os.fsencode(folder))
    found = UNSUITABLE.search(folder)
    # Ray writes the folder's path as ASCII.
    suits = length <= LONGEST_BYTES and not found and os.path.isabs(folder) and folder.isascii()
    if chosen is None or suits:
        return not suits
    reason = f"with {found[0]!r} in it" if found else f"of {length - len('/ray')} bytes"
    raise UserError(
        f"RAY_TMPDIR must be an absolute path of at most {LONGEST_BYTES - len('/ray')} ASCII characters "
        f"without quotes and backslashes, but it is {chosen!r} ({reason}); pass RAY_TMPDIR=/tmp."
    )


def python_for_shells(python: str = sys.executable) -> str | None:
    """The interpreter quoted for a shell; None where its path means itself to one.

    Ray Train's workers have a `runtime_env`, which starts the interpreter through an unquoted shell.
    """
    return None if PLAIN.fullmatch(python) else "'" + python + "'"
