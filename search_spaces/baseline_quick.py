"""The CNN baseline around the quick preset: backbone and learning rate, as in the space `quick`.

`tune --tune-baselines` searches it for the presets quick and smoke.
    python -m platform.tune --dataset synthetic --preset quick --method cnn --space baseline_quick
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from search_spaces.quick import NETS

if TYPE_CHECKING:
    import optuna


def suggest(trial: optuna.Trial) -> dict[str, Any]:
    """A backbone of NETS, and a learning rate around the quick preset's."""
    backbone = trial.suggest_categorical("backbone", tuple(NETS))
    rate = trial.suggest_float("classifier_learning_rate", 3e-4, 3e-3, log=True)
    return {"backbone": backbone, **NETS[backbone], "classifier_learning_rate": rate}


def first(base: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The preset's configuration, then each other backbone with its learning rate."""
    rate = {"classifier_learning_rate": base["classifier_learning_rate"]}
    others = [name for name in NETS if name != base["backbone"]]
    return [{"backbone": name, **rate} for name in (base["backbone"], *others)]
