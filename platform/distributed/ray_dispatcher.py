"""The dispatcher as an actor on the cluster's head node, whose tasks are Ray tasks."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from platform.config.configuration import Plan
from platform.distributed.cluster_nodes import ClusterNodes
from platform.distributed.dispatcher import Dispatcher
from platform.distributed.node_memory import NodeMemory
from platform.models.costs.known import KnownCosts, known_costs, remember_costs
from platform.runs.host_memory import host_memory_bytes
from platform.runs.tasks import ArtifactTask, FoldTask

HEAD = "node:__internal_head__"
"""Ray's resource of the head node, of which it has 1."""
SLIVER = 0.001
"""Of that resource, to be placed there."""
WINDOW = 2
"""Tasks handed to Ray for each that fits on the cluster, so that a worker that ends one finds the next."""


class RayDispatcher(Dispatcher):
    """A Dispatcher whose tasks are Ray tasks; runs as an actor on the head node.

    On an existing cluster (`slots` None) its window follows the nodes as they come and go.
    """

    def __init__(
        self, runs_root: str, slots: int | None, plan: Plan, costs: Iterable[KnownCosts] = ()
    ) -> None:
        """costs: those that the driver has counted; for others this process imports torch."""
        remember_costs(costs)
        super().__init__(runs_root, 0 if slots is None else slots, self._launch_on_ray, plan.retries)
        self._plan = plan
        self._runs_root = runs_root
        self._fixed_slots = slots
        self._nodes = ClusterNodes(note=self.note)
        self._watching: asyncio.Future[None] | None = None
        self._seen: asyncio.Future[bool] | None = None
        at_once = (slots or 1) * max(1, plan.train_workers)
        self._memory = NodeMemory(plan.cpus_per_run, plan.gpus_per_run, at_once, nodes=self._resources)

    async def run(self, tasks: list[FoldTask]) -> list[dict[str, Any]]:
        """As in Dispatcher."""
        await self._see_nodes()
        return await super().run(tasks)

    def snapshot(self, known: int = 0) -> dict[str, Any]:
        """As in Dispatcher, with `slots`: fold runs that the cluster can compute at once, now."""
        return {**super().snapshot(known), "slots": self._slots_now()}

    async def _see_nodes(self) -> None:
        """List the nodes before the first task, and from then on all the time on an existing cluster."""
        if self._seen is None:
            self._seen = asyncio.ensure_future(self._nodes.look())
        await self._seen
        if self._fixed_slots is None and self._watching is None:
            self._follow_nodes()
            self._watching = asyncio.ensure_future(self._nodes.watch(self._follow_nodes))

    def _slots_now(self) -> int:
        return self._nodes.slots(self._plan) if self._fixed_slots is None else self._fixed_slots

    def _follow_nodes(self) -> None:
        self.window.resize(
            window_limit(self._nodes.slots(self._plan), self._nodes.reach(self._plan), self._plan)
        )

    def _resources(self) -> tuple[list[Any], list[Any]]:
        up = [node.resources for node in self._nodes.usable()]
        return up, [one.resources for one in self._nodes.types]

    async def _launch_on_ray(self, task: FoldTask | ArtifactTask) -> dict[str, Any]:
        import ray

        from platform.distributed.train import carry_out

        plan = self._plan
        in_worker = plan.train_workers == 0
        wanted = self._memory.request(host_memory_bytes(task))
        # With separate Train workers the task only waits, and the workers hold the resources.
        options: dict[str, Any] = {
            "num_cpus": plan.cpus_per_run if in_worker else 0,
            "num_gpus": plan.gpus_per_run if in_worker else 0,
            "memory": wanted if in_worker else 0,
            # The default strategy, so that the autoscaler sees what is wanted.
            "scheduling_strategy": "DEFAULT",
        }
        selector = self._nodes.label_selector()
        if selector:
            options["label_selector"] = selector
        own = ray.get_runtime_context().current_actor
        resources = {"CPU": plan.cpus_per_run, "GPU": plan.gpus_per_run, "memory": wanted}
        remote = carry_out.options(**options)
        manifest: dict[str, Any] = await remote.remote(
            task, self._runs_root, plan.train_workers, resources, own
        )
        return manifest

    def _only_host(self) -> str:
        """As in Dispatcher."""
        hosts = self._nodes.hosts()
        return next(iter(hosts)) if len(hosts) == 1 else ""


def window_limit(slots: int, reach: int, plan: Plan) -> int:
    """Tasks to hand to Ray at once, of which `slots` fit now, and `reach` once the autoscaler has grown it.

    Those that wait with Ray are what the autoscaler grows for. With separate Train workers each of them costs
    a process that waits, so there are as many as fit, and at most one for each where more may come.
    """
    if plan.train_workers:
        return slots if reach <= slots else min(reach, WINDOW * slots + 1)
    return max(WINDOW * slots, reach)


def start_dispatcher(plan: Plan, runs_root: Path, slots: int | None) -> Any:
    """A RayDispatcher as an actor on the head node; Ray must be connected.

    slots: fold runs at once on a private cluster; None: as many as the cluster's nodes can compute.

    If its process is lost, Ray restarts it and repeats all unanswered calls. Finished tasks are in the
    results store; running ones ended with the process, their owner: on the head it is lost only with the
    cluster, or by itself.
    """
    import ray

    actor = ray.remote(RayDispatcher).options(
        num_cpus=0,
        resources={HEAD: SLIVER},
        max_concurrency=100_000,
        max_restarts=-1,
        max_task_retries=-1,
    )
    return actor.remote(str(runs_root), slots, plan, known_costs())
