"""Overhead of a search: time of fold runs versus orchestration.

    python -m benchmarks.orchestration                  at least sixty quick fold runs of the real command
    python -m benchmarks.orchestration --preset paper --dataset ckplus      fold runs of minutes
    python -m benchmarks.orchestration --trials 2 --folds 4 --stage2-constant-epochs 100    any flags of tune
    python -m benchmarks.orchestration --json orchestration.json

Runs `platform.tune` with `--log-json` in an empty folder and adds up its events. A slot holds one fold run
at a time; all slots over the whole command are 100 %. Their time is either a fold run's own, as in its
manifest, or orchestration: starting Python and Ray, waiting for the first proposals, worker start-up and
hand-over, waiting at the end of rounds and phases, the table.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]


def run(folder: Path, data_root: Path, words: list[str]) -> tuple[list[dict[str, Any]], float, float]:
    """The events of the command, and its start and end times (seconds since 1970)."""
    command = [sys.executable, "-m", "platform.tune", "--data-root", str(data_root), *words]
    paths = ["--runs", str(folder / "runs"), "--log-json", str(folder / "events.jsonl")]
    # Prepares the built-in data set, which is not part of a search.
    subprocess.run([*command, *paths, "--dry-run"], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    began = time.time()
    subprocess.run([*command, *paths], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    ended = time.time()
    lines = (folder / "events.jsonl").read_text().splitlines()
    return [json.loads(line) for line in lines], began, ended


def shares(
    events: list[dict[str, Any]], began: float, ended: float, slots: int
) -> dict[str, float | int | str]:
    """Slot time by category."""
    runs = [e for e in events if e["event"] in ("run_finished", "run_failed") and e["slot_seconds"]]
    phases = {e["detail"]: _seconds(e["time"]) for e in events if e["event"] == "phase"}
    finished = next(_seconds(e["time"]) for e in events if e["event"] == "finished")
    at_work = sum(e["seconds"] for e in runs)
    held = sum(e["slot_seconds"] for e in runs)
    running = finished - phases["search"]
    whole = slots * (ended - began)
    parts = {
        "fold runs": at_work,
        "starting Python, planning": slots * (phases["starting Ray"] - began),
        "starting Ray": slots * (phases["search"] - phases["starting Ray"]),
        "workers: start, import, handing over": held - at_work,
        "slots free: proposals, ends of rounds and phases": slots * running - held,
        "table, figures, report": slots * (ended - finished),
    }
    return {
        "fold_runs": len(runs),
        "slots": slots,
        "wall_seconds": round(ended - began, 1),
        "mean_fold_run_seconds": round(at_work / len(runs), 2),
        **{f"{name} (%)": round(100 * seconds / whole, 1) for name, seconds in parts.items()},
        "orchestration (%)": round(100 * (1 - at_work / whole), 1),
        "orchestration while it runs (%)": round(100 * (1 - at_work / (slots * running)), 1),
    }


def _seconds(time_text: str) -> float:
    return datetime.fromisoformat(time_text).astimezone(UTC).timestamp()


def main() -> int:
    """Run the benchmark and print the outcome."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.orchestration", epilog="other flags are passed to platform.tune"
    )
    parser.add_argument("--preset", default="quick")
    parser.add_argument("--dataset", default="synthetic")
    parser.add_argument("--trials", type=int, default=4)
    parser.add_argument(
        "--slots", type=int, default=2, help="concurrent fold runs (the CPUs of this machine)"
    )
    parser.add_argument("--folder", type=Path, default=Path("build/orchestration"), help="emptied first")
    parser.add_argument("--data-root", type=Path, default=Path("data"))
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures as JSON too")
    arguments, others = parser.parse_known_args()
    folder = arguments.folder.absolute()
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    words = ["--preset", arguments.preset, "--dataset", arguments.dataset, "--trials", str(arguments.trials)]
    words += others
    events, began, ended = run(folder, arguments.data_root.absolute(), words)
    outcome = shares(events, began, ended, arguments.slots)
    print(json.dumps(outcome, indent=1))
    if arguments.json:
        arguments.json.write_text(json.dumps(outcome, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
