"""Files of the released structure, with weights of our own making: the release itself is not needed."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from datasets.raw.fmpn_labels import EXPRESSION_OF_CODE
from platform.config.configuration import configuration_of, to_dict
from platform.errors import UserError
from platform.models.fmpn import METHOD
from platform.models.networks.backbones import BACKBONES
from platform.models.networks.facial_motion_prior import FacialMotionPriorNetwork
from platform.models.networks.weights import by_content
from platform.models.released_checkpoint import (
    FUSION_NAMES,
    GENERATOR_NAMES,
    PARTS,
    check_released,
    pin_released,
)

EPOCH = 200
MMI = ("anger", "disgust", "fear", "happiness", "sadness", "surprise")
CKPLUS = ("anger", "contempt", *MMI[1:])
FILES = {"resface": "resface", "fusion": "fusion", "cls": "cls_inception_7"}


@pytest.fixture(scope="module")
def shapes(root: Path) -> dict[str, dict[str, list[int]]]:
    content: dict[str, Any] = json.loads((root / "tests/data/released_state_shapes.json").read_text())
    return {name: content[part] for name, part in FILES.items()}


@pytest.fixture(scope="module")
def states(shapes: dict[str, dict[str, list[int]]]) -> dict[str, dict[str, Tensor]]:
    """Random weights that keep activations alive: small convolutions, positive variances."""
    random = torch.Generator().manual_seed(0)

    def made(name: str, shape: list[int]) -> Tensor:
        if name.endswith("num_batches_tracked"):
            return torch.tensor(7)
        values = torch.rand(shape, generator=random)
        if len(shape) > 1:
            return (values - 0.5) * (6 / values[0].numel()) ** 0.5
        return values + 0.5 if name.endswith(("var", "weight")) else values - 0.5

    return {file: {name: made(name, shape) for name, shape in part.items()} for file, part in shapes.items()}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, states: dict[str, dict[str, Tensor]]) -> Path:
    made = tmp_path_factory.mktemp("checkpoints")
    for file, state in states.items():
        torch.save(state, made / f"{EPOCH}_net_{file}.pth")
    return made


def pinned(folder: Path, part: str = "cls") -> str:
    return pin_released(f"released:{folder / f'{EPOCH}_net_{part}.pth'}")


def load(weights: str, class_count: int = 7, **changes: object) -> FacialMotionPriorNetwork:
    """FMPN of the preset `released`, built as a fold run builds it."""
    values = {**to_dict(configuration_of(weights="none")), "weights": weights, **changes}
    built = METHOD.build(METHOD.settings(values), class_count).eval()
    assert isinstance(built, FacialMotionPriorNetwork)
    return built


@pytest.fixture(scope="module")
def network(folder: Path) -> FacialMotionPriorNetwork:
    return load(pinned(folder))


def convolved(x: Tensor, state: dict[str, Tensor], conv: str, norm: str = "", **options: Any) -> Tensor:
    """A bias-free convolution, and batch norm by its running values where `norm` is given."""
    x = functional.conv2d(x, state[f"{conv}.weight"], **options)
    return normalised(x, state, norm) if norm else x


def normalised(x: Tensor, state: dict[str, Tensor], norm: str) -> Tensor:
    names = ("running_mean", "running_var", "weight", "bias")
    return functional.batch_norm(x, *(state[f"{norm}.{name}"] for name in names))


def residual(x: Tensor, state: dict[str, Tensor], block: str) -> Tensor:
    y = x
    for conv, norm, slope in ((0, 1, 2), (3, 4, 5)):
        y = convolved(y, state, f"{block}.conv_block.{conv}", f"{block}.conv_block.{norm}", padding=1)
        y = functional.prelu(y, state[f"{block}.conv_block.{slope}.weight"])
    return x + y


def mask_by_hand(gray: Tensor, state: dict[str, Tensor]) -> Tensor:
    """docs/methods.md, §2.2, layer by layer, from the released names; output padding = input size mod 2."""
    part = "feature_extractor"
    x = convolved(gray, state, f"{part}.0", f"{part}.1", padding=3).relu()
    for conv, norm in ((3, 4), (6, 7)):
        x = convolved(x, state, f"{part}.{conv}", f"{part}.{norm}", stride=2, padding=1).relu()
    for block in (9, 10, 11, 12):
        x = residual(x, state, f"{part}.{block}")
    for conv, norm in ((13, 14), (16, 17)):
        options = {"stride": 2, "padding": 1, "output_padding": gray.shape[-1] % 2}
        x = functional.conv_transpose2d(x, state[f"{part}.{conv}.weight"], **options)
        x = normalised(x, state, f"{part}.{norm}").relu()
    return convolved(x, state, "res_top.0", padding=3).sigmoid()


def fused_by_hand(image: Tensor, masked: Tensor, state: dict[str, Tensor]) -> Tensor:
    """docs/methods.md, §2.3, from the released names."""
    a = convolved(image, state, "process_a.0", "process_a.1", padding=1).relu()
    b = convolved(masked, state, "process_b.0", "process_b.1", padding=1).relu()
    return convolved(residual(a + b, state, "model.0"), state, "model.1", padding=1).sigmoid()


@pytest.mark.parametrize("size", [75, 80, 83])  # 75: odd, odd, even, as 299 px; 80: even all the way
def test_the_forward_pass_is_that_of_the_same_weights_put_in_by_hand(
    network: FacialMotionPriorNetwork, states: dict[str, dict[str, Tensor]], size: int
) -> None:
    random = torch.Generator().manual_seed(1)
    image = torch.rand(2, 3, size, size, generator=random)
    gray = image.mean(1, keepdim=True)
    with torch.inference_mode():
        mask, fused, logits = network(image, gray)
        expected_mask = mask_by_hand(gray, states["resface"])
        expected = fused_by_hand(image, expected_mask * gray, states["fusion"])
        torch.testing.assert_close(mask, expected_mask, rtol=1e-4, atol=1e-5)
        torch.testing.assert_close(fused, expected, rtol=1e-4, atol=1e-5)
        assert float(mask.std()) > 0.01  # alive: neither all 0.5 nor saturated
        backbone = network.classifier.get_submodule("backbone")
        own = {name: value.clone() for name, value in backbone.state_dict().items()}
        assert own.keys() == states["cls"].keys()
        assert all(torch.equal(own[name], states["cls"][name]) for name in own)
        assert torch.equal(logits, backbone(fused))


def test_every_name_of_ours_has_one_in_the_release(
    network: FacialMotionPriorNetwork, shapes: dict[str, dict[str, list[int]]]
) -> None:
    for part, names, file in (
        (network.mask_generator, GENERATOR_NAMES, "resface"),
        (network.prior_fusion, FUSION_NAMES, "fusion"),
    ):
        assert len(set(names.values())) == len(names)
        assert len(part.state_dict()) == len(shapes[file])


def head_of(module: FacialMotionPriorNetwork) -> tuple[Tensor, Tensor]:
    head = module.classifier.get_submodule(f"backbone.{BACKBONES['inception_v3'].head}")
    return head.get_parameter("weight"), head.get_parameter("bias")


@pytest.mark.parametrize("classes", [CKPLUS, MMI])
def test_both_releases_number_their_classes_as_this_platform_does(classes: tuple[str, ...]) -> None:
    assert tuple(sorted(classes)) == classes
    assert classes in {tuple(codes.values()) for codes in EXPRESSION_OF_CODE.values()}


def test_mmis_seventh_output_is_left_out(folder: Path, states: dict[str, dict[str, Tensor]]) -> None:
    weight, bias = head_of(load(pinned(folder), 6))
    assert torch.equal(weight, states["cls"]["fc.weight"][:6])
    assert torch.equal(bias, states["cls"]["fc.bias"][:6])


def test_other_class_counts_are_refused(folder: Path) -> None:
    with pytest.raises(UserError, match=r"knows CK\+'s 7 classes or MMI's 6, but the labels have 5; pass"):
        load(pinned(folder), 5)


def test_a_frozen_generator_keeps_the_released_weights_without_gradients(folder: Path) -> None:
    module = load(pinned(folder), freeze_generator=True)
    assert not any(parameter.requires_grad for parameter in module.mask_generator.parameters())


def test_any_of_the_three_files_names_the_checkpoint(folder: Path) -> None:
    names = {pinned(folder, part) for part in PARTS}
    assert len(names) == 1
    assert re.fullmatch(rf"released:{folder}/200_net_cls.pth@sha256:[0-9a-f]{{64}}", names.pop())


def test_the_content_of_each_file_names_it_and_the_place_does_not(folder: Path, tmp_path: Path) -> None:
    value = pinned(folder)
    for part in PARTS:
        (tmp_path / f"9_net_{part}.pth").write_bytes((folder / f"{EPOCH}_net_{part}.pth").read_bytes())
    moved = pin_released(f"released:{tmp_path}/9_net_cls.pth")
    assert moved != value
    assert by_content({"weights": moved}) == by_content({"weights": value})
    assert by_content({"weights": value})["weights"].startswith("released:sha256:")
    with (tmp_path / "9_net_fusion.pth").open("ab") as file:
        file.write(b"more")
    with pytest.raises(UserError, match=r"9_net_cls\.pth has changed since this run was planned"):
        load(moved)


@pytest.mark.parametrize(
    ("file", "changes", "part"),
    [
        ("resface", {"res_top.0.weight": None}, r"1 key missing: res_top.0.weight \[1, 64, 7, 7\]"),
        ("resface", {"stem.0.weight": torch.zeros(1)}, r"1 key unknown: stem.0.weight \[1\]"),
        (
            "resface",
            {"feature_extractor.2.weight": torch.zeros(1)},
            "1 key unknown: feature_extractor.2.weight",
        ),
        ("fusion", {"model.1.weight": torch.zeros(3, 3, 1, 1)}, r"model.1.weight \[3, 3, 1, 1\] instead of"),
        ("fusion", {"module.extra": torch.zeros(1)}, "1 key unknown: module.extra"),
        ("cls", {"fc.bias": torch.zeros(6)}, r"fc.bias \[6\] instead of \[7\]"),
    ],
)
def test_nothing_is_dropped_silently(
    tmp_path: Path,
    states: dict[str, dict[str, Tensor]],
    file: str,
    changes: dict[str, Tensor | None],
    part: str,
) -> None:
    for name, state in states.items():
        mixed = {**state, **(changes if name == file else {})}
        torch.save({k: v for k, v in mixed.items() if v is not None}, tmp_path / f"{EPOCH}_net_{name}.pth")
    with pytest.raises(UserError, match=rf"{EPOCH}_net_{file}.pth do not fit .*{part}"):
        check_released(pinned(tmp_path), "inception_v3")


def test_a_file_that_is_not_there_is_named(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "200_net_cls.pth").write_bytes(b"")
    with pytest.raises(UserError, match=r"200_net_resface.pth.*check the path of the weights, which"):
        pinned(tmp_path)


@pytest.mark.parametrize("name", ["resnet18.pth", "net_cls.pth", "200_net_cls.safetensors", ""])
def test_a_name_that_is_not_the_releases_is_refused(name: str) -> None:
    with pytest.raises(UserError, match=r"must name a file <epoch>_net_cls\.pth of FMPN's release"):
        pin_released(f"released:{name}")


def test_another_backbone_is_refused(folder: Path) -> None:
    with pytest.raises(UserError, match=r"200_net_cls.pth do not fit resnet18 with 7 outputs: \d+ keys"):
        check_released(pinned(folder), "resnet18")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"method": "cnn"}, 'starts the three nets of fmpn, but method is cnn; pass .*--baselines ""'),
        ({"method": "cnn_no_mask_loss"}, "but method is cnn_no_mask_loss"),
        (
            {"backbone_width": 0.5},
            "backbone_width must be 1 with weights released:FILE, as published",
        ),
        ({"generator_width": 8}, "generator_width must be 64 with weights released:FILE"),
        ({"generator_blocks": 2}, "generator_blocks must be 4 with weights released:FILE"),
        ({"backbone": "resnet18"}, "do not fit resnet18 with 7 outputs"),
    ],
)
def test_a_configuration_of_other_nets_is_refused(
    folder: Path, changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(UserError, match=message):
        configuration_of(weights=f"released:{folder}/200_net_cls.pth", **changes)


def test_a_configuration_holds_the_content(folder: Path) -> None:
    made = configuration_of(weights=f"released:{folder}/200_net_resface.pth")
    assert made.weights == pinned(folder)
    assert configuration_of(**to_dict(made)) == made
