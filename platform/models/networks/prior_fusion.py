"""The prior fusion network (PFN) of FMPN: a learned weighted sum of the face and the masked face."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext

import torch
from torch import Tensor, nn

from platform.models.networks.initialisation import XAVIER_GAIN, initialise_as_released
from platform.models.networks.mask_generator import ResidualBlock


class PriorFusion(nn.Module):
    """image [B, 3, S, S] and mask * gray [B, 1, S, S], both in [0, 1] -> fused [B, 3, S, S] in [0, 1].

    Paper Eq. 3; docs/methods.md, §2.3 (released code): 377 parameters.
    """

    def __init__(self, gain: float = XAVIER_GAIN) -> None:
        super().__init__()
        self.face = nn.Sequential(nn.Conv2d(3, 3, 3, padding=1, bias=False), nn.BatchNorm2d(3), nn.ReLU())
        self.motion = nn.Sequential(nn.Conv2d(1, 3, 3, padding=1, bias=False), nn.BatchNorm2d(3), nn.ReLU())
        self.mix = nn.Sequential(ResidualBlock(3), nn.Conv2d(3, 3, 3, padding=1, bias=False))
        initialise_as_released(self, gain)

    def forward(self, image: Tensor, masked_gray: Tensor) -> Tensor:
        # Never bfloat16: the fused face starts almost uniform, and rounding would remove its contrast.
        with _full_precision(image.device):
            return torch.sigmoid(self.mix(self.face(image) + self.motion(masked_gray)))


def _full_precision(device: torch.device) -> AbstractContextManager[None]:
    """A context without autocast; the `meta` device, used to infer shapes, does not support autocast."""
    return nullcontext() if device.type == "meta" else torch.autocast(device.type, enabled=False)
