"""The optimizer of a stage: Adam as released, AdamW or SGD."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from platform.training.stage_settings import Training


def make_optimizer(groups: Sequence[dict[str, Any]], training: Training) -> torch.optim.Optimizer:
    """The optimizer that `training` names, over the trainable parameters of `groups`.

    Each group has `params`, `lr` and an optional `name`. `groups` is not modified; groups without a trainable
    parameter are left out. Betas apply to Adam and AdamW, momentum to SGD.
    """
    chosen = [
        {**group, "params": [parameter for parameter in group["params"] if parameter.requires_grad]}
        for group in groups
    ]
    chosen = [group for group in chosen if group["params"]]
    decay = training.weight_decay
    if training.optimizer == "sgd":
        return torch.optim.SGD(chosen, momentum=training.momentum, weight_decay=decay, fused=True)
    kind = {"adam": torch.optim.Adam, "adamw": torch.optim.AdamW}[training.optimizer]
    return kind(chosen, betas=training.betas, weight_decay=decay, fused=True)
