from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from datasets.batches import Batch, FaceTensors
from platform.errors import UserError
from platform.models.player import Player
from platform.training.face_items import FaceItems
from platform.training.health import DivergedError
from platform.training.loop import join_short_tail, train_stage
from platform.training.stage_settings import Training

COUNT, SIDE, CROP = 10, 8, 6


def faces(count: int = COUNT) -> FaceTensors:
    """Face k is all of the gray value 10 k; labels alternate."""
    images = np.broadcast_to(
        (10 * np.arange(count, dtype=np.uint8))[:, None, None, None], (count, SIDE, SIDE, 3)
    )
    return FaceTensors(images.copy(), np.arange(count) % 2, None, "cpu")


class Mean(nn.Module):
    """logits = weight * mean gray, with dropout, so that its randomness counts."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.tensor([0.5, -0.25]))
        self.dropout = nn.Dropout(0.5)

    def forward(self, image: Tensor) -> Tensor:
        return self.dropout(image.mean((1, 2, 3))[:, None] * self.weight)


def loss(module: nn.Module, batch: Batch) -> dict[str, Tensor]:
    logits = module(batch.image)
    value = nn.functional.cross_entropy(logits, batch.labels)
    return {"loss": value, "half": value / 2, "correct": (logits.argmax(1) == batch.labels).sum()}


def train(module: nn.Module, **changes: Any) -> list[dict[str, float]]:
    options: dict[str, Any] = {
        "stage": "stage2", "constant_epochs": 2, "decay_epochs": 1, "batch_size": 4, "minimum_batch": 1,
        "betas": (0.5, 0.999), "seed": 0, **changes,
    }  # fmt: skip
    outside = {name: options.pop(name) for name in ("report", "checkpoints", "workers") if name in options}
    outside.setdefault("report", lambda values: None)
    groups = options.pop("groups", [{"params": list(module.parameters()), "lr": 0.1}])
    players = [Player(groups=groups, loss=options.pop("loss", loss))]
    items = options.pop("items", None) or FaceItems(faces(), augmentation="paper", crop_size_pixels=CROP)
    return train_stage(module, players, items, Training(**options), **outside)


def without_speed(curve: list[dict[str, float]]) -> list[dict[str, float]]:
    return [{k: v for k, v in epoch.items() if k != "images_per_second"} for epoch in curve]


def test_the_same_seed_gives_the_same_bits_and_another_seed_others() -> None:
    results = []
    for seed in (0, 0, 1):
        module = Mean()
        curve = without_speed(train(module, seed=seed))
        results.append((curve, module.weight.tolist()))
    assert results[0] == results[1]
    assert results[0] != results[2]


def test_the_process_random_state_neither_matters_nor_changes() -> None:
    weights = []
    for global_seed in (3, 4):
        torch.manual_seed(global_seed)
        state = torch.random.get_rng_state()
        module = Mean()
        train(module)
        assert torch.equal(torch.random.get_rng_state(), state)
        weights.append(module.weight.tolist())
    assert weights[0] == weights[1]


def test_the_curve_holds_means_over_images_and_reports_every_epoch() -> None:
    """A loss that is the batch's size: (4 * 4 + 4 * 4 + 2 * 2) / 10 = 3.6."""

    def size_as_loss(module: nn.Module, batch: Batch) -> dict[str, Tensor]:
        count = torch.tensor(float(len(batch.labels)))
        return {"loss": count + 0 * module.get_parameter("weight").sum(), "correct": torch.tensor(1)}

    reports: list[dict[str, Any]] = []
    curve = train(Mean(), loss=size_as_loss, report=reports.append)
    assert [epoch["epoch"] for epoch in curve] == [1, 2, 3]
    assert [epoch["loss"] for epoch in curve] == pytest.approx([3.6] * 3)
    assert [epoch["training_accuracy"] for epoch in curve] == pytest.approx(
        [0.3] * 3
    )  # 3 batches, 1 right each
    assert all(epoch["images_per_second"] > 0 for epoch in curve)
    assert "correct" not in curve[0]
    assert reports == [{"stage": "stage2", "epochs": 3, **epoch} for epoch in curve]


