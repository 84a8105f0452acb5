"""The CNN baseline, tuned as thoroughly as the method it is compared with.

Backbone, batch size, dropout and augmentation as in the space `fmpn`, and options that usually help a plain
classifier: optimizer, schedule, label smoothing, class weights, averaged weights.
    python -m platform.tune --dataset ckplus --preset paper --method cnn --space baseline --trials 40
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from search_spaces import backbone, fmpn

if TYPE_CHECKING:
    import optuna

OPTIMIZERS = ("adam", "adamw", "sgd")
CHOICES = {
    "schedule": ("paper", "cosine", "constant"),
    "label_smoothing": (0.0, 0.1),
    "class_weights": ("none", "balanced"),
    "ema_decay": (0.0, 0.99, 0.999),
    "stage2_augmentation": fmpn.AUGMENTATIONS,
}
"""Parameter -> its values, the published one first."""


def suggest(trial: optuna.Trial) -> dict[str, Any]:
    """The backbone and the optimizer, each with its dependent parameters, and CHOICES."""
    choices = {name: trial.suggest_categorical(name, values) for name, values in CHOICES.items()}
    return {**backbone.suggest_net(trial), **_suggest_optimizer(trial), **choices}


def _suggest_optimizer(trial: optuna.Trial) -> dict[str, Any]:
    """SGD adds momentum and takes learning rates a hundred times higher, AdamW adds weight decay; Adam is as
    published."""
    optimizer = trial.suggest_categorical("optimizer", OPTIMIZERS)
    if optimizer == "sgd":
        rate = trial.suggest_float("sgd_learning_rate", 1e-3, 1e-1, log=True)
        momentum = trial.suggest_categorical("momentum", (0.0, 0.9))
        return {"optimizer": optimizer, "classifier_learning_rate": rate, "momentum": momentum}
    rate = trial.suggest_float("classifier_learning_rate", 1e-5, 1e-3, log=True)
    chosen = {"optimizer": optimizer, "classifier_learning_rate": rate, "momentum": 0.0}
    if optimizer == "adamw":
        chosen["weight_decay"] = trial.suggest_float("weight_decay", 1e-4, 1e-1, log=True)
    return chosen


def first(base: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The preset's configuration: for the baseline, the paper's and the released one are equal."""
    optimizer = {name: base[name] for name in ("optimizer", "classifier_learning_rate")}
    if base["optimizer"] == "sgd":
        optimizer["sgd_learning_rate"] = optimizer.pop("classifier_learning_rate")
        optimizer["momentum"] = base["momentum"]
    if base["optimizer"] == "adamw":
        optimizer["weight_decay"] = base["weight_decay"]
    return [{**backbone.net_parameters(base), **optimizer, **{name: base[name] for name in CHOICES}}]
