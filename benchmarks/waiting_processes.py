"""Processes that wait while fold runs train in separate Train workers: how many of each, and their memory.

    python -m benchmarks.waiting_processes                  twenty fold runs of one Train worker, two at once
    python -m benchmarks.waiting_processes --runs 40 --train-workers 2

Dispatcher, Ray Train and the workers are the real ones; the faces are tiny and synthetic. Memory is private:
what would be free without the process.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

from platform.config.configuration import Plan
from platform.distributed.cluster import connected
from platform.distributed.ray_dispatcher import start_dispatcher
from platform.runs.attempts import driver_folder
from platform.runs.fold_tasks import final_tasks, plan_data
from platform.runs.planned_tasks import Machine
from tests.tiny_faces import prepare_tiny, tiny_configuration

LOOK_SECONDS = 0.5


def descendants(process: int) -> list[int]:
    """Process ids of all living children, grandchildren and so on (Linux)."""
    found: list[int] = []
    for children in Path(f"/proc/{process}/task").glob("*/children"):
        for child in _text(children).split():
            found += [int(child), *descendants(int(child))]
    return found


def private_mib(process: int) -> float:
    """Memory that only this process uses."""
    rows = [line.split() for line in _text(Path(f"/proc/{process}/smaps_rollup")).splitlines()]
    return sum(int(row[1]) for row in rows if row[0] in ("Private_Clean:", "Private_Dirty:")) / 1024


def _text(path: Path) -> str:
    """Empty where the process has ended."""
    try:
        return path.read_text()
    except OSError:
        return ""


def look(most: Counter[str], memory: dict[str, float]) -> None:
    """Note Ray's processes of this moment by name: most at once, and the largest memory."""
    now: Counter[str] = Counter()
    for process in descendants(os.getpid()):
        name = _text(Path(f"/proc/{process}/cmdline")).split("\0")[0].split(".")[0]
        if name.startswith("ray::") and name != "ray::IDLE":
            now[name] += 1
            memory[name] = max(memory.get(name, 0.0), private_mib(process))
    for name, count in now.items():
        most[name] = max(most[name], count)


def main() -> int:
    """Run the benchmark and print one line for each kind of process."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.waiting_processes")
    parser.add_argument("--runs", type=int, default=20, help="fold runs")
    parser.add_argument("--train-workers", type=int, default=1)
    parser.add_argument("--json", type=Path, help="write the figures there as well")
    arguments = parser.parse_args()
    plan = Plan(folds=arguments.runs, rounds=(arguments.runs,), train_workers=arguments.train_workers)
    most: Counter[str] = Counter()
    memory: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        prepare_tiny(folder / "data", subjects=2 * arguments.runs)
        configuration = tiny_configuration(method="cnn")
        planned = plan_data(folder / "data", "synthetic", configuration, plan, search=False)
        tasks = final_tasks(configuration, planned, Machine(train_workers=plan.train_workers))
        with connected(plan, folder / "ray.log") as slots:
            import ray

            print(f"{len(tasks)} fold runs; {slots.describe()}")
            dispatcher = start_dispatcher(
                plan, folder / "runs", slots.fold_runs, driver_folder(folder / "runs")
            )
            answer = dispatcher.run.remote(tasks)
            while not ray.wait([answer], timeout=LOOK_SECONDS)[0]:
                look(most, memory)
            statuses = Counter(one["status"] for one in ray.get(answer))
    rows: list[dict[str, Any]] = [
        {"process": name, "most_at_once": most[name], "private_mib": round(memory[name])} for name in most
    ]
    for row in sorted(rows, key=lambda row: -row["private_mib"]):
        print(f"{row['process']:36} {row['most_at_once']:4} {row['private_mib']:6} MiB")
    print(dict(statuses))
    if arguments.json:
        arguments.json.write_text(json.dumps(rows, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
