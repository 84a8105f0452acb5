"""FMPN's network without the mask loss around the quick preset: the space `quick` without the loss weight.

`tune --tune-baselines` searches it for the presets quick and smoke.
    python -m platform.tune --dataset synthetic --method cnn_no_mask_loss --space no_mask_loss_quick
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from search_spaces import baseline_quick

if TYPE_CHECKING:
    import optuna


def suggest(trial: optuna.Trial) -> dict[str, Any]:
    """Backbone and both learning rates, around the quick preset's."""
    return {
        **baseline_quick.suggest(trial),
        "generator_learning_rate": trial.suggest_float("generator_learning_rate", 3e-5, 1e-3, log=True),
    }


def first(base: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The preset's configuration, then each other backbone with its learning rates."""
    rate = {"generator_learning_rate": base["generator_learning_rate"]}
    return [{**one, **rate} for one in baseline_quick.first(base)]
