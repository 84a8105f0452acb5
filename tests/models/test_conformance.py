"""What every method must do, tiny: a new file in platform/models/ is tested by being there."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
import torch
from safetensors.torch import save
from torch import nn

from datasets.batches import Batch
from platform.config.configuration import to_dict
from platform.models import load_method, method_names
from platform.models.artifact import Content, in_order
from platform.models.method import Method, Settings
from platform.models.options.configuration import Configuration
from platform.models.options.faces import Faces
from platform.models.options.fields import fields_of_groups
from platform.models.options.optimisation import AdamMoments, LastStage
from tests.tiny_faces import tiny_configuration

SIZE, CLASS_COUNT, COUNT = 32, 3, 5
OPTIONS = tiny_configuration(augmentation="none")
ALL_FIELDS = to_dict(tiny_configuration(augmentation="none"))


TRAINING = (Configuration, Faces, AdamMoments, LastStage)
"""Groups that the training loop reads for every method, beside `class_weights`."""


def declared(method: Method) -> tuple[str, ...]:
    return tuple(method.settings(ALL_FIELDS).to_dict())


def own(method: Method) -> set[str]:
    return {*declared(method)} - fields_of_groups(method.options, TRAINING) - {"class_weights"}


class WatchedSettings(Settings):
    """Settings that note what was asked of them."""

    def __init__(self, values: Any, fields: tuple[str, ...]) -> None:
        super().__init__(values, fields)
        self.__dict__["read"] = set()

    def __getattr__(self, name: str) -> Any:
        value = super().__getattr__(name)
        self.__dict__["read"].add(name)
        return value


def settings_of(method: Method) -> WatchedSettings:
    return WatchedSettings(ALL_FIELDS, declared(method))


def module_of(method: Method, seed: int = 0) -> nn.Module:
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return method.build(settings_of(method), CLASS_COUNT)


def batch_of(method: Method, count: int = COUNT) -> Batch:
    random = torch.Generator().manual_seed(1)
    image = torch.rand(count, 3, SIZE, SIZE, generator=random)
    mask = torch.rand(count, 1, SIZE, SIZE, generator=random)
    return Batch(
        image=image,
        gray=image.mean(1, keepdim=True),
        target_mask=mask if "masks" in method.artifacts(OPTIONS) else None,
        labels=torch.arange(count) % CLASS_COUNT,
    )


@pytest.fixture(params=method_names())
def method(request: pytest.FixtureRequest) -> Method:
    return load_method(request.param)


def test_the_loss_is_finite_and_reaches_every_parameter(method: Method) -> None:
    module = module_of(method)
    values = method.loss(module.train(), batch_of(method), settings_of(method))
    assert all(value.ndim == 0 and bool(torch.isfinite(value)) for value in values.values())
    assert 0 <= int(values["correct"]) <= COUNT
    values["loss"].backward()
    groups = method.parameter_groups(module, settings_of(method))
    trained = {id(parameter): parameter for group in groups for parameter in group["params"]}
    assert all(parameter.grad is not None for parameter in trained.values())
    assert all(
        parameter.grad.isfinite().all() for parameter in trained.values() if parameter.grad is not None
    )


def test_the_optimizer_gets_every_parameter_once_with_a_rate_and_its_name(method: Method) -> None:
    module = module_of(method)
    groups = method.parameter_groups(module, settings_of(method))
    given = [id(parameter) for group in groups for parameter in group["params"]]
    assert sorted(given) == sorted(id(parameter) for parameter in module.parameters())
    assert {group["lr"] for group in groups} <= {
        ALL_FIELDS["classifier_learning_rate"], ALL_FIELDS["generator_learning_rate"],
    }  # fmt: skip
    assert len({group["name"] for group in groups}) == len(groups)


def test_scores_are_probabilities_of_every_class(method: Method) -> None:
    with torch.inference_mode():
        scores = method.scores(module_of(method).eval(), batch_of(method))
    assert scores.shape == (COUNT, CLASS_COUNT)
    assert scores.dtype == torch.float32
    assert bool((scores >= 0).all())
    torch.testing.assert_close(scores.sum(1), torch.ones(COUNT))


def test_a_face_scores_the_same_alone_and_in_a_batch(method: Method) -> None:
    module, batch = module_of(method).eval(), batch_of(method)
    with torch.inference_mode():
        together = method.scores(module, batch)
        for row in range(COUNT):
            parts: dict[str, Any] = {
                field.name: value[row : row + 1] if value is not None else None
                for field in dataclasses.fields(batch)
                for value in [getattr(batch, field.name)]
            }
            alone = method.scores(module, Batch(**parts))
            torch.testing.assert_close(alone, together[row : row + 1], atol=1e-5, rtol=1e-4)


def test_scoring_needs_neither_label_nor_mask(method: Method) -> None:
    module, batch = module_of(method).eval(), batch_of(method)
    bare = dataclasses.replace(batch, target_mask=None, labels=torch.zeros(COUNT, dtype=torch.int64))
    with torch.inference_mode():
        assert torch.equal(method.scores(module, batch), method.scores(module, bare))


def test_pictures_are_images_of_the_batch_in_0_to_1(method: Method) -> None:
    with torch.inference_mode():
        pictures = method.pictures(module_of(method).eval(), batch_of(method))
    for values in pictures.values():
        assert values.shape in ((COUNT, 1, SIZE, SIZE), (COUNT, 3, SIZE, SIZE))
        assert float(values.min()) >= 0
        assert float(values.max()) <= 1


def test_building_draws_from_torchs_current_generator_only(method: Method) -> None:
    first, same, other = (module_of(method, seed).state_dict() for seed in (0, 0, 1))
    assert all(torch.equal(first[name], same[name]) for name in first)
    assert any(not torch.equal(first[name], other[name]) for name in first)


def test_a_method_reads_every_field_that_it_declares(method: Method) -> None:
    """What it declares enters its identity: a field too many would keep results from being shared."""
    settings = settings_of(method)
    module = method.build(settings, CLASS_COUNT)
    method.parameter_groups(module, settings)
    method.loss(module.train(), batch_of(method), settings)
    assert settings.__dict__["read"] >= own(method)


def test_a_method_refuses_what_it_did_not_declare(method: Method) -> None:
    undeclared = set(ALL_FIELDS) - {*declared(method)}
    assert undeclared
    for name in undeclared:
        with pytest.raises(AttributeError, match="not among the declared fields"):
            getattr(method.settings(ALL_FIELDS), name)


def test_only_a_method_with_a_first_stage_takes_over_a_generator(method: Method) -> None:
    module = module_of(method)
    declared = method.artifacts(OPTIONS)
    assert in_order(declared) == [name for name in ("masks", "stage1") if name in declared]
    if "stage1" not in declared:
        return
    state = module_of(method, seed=5).get_submodule("mask_generator").state_dict()
    method.load_artifacts(module, {"stage1": _content(state)})
    now = module.get_submodule("mask_generator").state_dict()
    assert all(torch.equal(now[name], state[name]) for name in state)
    with pytest.raises(RuntimeError, match="Missing key"):  # nothing is dropped silently
        method.load_artifacts(module, {"stage1": _content(dict(list(state.items())[1:]))})


def _content(state: dict[str, torch.Tensor]) -> Content:
    return Content(files={"mask_generator.safetensors": save(state)}, facts={})


def test_the_options_of_the_classification_loss_hold_for_every_method(method: Method) -> None:
    module, batch = module_of(method).eval(), batch_of(method)
    doubled = dataclasses.replace(batch, image_weights=torch.full((COUNT,), 2.0))
    smoothing = WatchedSettings({**ALL_FIELDS, "label_smoothing": 0.5}, declared(method))
    with torch.inference_mode():
        plain = method.loss(module, batch, settings_of(method))["loss"]
        weighted = method.loss(module, doubled, settings_of(method))["loss"]
        smoothed = method.loss(module, batch, smoothing)["loss"]
    assert float(weighted) > float(plain)
    assert float(smoothed) != float(plain)
