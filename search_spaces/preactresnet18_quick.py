"""PreActResNet-18 around the quick preset: learning rate and batch size.

`tune --tune-baselines` searches it for the presets quick and smoke.
    python -m platform.tune --dataset synthetic --method preactresnet18 --space preactresnet18_quick
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import optuna

BATCH_SIZES = (8, 16, 32, 64)
"""Around the quick preset's 16; 64 is that of the preset smoke."""


def suggest(trial: optuna.Trial) -> dict[str, Any]:
    """A learning rate around the quick preset's, and a batch size."""
    return {
        "classifier_learning_rate": trial.suggest_float("classifier_learning_rate", 3e-4, 3e-3, log=True),
        "stage2_batch_size": trial.suggest_categorical("stage2_batch_size", BATCH_SIZES),
    }


def first(base: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The preset's configuration."""
    return [{name: base[name] for name in ("classifier_learning_rate", "stage2_batch_size")}]
