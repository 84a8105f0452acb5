"""The weights of both losses, everything else as published: the contribution of the mask loss.

lambda_C spans two orders of magnitude around 1, lambda_G a tenth of the released 0.1 to ten times the
paper's 10. Stage 1 is fixed, so all trials share each fold's pretrained mask generator.
    python -m platform.tune --dataset ckplus --preset paper --space loss_weights --trials 20
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from search_spaces import published_first

if TYPE_CHECKING:
    import optuna


def suggest(trial: optuna.Trial) -> dict[str, Any]:
    """lambda_C and lambda_G on log scales."""
    return {
        "lambda_classification": trial.suggest_float("lambda_classification", 0.1, 10.0, log=True),
        "lambda_mask": trial.suggest_float("lambda_mask", 0.01, 100.0, log=True),
    }


def first(base: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The paper's weights (1 and 10), then the released ones (1 and 0.1)."""
    return published_first({name: base[name] for name in ("lambda_classification", "lambda_mask")})
