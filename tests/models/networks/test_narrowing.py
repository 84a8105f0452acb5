"""Narrowing changes widths alone, or refuses the layer by name."""

from __future__ import annotations

import math
import re
from collections import Counter

import pytest
import torch
from torch import nn

from platform.errors import UserError
from platform.models.networks.backbones import BACKBONES
from platform.models.networks.narrowing import narrow
from tests.models.networks.test_backbones import built, on_meta

NUMBERS_OF_CHANNELS = ("in_channels", "out_channels", "num_features", "in_features", "out_features")


def properties(layer: nn.Module) -> dict[str, object]:
    """Everything that a layer holds beside its channel counts, its parameters and its sublayers."""
    return {
        name: value
        for name, value in vars(layer).items()
        if name not in NUMBERS_OF_CHANNELS and not (name.startswith("_") and "padding" not in name)
    }


@pytest.mark.parametrize("name", [name for name, facts in BACKBONES.items() if facts.narrows])
def test_narrowing_changes_the_widths_of_a_backbone_and_nothing_else(name: str) -> None:
    whole, narrowed = on_meta(name), on_meta(name, width=0.25)
    shares: Counter[float] = Counter()
    for part, layer in whole.named_modules():
        other = narrowed.get_submodule(part)
        assert type(other) is type(layer)
        assert properties(other) == properties(layer)
        if isinstance(layer, nn.Conv2d) and isinstance(other, nn.Conv2d):
            shares[other.out_channels / layer.out_channels] += 1
            assert (other.bias is None) == (layer.bias is None)
        if isinstance(layer, nn.BatchNorm2d) and isinstance(other, nn.BatchNorm2d):
            shares[other.num_features / layer.num_features] += 1
    assert set(shares) == {0.25}
    first = next(layer for layer in narrowed.modules() if isinstance(layer, nn.Conv2d))
    assert first.in_channels == 3


def test_a_backbone_that_says_it_does_not_narrow_is_refused() -> None:
    for name in (name for name, facts in BACKBONES.items() if not facts.narrows):
        with pytest.raises(UserError, match="pass --backbone-width 1"):
            narrow(on_meta(name), 0.25, name=name, head=BACKBONES[name].head)


class WithToken(nn.Module):
    """A parameter beside the layers, as a vision transformer's class token."""

    def __init__(self) -> None:
        super().__init__()
        self.token = nn.Parameter(torch.zeros(16))
        self.layer = nn.Conv2d(3, 16, 3)


@pytest.mark.parametrize(
    ("layer", "words"),
    [
        (nn.Conv2d(16, 16, 3, groups=16), "stem.0 of toy is a Conv2d with 16 groups"),
        (nn.Conv2d(16, 16, 3, dilation=2), r"a Conv2d with dilation \(2, 2\)"),
        (nn.Conv2d(16, 16, 3, padding="same"), "a Conv2d with padding 'same'"),
        (nn.Conv2d(16, 16, 3, padding_mode="reflect"), "padding mode reflect"),
        (nn.Conv2d(3, 24, 3), "a Conv2d of 24 channels, of which 0.0625 is no whole number"),
        (nn.BatchNorm2d(16, affine=False), "a BatchNorm2d with no weights"),
        (nn.BatchNorm2d(16, momentum=0.01), "a BatchNorm2d with momentum 0.01"),
        (nn.Linear(16, 16, bias=False), "a Linear with no bias"),
        (nn.LayerNorm(16), "a LayerNorm"),
        (nn.ConvTranspose2d(16, 16, 3), "a ConvTranspose2d"),
        (nn.PReLU(16), "a PReLU"),
        (WithToken(), "a WithToken"),
    ],
)
def test_what_cannot_be_narrowed_is_refused_and_the_net_left_as_it_was(layer: nn.Module, words: str) -> None:
    net = nn.Sequential()
    net.add_module("first", nn.Conv2d(3, 16, 3))
    net.add_module("stem", nn.Sequential(layer))
    net.add_module("head", nn.Linear(16, 1000))
    before = dict(net.named_modules())
    with pytest.raises(UserError, match=words) as refusal:
        narrow(net, 1 / 16, name="toy", head="head")
    assert re.search(r"pass --backbone-width 1 instead of 0.0625, or choose another", str(refusal.value))
    assert dict(net.named_modules()) == before


def test_a_parameter_of_the_net_itself_is_refused() -> None:
    with pytest.raises(UserError, match="toy of toy is a WithToken with parameters beside its layers"):
        narrow(WithToken(), 0.5, name="toy", head="layer")


def test_narrowed_convolutions_start_from_he_initialisation() -> None:
    torch.manual_seed(0)
    net = built("resnet18", width=0.5)
    layer = net.get_submodule("layer4.1.conv2")
    assert isinstance(layer, nn.Conv2d)
    assert float(layer.weight.detach().std()) == pytest.approx(math.sqrt(2 / (256 * 9)), rel=0.05)
