"""FMPN's loss weights, backbone with its dropout, and learning rates, batch size and augmentation of stage 2.

Stage 1 is fixed, so all trials share each fold's pretrained mask generator; augmentation is searched for
stage 2 alone. The ranges are not published: they span a factor of ten around the published learning rates
(docs/methods.md, §2.6), and both published values of lambda_G.
    python -m platform.tune --dataset ckplus --preset paper --space fmpn
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from search_spaces import backbone, loss_weights, published_first

if TYPE_CHECKING:
    import optuna

AUGMENTATIONS = ("same", "strong")
"""Augmentation of stage 2: the same as stage 1's, or the strong policy (docs/augmentation.md)."""


def suggest(trial: optuna.Trial) -> dict[str, Any]:
    """Loss weights and learning rates on log scales; backbone, dropout, batch size and augmentation as
    choices."""
    return {
        **backbone.suggest(trial),
        **loss_weights.suggest(trial),
        "generator_learning_rate": trial.suggest_float("generator_learning_rate", 1e-6, 1e-4, log=True),
        "stage2_augmentation": trial.suggest_categorical("stage2_augmentation", AUGMENTATIONS),
    }


def first(base: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The paper's configuration (lambda_G 10), then the released one (0.1), on the preset's backbone."""
    names = (
        "classifier_learning_rate",
        "lambda_classification",
        "lambda_mask",
        "generator_learning_rate",
        "stage2_augmentation",
    )
    return published_first({**backbone.net_parameters(base), **{name: base[name] for name in names}})
