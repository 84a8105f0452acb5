"""Classification net, what depends on it, and its learning rate; loss weights and mask generator are fixed.

The study tries every net of platform/models/networks/backbones.py once with the base's settings before the
sampler proposes any. Stage 1 is fixed, so that all trials share each fold's pretrained mask generator.
    python -m platform.tune --dataset ckplus --preset paper --space backbone --trials 24
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from platform.models.networks.backbones import BACKBONES, OWN_DROPOUT

if TYPE_CHECKING:
    import optuna

LARGE = tuple(name for name, facts in BACKBONES.items() if facts.million_parameters > 50)
"""More than 50 million parameters: their batches stay the base's, published 16, and are not doubled."""
BATCH_SIZES = (8, 16, 32)
"""The published 16, its half and its double."""
DROPOUTS = (OWN_DROPOUT, 0.2, 0.7)
"""The net's own share, 0.5, then less and more; asked of the nets that have dropout in their head."""


def suggest(trial: optuna.Trial) -> dict[str, Any]:
    """The net with what depends on it, and its rate: a factor of ten around the published 1e-4."""
    rate = trial.suggest_float("classifier_learning_rate", 1e-5, 1e-3, log=True)
    return {**suggest_net(trial), "classifier_learning_rate": rate}


def first(base: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The base's net, which stands for the paper's and the released configuration; then every other net."""
    others = [{**base, "backbone": name, "dropout": OWN_DROPOUT} for name in BACKBONES]
    rate = {"classifier_learning_rate": base["classifier_learning_rate"]}
    named = [one for one in others if one["backbone"] != base["backbone"]]
    return [{**net_parameters(one), **rate} for one in (base, *named)]


def suggest_net(trial: optuna.Trial) -> dict[str, Any]:
    """The net; dropout where it has any; the batch where it is not large."""
    backbone = trial.suggest_categorical("backbone", tuple(BACKBONES))
    chosen: dict[str, Any] = {"backbone": backbone, "dropout": OWN_DROPOUT}
    if BACKBONES[backbone].dropout is not None:
        chosen["dropout"] = trial.suggest_categorical("dropout", DROPOUTS)
    if backbone not in LARGE:
        chosen["stage2_batch_size"] = trial.suggest_categorical("stage2_batch_size", BATCH_SIZES)
    return chosen


def net_parameters(base: Mapping[str, Any]) -> dict[str, Any]:
    """The values in `base` of what `suggest_net` asks for."""
    values = {"backbone": base["backbone"]}
    if BACKBONES[base["backbone"]].dropout is not None:
        values["dropout"] = base["dropout"]
    if base["backbone"] not in LARGE:
        values["stage2_batch_size"] = base["stage2_batch_size"]
    return values
