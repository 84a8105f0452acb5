"""Memory and disk space of a task, by arithmetic: peak memory in training, size of result and checkpoints.

The constants were measured on our own nets in float32, with batches of 2 and 4
(`python -m benchmarks.footprint`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from platform.models.networks.backbones import BACKBONES
from platform.runs.tasks import FoldTask, Stage1Task

MIB = 2**20
GENERATOR = (6.0, 270.4, 299)
"""Million parameters of the published mask generator; MiB that one training image keeps for the backward
pass; at that side in pixels."""
GENERATOR_WIDTH = 64
BYTES_A_TRAINED_PARAMETER = 16
"""float32: the weight, its gradient and Adam's two moments."""
BYTES_A_CHECKPOINTED_PARAMETER = 12
"""Without the gradient."""
CHECKPOINTS_AT_ONCE = 3
"""Two are kept, and a third is written before the oldest is removed."""
WORKSPACE = 1.2
"""Ratio of peak memory to kept activations, for intermediate gradients and workspaces. With PROCESS_BYTES it
gives the measured 10.7 GiB (5.8 in bf16) of stage 1, and 7.8 GiB for the 7.4 measured in stage 2
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


def footprint(task: FoldTask | Stage1Task, *, keep_weights: bool | None = None) -> Footprint:
    """Memory and disk space of the task.

    keep_weights: whether the result keeps them; None: as stage 1 and final fold runs do, and others do not.
    """
    config: dict[str, Any] = task.record["config"]
    stage1 = isinstance(task, Stage1Task)
    size = config["image_size_pixels"]
    parameters, kept_bytes = 0.0, 0.0
    if "generator_width" in config:
        millions, mib, side = GENERATOR
        width = config["generator_width"] / GENERATOR_WIDTH
        parameters += 1e6 * millions * width**2
        kept_bytes += MIB * mib * width * (size / side) ** 2
    if not stage1:
        backbone = BACKBONES[config["backbone"]]
        width, seen = config["backbone_width"], max(size, config["enlarge_below_pixels"])
        parameters += 1e6 * backbone.million_parameters * width**2
        kept_bytes += MIB * backbone.kept_mib_an_image * width * (seen / backbone.reference_size_pixels) ** 2
    stage = "stage1" if stage1 else "stage2"
    kept_bytes *= config[f"{stage}_batch_size"] * (0.5 if config["precision"] == "bf16" else 1)
    trained = BYTES_A_TRAINED_PARAMETER * parameters
    if keep_weights is None:
        keep_weights = isinstance(task, Stage1Task) or task.role == "final"
    epochs = config[f"{stage}_constant_epochs"] + config[f"{stage}_decay_epochs"]
    small = SMALL_FILES_BYTES + CURVE_BYTES_AN_EPOCH * epochs
    pictures = 0 if stage1 else PICTURE_TILES * 3 * size**2
    return Footprint(
        least_memory=trained + kept_bytes,
        memory=PROCESS_BYTES + trained + WORKSPACE * kept_bytes,
        result=small + pictures + (4 * parameters if keep_weights else 0),
        checkpoints=CHECKPOINTS_AT_ONCE * BYTES_A_CHECKPOINTED_PARAMETER * parameters,
    )


def gibibytes(count: float) -> str:
    """`10.7 GiB`, `35 MiB`."""
    return f"{count / 2**30:.1f} GiB" if count >= 2**30 else f"{count / MIB:.0f} MiB"
