from __future__ import annotations

import dataclasses
import pickle
from typing import Any

import pytest

from datasets.folds.rules import Fold
from platform.config.configuration import Configuration, Plan, option_names, replace
from platform.config.presets import with_method
from platform.errors import LeakageError, UserError
from platform.models import method_names
from platform.models.fmpn import FmpnOptions
from platform.models.masks.motion_masks import MotionMasks
from platform.runs import planned_tasks
from platform.runs.identity import identity
from platform.runs.planned_tasks import NOTHING, Machine, Substitute, artifact_task, fold_task
from platform.runs.tasks import FoldTask
from tests.tiny_faces import fake_data, tiny_configuration

FOLD = Fold(index=1, train_subjects=("A", "B", "C", "D"), test_subjects=("E", "F"))
IMAGES = {"A": 1, "B": 2, "C": 4, "D": 8}
BASE = tiny_configuration(backbone_width=1.0)
OTHER_VALUES: dict[str, Any] = {
    "backbone": "vgg16", "backbone_width": 0.5, "weights": "imagenet", "enlarge_below_pixels": 40,
    "transform_input": False, "load_size_pixels": 40, "image_size_pixels": 33, "generator_width": 3,
    "initialisation_gain": 0.7,
    "augmentation": "none", "stage1_constant_epochs": 7, "stage1_decay_epochs": 7, "stage1_batch_size": 7,
    "stage1_learning_rate": 7e-3, "stage2_constant_epochs": 7, "stage2_decay_epochs": 7,
    "stage2_batch_size": 7, "classifier_learning_rate": 7e-3, "generator_learning_rate": 7e-3,
    "lambda_classification": 7.0, "lambda_mask": 7.0, "adam_beta1": 0.7, "adam_beta2": 0.7, "seed": 7,
    "precision": "bf16", "compiled": True, "synchronised_batch_norm": False,
    "generator_blocks": 7, "stage2_augmentation": "strong", "optimizer": "sgd", "weight_decay": 0.7,
    "momentum": 0.7, "amsgrad": True, "schedule": "cosine", "step_epochs": 7, "step_factor": 0.7,
    "drop_last": True, "label_smoothing": 0.7, "class_weights": "balanced",
    "dropout": 0.7, "freeze_backbone": True, "freeze_generator": True, "ema_decay": 0.7,
}  # fmt: skip
NEEDED: dict[str, dict[str, Any]] = {
    "momentum": {"optimizer": "sgd"},
    "step_epochs": {"schedule": "step"},
    "step_factor": {"schedule": "step"},
    "dropout": {"backbone": "vgg16"},
    "freeze_backbone": {"weights": "imagenet"},
}
"""What a field's other value is valid with."""


def of_method(method: str) -> Configuration:
    return with_method(BASE, method, Plan())


def task(configuration: Configuration = BASE, **changes: Any) -> FoldTask:
    options: dict[str, Any] = {
        "fold_rule": "paper", "part": None, "validation_subjects": None, "machine": Machine(),
        "images_of_subject": IMAGES, **changes,
    }  # fmt: skip
    return fold_task(configuration, options.pop("data", fake_data()), options.pop("fold", FOLD), **options)


def masks_from(dataset: str, *subjects: str) -> dict[str, Substitute]:
    source = artifact_task(MotionMasks(), fake_data(dataset), subjects)
    return {"masks": Substitute(shown=dataset, source=source)}


def stage1_identity(task: FoldTask) -> str | None:
    return task.artifacts["stage1"].identity if "stage1" in task.artifacts else None


def test_a_test_subject_of_the_fold_cannot_validate() -> None:
    with pytest.raises(LeakageError, match="subjects E validate, but are not of fold 1"):
        task(part=0, validation_subjects=["A", "E"])


def test_another_value_is_known_for_every_field() -> None:
    assert set(OTHER_VALUES) == {f.name for f in dataclasses.fields(FmpnOptions)} - {"method"}
    assert all(getattr(BASE, name) != value for name, value in OTHER_VALUES.items())


