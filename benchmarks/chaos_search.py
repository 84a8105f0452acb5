"""The search under the chaos test: command, results, and comparison of two searches."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from platform.search.storage import open_storage

ROOT = Path(__file__).resolve().parents[1]
NAME = "chaos"
JOURNAL = "study.journal"
PATIENCE_SECONDS = 900
"""Time without an exit or a finished fold run after which a driver hangs."""
OUTPUTS = ("table.md", "table.json", "table.csv", "table.tex")
BY_DESIGN = {0, 1, 2, 129, 130, 143, -15}
"""The documented exit statuses of a command, and that of SIGTERM before Python runs our code."""
NEVER_SHOWN = re.compile(
    r"Traceback \(most recent|^\(raylet|^\(pid=|\[\w+ \d{4}.*\.cc:\d+|^\[.*\.cc:\d+", re.MULTILINE
)
"""Output of Python and Ray that users must not see."""


@dataclass(kw_only=True)
class Search:
    """A folder with data and runs, the command that fills it, and the observed behaviour of the command."""

    folder: Path
    trials: int
    more: tuple[str, ...] = ()
    """Further arguments of the command."""
    disturbances: list[str] = field(default_factory=list)
    """Applied disturbances, in order."""
    statuses: list[int] = field(default_factory=list)
    """Exit status of each run of the command."""
    faults: list[str] = field(default_factory=list)
    """Violations: an undocumented status, a traceback, a refusal without a reason."""
    damaged: dict[Path, bytes] = field(default_factory=dict)
    """Deliberately damaged files that are not repaired yet, with their original content."""
    discarded: set[str] = field(default_factory=set)
    """Deliberately damaged or removed results, which may be computed again."""

    @property
    def runs(self) -> Path:
        """The command's `--runs`."""
        return self.folder / "runs"

    @property
    def data_root(self) -> Path:
        """The command's `--data-root`."""
        return self.folder / "data"

    @property
    def experiment(self) -> Path:
        """The folder of the study and the tables."""
        return self.runs / "experiments" / NAME

    @property
    def events(self) -> Path:
        """The command's `--log-json`."""
        return self.folder / "events.jsonl"

    def words(self, folder: Path) -> list[str]:
        """The command's arguments, where `folder` is the path of the search's folder."""
        flags = {
            "--preset": "smoke", "--name": NAME, "--runs": folder / "runs", "--data-root": folder / "data",
            "--folds": 3, "--rounds": "2,1", "--trials": self.trials, "--trials-in-flight": 2,
            "--baselines": "cnn", "--transfer-to": "none", "--retries": 2,
            "--log-json": folder / self.events.name,
        }  # fmt: skip
        return [*(str(word) for pair in flags.items() for word in pair), *self.more]

    def copy_data(self, other: Search) -> None:
        """Copy the other search's prepared set."""
        shutil.copytree(other.data_root / "prepared", self.data_root / "prepared", dirs_exist_ok=True)

    def start(self, *more: str, log: str = "driver") -> subprocess.Popen[bytes]:
        """Start the command; its output goes to files named `log`, which the next start overwrites."""
        logs = self.folder.parent / f"{self.folder.name}-output"
        logs.mkdir(parents=True, exist_ok=True)
        self.folder.mkdir(parents=True, exist_ok=True)
        words = [*self.words(self.folder), *more]
        with (logs / f"{log}.out").open("w") as out, (logs / f"{log}.err").open("w") as err:
            return subprocess.Popen(
                [sys.executable, "-m", "platform.tune", *words],
                cwd=ROOT, stdout=out, stderr=err, start_new_session=True,
                env={**os.environ, "RAY_worker_niceness": "0"},
                # Background jobs of a shell ignore SIGINT, and their children inherit that.
                preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
            )  # fmt: skip

    def said(self, log: str = "driver") -> str:
        """Standard error of the last start."""
        path = self.folder.parent / f"{self.folder.name}-output" / f"{log}.err"
        return path.read_text(errors="replace") if path.exists() else ""

    def ended(self, status: int, *, killed: bool, log: str = "driver") -> None:
        """Check the exit of a command; `killed`: by us, with a signal that cannot be caught."""
        self.statuses.append(status)
        said = self.said(log)
        found = []
        if status not in BY_DESIGN and not (killed and status == -signal.SIGKILL):
            found.append(f"exit status {status}")
        if status == 2 and not re.search(r"^error: ", said, re.MULTILINE):
            found.append("exit status 2 without an error line")
        if shown := NEVER_SHOWN.search(said):
            found.append(f"shows {shown.group(0)!r}")
        after = self.disturbances[-1] if self.disturbances else "nothing"
        self.faults += [f"after {after}: {one}: {said[-2000:]}" for one in found]

    def mend(self) -> bool:
        """Apply the remedy of the last error to the damaged files that it names; whether it names any."""
        said = self.said()
        named = [path for path in self.damaged if self._names(said, path)]
        for path in named:
            before = self.damaged.pop(path)
            kind, result, *_ = path.relative_to(self.folder).parts[1:]
            if path.is_relative_to(self.data_root):
                path.write_bytes(before)  # stands for preparing the set again
            elif kind in ("fold_runs", "stage1", "masks", "checkpoints"):
                shutil.rmtree(path.parent, ignore_errors=True)
                self.discarded.add(f"{kind}/{result}")
            elif path.name == JOURNAL:
                path.unlink()  # the study is made again from the stored fold runs
            else:
                path.write_bytes(before)  # stands for a backup
        return bool(named)

    def _names(self, said: str, path: Path) -> bool:
        kind = path.relative_to(self.folder).parts[1]
        if kind == "experiments":
            return path.name in said
        return path.parent.name in said  # the identity, or the prepared set's folder

    def finished(self) -> dict[str, tuple[int, int]]:
        """Every complete result, with inode and modification time of its manifest, to detect rewrites."""
        found = {}
        for path in self.runs.glob("*/*/manifest.json"):
            try:
                complete = json.loads(path.read_text())["status"] == "complete"
                status = path.stat()
            except (OSError, ValueError, KeyError):  # deliberately damaged, or just being removed
                continue
            if complete:
                found[str(path.parent.relative_to(self.runs))] = (status.st_ino, status.st_mtime_ns)
        return found

    def trials_recorded(self) -> list[dict[str, Any]]:
        """Number, state, parameters, values and steps of every trial in the study."""
        storage = open_storage(self.experiment / JOURNAL)
        (study,) = storage.get_all_studies()
        return [
            {
                "number": trial.number,
                "state": trial.state.name,
                "params": trial.params,
                "values": trial.values,
                "intermediate": trial.intermediate_values,
                "folds": trial.user_attrs.get("folds"),
            }
            for trial in storage.get_all_trials(study._study_id)
        ]

    def tables(self) -> dict[str, bytes]:
        """The table in every format."""
        return {name: (self.experiment / name).read_bytes() for name in OUTPUTS}


