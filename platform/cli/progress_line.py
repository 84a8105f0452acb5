"""Progress of a command: one line that renews itself on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import TextIO

from platform.host.durations import duration


class ProgressLine:
    """Display of count, rate and remaining time; call it with (done, total).

    On a terminal the line renews itself five times a second; a log file gets one line for every tenth of
    the total, and one at the end.
    """

    def __init__(
        self, what: str, *, stream: TextIO | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.what = what
        self.stream = stream if stream is not None else sys.stdout
        self.clock = clock
        self._first: tuple[float, int] | None = None
        self._shown = -1.0
        self._tenths = 0

    def __call__(self, done: int, total: int) -> None:
        now = self.clock()
        # The rate starts with the first call, because the work before it was of another kind.
        self._first = self._first or (now, done)
        started, done_before = self._first
        terminal = self.stream.isatty()
        tenths = 10 * done // total
        if done < total and (now - self._shown < 0.2 if terminal else tenths == self._tenths):
            return
        self._shown, self._tenths = now, tenths
        text = f"{self.what}: {done} of {total}"
        # Several processes may call at nearly the same time, which gives no rate.
        if done > done_before and now - started > 0.05:
            rate = (done - done_before) / (now - started)
            time_text = (
                f"{duration((total - done) / rate)} remaining"
                if done < total
                else f"{duration(now - started)} in total"
            )
            text += f" ({rate:,.0f}/s, {time_text})"
        start, end = ("\r\033[K", "" if done < total else "\n") if terminal else ("", "\n")
        print(start + text, end=end, file=self.stream, flush=True)