@pytest.mark.parametrize("name", OTHER_VALUES)
@pytest.mark.parametrize("method", method_names())
def test_an_identity_changes_with_the_fields_that_its_run_reads_and_no_other(method: str, name: str) -> None:
    if name not in option_names(method):
        with pytest.raises(UserError, match=f"unknown option of the method {method} '{name}'"):
            replace(of_method(method), **{name: OTHER_VALUES[name]})
        return
    base = replace(of_method(method), **NEEDED.get(name, {}))
    changed = replace(base, **{name: OTHER_VALUES[name]})
    if "stage1" in task(base).artifacts:
        reaches_stage1 = name in task(base).artifacts["stage1"].options
        assert (stage1_identity(task(base)) != stage1_identity(task(changed))) == reaches_stage1
    assert task(base).identity != task(changed).identity
    masks, other_masks = (task(one).artifacts.get("masks") for one in (base, changed))
    assert masks == other_masks  # the configuration never reaches the masks


def test_the_baseline_ignores_the_mask_generators_settings_and_trials_share_stage_1() -> None:
    generator_only: dict[str, Any] = {
        "lambda_mask": 3.0, "generator_learning_rate": 3e-4, "generator_width": 5, "generator_blocks": 2,
        "freeze_generator": True,
    }  # fmt: skip
    other = with_method(replace(BASE, **generator_only), "cnn", Plan())
    assert task(of_method("cnn")).identity == task(other).identity
    trial = replace(
        BASE, backbone="vgg16", lambda_mask=0.5, generator_learning_rate=1e-4, optimizer="adamw",
        schedule="cosine", ema_decay=0.9, stage2_augmentation="strong",
    )  # fmt: skip
    assert task(BASE).identity != task(trial).identity
    assert stage1_identity(task(BASE)) == stage1_identity(task(trial)) is not None


def test_methods_have_identities_of_their_own() -> None:
    assert len({task(of_method(name)).identity for name in method_names()}) == len(method_names())


@pytest.mark.parametrize(
    "change",
    [
        {"data": fake_data("synthetic_wild")},
        {"data": dataclasses.replace(fake_data(), hash="e" * 64)},
        {"fold": dataclasses.replace(FOLD, index=2)},
        {"fold": dataclasses.replace(FOLD, train_subjects=("A", "B", "C"))},
        {"fold": dataclasses.replace(FOLD, test_subjects=("E",))},
        {"fold_rule": "holdout"},
        {"part": 0, "validation_subjects": ("A",)},
        {"machine": Machine(device="cuda")},
        {"machine": Machine(cpu_threads=2)},
        {"machine": Machine(train_workers=1)},
        {"substitutes": masks_from("ckplus", "X", "Y")},
        {"substitutes": {"stage1": NOTHING}},
    ],
)
def test_an_identity_changes_with_data_fold_machine_and_masks(change: dict[str, Any]) -> None:
    assert task(**change).identity != task().identity


def test_where_the_data_lie_is_no_part_of_an_identity() -> None:
    assert task(data=dataclasses.replace(fake_data(), folder="elsewhere")).identity == task().identity


def test_the_result_version_is_part_of_every_trained_result(monkeypatch: pytest.MonkeyPatch) -> None:
    before = task()
    monkeypatch.setattr(planned_tasks, "RESULT_VERSION", planned_tasks.RESULT_VERSION + 1)
    assert task().identity != before.identity
    assert stage1_identity(task()) != stage1_identity(before)
    assert task().artifacts["masks"] == before.artifacts["masks"]


def test_the_identity_is_the_hash_of_the_record() -> None:
    made = task()
    for part in (made, made.artifacts["stage1"], made.artifacts["masks"]):
        assert part.identity == identity(part.record)
    assert made.record["stage1"] == made.artifacts["stage1"].identity
    assert (
        made.record["masks"] == made.artifacts["stage1"].record["masks"] == made.artifacts["masks"].identity
    )


