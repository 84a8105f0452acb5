"""The space `fmpn` plus the learning rate and the length of stage 1.

Both have only three values, because every pair needs its own stage 1 in every fold: nine per fold at most.
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
"""About a third of the published learning rate, the published one, and three times it."""
STAGE1_EPOCHS = (100, 200, 300)
"""Total epochs of stage 1, up to the published 300: half at the full learning rate, half of decay."""


def suggest(trial: optuna.Trial) -> dict[str, Any]:
    """The parameters of `fmpn`; learning rate and length of stage 1 as choices."""
    epochs = trial.suggest_categorical("stage1_epochs", STAGE1_EPOCHS)
    return {
        **fmpn.suggest(trial),
        "stage1_learning_rate": trial.suggest_categorical("stage1_learning_rate", STAGE1_RATES),
        "stage1_constant_epochs": epochs - epochs // 2,
        "stage1_decay_epochs": epochs // 2,
    }


def first(base: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The paper's configuration, then the released one, both with the preset's stage 1.

    Raises UserError unless both halves of stage 1 are equally long in `base`, as published.
    """
    constant, decay = base["stage1_constant_epochs"], base["stage1_decay_epochs"]
    if constant - decay not in (0, 1):
        raise UserError(
            "the space fmpn_full needs as many constant as decay epochs in stage 1, but got "
            f"stage1_constant_epochs {constant} and stage1_decay_epochs {decay}; make them equal."
        )
    stage1 = {"stage1_epochs": constant + decay, "stage1_learning_rate": base["stage1_learning_rate"]}
    return [{**values, **stage1} for values in fmpn.first(base)]
