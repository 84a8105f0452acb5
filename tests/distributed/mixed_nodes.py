"""Fold runs on a cluster of CPU and GPU nodes, whose GPUs Ray only counts, for test_teams.py.

python -m tests.distributed.mixed_nodes DATA RUNS
"""

from __future__ import annotations

import os
import secrets
import sys
import time
from pathlib import Path
from typing import Any

from platform.distributed.ray_settings import QUIET, workers_environment

# Read when Ray is imported.
os.environ.update({**QUIET, "RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(32)})

import ray

from platform.config.configuration import Plan
from platform.distributed.ray_dispatcher import HEAD, SLIVER, RayDispatcher
from platform.runs.attempts import driver_folder
from platform.runs.fold_tasks import final_tasks, plan_data
from platform.runs.planned_tasks import Machine
from platform.runs.store import ResultsStore
from tests.tiny_faces import tiny_configuration


@ray.remote
def record_place(task: Any, runs_root: str, *rest: Any) -> dict[str, Any]:
    """Stands for `carry_out`: stores where it ran instead of training."""
    node = ray.get_runtime_context().get_node_id()
    began = time.time()
    time.sleep(0.3)
    facts = {"node": node, "gpus": ray.get_gpu_ids(), "began": began, "ended": time.time()}
    return ResultsStore(Path(runs_root)).write(task.kind, task.identity, task.record, {}, **facts)


class RecordingDispatcher(RayDispatcher):
    """A RayDispatcher whose tasks record their place."""

    def _carry_out(self) -> Any:
        return record_place


def at_once(manifests: list[dict[str, Any]]) -> int:
    """Most runs that had begun and not ended at one moment."""
    return max(
        sum(other["began"] <= one["began"] < other["ended"] for other in manifests) for one in manifests
    )


def main() -> None:
    """Ends with an error where a run is not where it belongs."""
    from ray.cluster_utils import Cluster

    data_root, runs = map(Path, sys.argv[1:])
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
    cluster.add_node(num_cpus=4)
    cluster.add_node(num_cpus=4, num_gpus=1)
    try:
        ray.init(
            address=cluster.address,
            log_to_driver=False,
            runtime_env={"env_vars": workers_environment()},
        )
        gpu_node = next(node["NodeID"] for node in ray.nodes() if node["Resources"].get("GPU"))
        check_places(data_root, runs, gpu_node)
        check_missing_gpu(data_root, runs / "real")
    finally:
        ray.shutdown()
        cluster.shutdown()


def check_places(data_root: Path, runs: Path, gpu_node: str) -> None:
    """Whole GPUs, halves of one, and none: where the runs were, and how many at once."""
    for gpus, slots in ((1.0, 1), (0.5, 2), (0.0, 9)):
        manifests, snapshot = run(RecordingDispatcher, data_root, runs / f"{gpus}", gpus)
        assert [one["status"] for one in manifests] == ["complete"] * 6, manifests
        assert snapshot["slots"] == slots, snapshot["slots"]
        if gpus:
            assert {one["node"] for one in manifests} == {gpu_node}
            assert all(len(one["gpus"]) == 1 for one in manifests)
            assert at_once(manifests) <= slots
        else:
            assert all(one["gpus"] == [] for one in manifests), "a run on the CPU may use no GPU"


def check_missing_gpu(data_root: Path, runs: Path) -> None:
    """The GPU is counted, but not there: a sentence, and nothing stored as failed."""
    manifests, _ = run(RayDispatcher, data_root, runs, 1.0)
    for one in manifests:
        assert one["status"] == "lost", one
        assert "torch finds no GPU" in one["reason"], one["reason"]
    assert not list(runs.glob("fold_runs/*/manifest.json"))


def run(
    kind: type[RayDispatcher], data_root: Path, runs: Path, gpus: float
) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Manifests of six fold runs with these GPUs, and the dispatcher's last snapshot."""
    plan = Plan(folds=6, rounds=(6,), trials=4, retries=0, gpus_per_run=gpus)
    machine = Machine(device="cuda" if gpus else "cpu")
    planned = plan_data(data_root, "synthetic", tiny_configuration(), plan, search=True)
    tasks = final_tasks(tiny_configuration(method="cnn"), planned, machine)
    actor = ray.remote(kind).options(num_cpus=0, resources={HEAD: SLIVER}, max_concurrency=1000)
    dispatcher = actor.remote(str(runs), None, plan, driver_folder(runs / "experiments" / "mixed"))
    manifests = ray.get(dispatcher.run.remote(tasks), timeout=240)
    snapshot = ray.get(dispatcher.snapshot.remote())
    ray.kill(dispatcher)
    return manifests, snapshot


if __name__ == "__main__":
    main()
