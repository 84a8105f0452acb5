from __future__ import annotations

import ast
import dataclasses
from pathlib import Path
from typing import Any

import pytest

from platform.config.configuration import Plan, configuration_of, option_names, plan_with, replace, to_dict
from platform.errors import UserError
from platform.models import load_method, method_names
from platform.models.fmpn import FmpnOptions
from platform.models.options.fields import later_fields

CONFIGURATION_FIELDS = {field.name for field in dataclasses.fields(FmpnOptions)}
PLAN_FIELDS = {field.name for field in dataclasses.fields(Plan)}


def attributes_read(folder: Path, of: str, but: str) -> set[str]:
    """Attributes read in a folder's sources from a name or an attribute that ends in `of`."""
    files = [path for path in folder.rglob("*.py") if path.name != but]
    assert len(files) > 3
    return {
        node.attr
        for path in files
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute) and ast.unparse(node.value).rpartition(".")[2].lstrip("_") == of
    }


def test_every_option_reaches_a_record_of_a_fold_run_or_of_stage_1() -> None:
    for name in method_names():
        method = load_method(name)
        values = to_dict(configuration_of(name)) | dict.fromkeys(later_fields(method.options))
        artifacts = method.artifacts(configuration_of(name)).values()
        read = set(method.settings(values).to_dict()).union(
            *(artifact.option_names(method.options) for artifact in artifacts)
        )
        assert read == set(option_names(name)) - {"method"}


def test_fmpn_has_the_options_of_all_methods() -> None:
    """So the tests below that name a field of FMPN's cover every method."""
    assert {name for method in method_names() for name in option_names(method)} == CONFIGURATION_FIELDS


def test_every_declared_field_is_read_by_the_networks_or_the_training(root: Path) -> None:
    read = {
        name
        for folder in ("models", "training")
        for name in attributes_read(root / "platform" / folder, "settings", "")
    }
    # Shared stages name the options that are their length and batch size (platform/models/artifact.py).
    for name in method_names():
        for artifact in load_method(name).artifacts(configuration_of(name)).values():
            read |= {*artifact.epoch_fields, artifact.batch_field}
    # The prepared faces come in their size: the data's hash stands for it (platform/runs/fold_tasks.py).
    unread = CONFIGURATION_FIELDS - {"method", "load_size_pixels"} - read
    assert not unread
    assert "load_size_pixels" in attributes_read(root / "platform", "configuration", "config.py")


def test_every_field_of_the_plan_is_read(root: Path) -> None:
    assert PLAN_FIELDS - attributes_read(root / "platform", "plan", "config.py") == set()


def test_no_name_is_a_field_of_both() -> None:
    """Flags and YAML keys are the field names."""
    assert not CONFIGURATION_FIELDS & PLAN_FIELDS


def test_settings_cannot_be_changed_in_place() -> None:
    for settings, name in ((configuration_of(), "seed"), (Plan(), "folds")):
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(settings, name, 1)


def test_a_changed_copy_leaves_the_original_and_is_checked_again() -> None:
    settings, plan = configuration_of(), Plan()
    assert (replace(settings, seed=3).seed, settings.seed) == (3, 0)
    assert (plan_with(plan, trials=7).trials, plan.trials) == (7, 12)
    with pytest.raises(UserError, match="seed must be"):
        replace(settings, seed=-1)
    with pytest.raises(UserError, match=r"unknown option of the method fmpn 'sead'; did you mean 'seed'\?"):
        replace(settings, sead=1)
    with pytest.raises(UserError, match="trials must be"):
        plan_with(plan, trials=0)


def test_plain_values_make_the_same_settings_again() -> None:
    values = to_dict(Plan(rounds=(6, 4)))
    assert values["rounds"] == [6, 4]
    assert configuration_of(**to_dict(configuration_of(seed=4))) == configuration_of(seed=4)


