"""How far a command is: one line that renews itself on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import TextIO


class ProgressLine:
    """Call it with (done, all). Shows count, rate and time left.

    On a terminal the line renews itself five times a second; in a log file there is one line every
    tenth of the way, and one at the end.
    """

    def __init__(
        self, what: str, *, stream: TextIO | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.what = what
        self.stream = stream if stream is not None else sys.stdout
        self.clock = clock
        self.started = clock()
        self._shown = self.started
        self._tenths = 0

    def __call__(self, done: int, total: int) -> None:
        now = self.clock()
        terminal = self.stream.isatty()
        tenths = 10 * done // total
        if done < total and (now - self._shown < 0.2 if terminal else tenths == self._tenths):
            return
        self._shown, self._tenths = now, tenths
        rate = done / max(now - self.started, 1e-9)
        left = (
            f", {duration((total - done) / rate)} left"
            if done < total
            else f" in {duration(now - self.started)}"
        )
        text = f"{self.what}: {done} of {total} ({rate:,.0f}/s{left})"
        start, end = ("\r\033[K", "" if done < total else "\n") if terminal else ("", "\n")
        print(start + text, end=end, file=self.stream, flush=True)


def duration(seconds: float) -> str:
    """`8 s`, `3 min 20 s`, `2 h 5 min`."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"
