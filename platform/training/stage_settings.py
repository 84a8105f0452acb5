"""Training settings of one stage."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from platform.models.player import OptimizerSettings
from platform.training.schedule import Schedule

Precision = Literal["fp32", "tf32", "bf16"]


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


def shared_training(
    settings: Any,
    stage: str,
    *,
    constant_epochs: int,
    decay_epochs: int,
    batch_size: int,
    minimum_batch: int = 1,
) -> Training:
    """The training settings that all stages share, and a stage's own epochs and batches."""
    return Training(
        stage=stage,
        constant_epochs=constant_epochs,
        decay_epochs=decay_epochs,
        batch_size=batch_size,
        minimum_batch=minimum_batch,
        betas=(settings.adam_beta1, settings.adam_beta2),
        seed=settings.seed,
        precision=settings.precision,
        compiled=settings.compiled,
    )
