"""One-sentence error messages for unexpected exceptions, with the traceback in a file.

The sentence names that file, so that a bug can be reported with it.
"""

from __future__ import annotations

import os
import sys
import tempfile
import traceback
from collections.abc import Iterator
from datetime import UTC, datetime

from platform.files.addresses import without_secret

GO_ON = "finished work is kept, and the same command continues"
FAULT = 70
"""Exit status for a bug in this program (EX_SOFTWARE of sysexits.h)."""


def sentence_and_status(error: Exception) -> tuple[str, int]:
    """Message for `error`, and the exit status: 2 if the user can remove the cause, otherwise FAULT.

    The user can remove errors of the operating system (a full disk), of the study's storage and of Ray,
    wherever they are in the chain of causes. Writes the traceback to a file in the temporary folder.
    """
    where = _traceback_file(error)
    for one in _with_causes(error):
        reason = _of_environment(one)
        if reason:
            return f"{reason}; remove the cause and run the command again: {GO_ON}. (Details: {where})", 2
    shown = f"{type(error).__name__}: {_first_line(error)}" if str(error) else type(error).__name__
    return (
        f"this is a bug in the program, not in your input: {shown}. Please report it with its traceback "
        f"({where}); {GO_ON}.",
        FAULT,
    )


def _of_environment(error: BaseException) -> str:
    """The reason if the environment caused the error; otherwise empty."""
    if isinstance(error, MemoryError):
        return "memory ran out"
    if isinstance(error, OSError) and error.errno is not None:
        reason = error.strerror or os.strerror(error.errno)
        return f"{reason}: {error.filename}" if error.filename else reason
    # Compared by name: a command that did not import these libraries cannot have raised their exceptions.
    families = {f"{kind.__module__}.{kind.__name__}" for kind in type(error).__mro__}
    if families & {"optuna.exceptions.StorageInternalError", "sqlalchemy.exc.SQLAlchemyError"}:
        from platform.search.storage import storage_failure

        return storage_failure(error)
    if "ray.exceptions.RayError" in families:
        from platform.distributed.lost_workers import environment_failure_of

        failure = environment_failure_of(error)
        return f"Ray cannot continue ({failure})" if failure else ""
    return ""


def _with_causes(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    found: BaseException | None = error
    while found is not None and id(found) not in seen:
        seen.add(id(found))
        yield found
        found = found.__cause__ or (None if found.__suppress_context__ else found.__context__)


def _first_line(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return lines[0].strip().rstrip(".") if lines else type(error).__name__


def _traceback_file(error: Exception) -> str:
    """Path of the file with the traceback; if none can be written, the line of code that raised the error."""
    text = "".join(traceback.format_exception(error))
    command = without_secret(" ".join(sys.argv))
    try:
        handle, path = tempfile.mkstemp(prefix="platform-error-", suffix=".txt")
        with os.fdopen(handle, "w", encoding="utf-8", errors="backslashreplace") as file:
            file.write(f"{datetime.now(UTC).isoformat(timespec='seconds')}  {command}\n\n{text}")
        return path
    except OSError:
        frames = traceback.extract_tb(error.__traceback__)
        last = frames[-1] if frames else None
        return f"no file could be written; raised at {last.filename}:{last.lineno}" if last else "none"
