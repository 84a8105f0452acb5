"""The released code's learning-rate schedule (METHODS 2.6): constant, then linear to exactly zero."""

from __future__ import annotations


def learning_rate_factor(epoch: int, *, constant_epochs: int, decay_epochs: int) -> float:
    """The factor of the learning rate in 1-based `epoch`.

    `1 - max(0, epoch + 1 - constant_epochs) / (decay_epochs + 1)`: decay starts at
    `epoch = constant_epochs`, and the last epoch's factor is exactly 0.
    """
    if not 1 <= epoch <= constant_epochs + decay_epochs:
        raise ValueError(f"epoch must be 1 to {constant_epochs + decay_epochs}, but got {epoch}")
    return 1 - max(0, epoch + 1 - constant_epochs) / (decay_epochs + 1)
