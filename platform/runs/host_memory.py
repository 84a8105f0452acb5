"""Host memory of a task: what a scheduler must find on the node, beside processors and GPUs."""

from __future__ import annotations

from platform.runs.footprint import MIB, footprint
from platform.runs.peak_memory import face_bytes
from platform.runs.tasks import ArtifactTask, FoldTask

CUDA_PROCESS_BYTES = 3 * 1024 * MIB
"""A worker that trains on a GPU: torch, the libraries of CUDA and its context. 2 to 3 GiB by experience; not
measured here."""


def host_memory_bytes(task: FoldTask | ArtifactTask) -> int:
    """Expected peak of the task's process in the node's own memory, estimated.

    On a GPU the net is in the GPU's memory, and the host holds the training faces while they are moved there.
    """
    if task.record["device"] == "cpu":
        return int(footprint(task).memory) + face_bytes(task)
    return CUDA_PROCESS_BYTES + face_bytes(task)
