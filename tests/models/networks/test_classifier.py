from __future__ import annotations

import torch
from torch import nn

from platform.models.method import Settings
from platform.models.networks.classifier import CLASSIFIER_FIELDS, Classifier
from tests.tiny_faces import tiny_settings


def classifier(enlarge_below_pixels: int) -> Classifier:
    values = {**tiny_settings(), "transform_input": True, "enlarge_below_pixels": enlarge_below_pixels}
    return Classifier(Settings(values, CLASSIFIER_FIELDS), 7).eval()


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
