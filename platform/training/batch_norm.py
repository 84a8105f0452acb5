"""Synchronised batch norm on any device, and frozen batch norm.

torch's SyncBatchNorm runs on GPUs only. This one computes the same with plain operations for CPU workers:
mean and variance over the images of all workers, and the unbiased variance in the running statistics.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from platform.training.collectives import summed_over_workers


class SynchronisedBatchNorm(nn.BatchNorm2d):
    """[B, C, H, W] -> [B, C, H, W]; B may differ between workers."""

    def forward(self, input: Tensor) -> Tensor:
        if not self.training:
            return super().forward(input)
        values = input.float()
        count = torch.full((1,), float(values.numel() // values.shape[1]), device=values.device)
        total = summed_over_workers(torch.cat([values.sum((0, 2, 3)), count]))
        count, mean = total[-1], total[:-1] / total[-1]
        centred = values - mean[:, None, None]
        variance = summed_over_workers((centred * centred).sum((0, 2, 3))) / count
        self._remember(mean.detach(), variance.detach() * (count / (count - 1)).detach())
        scale = torch.rsqrt(variance + self.eps) * self.weight
        result = centred * scale[:, None, None] + self.bias[:, None, None]
        return result.to(input.dtype)

    @torch.no_grad()
    def _remember(self, mean: Tensor, variance: Tensor) -> None:
        assert self.running_mean is not None
        assert self.running_var is not None
        assert self.num_batches_tracked is not None
        assert self.momentum is not None
        self.num_batches_tracked += 1
        self.running_mean.lerp_(mean, self.momentum)
        self.running_var.lerp_(variance, self.momentum)


def set_training(module: nn.Module) -> None:
    """Switch to training mode, except for frozen batch norms (weights without `requires_grad`).

    In training mode their running statistics would change with every batch, and the frozen network with them.
    """
    module.train()
    for part in module.modules():
        if isinstance(part, nn.BatchNorm2d | nn.SyncBatchNorm) and not part.weight.requires_grad:
            part.eval()


def synchronised(module: nn.Module, device: torch.device) -> nn.Module:
    """`module` with every batch norm synchronised over all workers; parameter names do not change."""
    if device.type == "cuda":
        return nn.SyncBatchNorm.convert_sync_batchnorm(module)
    for child in module.modules():
        if type(child) is nn.BatchNorm2d:
            child.__class__ = SynchronisedBatchNorm
    return module
