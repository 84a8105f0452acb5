"""Attempts at runs, of which only the newest of an experiment may write.

A host that is cut off from the network goes on with its run, while the dispatcher takes it for lost and
starts the run again elsewhere. Before each attempt the dispatcher therefore writes a new token into
`<experiment>/dispatcher/<driver>/attempts/<identity>`, and the attempt reads it before whatever it writes
gets its name: one that finds another token, or none, stops and writes nothing. A driver that starts the
experiment again removes the folders of those before it: no attempt of theirs can begin or write any more.

Between that look and the rename nothing is locked. What then still lands does no harm: a complete result is
written once and equal, and checkpoints have a folder for each attempt. Attempts of other experiments at the
same run have tokens of their own, so that two experiments never stop each other.
"""

from __future__ import annotations

import shutil
import socket
import uuid
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from platform.errors import UserError
from platform.files.late import look_again
from platform.files.opening import MissingFile, read_bytes
from platform.runs.environment_failure import EnvironmentFailure

FOLDER = "dispatcher"
"""In the experiment's folder: a folder for each driver, normally one."""
ATTEMPTS = "attempts"


def driver_folder(experiment_folder: Path) -> Path:
    """A new folder for what this driver's dispatcher shares with its workers; those of earlier drivers go.

    UserError: it cannot be made, or an earlier one cannot be removed.
    """
    parent = experiment_folder.absolute() / FOLDER
    shutil.rmtree(parent, ignore_errors=True)
    folder = parent / uuid.uuid4().hex
    try:
        if parent.exists():
            raise UserError(f"cannot remove {parent}; make it writable and run the command again.")
        (folder / ATTEMPTS).mkdir(parents=True)
    except OSError as error:
        raise UserError(
            f"cannot make {folder}: {error.strerror}; make it writable, or choose another --runs."
        ) from error
    return folder


def drop_driver_folder(folder: Path) -> None:
    """End all attempts of this driver's dispatcher."""
    shutil.rmtree(folder, ignore_errors=True)
    with suppress(OSError):  # another driver has its own in it
        folder.parent.rmdir()


@dataclass(frozen=True, kw_only=True)
class Attempt:
    """The right of one attempt at a run to write; travels to the worker."""

    path: str
    token: str

    def check(self) -> None:
        """EnvironmentFailure: a newer attempt has begun, or the dispatcher that began this one has ended."""
        if self._standing() != self.token:
            raise EnvironmentFailure(
                "a newer attempt at this run has begun, or its search has ended, so this one stops and "
                "writes nothing",
                socket.gethostname(),
            )

    def _standing(self) -> str:
        path = Path(self.path)
        for again in (False, True):
            if again:
                look_again(path.parent)
            try:
                return read_bytes(path, largest_bytes=1024).decode("ascii", errors="replace")
            except MissingFile:
                continue
        return ""


class Attempts:
    """The attempts that a dispatcher begins. One that was lost and started again ends those before it."""

    def __init__(self, folder: Path) -> None:
        """folder: of its driver (`driver_folder`)."""
        self._folder = folder / ATTEMPTS
        with suppress(OSError):
            for path in self._folder.iterdir():
                path.unlink(missing_ok=True)

    def begin(self, identity: str) -> Attempt:
        """A new attempt at that run, which ends the one before.

        The token is written in place and not synced: whoever opens the file afterwards sees it, on another
        host too, and after a power cut no attempt has a right to write. EnvironmentFailure: it cannot be
        written, or another driver has started the experiment again.
        """
        attempt = Attempt(path=str(self._folder / identity), token=uuid.uuid4().hex)
        try:
            Path(attempt.path).write_text(attempt.token, encoding="ascii")
        except OSError as error:
            host = socket.gethostname()
            if isinstance(error, FileNotFoundError):
                raise EnvironmentFailure("another driver has started this experiment again", host) from error
            raise EnvironmentFailure(f"{error.strerror}: {attempt.path}", host) from error
        return attempt

    def end(self, identity: str) -> None:
        """The run is finished: no attempt at it may write any more."""
        with suppress(OSError):
            (self._folder / identity).unlink()
