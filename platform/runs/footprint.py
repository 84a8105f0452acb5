"""Memory and disk space of a task: peak memory in training, size of result and checkpoints.

Arithmetic over what is counted from the task's net (platform/models/costs/); `python -m benchmarks.footprint`
compares the count with what training on a CPU keeps.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from platform.runs.tasks import ArtifactTask, FoldTask

MIB = 2**20
BYTES_A_PARAMETER = 4
"""float32."""
BYTES_OF_MOMENTS_A_PARAMETER = 8
"""Adam's two moments of a trained parameter, which a checkpoint holds."""
BYTES_OF_TRAINING_A_PARAMETER = 12
"""Its gradient, which no checkpoint holds, and the moments."""
BF16_SHARE = 0.5
"""Kept activations in bf16, as a share of those in float32. Measured, not counted: autocast has no effect on
the meta device."""
CHECKPOINTS_AT_ONCE = 3
"""Two are kept, and a third is written before the oldest is removed."""
WORKSPACE = 1.17
"""Ratio of peak memory to kept activations, for intermediate gradients and workspaces. With PROCESS_BYTES it
gives 10.5 GiB for the 10.7 measured in stage 1 (5.5 for 5.8 in bf16), and 7.8 for the 7.4 measured in stage 2
(docs/performance.md)."""
PROCESS_BYTES = 512 * MIB
"""A worker that has imported torch and trains nothing yet."""
PICTURE_TILES = 32
"""Eight faces in four rows, with at most three bytes per pixel."""
CURVE_BYTES_AN_EPOCH = 160
SMALL_FILES_BYTES = 64 * 1024
"""Record, manifest and predictions of a fold run, in whole blocks of the file system."""


@dataclass(frozen=True, kw_only=True)
class Footprint:
    """Bytes of one task."""

    least_memory: float
    """Lower bound: weights, Adam's moments and the activations that the backward pass needs."""
    memory: float
    """Expected peak of the process."""
    result: float
    """On disk once it is finished."""
    checkpoints: float
    """On disk while it runs."""


def footprint(task: FoldTask | ArtifactTask, *, keep_weights: bool | None = None) -> Footprint:
    """Memory and disk space of the task.

    keep_weights: whether the result keeps them; None: as artifacts and final fold runs do, and others do not.
    """
    config: dict[str, Any] = task.record["config"]
    costs = task.costs
    kept_bytes = costs.kept_bytes_an_image * task.batch_size
    if config["precision"] == "bf16":
        kept_bytes *= BF16_SHARE
    weights = BYTES_A_PARAMETER * costs.parameters
    if keep_weights is None:
        keep_weights = isinstance(task, ArtifactTask) or task.role == "final"
    small = SMALL_FILES_BYTES + CURVE_BYTES_AN_EPOCH * task.epochs
    pictured = 0 if isinstance(task, ArtifactTask) else config.get("image_size_pixels", 0)
    pictures = PICTURE_TILES * 3 * pictured**2
    trained = weights + BYTES_OF_TRAINING_A_PARAMETER * costs.trained_parameters
    checkpoint = weights + BYTES_OF_MOMENTS_A_PARAMETER * costs.trained_parameters
    return Footprint(
        least_memory=trained + kept_bytes,
        memory=PROCESS_BYTES + trained + WORKSPACE * kept_bytes,
        result=small + pictures + (weights if keep_weights else 0),
        checkpoints=CHECKPOINTS_AT_ONCE * checkpoint,
    )


def gibibytes(count: float) -> str:
    """`10.7 GiB`, `35 MiB`."""
    return f"{count / 2**30:.1f} GiB" if count >= 2**30 else f"{count / MIB:.0f} MiB"
