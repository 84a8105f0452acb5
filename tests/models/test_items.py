"""Items of any kind reach the losses as the epoch's index says: pairs, and epochs of any length."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from datasets.batches import FaceTensors
from platform.errors import UserError
from platform.models.items import Items, TupleItems, Tuples
from platform.models.player import Player
from platform.training.checkpoint import Checkpoints
from platform.training.face_items import FaceItems
from platform.training.health import DivergedError, TooLargeBatchError
from platform.training.loop import train_stage
from platform.training.stage_settings import Training
from platform.training.workers import Workers

IMAGES = 8
"""Image k is the number k."""


@dataclass(frozen=True)
class Points:
    """[b, m] numbers and the draws that came with them."""

    values: Tensor
    draw: Tensor

    def __len__(self) -> int:
        return len(self.values)


class RandomTuples(Items):
    """`length` random tuples of `width` images per epoch; of width 0 single images, an index [n]."""

    def __init__(self, length: int, width: int) -> None:
        self.shape = (length, width) if width else (length,)

    def epoch(self, random: torch.Generator) -> Tensor:
        return torch.randint(IMAGES, self.shape, generator=random)

    def batch(self, index: Tensor, draw: Tensor) -> Points:
        return Points(index.double().reshape(len(index), -1), draw)

    def names(self, index: Tensor) -> Sequence[str]:
        return ["+".join(f"I{place}" for place in row) for row in index.reshape(len(index), -1).tolist()]


def train(
    items: Items,
    loss: Any,
    net: nn.Module | None = None,
    *,
    report: Any = lambda values: None,
    checkpoints: Checkpoints | None = None,
    **changes: Any,
) -> list[dict[str, float]]:
    net = net or nn.Linear(1, 1).double()
    settings: dict[str, Any] = {
        "stage": "pairs", "constant_epochs": 2, "decay_epochs": 0, "batch_size": 4, "minimum_batch": 1,
        "betas": (0.9, 0.999), "seed": 0, "schedule": "constant", **changes,
    }  # fmt: skip
    players = [Player(groups=[{"params": list(net.parameters()), "lr": 0.1}], loss=loss)]
    return train_stage(net, players, items, Training(**settings), report=report, checkpoints=checkpoints)


def seen(items: Items, **changes: Any) -> list[Points]:
    """The batches of a stage."""
    batches: list[Points] = []

    def loss(module: nn.Module, batch: Points) -> dict[str, Tensor]:
        batches.append(batch)
        return {"loss": module.get_parameter("weight").sum() * 0 + batch.values.mean()}

    train(items, loss, **changes)
    return batches


@pytest.mark.parametrize("width", [0, 2, 3])
@pytest.mark.parametrize("length", [IMAGES // 2, IMAGES, 3 * IMAGES, 1])
def test_an_epoch_has_the_length_and_the_tuples_of_its_index(length: int, width: int) -> None:
    batches = seen(RandomTuples(length, width), constant_epochs=1)
    assert [len(batch) for batch in batches] == [4] * (length // 4) + [length % 4] * (length % 4 > 0)
    assert {batch.values.shape[1] for batch in batches} == {max(width, 1)}
    assert all(batch.draw.shape == (len(batch),) for batch in batches)


def test_the_curve_holds_means_over_the_items_of_the_epoch() -> None:
    batches: list[Points] = []

    def loss(module: nn.Module, batch: Points) -> dict[str, Tensor]:
        batches.append(batch)
        return {"loss": module.get_parameter("weight").sum() * 0 + batch.values.mean()}

    curve = train(RandomTuples(10, 2), loss, constant_epochs=1)
    together = torch.cat([batch.values for batch in batches])
    assert together.shape == (10, 2)
    assert curve[0]["loss"] == pytest.approx(together.mean().item())


def test_epochs_differ_and_the_seed_repeats_them_with_their_draws() -> None:
    first, second = (torch.cat([batch.values for batch in seen(RandomTuples(8, 2))]) for _ in range(2))
    assert torch.equal(first, second)
    assert not torch.equal(first[:8], first[8:])
    draws = [torch.cat([batch.draw for batch in seen(RandomTuples(8, 2), seed=seed)]) for seed in (0, 0, 1)]
    assert torch.equal(draws[0], draws[1])
    assert not torch.equal(draws[0], draws[2])
    assert len(set(draws[0].tolist())) == 16  # a seed of its own for each item


class Stopped(Exception):
    """What a test kills a training with."""


@pytest.mark.parametrize("length", [3, 24])
def test_pairs_go_on_as_if_never_stopped(tmp_path: Path, length: int) -> None:
    """Order and draws of an epoch depend on nothing of the epochs before it."""

    def run(checkpoints: Checkpoints | None, stop_after: int = 99) -> tuple[Any, Any]:
        net, seen = nn.Linear(2, 1).double(), []
        nn.init.ones_(net.weight)
        nn.init.ones_(net.bias)

        def loss(module: nn.Module, batch: Points) -> dict[str, Tensor]:
            seen.append(batch.draw.tolist())
            noise = (batch.draw[:, None] % 100).double() / 100
            return {"loss": (module(batch.values + noise) ** 2).mean()}

        def report(values: dict[str, Any]) -> None:
            if values["epoch"] > stop_after:
                raise Stopped

        curve = train(
            RandomTuples(length, 2), loss, net, report=report, checkpoints=checkpoints, constant_epochs=4
        )
        shown = [epoch["loss"] for epoch in curve]
        return (shown, [value.tolist() for value in net.state_dict().values()]), seen

    uninterrupted, draws = run(None)
    checkpoints = Checkpoints(folder=tmp_path, every_epochs=1)
    with pytest.raises(Stopped):
        run(checkpoints, stop_after=2)
    resumed, later = run(checkpoints)
    assert resumed == uninterrupted
    assert later == draws[len(draws) // 2 :]


@pytest.mark.parametrize("width", [0, 2])
def test_a_diverged_batch_names_its_items(width: int) -> None:
    batches: list[Points] = []

    def loss(module: nn.Module, batch: Points) -> dict[str, Tensor]:
        batches.append(batch)
        return {"loss": module.get_parameter("weight").sum() * float("nan")}

    items = RandomTuples(3, width)
    with pytest.raises(DivergedError) as caught:
        train(items, loss)
    assert str(caught.value).endswith(f"; its images: {', '.join(items.names(batches[0].values.long()))}")


def test_memory_that_runs_out_names_the_kind_of_items_and_how_many_fit() -> None:
    def loss(module: nn.Module, batch: Points) -> dict[str, Tensor]:
        if len(batch) > 2:
            raise MemoryError
        return {"loss": module.get_parameter("weight").sum()}

    with pytest.raises(TooLargeBatchError, match=r"in pairs with a batch of 4 items; .* found to fit is 2"):
        train(RandomTuples(8, 2), loss)


class Unsized(RandomTuples):
    """Forgets an item."""

    def batch(self, index: Tensor, draw: Tensor) -> Points:
        return super().batch(index[1:], draw[1:])


def test_a_batch_of_another_number_of_items_than_rows_is_refused() -> None:
    with pytest.raises(UserError, match="Unsized made 3 items of 4 rows; correct its `batch`"):
        seen(Unsized(8, 2))


@pytest.mark.parametrize(
    ("index", "shown"),
    [
        (torch.zeros(0, dtype=torch.int64), r"int64 \[0\]"),
        (torch.zeros(3), r"float32 \[3\]"),
        (torch.zeros(2, 2, 2, dtype=torch.int64), r"int64 \[2, 2, 2\]"),
    ],
)
def test_an_epoch_that_is_no_index_is_refused(
    index: Tensor, shown: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(RandomTuples, "epoch", lambda self, random: index)
    with pytest.raises(
        UserError, match=f"of pairs must be int64 .* but RandomTuples gave {shown}; correct its"
    ):
        seen(RandomTuples(1, 1))


class Neighbours(TupleItems):
    """Every face with the next one."""

    def epoch(self, random: torch.Generator) -> Tensor:
        first = self.single.epoch(random)
        return torch.stack([first, (first + 1) % len(first)], dim=1)


def coloured_faces(augmentation: str) -> FaceItems:
    """Face k has the gray level 10 k in its left half, and black in its right one."""
    images = np.zeros((IMAGES, 20, 20, 3), dtype=np.uint8)
    for number in range(IMAGES):
        images[number, :, :10] = 10 * number
    faces = FaceTensors(images, np.arange(IMAGES), None, "cpu")
    names = [f"I{number}" for number in range(IMAGES)]
    return FaceItems(faces, augmentation=augmentation, crop_size_pixels=16, names=names)


def test_pairs_are_made_of_the_batches_of_single_faces() -> None:
    items = Neighbours(coloured_faces("none"))
    index = items.epoch(torch.Generator().manual_seed(0))[:3]
    batch = items.batch(index, items.draw(index, torch.Generator().manual_seed(1)))
    assert isinstance(batch, Tuples)
    assert (len(batch), batch.size, len(batch.single)) == (3, 2, 6)
    assert batch.single.labels.unflatten(0, (-1, 2)).tolist() == index.tolist()
    assert (batch.single.image[:, 0, 0, 0] * 255).round().tolist() == (10.0 * index.flatten()).tolist()
    assert items.names(index) == [f"I{place}" for place in index.flatten().tolist()]
    assert items.kind == "tuples of images of 16 pixels"


def test_each_face_of_a_pair_has_a_draw_of_its_own_and_workers_share_pairs() -> None:
    items = Neighbours(coloured_faces("paper"))
    index = items.epoch(torch.Generator().manual_seed(0))
    draw = items.draw(index, torch.Generator().manual_seed(1))
    assert draw.flip.shape == draw.crop.shape == (IMAGES, 2)
    assert (draw.flip[:, 0] != draw.flip[:, 1]).any()
    whole = items.batch(index, draw).single.image.unflatten(0, (-1, 2))
    for rank in range(2):
        worker = Workers(rank=rank, count=2)
        share = items.batch(worker.share(index), worker.share_of_draw(draw))
        assert torch.equal(share.single.image.unflatten(0, (-1, 2)), whole[rank::2])


def test_pairs_of_faces_train() -> None:
    seen: list[int] = []

    def loss(module: nn.Module, batch: Tuples) -> dict[str, Tensor]:
        seen.append(len(batch))
        first, second = batch.single.gray.double().mean((1, 2, 3)).unflatten(0, (-1, 2)).unbind(1)
        return {"loss": module.get_parameter("weight").sum() * (first - second).mean()}

    train(Neighbours(coloured_faces("paper")), loss, constant_epochs=1)
    assert seen == [4, 4]
