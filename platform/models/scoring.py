"""Class probabilities of faces from a trained network."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from datasets.augmentation.draw import centre_draw
from datasets.batches import Batch, FaceTensors, channels_last, split_batches


@torch.inference_mode()
def score_faces(
    module: nn.Module,
    scores: Callable[[nn.Module, Batch], Tensor],
    faces: FaceTensors,
    *,
    crop_size_pixels: int,
    batch_size: int,
) -> Tensor:
    """float32 [N, K] on the CPU: class probabilities of all faces, from their centre crops.

    Computed in float32 whatever the training precision.
    """
    module.eval()
    parts = [
        scores(module, channels_last(faces.batch(rows, centre_draw(len(rows)), crop_size_pixels)))
        for rows in split_batches(torch.arange(len(faces)), batch_size)
    ]
    return torch.cat(parts).cpu()