def test_a_whole_number_and_its_float_are_the_same_setting() -> None:
    assert to_dict(configuration_of(lambda_mask=10)) == to_dict(configuration_of(lambda_mask=10.0))
    assert isinstance(configuration_of(lambda_mask=10).lambda_mask, float)


SMALL: dict[str, Any] = {"weights": "none", "backbone": "resnet18"}


@pytest.mark.parametrize(
    ("changes", "parts"),
    [
        ({"method": "fmpm"}, ["unknown method 'fmpm'", "did you mean 'fmpn'?", "cnn_no_mask_loss"]),
        ({"backbone": "resnet19"}, ["unknown backbone 'resnet19'", "did you mean 'resnet18'?", "vgg16_bn"]),
        ({"weights": "imagenett"}, ["weights must be imagenet, none or a file", "did you mean imagenet?"]),
        ({"weights": ""}, ["weights must be imagenet, none or a file", "''"]),
        ({"weights": "no/such.pth"}, ["there is no file 'no/such.pth'"]),
        ({"augmentation": "random"}, ["unknown augmentation 'random'", "Known: none, paper, strong"]),
        ({**SMALL, "image_size_pixels": 15}, ["image_size_pixels must be >= 16", "15"]),
        (
            {**SMALL, "image_size_pixels": 15, "enlarge_below_pixels": 75},
            ["image_size_pixels must be >= 16", "15"],
        ),
        ({"enlarge_below_pixels": 4096}, ["enlarge_below_pixels must be 0 to 2048", "4096"]),
        ({"load_size_pixels": 298}, ["load_size_pixels >= image_size_pixels", "298 < 299", "--load-size"]),
        ({**SMALL, "backbone_width": 0.3}, ["backbone_width must be a multiple of 1/16", "0.3", "0.25"]),
        ({**SMALL, "backbone_width": 0}, ["backbone_width", "0"]),
        ({**SMALL, "backbone_width": 2}, ["backbone_width", "2"]),
        ({"backbone_width": 0.5}, ["ImageNet weights", "0.5", "--weights none"]),
        ({"generator_width": 0}, ["generator_width must be 1 to 1024", "0", "--generator-width"]),
        ({"generator_blocks": 0}, ["generator_blocks must be 1 to 64", "0", "--generator-blocks"]),
        ({"stage2_augmentation": "strange"}, ["unknown augmentation 'strange'", "did you mean 'strong'?"]),
        ({"optimizer": "adamx"}, ["unknown optimizer 'adamx'", "Known: adam, adamw, sgd"]),
        ({"weight_decay": -0.1}, ["weight_decay must be >= 0 and < 10", "-0.1", "--weight-decay"]),
        ({"optimizer": "sgd", "momentum": 1.0}, ["momentum must be >= 0 and < 1", "1.0"]),
        ({"momentum": 0.9}, ["momentum needs the optimizer sgd", "0.9", "adam", "--optimizer sgd"]),
        ({"optimizer": "sgd", "amsgrad": True}, ["amsgrad is a variant", "sgd", "--amsgrad no"]),
        ({"step_epochs": 0, "schedule": "step"}, ["step_epochs must be >= 1", "0", "--step-epochs"]),
        ({"step_factor": 1.0, "schedule": "step"}, ["step_factor must be > 0 and < 1", "1.0"]),
        ({"step_epochs": 20}, ["step_epochs and step_factor need the schedule step", "paper"]),
        ({"schedule": "cosinus"}, ["unknown schedule 'cosinus'", "did you mean 'cosine'?", "constant"]),
        ({"label_smoothing": 1.0}, ["label_smoothing must be >= 0 and < 1", "1.0", "--label-smoothing"]),
        ({"class_weights": "even"}, ["unknown class_weights 'even'", "Known: balanced, none"]),
        ({"dropout": 1.0}, ["dropout must be >= 0 and < 1, or -1 for the net's own", "1", "--dropout"]),
        ({"dropout": -0.5}, ["dropout must be >= 0 and < 1, or -1", "-0.5"]),
        (
            {"backbone": "resnet18", "dropout": 0.5},
            [
                "resnet18 has no dropout in its head",
                "0.5",
                "--dropout -1",
                "inception_v3, vgg16, vgg16_bn, vgg19",
            ],
        ),
        (
            {"freeze_backbone": True, "weights": "none"},
            ["freeze_backbone keeps", "none", "--weights imagenet"],
        ),
        ({"freeze_generator": "yes"}, ["freeze_generator must be of type bool", "'yes'"]),
        ({"ema_decay": 1.0}, ["ema_decay must be >= 0 and < 1", "1.0", "--ema-decay"]),
        ({"stage1_constant_epochs": -1}, ["stage1_constant_epochs must be >= 0", "-1"]),
        ({"stage2_decay_epochs": -1}, ["stage2_decay_epochs must be >= 0", "-1"]),
        (
            {"stage2_constant_epochs": 0, "stage2_decay_epochs": 0},
            ["stage2_constant_epochs + stage2_decay_epochs must be >= 1", "0"],
        ),
        ({"stage1_batch_size": 0}, ["stage1_batch_size must be >= 1", "0", "--stage1-batch-size"]),
        ({"classifier_learning_rate": 0}, ["classifier_learning_rate must be > 0", "0"]),
        ({"stage1_learning_rate": 10.0}, ["stage1_learning_rate must be > 0 and < 10", "10.0"]),
        ({"generator_learning_rate": -1e-5}, ["generator_learning_rate must be >= 0", "-1e-05"]),
        ({"lambda_mask": -0.1}, ["lambda_mask must be >= 0", "-0.1", "--lambda-mask"]),
        ({"adam_beta1": 1.0}, ["adam_beta1 must be >= 0 and < 1", "1.0"]),
        ({"seed": 2**31}, ["seed must be 0 to 2**31 - 1", str(2**31)]),
        ({"seed": "0"}, ["seed must be of type int", "'0'"]),
        ({"seed": True}, ["seed must be of type int", "True"]),
        ({"seed": 1.0}, ["seed must be of type int", "1.0"]),
        ({"backbone": None}, ["backbone must be of type str", "None"]),
        ({"transform_input": 1}, ["transform_input must be of type bool", "1"]),
        ({"lambda_mask": "1e-4"}, ["lambda_mask must be of type float", "'1e-4'"]),
        ({"lambda_mask": float("nan")}, ["lambda_mask must be finite", "nan"]),
        ({"classifier_learning_rate": float("inf")}, ["classifier_learning_rate must be finite", "inf"]),
    ],
)
def test_a_bad_configuration_says_rule_value_and_remedy(changes: dict[str, Any], parts: list[str]) -> None:
    with pytest.raises(UserError) as refusal:
        configuration_of(**changes)
    for part in parts:
        assert part in str(refusal.value)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize(
    ("changes", "parts"),
    [
        ({"folds": 1}, ["folds must be >= 2", "1", "--folds"]),
        ({"fold_rule": "random"}, ["unknown fold_rule 'random'", "Known: holdout, paper, step"]),
        ({"holdout_share": 1.0}, ["holdout_share must be > 0 and < 1", "1.0"]),
        ({"holdout_share": 0}, ["holdout_share must be > 0 and < 1", "0"]),
        ({"selection_rule": "best"}, ["unknown selection_rule 'best'", "Known: inner, nested, paper, test"]),
        ({"trials": 0}, ["trials must be >= 1", "0", "--trials"]),
        ({"trials_in_flight": 0}, ["trials_in_flight must be >= 1"]),
        ({"study_seed": -1}, ["study_seed must be 0 to 2**31 - 1", "-1"]),
        ({"train_workers": 65}, ["train_workers must be 0 to 64", "65"]),
        ({"cpus_per_run": 0}, ["cpus_per_run must be >= 1"]),
        ({"gpus_per_run": -0.5}, ["gpus_per_run must be >= 0", "-0.5"]),
        ({"retries": -1}, ["retries must be >= 0", "-1"]),
        ({"rounds": (4, 3)}, ["rounds must be positive and add up", "(10)", "4,3", "--rounds", "4,3,3"]),
        ({"rounds": (11, -1)}, ["rounds must be positive", "11,-1"]),
        ({"rounds": (4, 3, 3), "selection_rule": "nested"}, ["number of validation splits (5)", "2,2,1"]),
        ({"folds": 5, "rounds": (4, 3, 3)}, ["number of folds (5)", "4,3,3", "for example 2,2,1"]),
        ({"rounds": 10}, ["rounds must be a list of int", "10"]),
        ({"rounds": (4, "x")}, ["rounds must be a list of int", "'x'"]),
        ({"rounds": (5.0, 5.0)}, ["rounds must be a list of int", "5.0"]),
        ({"baselines": "cnn"}, ["baselines must be a list of str", "'cnn'"]),
        ({"baselines": (1,)}, ["baselines must be a list of str", "(1,)"]),
        ({"pruning": "no"}, ["pruning must be of type bool", "'no'"]),
    ],
)
def test_a_bad_plan_says_rule_value_and_remedy(changes: dict[str, Any], parts: list[str]) -> None:
    with pytest.raises(UserError) as refusal:
        Plan(**changes)
    for part in parts:
        assert part in str(refusal.value)


