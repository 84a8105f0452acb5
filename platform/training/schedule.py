"""Learning-rate schedules as factors of the full rate; `paper` is as released (docs/methods.md, §2.6)."""

from __future__ import annotations

import math
from typing import Literal

Schedule = Literal["paper", "cosine", "constant", "step"]


def learning_rate_factor(
    epoch: int,
    *,
    constant_epochs: int,
    decay_epochs: int,
    schedule: Schedule = "paper",
    step_epochs: int = 30,
    step_factor: float = 0.1,
) -> float:
    """The factor of the learning rate in 1-based `epoch`, in [0, 1].

    `paper`: `1 - max(0, epoch + 1 - constant_epochs) / (decay_epochs + 1)`: decay starts at
    `epoch = constant_epochs`, and the last epoch's factor is exactly 0.

    `cosine`: 1 in the constant epochs, then `(1 + cos(pi * d / decay_epochs)) / 2` in the decaying epochs
    d = 0, 1, ...: torch's CosineAnnealingLR (Loshchilov and Hutter, ICLR 2017, without restarts). No epoch
    has factor 0.

    `constant`: 1 in all epochs.

    `step`: 1 in the first `step_epochs` epochs, then multiplied by `step_factor` after every `step_epochs`
    epochs, constant and decaying ones alike: torch's StepLR.
    """
    last = constant_epochs + decay_epochs
    if not 1 <= epoch <= last:
        raise ValueError(f"epoch must be 1 to {last}, but got {epoch}")
    if schedule == "constant":
        return 1.0
    if schedule == "step":
        if step_epochs < 1:
            raise ValueError(f"step_epochs >= 1 must hold, but got {step_epochs}")
        return float(step_factor ** ((epoch - 1) // step_epochs))
    if schedule == "cosine":
        decayed = max(0, epoch - 1 - constant_epochs)
        return (1 + math.cos(math.pi * decayed / max(decay_epochs, 1))) / 2
    return 1 - max(0, epoch + 1 - constant_epochs) / (decay_epochs + 1)
