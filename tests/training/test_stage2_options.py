"""The options of stage 2 that are ours: each changes stage 2 and none changes stage 1."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from datasets.batches import Batch
from datasets.folds.view import FoldView
from platform.config.configuration import Configuration
from platform.errors import UserError
from platform.models.fmpn import Fmpn
from platform.models.method import Settings
from platform.training.checkpoint import Checkpoints
from tests.fmpn_stages import run_stage1, run_stage2
from tests.tiny_faces import tiny_configuration, tiny_store

CPU = torch.device("cpu")
OPTIONS: dict[str, dict[str, Any]] = {
    "stage2_augmentation": {"stage2_augmentation": "none"},
    "adamw": {"optimizer": "adamw", "weight_decay": 0.5},
    "sgd": {"optimizer": "sgd"},
    "weight_decay": {"weight_decay": 0.5},
    "momentum": {"optimizer": "sgd", "momentum": 0.9},
    "cosine": {"schedule": "cosine"},
    "constant": {"schedule": "constant"},
    "step": {"schedule": "step", "step_epochs": 1, "step_factor": 0.5},
    "amsgrad": {"amsgrad": True},
    "drop_last": {"drop_last": True},
    "label_smoothing": {"label_smoothing": 0.2},
    "class_weights": {"class_weights": "balanced"},
    "freeze_generator": {"freeze_generator": True},
    "ema_decay": {"ema_decay": 0.9},
}


class Stopped(Exception):
    """What a test kills a training with."""


def view_of(train: tuple[str, ...] = ("S01", "S02", "S03")) -> FoldView:
    """Of the third subject one image of the class fear is left out: the classes are not even."""
    store = tiny_store(4)
    kept = np.ones(len(store.subjects), dtype=bool)
    kept[np.flatnonzero((store.subjects == "S03") & (store.expressions == "fear"))[0]] = False
    for name in ("images", "subjects", "sequences", "expressions", "roles", "image_names"):
        setattr(store, name, getattr(store, name)[kept])
    return FoldView(store, train_subjects=train, evaluation_subjects=("S04",), role="inner")


def configuration(**changes: Any) -> Configuration:
    # With Adam's usual momentum and a moderate rate: two epochs move everything a little.
    rates = {} if changes.get("method") == "cnn" else {"generator_learning_rate": 1e-4}
    return tiny_configuration(**{"adam_beta1": 0.9, **rates, **changes})


def stage1(changed: Configuration) -> dict[str, Tensor]:
    return run_stage1(view_of(), changed).generator_state


def stage2(
    changed: Configuration,
    generator: dict[str, Tensor] | None = None,
    checkpoints: Checkpoints | None = None,
    stop_after: int = 99,
) -> Any:
    def report(values: dict[str, Any]) -> None:
        if values["epoch"] > stop_after:
            raise Stopped

    return run_stage2(view_of(), changed, generator, report=report, checkpoints=checkpoints)


@pytest.fixture(scope="module")
def generator() -> dict[str, Tensor]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    state = stage1(configuration())
    torch.set_num_threads(threads)
    return state


@pytest.fixture(scope="module")
def plain(generator: dict[str, Tensor]) -> Any:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    outcome = stage2(configuration(), generator)
    torch.set_num_threads(threads)
    return outcome


@pytest.mark.parametrize("name", OPTIONS)
def test_every_option_changes_stage_2(name: str, generator: dict[str, Tensor], plain: Any) -> None:
    assert not np.array_equal(stage2(configuration(**OPTIONS[name]), generator).scores, plain.scores)


def test_no_option_changes_stage_1(generator: dict[str, Tensor]) -> None:
    together: dict[str, Any] = {}
    for changes in OPTIONS.values():
        together |= changes
    del together["amsgrad"]  # goes with another optimizer
    for changes in (together, OPTIONS["amsgrad"]):
        state = stage1(configuration(**changes))
        assert all(torch.equal(state[name], generator[name]) for name in generator)


def test_the_blocks_of_the_generator_reach_both_stages() -> None:
    changed = configuration(generator_blocks=2)
    state = stage1(changed)
    assert {name.split(".")[1] for name in state if name.startswith("blocks.")} == {"0", "1"}
    stage2(changed, state)


@pytest.mark.parametrize("name", ["momentum", "adamw", "ema_decay", "freeze_generator", "class_weights"])
def test_going_on_with_an_option_is_never_having_stopped(
    name: str, tmp_path: Path, generator: dict[str, Tensor]
) -> None:
    changed = configuration(**OPTIONS[name], stage2_constant_epochs=2)
    uninterrupted = stage2(changed, generator)
    checkpoints = Checkpoints(folder=tmp_path, every_epochs=1)
    with pytest.raises(Stopped):
        stage2(changed, generator, checkpoints, stop_after=1)
    resumed = stage2(changed, generator, checkpoints)
    assert np.array_equal(resumed.scores, uninterrupted.scores)
    assert all(torch.equal(resumed.state[key], uninterrupted.state[key]) for key in uninterrupted.state)
    finished = stage2(changed, generator, checkpoints)  # every epoch is there: nothing trains
    assert np.array_equal(finished.scores, uninterrupted.scores)


def test_a_frozen_generator_leaves_stage_2_as_it_came_statistics_too(
    generator: dict[str, Tensor], plain: Any
) -> None:
    outcome = stage2(configuration(freeze_generator=True), generator)
    for name, value in generator.items():
        assert torch.equal(outcome.state[f"mask_generator.{name}"], value), name
    trained = {name: plain.state[f"mask_generator.{name}"] for name in generator}
    moved = [name for name in generator if not torch.equal(trained[name], generator[name])]
    assert moved
    assert any("running_mean" in name for name in moved)


def test_a_frozen_generator_needs_a_stage_1() -> None:
    with pytest.raises(UserError, match=r"freeze_generator keeps .* without a stage 1 .* --freeze-gen"):
        stage2(configuration(freeze_generator=True))


def test_a_frozen_backbone_keeps_its_weights_and_statistics_but_for_the_head(tmp_path: Path) -> None:
    start = stage2(configuration(method="cnn")).state
    weights = tmp_path / "backbone.pt"
    torch.save({name.removeprefix("backbone."): value for name, value in start.items()}, weights)
    outcome = stage2(configuration(method="cnn", weights=str(weights), freeze_backbone=True))
    changed = {name for name, value in start.items() if not torch.equal(outcome.state[name], value)}
    assert changed == {"backbone.fc.weight", "backbone.fc.bias"}


def test_dropout_changes_what_a_net_that_has_it_learns() -> None:
    own, half, none = (
        stage2(configuration(method="cnn", backbone="vgg16", dropout=share)).scores
        for share in (-1.0, 0.5, 0.0)
    )
    assert np.array_equal(own, half)
    assert not np.array_equal(own, none)


def test_class_weights_are_counted_over_the_training_images_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """17 training images, 6, 5 and 6 of a class: 17 / (3 * 5) for the rare one."""
    seen: dict[int, set[float]] = {}
    original = Fmpn.loss

    def watched(self: Fmpn, module: Any, batch: Batch, settings: Settings) -> dict[str, Tensor]:
        assert batch.image_weights is not None
        for label, weight in zip(batch.labels.tolist(), batch.image_weights.tolist(), strict=True):
            seen.setdefault(label, set()).add(round(weight, 5))
        return original(self, module, batch, settings)

    monkeypatch.setattr(Fmpn, "loss", watched)
    stage2(configuration(class_weights="balanced"))
    assert seen == {0: {round(17 / 18, 5)}, 1: {round(17 / 15, 5)}, 2: {round(17 / 18, 5)}}
