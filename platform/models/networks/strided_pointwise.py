"""A 1 × 1 convolution with a stride, as a choice of pixels and a 1 × 1 convolution without one."""

from __future__ import annotations

from torch import Tensor, nn

FEWEST_CHANNELS = 8
"""A block of oneDNN's AVX2 code. For fewer input channels its gradient of such a convolution's weights, with
channels last, writes past its workspace: crashes and wrong gradients (uxlfoundation/oneDNN issue 6035; seen
with torch 2.13 on a processor without AVX-512)."""


class StridedPointwise(nn.Conv2d):
    """The same map, parameters and names as the Conv2d of these arguments, without oneDNN's strided code."""

    def forward(self, image: Tensor) -> Tensor:
        """[B, C, H, W] -> [B, D, ⌈H/stride⌉, ⌈W/stride⌉]."""
        rows, columns = self.stride
        chosen = image[..., ::rows, ::columns]
        return nn.functional.conv2d(chosen, self.weight, self.bias)


def convolution(  # the arguments of Conv2d that the supported nets use
    in_channels: int,
    out_channels: int,
    kernel_size: tuple[int, int],
    stride: tuple[int, int],
    padding: tuple[int, int],
    *,
    bias: bool,
) -> nn.Conv2d:
    """A Conv2d; a StridedPointwise where oneDNN's would do harm."""
    strided_pointwise = kernel_size == (1, 1) and padding == (0, 0) and stride != (1, 1)
    kind = StridedPointwise if strided_pointwise and in_channels < FEWEST_CHANNELS else nn.Conv2d
    return kind(in_channels, out_channels, kernel_size, stride, padding, bias=bias)
