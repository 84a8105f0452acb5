"""The demo's space: loss weights, learning rates and three backbones, around the quick preset.

Stage 1 is fixed, so that all trials share each fold's pretrained mask generator.
    python -m platform.tune --dataset synthetic --preset quick --space quick
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from search_spaces import published_first

if TYPE_CHECKING:
    import optuna

BACKBONES = ("inception_v3", "resnet18", "vgg16_bn")
SEEN_PIXELS = {"inception_v3": 75, "resnet18": 75, "vgg16_bn": 0}
"""Enlarge to that side: the least that Inception takes, and what ResNet's early strides want."""
WIDTHS = {"inception_v3": 0.125, "resnet18": 0.25, "vgg16_bn": 0.125}
"""Share of the channels that makes a fold run of each net last about equally long."""


def suggest(trial: optuna.Trial) -> dict[str, Any]:
    """Rates around the quick preset's, lambda_G from the released 0.1 to the paper's 10."""
    backbone = trial.suggest_categorical("backbone", BACKBONES)
    return {
        "backbone": backbone,
        "enlarge_below_pixels": SEEN_PIXELS[backbone],
        "backbone_width": WIDTHS[backbone],
        "lambda_mask": trial.suggest_float("lambda_mask", 0.1, 10.0, log=True),
        "classifier_learning_rate": trial.suggest_float("classifier_learning_rate", 3e-4, 3e-3, log=True),
        "generator_learning_rate": trial.suggest_float("generator_learning_rate", 3e-5, 1e-3, log=True),
    }


def first(base: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The paper's configuration (lambda_G 10) and the released one (0.1), then each other backbone."""
    names = ("backbone", "lambda_mask", "classifier_learning_rate", "generator_learning_rate")
    published = published_first({name: base[name] for name in names})
    others = [name for name in BACKBONES if name != base["backbone"]]
    return [*published, *({**published[0], "backbone": name} for name in others)]
