"""A dispatcher on a cluster of several raylets of this machine, one of which is killed and one added.

Usage: `python -m tests.distributed.several_nodes FOLDER`; writes FOLDER/found.json. A program of its own: a
process can be connected to one cluster only. Tasks only note where they run and wait.
"""

from __future__ import annotations

import json
import os
import socket
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from platform.config.configuration import Plan
from platform.distributed.ray_dispatcher import HEAD, SLIVER, RayDispatcher
from platform.distributed.ray_settings import QUIET, WORKERS_ENVIRONMENT, keep_others_out
from platform.distributed.travel import travelling
from platform.models.costs.known import known_costs
from platform.runs.attempts import driver_folder
from platform.runs.fold_tasks import final_tasks, machine_of, plan_data
from platform.runs.node_proof import expected_of_nodes
from platform.runs.store import ResultsStore
from platform.runs.tasks import FoldTask
from tests.tiny_faces import prepare_tiny, tiny_configuration

CPUS = 2
NOTICED_SOON = {"health_check_initial_delay_ms": 0, "health_check_period_ms": 1000} | {
    "health_check_failure_threshold": 3
}


def pretend(task: Any, runs_root: str, workers: int, held: Any, dispatcher: Any, *_: Any, **__: Any) -> Any:
    """Report and note this worker, wait until the task's kind may end, and store a result."""
    import ray

    root, node = Path(runs_root), ray.get_runtime_context().get_node_id()
    dispatcher.started.remote(task.identity, node, socket.gethostname(), os.getpid())
    with (root / "starts").open("a") as file:
        file.write(json.dumps([task.identity, node, os.getpid()]) + "\n")
    time.sleep(0.3)
    while task.identity in (root / "held").read_text() and not (root / "go").exists():
        time.sleep(0.05)
    return ResultsStore(root).write(task.kind, task.identity, task.record, {}, seconds=1.0, accuracy=0.5)


class Pretending(RayDispatcher):
    """A dispatcher of such tasks."""

    def _carry_out(self) -> Any:
        import ray

        return ray.remote(max_retries=0)(pretend)

    def where(self) -> tuple[str, int]:
        """Node and process."""
        import ray

        return ray.get_runtime_context().get_node_id(), os.getpid()


def starts(root: Path) -> list[tuple[str, str, int]]:
    """Identity, node and process of every start so far, in order."""
    lines = (root / "starts").read_text().splitlines()
    return [tuple(json.loads(line)) for line in lines]


def until(there: Callable[[], Any]) -> None:
    """Wait for it."""
    for _ in range(1200):
        if there():
            return
        time.sleep(0.1)
    raise AssertionError("it did not come")


def order(root: Path, dispatcher: Any, tasks: list[FoldTask]) -> dict[str, Any]:
    """Run the tasks; what started in which order."""
    import ray

    ray.get(dispatcher.run.remote(*travelling(tasks)))
    return {"order": [identity for identity, _, _ in starts(root)]}


def lose_a_node(
    root: Path, dispatcher: Any, cluster: Any, second: Any, tasks: list[FoldTask]
) -> dict[str, Any]:
    """Kill the second worker node while every CPU is busy, then add a third."""
    import ray

    known = len(starts(root))
    (root / "held").write_text(" ".join(task.identity for task in tasks))
    before = ray.get(dispatcher.where.remote())
    answer = dispatcher.run.remote(*travelling(tasks))
    until(lambda: len(starts(root)) == known + len(tasks))
    slots = [ray.get(dispatcher.snapshot.remote(0))["slots"]]
    cluster.remove_node(second, allow_graceful=False)
    until(lambda: ray.get(dispatcher.snapshot.remote(0))["slots"] == CPUS)
    snapshot = ray.get(dispatcher.snapshot.remote(0))
    cluster.add_node(num_cpus=CPUS)
    until(lambda: ray.get(dispatcher.snapshot.remote(0))["slots"] == 2 * CPUS)
    (root / "go").touch()
    statuses = [manifest["status"] for manifest in ray.get(answer)]
    return {
        "starts": starts(root)[known:],
        "statuses": statuses,
        "dispatcher": [before, ray.get(dispatcher.where.remote())],
        "slots": [*slots, snapshot["slots"]],
        "lost": second.node_id,
        "events": [one["kind"] for one in ray.get(dispatcher.snapshot.remote(0))["events"]],
    }


def main() -> None:
    """See the module's docstring."""
    root = Path(sys.argv[1])
    for name, value in QUIET.items():
        os.environ.setdefault(name, value)
    keep_others_out()
    import ray
    from ray.cluster_utils import Cluster

    plan = Plan(folds=2, retries=0)
    prepare_tiny(root / "data", subjects=40)
    made = tiny_configuration(method="cnn")
    planned = plan_data(root / "data", "synthetic", made, plan)
    (root / "held").touch()

    def tasks(method: str, **changes: int) -> list[FoldTask]:
        return final_tasks(tiny_configuration(method=method, **changes), planned, machine_of(plan))

    short = [task for epochs in range(1, 7) for task in tasks("cnn", stage2_constant_epochs=epochs)]
    chained = tasks("fmpn", stage2_constant_epochs=200)
    head = {"num_cpus": 0, "include_dashboard": False, "_system_config": NOTICED_SOON}
    cluster = Cluster(initialize_head=True, head_node_args=head)
    try:
        _, second = (cluster.add_node(num_cpus=CPUS) for _ in range(2))
        workers = {"env_vars": WORKERS_ENVIRONMENT}
        ray.init(address=cluster.address, runtime_env=workers, log_to_driver=False, logging_level="ERROR")
        folder = driver_folder(root / "experiments" / "one")
        actor = ray.remote(Pretending).options(num_cpus=0, resources={HEAD: SLIVER}, max_concurrency=1000)
        expected = expected_of_nodes(folder, root, on_gpus=False)
        by_work = sorted(short, key=lambda task: task.gflop, reverse=True)
        dispatcher: Any = actor.remote(str(root), None, plan, folder, expected, known_costs())
        found = order(root, dispatcher, [*short, *chained])
        found |= lose_a_node(root, dispatcher, cluster, second, tasks("cnn", seed=1) + tasks("cnn", seed=2))
        found["head"] = cluster.head_node.node_id
        found["expected"] = [one.artifacts["stage1"].identity for one in chained]
        found["expected"] += [one.identity for one in by_work]
        found["chained"] = [one.identity for one in chained]
        (root / "found.json").write_text(json.dumps(found))
    finally:
        ray.shutdown()
        cluster.shutdown()


if __name__ == "__main__":
    main()
