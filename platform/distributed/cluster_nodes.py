"""The nodes of the cluster as the dispatcher sees them: who is there, what each has, how many tasks fit."""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from platform.config.configuration import Plan
from platform.distributed.node_types import (
    REPORTED_KEY,
    REPORTED_NAMESPACE,
    NodeType,
    autoscaler_files_once,
    startable_types,
)

POLL_SECONDS = 2.0
NODE_LABEL = "ray.io/node-id"
"""Ray's label of every node, whose value is its id."""
ROUNDING = 1e-9
"""Ray counts in ten-thousandths: 0.3 + 0.6 GPUs fit in 0.9."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Node:
    """A node that is up."""

    id: str
    host: str
    resources: Mapping[str, float]
    """What it has in all, as Ray names it: CPU, GPU, memory in bytes, custom ones."""


@dataclass(frozen=True, kw_only=True)
class Listing:
    """The cluster at one moment."""

    nodes: tuple[Node, ...] = ()
    types: tuple[NodeType, ...] = ()


Lists = Callable[[], Listing]
"""Lists the cluster; may take seconds, and runs in a thread."""
Note = Callable[[str, str, str], None]
"""Takes an event: its kind (`joined`, `left`), the host, and words for a person."""


@dataclass
class ClusterNodes:
    """The cluster's nodes, listed again every POLL_SECONDS."""

    note: Note = lambda kind, host, words: None
    left: Callable[[str], None] = lambda node_id: None
    """Called with the id of a node that left."""
    lists: Lists = field(default_factory=lambda: listing_of_ray)
    excluded: dict[str, str] = field(default_factory=dict)
    """Ids of nodes that get no task, and why."""
    nodes: dict[str, Node] = field(default_factory=dict)
    """Those that are up, by id."""
    types: tuple[NodeType, ...] = ()
    is_known: bool = False
    """Whether they have been listed."""

    async def look(self) -> bool:
        """List the cluster once, off the event loop; whether anything changed. Notes who came and went."""
        return self.take(await asyncio.to_thread(self.lists))

    def take(self, listing: Listing) -> bool:
        """Compare a listing with the one before it; whether anything changed. The first is no event."""
        before, now = self.nodes, {node.id: node for node in listing.nodes}
        changed = not self.is_known or before != now or self.types != listing.types
        self.nodes, self.types = now, listing.types
        for node in (node for name, node in before.items() if name not in now):
            self.excluded.pop(node.id, None)
            self.left(node.id)
            self.note("left", node.host, f"{described(node)} left the cluster")
        for node in (node for name, node in now.items() if name not in before) if self.is_known else ():
            self.note("joined", node.host, f"{described(node)} joined the cluster")
        self.is_known = True
        return changed

    async def watch(self, changed: Callable[[], None], period_seconds: float = POLL_SECONDS) -> None:
        """Look again and again; call `changed` whenever something did. Ends only if it is cancelled."""
        while True:
            try:
                if await self.look():
                    changed()
            except Exception:  # the control store is busy or lost: what was known holds until it answers
                logger.exception("the nodes of the cluster could not be listed")
            await asyncio.sleep(period_seconds)

    def exclude(self, node_id: str, why: str) -> None:
        """Give the node no task from now on."""
        self.excluded[node_id] = why

    def admit(self, node_id: str) -> None:
        """Give the node tasks again."""
        self.excluded.pop(node_id, None)

    def host(self, node_id: str) -> str:
        """The node's host; empty for one that is not up."""
        return self.nodes[node_id].host if node_id in self.nodes else ""

    def hosts(self) -> set[str]:
        """Of the nodes that are up."""
        return {node.host for node in self.nodes.values()}

    def usable(self) -> list[Node]:
        """The nodes that are up and may get tasks."""
        return [node for name, node in self.nodes.items() if name not in self.excluded]

    def slots(self, plan: Plan, memory_bytes: float = 0.0) -> int:
        """Fold runs that fit on the usable nodes at once; memory_bytes: of each, where nodes state theirs."""
        return _runs(sum(workers_on(node.resources, plan, memory_bytes) for node in self.usable()), plan)

    def slots_of_node(self, plan: Plan, memory_bytes: float = 0.0) -> dict[str, int]:
        """Workers (without separate Train workers: fold runs) that fit on each usable node, by id."""
        return {node.id: workers_on(node.resources, plan, memory_bytes) for node in self.usable()}

    def reach(self, plan: Plan, memory_bytes: float = 0.0) -> int:
        """As `slots`, once the autoscaler has started all that it may."""
        grown = sum(one.most * workers_on(one.resources, plan, memory_bytes) for one in self.types)
        return max(self.slots(plan, memory_bytes), _runs(grown, plan))

    def label_selector(self) -> dict[str, str]:
        """Ray's option of a task that keeps it off the excluded nodes; empty if there are none."""
        kept_out = sorted(name for name in self.excluded if name in self.nodes)
        return {NODE_LABEL: f"!in({','.join(kept_out)})"} if kept_out else {}


def workers_on(resources: Mapping[str, float], plan: Plan, memory_bytes: float = 0.0) -> int:
    """Workers with a fold run's CPUs, GPUs and memory that fit on a node with these resources."""
    counts = [math.floor(resources.get("CPU", 0.0) / plan.cpus_per_run + ROUNDING)]
    if plan.gpus_per_run:
        counts.append(_on_gpus(resources.get("GPU", 0.0), plan.gpus_per_run))
    if memory_bytes and "memory" in resources:
        counts.append(math.floor(resources["memory"] / memory_bytes + ROUNDING))
    return min(counts)


def _on_gpus(gpus: float, each: float) -> int:
    """Ray takes a fraction from one GPU: of 0.3 each, three fit on a GPU and twelve on four."""
    if each >= 1:
        return math.floor(gpus / each + ROUNDING)
    return math.floor(gpus + ROUNDING) * math.floor(1 / each + ROUNDING)


def _runs(workers: int, plan: Plan) -> int:
    return workers // max(1, plan.train_workers)


def described(node: Node) -> str:
    """A node for a person: host, CPUs and GPUs."""
    cpus, gpus = node.resources.get("CPU", 0), node.resources.get("GPU", 0)
    return f"{node.host} ({cpus:g} CPUs, {gpus:g} GPUs)"


def slots_of_ray(plan: Plan) -> int:
    """Fold runs that fit on the connected cluster now."""
    nodes = ClusterNodes()
    nodes.take(listing_of_ray())
    return nodes.slots(plan)


def listing_of_ray() -> Listing:
    """The connected cluster. On its head, with the node types that its autoscaler may start."""
    import ray
    from ray._private.worker import global_worker

    store = ray.get_runtime_context().gcs_address
    # The connection's own client: the one of ray.experimental.internal_kv is gone once any other cluster that
    # this process started has been shut down.
    connection: Any = global_worker
    reported: bytes | None = connection.gcs_client.internal_kv_get(REPORTED_KEY, REPORTED_NAMESPACE)
    return Listing(
        nodes=tuple(
            Node(id=node["NodeID"], host=node["NodeManagerHostname"], resources=node["Resources"])
            for node in ray.nodes()
            if node["Alive"]
        ),
        types=startable_types(reported or b"", autoscaler_files_once(int(store.rpartition(":")[2]))),
    )
