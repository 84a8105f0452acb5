from __future__ import annotations

import dataclasses
import math
from typing import Any

import pytest
import torch
from torch import nn

from platform.errors import UserError
from platform.models.networks import backbones
from platform.models.networks.backbone_nets import build_backbone, enlarged
from platform.models.networks.backbones import BACKBONES, check_backbone


def built(name: str, class_count: int = 7, **changes: Any) -> nn.Module:
    options: dict[str, Any] = {"width": 1.0, "weights": "none", "transform_input": True, **changes}
    return build_backbone(name, class_count, **options)


def on_meta(name: str, class_count: int = 7, **changes: Any) -> nn.Module:
    """The net without memory or numbers, for shapes."""
    with torch.device("meta"):
        return built(name, class_count, **changes)


def head(net: nn.Module, name: str) -> nn.Linear:
    layer = net.get_submodule(BACKBONES[name].head)
    assert isinstance(layer, nn.Linear)
    return layer


@pytest.mark.parametrize(
    ("name", "class_count", "parameters"),
    [
        ("inception_v3", 7, 21_799_911),
        ("inception_v3", 6, 21_797_862),
        ("resnet50", 7, 23_522_375),
        ("resnet50", 6, 23_520_326),
        ("resnet152", 7, 58_158_151),
        ("resnet152", 6, 58_156_102),
        ("densenet121", 7, 6_961_031),
        ("densenet121", 6, 6_960_006),
        ("vgg16", 7, 134_289_223),
        ("vgg16_bn", 7, 134_297_671),
        ("vgg19", 7, 139_598_919),
        ("resnet18", 7, 11_180_103),
    ],
)
def test_parameter_counts_are_the_published_ones(name: str, class_count: int, parameters: int) -> None:
    """docs/methods.md, §2.4; ResNet-18: torchvision's 11,689,512 less 1000 x 513, plus 7 x 513."""
    net = on_meta(name, class_count)
    assert sum(parameter.numel() for parameter in net.parameters()) == parameters


@pytest.mark.parametrize("name", BACKBONES)
@pytest.mark.parametrize("width", [1.0, 0.1875])
def test_every_net_runs_at_every_width(name: str, width: float) -> None:
    net = on_meta(name, 6, width=width).eval()
    assert net(torch.empty(1, 3, 75, 75, device="meta")).shape == (1, 6)


def test_a_narrow_net_learns_to_tell_faces_apart() -> None:
    torch.manual_seed(0)
    net = built("resnet18", 2, width=0.0625).train()
    images, labels = torch.rand(4, 3, 48, 48), torch.tensor([0, 1, 0, 1])
    optimizer = torch.optim.Adam(net.parameters(), lr=0.01)
    losses = []
    for _ in range(12):
        loss = nn.functional.cross_entropy(net(images), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < losses[0] / 2


def test_the_new_head_is_initialised_as_released() -> None:
    torch.manual_seed(0)
    layer = head(built("resnet18", 7), "resnet18")
    assert (layer.in_features, layer.out_features) == (512, 7)
    assert float(layer.weight.detach().std()) == pytest.approx(0.02 * math.sqrt(2 / (512 + 7)), rel=0.1)
    assert not layer.bias.any()


@pytest.mark.parametrize("transform", [True, False])
def test_transform_input_rescales_the_face_as_released(transform: bool) -> None:
    """docs/methods.md, §2.4: R [-0.03, 0.43], G [-0.09, 0.36], B [-0.19, 0.26] of [0, 1]."""
    net = on_meta("inception_v3", transform_input=transform).eval()
    seen = []

    def look_at_the_input(module: nn.Module, inputs: tuple[torch.Tensor, ...]) -> tuple[torch.Tensor]:
        seen.append(inputs[0])
        return (inputs[0].to("meta"),)

    net.get_submodule("Conv2d_1a_3x3").register_forward_pre_hook(look_at_the_input)
    for value in (0.0, 1.0):
        net(torch.full((1, 3, 75, 75), value))
    low, high = (image[0, :, 0, 0].tolist() for image in seen)
    if transform:
        assert low == pytest.approx([-0.03, -0.09, -0.19], abs=0.006)
        assert high == pytest.approx([0.43, 0.36, 0.26], abs=0.006)
    else:
        assert (low, high) == ([0, 0, 0], [1, 1, 1])


def test_small_faces_are_enlarged_and_others_left_alone() -> None:
    image = torch.rand(2, 3, 48, 48)
    assert enlarged(image, 75).shape == (2, 3, 75, 75)
    assert enlarged(image, 48) is image
    assert enlarged(image, 0) is image
    plain = enlarged(torch.full((1, 1, 8, 8), 0.5), 13)
    torch.testing.assert_close(plain, torch.full((1, 1, 13, 13), 0.5))


@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        (("resnet19", 1.0, "none"), ["unknown backbone 'resnet19'", "did you mean 'resnet18'?"]),
        (("vgg16", 0.05, "none"), ["multiple of 1/16", "0.05"]),
        (("vgg16", 0.0, "none"), ["multiple of 1/16"]),
        (("vgg16", 1.0625, "none"), ["multiple of 1/16 up to 1"]),
        (("vgg16", 0.25, "imagenet"), ["ImageNet weights", "0.25", "--weights none"]),
    ],
)
def test_what_cannot_be_built_is_refused_with_the_remedy(
    arguments: tuple[str, float, str], parts: list[str]
) -> None:
    with pytest.raises(UserError) as refusal:
        check_backbone(*arguments)
    for part in parts:
        assert part in str(refusal.value)


def test_a_net_that_cannot_be_narrowed_is_refused_before_it_is_built(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(
        backbones.BACKBONES, "resnet18", dataclasses.replace(BACKBONES["resnet18"], narrows=False)
    )
    check_backbone("resnet18", 1.0, "none")
    with pytest.raises(UserError, match=r"resnet18 cannot be narrowed, .* 0.5; pass --backbone-width 1, or"):
        check_backbone("resnet18", 0.5, "none")
