from __future__ import annotations

import pytest
import torch
from torch import nn

from platform.models.networks.strided_pointwise import StridedPointwise, convolution


@pytest.mark.parametrize("size", [8, 9])
@pytest.mark.parametrize("bias", [False, True])
def test_it_is_the_strided_convolution_with_the_same_gradients(size: int, bias: bool) -> None:
    ours = StridedPointwise(4, 8, 1, 2, bias=bias).double()
    theirs = nn.Conv2d(4, 8, 1, 2, bias=bias).double()
    theirs.load_state_dict(ours.state_dict())
    image = torch.randn(3, 4, size, size, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    weighting = torch.randn(3, 8, (size + 1) // 2, (size + 1) // 2, dtype=torch.float64)
    gradients = []
    for layer in (ours, theirs):
        given = image.clone().requires_grad_()
        (layer(given) * weighting).sum().backward()
        gradients.append([given.grad, *(parameter.grad for parameter in layer.parameters())])
    for one, other in zip(*gradients, strict=True):
        torch.testing.assert_close(one, other)


def test_training_one_of_few_channels_writes_nowhere_else() -> None:
    """Torch's own ended the process here within some steps, on a processor without AVX-512."""
    layer = convolution(4, 8, (1, 1), (2, 2), (0, 0), bias=False).to(memory_format=torch.channels_last)
    for _ in range(50):
        image = torch.randn(12, 4, 8, 8).to(memory_format=torch.channels_last).requires_grad_()
        layer(image).sum().backward()
        assert layer.weight.grad is not None
        assert layer.weight.grad.isfinite().all()


@pytest.mark.parametrize(
    ("channels", "kernel", "stride", "padding", "ours"),
    [
        (4, (1, 1), (2, 2), (0, 0), True),
        (8, (1, 1), (2, 2), (0, 0), False),
        (4, (1, 1), (1, 1), (0, 0), False),
        (4, (3, 3), (2, 2), (1, 1), False),
    ],
)
def test_only_what_would_do_harm_is_replaced(
    channels: int, kernel: tuple[int, int], stride: tuple[int, int], padding: tuple[int, int], ours: bool
) -> None:
    layer = convolution(channels, 8, kernel, stride, padding, bias=False)
    assert isinstance(layer, StridedPointwise) == ours
