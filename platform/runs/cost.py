"""Cost of training: arithmetic of an image, and the pace at which finished tasks did theirs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from platform.models.networks.backbones import BACKBONES

GENERATOR_TRAINING_GFLOP = 227.0
"""The published mask generator's training step, GFLOP an image at 299 px (DESIGN, FLOP counter)."""
GENERATOR_BLOCK_SHARE = 0.171
"""Of that, in each of the four residual blocks: two convolutions of 256 by 256 channels at 74 pixels."""
OVERHEAD_GFLOP = 0.15
"""Added to an image's step: time of the smallest nets goes into small operations, not arithmetic."""
GFLOP_A_SECOND_AND_CORE = 25.0
"""Assumed, not measured: only `--dry-run` and the first minutes of the progress display use it."""


def image_gflop(config: Mapping[str, Any], *, stage1: bool) -> float:
    """Arithmetic in GFLOP of one training step for one image, in stage 1 or 2.

    config: the configuration as a task's record holds it; without `generator_width` there is no mask
    generator.
    """
    size: int = config["image_size_pixels"]
    per_image = OVERHEAD_GFLOP
    if "generator_width" in config:
        blocks = 1 + GENERATOR_BLOCK_SHARE * (config["generator_blocks"] - 4)
        per_image += (
            GENERATOR_TRAINING_GFLOP * blocks * (size / 299) ** 2 * (config["generator_width"] / 64) ** 2
        )
    if stage1:
        return per_image
    backbone = BACKBONES[config["backbone"]]
    # A training step is about three forward passes.
    seen = max(size, config["enlarge_below_pixels"])
    forward = backbone.forward_gflop * (seen / backbone.reference_size_pixels) ** 2
    return per_image + 3 * forward * config["backbone_width"] ** 2


class Pace:
    """Seconds a GFLOP, learned from finished tasks by key; assumed until the first one has finished."""

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
