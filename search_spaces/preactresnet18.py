"""PreActResNet-18, FERAtt's baseline: learning rate and schedule, batch size, loss and averaged weights.

The ranges are not published: they lie around the published values (docs/methods/preactresnet18.md).
    python -m platform.tune --dataset ckplus --preset paper --method preactresnet18 --space preactresnet18
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from search_spaces import fmpn

if TYPE_CHECKING:
    import optuna

CHOICES = {
    "stage2_batch_size": (200, 250, 100, 50),
    "schedule": ("step", "constant"),
    "label_smoothing": (0.0, 0.1),
    "class_weights": ("none", "balanced"),
    "ema_decay": (0.0, 0.99, 0.999),
    "stage2_augmentation": fmpn.AUGMENTATIONS,
}
"""Parameter -> its values, the published one first; a batch of 250 is that of the released script."""


def suggest(trial: optuna.Trial) -> dict[str, Any]:
    """A learning rate within a factor of ten around the published 1e-4, and CHOICES."""
    choices = {name: trial.suggest_categorical(name, values) for name, values in CHOICES.items()}
    rate = trial.suggest_float("classifier_learning_rate", 1e-5, 1e-3, log=True)
    return {"classifier_learning_rate": rate, **choices}


def first(base: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The preset's configuration."""
    return [{name: base[name] for name in ("classifier_learning_rate", *CHOICES)}]
