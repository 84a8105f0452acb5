"""Stage 1 of FMPN: a mask generator alone, trained with the mean squared error to each face's class mask."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import Tensor, nn
from torch.nn import functional

from platform.models.method import Settings
from platform.models.networks.mask_generator import MaskGenerator

if TYPE_CHECKING:
    from datasets.batches import Batch


def build_generator(settings: Settings) -> nn.Module:
    """A newly initialised mask generator of the configured width and depth."""
    return MaskGenerator(
        settings.generator_width, settings.generator_blocks, gain=settings.initialisation_gain
    )


def pretraining_loss(module: nn.Module, batch: Batch) -> dict[str, Tensor]:
    """`loss`: the mean squared difference of predicted and class mask over all pixels, a scalar."""
    assert batch.target_mask is not None
    return {"loss": functional.mse_loss(module(batch.gray).float(), batch.target_mask)}
