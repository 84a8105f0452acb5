from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.flop_counter import FlopCounterMode

from benchmarks import footprint
from datasets.batches import Batch
from platform.models.costs.counting import TooSmallImagesError, count
from platform.models.fmpn import STAGE_1
from platform.models.networks.backbone_nets import build_backbone
from platform.models.networks.mask_generator import MaskGenerator
from platform.models.player import Player

Loss = Callable[[nn.Module, Batch], dict[str, Tensor]]


def loss(net: nn.Module, batch: Batch) -> dict[str, Tensor]:
    return {"loss": functional.cross_entropy(net(batch.image), batch.labels)}


def alone(loss: Loss) -> Callable[[nn.Module], list[Player]]:
    """One player, who trains the whole net."""
    return lambda net: [Player(groups=[{"params": list(net.parameters()), "lr": 1.0}], loss=loss)]


def resnet18() -> nn.Module:
    return build_backbone("resnet18", 7, width=0.25, weights="none", transform_input=False)


def test_the_published_mask_generator_costs_what_others_have_counted() -> None:
    """227.2 GFLOP: torch's FlopCounterMode. 270.4 MiB: what the CPU keeps, and the mask that it is compared
    with."""
    costs = count(
        lambda: MaskGenerator(64),
        alone(lambda net, batch: STAGE_1.loss(net, batch, None)),
        size_pixels=299,
        class_count=1,
    )
    assert costs.parameters == costs.trained_parameters == 6_040_968
    assert costs.gflop_an_image == pytest.approx(227.2, abs=0.05)
    assert costs.kept_bytes_an_image / 2**20 == pytest.approx(270.4 + 299**2 * 4 / 2**20, abs=0.1)
    assert costs.minimum_batch == 1


def test_operations_are_those_of_torchs_own_counter() -> None:
    costs = count(resnet18, alone(loss), size_pixels=64, class_count=7)
    with torch.device("meta"):
        net = resnet18().train()
        batch = Batch(
            image=torch.empty(1, 3, 64, 64), gray=torch.empty(1, 1, 64, 64), target_mask=None,
            labels=torch.empty(1, dtype=torch.int64),
        )  # fmt: skip
    with FlopCounterMode(display=False) as counter:
        loss(net, batch)["loss"].backward()
    assert costs.gflop_an_image * 1e9 == pytest.approx(counter.get_total_flops())


@pytest.mark.parametrize("size", [64, 32])
def test_what_is_kept_is_what_the_cpu_keeps(size: int) -> None:
    """But for the statistics of the batch norms, which do not grow with the batch."""
    costs = count(resnet18, alone(loss), size_pixels=size, class_count=7)
    assert costs.minimum_batch == (1 if size == 64 else 2)
    measured = footprint.kept_mib(resnet18().train(), loss, size)
    assert costs.kept_bytes_an_image / 2**20 == pytest.approx(measured, rel=0.05)


def test_frozen_parameters_are_counted_but_not_trained_and_keep_nothing() -> None:
    def frozen() -> nn.Module:
        net = resnet18().requires_grad_(False)
        return net.get_submodule("fc").requires_grad_(True) and net

    whole, part = (count(build, alone(loss), size_pixels=64, class_count=7) for build in (resnet18, frozen))
    assert part.parameters == whole.parameters
    assert part.trained_parameters == 128 * 7 + 7
    assert part.kept_bytes_an_image < whole.kept_bytes_an_image / 100
    assert part.gflop_an_image == pytest.approx(whole.gflop_an_image / 3, rel=0.1)


class Layers(nn.Module):
    """Two layers of a player each; the second one's turn does not reach the first layer's weights."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, 8, 3, bias=False)
        self.second = nn.Conv2d(8, 16, 3, bias=False)

    def forward(self, image: Tensor) -> Tensor:
        return self.second(self.first(image).relu())  # type: ignore[no-any-return]


def test_the_turns_of_several_players_add_up_and_the_largest_is_kept() -> None:
    def mean(net: nn.Module, batch: Batch) -> dict[str, Tensor]:
        return {"loss": net(batch.image).mean()}

    def players(*layers: str) -> Callable[[nn.Module], list[Player]]:
        return lambda net: [
            Player(
                name=name,
                groups=[{"params": list(net.get_submodule(name).parameters()), "lr": 1.0}],
                loss=mean,
            )
            for name in layers
        ]

    both = count(Layers, players("first", "second"), size_pixels=16, class_count=2)
    first = count(Layers, alone(mean), size_pixels=16, class_count=2)
    convolutions = [2 * 8 * 27 * 14**2, 2 * 16 * 72 * 12**2]
    # Forward twice; backward of the second layer to its input and of the first to its weights, then of the
    # second to its weights.
    assert both.gflop_an_image * 1e9 == 3 * convolutions[0] + 4 * convolutions[1]
    assert both.kept_bytes_an_image == first.kept_bytes_an_image
    assert both.parameters == first.parameters


class Pooled(nn.Module):
    """Two poolings that need 18 px together."""

    def __init__(self) -> None:
        super().__init__()
        self.head = nn.Linear(3, 2)

    def forward(self, image: Tensor) -> Tensor:
        pooled = functional.max_pool2d(functional.max_pool2d(image, 6), 3)
        return self.head(pooled.mean((2, 3)))  # type: ignore[no-any-return]


def test_images_that_are_too_small_are_told_from_a_loss_that_fails() -> None:
    assert count(Pooled, alone(loss), size_pixels=18, class_count=2).minimum_batch == 1
    with pytest.raises(TooSmallImagesError) as refusal:
        count(Pooled, alone(loss), size_pixels=7, class_count=2)
    assert refusal.value.least_pixels == 18

    def broken(net: nn.Module, batch: Batch) -> dict[str, Tensor]:
        return {"loss": net(batch.gray).mean()}

    with pytest.raises(RuntimeError, match="same reduction dim"):
        count(Pooled, alone(broken), size_pixels=18, class_count=2)
