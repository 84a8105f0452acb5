from __future__ import annotations

import pytest
import torch
from torch import nn

from platform.training.averaging import AveragedNet, decay_at


def test_the_average_by_hand() -> None:
    """Weights 0, 1, 3 under the decays 1/10 and 2/11: 0.9, then (2 * 0.9 + 9 * 3) / 11."""
    net = nn.Linear(1, 1, bias=False)
    nn.init.zeros_(net.weight)
    averaged = AveragedNet(net, 0.9)
    for value in (1.0, 3.0):
        nn.init.constant_(net.weight, value)
        averaged.update()
    expected = (2 * 0.9 + 9 * 3) / 11
    assert averaged.average.weight.item() == pytest.approx(expected)
    assert net.weight.item() == 3  # training goes on from its own weights
    assert averaged.finish() is net
    assert net.weight.item() == pytest.approx(expected)


@pytest.mark.parametrize(
    ("updates", "decay", "expected"), [(0, 0.99, 0.1), (8, 0.99, 0.5), (890, 0.99, 0.99), (0, 0.05, 0.05)]
)
def test_the_decay_grows_to_its_value(updates: int, decay: float, expected: float) -> None:
    assert decay_at(updates, decay) == pytest.approx(expected)


def test_statistics_are_averaged_with_the_weights_and_counters_are_copied() -> None:
    net = nn.BatchNorm2d(1)
    averaged = AveragedNet(net, 0.5)
    net.train()(torch.full((2, 1, 2, 2), 10.0))  # running mean 1, running variance 0.9
    averaged.update()
    assert averaged.average.running_mean.item() == pytest.approx(0.9 * 1)
    assert averaged.average.running_var.item() == pytest.approx(0.1 * 1 + 0.9 * 0.9)
    assert averaged.average.num_batches_tracked.item() == 1


def test_what_stays_the_same_is_its_own_average_to_the_last_bit() -> None:
    net = nn.Linear(3, 3)
    before = net.weight.detach().clone()
    averaged = AveragedNet(net, 0.999)
    for _ in range(5):
        averaged.update()
    assert torch.equal(averaged.finish().weight, before)


def test_its_state_is_all_that_going_on_needs() -> None:
    nets = [nn.Linear(2, 2), nn.Linear(2, 2)]
    first, second = (AveragedNet(net, 0.9) for net in nets)
    for _ in range(3):
        nn.init.normal_(nets[0].weight, generator=torch.Generator().manual_seed(0))
        first.update()
    second.load_state_dict(first.state_dict())
    for averaged in (first, second):
        averaged.update()
    assert torch.equal(first.finish().weight, second.finish().weight)


def test_the_average_asks_for_no_gradients() -> None:
    averaged = AveragedNet(nn.Linear(1, 1), 0.9)
    assert not any(parameter.requires_grad for parameter in averaged.average.parameters())
    assert all(parameter.requires_grad for parameter in averaged.trained.parameters())
