"""Weights that a net starts from; nothing is downloaded."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
import torchvision
from safetensors.torch import save_file

from platform.errors import UserError
from platform.models.networks import backbone_nets
from platform.models.networks.backbone_nets import check_weights
from platform.models.networks.backbones import BACKBONES
from platform.models.networks.imagenet import imagenet_file
from platform.models.networks.weights import pin_weights
from tests.models.networks.test_backbones import built


def pinned(path: Path) -> str:
    return pin_weights(str(path))


def narrow_state(name: str = "resnet18", outputs: int = 7) -> dict[str, torch.Tensor]:
    """Weights of the narrowest net, all different from its random start."""
    torch.manual_seed(1)
    net = built(name, outputs, width=1 / 16)
    return {key: torch.rand(value.shape) for key, value in net.state_dict().items()}


def saved(folder: Path, state: dict[str, torch.Tensor], form: str = "torch") -> Path:
    path = folder / f"weights.{form}"
    if form == "torch":
        torch.save(state, path)
    else:
        save_file(state, path)
    return path


@pytest.mark.parametrize("form", ["torch", "safetensors"])
@pytest.mark.parametrize(("outputs", "kept"), [(7, True), (1000, False)])
def test_a_files_weights_are_taken_and_its_head_where_it_has_our_classes(
    tmp_path: Path, form: str, outputs: int, kept: bool
) -> None:
    state = narrow_state(outputs=outputs)
    weights = pinned(saved(tmp_path, state, form))
    check_weights("resnet18", width=1 / 16, weights=weights, class_counts=[7])
    now = built("resnet18", 7, width=1 / 16, weights=weights).state_dict()
    changed = {
        name for name in state if now[name].shape != state[name].shape or (now[name] != state[name]).any()
    }
    counters = {name for name in state if name.endswith("num_batches_tracked")}  # integers: 0 of [0, 1)
    assert changed - counters == (set() if kept else {"fc.weight", "fc.bias"})
    assert now["fc.weight"].shape[0] == 7
    if not kept:
        assert not now["fc.bias"].any()  # the new head starts as released


@pytest.mark.parametrize(
    "use",
    [
        lambda weights: check_weights("resnet18", width=1 / 16, weights=weights, class_counts=[7]),
        lambda weights: built("resnet18", 7, width=1 / 16, weights=weights),
    ],
    ids=["checked before the run", "built in the run"],
)
@pytest.mark.parametrize(
    ("changes", "parts"),
    [
        ({"conv1.weight": None}, ["1 key missing: conv1.weight [4, 3, 7, 7]", "of width 0.0625"]),
        ({"extra": torch.zeros(2)}, ["1 key unknown: extra [2]"]),
        (
            {"layer1.0.conv1.weight": torch.zeros(4, 4, 1, 1)},
            ["1 key of another shape: layer1.0.conv1.weight [4, 4, 1, 1] instead of [4, 4, 3, 3]"],
        ),
        ({"fc.bias": torch.zeros(6)}, ["a head for 6 classes", "the labels have 7", "1000"]),
        ({"fc.weight": torch.zeros(6, 32)}, ["fc.weight [6, 32] instead of [7, 32]"]),
        ({"fc.bias": None}, ["fc.bias [1000]"]),
    ],
)
def test_weights_that_do_not_fit_are_refused_with_keys_and_shapes(
    tmp_path: Path, changes: dict[str, torch.Tensor | None], parts: list[str], use: Callable[[str], object]
) -> None:
    state = {**narrow_state(), **changes}
    path = saved(tmp_path, {name: value for name, value in state.items() if value is not None})
    with pytest.raises(UserError) as refusal:
        use(pinned(path))
    for part in [str(path), *parts]:
        assert part in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_a_file_without_any_tensor_is_no_random_start(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"keys missing: conv1.weight .* and \d+ more"):
        built("resnet18", 7, width=1 / 16, weights=pinned(saved(tmp_path, {})))


def test_every_data_set_of_an_experiment_has_as_many_classes_as_the_head(tmp_path: Path) -> None:
    weights = pinned(saved(tmp_path, narrow_state()))
    check_weights("resnet18", width=1 / 16, weights=weights)  # before the data are known: not judged
    with pytest.raises(UserError, match="a head for 7 classes, but the labels have 6 and 7"):
        check_weights("resnet18", width=1 / 16, weights=weights, class_counts=[7, 6])


def test_inceptions_auxiliary_classifier_is_left_out_and_nothing_else(tmp_path: Path) -> None:
    state = narrow_state("inception_v3")
    extra = {"AuxLogits.conv0.conv.weight": torch.zeros(1)}
    built("inception_v3", width=1 / 16, weights=pinned(saved(tmp_path, {**state, **extra})))
    extra = {"AuxLogit.weight": torch.zeros(1)}
    with pytest.raises(UserError, match=r"1 key unknown: AuxLogit.weight"):
        built("inception_v3", width=1 / 16, weights=pinned(saved(tmp_path, {**state, **extra})))


def test_densenets_old_names_are_understood(tmp_path: Path) -> None:
    """torchvision's file is older than the rule that a module's name has no dot."""
    state = narrow_state("densenet121")
    old = {
        re.sub(r"(denselayer\d+\.(?:norm|conv))([12]\.)", r"\1.\2", name): value
        for name, value in state.items()
        if not name.endswith("num_batches_tracked")
    }
    assert "features.denseblock1.denselayer1.norm.1.weight" in old
    now = built("densenet121", width=1 / 16, weights=pinned(saved(tmp_path, old))).state_dict()
    assert all(torch.equal(now[name], state[name]) for name in now if not name.endswith("tracked"))


def test_imagenet_weights_are_loaded_with_their_head_and_then_given_ours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch.manual_seed(1)
    state = torchvision.models.resnet18().state_dict()
    asked: list[str] = []
    monkeypatch.setattr(backbone_nets, "read_imagenet", lambda weights: asked.append(weights) or state)
    now = built("resnet18", 7, weights="imagenet").state_dict()
    assert asked == ["ResNet18_Weights"]
    assert {name for name in state if not torch.equal(now[name], state[name])} == {"fc.weight", "fc.bias"}


def test_the_weights_files_are_torchvisions_of_2012() -> None:
    names = {name: imagenet_file(facts.weights).name for name, facts in BACKBONES.items()}
    assert names["inception_v3"] == "inception_v3_google-0cc3c7bd.pth"
    assert names["densenet121"] == "densenet121-a639ec97.pth"
    assert names["vgg16_bn"] == "vgg16_bn-6c64b313.pth"
    assert all(re.fullmatch(rf"{name}(_google)?-[0-9a-f]{{8}}\.pth", file) for name, file in names.items())
