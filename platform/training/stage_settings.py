"""The settings that one stage is trained with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from platform.training.schedule import Schedule

Precision = Literal["fp32", "tf32", "bf16"]

OptimizerName = Literal["adam", "adamw", "sgd"]


@dataclass(frozen=True, kw_only=True)
class Training:
    """How a stage is trained. Every field changes the result."""

    stage: str
    constant_epochs: int
    decay_epochs: int
    batch_size: int
    """Images a step, over all workers."""
    minimum_batch: int
    """A shorter last batch joins the one before."""
    betas: tuple[float, float]
    crop_size_pixels: int
    augmentation: str
    seed: int
    precision: Precision = "fp32"
    """`bf16`: convolutions and products in bfloat16 (autocast); losses, batch norm's statistics, the fusion
    of face and mask, weights, Adam and all scoring stay in float32."""
    compiled: bool = False
    """Whether torch.compile fuses the net's operations, which changes last bits."""
    optimizer: OptimizerName = "adam"
    weight_decay: float = 0.0
    momentum: float = 0.0
    """SGD's."""
    schedule: Schedule = "paper"
    ema_decay: float = 0.0
    """Of the moving average that the trained net becomes after the last epoch; 0: it stays as it is."""

    @property
    def epochs(self) -> int:
        """Of the whole stage."""
        return self.constant_epochs + self.decay_epochs
