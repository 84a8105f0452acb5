"""Sums and batches over all workers of a run, through which gradients flow.

On one worker, where torch has no process group, each returns what it is given.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor


class _SumOverWorkers(torch.autograd.Function):
    """The sum of a tensor over all workers; its gradient is summed over the workers too."""

    @staticmethod
    def forward(context: Any, values: Tensor) -> Tensor:
        total = values.clone()
        torch.distributed.all_reduce(total)
        return total

    @staticmethod
    def backward(context: Any, *gradients: Tensor) -> Tensor:
        total = gradients[0].clone()
        torch.distributed.all_reduce(total)
        return total


def summed_over_workers(values: Tensor) -> Tensor:
    """The sum of `values` over all workers; gradients are summed over them too."""
    if not torch.distributed.is_initialized():
        return values
    total: Tensor = _SumOverWorkers.apply(values)
    return total


def gathered(values: Tensor) -> Tensor:
    """[b, ...] -> [B, ...]: the rows of every item of the global batch, in its order.

    `values` has one row per item of this worker's share, and is a number or integer tensor, not bool. A loss
    that couples items (class means, pairs within the batch) computes with `gathered` tensors what one worker
    would with the whole batch, and gradients reach every worker's rows. All workers must call it equally
    often. It waits for the device, because the shares may differ in size.
    """
    if not torch.distributed.is_initialized():
        return values
    count = torch.tensor(len(values), device=values.device)
    torch.distributed.all_reduce(count)
    # Workers take every n-th item (Workers.share); the sum puts their rows into the others' gaps.
    spread = values.new_zeros((int(count), *values.shape[1:]))
    spread[torch.distributed.get_rank() :: torch.distributed.get_world_size()] = values
    return summed_over_workers(spread)
