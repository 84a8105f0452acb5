"""File backend of Optuna's JournalStorage: one line of JSON per operation, with a checksum.

Optuna's own file backend appends to a partial line that a full disk left behind, after which neither line is
readable. The format is Optuna's, so optuna-dashboard can open the file; it ignores checksums and writes none.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from optuna.storages.journal import BaseJournalBackend, JournalFileSymlinkLock

from platform.errors import UserError
from platform.files.append_only import append_synced, cut_damaged_end
from platform.files.checked_lines import DamagedLine, checked_line, value_of
from platform.files.opening import open_lock, open_regular

LOCK_GRACE_SECONDS = 5
"""A killed driver leaves the journal's lock behind; a lock unchanged for this long is broken."""

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
"""Full disk, exceeded quota, exceeded file-size limit."""


def log_of(line: bytes) -> dict[str, Any]:
    """The operation on the line. DamagedLine as `value_of`, and if the line is not an operation."""
    log = value_of(line)
    if "op_code" not in log:
        raise DamagedLine("it is not an Optuna operation")
    return log


class Journal(BaseJournalBackend):
    """Optuna's operations in a file. Reading never writes, so a study can be inspected while its driver runs.

    UserError, in every method: the file cannot be read or written, the disk is full, or a line other than the
    last is damaged.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._place = (0, 0)
        """Where the last read ended: line number, from 0, and byte offset."""

    def make_ready(self, say: Callable[[str], None]) -> None:
        """Create the file if missing; truncate a damaged last line and report it through `say`."""
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            open_lock(self._path, remedy="choose another --runs, or --storage.").close()
            self._remove_foreign_lock()
            with self._locked():
                cut = cut_damaged_end(self._path, _is_whole)
        except OSError as error:
            raise self._unusable(error) from error
        if cut:
            say(
                f"{self._path} ended in a damaged line ({len(cut)} bytes), as after a full disk or a power "
                "failure. The line was removed; its content is computed again."
            )

    def read_logs(self, log_number_from: int) -> Iterator[dict[str, Any]]:
        """The operations from `log_number_from` on; a damaged last line counts as not written yet."""
        number, offset = self._place if log_number_from >= self._place[0] else (0, 0)
        damage: tuple[int, DamagedLine] | None = None
        try:
            with open_regular(self._path, remedy="choose another --runs, or --storage.") as file:
                file.seek(offset)
                for line in file:
                    if damage:
                        raise self._damaged(*damage)
                    try:
                        log = log_of(line)
                    except DamagedLine as error:
                        damage = (number, error)
                        continue
                    number, offset = number + 1, offset + len(line)
                    self._place = (number, offset)
                    if number > log_number_from:
                        yield log
        except OSError as error:
            raise self._unusable(error) from error

    def append_logs(self, logs: list[dict[str, Any]]) -> None:
        """Append operations, all of them or none."""
        try:
            with self._locked():
                append_synced(self._path, b"".join(map(checked_line, logs)))
        except OSError as error:
            raise self._unusable(error) from error

    def refuse_contents(self, error: Exception) -> UserError:
        """The error if Optuna rejects the operation that was read last."""
        reason = f"Optuna cannot read it ({type(error).__name__}: {error})"
        return self._damaged(self._place[0] - 1, DamagedLine(reason))

    @contextmanager
    def _locked(self) -> Iterator[None]:
        lock = JournalFileSymlinkLock(str(self._path), grace_period=LOCK_GRACE_SECONDS)
        lock.acquire()
        try:
            yield
        finally:
            with suppress(RuntimeError):  # broken by another writer that took this process for dead
                lock.release()

    def _remove_foreign_lock(self) -> None:
        """Remove a lock that was copied with its folder and points elsewhere: Optuna would wait forever."""
        lock = Path(f"{self._path}.lock")
        if lock.is_symlink() and os.readlink(lock) != str(self._path):
            lock.unlink()

    def _damaged(self, number: int, error: DamagedLine) -> UserError:
        return UserError(
            f"line {number + 1} of {self._path} is damaged: {error}. Restore the file from a backup, or "
            "move it away and run the same command again: the search is then repeated from the stored fold "
            "runs."
        )

    def _unusable(self, error: OSError) -> UserError:
        remedy = "choose another --runs, or --storage"
        if error.errno in FULL:
            remedy = "free space there and run the same command again: finished results are kept"
        return UserError(
            f"the study's journal must be writable, but {self._path} is not ({error.strerror}); {remedy}."
        )


def _is_whole(line: bytes) -> bool:
    try:
        log_of(line)
    except DamagedLine:
        return False
    return True
