"""Chaos test: searches under every known disturbance must end with the study and tables of a quiet one.

    python -m benchmarks.chaos                         two hours, at least a hundred disturbances
    python -m benchmarks.chaos --minutes 10 --seed 1   shorter, with another sequence
    python -m benchmarks.chaos --only "full disk"      one kind
    python -m benchmarks.chaos --json chaos.json       rounds as JSON, added to those of earlier runs

First a search runs undisturbed. Then the same command runs repeatedly, each time in an empty folder on its
own small file system, and is disturbed at random times: signals to the driver, kills of every kind of Ray
process (fold runs several times in a row), a full disk, partial lines and zeros at the end of append-only
files, a flipped byte in every kind of stored file, a second driver, a lease taken by another host, a
suspended driver. Whenever the driver ends, the same command is restarted; if it refuses a damaged file by
name, its remedy is applied. Each round ends with a comparison: trials with parameters, states and values,
the bytes of the tables, the set of results, and whether a finished one ran again. Every exit of the driver
is checked too: a documented exit status, no traceback, no output of Ray. Exit status 1 if anything differs.
Requires Linux and root (the small file system is a tmpfs).
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.chaos_search import PATIENCE_SECONDS, ROOT, Search, differences, run_quietly
from benchmarks.disturbances import DISTURBANCES, Disturbance, stop

DISK_MIB = 1024
"""Size of a round's file system: a quiet search writes about 60 MiB and requires 512 MiB to stay free."""
UNPROVOKED_ENDS = 5
"""Consecutive unprovoked exits after which a driver is considered unable to finish."""


def run_round(
    search: Search, waiting: list[Disturbance], wanted: int, seconds: float, draw: random.Random
) -> set[str]:
    """Run the search to completion with up to `wanted` disturbances; return finished results that ran again.

    waiting: disturbances in order; those that found a target are removed.
    """
    again: set[str] = set()
    process, before, own_ends = search.start(), search.finished(), 0
    tried: list[Disturbance] = []
    while True:
        struck = False
        if len(search.disturbances) < wanted and waiting:
            if draw.random() < 0.5:
                _until_something_new(search, process, len(before))
            _wait(process, draw.uniform(0, seconds))
            if process.poll() is None:
                one = waiting.pop(0)
                if done := one.strike(search, process, draw):
                    search.disturbances.append(done)
                    print(f"{time.strftime('%H:%M:%S')}   {done}", flush=True)
                else:
                    tried.append(one)
                struck = True
        else:
            try:
                process.wait(PATIENCE_SECONDS)
            except subprocess.TimeoutExpired:
                search.faults.append(f"hangs: {search.said()[-1000:]}")
                stop(search, process)
        now = search.finished()
        again |= {name for name, written in before.items() if name in now and now[name] != written}
        before = {**before, **now}
        if process.poll() is None:
            continue
        search.ended(process.returncode, killed=struck)
        print(f"{time.strftime('%H:%M:%S')}     the driver ended with {process.returncode}", flush=True)
        if process.returncode == 0:
            waiting.extend(tried)
            return again
        mended = search.mend()
        own_ends = 0 if struck or mended else own_ends + 1
        if own_ends and not search.disturbances:
            search.faults.append(f"ended with {process.returncode}, undisturbed: {search.said()[-1500:]}")
        if own_ends >= UNPROVOKED_ENDS:
            search.faults.append(f"does not continue: {search.said()[-1500:]}")
            waiting.extend(tried)
            return again
        process = search.start()


def _wait(process: subprocess.Popen[bytes], seconds: float) -> None:
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        return


