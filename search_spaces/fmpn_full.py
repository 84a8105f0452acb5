"""All of the space `fmpn`, and stage 1's rate and length.

Each has three values only: every pair needs a stage 1 of its own in every fold, so nine at most.
    python -m platform.tune --dataset ckplus --preset paper --space fmpn_full --trials 60
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from platform.errors import UserError
from search_spaces import fmpn

if TYPE_CHECKING:
    import optuna

STAGE1_RATES = (3e-5, 1e-4, 3e-4)
"""About a third of the published rate, that rate, and three times it."""
STAGE1_EPOCHS = (100, 200, 300)
"""Epochs of stage 1 together, up to the published 300: half at the full rate, half of decay."""


def suggest(trial: optuna.Trial) -> dict[str, Any]:
    """The space `fmpn`; stage 1's rate and length as choices."""
    epochs = trial.suggest_categorical("stage1_epochs", STAGE1_EPOCHS)
    return {
        **fmpn.suggest(trial),
        "stage1_learning_rate": trial.suggest_categorical("stage1_learning_rate", STAGE1_RATES),
        "stage1_constant_epochs": epochs - epochs // 2,
        "stage1_decay_epochs": epochs // 2,
    }


def first(base: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The paper's configuration, then the released one, both with the base's stage 1.

    UserError where stage 1 of `base` is not half and half, as published.
    """
    constant, decay = base["stage1_constant_epochs"], base["stage1_decay_epochs"]
    if constant - decay not in (0, 1):
        raise UserError(
            "the space fmpn_full gives both halves of stage 1 the same length, but got "
            f"stage1_constant_epochs {constant} and stage1_decay_epochs {decay}; make them equal."
        )
    stage1 = {"stage1_epochs": constant + decay, "stage1_learning_rate": base["stage1_learning_rate"]}
    return [{**values, **stage1} for values in fmpn.first(base)]
