"""Training settings of one stage."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from platform.training.schedule import Schedule

Precision = Literal["fp32", "tf32", "bf16"]

OptimizerName = Literal["adam", "adamw", "sgd"]


@dataclass(frozen=True, kw_only=True)
class Training:
    """How a stage is trained. Every field affects the result."""

    stage: str
    constant_epochs: int
    decay_epochs: int
    batch_size: int
    """Images per step, over all workers."""
    minimum_batch: int
    """A smaller last batch is appended to the previous one."""
    betas: tuple[float, float]
    crop_size_pixels: int
    augmentation: str
    seed: int
    precision: Precision = "fp32"
    """`bf16`: convolutions and matrix products in bfloat16 (autocast); losses, batch-norm statistics, the
    fusion of face and mask, weights, optimizer state and scoring stay in float32."""
    compiled: bool = False
    """Whether to use torch.compile, which changes results in the last bits."""
    optimizer: OptimizerName = "adam"
    weight_decay: float = 0.0
    momentum: float = 0.0
    """Momentum of SGD; the other optimizers do not read it."""
    schedule: Schedule = "paper"
    ema_decay: float = 0.0
    """Decay of the moving average that replaces the weights after the last epoch; 0 disables it."""

    @property
    def epochs(self) -> int:
        """Epochs of the whole stage."""
        return self.constant_epochs + self.decay_epochs
