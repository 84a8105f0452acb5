from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from platform.config.configuration import Plan, configuration_of, option_names, plan_with, replace
from platform.config.presets import given_options, preset, preset_names, with_method
from platform.errors import UserError
from platform.models import method_names
from search_spaces import space_names

PLAN_FIELDS = {field.name for field in dataclasses.fields(Plan)}


def built(name: str, method: str = "fmpn") -> tuple[Any, Plan]:
    values, options = preset(name, method), option_names(method)
    return (
        configuration_of(method, **{key: value for key, value in values.items() if key in options}),
        Plan(preset=name, **{key: value for key, value in values.items() if key in PLAN_FIELDS}),
    )


@pytest.mark.parametrize("method", method_names())
def test_every_preset_is_valid_and_names_only_fields(method: str) -> None:
    assert {"quick", "smoke"} <= set(preset_names(method))
    for name in preset_names(method):
        assert set(preset(name, method)) <= {*option_names(method), *PLAN_FIELDS}
        built(name, method)
        assert preset(name, method)["space"] in space_names()


@pytest.mark.parametrize("method", ["cnn", "cnn_no_mask_loss"])
@pytest.mark.parametrize("name", ["paper", "released", "quick", "smoke"])
def test_a_baseline_of_a_preset_is_the_methods_own_preset(method: str, name: str) -> None:
    """FMPN and its baselines agree on the options that they share."""
    configuration, plan = built(name)
    assert with_method(configuration, method, plan) == built(name, method)[0]


def test_a_baseline_takes_shared_options_from_the_winner_and_the_rest_from_its_preset() -> None:
    configuration, plan = built("quick", "cnn")
    winner = replace(configuration, classifier_learning_rate=5e-3, optimizer="adamw", seed=4)
    fmpn = with_method(winner, "fmpn", plan)
    shared = set(option_names("cnn")) - {"method"}
    assert all(getattr(fmpn, name) == getattr(winner, name) for name in shared)
    own = built("quick")[0]
    assert all(getattr(fmpn, name) == getattr(own, name) for name in {*option_names("fmpn")} - shared)
    assert with_method(winner, "cnn", plan) is winner


def test_options_given_for_a_baseline_override_the_winners() -> None:
    configuration, plan = built("quick")
    given = plan_with(plan, methods='{"cnn": {"classifier_learning_rate": 0.01}}')
    assert given_options(given, "cnn") == {"classifier_learning_rate": 0.01}
    assert with_method(configuration, "cnn", given).classifier_learning_rate == 0.01
    other = with_method(configuration, "cnn_no_mask_loss", given)
    assert other == with_method(configuration, "cnn_no_mask_loss", plan)
    wrong = plan_with(plan, methods='{"cnn": {"lambda_mask": 1}}')
    with pytest.raises(UserError, match="unknown option of the method cnn 'lambda_mask'"):
        with_method(configuration, "cnn", wrong)


def test_a_preset_that_a_baseline_lacks_matters_only_where_it_needs_one() -> None:
    configuration, plan = built("quick")
    other = plan_with(plan, preset="mine")
    assert with_method(configuration, "cnn", other) == with_method(configuration, "cnn", plan)
    with pytest.raises(UserError, match="unknown preset of the method fmpn 'mine'"):
        with_method(built("quick", "cnn")[0], "fmpn", other)


def test_paper_is_the_published_configuration() -> None:
    """docs/methods.md, §2.2 to §2.6."""
    settings, plan = built("paper")
    assert (settings.method, settings.backbone, settings.weights) == ("fmpn", "inception_v3", "imagenet")
    assert (settings.backbone_width, settings.generator_width, settings.enlarge_below_pixels) == (1, 64, 0)
    assert (settings.load_size_pixels, settings.image_size_pixels) == (320, 299)
    assert (settings.stage1_constant_epochs, settings.stage1_decay_epochs) == (150, 150)
    assert (settings.stage2_constant_epochs, settings.stage2_decay_epochs) == (100, 100)
    assert (settings.stage1_batch_size, settings.stage2_batch_size) == (32, 16)
    assert (settings.adam_beta1, settings.adam_beta2) == (0.5, 0.999)
    assert (settings.stage1_learning_rate, settings.classifier_learning_rate) == (1e-4, 1e-4)
    assert settings.generator_learning_rate == 1e-5
    assert (settings.lambda_classification, settings.lambda_mask) == (1, 10)
    assert (settings.augmentation, settings.transform_input) == ("paper", True)
    assert (settings.stage2_augmentation, settings.generator_blocks, settings.dropout) == ("same", 4, -1)
    assert (settings.optimizer, settings.weight_decay, settings.momentum) == ("adam", 0, 0)
    assert (settings.schedule, settings.label_smoothing, settings.class_weights) == ("paper", 0, "none")
    assert (settings.freeze_backbone, settings.freeze_generator, settings.ema_decay) == (False, False, 0)
    assert (plan.fold_rule, plan.folds, plan.seeds) == ("paper", 10, 3)


def test_released_differs_from_paper_in_the_masks_weight_only() -> None:
    paper, released = (dataclasses.asdict(built(name)[0]) for name in ("paper", "released"))
    assert {key: released[key] for key in released if released[key] != paper[key]} == {"lambda_mask": 0.1}
    assert dataclasses.replace(built("paper")[1], preset="released") == built("released")[1]


def test_quick_and_smoke_run_all_ten_folds_from_random_weights() -> None:
    for name in ("quick", "smoke"):
        settings, plan = built(name)
        assert (plan.fold_rule, plan.folds) == ("paper", 10)
        assert settings.weights == "none"  # nothing to fetch: the demo works offline
        assert plan.seeds == 1  # minutes, as before


def test_a_preset_is_made_anew_each_time() -> None:
    preset("quick")["backbone"] = "changed"
    assert preset("quick").get("backbone") != "changed"


def test_an_unknown_preset_names_the_nearest() -> None:
    with pytest.raises(UserError, match=r"unknown preset .* 'quik'; did you mean 'quick'\? Known: paper,"):
        preset("quik")
