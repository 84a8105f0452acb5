"""Memory that trials take while they wait for their fold runs: the driver and all of Ray's processes.

    python -m benchmarks.waiting_trials                   1 and 100 trials
    python -m benchmarks.waiting_trials --trials 1 500    other numbers

Study and Tune are the real ones; the dispatcher never answers. Memory shared between processes is counted
once (proportional set size). Linux only.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

from benchmarks.many_trials import BASE, FOLDS, suggest
from platform.config.configuration import Plan
from platform.config.selection import scopes
from platform.experiments.method_search import MethodSearch
from platform.runs.fold_tasks import plan_data
from platform.runs.store import ResultsStore
from platform.runs.tasks import FoldTask
from platform.search.definition import SearchDefinition
from tests.distributed.processes import descendants
from tests.tiny_faces import prepare_tiny


class Silent:
    """A dispatcher that never answers."""

    def __init__(self) -> None:
        self._waiting = 0

    async def run(self, tasks: list[FoldTask]) -> None:
        """Wait for ever."""
        self._waiting += 1
        await asyncio.Event().wait()

    async def waiting(self) -> int:
        """Number of trials that wait."""
        return self._waiting


def proportional_mib(process: int) -> float:
    """Memory of a process; of what it shares with others, its part. 0 if it has ended."""
    try:
        lines = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0.0
    return sum(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024


def measured(trials: int, folder: Path) -> dict[str, Any]:
    """Start a search whose trials all wait, measure, and interrupt it."""
    from platform.distributed.cluster import log_to
    from platform.distributed.ray_settings import QUIET

    os.environ.update(QUIET)
    import ray

    from platform.distributed.search import run_search
    from platform.search.storage import open_storage

    prepare_tiny(folder / "data", subjects=40)
    plan = Plan(folds=FOLDS, trials=trials, trials_in_flight=trials, sampler="random")
    planned = plan_data(folder / "data", "synthetic", BASE, plan, search=True)
    log_to(folder / "ray.log")
    ray.init(
        num_cpus=2, include_dashboard=False, log_to_driver=False, logging_level="ERROR",
        runtime_env={"env_vars": {"PYTHONPATH": str(Path.cwd())}},
    )  # fmt: skip
    dispatcher = ray.remote(Silent).options(num_cpus=0, max_concurrency=100_000).remote()
    found: dict[str, Any] = {"trials": trials}

    def measure() -> None:
        started = time.monotonic()
        while ray.get(dispatcher.waiting.remote()) < trials:
            time.sleep(0.2)
        found["seconds_until_all_wait"] = round(time.monotonic() - started, 1)
        others = descendants(os.getpid())
        memory = {process: proportional_mib(process) for process in others}
        found["driver_mib"] = round(proportional_mib(os.getpid()))
        found["driver_threads"] = threading.active_count()
        found["ray_mib"] = round(sum(memory.values()))
        found["ray_processes"] = len(others)
        os.kill(os.getpid(), signal.SIGINT)

    ray.get(dispatcher.waiting.remote())
    threading.Thread(target=measure, daemon=True).start()
    try:
        run_search(
            [MethodSearch(base=BASE, plan=plan, scopes=scopes("inner", FOLDS, plan.study_seed))],
            [SearchDefinition(name="waiting", suggest=suggest, first=(), settings={})],
            dispatcher=dispatcher,
            store=ResultsStore(folder / "runs"),
            storage=open_storage(folder / "study.journal"),
            planned=planned,
        )
    except KeyboardInterrupt:
        ray.shutdown()
    return found


def main() -> int:
    """Run the benchmark, each number in a process of its own, and print the figures."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.waiting_trials")
    parser.add_argument("--trials", type=int, nargs="+", default=[1, 100], help="numbers of waiting trials")
    parser.add_argument("--folder", type=Path, default=Path("build/waiting_trials"), help="emptied first")
    arguments = parser.parse_args()
    if len(arguments.trials) == 1:
        folder = arguments.folder.absolute()
        shutil.rmtree(folder, ignore_errors=True)
        print(json.dumps(measured(arguments.trials[0], folder)), flush=True)
        return 0
    words = [sys.executable, "-m", "benchmarks.waiting_trials", "--folder", str(arguments.folder)]
    return max(subprocess.run([*words, "--trials", str(one)]).returncode for one in arguments.trials)


if __name__ == "__main__":
    raise SystemExit(main())
