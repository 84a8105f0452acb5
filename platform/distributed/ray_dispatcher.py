"""The dispatcher as an actor on the cluster's head node, whose tasks are Ray tasks."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable
from pathlib import Path
from types import MappingProxyType
from typing import Any

from platform.config.configuration import Plan
from platform.distributed.cluster_nodes import ClusterNodes, Node, workers_on
from platform.distributed.dispatcher import Dispatcher
from platform.distributed.node_memory import NodeMemory
from platform.distributed.node_proofs import Facts, NodeProofs, asked_on_ray
from platform.distributed.placement_check import on_one_node
from platform.distributed.travel import Lists, lists_of
from platform.models.costs.known import KnownCosts, known_costs, remember_costs
from platform.runs.attempts import Attempts
from platform.runs.environment_failure import EnvironmentFailure
from platform.runs.failing_nodes import FailingNodes
from platform.runs.host_memory import host_memory_bytes
from platform.runs.node_proof import Expected, UnfitNode, expected_of_nodes, node_facts
from platform.runs.tasks import ArtifactTask, FoldTask

HEAD = "node:__internal_head__"
"""Ray's resource of the head node, of which it has 1."""
SLIVER = 0.001
"""Of that resource, to be placed there."""
COME_SECONDS = 60.0
"""How long another node is waited for where all that are up were refused: one of the autoscaler's, or one
that left."""
WINDOW = 2
"""Tasks handed to Ray for each that fits on the cluster, so that a worker that ends one finds the next."""


