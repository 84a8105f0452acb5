"""Standardisation of faces by the mean and deviation of CIFAR-10, as FERAtt's code has it."""

from __future__ import annotations

import torch
from torch import Tensor, nn

CIFAR10_MEAN = (0.4914, 0.4822, 0.4465)
CIFAR10_DEVIATION = (0.2023, 0.1994, 0.2010)
"""Of red, green and blue, in [0, 1] (docs/methods.md, §3)."""


class Standardisation(nn.Module):
    """(image - mean) / deviation for each colour; a gray image is copied to three channels first.

    The constants are no part of the state: they are never trained.
    """

    mean: Tensor
    deviation: Tensor

    def __init__(self) -> None:
        super().__init__()
        for name, values in (("mean", CIFAR10_MEAN), ("deviation", CIFAR10_DEVIATION)):
            self.register_buffer(name, torch.tensor(values).view(1, 3, 1, 1), persistent=False)

    def forward(self, image: Tensor) -> Tensor:
        """[B, 1 or 3, H, W] in [0, 1] -> [B, 3, H, W]."""
        return (image - self.mean) / self.deviation
