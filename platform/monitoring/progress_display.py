"""The progress display on a terminal or in a log file, renewed by a thread while a block runs."""

from __future__ import annotations

import shutil
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, Literal, TextIO

from platform.errors import UserError
from platform.monitoring.progress import Progress

REFRESH_SECONDS = 1.0
PLAIN_SECONDS = 15.0
"""Minimum seconds between lines where the output is no terminal, and between `progress` events."""
QUIET_SECONDS = 300.0
"""Seconds between such lines while nothing changes."""

Keep = Callable[[Literal["running", "finished", "stopped"], float], None]
"""Stores the progress; gets what the driver does and the seconds since the start. A UserError of it is
ignored: the progress is for others to look at, and the next writing may succeed."""


@contextmanager
def displayed(
    progress: Progress,
    snapshot: Callable[[int], dict[str, Any]],
    stream: TextIO | None = None,
    keep: Keep = lambda state, elapsed_seconds: None,
) -> Iterator[None]:
    """Show `progress` from a thread while the block runs, as one line that renews itself on a terminal.

    Elsewhere (a file, CI) plain lines appear at least PLAIN_SECONDS apart, and QUIET_SECONDS apart while
    nothing changes. `stream` None: standard output. `keep` is called at the start, every PLAIN_SECONDS and
    at the end.
    """
    screen = _Screen(progress, snapshot, stream or sys.stdout, keep)
    screen.keep("running")
    stop = threading.Event()

    def loop() -> None:
        while not stop.wait(screen.refresh_seconds):
            try:
                screen.show()
            except Exception:  # the dispatcher is lost: the main thread notices too, and reports it
                return

    thread = threading.Thread(target=loop, daemon=True)
    thread.start()
    completed = False
    try:
        yield
        completed = True
    finally:
        stop.set()
        thread.join()
        if completed:
            screen.show(final=True)
        else:
            progress.tell_now("stopped", screen.elapsed_seconds())
            screen.keep("stopped")


class _Screen:
    """Output of the line, and the time of its last update."""

    def __init__(
        self,
        progress: Progress,
        snapshot: Callable[[int], dict[str, Any]],
        stream: TextIO,
        keep: Keep = lambda state, elapsed_seconds: None,
    ) -> None:
        self._progress, self._snapshot, self._stream, self._keep = progress, snapshot, stream, keep
        self._terminal = stream.isatty()
        self._started = time.monotonic()
        self._shown, self._shown_at = "", self._started
        self._logged_at = self._started
        self.refresh_seconds = REFRESH_SECONDS

    def elapsed_seconds(self) -> float:
        """Seconds since the start."""
        return time.monotonic() - self._started

    def keep(self, state: Literal["running", "finished", "stopped"]) -> None:
        """Store the progress."""
        with suppress(UserError):
            self._keep(state, self.elapsed_seconds())

    def show(self, final: bool = False) -> None:
        """Update the counters and write a line if one is due."""
        progress, now = self._progress, time.monotonic()
        progress.take(self._snapshot(progress.known))
        while progress.known < progress.told:  # one snapshot does not hold them all
            progress.take(self._snapshot(progress.known))
        if final:
            progress.expect_no_more()
            progress.tell_now("finished", self.elapsed_seconds())
            self.keep("finished")
        elif now - self._logged_at >= PLAIN_SECONDS:
            self._logged_at = now
            progress.tell_now("progress", self.elapsed_seconds())
            self.keep("running")
        line, state = progress.line(self.elapsed_seconds()), progress.state()
        while progress.news:
            clear = "\r\033[K" if self._terminal else ""
            print(f"{clear}{progress.news.popleft()}", file=self._stream, flush=True)
        if self._terminal:
            columns = (
                shutil.get_terminal_size().columns - 1
            )  # a longer line would wrap and could not be overwritten
            print(
                f"\r\033[K{line if final else line[:columns]}",
                end="\n" if final else "",
                file=self._stream,
                flush=True,
            )
            return
        wait = PLAIN_SECONDS if state != self._shown else QUIET_SECONDS
        if final or now - self._shown_at >= wait:
            self._shown, self._shown_at = state, now
            print(line, file=self._stream, flush=True)
