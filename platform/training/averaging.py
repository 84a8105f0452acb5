"""The exponential moving average of a net's weights, beside the net while it trains."""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import get_ema_multi_avg_fn


class AveragedNet(nn.Module):
    """A net in training and its average; what `state_dict` holds is all that going on needs.

    Averaged with one decay are the weights and the batch norms' running means and variances: the
    statistics belong to about the weights that they are averaged with. Counters are copied.
    """

    updates: Tensor

    def __init__(self, trained: nn.Module, decay: float) -> None:
        super().__init__()
        self.trained = trained
        self.average = copy.deepcopy(trained).requires_grad_(False)
        self.decay = decay
        # On the CPU always: it is read at every step.
        self.register_buffer("updates", torch.zeros((), dtype=torch.int64))

    @torch.no_grad()
    def update(self) -> None:
        """Take the trained net's present weights and statistics into the average."""
        averages, values = _tensors(self.average), _tensors(self.trained)
        floating = [place for place, value in enumerate(values) if value.is_floating_point()]
        take_in = get_ema_multi_avg_fn(decay_at(int(self.updates), self.decay))
        take_in([averages[place] for place in floating], [values[place] for place in floating], None)
        for average, value in zip(averages, values, strict=True):
            if not value.is_floating_point():
                average.copy_(value)
        self.updates += 1

    def finish(self) -> nn.Module:
        """The trained net, which now has the averaged weights and statistics."""
        self.trained.load_state_dict(self.average.state_dict())
        return self.trained


def decay_at(updates: int, decay: float) -> float:
    """The decay after that many updates: min(decay, (1 + updates) / (10 + updates)).

    Without the second, which TensorFlow's ExponentialMovingAverage has, a short training's average would
    still be near the weights that it started from.
    """
    return min(decay, (1 + updates) / (10 + updates))


def _tensors(module: nn.Module) -> list[Tensor]:
    return [tensor.detach() for tensor in (*module.parameters(), *module.buffers())]
