"""Several processes that train one net together: which images each takes, and how they agree.

All draw the same order, crops and flips from the same seeds, and each takes every n-th image of a
global batch; gradients are weighted so that their mean over the workers is that of the whole batch.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn


@dataclass(frozen=True, kw_only=True)
class Workers:
    """This process among `count` workers. With more than one, torch's process group must be up."""

    rank: int = 0
    count: int = 1

    def share(self, values: Tensor) -> Tensor:
        """This worker's part of what lies along a global batch: [b, ...] to [about b / count, ...]."""
        return values if self.count == 1 else values[self.rank :: self.count]

    def loss_factor(self, own: int, together: int) -> float:
        """Factor of a mean loss over `own` of `together` images whose gradients will be averaged."""
        return own * self.count / together

    def wrapped(self, module: nn.Module) -> nn.Module:
        """`module` with gradients averaged over all workers in the backward pass."""
        if self.count == 1:
            return module
        return nn.parallel.DistributedDataParallel(module)

    def summed(self, values: Tensor) -> Tensor:
        """The sum of `values` over all workers."""
        if self.count > 1:
            torch.distributed.all_reduce(values)
        return values


ALONE = Workers()
"""One process."""
