from __future__ import annotations

import copy
import math

import pytest
import torch
from torch import nn

from platform.models.networks.initialisation import initialise_as_released
from platform.training.seeding import torch_seeded


@pytest.fixture(autouse=True)
def seeded() -> None:
    torch.manual_seed(0)


@pytest.mark.parametrize(
    ("layer", "fan_in", "fan_out"),
    [
        (nn.Conv2d(32, 64, 3), 32 * 9, 64 * 9),
        (nn.ConvTranspose2d(64, 32, 4), 32 * 16, 64 * 16),
        (nn.Linear(300, 200), 300, 200),
    ],
)
def test_weights_are_xavier_normal_with_gain_0_02_and_biases_0(
    layer: nn.Conv2d | nn.ConvTranspose2d | nn.Linear, fan_in: int, fan_out: int
) -> None:
    initialise_as_released(layer)
    expected = 0.02 * math.sqrt(2 / (fan_in + fan_out))
    assert float(layer.weight.detach().std()) == pytest.approx(expected, rel=0.05)
    assert abs(float(layer.weight.detach().mean())) < expected / 20
    assert layer.bias is not None
    assert not layer.bias.any()


def test_batch_norm_weights_are_normal_around_1_and_biases_0() -> None:
    layer = initialise_as_released(nn.BatchNorm2d(20_000))
    assert isinstance(layer, nn.BatchNorm2d)
    assert float(layer.weight.detach().mean()) == pytest.approx(1, abs=0.001)
    assert float(layer.weight.detach().std()) == pytest.approx(0.02, rel=0.05)
    assert not layer.bias.any()


def test_nested_layers_are_reached_and_others_left_alone() -> None:
    convolution, slope = nn.Conv2d(1, 1, 3), nn.PReLU()
    initialise_as_released(nn.Sequential(nn.Sequential(convolution), slope))
    assert convolution.bias is not None
    assert not convolution.bias.any()
    assert slope.weight.item() == 0.25


def test_another_gain_leaves_batch_norm_alone() -> None:
    layers = nn.Sequential(nn.Conv2d(8, 8, 3), nn.BatchNorm2d(400))
    with torch_seeded(0, "test"):
        wide = initialise_as_released(copy.deepcopy(layers), gain=1.0)
    with torch_seeded(0, "test"):
        usual = initialise_as_released(copy.deepcopy(layers))
    assert isinstance(wide[0].weight, torch.Tensor)
    torch.testing.assert_close(wide[0].weight, usual[0].weight * 50)
    assert torch.equal(wide[1].weight, usual[1].weight)
    assert abs(float(wide[1].weight.detach().std()) - 0.02) < 0.003
