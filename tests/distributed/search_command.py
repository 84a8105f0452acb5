"""The search command as a process of its own, at the smallest size, to be killed and started again."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

from tests.distributed.processes import carrying
from tests.tiny_faces import tiny_settings

SETTINGS = tiny_settings(stage2_constant_epochs=2, adam_beta1=0.9) | {
    "space": "fmpn",
    "trials": 2,
    "trials_in_flight": 1,
    "folds": 3,
    "rounds": [2, 1],
    "baselines": ["cnn"],
    "transfer_to": "none",
}
FINAL_RUNS = 6
PATIENCE_SECONDS = 400


class Command:
    """`python -m platform.tune` in a folder of runs, as a process of its own that can be started again."""

    def __init__(self, root: Path, folder: Path, data_root: Path) -> None:
        self.root, self.folder, self.runs = root, folder, folder / "runs"
        self.data_root = data_root
        folder.mkdir()
        (folder / "tiny.yaml").write_text(yaml.safe_dump(SETTINGS))
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, *flags: str, command: str = "tune") -> None:
        """Start it, or another command, as the experiment `tiny` unless the flags say otherwise."""
        words = [sys.executable, "-m", f"platform.{command}", "--name", "tiny", *flags]
        paths = {
            "--config": self.folder / "tiny.yaml", "--data-root": self.data_root, "--runs": self.runs,
            "--log-json": self.folder / "events.jsonl",
        }  # fmt: skip
        with (self.folder / "out.txt").open("w") as out, (self.folder / "err.txt").open("w") as err:
            self.process = subprocess.Popen(
                words + [str(part) for pair in paths.items() for part in pair],
                cwd=self.root,
                env={**os.environ, "TEST_RUN": str(self.folder)},
                stdout=out,
                stderr=err,
                start_new_session=True,
                # A shell that runs the tests in the background has them ignore SIGINT, and their children.
                preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
            )

    def wait(self) -> int:
        assert self.process is not None
        return self.process.wait(PATIENCE_SECONDS)

    def until(self, holds: Callable[[], bool]) -> None:
        """Wait, while the command runs, until something is so."""
        assert self.process is not None
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not holds():
            assert self.process.poll() is None, f"it ended too early: {self.out()}{self.err()}"
            assert time.monotonic() < deadline, self.out()
            time.sleep(0.01)

    def signal(self, number: signal.Signals) -> int:
        assert self.process is not None
        os.kill(self.process.pid, number)
        return self.wait()

    def out(self) -> str:
        return (self.folder / "out.txt").read_text()

    def err(self) -> str:
        return (self.folder / "err.txt").read_text()

    def finished(self) -> dict[Path, tuple[int, int]]:
        """Every manifest there is, with what changes when it is written again."""
        found = {path: path.stat() for path in self.runs.glob("*/*/manifest.json")}
        return {path: (status.st_ino, status.st_mtime_ns) for path, status in found.items()}

    def events(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in (self.folder / "events.jsonl").read_text().splitlines()]

    def fold_runs(self) -> int:
        return len(list(self.runs.glob("fold_runs/*/manifest.json")))

    def tables(self, name: str = "tiny") -> dict[str, bytes]:
        folder = self.runs / "experiments" / name
        return {name: (folder / name).read_bytes() for name in ("table.md", "table.json", "table.csv")}

    def left(self) -> list[str]:
        """Commands of the processes that this command started and that live."""
        return sorted(carrying("TEST_RUN", str(self.folder)).values())