@pytest.mark.parametrize(
    "changes",
    [
        {"folds": 5, "rounds": (3, 2)},
        {"folds": 5, "selection_rule": "paper"},  # without a search there are no rounds to add up
        {"fold_rule": "holdout"},
        {"rounds": (10,)},
        {"baselines": ()},
    ],
)
def test_a_good_plan_is_accepted(changes: dict[str, Any]) -> None:
    plan = Plan(**changes)
    assert {name: getattr(plan, name) for name in changes} == changes


FIRST_OF_CNN = (
    "method", "load_size_pixels", "seed", "precision", "compiled", "synchronised_batch_norm",
    "image_size_pixels", "augmentation", "adam_beta1", "adam_beta2", "stage2_augmentation",
    "stage2_constant_epochs", "stage2_decay_epochs", "stage2_batch_size", "optimizer", "weight_decay",
    "momentum", "schedule", "ema_decay", "backbone", "backbone_width", "weights", "enlarge_below_pixels",
    "transform_input", "dropout", "freeze_backbone", "classifier_learning_rate", "label_smoothing",
    "class_weights",
)  # fmt: skip
ALONE_OF_CNN = (
    "backbone", "weights", "enlarge_below_pixels", "transform_input", "dropout", "freeze_backbone",
)  # fmt: skip
OF_GENERATOR = ("generator_width", "generator_blocks", "initialisation_gain", "generator_learning_rate")
OF_FMPN = (
    "stage1_constant_epochs", "stage1_decay_epochs", "stage1_batch_size", "stage1_learning_rate",
    "lambda_classification", "lambda_mask", "freeze_generator",
)  # fmt: skip
FIRST_OPTIONS = {
    "cnn": FIRST_OF_CNN,
    "cnn_no_mask_loss": (*FIRST_OF_CNN, *OF_GENERATOR),
    "fmpn": (*FIRST_OF_CNN, *OF_GENERATOR, *OF_FMPN),
    "preactresnet18": tuple(name for name in FIRST_OF_CNN if name not in ALONE_OF_CNN),
}
"""Options of the first version of each method: those of every record that was ever stored."""


@pytest.mark.parametrize("method", FIRST_OPTIONS)
def test_an_option_that_the_first_version_did_not_have_is_declared_with_added_later(method: str) -> None:
    """Otherwise it would be in every record, and no stored result would be found again."""
    assert set(to_dict(configuration_of(method))) == set(FIRST_OPTIONS[method])
