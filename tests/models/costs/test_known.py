from __future__ import annotations

import pickle
import subprocess
import sys
from collections.abc import Collection
from pathlib import Path
from typing import Any

import pytest

from platform.config.configuration import configuration_of, to_dict
from platform.errors import UserError
from platform.models import load_method
from platform.models.costs import counting, known
from platform.models.costs.facts import Costs
from platform.models.costs.known import known_costs, method_costs, remember_costs, stage_costs
from platform.models.fmpn import STAGE_1, FmpnOptions
from platform.models.method import Settings
from platform.models.networks.backbones import BACKBONES
from tests.tiny_faces import tiny_configuration

SMALLEST = {
    "inception_v3": (75, 107),
    "resnet18": (16, 33),
    "resnet50": (16, 33),
    "resnet152": (16, 33),
    "densenet121": (29, 61),
    "vgg16": (32, 32),
    "vgg16_bn": (32, 32),
    "vgg19": (32, 32),
}
"""Side of the smallest image that can be trained on, ours being at least 16 px, and of the smallest one that
can be trained on alone."""


def nets(slow: Collection[str]) -> list[Any]:
    """All nets; some of them slow, because a net of the same kind is not."""
    return [pytest.param(name, marks=[pytest.mark.slow] if name in slow else []) for name in SMALLEST]


@pytest.fixture(autouse=True)
def nothing_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(known, "_known", [])


def values(**changes: Any) -> dict[str, Any]:
    return to_dict(tiny_configuration(**{"load_size_pixels": 299, **changes}))


def stage1(changes: dict[str, Any]) -> Costs:
    return stage_costs("fmpn", STAGE_1, stage1_settings(**changes), 7)


def stage1_settings(**changes: Any) -> Settings:
    return Settings({**values(), **changes}, STAGE_1.option_names(FmpnOptions))


def cnn(name: str, size: int, **changes: Any) -> Costs:
    return method_costs("cnn", values(backbone=name, image_size_pixels=size, **changes), 7)


def test_the_sizes_of_all_nets_are_tested() -> None:
    assert SMALLEST.keys() == BACKBONES.keys()


@pytest.mark.parametrize("name", nets(slow={"resnet50", "resnet152", "vgg16", "vgg19"}))
def test_smallest_images_and_smallest_batches_are_the_published_ones(name: str) -> None:
    smallest, alone = SMALLEST[name]
    assert cnn(name, alone).minimum_batch == 1
    if alone > smallest:
        assert cnn(name, smallest).minimum_batch == cnn(name, alone - 1).minimum_batch == 2


@pytest.mark.parametrize("name", nets(slow=SMALLEST.keys() - {"inception_v3", "vgg16"}))
def test_too_small_images_are_refused_with_net_size_and_remedy_every_time(name: str) -> None:
    smallest = SMALLEST[name][0]
    if smallest == 16:
        return  # the smallest that settings allow
    expected = (
        f"{name} needs images of at least {smallest} px, but gets {smallest - 1}; raise --image-size-pixels "
        r"\(or --enlarge-below-pixels\), or choose another --backbone."
    )
    for image_size in (smallest - 1, smallest - 1, 16):
        with pytest.raises(UserError, match=expected):
            cnn(name, image_size, enlarge_below_pixels=smallest - 1)
    assert len(known_costs()) == 2, "the refusal is known too"
    assert cnn(name, 16, enlarge_below_pixels=smallest).parameters > 0


def test_a_net_is_counted_once_for_all_that_changes_no_cost(monkeypatch: pytest.MonkeyPatch) -> None:
    costs = method_costs("fmpn", values(), 7)
    first = stage1({})
    monkeypatch.setattr(counting, "count", None)
    others = {"classifier_learning_rate": 0.5, "lambda_mask": 3.0, "seed": 4, "stage2_batch_size": 2}
    assert method_costs("fmpn", {**values(), **others}, 7) is costs
    assert stage1({**others, "backbone": "vgg19"}) is first
    remembered = known_costs()
    for changes in ({"backbone": "vgg16"}, {"image_size_pixels": 34}, {"generator_width": 3}):
        with pytest.raises(TypeError, match="NoneType"):
            method_costs("fmpn", values(**changes), 7)
    monkeypatch.setattr(known, "_known", [])
    remember_costs(remembered)
    assert method_costs("fmpn", values(), 7) == costs
    with pytest.raises(TypeError, match="NoneType"):
        method_costs("fmpn", values(), 6)


def test_weights_and_dropout_are_neither_needed_nor_do_they_cost() -> None:
    plain = cnn("vgg16", 32, backbone_width=1.0)
    changed = {**values(backbone="vgg16", image_size_pixels=32, backbone_width=1.0, dropout=0.2)}
    assert method_costs("cnn", {**changed, "weights": "imagenet"}, 7) is plain


def test_the_methods_cost_what_their_parts_cost() -> None:
    """The published sizes: stage 1 alone, Inception alone, and both with the fusion of face and mask."""
    paper = to_dict(configuration_of())
    first, alone = stage1(paper), method_costs("cnn", paper, 7)
    assert (round(first.gflop_an_image, 1), round(alone.gflop_an_image, 1)) == (227.2, 34.2)
    both = method_costs("fmpn", paper, 7)
    assert both.gflop_an_image == pytest.approx(262, abs=0.5)
    assert both.parameters == first.parameters + alone.parameters + 377
    assert both.kept_bytes_an_image > first.kept_bytes_an_image + alone.kept_bytes_an_image
    frozen = method_costs("fmpn", {**paper, "freeze_generator": True}, 7)
    assert frozen.trained_parameters == alone.parameters + 377


def test_a_method_that_is_no_net_states_its_costs(monkeypatch: pytest.MonkeyPatch) -> None:
    stated = Costs(
        parameters=3, trained_parameters=3, gflop_an_image=0.1, kept_bytes_an_image=0, minimum_batch=1
    )
    method = type(load_method("cnn"))
    monkeypatch.setattr(method, "costs", lambda self, settings, class_count: stated)
    monkeypatch.setattr(method, "build", None)
    assert method_costs("cnn", values(method="cnn"), 7) is stated


def test_what_is_known_needs_no_torch(root: Path) -> None:
    """The dispatcher asks for what the driver has counted."""
    costs = [method_costs("fmpn", values(), 3), stage_costs("fmpn", STAGE_1, stage1_settings(), 3)]
    script = """
import pickle, sys
from platform.models.costs.known import method_costs, remember_costs, stage_costs
from platform.models.fmpn import STAGE_1
known, values, first, costs = pickle.load(sys.stdin.buffer)
remember_costs(known)
assert [method_costs("fmpn", values, 3), stage_costs("fmpn", STAGE_1, first, 3)] == costs
assert "torch" not in sys.modules
"""
    sent = pickle.dumps((known_costs(), values(), stage1_settings(), costs))
    subprocess.run([sys.executable, "-c", script], input=sent, cwd=root, check=True)
