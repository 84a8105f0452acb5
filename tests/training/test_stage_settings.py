"""Training settings of a stage."""

from __future__ import annotations

import dataclasses

import pytest

from platform.training.stage_settings import Training

STAGE = Training(
    stage="stage1",
    constant_epochs=150,
    decay_epochs=150,
    batch_size=32,
    minimum_batch=1,
    betas=(0.5, 0.999),
    seed=0,
)


def test_a_stage_lasts_its_constant_and_its_decaying_epochs() -> None:
    assert STAGE.epochs == 300
    assert dataclasses.replace(STAGE, decay_epochs=0).epochs == 150


def test_options_that_are_not_given_are_the_released_ones() -> None:
    assert (STAGE.optimizer, STAGE.schedule, STAGE.precision) == ("adam", "paper", "fp32")
    assert STAGE.weight_decay == STAGE.momentum == STAGE.ema_decay == 0
    assert {STAGE.compiled, STAGE.amsgrad, STAGE.drop_last} == {False}


def test_settings_cannot_change_while_a_stage_trains() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        STAGE.batch_size = 16  # type: ignore[misc]


def test_amsgrad_without_second_moments_is_refused() -> None:
    with pytest.raises(ValueError, match="amsgrad is a variant of adam and adamw, but the optimizer is sgd"):
        dataclasses.replace(STAGE, optimizer="sgd", amsgrad=True)
