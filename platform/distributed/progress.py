"""One progress display: fold runs done, running, failed, time left, best so far."""

from __future__ import annotations

import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TextIO

from platform.results.cost import Pace

REFRESH_SECONDS = 1.0
PLAIN_SECONDS = 15.0
"""Seconds between lines where the output is not a terminal."""


@dataclass(frozen=True, kw_only=True)
class Expectation:
    """How many tasks of a group are expected at most, and the arithmetic of one."""

    count: int
    gflop: float


class Progress:
    """Counts finished tasks by group and works out the time left; knows nothing of Ray or screens."""

    def __init__(self, slots: int) -> None:
        self._slots = max(1, slots)
        self._expected: dict[str, Expectation] = {}
        self._done: Counter[str] = Counter()
        self._pace = Pace()
        self.known = 0
        """Finished tasks taken in so far."""
        self.failed = 0
        self.reused = 0
        self.running: list[tuple[str, float]] = []
        self.phase = ""
        self.best = ""

    def expect(self, group: str, count: int, gflop: float) -> None:
        """At most `count` tasks of that group in all, of `gflop` each."""
        self._expected[group] = Expectation(count=count, gflop=gflop)

    def take(self, snapshot: dict[str, Any]) -> None:
        """Take in a Dispatcher's snapshot."""
        self.running = snapshot["running"]
        for entry in snapshot["finished"]:
            self._done[entry["group"]] += 1
            self.failed += entry["status"] != "complete"
            self.reused += entry["reused"]
            if entry["seconds"]:
                self._pace.learn(entry["group"], entry["gflop"], entry["seconds"])
        self.known += len(snapshot["finished"])

    @property
    def done(self) -> int:
        """Finished tasks."""
        return sum(self._done.values())

    @property
    def total(self) -> int:
        """Expected tasks; never fewer than the finished ones."""
        return sum(max(e.count, self._done[group]) for group, e in self._expected.items())

    def seconds_left(self) -> float:
        """Expected seconds until all expected tasks are done."""
        remaining = sum(
            max(0, e.count - self._done[group]) * self._pace.seconds(group, e.gflop)
            for group, e in self._expected.items()
        )
        return remaining / self._slots

    def line(self, elapsed_seconds: float) -> str:
        """The display, one line."""
        parts = [
            f"{self.phase}: {self.done} of up to {self.total} runs done",
            f"{len(self.running)} running",
            f"{self.failed} failed",
        ]
        if self.reused:
            parts.append(f"{self.reused} were there")
        parts.append(f"{clock(elapsed_seconds)} gone, about {clock(self.seconds_left())} left")
        if self.best:
            parts.append(self.best)
        return " | ".join(parts)


def clock(seconds: float) -> str:
    """`1:02:03`, `2:03`."""
    whole = round(seconds)
    hours, minutes = divmod(whole // 60, 60)
    return f"{hours}:{minutes:02d}:{whole % 60:02d}" if hours else f"{minutes}:{whole % 60:02d}"


@contextmanager
def displayed(
    progress: Progress, snapshot: Callable[[int], dict[str, Any]], stream: TextIO = sys.stdout
) -> Iterator[None]:
    """Show `progress` from a thread while the block runs: one line kept fresh, or a line now and then."""
    stop = threading.Event()
    terminal = stream.isatty()
    started = time.monotonic()

    def show(final: bool = False) -> None:
        progress.take(snapshot(progress.known))
        line = progress.line(time.monotonic() - started)
        if terminal:
            print(f"\r\033[K{line}", end="\n" if final else "", file=stream, flush=True)
        else:
            print(line, file=stream, flush=True)

    def loop() -> None:
        while not stop.wait(REFRESH_SECONDS if terminal else PLAIN_SECONDS):
            show()

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
            show(final=True)
