"""Memory that a task asks of Ray: what it needs, but never more than a node could give.

Ray places no task whose `memory` no node has, so a request is cut to the largest node: an estimate that is
too high must not keep a small machine from trying.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

LIKELY_SHARE = 0.8
"""Of the memory that a node type of the autoscaler states: what a started node offers varies."""
REMEMBERED_SECONDS = 30.0

Nodes = Callable[[], tuple[Iterable[Mapping[str, float]], Iterable[Mapping[str, float]]]]
"""Resources of the nodes that are up, and of the node types that the autoscaler may start."""


@dataclass
class NodeMemory:
    """The memory of the cluster's nodes, asked again after a while, because nodes come and go."""

    cpus: float
    """CPUs that a task needs; nodes with fewer do not count."""
    gpus: float
    at_once: int
    """Tasks that must fit on one node: the slots of a private cluster, times the workers of a task."""
    nodes: Nodes
    clock: Callable[[], float] = time.monotonic
    _largest: float = 0.0
    _asked: float | None = None

    def request(self, needed_bytes: int) -> int:
        """What a task that needs so much asks for.

        0 if no node states its memory, or a type does not that the autoscaler may start: it starts none of a
        type for a task that asks for more than the type states, even if all its nodes have it.
        """
        now = self.clock()
        if self._asked is None or now - self._asked > REMEMBERED_SECONDS:
            self._largest, self._asked = self._found(), now
        return int(min(needed_bytes, self._largest / self.at_once))

    def _found(self) -> float:
        up, startable = self.nodes()
        types = [one.get("memory", 0.0) for one in startable if self._fits(one)]
        if not all(types):
            return 0.0
        return max(
            [LIKELY_SHARE * memory for memory in types]
            + [one.get("memory", 0.0) for one in up if self._fits(one)],
            default=0.0,
        )

    def _fits(self, resources: Mapping[str, float]) -> bool:
        return resources.get("CPU", 0) >= self.cpus and resources.get("GPU", 0) >= self.gpus
