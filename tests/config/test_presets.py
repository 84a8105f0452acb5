from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from platform.config.configuration import Configuration, Plan
from platform.config.presets import PRESETS, preset
from platform.errors import UserError

FIELDS = {kind: {field.name for field in dataclasses.fields(kind)} for kind in (Configuration, Plan)}


def built(name: str) -> tuple[Configuration, Plan]:
    values = preset(name)
    parts: list[Any] = [
        kind(**{key: value for key, value in values.items() if key in names})
        for kind, names in FIELDS.items()
    ]
    return parts[0], parts[1]


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_is_valid_documented_and_names_only_fields(name: str) -> None:
    assert set(preset(name)) <= FIELDS[Configuration] | FIELDS[Plan]
    built(name)
    assert PRESETS[name].__doc__


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
    assert (plan.fold_rule, plan.folds) == ("paper", 10)


def test_released_differs_from_paper_in_the_masks_weight_only() -> None:
    paper, released = (dataclasses.asdict(built(name)[0]) for name in ("paper", "released"))
    assert {key: released[key] for key in released if released[key] != paper[key]} == {"lambda_mask": 0.1}
    assert built("paper")[1] == built("released")[1]


def test_quick_and_smoke_run_all_ten_folds_from_random_weights() -> None:
    for name in ("quick", "smoke"):
        settings, plan = built(name)
        assert (plan.fold_rule, plan.folds) == ("paper", 10)
        assert settings.weights == "none"  # nothing to fetch: the demo works offline


def test_a_preset_is_made_anew_each_time() -> None:
    preset("quick")["backbone"] = "changed"
    assert preset("quick").get("backbone") != "changed"


def test_an_unknown_preset_names_the_nearest() -> None:
    with pytest.raises(UserError, match=r"unknown preset 'quik'; did you mean 'quick'\? Known: paper,"):
        preset("quik")
