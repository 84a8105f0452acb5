"""Strided 1 × 1 convolution as subsampling followed by a 1 × 1 convolution of stride 1."""

from __future__ import annotations

from torch import Tensor, nn

FEWEST_CHANNELS = 8
"""Block size of oneDNN's AVX2 code. With fewer input channels, channels last, its weight gradient of a
strided 1 × 1 convolution writes past its workspace: crashes and wrong gradients (uxlfoundation/oneDNN issue
6035; observed with torch 2.13 on a processor without AVX-512)."""


class StridedPointwise(nn.Conv2d):
    """Same function, parameters and state names as Conv2d, without oneDNN's strided code."""

    def forward(self, image: Tensor) -> Tensor:
        """[B, C, H, W] -> [B, D, ⌈H/stride⌉, ⌈W/stride⌉]."""
        rows, columns = self.stride
        chosen = image[..., ::rows, ::columns]
        return nn.functional.conv2d(chosen, self.weight, self.bias)


def convolution(  # the arguments of Conv2d that the supported backbones use
    in_channels: int,
    out_channels: int,
    kernel_size: tuple[int, int],
    stride: tuple[int, int],
    padding: tuple[int, int],
    *,
    bias: bool,
) -> nn.Conv2d:
    """A Conv2d, or a StridedPointwise where oneDNN's code is faulty."""
    strided_pointwise = kernel_size == (1, 1) and padding == (0, 0) and stride != (1, 1)
    kind = StridedPointwise if strided_pointwise and in_channels < FEWEST_CHANNELS else nn.Conv2d
    return kind(in_channels, out_channels, kernel_size, stride, padding, bias=bias)
