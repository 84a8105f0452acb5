"""The optimizer of a player: Adam as released, AdamW or SGD."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch

from platform.models.player import OptimizerSettings


def make_optimizer(groups: Sequence[Mapping[str, Any]], settings: OptimizerSettings) -> torch.optim.Optimizer:
    """The optimizer that `settings` name, over the trainable parameters of `groups`.

    Each group has `params`, `lr` and an optional `name`. `groups` is not modified; groups without a trainable
    parameter are left out. Betas and amsgrad apply to Adam and AdamW, momentum to SGD. Raises ValueError if
    no parameter is trainable.
    """
    chosen = [
        {**group, "params": [parameter for parameter in group["params"] if parameter.requires_grad]}
        for group in groups
    ]
    chosen = [group for group in chosen if group["params"]]
    if not chosen:
        raise ValueError("an optimizer needs a parameter that is not frozen, but got none")
    decay = settings.weight_decay
    if settings.optimizer == "sgd":
        return torch.optim.SGD(chosen, momentum=settings.momentum, weight_decay=decay, fused=True)
    kind = {"adam": torch.optim.Adam, "adamw": torch.optim.AdamW}[settings.optimizer]
    return kind(chosen, betas=settings.betas, weight_decay=decay, amsgrad=settings.amsgrad, fused=True)


def state_names(optimizer: torch.optim.Optimizer) -> frozenset[str]:
    """Names of the tensors that `optimizer` keeps for each parameter that has had a gradient."""
    if isinstance(optimizer, torch.optim.SGD):
        return frozenset({"momentum_buffer"} if optimizer.defaults["momentum"] else ())
    moments = {"step", "exp_avg", "exp_avg_sq"}
    return frozenset(moments | {"max_exp_avg_sq"} if optimizer.defaults["amsgrad"] else moments)
