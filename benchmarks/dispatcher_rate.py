"""Tasks that the dispatcher handles in a second: no-op tasks on Ray, thousands of them queued.

Usage: `python -m benchmarks.dispatcher_rate [--tasks 10000] [--places 4] [--bare]`. Prints a line of JSON:
tasks a second, the longest that a snapshot of the progress display took, memory of the dispatcher and of the
driver, and CPU milliseconds per task, of the dispatcher and of all processes together. A task does nothing
but report its worker, as a real one does first; it stores no result. Bare: an actor that only submits the
tasks, for what Ray itself takes.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import pickle
import resource
import socket
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from platform.config.configuration import Plan, replace
from platform.config.selection import scopes
from platform.distributed.cluster import connected
from platform.distributed.ray_dispatcher import HEAD, SLIVER, RayDispatcher
from platform.distributed.travel import travelling
from platform.models.costs.known import known_costs
from platform.runs.attempts import driver_folder
from platform.runs.fold_tasks import machine_of, plan_data, step_tasks
from platform.runs.tasks import ArtifactTask, FoldTask
from tests.tiny_faces import prepare_tiny, tiny_configuration

FOLDS = 10
SUBJECTS = 40


def nothing(
    task: FoldTask, runs_root: str, workers: int, held: Any, dispatcher: Any, *_: Any
) -> dict[str, Any]:
    """Report this worker and answer."""
    import ray

    node = ray.get_runtime_context().get_node_id()
    dispatcher.started.remote(task.identity, node, socket.gethostname(), os.getpid())
    return {"status": "complete", "seconds": 1.0, "accuracy": 0.5}


class IdleDispatcher(RayDispatcher):
    """A dispatcher whose tasks do nothing."""

    def _carry_out(self) -> Any:
        import ray

        return ray.remote(max_retries=0)(nothing)

    async def _believed(self, task: FoldTask | ArtifactTask, told: dict[str, Any]) -> dict[str, Any]:
        return told  # nothing was stored

    def used(self) -> tuple[float, float]:
        """Resident memory in MiB and processor seconds of this process."""
        return memory_mib(), time.process_time()


class BareActor:
    """Submits tasks to Ray and hears of their starts: what a dispatcher cannot do without."""

    def __init__(self, places: int) -> None:
        self._places = asyncio.Semaphore(places)
        self._ended: list[str] = []

    def started(self, *_: Any) -> None:
        """Called by the workers."""

    def snapshot(self, known: int) -> dict[str, Any]:
        """As the dispatcher's, of which it has only what the benchmark reads."""
        return {"finished": self._ended[known:]}

    def used(self) -> tuple[float, float]:
        """As the dispatcher's."""
        return memory_mib(), time.process_time()

    async def run(self, tasks: list[FoldTask], lists: Any) -> None:
        """Run the tasks, in their order."""
        import ray

        own = ray.get_runtime_context().current_actor
        remote: Any = ray.remote(num_cpus=1, max_retries=0, scheduling_strategy="DEFAULT")(nothing)

        async def one(task: FoldTask) -> None:
            async with self._places:
                await remote.remote(task, "", 0, {}, own)
            self._ended.append(task.identity)

        await asyncio.gather(*map(one, tasks))


def family_seconds() -> float:
    """Processor seconds of this process and of all that descend from it and live."""
    found: dict[int, tuple[int, float]] = {}
    for place in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):  # it has ended
            values = place.read_text().rpartition(")")[2].split()
            found[int(place.parent.name)] = int(values[1]), sum(map(int, values[11:13]))

    def is_ours(process: int) -> bool:
        return process == os.getpid() or (process in found and is_ours(found[process][0]))

    return sum(ticks for process, (_, ticks) in found.items() if is_ours(process)) / os.sysconf("SC_CLK_TCK")


def memory_mib() -> float:
    """Resident memory of this process."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize() / 2**20


def planned_tasks(folder: Path, count: int, plan: Plan) -> list[FoldTask]:
    """Fold runs that differ in their seeds."""
    prepare_tiny(folder / "data", subjects=SUBJECTS)
    base = tiny_configuration(method="cnn")
    planned = plan_data(folder / "data", "synthetic", base, plan, search=True)
    (scope,) = scopes("inner", FOLDS, 0)
    made: list[FoldTask] = []
    while len(made) < count:
        made += step_tasks(replace(base, seed=len(made)), planned, machine_of(plan), scope.steps)
    return made[:count]


def measure(folder: Path, count: int, places: int, *, bare: bool) -> dict[str, Any]:
    """Run the tasks; the figures."""
    plan = Plan(folds=FOLDS, rounds=(4, 3, 3), retries=0)
    tasks = planned_tasks(folder, count, plan)
    _ = tasks[0].gflop  # counted once, and known to the dispatcher
    with connected(plan, folder / "ray.log"):
        import ray

        actor = ray.remote(BareActor if bare else IdleDispatcher).options(
            num_cpus=0, resources={HEAD: SLIVER}, max_concurrency=100_000
        )
        runs = folder / "runs"
        given = (str(runs), places, plan, driver_folder(runs / "experiments/rate"), None, known_costs())
        dispatcher: Any = actor.remote(places) if bare else actor.remote(*given)
        before = ray.get(dispatcher.used.remote())[1]
        all_before = family_seconds()
        started, slowest, known = time.perf_counter(), 0.0, 0
        answer = dispatcher.run.remote(*travelling(tasks))
        done: list[Any] = []
        while not done:
            done, _ = ray.wait([answer], timeout=1.0)
            asked = time.perf_counter()
            snapshot = ray.get(dispatcher.snapshot.remote(known))
            known += len(snapshot["finished"])
            slowest = max(slowest, time.perf_counter() - asked)
        seconds = time.perf_counter() - started
        memory, processor = ray.get(dispatcher.used.remote())
        together = family_seconds() - all_before
    return {
        "tasks": count,
        "tasks_a_second": round(count / seconds),
        "slowest_snapshot_seconds": round(slowest, 2),
        "task_bytes": len(pickle.dumps(tasks[0])),
        "dispatcher_mib": round(memory),
        "dispatcher_cpu_ms_a_task": round((processor - before) / count * 1000, 2),
        "all_cpu_ms_a_task": round(together / count * 1000, 2),
        "driver_mib": round(memory_mib()),
        "load": round(os.getloadavg()[0], 1),
    }


def main() -> None:
    """See the module's docstring."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tasks", type=int, default=10_000)
    parser.add_argument(
        "--places", type=int, default=4, help="of the window: on a cluster, two for each slot"
    )
    parser.add_argument("--bare", action="store_true", help="measure Ray alone")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="rate-") as folder:
        print(json.dumps(measure(Path(folder), arguments.tasks, arguments.places, bare=arguments.bare)))


if __name__ == "__main__":
    main()
