"""Backbone with its dropout and batch size, and its learning rate; loss weights and mask generator are fixed.

The initial trials are every backbone of platform/models/networks/backbones.py with the preset's settings.
Stage 1 is fixed, so all trials share each fold's pretrained mask generator.
    python -m platform.tune --dataset ckplus --preset paper --space backbone --trials 24
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from platform.models.networks.backbones import BACKBONES, OWN_DROPOUT

if TYPE_CHECKING:
    import optuna

LARGE = ("resnet152", "vgg16", "vgg16_bn", "vgg19")
"""Backbones with more than 50 million parameters: they keep the preset's batch size (published: 16)."""
BATCH_SIZES = (8, 16, 32)
"""Half the published 16, the published value and its double."""
DROPOUTS = (OWN_DROPOUT, 0.2, 0.7)
"""The backbone's own dropout, 0.5, then less and more; for backbones with dropout in their head only."""


def suggest(trial: optuna.Trial) -> dict[str, Any]:
    """Backbone, dropout, batch size and learning rate: a factor of ten around the published 1e-4."""
    rate = trial.suggest_float("classifier_learning_rate", 1e-5, 1e-3, log=True)
    return {**suggest_net(trial), "classifier_learning_rate": rate}


def first(base: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The preset's backbone, for both the paper's and the released configuration, then every other one."""
    others = [{**base, "backbone": name, "dropout": OWN_DROPOUT} for name in BACKBONES]
    rate = {"classifier_learning_rate": base["classifier_learning_rate"]}
    named = [one for one in others if one["backbone"] != base["backbone"]]
    return [{**net_parameters(one), **rate} for one in (base, *named)]


def suggest_net(trial: optuna.Trial) -> dict[str, Any]:
    """The backbone, its dropout if it has any, and the batch size if it is not in LARGE."""
    backbone = trial.suggest_categorical("backbone", tuple(BACKBONES))
    chosen: dict[str, Any] = {"backbone": backbone, "dropout": OWN_DROPOUT}
    if BACKBONES[backbone].dropout is not None:
        chosen["dropout"] = trial.suggest_categorical("dropout", DROPOUTS)
    if backbone not in LARGE:
        chosen["stage2_batch_size"] = trial.suggest_categorical("stage2_batch_size", BATCH_SIZES)
    return chosen


def net_parameters(base: Mapping[str, Any]) -> dict[str, Any]:
    """The values of `base` for the parameters of `suggest_net`."""
    values = {"backbone": base["backbone"]}
    if BACKBONES[base["backbone"]].dropout is not None:
        values["dropout"] = base["dropout"]
    if base["backbone"] not in LARGE:
        values["stage2_batch_size"] = base["stage2_batch_size"]
    return values
