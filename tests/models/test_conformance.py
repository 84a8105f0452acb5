"""What every method must declare, and what every method with a net must do, tiny.

A new file in platform/models/ is tested by being there, and one of tests/data/methods likewise.
tests/runs/test_every_method.py has what concerns whole fold runs.
"""

from __future__ import annotations

import ast
import dataclasses
import inspect
from collections.abc import Iterator
from typing import Any

import pytest
import torch
from safetensors.torch import save
from torch import nn

from datasets.batches import Batch
from platform.config.configuration import configuration_of, option_names, to_dict
from platform.config.presets import preset, preset_names
from platform.models import load_method, own_method_names
from platform.models.artifact import Content, in_order
from platform.models.costs.facts import Costs
from platform.models.costs.known import method_costs
from platform.models.method import Method, Settings
from platform.models.net_method import NetMethod
from platform.models.options.configuration import Configuration
from platform.models.options.faces import Faces
from platform.models.options.fields import fields_of_groups, later_fields
from platform.models.options.optimisation import AdamMoments, LastStage
from platform.models.plugin_checks import check_declarations
from platform.runs.identity import canonical_json
from platform.search.definition import definition_of_space
from tests.every_method import EVERY, OWN_FILES, SEQUENCE_FILES, registered, smallest
from tests.tiny_faces import tiny_configuration

SIZE, CLASS_COUNT, COUNT = 32, 3, 5
NOT_NETS = ("pixel_svm",)


TRAINING = (Configuration, Faces, AdamMoments, LastStage)
"""Groups that the training loop reads for every method, beside `class_weights`."""


def values_of(method: Method) -> dict[str, Any]:
    return to_dict(smallest(method.name, augmentation="none"))


def declared(method: Method) -> set[str]:
    """Names of the options that a fold run's own record holds, or would hold."""
    return {*option_names(method.name)} - fields_of_groups(method.options, method.only_artifacts) - {"method"}


def own(method: Method) -> set[str]:
    return declared(method) - fields_of_groups(method.options, TRAINING) - {"class_weights"}


class WatchedSettings(Settings):
    """Settings that note what was asked of them."""

    def __init__(self, values: Any, method: Method) -> None:
        super().__init__(values, declared(method), later_fields(method.options))
        self.__dict__["read"] = set()

    def __getattr__(self, name: str) -> Any:
        value = super().__getattr__(name)
        self.__dict__["read"].add(name)
        return value


def settings_of(method: NetMethod) -> WatchedSettings:
    return WatchedSettings(values_of(method), method)


def module_of(method: NetMethod, seed: int = 0) -> nn.Module:
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return method.build(settings_of(method), CLASS_COUNT)


def batch_of(method: NetMethod, count: int = COUNT) -> Batch:
    random = torch.Generator().manual_seed(1)
    image = torch.rand(count, 3, SIZE, SIZE, generator=random)
    mask = torch.rand(count, 1, SIZE, SIZE, generator=random)
    return Batch(
        image=image,
        gray=image.mean(1, keepdim=True),
        target_mask=mask if "masks" in method.artifacts(smallest(method.name)) else None,
        labels=torch.arange(count) % CLASS_COUNT,
    )


@pytest.fixture(scope="module", autouse=True)
def known() -> Iterator[None]:
    with registered():
        yield


@pytest.fixture(params=[*EVERY, *SEQUENCE_FILES])
def every(request: pytest.FixtureRequest) -> Method:
    return load_method(request.param)


@pytest.fixture(params=[name for name in EVERY if name not in NOT_NETS])
def method(request: pytest.FixtureRequest) -> NetMethod:
    found = load_method(request.param)
    assert isinstance(found, NetMethod)
    return found


def test_it_declares_what_every_method_must(every: Method) -> None:
    check_declarations(type(every), every.name)
    assert {"quick", "smoke"} <= set(preset_names(every.name))
    assert inspect.getdoc(type(every))
    record = every.record()
    assert record.keys() <= {"method_version", "plugin"}
    assert ("plugin" in record) == (every.name in {*OWN_FILES, *SEQUENCE_FILES})
    assert in_order(every.artifacts(smallest(every.name))) is not None


def test_its_file_imports_no_torch_until_it_is_needed(every: Method) -> None:
    own_file = (OWN_FILES | SEQUENCE_FILES).get(every.name)
    source = own_file.read_text() if own_file else inspect.getsource(inspect.getmodule(type(every)))  # type: ignore[arg-type]
    top = [node for node in ast.parse(source).body if isinstance(node, ast.Import | ast.ImportFrom)]
    names = {name for node in top for name in (getattr(node, "module", None), *(a.name for a in node.names))}
    assert not {
        name for name in names if name and name.partition(".")[0] in ("torch", "torchvision", "sklearn")
    }


def test_its_presets_make_configurations_that_its_space_changes(every: Method) -> None:
    names = set(option_names(every.name)) - {"method"}
    for one in preset_names(every.name):
        made = preset(one, every.name)
        base = configuration_of(every.name, **{name: made[name] for name in names & made.keys()})
        definition = definition_of_space(made["space"], base)
        assert definition.first
        for values in definition.first:
            assert values
    assert every.title


