"""Data-parallel training of one network by several processes.

All workers draw the same order, crops and flips from the same seeds, and each takes every n-th item of the
global batch. Losses are weighted so that the sum of the workers' gradients is that of the global batch. The
network is not wrapped, so that losses may call any part of it, as often as they need.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from platform.models.items import with_tensors

BUCKET_BYTES = 25 * 2**20
"""Gradients sent at once, unless one is larger."""


@dataclass(frozen=True, kw_only=True)
class Workers:
    """This process among `count` workers. With more than one, torch's process group must be initialised."""

    rank: int = 0
    count: int = 1

    def share(self, values: Tensor) -> Tensor:
        """This worker's share of a global batch: [b, ...] -> [about b / count, ...]."""
        return values if self.count == 1 else values[self.rank :: self.count]

    def share_of_draw(self, draw: Any) -> Any:
        """This worker's share of a tensor, or of every tensor of a dataclass."""
        return draw if self.count == 1 else with_tensors(draw, self.share)

    def loss_factor(self, own: int, together: int) -> float:
        """Weight of a mean loss over `own` of `together` items, whose gradients will be summed."""
        return own / together

    def start_alike(self, module: nn.Module) -> None:
        """Give `module` the weights and buffers of the first worker.

        Later only gradients are exchanged: buffers of batch norms that are not synchronised stay each
        worker's own, and the result is the first worker's.
        """
        if self.count == 1:
            return
        for value in module.state_dict().values():
            sent = value.detach().contiguous()
            torch.distributed.broadcast(sent, src=0)
            value.copy_(sent)

    def sum_gradients(self, parameters: Sequence[Tensor]) -> None:
        """Replace the gradient of each parameter by its sum over all workers.

        A parameter that has a gradient on no worker keeps none, so that no optimizer moves it.
        """
        if self.count == 1:
            return
        sending = []
        for bucket in _buckets(parameters):
            has_one = [parameter.grad is not None for parameter in bucket]
            parts = [
                (torch.zeros_like(parameter) if parameter.grad is None else parameter.grad).reshape(-1)
                for parameter in bucket
            ]
            flat = torch.cat([*parts, parts[0].new_tensor(has_one)])
            sending.append((bucket, has_one, flat, torch.distributed.all_reduce(flat, async_op=True)))
        for bucket, has_one, flat, sent in sending:
            sent.wait()
            *sums, holders = flat.split([*(parameter.numel() for parameter in bucket), len(bucket)])
            # Read, which waits for the device, only if a gradient is missing here.
            anywhere = has_one if all(has_one) else (holders > 0).tolist()
            for parameter, total, exists in zip(bucket, sums, anywhere, strict=True):
                if parameter.grad is not None:
                    parameter.grad.copy_(total.view_as(parameter))
                elif exists:
                    parameter.grad = torch.empty_like(parameter).copy_(total.view_as(parameter))

    def summed(self, values: Tensor) -> Tensor:
        """The sum of `values` over all workers."""
        if self.count > 1:
            torch.distributed.all_reduce(values)
        return values


def _buckets(parameters: Sequence[Tensor]) -> Iterator[list[Tensor]]:
    """`parameters` in order, in lists of one dtype and at most BUCKET_BYTES."""
    bucket: list[Tensor] = []
    size = 0
    for parameter in parameters:
        if bucket and (parameter.dtype != bucket[0].dtype or size + parameter.nbytes > BUCKET_BYTES):
            yield bucket
            bucket, size = [], 0
        bucket.append(parameter)
        size += parameter.nbytes
    if bucket:
        yield bucket


ALONE = Workers()
"""A single process."""
