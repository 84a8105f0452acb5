"""Paths that Ray can work with: the folder for its files, the interpreter and the checkout."""

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
"""Length limit of the path of Ray's folder. Its sockets lie below it, in
`session_DATE_TIME_MICROSECONDS_PROCESS/sockets/plasma_store` (up to 66 bytes), and the kernel allows 107
bytes (macOS: 103)."""
UNSUITABLE = re.compile(r"['\\\x00-\x1f\x7f\udc80-\udcff]")
"""Characters that make a path unusable: Ray splits its workers' command at quotes and backslashes, and
reads it as UTF-8."""
PLAIN = re.compile(r"[\w./@%+=:,-]*")
"""Paths that need no quotes in a shell."""
SHORT_FOLDERS = Path("/tmp")
SHORT_PREFIX = "ray-"
"""Of a folder that `ray_folder` or `new_ray_folder` makes."""


def check_paths(
    environment: Mapping[str, str] = os.environ,
    python: str = sys.executable,
    repository: Path = REPOSITORY,
) -> None:
    """Raises UserError for paths with which Ray could not start, or could not start its workers."""
    for path, what in ((python, "the Python interpreter"), (str(repository), "this checkout")):
        found = UNSUITABLE.search(path)
        if found:
            raise UserError(
                f"Ray cannot start workers from a path that contains {found[0]!r}, but {what} is {path!r}; "
                f"move the checkout to another path and create its .venv again."
            )
    if os.pathsep in str(repository):
        raise UserError(
            f"Python finds no packages in a folder with {os.pathsep!r} in its path, but this checkout is "
            f"{str(repository)!r}; move it to another path and create its .venv again."
        )
    _short_folder_needed(environment)


@contextmanager
def ray_folder(environment: Mapping[str, str] = os.environ) -> Iterator[str | None]:
    """The folder for Ray's files in the block; None where Ray's default (RAY_TMPDIR, TMPDIR, /tmp) works.

    Otherwise a new folder in /tmp that only this user can read, removed at the end. Raises UserError where
    it cannot be created, and as `check_paths`.
    """
    if not _short_folder_needed(environment):
        yield None
        return
    with _made_in(SHORT_FOLDERS, environment) as folder:
        yield folder


@contextmanager
def new_ray_folder(environment: Mapping[str, str] = os.environ) -> Iterator[str]:
    """A new folder for Ray's files in the block, where its default would be, removed at the end.

    Raises UserError as `ray_folder`.
    """
    parent = SHORT_FOLDERS
    if not _short_folder_needed(environment):
        usual = Path(environment.get("RAY_TMPDIR", environment.get("TMPDIR", "/tmp")))
        if len(os.fsencode(usual)) + len("/ray-12345678") <= LONGEST_BYTES and usual.is_dir():
            parent = usual
    with _made_in(parent, environment) as folder:
        yield folder


@contextmanager
def _made_in(parent: Path, environment: Mapping[str, str]) -> Iterator[str]:
    try:
        folder = tempfile.mkdtemp(prefix=SHORT_PREFIX, dir=parent)
    except OSError as error:
        raise UserError(
            f"Ray needs a folder whose path has at most {LONGEST_BYTES - len('/ray')} bytes, but TMPDIR "
            f"is {environment.get('TMPDIR', '/tmp')!r}, and none can be created in {parent} "
            f"({error.strerror}); set RAY_TMPDIR to a writable folder."
        ) from error
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _short_folder_needed(environment: Mapping[str, str]) -> bool:
    """Whether TMPDIR is unsuitable for Ray. UserError: RAY_TMPDIR, which the user set for Ray, is."""
    chosen = environment.get("RAY_TMPDIR")
    folder = os.path.join(environment.get("TMPDIR", "/tmp") if chosen is None else chosen, "ray")
    length = len(os.fsencode(folder))
    found = UNSUITABLE.search(folder)
    # Ray writes the folder's path as ASCII.
    suits = length <= LONGEST_BYTES and not found and os.path.isabs(folder) and folder.isascii()
    if chosen is None or suits:
        return not suits
    reason = f"contains {found[0]!r}" if found else f"{length - len('/ray')} bytes"
    raise UserError(
        f"RAY_TMPDIR must be an absolute path of at most {LONGEST_BYTES - len('/ray')} ASCII characters "
        f"without quotes and backslashes, but it is {chosen!r} ({reason}); set RAY_TMPDIR=/tmp."
    )


def python_for_shells(python: str = sys.executable) -> str | None:
    """The interpreter's path quoted for a shell; None where it needs no quotes.

    Ray Train's workers have a `runtime_env`, with which Ray starts the interpreter through a shell without
    quoting it.
    """
    return None if PLAIN.fullmatch(python) else "'" + python + "'"
