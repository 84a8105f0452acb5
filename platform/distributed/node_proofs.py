"""Proofs of the cluster's nodes: each is asked what it has before its first task; what lacks keeps it out.

What a node must show is in platform/runs/node_proof.py. A node that was refused is asked again after a
while, because whoever mounts a disk there does not restart the search.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

from platform.distributed.cluster_nodes import ClusterNodes, Node, Note, described
from platform.runs.environment_failure import EnvironmentFailure
from platform.runs.node_proof import Expected, NodeFacts, lacking, node_facts, stores_of, token_read_back
from platform.runs.tasks import Task

ANSWER_SECONDS = 180.0
"""For an answer. It takes seconds, but where torch is read from a slow disk and asked for GPUs, minutes."""
START_SECONDS = 15.0
"""How long a search that starts waits for all answers; a worker waits for its own node's in any case."""
AGAIN_SECONDS = 60.0
"""After which a refused node is asked again."""
TEND_SECONDS = 2.0

Facts = Callable[[Expected, str, bool], NodeFacts]
"""As `node_facts`; called on the node."""
Ask = Callable[[Expected, Node], Awaitable[NodeFacts]]
"""Facts of a node; raises where it does not answer."""


@dataclass
class NodeProofs:
    """What each node lacks, for what the tasks so far need."""

    expected: Expected
    nodes: ClusterNodes
    note: Note
    ask: Ask
    clock: Callable[[], float] = time.time
    passed: set[str] = field(default_factory=set)
    """Nodes that have lacked nothing so far, those that left among them."""
    _proofs: dict[str, asyncio.Future[list[str]]] = field(default_factory=dict)
    _refused: dict[str, float] = field(default_factory=dict)
    """Nodes that were refused, and when, by the monotonic clock."""

    def require(self, tasks: Iterable[Task]) -> None:
        """Also ask for the prepared sets of these tasks; nodes that have proved less are asked again."""
        stores = tuple(sorted({*self.expected.stores, *stores_of(tasks)}, key=lambda one: one.folder))
        if stores != self.expected.stores:
            self.expected = replace(self.expected, stores=stores)
            self._proofs.clear()

    @property
    def key(self) -> str:
        """Names what is asked for now: a worker process asks once for each."""
        return f"{self.expected.token} {len(self.expected.stores)}"

    async def of(self, node_id: str) -> list[str]:
        """What the node lacks, in sentences; waits for its answer. Empty: it may get tasks."""
        if node_id not in self.nodes.nodes:
            await self.nodes.look()
        node = self.nodes.nodes.get(node_id)
        if node is None:
            return []  # it left while it was asked for
        return await asyncio.shield(self._begun(node))

    async def all_of(self, limit_seconds: float = START_SECONDS) -> None:
        """Ask every node that is up and has not been asked, and wait for the answers, but not for ever."""
        asked = [self._begun(node) for node in self.nodes.nodes.values()]
        if asked:
            await asyncio.wait(asked, timeout=limit_seconds)

    async def tend(self, changed: Callable[[], None], period_seconds: float = TEND_SECONDS) -> None:
        """Ask nodes that have joined, and refused ones again. Ends only if it is cancelled."""
        while True:
            now = time.monotonic()
            for node_id in [one for one, since in self._refused.items() if now - since >= AGAIN_SECONDS]:
                self._proofs.pop(node_id, None)
                self._refused[node_id] = now
            for node in self.nodes.nodes.values():
                self._begun(node)
            changed()
            await asyncio.sleep(period_seconds)

    def left(self, node_id: str) -> None:
        """The node is gone; one of its id that comes back is asked anew."""
        self._proofs.pop(node_id, None)
        self._refused.pop(node_id, None)

    def none_left(self, may_work: Callable[[Node], bool]) -> EnvironmentFailure | None:
        """Why no node may get tasks, if all are refused that `may_work`: the sentences of each."""
        able = [node for node in self.nodes.nodes.values() if may_work(node)]
        if not able or any(node.id not in self.nodes.excluded for node in able):
            return None
        said = " ".join(dict.fromkeys(self.nodes.excluded[node.id] for node in able))
        return EnvironmentFailure(f"no node of the cluster may get runs. {said.rstrip('.')}")

    def _begun(self, node: Node) -> asyncio.Future[list[str]]:
        if node.id not in self._proofs:
            self._proofs[node.id] = asyncio.ensure_future(self._prove(node))
        return self._proofs[node.id]

    async def _prove(self, node: Node) -> list[str]:
        lacks = await self._lacks(node)
        if node.id not in self.nodes.nodes:
            return lacks
        if not lacks:
            self.passed.add(node.id)
        said = " ".join([f"{node.host} gets no runs:", *lacks])
        if lacks and self.nodes.excluded.get(node.id) != said:
            self.note("refused", node.host, said.rstrip("."))
        if lacks:
            self.nodes.exclude(node.id, said)
            self._refused[node.id] = time.monotonic()
        elif self._refused.pop(node.id, None) is not None:
            self.nodes.admit(node.id)
            self.note("admitted", node.host, f"{described(node)} lacks nothing any more")
        return lacks

    async def _lacks(self, node: Node) -> list[str]:
        asked_at = self.clock()
        try:
            facts = await asyncio.wait_for(self.ask(self.expected, node), ANSWER_SECONDS)
        except TimeoutError:
            return [f"it did not say what it has within {ANSWER_SECONDS:.0f} s."]
        except Exception as error:
            with suppress(Exception):
                await self.nodes.look()  # it may have left
            first = (str(error).strip().splitlines() or [""])[-1]
            return [
                f"our code does not run there ({type(error).__name__}: {first}): set it up as the others."
            ]
        answered_at, offered = self.clock(), node.resources.get("GPU", 0.0)
        lacks = lacking(
            self.expected, facts, asked_at=asked_at, answered_at=answered_at, gpus_offered=offered
        )
        if not facts.runs:
            missing = await asyncio.to_thread(token_read_back, self.expected, node.id)
            lacks += [missing] if missing else []
        return lacks


def asked_on_ray(facts: Facts = node_facts) -> Ask:
    """Asks nodes through Ray; `facts` runs there, in a worker process."""

    import ray
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    remote: Any = ray.remote(num_cpus=0, max_retries=1)(facts)

    async def ask(expected: Expected, node: Node) -> NodeFacts:
        there = remote.options(scheduling_strategy=NodeAffinitySchedulingStrategy(node.id, soft=False))
        answer: NodeFacts = await there.remote(expected, node.id, node.resources.get("GPU", 0) > 0)
        return answer

    return ask
