"""Batch norm that is frozen; that of several workers is in test_workers.py."""

from __future__ import annotations

import torch
from torch import nn

from platform.training.batch_norm import set_training


def test_a_frozen_batch_norm_keeps_its_statistics_and_all_else_trains() -> None:
    net = nn.Sequential(nn.BatchNorm2d(2), nn.Dropout(0.5), nn.BatchNorm2d(2))
    net[0].requires_grad_(False)
    net.eval()
    set_training(net)
    assert [part.training for part in net] == [False, True, True]
    net(torch.rand(4, 2, 3, 3) + 5)
    assert net[0].running_mean.tolist() == [0, 0]
    assert all(mean != 0 for mean in net[2].running_mean.tolist())


def test_without_frozen_parts_it_is_training_mode() -> None:
    net = nn.Sequential(nn.Conv2d(1, 1, 1), nn.BatchNorm2d(1)).eval()
    set_training(net)
    assert all(part.training for part in net.modules())