class RayDispatcher(Dispatcher):
    """A Dispatcher whose tasks are Ray tasks; runs as an actor on the head node.

    On an existing cluster (`slots` None) its window follows the nodes as they come and go, each of which
    proves itself before it gets a task, and may be set aside later.
    """

    def __init__(
        self,
        runs_root: str,
        slots: int | None,
        plan: Plan,
        folder: Path,
        expected: Expected | None = None,
        costs: Iterable[KnownCosts] = (),
        facts: Facts = node_facts,
    ) -> None:
        """folder: of the driver (`driver_folder`). expected: what nodes must show; None: nothing.
        costs: those that the driver has counted; for others this process imports torch. facts: gathers them
        on a node."""
        remember_costs(costs)
        super().__init__(runs_root, 0 if slots is None else slots, self._launch_on_ray, plan.retries)
        self._plan = plan
        self._runs_root = runs_root
        self._fixed_slots = slots
        self._attempts = Attempts(folder)
        self._nodes = ClusterNodes(note=self.note, left=self._left)
        self._proofs = (
            None
            if expected is None
            else NodeProofs(expected, self._nodes, note=self.note, ask=asked_on_ray(facts))
        )
        self._failing = FailingNodes()
        self._handed: dict[str, Any] = {}
        """What Ray answers for each task that was handed to it, by identity."""
        self._without_nodes_since: float | None = None
        self._has_had_nodes = False
        self._watching: list[asyncio.Future[None]] = []
        self._lists: dict[str, Any] = {}
        """Hash of each list of subjects that travels apart to Ray's reference of it."""
        self._remotes: dict[tuple[Any, ...], Any] = {}
        self._handle: Any = None
        self._seen: asyncio.Future[bool] | None = None
        at_once = (slots or 1) * max(1, plan.train_workers)
        self._memory = NodeMemory(plan.cpus_per_run, plan.gpus_per_run, at_once, nodes=self._resources)

    async def run(self, tasks: list[FoldTask], lists: Lists = MappingProxyType({})) -> list[dict[str, Any]]:
        """As in Dispatcher; the arguments are `travelling(tasks)`."""
        await self._see_nodes()
        if self._proofs is not None:
            self._proofs.require(tasks)
            await self._proofs.all_of()
        if self._fixed_slots is None:
            self._follow_nodes()
            if not self._watching:
                self._watching = [asyncio.ensure_future(self._nodes.watch(self._follow_nodes))]
                if self._proofs is not None:
                    self._watching.append(asyncio.ensure_future(self._proofs.tend(self._follow_nodes)))
        for name, reference in lists.items():
            await self._keep(name, reference)
        return await super().run(tasks)

    async def _keep(self, name: str, reference: Any) -> None:
        """Hold a list of subjects in the object store while this process lives: whoever asked may end."""
        import ray

        if name not in self._lists:
            subjects = await reference
            self._lists[name] = ray.put(subjects)

    async def lacks(self, node_id: str) -> list[str]:
        """Called by a worker process before its first task: what its node lacks, in sentences."""
        return [] if self._proofs is None else await self._proofs.of(node_id)

    def snapshot(self, known: int = 0) -> dict[str, Any]:
        """As in Dispatcher, with `slots`: fold runs that the cluster can compute at once, now; and without
        any, what is `waiting_for`."""
        slots = self._slots_now()
        lacking = "" if slots or not self._nodes.is_known else on_one_node(self._plan)
        return {**super().snapshot(known), "slots": slots, "waiting_for": lacking}

    async def _see_nodes(self) -> None:
        """List the nodes before the first task."""
        if self._seen is None:
            self._seen = asyncio.ensure_future(self._nodes.look())
        await self._seen

    def _slots_now(self) -> int:
        return self._nodes.slots(self._plan) if self._fixed_slots is None else self._fixed_slots

    def _follow_nodes(self) -> None:
        self.window.resize(
            window_limit(self._nodes.slots(self._plan), self._nodes.reach(self._plan), self._plan)
        )
        self._give_up_without_nodes()

    def _give_up_without_nodes(self) -> None:
        """Let nothing wait for ever where every node that could run something was refused."""
        if self._proofs is None:
            return
        import ray

        why = self._proofs.none_left(lambda node: workers_on(node.resources, self._plan) > 0)
        if why is None:
            self._without_nodes_since = None
            self._has_had_nodes |= any(node.id in self._proofs.passed for node in self._able())
            self.window.refuse(None)
            return
        self._without_nodes_since = self._without_nodes_since or time.monotonic()
        may_come = self._has_had_nodes or self._nodes.reach(self._plan) > 0
        if may_come and time.monotonic() - self._without_nodes_since < COME_SECONDS:
            return
        if self.window.refusal is None:
            self.window.refuse(why)
        for identity, answer in self._handed.items():
            if self._launched[identity].since is None:  # Ray has no node for it either
                ray.cancel(answer)

    def _left(self, node_id: str) -> None:
        self.node_left(node_id)
        self._failing.left(node_id)
        if self._proofs is not None:
            self._proofs.left(node_id)

    def _ended(self, node: str, task: FoldTask | ArtifactTask, failure: EnvironmentFailure | None) -> None:
        """As in Dispatcher: a node that fails what others can do is set aside."""
        # Separate Train workers may have been on other nodes than the task that waited for them.
        if not node or self._proofs is None or self._plan.train_workers or isinstance(failure, UnfitNode):
            return
        if failure is None:
            self._failing.finished(node, task.identity)
        else:
            self._failing.failed(node, task.identity)
        aside = self._failing.to_set_aside([one.id for one in self._able()])
        if aside is not None:
            host = self._nodes.host(aside)
            words = (
                f"{host} gets no more runs: {self._failing.count(aside)} in a row failed there, and other "
                f"nodes finish theirs"
            )
            self._nodes.exclude(aside, f"{words}.")
            self.note("set_aside", host, words)
            self._follow_nodes()

    def _able(self) -> list[Node]:
        """The nodes that may get runs and could carry one out."""
        return [node for node in self._nodes.usable() if workers_on(node.resources, self._plan) > 0]

    def _resources(self) -> tuple[list[Any], list[Any]]:
        up = [node.resources for node in self._nodes.usable()]
        return up, [one.resources for one in self._nodes.types]

    async def _launch_on_ray(self, task: FoldTask | ArtifactTask) -> dict[str, Any]:
        plan = self._plan
        wanted = self._memory.request(host_memory_bytes(task))
        lists = {name: self._lists[name] for name in lists_of(task)} if self._lists else {}
        selector = self._nodes.label_selector()
        attempt = await self._in_store(self._attempts.begin, task.identity)
        answer = self._request(wanted, selector).remote(
            task,
            self._runs_root,
            plan.train_workers,
            {"CPU": plan.cpus_per_run, "GPU": plan.gpus_per_run, "memory": wanted},
            self._own_handle(),
            attempt,
            "" if self._proofs is None else self._proofs.key,
            selector,
            # As arguments Ray brings them to the worker's node; separate Train workers get them themselves.
            lists if plan.train_workers else {},
            **({} if plan.train_workers else lists),
        )
        self._handed[task.identity] = answer
        try:
            manifest: dict[str, Any] = await answer
        except asyncio.CancelledError:
            import ray

            ray.cancel(answer)  # it may still be in Ray's queue
            raise
        finally:
            del self._handed[task.identity]
        if manifest["status"] == "complete":
            self._threads.submit(self._attempts.end, task.identity)  # nobody waits for it
        return manifest

    def _request(self, memory_bytes: int, selector: dict[str, str]) -> Any:
        """The remote function with what a task asks of Ray, made once for each request.

        Not named `_remote`: Ray gives every actor class an attribute of that name.
        """
        key = (memory_bytes, *selector.values())
        if key not in self._remotes:
            plan = self._plan
            in_worker = plan.train_workers == 0
            # With separate Train workers the task only waits, and the workers hold the resources.
            options: dict[str, Any] = {
                "num_cpus": plan.cpus_per_run if in_worker else 0,
                "num_gpus": plan.gpus_per_run if in_worker else 0,
                "memory": memory_bytes if in_worker else 0,
                # The default strategy, so that the autoscaler sees what is wanted.
                "scheduling_strategy": "DEFAULT",
            }
            if selector:
                options["label_selector"] = selector
            self._remotes[key] = self._carry_out().options(**options)
        return self._remotes[key]

    def _carry_out(self) -> Any:
        """The remote function that carries a task out."""
        from platform.distributed.train import carry_out

        return carry_out

    def _own_handle(self) -> Any:
        import ray

        if self._handle is None:
            self._handle = ray.get_runtime_context().current_actor
        return self._handle

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


def start_dispatcher(
    plan: Plan, runs_root: Path, slots: int | None, folder: Path, facts: Facts = node_facts
) -> Any:
    """A RayDispatcher as an actor on the head node; Ray must be connected.

    slots: fold runs at once on a private cluster; None: as many as the cluster's nodes can compute, each of
    which must have what this process has. folder: of this driver (`driver_folder`). facts: gathers what a
    node has, there.

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
    expected = None
    if slots is None:
        expected = expected_of_nodes(folder, Path(runs_root), on_gpus=plan.gpus_per_run > 0)
    return actor.remote(str(runs_root), slots, plan, folder, expected, known_costs(), facts)