def _until_something_new(search: Search, process: subprocess.Popen[bytes], finished: int) -> None:
    """Wait for one more result, so that not all disturbances strike before any work."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while process.poll() is None and len(search.finished()) <= finished and time.monotonic() < deadline:
        time.sleep(0.1)


@contextmanager
def small_disk(folder: Path) -> Iterator[None]:
    """Context with a separate file system at `folder`, removed afterwards."""
    folder.mkdir(parents=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK_MIB}m", "tmpfs", str(folder)], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)
        folder.rmdir()


def disturbed_round(
    quiet: Search, number: int, waiting: list[Disturbance], seconds: float, draw: random.Random
) -> dict[str, Any]:
    """One disturbed search, compared with the quiet one; its files are kept if anything differs."""
    folder, started = quiet.folder.parent / f"round-{number}", time.monotonic()
    with small_disk(folder):
        search = Search(folder=folder, trials=quiet.trials)
        search.copy_data(quiet)
        again = run_round(search, waiting, draw.randrange(6, 13), seconds, draw)
        try:
            found = differences(quiet, search, again)
        except Exception as error:  # missing tables, unreadable study
            found = {"comparison": [f"{type(error).__name__}: {error}"]}
        if found or search.faults:
            shutil.copytree(folder / "runs", f"{folder}-runs", dirs_exist_ok=True)
    return {
        "round": number,
        "seconds": round(time.monotonic() - started),
        "disturbances": search.disturbances,
        "exit_statuses": search.statuses,
        "differences": found,
        "faults": search.faults,
    }


def summary(rounds: list[dict[str, Any]]) -> dict[str, Any]:
    """Totals over rounds."""
    return {
        "rounds": len(rounds),
        "hours": round(sum(one["seconds"] for one in rounds) / 3600, 2),
        "disturbances": sum(len(one["disturbances"]) for one in rounds),
        "exit_statuses": dict(Counter(str(status) for one in rounds for status in one["exit_statuses"])),
        "differences": sum(bool(one["differences"]) for one in rounds),
        "faults": sum(len(one["faults"]) for one in rounds),
    }


def main() -> int:
    """Run rounds until both limits are reached, print totals; 1 if anything differs or a fault occurred."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.chaos")
    parser.add_argument("--minutes", type=float, default=120, help="minimum duration (default: 120)")
    parser.add_argument("--disturbances", type=int, default=100, help="minimum number (default: 100)")
    parser.add_argument("--trials", type=int, default=12, help="configurations of the search (default: 12)")
    parser.add_argument("--seed", type=int, default=0, help="seed of kinds and times (default: 0)")
    parser.add_argument("--only", metavar="WORDS", help="only kinds whose name contains this")
    parser.add_argument(
        "--folder", type=Path, default=Path("build/chaos"), help="emptied first (default: build/chaos)"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="add the rounds to this file")
    arguments = parser.parse_args()
    kinds = [one for one in DISTURBANCES if (arguments.only or "") in one.kind]
    if not kinds:
        parser.error(
            f"no kind has {arguments.only!r} in its name; kinds: {', '.join(x.kind for x in DISTURBANCES)}"
        )
    if os.geteuid() != 0 or sys.platform != "linux":
        parser.error("requires Linux and root, to mount a small file system")
    folder, draw = arguments.folder.absolute(), random.Random(arguments.seed)
    shutil.rmtree(folder, ignore_errors=True)
    quiet = Search(folder=folder / "quiet", trials=arguments.trials)
    lasted = run_quietly(quiet)
    print(f"quiet: {lasted:.0f} s from the first result to the end", flush=True)
    deadline, rounds, waiting = time.monotonic() + 60 * arguments.minutes, [], list[Disturbance]()
    while (
        time.monotonic() < deadline
        or sum(len(one["disturbances"]) for one in rounds) < arguments.disturbances
    ):
        while len(waiting) < 2 * len(kinds):
            waiting += draw.sample(kinds, len(kinds))
        rounds.append(disturbed_round(quiet, len(rounds), waiting, lasted / 4, draw))
        print(json.dumps({**summary(rounds), "last": rounds[-1]["differences"] or "same"}), flush=True)
        for fault in rounds[-1]["faults"]:
            print(f"FAULT: {fault}", flush=True)
        if arguments.json:
            _add(arguments.json, rounds[-1])
    total = summary(rounds)
    print(json.dumps(total, indent=1))
    return 1 if total["differences"] or total["faults"] else 0


def _add(path: Path, one: dict[str, Any]) -> None:
    """Append a round to the file, which keeps the rounds of earlier runs."""
    content = json.loads(path.read_text()) if path.exists() else {"rounds": []}
    head = subprocess.run(["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False)
    content["rounds"].append({**one, "commit": head.stdout.strip(), "python": sys.version.split()[0]})
    content["summary"] = summary(content["rounds"])
    path.write_text(json.dumps(content, indent=1) + "\n")


if __name__ == "__main__":
    raise SystemExit(main())
