"""The demo's space: loss weights, learning rates and three backbones, around the quick preset.

Stage 1 is fixed, so that all trials share each fold's pretrained mask generator.
    python -m platform.tune --dataset synthetic --preset quick
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import optuna

BACKBONES = ("inception_v3", "resnet18", "vgg16_bn")


def suggest(trial: optuna.Trial) -> dict[str, Any]:
    """Rates within a factor of three of the quick preset's, lambda_G from the released 0.1 to the paper's 10."""
    return {
        "backbone": trial.suggest_categorical("backbone", BACKBONES),
        "lambda_mask": trial.suggest_float("lambda_mask", 0.1, 10.0, log=True),
        "classifier_learning_rate": trial.suggest_float("classifier_learning_rate", 5e-4, 5e-3, log=True),
        "generator_learning_rate": trial.suggest_float("generator_learning_rate", 5e-5, 5e-4, log=True),
    }


def first(base: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The paper's configuration (Inception, lambda_G 10), the released lambda_G, then each other backbone."""
    rates = {name: base[name] for name in ("classifier_learning_rate", "generator_learning_rate")}
    paper = {"backbone": base["backbone"], "lambda_mask": base["lambda_mask"], **rates}
    others = [name for name in BACKBONES if name != base["backbone"]]
    return [paper, *({**paper, "backbone": name} for name in others)]
