"""Event log of `--log-json`: one JSON object per line for every event of a search or cross-validation.

Every line has the same keys, with null where one does not apply; docs/performance.md lists them.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, TextIO

from platform.errors import UserError
from platform.files.append_only import cut_damaged_end, last_line_start
from platform.files.dry_run import is_dry_run
from platform.files.opening import open_regular
from platform.host.console import SafeStream

EventName = Literal[
    "phase", "trial_proposed", "run_finished", "run_failed", "round_finished", "trial_complete",
    "trial_pruned", "trial_failed", "trial_invalid", "progress", "worker_lost", "node_joined", "node_left",
    "node_refused", "node_admitted", "node_set_aside", "finished", "stopped",
]  # fmt: skip
KEYS = (
    "time", "event", "study", "trial", "fold", "part", "score", "seconds", "slot_seconds", "counts",
    "seconds_left", "detail",
)  # fmt: skip

_START = b'{"time": "'
"""Start of every line."""


class EventLog:
    """Writer of events to a stream, one flushed line each."""

    def __init__(
        self, stream: TextIO | SafeStream, now: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._stream = stream
        self._now = now
        self.may_write: Callable[[], bool] = lambda: True
        """False once another driver leads the experiment; only `stopped` is logged from then on."""

    def write(self, event: EventName, **values: Any) -> None:
        """Write one event. `values`: any of KEYS; times in seconds, scores in [0, 1]."""
        if event != "stopped" and not self.may_write():
            return
        unknown = values.keys() - set(KEYS)
        if unknown:
            raise TypeError(f"an event has no {', '.join(sorted(unknown))}")
        time = self._now().isoformat(timespec="milliseconds").replace("+00:00", "Z")
        line = {key: values.get(key) for key in KEYS} | {"time": time, "event": event}
        print(json.dumps(line, allow_nan=False), file=self._stream, flush=True)


@contextmanager
def event_log(where: str | None) -> Iterator[EventLog | None]:
    """The log that `--log-json` asks for: None, a file to append to, or `-`.

    With `-` events go to standard output and all other output to standard error while the block runs.
    UserError: the file cannot be opened. A later failure (a full disk) is reported once on standard error
    and the run continues. A dry run has no events and opens no file.
    """
    if where is None or (is_dry_run() and where != "-"):
        yield None
    elif where == "-":
        lines = sys.stdout
        with redirect_stdout(sys.stderr):
            yield EventLog(lines)
    else:
        with _appended(Path(where)) as file:
            yield EventLog(SafeStream(file, f"the event log {where}"))


def _appended(path: Path) -> TextIO:
    try:
        if path.is_file():  # not a pipe or a terminal
            _repair(path)
        return path.open("a", encoding="utf-8")
    except OSError as error:
        raise UserError(
            f"--log-json cannot write {path} ({error.strerror}); pass another file, or - for standard output."
        ) from error


def _repair(path: Path) -> None:
    """Cut off an incomplete event, left by a full disk or a kill. UserError: not an event."""
    with open_regular(path, remedy="pass another file.") as file:
        file.seek(last_line_start(path))
        line = file.read()
    if not line or line.endswith(b"\n"):
        return
    if not (line.startswith(_START) or _START.startswith(line) or not line.strip(b"\0")):
        raise UserError(
            f"--log-json appends to {path}, but its last line is incomplete and no event; pass another file."
        )
    cut_damaged_end(path, lambda line: True)
    print(f"{path}: cut off an incomplete last event ({len(line)} bytes).", file=sys.stderr)
