"""Training settings of one stage."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from platform.training.schedule import Schedule

Precision = Literal["fp32", "tf32", "bf16"]

OptimizerName = Literal["adam", "adamw", "sgd"]


@dataclass(frozen=True, kw_only=True)
class OptimizerSettings:
    """An optimizer and all of its settings but the learning rates, which parameter groups have."""

    betas: tuple[float, float]
    """Of Adam and AdamW; SGD does not read them."""
    optimizer: OptimizerName = "adam"
    weight_decay: float = 0.0
    momentum: float = 0.0
    """Momentum of SGD; the other optimizers do not read it."""
    amsgrad: bool = False
    """Whether Adam and AdamW divide by the largest second moment so far (Reddi et al., ICLR 2018)."""

    def __post_init__(self) -> None:
        if self.amsgrad and self.optimizer == "sgd":
            raise ValueError("amsgrad is a variant of adam and adamw, but the optimizer is sgd")


@dataclass(frozen=True, kw_only=True)
class Training(OptimizerSettings):
    """How a stage is trained. Every field affects the result."""

    stage: str
    constant_epochs: int
    decay_epochs: int
    batch_size: int
    """Items per step, over all workers."""
    minimum_batch: int
    """A smaller last batch is appended to the previous one."""
    seed: int
    drop_last: bool = False
    """Whether to leave out a last batch of fewer than `batch_size` items."""
    precision: Precision = "fp32"
    """`bf16`: convolutions and matrix products in bfloat16 (autocast); losses, batch-norm statistics, the
    fusion of face and mask, weights, optimizer state and scoring stay in float32."""
    compiled: bool = False
    """Whether to use torch.compile, which changes results in the last bits."""
    schedule: Schedule = "paper"
    step_epochs: int = 30
    """Epochs between two steps of the schedule `step`; the other schedules do not read it."""
    step_factor: float = 0.1
    """What each step of the schedule `step` multiplies the learning rates by."""
    ema_decay: float = 0.0
    """Decay of the moving average that replaces the weights after the last epoch; 0 disables it."""

    @property
    def epochs(self) -> int:
        """Epochs of the whole stage."""
        return self.constant_epochs + self.decay_epochs
