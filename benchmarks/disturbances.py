"""Disturbances of a running search: one class per kind, and a registry of all kinds."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from benchmarks.chaos_search import JOURNAL, PATIENCE_SECONDS, Search
from tests.distributed.processes import descendants

Process = subprocess.Popen[bytes]

IDLE = ("ray::IDLE", "ray::SPILL", "ray::RESTORE")
"""Ray's spare processes, which do no work of ours."""
VICTIMS: dict[str, Callable[[str], bool]] = {
    "fold run": lambda command: command.startswith("ray::carry_out"),
    "dispatcher": lambda command: command.startswith("ray::RayDispatcher"),
    "agent": lambda command: "ray::DashboardAgent" in command or "dashboard/agent.py" in command,
    "runtime environment agent": lambda command: (
        "ray::RuntimeEnvAgent" in command or "runtime_env/agent" in command
    ),
    "raylet": lambda command: command.split()[0].endswith("/raylet"),
    "control store": lambda command: command.split()[0].endswith("/gcs_server"),
    "any worker": lambda command: command.startswith("ray::") and not command.startswith(IDLE),
}
"""Kinds of Ray processes, by command line."""


class Disturbance(ABC):
    """One kind of disturbance."""

    kind: str

    @abstractmethod
    def strike(self, search: Search, process: Process, draw: random.Random) -> str | None:
        """Disturb the running search; a description, or None if there was no target.

        The driver may be running or have ended afterwards.
        """


class Signal(Disturbance):
    """The driver receives a signal."""

    def __init__(self, number: signal.Signals) -> None:
        self.kind, self._number = f"driver {number.name}", number

    def strike(self, search: Search, process: Process, draw: random.Random) -> str | None:
        os.kill(process.pid, self._number)
        process.wait(PATIENCE_SECONDS)
        return self.kind


class Kill(Disturbance):
    """Ray processes are killed, as by the out-of-memory killer."""

    def __init__(self, victim: str, times: int = 1) -> None:
        self.kind, self._victim, self._times = (
            f"{victim} SIGKILL" + (f" x {times}" if times > 1 else ""),
            victim,
            times,
        )

    def strike(self, search: Search, process: Process, draw: random.Random) -> str | None:
        struck = 0
        deadline = time.monotonic() + 60
        while struck < self._times and process.poll() is None and time.monotonic() < deadline:
            found = [n for n, command in descendants(process.pid).items() if VICTIMS[self._victim](command)]
            if not found:
                time.sleep(0.2)
                continue
            with suppress(ProcessLookupError):
                os.kill(draw.choice(sorted(found)), signal.SIGKILL)
                struck += 1
            time.sleep(draw.uniform(0.2, 2))
        return f"{self._victim} SIGKILL x {struck}" if struck else None


class Pause(Disturbance):
    """The driver is suspended for a while, as on a sleeping laptop, and resumes."""

    kind = "driver paused"

    def strike(self, search: Search, process: Process, draw: random.Random) -> str | None:
        seconds = draw.uniform(3, 15)
        os.kill(process.pid, signal.SIGSTOP)
        time.sleep(seconds)
        os.kill(process.pid, signal.SIGCONT)
        return f"driver paused for {seconds:.0f} s"


class SecondDriver(Disturbance):
    """The same command is started a second time: it must be refused and change nothing."""

    kind = "second driver"

    def strike(self, search: Search, process: Process, draw: random.Random) -> str | None:
        second = search.start(log="second")
        status = second.wait(PATIENCE_SECONDS)
        if process.poll() is None:  # otherwise the first had ended and the second led alone
            search.ended(status, killed=False, log="second")
            if status != 2 or "leads" not in search.said("second"):
                search.faults.append(f"a second driver ended with {status}: {search.said('second')[-500:]}")
            return self.kind
        search.ended(status, killed=False, log="second")
        return "second driver beside an ended one"


class LostLease(Disturbance):
    """Another host holds the lease, as after a suspension in which it took over: the driver must stop."""

    kind = "lease taken by another host"

    def strike(self, search: Search, process: Process, draw: random.Random) -> str | None:
        path = search.experiment / "driver.json"
        try:
            lease = json.loads(path.read_text())
        except (OSError, ValueError):
            return None
        if not lease:
            return None
        lease |= {"owner": "f" * 32, "host": "elsewhere", "kernel": "another", "process": 1}
        path.write_text(json.dumps(lease).ljust(512))
        try:
            status = process.wait(60)
        except subprocess.TimeoutExpired:
            search.faults.append("the driver leads on 60 s after its lease was taken")
            os.kill(process.pid, signal.SIGKILL)
            process.wait(PATIENCE_SECONDS)
            return self.kind
        if status == 0 and not (search.experiment / "table.json").exists():
            search.faults.append("the driver ended with 0 after its lease was taken, without a table")
        return self.kind


