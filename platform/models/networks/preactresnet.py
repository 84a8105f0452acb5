"""PreActResNet-18 for small images, as FERAtt's code has it.

He et al., *Identity mappings in deep residual networks*, ECCV 2016, in the form that is usual for CIFAR: a
3 × 3 convolution of stride 1 instead of ResNet's first layers. Verified in the released code
(docs/methods.md, §3): all layers; that a block's shortcut is a 1 × 1 convolution of the activated input,
without batch norm and only where stride or channels change; neither batch norm nor ReLU after the last
block; the mean over all places; one Linear; torch's own initialisation.
"""

from __future__ import annotations

from torch import Tensor, nn

from platform.models.networks.strided_pointwise import convolution

CHANNELS = (64, 128, 256, 512)
"""Channels of the four groups of blocks; from the second on each begins with stride 2."""
BLOCKS = 2
"""Blocks a group."""


class PreActBlock(nn.Module):
    """Batch norm, ReLU and 3 × 3 convolution, twice, added to the input or its projection."""

    def __init__(self, in_channels: int, out_channels: int, stride: int) -> None:
        super().__init__()
        self.norm1 = nn.BatchNorm2d(in_channels)
        self.conv1 = nn.Conv2d(in_channels, out_channels, 3, stride, 1, bias=False)
        self.norm2 = nn.BatchNorm2d(out_channels)
        self.conv2 = nn.Conv2d(out_channels, out_channels, 3, 1, 1, bias=False)
        self.shortcut = (
            convolution(in_channels, out_channels, (1, 1), (stride, stride), (0, 0), bias=False)
            if stride != 1 or in_channels != out_channels
            else None
        )

    def forward(self, image: Tensor) -> Tensor:
        """[B, C, H, W] -> [B, D, ⌈H/stride⌉, ⌈W/stride⌉]."""
        active = self.norm1(image).relu()
        kept = image if self.shortcut is None else self.shortcut(active)
        changed: Tensor = self.conv2(self.norm2(self.conv1(active)).relu())
        return changed + kept


class PreActResNet18(nn.Module):
    """Standardised image [B, 3, H, W] of any size -> [B, K].

    With K = 7 the published net has 11,169,607 parameters, with K = 8 11,170,120.
    """

    def __init__(self, outputs: int, width: float = 1.0) -> None:
        """outputs: K. width: share of CHANNELS to keep, a multiple of 1/16; 1 is the published net."""
        super().__init__()
        channels = [round(count * width) for count in CHANNELS]
        self.first = nn.Conv2d(3, channels[0], 3, 1, 1, bias=False)
        blocks = []
        before = channels[0]
        for group, count in enumerate(channels):
            for block in range(BLOCKS):
                blocks.append(PreActBlock(before, count, 2 if group and not block else 1))
                before = count
        self.blocks = nn.Sequential(*blocks)
        self.head = nn.Linear(before, outputs)

    def forward(self, image: Tensor) -> Tensor:
        """The head's outputs for the mean over all places."""
        outputs: Tensor = self.head(self.blocks(self.first(image)).mean((2, 3)))
        return outputs
