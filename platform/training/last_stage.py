"""The stage that trains the net of a `NetMethod`: its training settings."""

from __future__ import annotations

import dataclasses

from platform.models.method import Settings
from platform.training.stage_settings import Training, shared_training


def last_stage_training(settings: Settings, stage: str, minimum_batch: int) -> Training:
    """The training settings that all stages share, and those of the group `LastStage`."""
    shared = shared_training(
        settings,
        stage,
        constant_epochs=settings.stage2_constant_epochs,
        decay_epochs=settings.stage2_decay_epochs,
        batch_size=settings.stage2_batch_size,
        minimum_batch=minimum_batch,
    )
    return dataclasses.replace(
        shared,
        optimizer=settings.optimizer,
        weight_decay=settings.weight_decay,
        momentum=settings.momentum,
        amsgrad=settings.amsgrad,
        schedule=settings.schedule,
        step_epochs=settings.step_epochs,
        step_factor=settings.step_factor,
        drop_last=settings.drop_last,
        ema_decay=settings.ema_decay,
    )


def last_stage_augmentation(settings: Settings) -> str:
    """The stage's own augmentation, or that of all stages."""
    own: str = settings.stage2_augmentation
    return settings.augmentation if own == "same" else own
