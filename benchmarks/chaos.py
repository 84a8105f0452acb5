"""Kill a search again and again: does it end with the study and the table of a quiet one?

    python -m benchmarks.kills                      twenty kills at random moments
    python -m benchmarks.kills --kills 40 --seed 1  more, and others
    python -m benchmarks.kills --json kills.json    the outcome as JSON

First a search runs undisturbed, on this machine's CPUs. Then the same command runs in another folder, and at
random moments one of its processes is ended: the driver by SIGKILL, SIGTERM or SIGINT, one of Ray's
worker processes (of a fold run, a trial or the dispatcher) or its raylet by SIGKILL. Whenever the
driver has ended, the same command is started again. At the end both folders are compared: trials with
parameters, states and values, the bytes of the tables, and whether a finished fold run ran again.
Exit status 1 when anything differs. Needs Linux (processes are looked up in /proc).
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from platform.results.study_storage import open_storage
from tests.distributed.processes import descendants

ROOT = Path(__file__).resolve().parents[1]
NAME = "killed"
PATIENCE_SECONDS = 600
KINDS = (
    ("driver", signal.SIGKILL),
    ("driver", signal.SIGTERM),
    ("driver", signal.SIGINT),
    ("worker", signal.SIGKILL),
    ("worker", signal.SIGKILL),
    ("raylet", signal.SIGKILL),
)
"""What is ended, and how; each as likely as the others."""
AGENTS = ("ray::DashboardAgent", "ray::RuntimeEnvAgent", "ray::IDLE", "ray::SPILL", "ray::RESTORE")
"""Ray's helpers: ending them ends no work of ours."""


@dataclass(kw_only=True)
class Search:
    """One folder of runs, and the command that fills it."""

    folder: Path
    data_root: Path
    trials: int
    kills: list[str] = field(default_factory=list)
    ends: Counter[int] = field(default_factory=Counter)
    """Exit status of each time that the command was run to its number."""

    @property
    def runs(self) -> Path:
        """The command's `--runs`."""
        return self.folder / "runs"

    def start(self, *more: str) -> subprocess.Popen[bytes]:
        """Start the command; its output goes to files beside the runs."""
        self.folder.mkdir(parents=True, exist_ok=True)
        flags = {
            "--preset": "smoke", "--name": NAME, "--runs": self.runs, "--data-root": self.data_root,
            "--folds": 3, "--rounds": "2,1", "--trials": self.trials, "--trials-in-flight": 2,
            "--baselines": "cnn", "--transfer-to": "none", "--retries": 20,
        }  # fmt: skip
        words = [*(str(word) for pair in flags.items() for word in pair), *more]
        with (self.folder / "out.txt").open("a") as out, (self.folder / "err.txt").open("a") as err:
            return subprocess.Popen(
                [sys.executable, "-m", "platform.tune", *words],
                cwd=ROOT, stdout=out, stderr=err, start_new_session=True,
            )  # fmt: skip

    def finished(self) -> dict[str, tuple[int, int]]:
        """Every complete result, with what changes when its manifest is written again."""
        found = {}
        for path in self.runs.glob("*/*/manifest.json"):
            if json.loads(path.read_text())["status"] == "complete":
                status = path.stat()
                found[str(path.relative_to(self.runs))] = (status.st_ino, status.st_mtime_ns)
        return found

    def trials_told(self) -> list[dict[str, Any]]:
        """Number, state, parameters, values and steps of every trial of the study."""
        storage = open_storage(self.runs / "experiments" / NAME / "study.journal")
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
        folder = self.runs / "experiments" / NAME
        return {name: (folder / name).read_bytes() for name in ("table.md", "table.json", "table.csv")}


def run_quietly(search: Search) -> float:
    """Run it to its end; seconds until its first result."""
    search.start("--dry-run").wait()  # draws the faces
    process, started, first = search.start(), time.monotonic(), 0.0
    while process.poll() is None:
        if not first and any(search.runs.glob("*/*/manifest.json")):
            first = time.monotonic() - started
        time.sleep(0.05)
    if process.returncode != 0:
        raise SystemExit(f"the quiet search failed:\n{(search.folder / 'err.txt').read_text()}")
    return first