def run_quietly(search: Search) -> float:
    """Run the search to completion; seconds from its first result to the end."""
    process, started, first = search.start(), time.monotonic(), 0.0
    while process.poll() is None:
        if not first and any(search.runs.glob("*/*/manifest.json")):
            first = time.monotonic()
        time.sleep(0.05)
    if process.returncode != 0:
        raise SystemExit(f"the quiet search failed:\n{search.said()}")
    return time.monotonic() - (first or started)


def differences(quiet: Search, disturbed: Search, again: set[str]) -> dict[str, list[Any]]:
    """Differences between the two searches, by kind; empty if there are none."""
    wanted, found = quiet.trials_recorded(), disturbed.trials_recorded()
    pairs = list(zip(wanted, found, strict=False))
    results = set(quiet.finished()) ^ set(disturbed.finished())
    kinds: dict[str, list[Any]] = {
        "number of trials": [] if len(wanted) == len(found) else [len(wanted), len(found)],
        "trials": [[one, other] for one, other in pairs if one != other],
        "open trials": [trial for trial in found if trial["state"] in ("RUNNING", "WAITING")],
        "tables": [name for name, text in quiet.tables().items() if disturbed.tables()[name] != text],
        "results of only one": sorted(results),
        "finished and run again": sorted(again - disturbed.discarded),
    }
    return {kind: items for kind, items in kinds.items() if items}
