"""A place with GPUs of a test's choice, which counts what it is asked."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from platform.experiments.place import MeasurementError
from platform.host.gpus import Gpu, GpusThere
from platform.runs.precision_speed import Speed
from platform.runs.tasks import ArtifactTask, FoldTask

GIB = 2**30


def gpu(index: int = 0, *, name: str = "NVIDIA H200", total: float = 140, free: float = 139) -> Gpu:
    """A GPU; memory in GiB."""
    return Gpu(index=index, name=name, total_bytes=int(total * GIB), free_bytes=int(free * GIB))


@dataclass
class FakePlace:
    """As Place."""

    there: GpusThere = field(default_factory=lambda: GpusThere(why_none="this machine has no GPU"))
    peak_gib: float | None = 10.0
    ratio: float = 3.0
    """How many times as fast bf16 is."""
    failure: str = ""
    """Why nothing can be measured; empty: it can."""
    words: str = "this machine"
    is_cluster: bool = False
    asked: Counter[str] = field(default_factory=Counter)

    def gpus(self) -> GpusThere:
        """As Place."""
        self.asked["gpus"] += 1
        return self.there

    def peak_bytes(self, task: FoldTask | ArtifactTask, gpu: str) -> int | None:
        """As Place."""
        self._ask("peak")
        return None if self.peak_gib is None else int(self.peak_gib * GIB)

    def speed(self, gpu: str, cpu_threads: int) -> Speed:
        """As Place."""
        self._ask("speed")
        return Speed(device=gpu or self.processor(), fp32_seconds=float(self.ratio), bf16_seconds=1.0)

    def processor(self) -> str:
        """As Place."""
        return "a processor"

    def _ask(self, what: str) -> None:
        self.asked[what] += 1
        if self.failure:
            raise MeasurementError(self.failure)
