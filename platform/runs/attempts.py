"""Attempts at runs, of which only the newest of an experiment may write.

A host that is cut off from the network goes on with its run, while the dispatcher takes it for lost and
starts the run again elsewhere. Before each attempt the dispatcher therefore writes a token of its own into
`<experiment>/attempts/<identity>`, and the attempt reads it before whatever it writes gets its name: one that
finds another token, or none, stops and writes nothing.

Between that look and the rename nothing is locked. What then still lands does no harm: a complete result is
written once and equal, and checkpoints have a folder for each attempt. Attempts of other experiments at the
same run have tokens of their own, so that two experiments never stop each other.
"""

from __future__ import annotations

import shutil
import socket
import uuid
from dataclasses import dataclass
from pathlib import Path

from platform.errors import UserError
from platform.files.late import look_again
from platform.files.opening import MissingFile, read_bytes
from platform.runs.environment_failure import EnvironmentFailure

FOLDER = "attempts"


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
    """The attempts that one dispatcher begins; those of an earlier one of the same experiment are over."""

    def __init__(self, experiment_folder: Path) -> None:
        """UserError: nothing can be written there."""
        self._folder = experiment_folder.absolute() / FOLDER
        self.close()

    def begin(self, identity: str) -> Attempt:
        """A new attempt at that run, which ends the one before. EnvironmentFailure: it cannot be written.

        The file is written in place and not synced: a reader that opens it afterwards sees it, on another
        host too, and after a power cut no attempt has a right to write.
        """
        attempt = Attempt(path=str(self._folder / identity), token=uuid.uuid4().hex)
        try:
            try:
                Path(attempt.path).write_text(attempt.token, encoding="ascii")
            except FileNotFoundError:
                self._folder.mkdir(parents=True, exist_ok=True)
                Path(attempt.path).write_text(attempt.token, encoding="ascii")
        except OSError as error:
            raise EnvironmentFailure(f"{error.strerror}: {attempt.path}", socket.gethostname()) from error
        return attempt

    def end(self, identity: str) -> None:
        """The run is finished: no attempt at it may write any more."""
        (self._folder / identity).unlink(missing_ok=True)

    def close(self) -> None:
        """End all of them."""
        shutil.rmtree(self._folder, ignore_errors=True)
        if self._folder.exists():
            raise UserError(f"cannot remove {self._folder}; make it writable and run the command again.")
