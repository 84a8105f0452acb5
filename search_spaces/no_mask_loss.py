"""FMPN's network without the mask loss: the space `fmpn` without the loss weights.

`tune --tune-baselines` searches it for the presets paper and released.
    python -m platform.tune --dataset ckplus --preset paper --method cnn_no_mask_loss --space no_mask_loss
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from search_spaces import backbone, fmpn

if TYPE_CHECKING:
    import optuna


def suggest(trial: optuna.Trial) -> dict[str, Any]:
    """Learning rates on log scales; backbone, dropout, batch size and augmentation as choices."""
    return {
        **backbone.suggest(trial),
        "generator_learning_rate": trial.suggest_float("generator_learning_rate", 1e-6, 1e-4, log=True),
        "stage2_augmentation": trial.suggest_categorical("stage2_augmentation", fmpn.AUGMENTATIONS),
    }


def first(base: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The preset's configuration: without a mask loss, the paper's and the released one are equal."""
    names = ("classifier_learning_rate", "generator_learning_rate", "stage2_augmentation")
    return [{**backbone.net_parameters(base), **{name: base[name] for name in names}}]
