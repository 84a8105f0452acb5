"""What a fold run costs: arithmetic first, the results store's own timings where there are any."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from platform.runs.tasks import FoldTask, Stage1Task

FORWARD_GFLOP = {
    "inception_v3": (5.71, 299),
    "resnet18": (1.81, 224),
    "resnet50": (4.09, 224),
    "resnet152": (11.51, 224),
    "densenet121": (2.83, 224),
    "vgg16": (15.47, 224),
    "vgg16_bn": (15.47, 224),
    "vgg19": (19.63, 224),
}
"""GFLOP of one forward pass at that image side in pixels, as torchvision's documentation states."""
GENERATOR_TRAINING_GFLOP = 227.0
"""The published mask generator's training step, GFLOP an image at 299 px (DESIGN, FLOP counter)."""
GENERATOR_BLOCK_SHARE = 0.171
"""Of that, in each of the four residual blocks: two convolutions of 256 by 256 channels at 74 pixels."""
OVERHEAD_GFLOP = 0.15
"""Added to an image's step: below this the machine is busy with small operations, not arithmetic."""
GFLOP_A_SECOND_AND_CORE = 25.0
"""Assumed, not measured: only `--dry-run` and the first minutes of the progress display use it."""


def cost_gflop(task: FoldTask | Stage1Task, image_count: int) -> float:
    """Training arithmetic of the task in GFLOP, for that number of training images."""
    config: Mapping[str, Any] = task.record["config"]
    size = config["image_size_pixels"]
    per_image = OVERHEAD_GFLOP
    if "generator_width" in config:
        blocks = 1 + GENERATOR_BLOCK_SHARE * (config["generator_blocks"] - 4)
        per_image += (
            GENERATOR_TRAINING_GFLOP * blocks * (size / 299) ** 2 * (config["generator_width"] / 64) ** 2
        )
    if isinstance(task, Stage1Task):
        return image_count * per_image * (config["stage1_constant_epochs"] + config["stage1_decay_epochs"])
    forward, reference_size = FORWARD_GFLOP[config["backbone"]]
    # A training step is about three forward passes.
    per_image += (
        3
        * forward
        * (max(size, config["enlarge_below_pixels"]) / reference_size) ** 2
        * config["backbone_width"] ** 2
    )
    return image_count * per_image * (config["stage2_constant_epochs"] + config["stage2_decay_epochs"])


def cost_key(task: FoldTask | Stage1Task) -> str:
    """Tasks with the same key take about the same time for a unit of arithmetic."""
    if isinstance(task, Stage1Task):
        return "stage1"
    return f"{task.record['method']}/{task.record['config']['backbone']}"


class Pace:
    """Seconds a GFLOP, learned from finished tasks by key; before the first, the assumption above."""

    def __init__(self, cores: int = 1) -> None:
        self._assumed = 1 / (GFLOP_A_SECOND_AND_CORE * cores)
        self._seen: dict[str, tuple[float, float]] = {}

    def learn(self, key: str, gflop: float, seconds: float) -> None:
        """Add a finished task."""
        done, spent = self._seen.get(key, (0.0, 0.0))
        self._seen[key] = (done + gflop, spent + seconds)

    def seconds(self, key: str, gflop: float) -> float:
        """Expected seconds of a task; by all tasks' pace where the key is new."""
        known: Iterable[tuple[float, float]] = [self._seen[key]] if key in self._seen else self._seen.values()
        done, spent = sum(d for d, _ in known), sum(s for _, s in known)
        return gflop * (spent / done if done else self._assumed)
