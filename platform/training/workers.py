"""Data-parallel training of one network by several processes.

All workers draw the same order, crops and flips from the same seeds, and each takes every n-th image of the
global batch. Losses are weighted so that the mean gradient over workers is that of the global batch.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn


@dataclass(frozen=True, kw_only=True)
class Workers:
    """This process among `count` workers. With more than one, torch's process group must be initialised."""

    rank: int = 0
    count: int = 1

    def share(self, values: Tensor) -> Tensor:
        """This worker's share of a global batch: [b, ...] -> [about b / count, ...]."""
        return values if self.count == 1 else values[self.rank :: self.count]

    def loss_factor(self, own: int, together: int) -> float:
        """Weight of a mean loss over `own` of `together` images, whose gradients will be averaged."""
        return own * self.count / together

    def wrapped(self, module: nn.Module) -> nn.Module:
        """`module`, whose backward pass averages gradients over all workers."""
        if self.count == 1:
            return module
        return nn.parallel.DistributedDataParallel(module)

    def summed(self, values: Tensor) -> Tensor:
        """The sum of `values` over all workers."""
        if self.count > 1:
            torch.distributed.all_reduce(values)
        return values


ALONE = Workers()
"""A single process."""
