"""A Ray cluster as a place where fold runs compute: its GPUs, and measurements on its nodes.

The head needs no GPU. Each type of GPU is asked on a node that has it; if no node has one and the autoscaler
may add some, asking starts one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from platform.config.configuration import Plan
from platform.distributed.cluster import connected
from platform.distributed.cluster_nodes import listing_of_ray
from platform.experiments.measurements import FOLDER
from platform.experiments.place import MeasurementError
from platform.host.gpus import Gpu, GpusThere, gpus_here
from platform.host.processor import processor_name
from platform.runs.peak_memory import measured_peak_bytes
from platform.runs.tasks import ArtifactTask, FoldTask

if TYPE_CHECKING:
    from platform.runs.precision_speed import Speed

TYPE_PREFIX = "accelerator_type:"
"""Ray's resource of a node with GPUs of a type, of which it has 1."""
SLIVER = 0.001
"""Of that resource, to be placed on such a node."""
WAIT_SECONDS = 1200.0
"""For an answer of a node that may have to be started first, or whose GPUs other work holds."""

Ask = Callable[..., Any]
"""(function, arguments, resources as Ray's options) -> its result on a node with them; MeasurementError."""


@contextmanager
def cluster_place(address: str, runs_root: Path, tell: Callable[[str], None]) -> Iterator[ClusterPlace]:
    """The cluster at `address`. It is connected to once it is asked, until the end of the block.

    tell: shows a line to the user, who waits.
    """
    with ExitStack() as stack:

        def connect() -> None:
            stack.enter_context(connected(Plan(), runs_root / FOLDER / "ray.log", address))

        yield ClusterPlace(address, connect, tell)


@dataclass
class ClusterPlace:
    """As Place."""

    address: str
    """As `ray.init` takes it."""
    connect: Callable[[], None]
    """Connects to it; called once."""
    tell: Callable[[str], None]
    ask: Ask = field(default=lambda *arguments, **options: ask_node(*arguments, **options))
    _type_of: dict[str, str] = field(default_factory=dict)
    """Model of a GPU, as torch says it, to Ray's type."""
    _found: GpusThere | None = None
    _is_connected: bool = False

    is_cluster: bool = True

    @property
    def words(self) -> str:
        """As Place."""
        return f"the cluster at {self.address}"

    def gpus(self) -> GpusThere:
        """As Place."""
        self._connect()
        import ray

        if self._found is None:
            self._found = self.gpus_among(ray.nodes, most_resources())
        return self._found

    def gpus_among(
        self, nodes: Callable[[], Iterable[Mapping[str, Any]]], most: Mapping[str, float]
    ) -> GpusThere:
        """nodes: lists them as `ray.nodes`. most: resources that the autoscaler may reach."""
        counts = gpus_by_type(_resources(nodes()))
        may_grow = most.get("GPU", 0) > sum(counts.values())
        if not counts and not may_grow:
            return GpusThere(why_none="no node of the cluster has a GPU, and its autoscaler starts none")
        self.tell("Asking the cluster's GPU nodes ..." if counts else "Starting a GPU node to ask it ...")
        found: list[Gpu] = []
        reasons = []
        for kind, count in (counts or {"": 1}).items():
            try:
                there: GpusThere = self.ask(gpus_here, (), **_on_gpu(kind))
            except MeasurementError as error:
                reasons.append(str(error))
                continue
            if not there.gpus:
                reasons.append(there.why_none)
                continue
            self._type_of[there.gpus[0].name] = kind
            found += [there.gpus[0]] * count
        if not found:
            return GpusThere(why_none=f"the cluster's GPU nodes cannot use theirs: {'; '.join(reasons)}")
        numbered = tuple(replace(gpu, index=index) for index, gpu in enumerate(found))
        # Again: a node may have been started.
        beside = [one.get("CPU", 0) / one["GPU"] for one in _resources(nodes()) if one.get("GPU")]
        cpus = int(max(beside, default=1)) * len(numbered)
        return GpusThere(gpus=numbered, may_grow=may_grow, cpus=cpus)

    def peak_bytes(self, task: FoldTask | ArtifactTask, gpu: str) -> int | None:
        """As Place."""
        self._connect()
        found: int | None = self.ask(
            measured_peak_bytes, (task, "cuda"), **_on_gpu(self._type_of.get(gpu, ""))
        )
        return found

    def speed(self, gpu: str, cpu_threads: int) -> Speed:
        """As Place."""
        from platform.runs.precision_speed import measure_speed

        self._connect()
        if gpu:
            found: Speed = self.ask(
                measure_speed, ("cuda", cpu_threads), **_on_gpu(self._type_of.get(gpu, ""))
            )
        else:
            found = self.ask(measure_speed, ("cpu", cpu_threads), num_cpus=cpu_threads)
        return found

    def processor(self) -> str:
        """As Place."""
        self._connect()
        found: str = self.ask(processor_name, (), num_cpus=1)
        return found

    def _connect(self) -> None:
        if not self._is_connected:
            self.connect()
            self._is_connected = True


def _resources(nodes: Iterable[Mapping[str, Any]]) -> list[Mapping[str, float]]:
    return [node["Resources"] for node in nodes if node["Alive"]]


def gpus_by_type(nodes: Iterable[Mapping[str, float]]) -> dict[str, int]:
    """Ray's type of GPU to how many there are, from the resources of nodes; "": nodes that name no type."""
    counts: Counter[str] = Counter()
    for resources in nodes:
        count = int(resources.get("GPU", 0))
        if count:
            names = [name for name in resources if name.startswith(TYPE_PREFIX)]
            counts[names[0].removeprefix(TYPE_PREFIX) if names else ""] += count
    return dict(counts)


def _on_gpu(kind: str) -> dict[str, Any]:
    """Options of a Ray task that holds a GPU of that type."""
    needs = {TYPE_PREFIX + kind: SLIVER} if kind else {}
    return {"num_gpus": 1, "num_cpus": 1, "resources": needs}


def most_resources() -> Mapping[str, float]:
    """What the autoscaler of the connected cluster may reach; empty without one."""
    most: Counter[str] = Counter()
    for one in listing_of_ray().types:
        most.update({name: int(amount) * one.most for name, amount in one.resources.items()})
    return most


def ask_node(
    function: Callable[..., Any],
    arguments: tuple[Any, ...],
    *,
    timeout_seconds: float = WAIT_SECONDS,
    **options: Any,
) -> Any:
    """The function's result on a node with these resources. MeasurementError: it failed, or none answers."""
    import ray

    # A process of its own, which gives its memory back at once.
    remote: Any = ray.remote(max_calls=1, max_retries=0, **options)(function)
    pending = remote.remote(*arguments)
    try:
        return ray.get(pending, timeout=timeout_seconds)
    except ray.exceptions.GetTimeoutError as error:
        ray.cancel(pending, force=True)
        raise MeasurementError(f"no node answered within {timeout_seconds / 60:g} min") from error
    except ray.exceptions.RayError as error:
        last = (str(error).strip().splitlines() or [type(error).__name__])[-1]
        raise MeasurementError(last) from error
