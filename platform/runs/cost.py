"""Cost of training: arithmetic per image, and the measured pace of finished tasks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from platform.models.networks.backbones import BACKBONES

GENERATOR_TRAINING_GFLOP = 227.0
"""The published mask generator's training step, GFLOP per image at 299 px, by torch's FLOP counter."""
GENERATOR_BLOCK_SHARE = 0.171
"""Share of each of the four residual blocks: two convolutions of 256 × 256 channels at 74 pixels."""
OVERHEAD_GFLOP = 0.15
"""Added to each image: the smallest nets spend their time on small operations, not on arithmetic."""
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
    """Seconds per GFLOP, learned from finished tasks by key; a constant until the first one has finished."""

    def __init__(self, cores: int = 1) -> None:
        self._assumed = 1 / (GFLOP_A_SECOND_AND_CORE * cores)
        self._seen: dict[str, tuple[float, float]] = {}

    def learn(self, key: str, gflop: float, seconds: float) -> None:
        """Add a finished task."""
        done, spent = self._seen.get(key, (0.0, 0.0))
        self._seen[key] = (done + gflop, spent + seconds)

    def seconds(self, key: str, gflop: float) -> float:
        """Expected seconds of a task; for a new key, at the pace of all tasks."""
        known: Iterable[tuple[float, float]] = [self._seen[key]] if key in self._seen else self._seen.values()
        done, spent = sum(d for d, _ in known), sum(s for _, s in known)
        return gflop * (spent / done if done else self._assumed)