def run_killed(search: Search, wanted: int, longest_seconds: float, draw: random.Random) -> list[str]:
    """Run it to its end with kills on the way; what was finished and ran again all the same."""
    again: list[str] = []
    process, before = search.start(), search.finished()
    while True:
        strikes = len(search.kills) < wanted
        if strikes and draw.random() < 0.5:
            _until_something_new(search, process, len(before))
        try:
            status = process.wait(draw.uniform(0, longest_seconds) if strikes else PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            if not strikes:
                os.killpg(process.pid, signal.SIGKILL)
                raise SystemExit(f"it hangs; see {search.folder}") from None
            status = _kill(search, process, *draw.choice(KINDS), draw)
        now = search.finished()
        again += [name for name, written in before.items() if now.get(name) != written]
        before = now
        if status is None:
            continue
        search.ends[status] += 1
        if status == 0:
            return again
        process = search.start()


def _until_something_new(search: Search, process: subprocess.Popen[bytes], finished: int) -> None:
    """Wait until a result more is there, so that not all kills strike before any work."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while process.poll() is None and len(search.finished()) <= finished and time.monotonic() < deadline:
        time.sleep(0.1)


def _kill(
    search: Search, process: subprocess.Popen[bytes], victim: str, how: signal.Signals, draw: random.Random
) -> int | None:
    """End one process; the driver's exit status if that ended it too, or None."""
    number, name = process.pid, "driver"
    if victim != "driver":
        found = {key: text for key, text in descendants(process.pid).items() if _is(victim, text)}
        if not found:  # too early: nothing of it is there yet
            return process.poll()
        number = draw.choice(sorted(found))
        name = found[number].split("(")[0].split()[0].rsplit("/", 1)[-1]
    try:
        os.kill(number, how)
    except ProcessLookupError:
        return process.poll()
    search.kills.append(f"{name} {how.name}")
    struck = time.monotonic()
    print(f"{len(search.kills):3d}  {name} {how.name}", flush=True)
    if victim == "worker":
        return None
    try:
        status = process.wait(PATIENCE_SECONDS)
        print(f"     the driver ended with {status} after {time.monotonic() - struck:.1f} s", flush=True)
        return status
    except subprocess.TimeoutExpired:
        raise SystemExit(f"the driver outlives {name} {how.name} and hangs; see {search.folder}") from None


def _is(victim: str, command: str) -> bool:
    if victim == "worker":
        return command.startswith("ray::") and not command.startswith(AGENTS)
    return command.split()[0].endswith("/raylet")


def compare(quiet: Search, killed: Search, again: list[str]) -> dict[str, Any]:
    """What differs between the two; empty lists where nothing does."""
    trials = zip(quiet.trials_told(), killed.trials_told(), strict=False)
    results = set(quiet.finished()) ^ set(killed.finished())
    counts = [len(search.trials_told()) for search in (quiet, killed)]
    found: dict[str, list[Any]] = {
        "differing_trials": [[one, other] for one, other in trials if one != other],
        "open_trials": [t for t in killed.trials_told() if t["state"] in ("RUNNING", "WAITING")],
        "differing_tables": [n for n, text in quiet.tables().items() if killed.tables()[n] != text],
        "results_of_only_one": sorted(results),
        "finished_and_run_again": again,
    }
    same = counts[0] == counts[1] and not any(found.values())
    return {"same": same, "trials": counts, **found}


def main() -> int:
    """Run both searches, print what happened; 1 when the killed one is another."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.kills")
    parser.add_argument("--kills", type=int, default=20, help="processes to end (default: 20)")
    parser.add_argument("--trials", type=int, default=48, help="configurations of the search (default: 48)")
    parser.add_argument("--seed", type=int, default=0, help="of victims and moments (default: 0)")
    parser.add_argument(
        "--folder", type=Path, default=Path("build/kills"), help="emptied first (default: build/kills)"
    )
    parser.add_argument(
        "--longest-seconds", type=float, help="longest time until the next kill, from the last one or, every "
        "second time, from the next result (default: what the quiet search takes to its first result)",
    )  # fmt: skip
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the outcome as JSON too")
    arguments = parser.parse_args()
    # A shell's background job ignores SIGINT, and so would all that it starts.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    folder = arguments.folder.absolute()
    shutil.rmtree(folder, ignore_errors=True)
    quiet, killed = (
        Search(folder=folder / name, data_root=folder / "data", trials=arguments.trials)
        for name in ("quiet", "killed")
    )
    started = time.monotonic()
    first = run_quietly(quiet)
    print(f"quiet: {time.monotonic() - started:.0f} s, the first result after {first:.0f} s", flush=True)
    started = time.monotonic()
    longest_seconds = arguments.longest_seconds or first
    again = run_killed(killed, arguments.kills, longest_seconds, random.Random(arguments.seed))
    outcome = {
        "kills": killed.kills,
        "exit_statuses": {str(status): count for status, count in killed.ends.items()},
        "seconds": round(time.monotonic() - started),
        **compare(quiet, killed, again),
    }
    text = json.dumps(outcome, indent=1)
    print(text)
    if arguments.json:
        arguments.json.write_text(text + "\n")
    if len(killed.kills) < arguments.kills:
        print("the search ended before all kills; pass more --trials", file=sys.stderr)
        return 1
    return 0 if outcome["same"] else 1


if __name__ == "__main__":
    raise SystemExit(main())
