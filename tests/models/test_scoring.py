from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from datasets.batches import Batch, FaceTensors
from platform.models.scoring import score_faces

COUNT, SIDE, CROP = 10, 8, 6


class Mean(nn.Module):
    """logits = weight * mean gray, with dropout, which scoring must leave out."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.tensor([0.5, -0.25]))
        self.dropout = nn.Dropout(0.5)

    def forward(self, image: Tensor) -> Tensor:
        return self.dropout(image.mean((1, 2, 3))[:, None] * self.weight)


def faces() -> FaceTensors:
    """Face k is all of the gray value 10 k."""
    grays = 10 * np.arange(COUNT, dtype=np.uint8)[:, None, None, None]
    images = np.broadcast_to(grays, (COUNT, SIDE, SIDE, 3)).copy()
    return FaceTensors(images, np.arange(COUNT) % 2, None, "cpu")


def test_faces_are_scored_in_order_from_the_centre_crop_without_dropout() -> None:
    module = Mean()
    seen: list[int] = []

    def scores(module: nn.Module, batch: Batch) -> Tensor:
        assert not module.training
        seen.append(len(batch.labels))
        return torch.softmax(module(batch.image), 1)

    together = score_faces(module, scores, faces(), crop_size_pixels=CROP, batch_size=4)
    alone = score_faces(module, scores, faces(), crop_size_pixels=CROP, batch_size=1)
    assert seen == [4, 4, 2] + [1] * COUNT
    assert not together.requires_grad
    torch.testing.assert_close(together, alone)
    means = 10 * torch.arange(COUNT) / 255
    expected = torch.softmax(means[:, None] * module.weight.detach(), 1)
    torch.testing.assert_close(together, expected)
