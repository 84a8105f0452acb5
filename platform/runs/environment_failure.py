"""Failures of the environment, as opposed to failures of code or configuration.

A fold run is a pure function of its record. A full disk, a missing file, memory used by another program or a
killed process can therefore affect only whether its outcome exists, never what it is. Such a failure is not
stored as an outcome: the command ends with one sentence, and continues when it is run again.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator

from platform.errors import UserError

LOST_WORKERS_IN_A_ROW = 6
"""Restarts of a run whose worker was lost, without a new checkpoint in between."""
FIRST_WAIT_SECONDS = 1.0
LONGEST_WAIT_SECONDS = 60.0


class EnvironmentFailure(UserError):
    """A run failed for a reason that may be gone when it runs again."""

    def __init__(self, reason: str, host: str = "", *, worker_lost: bool = False) -> None:
        """reason: one sentence without full stop. host: where it happened, if known.
        worker_lost: whether the process that did the work ended."""
        super().__init__(f"{reason} (on {host})" if host else reason)
        self.reason, self.host, self.worker_lost = reason, host, worker_lost

    def __reduce__(self) -> tuple[object, ...]:
        return (_made, (self.reason, self.host, self.worker_lost))


def _made(reason: str, host: str, worker_lost: bool) -> EnvironmentFailure:
    return EnvironmentFailure(reason, host, worker_lost=worker_lost)


def environment_failure(error: BaseException) -> EnvironmentFailure | None:
    """`error`, raised on this host, as an EnvironmentFailure; None if code or configuration caused it.

    Environment failures are errors of the operating system (a full disk, a missing file), a missing library,
    exhausted memory, a broken connection between the workers of one run (one of them is lost), and every
    UserError, which the user can fix. A batch that is too large for the memory (TooLargeBatchError) is a
    failure of the configuration.
    """
    if isinstance(error, EnvironmentFailure):
        return error
    for one in _with_causes(error):
        if type(one).__name__ == "TooLargeBatchError":
            return None
        if isinstance(one, UserError | OSError | ImportError | MemoryError) or _is_broken_team(one):
            lost = _is_broken_team(one)
            return EnvironmentFailure(sentence_of(one), socket.gethostname(), worker_lost=lost)
    return None


def _with_causes(error: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__


def _is_broken_team(error: BaseException) -> bool:
    """Whether torch lost the connection to another worker of the run (gloo has no exception class)."""
    if any(kind.__name__ == "DistError" for kind in type(error).__mro__):
        return True
    return isinstance(error, RuntimeError) and "gloo" in str(error)


def sentence_of(error: BaseException) -> str:
    """The error in one line, without full stop."""
    if isinstance(error, OSError) and error.errno is not None:
        where = f": {error.filename}" if error.filename else ""
        return f"{error.strerror or os.strerror(error.errno)}{where}"
    lines = str(error).strip().splitlines()
    text = lines[0].strip().rstrip(".;") if lines else ""
    if isinstance(error, UserError):
        return " ".join(line.strip() for line in lines).rstrip(".")
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def wait_seconds(losses: int) -> float:
    """Seconds to wait before restarting a run whose worker was lost `losses` times in a row."""
    return min(LONGEST_WAIT_SECONDS, FIRST_WAIT_SECONDS * 2 ** (losses - 1))
