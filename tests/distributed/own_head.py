"""The head of a Ray cluster that a test starts with `ray start`, as on a cluster of one's own machines."""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.distributed.fake_store import free_port
from tests.distributed.processes import carrying

RAY = [sys.executable, "-m", "ray.scripts.scripts"]
ATTEMPTS = 4
"""A raylet of a busy machine gives up after 15 s (platform/distributed/ray_start.py)."""


class Head:
    """A head on free ports, with a token and a folder of its own (short: its sockets lie below it)."""

    def __init__(self, *flags: str) -> None:
        self.port, self.dashboard = free_port(), free_port()
        self.token = secrets.token_hex(32)
        self.folder = Path(tempfile.mkdtemp(prefix="h", dir="/tmp"))
        self.flags = flags
        self.started = 0

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def environment(self) -> dict[str, str]:
        """For a command that uses it. RAY_AUTH_MODE is not given: our probe finds out."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("RAY_")}
        return {**kept, "RAY_AUTH_TOKEN": self.token, "HOME": str(self.folder)}

    def start(self) -> None:
        """Start it, or one anew at the same address, with the mark by which `kill` finds its processes."""
        for _ in range(ATTEMPTS):
            self.started += 1
            command = [
                *RAY, "start", "--head", f"--port={self.port}", "--num-cpus=2", "--num-gpus=0",
                f"--temp-dir={self.folder}/{self.started}", "--disable-usage-stats",
                f"--dashboard-port={self.dashboard}", *self.flags,
            ]  # fmt: skip
            marked = {**self.environment, "RAY_AUTH_MODE": "token", "TEST_HEAD": str(self.folder)}
            made = subprocess.run(
                command, env=marked, capture_output=True, text=True, timeout=240, check=False
            )
            if made.returncode == 0:
                return
            self.kill()
        raise AssertionError(f"no head after {ATTEMPTS} attempts: {made.stdout}{made.stderr}")

    def kill(self) -> None:
        """End all of its processes at once, as a lost machine does."""
        for process in carrying("TEST_HEAD", str(self.folder)):
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        deadline = time.monotonic() + 30
        while carrying("TEST_HEAD", str(self.folder)) and time.monotonic() < deadline:
            time.sleep(0.1)

    def until(self, holds: Callable[[], bool], seconds: float = 120) -> None:
        deadline = time.monotonic() + seconds
        while not holds():
            assert time.monotonic() < deadline
            time.sleep(0.2)


@contextmanager
def own_head(*flags: str) -> Iterator[Head]:
    """A head that runs in the block."""
    head = Head(*flags)
    try:
        head.start()
        yield head
    finally:
        head.kill()
        shutil.rmtree(head.folder, ignore_errors=True)
