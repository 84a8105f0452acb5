"""Exponential moving average (EMA) of a network's weights during training."""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import get_ema_multi_avg_fn


class AveragedNet(nn.Module):
    """A network in training and its moving average; `state_dict` holds everything needed to resume.

    Weights and batch-norm running statistics share one decay, so that the averaged statistics match the
    averaged weights. Counters are copied.
    """

    updates: Tensor

    def __init__(self, trained: nn.Module, decay: float) -> None:
        super().__init__()
        self.trained = trained
        self.average = copy.deepcopy(trained).requires_grad_(False)
        self.decay = decay
        # Stays on the CPU: it is read at every step.
        self.register_buffer("updates", torch.zeros((), dtype=torch.int64))

    @torch.no_grad()
    def update(self) -> None:
        """Update the average with the network's current weights and statistics."""
        averages, values = _tensors(self.average), _tensors(self.trained)
        floating = [place for place, value in enumerate(values) if value.is_floating_point()]
        take_in = get_ema_multi_avg_fn(decay_at(int(self.updates), self.decay))
        take_in([averages[place] for place in floating], [values[place] for place in floating], None)
        for average, value in zip(averages, values, strict=True):
            if not value.is_floating_point():
                average.copy_(value)
        self.updates += 1

    def finish(self) -> nn.Module:
        """Copy the averaged weights and statistics into the trained network and return it."""
        self.trained.load_state_dict(self.average.state_dict())
        return self.trained


def decay_at(updates: int, decay: float) -> float:
    """The decay after `updates` updates: min(decay, (1 + updates) / (10 + updates)).

    The second term, as in TensorFlow's ExponentialMovingAverage, keeps the average of a short training run
    from staying close to the initial weights.
    """
    return min(decay, (1 + updates) / (10 + updates))


def _tensors(module: nn.Module) -> list[Tensor]:
    return [tensor.detach() for tensor in (*module.parameters(), *module.buffers())]
