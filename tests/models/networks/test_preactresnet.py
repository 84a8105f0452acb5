from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from platform.models.networks.preactresnet import PreActBlock, PreActResNet18


@pytest.mark.parametrize(("classes", "parameters"), [(7, 11_169_607), (8, 11_170_120)])
def test_parameter_counts_are_the_published_ones(classes: int, parameters: int) -> None:
    with torch.device("meta"):
        net = PreActResNet18(classes)
        assert net(torch.empty(2, 3, 128, 128)).shape == (2, classes)
    assert sum(one.numel() for one in net.parameters()) == parameters


def test_sides_and_channels_of_the_four_groups() -> None:
    shapes: list[tuple[int, ...]] = []
    with torch.device("meta"):
        net = PreActResNet18(7)
        for layer in (net.first, *net.blocks):
            layer.register_forward_hook(lambda module, inputs, output: shapes.append(tuple(output.shape[1:])))
        net(torch.empty(1, 3, 128, 128))
    assert shapes == [
        (64, 128, 128), (64, 128, 128), (64, 128, 128), (128, 64, 64), (128, 64, 64),
        (256, 32, 32), (256, 32, 32), (512, 16, 16), (512, 16, 16),
    ]  # fmt: skip


def test_the_forward_pass_by_hand() -> None:
    """No batch norm and no ReLU between the last block and the mean, none on a shortcut."""
    torch.manual_seed(0)
    net = PreActResNet18(3, width=0.125).double().eval()
    for layer in net.modules():
        if isinstance(layer, nn.BatchNorm2d):
            nn.init.normal_(layer.weight)
            nn.init.normal_(layer.bias)
    image = torch.randn(2, 3, 20, 20, dtype=torch.float64)

    def normed(values: Tensor, layer: nn.BatchNorm2d) -> Tensor:
        mean, variance = layer.running_mean, layer.running_var
        return functional.batch_norm(values, mean, variance, layer.weight, layer.bias).relu()

    values = functional.conv2d(image, net.first.weight, padding=1)
    for place, block in enumerate(net.blocks):
        assert isinstance(block, PreActBlock)
        stride = 2 if place in (2, 4, 6) else 1
        active = normed(values, block.norm1)
        inner = normed(functional.conv2d(active, block.conv1.weight, stride=stride, padding=1), block.norm2)
        if block.shortcut is not None:
            values = functional.conv2d(active, block.shortcut.weight, stride=stride)
        assert (block.shortcut is not None) == (place in (2, 4, 6))
        values = values + functional.conv2d(inner, block.conv2.weight, padding=1)
    expected = functional.linear(values.mean((2, 3)), net.head.weight, net.head.bias)
    torch.testing.assert_close(net(image), expected)


def test_a_narrow_net_has_a_share_of_the_channels() -> None:
    net = PreActResNet18(7, width=0.0625)
    assert net.first.out_channels == 4
    assert net.head.in_features == 32
    assert net(torch.rand(2, 3, 17, 17)).shape == (2, 7)
