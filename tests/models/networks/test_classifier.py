from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn

from platform.models.method import Settings
from platform.models.networks.backbone_nets import head_of
from platform.models.networks.backbones import BACKBONES, OWN_DROPOUT
from platform.models.networks.classifier import Classifier
from tests.tiny_faces import tiny_settings


def net_with(**changes: Any) -> Classifier:
    values = {
        **tiny_settings(), "transform_input": True, "enlarge_below_pixels": 0, "dropout": OWN_DROPOUT,
        "freeze_backbone": False, **changes,
    }  # fmt: skip
    return Classifier(Settings(values, values), 7)


def classifier(enlarge_below_pixels: int) -> Classifier:
    return net_with(enlarge_below_pixels=enlarge_below_pixels).eval()


def test_a_face_becomes_a_logit_of_each_class() -> None:
    assert classifier(0)(torch.rand(2, 3, 32, 32)).shape == (2, 7)


def test_the_backbone_sees_the_face_enlarged() -> None:
    for wanted, seen in ((0, 32), (32, 32), (75, 75)):
        net = classifier(wanted)
        sizes: list[int] = []
        net.backbone = nn.Sequential(nn.Flatten())
        net.backbone.register_forward_pre_hook(
            lambda module, inputs, sizes=sizes: sizes.append(inputs[0].shape[-1])
        )
        net(torch.rand(1, 3, 32, 32))
        assert sizes == [seen]


@pytest.mark.parametrize("name", BACKBONES)
def test_the_table_says_which_nets_have_dropout_in_their_head_and_how_much(name: str) -> None:
    net = net_with(backbone=name)
    shares = {layer.p for layer in net.modules() if isinstance(layer, nn.Dropout)}
    own = BACKBONES[name].dropout
    assert shares == (set() if own is None else {own})


@pytest.mark.parametrize("name", [name for name in BACKBONES if BACKBONES[name].dropout is not None])
def test_dropout_is_set_in_every_layer_that_has_it(name: str) -> None:
    for share in (0.0, 0.3):
        net = net_with(backbone=name, dropout=share)
        assert {layer.p for layer in net.modules() if isinstance(layer, nn.Dropout)} == {share}


@pytest.mark.parametrize("name", BACKBONES)
def test_a_frozen_backbone_trains_its_head_alone(name: str) -> None:
    net = net_with(backbone=name, freeze_backbone=True)
    trained = {id(parameter) for parameter in net.parameters() if parameter.requires_grad}
    assert trained == {id(parameter) for parameter in head_of(net.backbone, name).parameters()}
    assert all(parameter.requires_grad for parameter in net_with(backbone=name).parameters())
