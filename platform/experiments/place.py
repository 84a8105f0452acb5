"""Where fold runs will compute, as far as planning asks: its GPUs, and measurements there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from platform.host.gpus import GpusThere, gpus_here
from platform.host.own_process import OwnProcessError, in_own_process
from platform.runs.peak_memory import measured_peak_bytes
from platform.runs.tasks import ArtifactTask, FoldTask

if TYPE_CHECKING:
    from platform.runs.precision_speed import Speed

PEAK_TIMEOUT_SECONDS = 300.0
SPEED_TIMEOUT_SECONDS = 120.0


class MeasurementError(Exception):
    """A measurement could not be made; says why."""


class Place(Protocol):
    """This machine or a cluster. Tests have one of their own."""

    @property
    def words(self) -> str:
        """`this machine`, `the cluster at auto`."""
        ...

    @property
    def is_cluster(self) -> bool:
        """Whether asking it takes a connection, and perhaps the start of a node."""
        ...

    def gpus(self) -> GpusThere:
        """Its GPUs that torch can use."""
        ...

    def peak_bytes(self, task: FoldTask | ArtifactTask, gpu: str) -> int | None:
        """Peak memory of training the task on a GPU of the model `gpu`; None: it does not fit.

        MeasurementError: it cannot be measured.
        """
        ...

    def speed(self, gpu: str, cpu_threads: int) -> Speed:
        """Training in either precision on a GPU of that model, or, if it is empty, on a processor.

        MeasurementError: it cannot be measured.
        """
        ...

    def processor(self) -> str:
        """Model of its processors."""
        ...


@dataclass(frozen=True)
class ThisMachine:
    """The machine that the command runs on. Its GPUs are used in processes of their own, which free them."""

    words: str = "this machine"
    is_cluster: bool = False

    def gpus(self) -> GpusThere:
        """As Place."""
        return gpus_here()

    def peak_bytes(self, task: FoldTask | ArtifactTask, gpu: str) -> int | None:
        """As Place."""
        try:
            found: int | None = in_own_process(
                measured_peak_bytes, task, "cuda", timeout_seconds=PEAK_TIMEOUT_SECONDS
            )
        except OwnProcessError as error:
            raise MeasurementError(str(error)) from error
        return found

    def speed(self, gpu: str, cpu_threads: int) -> Speed:
        """As Place."""
        from platform.runs.precision_speed import measure_speed

        if not gpu:
            return measure_speed("cpu", cpu_threads)
        try:
            found: Speed = in_own_process(
                measure_speed, "cuda", cpu_threads, timeout_seconds=SPEED_TIMEOUT_SECONDS
            )
        except OwnProcessError as error:
            raise MeasurementError(str(error)) from error
        return found

    def processor(self) -> str:
        """As Place."""
        from platform.host.processor import processor_name

        return processor_name()
