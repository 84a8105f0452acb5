"""A search on the hosts' cluster: submitted by the launcher, observed through the shared folder."""

from __future__ import annotations

import json
import shlex
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.chaos_search import PATIENCE_SECONDS, Search
from benchmarks.cluster_hosts.launcher import Launcher

SHARE = Path("/mnt/fer")
SCRIPT, STATUS, OUTPUT = "driver.sh", "driver.status", "driver.log"


class SearchEnded(SystemExit):
    """The search came to its end while something of it was waited for."""


@dataclass
class ClusterSearch:
    """A search whose folder is the hosts' /mnt/fer, and the driver that runs it on the head."""

    search: Search
    launcher: Launcher
    again: set[str] = field(default_factory=set)
    """Finished results that were written a second time."""
    restarts: list[str] = field(default_factory=list)
    """Last line that each driver printed which ended before the table was there."""
    _before: dict[str, tuple[int, int]] = field(default_factory=dict)

    def submit(self, by: str = "tmux") -> None:
        """Start the driver; `by`: `tmux` (ray exec --tmux) or `job` (ray job submit)."""
        (self.search.folder / STATUS).unlink(missing_ok=True)
        words = shlex.join([*self.search.words(SHARE), "--address", "auto"])
        (self.search.folder / SCRIPT).write_text(
            "cd ~/fer-platform\nexport RAY_AUTH_MODE=token\n"
            f".venv/bin/python -m platform.tune {words} >> {SHARE / OUTPUT} 2>&1\n"
            f"echo $? > {SHARE / STATUS}\n"
        )
        script = f"bash {SHARE / SCRIPT}"
        if by == "tmux":
            self.launcher.execute(script, "--tmux")
        else:
            job = "ray job submit --no-wait --address http://127.0.0.1:8265"
            self.launcher.execute(f"RAY_AUTH_MODE=token {job} -- {script}")

    def status(self) -> int | None:
        """Exit status of the driver; None while it runs."""
        path = self.search.folder / STATUS
        text = path.read_text().strip() if path.exists() else ""
        return int(text) if text else None

    def said(self) -> str:
        """The driver's output."""
        path = self.search.folder / OUTPUT
        return path.read_text(errors="replace") if path.exists() else ""

    def look(self) -> int:
        """Note results that were written again; the number of complete ones."""
        now = self.search.finished()
        self.again |= {name for name, was in self._before.items() if name in now and now[name] != was}
        self._before |= now
        return len(now)

    def wait_until(
        self,
        holds: Callable[[], bool],
        what: str,
        seconds: float = PATIENCE_SECONDS,
        *,
        restart: bool = False,
    ) -> None:
        """Wait while the driver runs. SystemExit: it ended, or time is up.

        restart: submit the same command again when it ended with a message. SearchEnded: the table is there.
        """
        deadline = time.monotonic() + seconds
        while not holds():
            self.look()
            ended = self.status()
            if ended == 0:
                raise SearchEnded(f"waited for {what}, but the search has ended")
            if ended and restart:
                self.restarts.append((self.said().strip().splitlines() or [""])[-1])
                self.submit()
                continue
            if ended is not None or time.monotonic() > deadline:
                how = "is still running" if ended is None else f"ended with {ended}"
                raise SystemExit(f"waited for {what}, but the driver {how}: {self.said()[-4000:]}")
            time.sleep(0.2)

    def wait_for_results(self, count: int) -> None:
        """Wait until `count` results are complete."""
        self.wait_until(lambda: self.look() >= count, f"{count} results")

    def events(self) -> list[dict[str, Any]]:
        """The driver's event log."""
        path = self.search.events
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    def wait_for_exit(self) -> None:
        """Wait until the driver has ended, with whatever status."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while self.status() is None and time.monotonic() < deadline:
            time.sleep(0.2)

    def wait_for_end(self) -> None:
        """Wait until the driver has ended with status 0."""
        self.wait_until(lambda: self.status() == 0, "the table", restart=True)
