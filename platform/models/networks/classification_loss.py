"""The cross entropy of all methods, with label smoothing and image weights."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import Tensor
from torch.nn import functional

from platform.models.method import Settings

if TYPE_CHECKING:
    from datasets.batches import Batch


def classification_loss(logits: Tensor, batch: Batch, settings: Settings) -> Tensor:
    """logits float [B, K] -> the cross entropy averaged over the images, a scalar.

    The target of an image is 1 - `label_smoothing` for its class plus `label_smoothing` / K for every
    class (Szegedy et al., CVPR 2016, section 7). The divisor is the number of images, not the sum of their
    weights, so that the workers' shares of a batch combine to the loss of the whole batch.
    """
    smoothing = settings.label_smoothing
    if batch.image_weights is None:
        return functional.cross_entropy(logits, batch.labels, label_smoothing=smoothing)
    each = functional.cross_entropy(logits, batch.labels, label_smoothing=smoothing, reduction="none")
    return (each * batch.image_weights).mean()