class FullDisk(Disturbance):
    """The file system of the runs folder is full for a while; requires a small separate file system."""

    kind = "full disk"

    def strike(self, search: Search, process: Process, draw: random.Random) -> str | None:
        ballast = search.folder / "ballast"
        with suppress(OSError), ballast.open("wb", buffering=0) as file:
            while file.write(bytes(1 << 16)):
                pass
        with suppress(OSError), ballast.open("ab", buffering=0) as file:  # to the last byte
            while file.write(b"0"):
                pass
        full = time.monotonic()
        with suppress(subprocess.TimeoutExpired):
            process.wait(draw.uniform(5, 40))
        ended = process.poll() is not None
        if ended and draw.random() < 0.5:  # restarted on the full disk: refused in one sentence
            status = search.start(log="full").wait(PATIENCE_SECONDS)
            search.ended(status, killed=False, log="full")
        ballast.unlink()
        return f"full disk for {time.monotonic() - full:.0f} s" + (
            ", which ended the driver" if ended else ""
        )


class HalfLine(Disturbance):
    """The driver is killed and an append-only file is left as after a power failure."""

    def __init__(self, kind: str, file: str) -> None:
        self.kind, self._file = kind, file

    def strike(self, search: Search, process: Process, draw: random.Random) -> str | None:
        path = search.experiment / JOURNAL if self._file == JOURNAL else search.events
        if not path.exists() or not path.stat().st_size:
            return None
        stop(search, process)
        content = path.read_bytes()
        lines = content.splitlines(keepends=True)
        if draw.random() < 0.75:
            kept = draw.randrange(1, max(2, len(lines[-1])))
            path.write_bytes(content[: len(content) - len(lines[-1]) + kept])
            return f"{self._file}: last line cut to {kept} of {len(lines[-1])} bytes"
        zeros = draw.randrange(1, 5000)
        path.write_bytes(content + bytes(zeros))
        return f"{self._file}: {zeros} zero bytes at the end"


class FlippedByte(Disturbance):
    """The driver is killed and one byte of a stored file changes.

    A later start must refuse the file by name or not need it.
    """

    def __init__(self, pattern: str) -> None:
        self.kind, self._pattern = f"flipped byte in {pattern}", pattern

    def strike(self, search: Search, process: Process, draw: random.Random) -> str | None:
        found = [path for path in search.folder.glob(self._pattern) if path.is_file() and path.stat().st_size]
        if not found:
            return None
        path = draw.choice(sorted(found))
        stop(search, process)
        if not path.exists():  # a checkpoint of a run that has just ended
            return f"driver SIGKILL, before a {self.kind}"
        before = path.read_bytes()
        content = bytearray(before)
        place = draw.randrange(len(content))
        content[place] ^= draw.randrange(1, 256)
        path.write_bytes(content)
        search.damaged[path] = before
        return f"flipped byte {place} of {len(content)} in {path.relative_to(search.folder)}"


def stop(search: Search, process: Process) -> None:
    """Kill the driver with SIGKILL and wait for its processes to end."""
    family = set(descendants(process.pid))
    with suppress(ProcessLookupError):
        os.kill(process.pid, signal.SIGKILL)
    process.wait(PATIENCE_SECONDS)
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and any(_works(number) for number in family):
        time.sleep(0.2)


def _works(number: int) -> bool:
    """Whether the process is alive and could still write a result."""
    try:
        command = Path(f"/proc/{number}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return False
    return any(command.startswith(name) for name in ("ray::carry_out", "ray::RayDispatcher"))


STORED_FILES = (
    "runs/fold_runs/*/manifest.json", "runs/fold_runs/*/record.json", "runs/fold_runs/*/predictions.parquet",
    "runs/fold_runs/*/curves.json", "runs/fold_runs/*/pictures.png", "runs/fold_runs/*/weights.safetensors",
    "runs/fold_runs/*/mask_quality.parquet",
    "runs/stage1/*/manifest.json", "runs/stage1/*/record.json", "runs/stage1/*/mask_generator.safetensors",
    "runs/stage1/*/curves.json", "runs/masks/*/manifest.json", "runs/masks/*/record.json",
    "runs/masks/*/masks.npy", "runs/checkpoints/*/*", "runs/experiments/*/study.journal",
    "runs/experiments/*/config.yaml",
    "runs/experiments/*/experiment.json", "runs/experiments/*/driver.json", "runs/experiments/*/folds-*.json",
    "data/prepared/*/images.npy", "data/prepared/*/index.parquet", "data/prepared/*/manifest.json",
)  # fmt: skip
"""Every kind of stored file, as patterns in a search's folder."""

DISTURBANCES: tuple[Disturbance, ...] = (
    Signal(signal.SIGKILL),
    Signal(signal.SIGTERM),
    Signal(signal.SIGINT),
    Signal(signal.SIGHUP),
    *(Kill(victim) for victim in VICTIMS),
    Kill("fold run", 3),
    Kill("fold run", 5),
    Pause(),
    SecondDriver(),
    LostLease(),
    FullDisk(),
    FullDisk(),
    HalfLine("half line in the study", JOURNAL),
    HalfLine("half line in the event log", "events.jsonl"),
    *(FlippedByte(pattern) for pattern in STORED_FILES),
)
"""All kinds; the full disk twice, because it can affect any write."""
