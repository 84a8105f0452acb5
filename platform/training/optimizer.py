"""What takes a stage's steps: Adam as released, AdamW or SGD."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from platform.training.stage_settings import Training


def make_optimizer(groups: Sequence[dict[str, Any]], training: Training) -> torch.optim.Optimizer:
    """The optimizer that `training` names, over the parameters of `groups` that are not frozen.

    `groups` have `params` and `lr`, perhaps a `name`, and stay as they are; a group that is frozen whole
    is left out. Betas are Adam's and AdamW's, momentum is SGD's.
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