def test_each_epoch_trains_at_its_rate_and_the_last_changes_nothing() -> None:
    """Adam's first step moves a weight by its rate; factors of (2, 1): 1, 1/2, 0 (docs/methods.md, §2.6)."""
    module = nn.ParameterDict({"a": nn.Parameter(torch.zeros(1)), "b": nn.Parameter(torch.zeros(1))})
    before: list[tuple[float, float]] = []

    def constant_slope(module: nn.Module, batch: Batch) -> dict[str, Tensor]:
        a, b = module.get_parameter("a"), module.get_parameter("b")
        before.append((a.item(), b.item()))
        return {"loss": (a + b).sum()}

    groups = [{"params": [module["a"]], "lr": 0.1}, {"params": [module["b"]], "lr": 0.01}]
    curve = train(module, groups=groups, loss=constant_slope, batch_size=COUNT)
    before.append((module["a"].item(), module["b"].item()))
    a = [value for value, _ in before]
    b = [value for _, value in before]
    assert [y - x for x, y in pairwise(a)] == pytest.approx([-0.1, -0.05, 0], abs=1e-6)
    assert [y - x for x, y in pairwise(b)] == pytest.approx([-0.01, -0.005, 0], abs=1e-7)
    assert [epoch["learning_rate"] for epoch in curve] == pytest.approx([0.1, 0.05, 0])
    assert [group["lr"] for group in groups] == [0.1, 0.01]  # the caller's groups stay as they were


def test_every_epoch_sees_every_face_once_in_an_order_of_its_own() -> None:
    orders: list[list[int]] = [[]]

    def note(module: nn.Module, batch: Batch) -> dict[str, Tensor]:
        if len(orders[-1]) == COUNT:
            orders.append([])
        orders[-1] += (batch.image[:, 0, 0, 0] * 25.5).round().int().tolist()
        return {"loss": module.get_parameter("weight").sum()}

    train(Mean(), loss=note)
    assert len(orders) == 3
    assert all(sorted(order) == list(range(COUNT)) for order in orders)
    assert orders[0] != orders[1] != orders[2]


def test_batches_are_as_large_as_asked_and_the_last_keeps_the_rest() -> None:
    sizes: list[int] = []

    def note(module: nn.Module, batch: Batch) -> dict[str, Tensor]:
        sizes.append(len(batch.labels))
        assert batch.image.shape[1:] == (3, CROP, CROP)
        assert module.training
        return {"loss": module.get_parameter("weight").sum()}

    train(Mean(), loss=note, constant_epochs=1, decay_epochs=0)
    train(Mean(), loss=note, constant_epochs=1, decay_epochs=0, minimum_batch=3)
    assert sizes == [4, 4, 2, 4, 6]


def test_drop_last_leaves_out_what_fills_no_batch() -> None:
    seen: list[int] = []

    def note(module: nn.Module, batch: Batch) -> dict[str, Tensor]:
        seen.append(len(batch))
        return {"loss": module.get_parameter("weight").sum() * 0 + 3.0}

    curve = train(Mean(), loss=note, drop_last=True, minimum_batch=3)
    assert seen == [4, 4] * 3
    assert [epoch["loss"] for epoch in curve] == [3.0] * 3  # a mean over 8 items, not over 10
    seen.clear()
    train(Mean(), loss=note, drop_last=True, batch_size=COUNT, constant_epochs=1, decay_epochs=0)
    assert seen == [COUNT]


def test_drop_last_that_leaves_nothing_is_refused() -> None:
    with pytest.raises(
        UserError, match="no batch of stage2: an epoch has 10 items, and the batch size is 11; pass a batch"
    ):
        train(Mean(), drop_last=True, batch_size=11)


def test_the_step_schedule_reaches_the_optimizer() -> None:
    curve = train(Mean(), schedule="step", step_epochs=2, step_factor=0.5)
    assert [epoch["learning_rate"] for epoch in curve] == [0.1, 0.1, 0.05]


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_loss_that_is_no_number_stops_the_stage_and_says_where(value: float) -> None:
    def broken(module: nn.Module, batch: Batch) -> dict[str, Tensor]:
        return {"loss": module.get_parameter("weight").sum() * value}

    with pytest.raises(
        DivergedError, match=r"the loss is (nan|-?inf) in batch 1 of epoch 1 of stage2 .*lower the"
    ):
        train(Mean(), loss=broken)


@pytest.mark.parametrize(
    ("sizes", "minimum", "joined"),
    [
        ([4, 4, 2], 1, [4, 4, 2]),
        ([4, 4, 1], 1, [4, 4, 1]),
        ([4, 4, 1], 2, [4, 5]),
        ([4, 4, 2], 2, [4, 4, 2]),
        ([1], 2, [1]),
        ([4], 2, [4]),
    ],
)
def test_a_short_tail_is_joined_to_the_batch_before(
    sizes: list[int], minimum: int, joined: list[int]
) -> None:
    order = torch.arange(sum(sizes))
    batches = join_short_tail(order.split(sizes), minimum)
    assert [len(batch) for batch in batches] == joined
    assert torch.equal(torch.cat(batches), order)
