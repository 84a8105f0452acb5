"""FMPN's loss weights, stage-2 learning rates and backbone, around the published values.

Stage 1 is fixed, so that all trials share each fold's pretrained mask generator. Ranges are ours:
a factor of ten around the published rates (METHODS 2.6), lambda_G over both published values.
    python -m platform.tune --dataset ckplus --preset paper --space fmpn
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from search_spaces import refuse_weights_of_one_backbone

if TYPE_CHECKING:
    import optuna

BACKBONES = (
    "inception_v3",
    "resnet18",
    "resnet50",
    "resnet152",
    "densenet121",
    "vgg16",
    "vgg16_bn",
    "vgg19",
)


def suggest(trial: optuna.Trial) -> dict[str, Any]:
    """lambda_C, lambda_G and the two rates on log scales; the backbone as a choice."""
    return {
        "backbone": trial.suggest_categorical("backbone", BACKBONES),
        "lambda_classification": trial.suggest_float("lambda_classification", 0.1, 10.0, log=True),
        "lambda_mask": trial.suggest_float("lambda_mask", 0.01, 100.0, log=True),
        "classifier_learning_rate": trial.suggest_float("classifier_learning_rate", 1e-5, 1e-3, log=True),
        "generator_learning_rate": trial.suggest_float("generator_learning_rate", 1e-6, 1e-4, log=True),
    }


def first(base: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The paper's configuration (lambda_G 10), then the released one (0.1)."""
    refuse_weights_of_one_backbone(base)
    names = (
        "backbone",
        "lambda_classification",
        "lambda_mask",
        "classifier_learning_rate",
        "generator_learning_rate",
    )
    given = {name: base[name] for name in names}
    return [{**given, "lambda_mask": value} for value in (10.0, 0.1)]
