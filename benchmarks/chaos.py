"""Disturb searches in every way we know: do they end with the study and the tables of a quiet one?

    python -m benchmarks.chaos                         two hours, at least a hundred disturbances
    python -m benchmarks.chaos --minutes 10 --seed 1   shorter, and other moments
    python -m benchmarks.chaos --only "full disk"      one kind
    python -m benchmarks.chaos --json chaos.json       rounds as JSON, added to those of earlier runs

First a search runs undisturbed. Then the same command runs again and again, each time in an empty folder
on a small file system of its own, and is disturbed at random moments: signals to the driver, kills of every
kind of Ray process (fold runs several times in a row), a full disk, half lines and zeros at the end of
append-only files, a flipped byte in every kind of stored file, a second driver, a lease taken by another
host, a driver that stands still. Whenever the driver ends, the same command is started again; where it
refuses a damaged file by name, its remedy is followed. Each round ends with a comparison: trials with
parameters, states and values, the bytes of the tables, the set of results, and whether a finished one ran
again. Every end of the driver is judged too: a documented exit status, no traceback, none of Ray's own
words. Exit status 1 when anything differs. Needs Linux and root (the small file system is a tmpfs).
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
"""Size of a round's file system: a quiet search leaves some 60 MiB, and asks for 512 to stay free."""
UNPROVOKED_ENDS = 5
"""A driver that ends by itself so many times in a row will not come to its end."""


def run_round(
    search: Search, waiting: list[Disturbance], wanted: int, seconds: float, draw: random.Random
) -> set[str]:
    """Run the search to its end with up to `wanted` disturbances; finished results that were run again.

    waiting: disturbances in the order in which they come; those that found something to strike are removed.
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
            search.faults.append(f"does not go on: {search.said()[-1500:]}")
            waiting.extend(tried)
            return again
        process = search.start()


def _wait(process: subprocess.Popen[bytes], seconds: float) -> None:
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        return


def _until_something_new(search: Search, process: subprocess.Popen[bytes], finished: int) -> None:
    """Wait until a result more is there, so that not all disturbances strike before any work."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while process.poll() is None and len(search.finished()) <= finished and time.monotonic() < deadline:
        time.sleep(0.1)


@contextmanager
def small_disk(folder: Path) -> Iterator[None]:
    """A file system of its own at `folder`, gone afterwards."""
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
    """One search with disturbances, compared with the quiet one; kept where something differs."""
    folder, started = quiet.folder.parent / f"round-{number}", time.monotonic()
    with small_disk(folder):
        search = Search(folder=folder, trials=quiet.trials)
        search.copy_data(quiet)
        again = run_round(search, waiting, draw.randrange(6, 13), seconds, draw)
        try:
            found = differences(quiet, search, again)
        except Exception as error:  # tables are missing, the study cannot be read
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
    """Run rounds until time and number are reached, print totals; 1 when anything differs or is at odds."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.chaos")
    parser.add_argument("--minutes", type=float, default=120, help="shortest time (default: 120)")
    parser.add_argument("--disturbances", type=int, default=100, help="smallest number (default: 100)")
    parser.add_argument("--trials", type=int, default=12, help="configurations of the search (default: 12)")
    parser.add_argument("--seed", type=int, default=0, help="of kinds and moments (default: 0)")
    parser.add_argument("--only", metavar="WORDS", help="kinds whose name contains this")
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
        parser.error("needs Linux and root: a small file system is mounted")
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
    """Add a round to the file; it holds what earlier runs added."""
    content = json.loads(path.read_text()) if path.exists() else {"rounds": []}
    head = subprocess.run(["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False)
    content["rounds"].append({**one, "commit": head.stdout.strip(), "python": sys.version.split()[0]})
    content["summary"] = summary(content["rounds"])
    path.write_text(json.dumps(content, indent=1) + "\n")


if __name__ == "__main__":
    raise SystemExit(main())
