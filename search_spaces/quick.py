"""The demo's space: loss weights, learning rates and three backbones, around the quick preset.

Stage 1 is fixed, so all trials share each fold's pretrained mask generator.
    python -m platform.tune --dataset synthetic --preset quick --space quick
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from search_spaces import published_first

if TYPE_CHECKING:
    import optuna

NETS = {
    "inception_v3": {"enlarge_below_pixels": 75, "backbone_width": 0.125},
    "resnet18": {"enlarge_below_pixels": 75, "backbone_width": 0.25},
    "vgg16_bn": {"enlarge_below_pixels": 0, "backbone_width": 0.125},
}
"""Image side for each backbone (75 px is Inception's minimum and suits ResNet's early strides), and the share
of its channels with which fold runs of all three take about equally long."""


def suggest(trial: optuna.Trial) -> dict[str, Any]:
    """Learning rates around the quick preset's, lambda_G from the released 0.1 to the paper's 10."""
    backbone = trial.suggest_categorical("backbone", tuple(NETS))
    return {
        "backbone": backbone,
        **NETS[backbone],
        "lambda_mask": trial.suggest_float("lambda_mask", 0.1, 10.0, log=True),
        "classifier_learning_rate": trial.suggest_float("classifier_learning_rate", 3e-4, 3e-3, log=True),
        "generator_learning_rate": trial.suggest_float("generator_learning_rate", 3e-5, 1e-3, log=True),
    }


def first(base: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The paper's configuration (lambda_G 10) and the released one (0.1), then each other backbone."""
    names = ("backbone", "lambda_mask", "classifier_learning_rate", "generator_learning_rate")
    published = published_first({name: base[name] for name in names})
    others = [name for name in NETS if name != base["backbone"]]
    return [*published, *({**published[0], "backbone": name} for name in others)]
