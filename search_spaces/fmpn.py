"""FMPN's loss weights, stage 2's rates, batch and augmentation, and the backbone with what depends on it.

Stage 1 is fixed, so that all trials share each fold's pretrained mask generator: augmentation is
searched for stage 2 alone. Ranges are ours: a factor of ten around the published rates
(docs/methods.md, §2.6), lambda_G over both published values.
    python -m platform.tune --dataset ckplus --preset paper --space fmpn
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from search_spaces import backbone, loss_weights, published_first

if TYPE_CHECKING:
    import optuna

AUGMENTATIONS = ("same", "strong")
"""Of stage 2: as stage 1's, or the strong policy (docs/augmentation.md)."""


def suggest(trial: optuna.Trial) -> dict[str, Any]:
    """Both loss weights and both rates on log scales; net, batch and augmentation as choices."""
    return {
        **backbone.suggest(trial),
        **loss_weights.suggest(trial),
        "generator_learning_rate": trial.suggest_float("generator_learning_rate", 1e-6, 1e-4, log=True),
        "stage2_augmentation": trial.suggest_categorical("stage2_augmentation", AUGMENTATIONS),
    }


def first(base: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The paper's configuration (lambda_G 10), then the released one (0.1), on the base's backbone."""
    names = (
        "classifier_learning_rate",
        "lambda_classification",
        "lambda_mask",
        "generator_learning_rate",
        "stage2_augmentation",
    )
    return published_first({**backbone.net_parameters(base), **{name: base[name] for name in names}})
