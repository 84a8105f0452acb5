from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn

from platform.models.player import OptimizerSettings
from platform.training.optimizer import make_optimizer, state_names

RATE = 0.1


def made(name: Any, groups: list[dict[str, Any]], **changes: Any) -> torch.optim.Optimizer:
    return make_optimizer(groups, OptimizerSettings(optimizer=name, **{"betas": (0.5, 0.999), **changes}))


def path(name: str, gradients: list[float], **changes: Any) -> list[float]:
    """Where a weight that starts at 1 is after each step."""
    weight = nn.Parameter(torch.ones(1))
    optimizer = made(name, [{"params": [weight], "lr": RATE}], **changes)
    found = []
    for gradient in gradients:
        weight.grad = torch.tensor([gradient])
        optimizer.step()
        found.append(weight.item())
    return found


@pytest.mark.parametrize(
    ("name", "gradient", "changes", "expected"),
    [
        # Adam's first steps under a constant gradient have the length of the rate.
        ("adam", 2.0, {}, [0.9, 0.8]),
        ("adamw", 2.0, {}, [0.9, 0.8]),
        # Adam takes the decay for a gradient, and steps by the rate; AdamW takes rate * decay of the weight.
        ("adam", 0.0, {"weight_decay": 0.5}, [0.9, 0.8]),
        ("adamw", 0.0, {"weight_decay": 0.5}, [0.95, 0.9025]),
        ("adamw", 2.0, {"weight_decay": 0.5}, [0.85, 0.7075]),
        ("sgd", 2.0, {}, [0.8, 0.6]),
        # Velocities 2, then 0.5 * 2 + 2 = 3.
        ("sgd", 2.0, {"momentum": 0.5}, [0.8, 0.5]),
        # Gradients 2 + 0.5 * 1, then 2 + 0.5 * 0.75.
        ("sgd", 2.0, {"weight_decay": 0.5}, [0.75, 0.5125]),
    ],
)
def test_steps_by_hand(name: str, gradient: float, changes: dict[str, float], expected: list[float]) -> None:
    assert path(name, [gradient] * 2, **changes) == pytest.approx(expected, abs=3e-3)


def test_adam_is_torchs_without_decay_to_the_last_bit() -> None:
    weight = nn.Parameter(torch.ones(1))
    optimizer = torch.optim.Adam([weight], lr=RATE, betas=(0.5, 0.999), fused=True)
    expected = []
    for gradient in (0.3, -0.7, 0.1):
        weight.grad = torch.tensor([gradient])
        optimizer.step()
        expected.append(weight.item())
    assert path("adam", [0.3, -0.7, 0.1]) == expected


@pytest.mark.parametrize("name", ["adam", "adamw", "sgd"])
def test_frozen_parameters_are_left_out_and_the_callers_groups_stay(name: str) -> None:
    net = nn.ModuleList([nn.Linear(1, 1), nn.Linear(1, 1)])
    net[0].requires_grad_(False)
    net[1].bias.requires_grad_(False)
    groups = [{"params": list(part.parameters()), "lr": RATE, "name": str(k)} for k, part in enumerate(net)]
    optimizer = made(name, groups)
    assert [(group["name"], len(group["params"])) for group in optimizer.param_groups] == [("1", 1)]
    assert [len(group["params"]) for group in groups] == [2, 2]


def test_amsgrad_by_hand() -> None:
    """beta 1 = 0, beta 2 = 1/2, gradients 2, 0, 1: the steps are the rate times gradient / sqrt(moment).

    Second moments 2, 1, 1; over 1 - (1/2)^t: 4, 4/3, 8/7. amsgrad keeps the largest moment, 2, over the same:
    4, 8/3, 16/7.
    """
    plain = path("adam", [2.0, 0.0, 1.0], betas=(0.0, 0.5))
    assert plain == pytest.approx([0.9, 0.9, 0.9 - 0.1 / (8 / 7) ** 0.5], abs=1e-6)
    for name in ("adam", "adamw"):
        found = path(name, [2.0, 0.0, 1.0], betas=(0.0, 0.5), amsgrad=True)
        assert found == pytest.approx([0.9, 0.9, 0.9 - 0.1 / (16 / 7) ** 0.5], abs=1e-6)


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("adam", {}), ("adamw", {}), ("adam", {"amsgrad": True}), ("sgd", {}), ("sgd", {"momentum": 0.9}),
    ],
)  # fmt: skip
def test_the_state_of_a_parameter_is_foretold(name: str, changes: dict[str, Any]) -> None:
    weight = nn.Parameter(torch.ones(1))
    optimizer = made(name, [{"params": [weight], "lr": RATE}], **changes)
    weight.grad = torch.ones(1)
    optimizer.step()
    assert state_names(optimizer) == set(optimizer.state.get(weight, {}))


def test_without_a_trainable_parameter_there_is_no_optimizer() -> None:
    frozen = nn.Parameter(torch.ones(1), requires_grad=False)
    with pytest.raises(ValueError, match="needs a parameter that is not frozen, but got none"):
        made("adam", [{"params": [frozen], "lr": RATE}])
