"""Files of the released structure, with weights of our own making: the release itself is not needed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from platform.errors import UserError
from platform.models.fmpn import FacialMotionPriorNetwork
from platform.models.networks.backbones import BACKBONES
from platform.models.released_checkpoint import FUSION_PARTS, GENERATOR_PARTS, load_released_checkpoint

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


def load(folder: Path, dataset: str = "CK+", names: tuple[str, ...] = CKPLUS) -> FacialMotionPriorNetwork:
    return load_released_checkpoint(folder, EPOCH, dataset=dataset, class_names=names)


@pytest.fixture(scope="module")
def network(folder: Path) -> FacialMotionPriorNetwork:
    return load(folder)


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
        (network.mask_generator, GENERATOR_PARTS, "resface"),
        (network.prior_fusion, FUSION_PARTS, "fusion"),
    ):
        assert len(set(names.values())) == len(names)
        assert len(part.state_dict()) == len(shapes[file])


def test_it_is_ready_to_score(network: FacialMotionPriorNetwork) -> None:
    assert not any(part.training for part in network.modules())
    assert network.classifier.get_submodule("backbone").__dict__["transform_input"] is True


def head_of(module: FacialMotionPriorNetwork) -> tuple[Tensor, Tensor]:
    head = module.classifier.get_submodule(f"backbone.{BACKBONES['inception_v3'].head}")
    return head.get_parameter("weight"), head.get_parameter("bias")


@pytest.mark.parametrize(
    ("dataset", "names", "rows"),
    [
        ("CK+", CKPLUS[::-1], [6, 5, 4, 3, 2, 1, 0]),
        ("CK+", ("surprise", "contempt"), [6, 1]),  # codes 7 and 2
        ("MMI", MMI, [0, 1, 2, 3, 4, 5]),  # the seventh logit has no class
        ("MMI", ("disgust", "anger"), [1, 0]),
    ],
)
def test_logits_are_in_the_order_of_the_names_asked_for(
    folder: Path, states: dict[str, dict[str, Tensor]], dataset: str, names: tuple[str, ...], rows: list[int]
) -> None:
    weight, bias = head_of(load(folder, dataset, names))
    assert torch.equal(weight, states["cls"]["fc.weight"][rows])
    assert torch.equal(bias, states["cls"]["fc.bias"][rows])


def test_loading_leaves_torchs_random_state_alone(folder: Path) -> None:
    before = torch.random.get_rng_state()
    load(folder)
    assert torch.equal(torch.random.get_rng_state(), before)


@pytest.mark.parametrize(
    ("dataset", "names", "part"),
    [
        ("MMI", CKPLUS, "unknown class of the released MMI 'contempt'"),
        ("CK+", ("angry",), "unknown class of the released CK.* 'angry'; did you mean 'anger'"),
        ("AffectNet", CKPLUS, "unknown released data set 'AffectNet'. Known: CK.*, MMI"),
    ],
)
def test_classes_that_the_release_does_not_know_are_refused(
    folder: Path, dataset: str, names: tuple[str, ...], part: str
) -> None:
    with pytest.raises(UserError, match=part):
        load(folder, dataset, names)


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
        load(tmp_path)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"cannot read .*200_net_resface.pth"):
        load(tmp_path)


def test_another_backbone_is_the_one_that_is_asked_for(folder: Path) -> None:
    with pytest.raises(
        UserError, match=r"200_net_cls.pth do not fit resnet18 with 7 outputs: \d+ keys missing"
    ):
        load_released_checkpoint(folder, EPOCH, dataset="CK+", class_names=CKPLUS, backbone="resnet18")
    with pytest.raises(UserError, match="unknown backbone 'resnet19'"):
        load_released_checkpoint(folder, EPOCH, dataset="CK+", class_names=CKPLUS, backbone="resnet19")