def test_a_final_run_trains_on_the_folds_subjects_and_scores_its_test_subjects() -> None:
    made = task()
    assert (made.role, made.fold_index) == ("final", 1)
    assert made.train_subjects == FOLD.train_subjects
    assert made.evaluation_subjects == FOLD.test_subjects
    assert made.record["fold"]["part"] is None


def test_an_inner_run_holds_nothing_of_the_test_subjects() -> None:
    made = task(part=0, validation_subjects=("C", "A"))
    assert made.role == "inner"
    assert made.train_subjects == ("B", "D")
    assert made.evaluation_subjects == ("A", "C")
    assert made.artifacts["masks"].train_subjects == made.artifacts["stage1"].train_subjects == ("B", "D")
    other_test = task(
        fold=dataclasses.replace(FOLD, test_subjects=("Z",)), part=0, validation_subjects=("A", "C")
    )
    assert other_test.identity == made.identity


def test_the_order_of_validation_subjects_changes_nothing() -> None:
    one, other = (task(part=0, validation_subjects=names) for names in (("A", "C"), ("C", "A")))
    assert one == other


def test_methods_without_masks_or_stage_1_have_none() -> None:
    for name in ("cnn", "cnn_no_mask_loss"):
        made = task(of_method(name), substitutes=masks_from("ckplus", "X"))
        assert made.artifacts == {}
        assert (made.record["masks"], made.record["stage1"]) == (None, None)


def test_other_masks_replace_the_folds_own() -> None:
    substitutes = masks_from("ckplus", "X", "Y")
    source = substitutes["masks"].source
    made = task(substitutes={**substitutes, "stage1": NOTHING})
    assert made.artifacts["masks"] == source
    assert "stage1" not in made.artifacts
    with_stage1 = task(substitutes=substitutes)
    assert with_stage1.artifacts["stage1"].rests_on["masks"] == source


def test_a_task_knows_its_kind_its_training_images_and_its_epochs() -> None:
    made = task(
        tiny_configuration(stage1_constant_epochs=3, stage2_constant_epochs=5), part=0,
        validation_subjects=("C",),
    )  # fmt: skip
    assert (made.kind, made.artifacts["stage1"].kind, made.artifacts["masks"].kind) == (
        "fold_runs",
        "stage1",
        "masks",
    )
    assert made.training_images == made.artifacts["stage1"].training_images == 1 + 2 + 8
    decay = tiny_configuration()
    assert made.epochs == 5 + decay.stage2_decay_epochs
    assert made.artifacts["stage1"].epochs == 3 + decay.stage1_decay_epochs


def test_a_tasks_arithmetic_goes_with_its_images_and_epochs() -> None:
    once = task()
    twice = task(images_of_subject={name: 2 * count for name, count in IMAGES.items()})
    assert twice.gflop == pytest.approx(2 * once.gflop)
    assert twice.artifacts["stage1"].gflop == pytest.approx(2 * once.artifacts["stage1"].gflop)
    assert twice.identity == once.identity
    longer = task(replace(BASE, stage2_constant_epochs=BASE.stage2_constant_epochs + once.epochs))
    assert longer.gflop == pytest.approx(2 * once.gflop)


def test_costs_are_counted_once_and_travel_with_the_task() -> None:
    made = task()
    assert "costs" not in vars(made)
    costs = made.costs
    sent: FoldTask = pickle.loads(pickle.dumps(made))
    assert vars(sent)["costs"] == costs
    assert sent == made


def test_a_cost_key_groups_what_takes_about_the_same_time() -> None:
    made = task(replace(BASE, backbone="vgg16"))
    assert made.cost_key == "fmpn/vgg16"
    assert made.artifacts["stage1"].cost_key == "stage1"
    assert task(replace(of_method("cnn"), backbone="vgg16")).cost_key == "cnn/vgg16"
