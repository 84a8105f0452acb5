"""A cluster of several raylets on this machine, each of which stands for a node and can be lost."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.distributed.processes import descendants

HEAD = {
    "num_cpus": 0,
    # A lost node is noticed within 3 s instead of Ray's 30.
    "_system_config": {
        "health_check_initial_delay_ms": 0,
        "health_check_period_ms": 1000,
        "health_check_failure_threshold": 3,
    },
}


class Raylets:
    """A head without CPUs, and worker nodes with one each."""

    def __init__(self, cluster: Any) -> None:
        self._cluster = cluster

    @property
    def address(self) -> str:
        """For `--address`."""
        address: str = self._cluster.address
        return address

    def add(self) -> Any:
        """Start a worker node; it is returned once it has joined."""
        return self._cluster.add_node(num_cpus=1)

    def at_work(self) -> list[Any]:
        """The worker nodes with a fold run, or a stage before it, at this moment."""
        return [
            node
            for node in self._cluster.worker_nodes
            if any(name.startswith("ray::carry_out") for name in _processes(node).values())
        ]

    def kill(self, node: Any) -> None:
        """End all processes of a worker node at once, as when its host loses power."""
        self._cluster.remove_node(node, allow_graceful=False)


def _processes(node: Any) -> dict[int, str]:
    """Process id to command line of what a node's raylet has started."""
    (raylet,) = node.all_processes["raylet"]
    return descendants(raylet.process.pid)


@contextmanager
def running_raylets(workers: int) -> Iterator[Raylets]:
    """Context with a cluster of `workers` worker nodes, which only this machine can reach."""
    from ray.cluster_utils import Cluster

    from platform.distributed.ray_settings import QUIET, keep_others_out

    for name, value in QUIET.items():
        os.environ.setdefault(name, value)
    keep_others_out()
    cluster = Cluster(initialize_head=True, head_node_args={**HEAD, "include_dashboard": False})
    try:
        raylets = Raylets(cluster)
        for _ in range(workers):
            raylets.add()
        yield raylets
    finally:
        cluster.shutdown()
