"""The facial-motion mask generator (FMG) of FMPN: gray face to motion mask."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from platform.models.networks.initialisation import XAVIER_GAIN, initialise_as_released


class ResidualBlock(nn.Module):
    """x + [Conv3, BN, PReLU, Conv3, BN, PReLU](x): zero padding, one PReLU slope for all channels, no
    activation after the addition."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv_block = nn.Sequential(
            nn.Conv2d(channels, channels, 3, padding=1, bias=False),
            nn.BatchNorm2d(channels),
            nn.PReLU(),
            nn.Conv2d(channels, channels, 3, padding=1, bias=False),
            nn.BatchNorm2d(channels),
            nn.PReLU(),
        )

    def forward(self, x: Tensor) -> Tensor:  # [B, C, H, W] -> same
        return x + self.conv_block(x)


class MaskGenerator(nn.Module):
    """FMG: gray [B, 1, S, S] in [0, 1] -> motion mask [B, 1, S, S] in [0, 1], for any S >= 8.

    docs/methods.md, §2.2 (released code). Width 64 is the published network with 6,040,968
    parameters.
    """

    def __init__(self, width: int = 64, blocks: int = 4, gain: float = XAVIER_GAIN) -> None:
        super().__init__()
        self.stem = _conv(1, width, 7, stride=1, padding=3)
        self.down1 = _conv(width, 2 * width, 4, stride=2, padding=1)
        self.down2 = _conv(2 * width, 4 * width, 4, stride=2, padding=1)
        self.blocks = nn.Sequential(*(ResidualBlock(4 * width) for _ in range(blocks)))
        self.up1 = _Up(4 * width, 2 * width)
        self.up2 = _Up(2 * width, width)
        self.head = nn.Conv2d(width, 1, 7, padding=3, bias=False)
        initialise_as_released(self, gain)

    def forward(self, gray: Tensor) -> Tensor:
        full = self.stem(gray)  # [B, w, S, S]
        half = self.down1(full)  # [B, 2w, S/2, S/2]
        quarter = self.blocks(self.down2(half))  # [B, 4w, S/4, S/4]
        half_again = self.up1(quarter, half.shape[-1])
        # float32 under autocast too: bfloat16 has only 128 values between 0.5 and 1.
        return torch.sigmoid(self.head(self.up2(half_again, full.shape[-1])).float())


def _conv(inputs: int, outputs: int, kernel: int, stride: int, padding: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, kernel, stride, padding, bias=False), nn.BatchNorm2d(outputs), nn.ReLU()
    )


class _Up(nn.Module):
    """ConvT4 s2 p1, BN, ReLU; output padding = requested size mod 2, which restores odd sizes."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.conv = nn.ConvTranspose2d(inputs, outputs, 4, stride=2, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(outputs)

    def forward(self, x: Tensor, size: int) -> Tensor:
        return torch.relu(self.norm(self.conv(x, output_size=(size, size))))