def test_its_options_survive_a_record(every: Method) -> None:
    configuration = smallest(every.name)
    values = to_dict(configuration)
    canonical_json(values)
    again = configuration_of(
        every.name, **{name: value for name, value in values.items() if name != "method"}
    )
    assert again == configuration
    settings = every.settings(values)
    assert settings.to_dict().keys() <= declared(every)
    assert every.settings(settings.to_dict()).to_dict() == settings.to_dict()


def test_its_costs_are_counted_or_stated(every: Method) -> None:
    configuration = smallest(every.name)
    costs = method_costs(every.name, to_dict(configuration), CLASS_COUNT)
    assert isinstance(costs, Costs)
    stated = every.costs(every.settings(to_dict(configuration)), CLASS_COUNT)
    assert costs == stated if stated is not None else costs.trained_parameters > 0


def test_the_losses_are_finite_and_reach_every_parameter(method: NetMethod) -> None:
    module, settings = module_of(method), settings_of(method)
    counted = []
    for player in method.players(module, settings):
        module.zero_grad()
        values = player.loss(module.train(), batch_of(method))
        assert all(value.ndim == 0 and bool(torch.isfinite(value)) for value in values.values())
        counted += [int(values["correct"])] if "correct" in values else []
        values["loss"].backward()
        for parameter in (one for group in player.groups for one in group["params"]):
            assert parameter.grad is not None
            assert parameter.grad.isfinite().all()
    assert counted
    assert all(0 <= count <= COUNT for count in counted)


def test_the_optimizer_gets_every_parameter_once_with_a_rate_and_its_name(method: NetMethod) -> None:
    module = module_of(method)
    groups = [group for player in method.players(module, settings_of(method)) for group in player.groups]
    given = [id(parameter) for group in groups for parameter in group["params"]]
    assert sorted(given) == sorted(id(parameter) for parameter in module.parameters())
    rates = {value for name, value in values_of(method).items() if name.endswith("rate")}
    assert {group["lr"] for group in groups} <= rates
    assert len({group["name"] for group in groups}) == len(groups)


def test_scores_are_probabilities_of_every_class(method: NetMethod) -> None:
    with torch.inference_mode():
        scores = method.scores(module_of(method).eval(), batch_of(method))
    assert scores.shape == (COUNT, CLASS_COUNT)
    assert scores.dtype == torch.float32
    assert bool((scores >= 0).all())
    torch.testing.assert_close(scores.sum(1), torch.ones(COUNT))


def test_a_face_scores_the_same_alone_and_in_a_batch(method: NetMethod) -> None:
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


def test_scoring_needs_neither_label_nor_mask(method: NetMethod) -> None:
    module, batch = module_of(method).eval(), batch_of(method)
    bare = dataclasses.replace(batch, target_mask=None, labels=torch.zeros(COUNT, dtype=torch.int64))
    with torch.inference_mode():
        assert torch.equal(method.scores(module, batch), method.scores(module, bare))


def test_pictures_are_images_of_the_batch_in_0_to_1(method: NetMethod) -> None:
    with torch.inference_mode():
        pictures = method.pictures(module_of(method).eval(), batch_of(method))
    for values in pictures.values():
        assert values.shape in ((COUNT, 1, SIZE, SIZE), (COUNT, 3, SIZE, SIZE))
        assert float(values.min()) >= 0
        assert float(values.max()) <= 1


def test_building_draws_from_torchs_current_generator_only(method: NetMethod) -> None:
    first, same, other = (module_of(method, seed).state_dict() for seed in (0, 0, 1))
    assert all(torch.equal(first[name], same[name]) for name in first)
    assert any(not torch.equal(first[name], other[name]) for name in first)


def test_a_method_reads_every_field_that_it_declares(method: NetMethod) -> None:
    """What it declares enters its identity: a field too many would keep results from being shared."""
    settings = settings_of(method)
    module = method.build(settings, CLASS_COUNT)
    for player in method.players(module, settings):
        player.loss(module.train(), batch_of(method))
    assert settings.__dict__["read"] >= own(method)


def test_a_method_refuses_what_it_did_not_declare(method: NetMethod) -> None:
    settings = method.settings(values_of(method))
    for name in {*to_dict(tiny_configuration()), *option_names(method.name), "no_option"} - declared(method):
        with pytest.raises(AttributeError, match="not among the declared fields"):
            getattr(settings, name)


@pytest.mark.parametrize("name", own_method_names())
def test_only_a_method_with_a_first_stage_takes_over_a_generator(name: str) -> None:
    method: Any = load_method(name)
    module = module_of(method)
    declared = method.artifacts(smallest(name))
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


def test_the_options_of_the_classification_loss_hold_for_every_method(method: NetMethod) -> None:
    module, batch = module_of(method).eval(), batch_of(method)
    doubled = dataclasses.replace(batch, image_weights=torch.full((COUNT,), 2.0))
    smoothing = WatchedSettings({**values_of(method), "label_smoothing": 0.5}, method)
    with torch.inference_mode():
        plain = method.loss(module, batch, settings_of(method))["loss"]
        weighted = method.loss(module, doubled, settings_of(method))["loss"]
        smoothed = method.loss(module, batch, smoothing)["loss"]
    assert float(weighted) > float(plain)
    assert float(smoothed) != float(plain)
