"""What stops a training is said with its place, and memory that runs out with what would fit."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from datasets.batches import Batch, FaceTensors
from platform.models.player import Loss, Player
from platform.training.face_items import FaceItems
from platform.training.health import (
    DivergedError,
    TooLargeBatchError,
    is_out_of_memory,
    largest_batch_that_fits,
    too_large,
)
from platform.training.loop import train_stage
from platform.training.stage_settings import Training

CPU_MESSAGE = "[enforce fail at alloc_cpu.cpp:121] err == 0. DefaultCPUAllocator: can't allocate memory"


def train(loss: Loss, batch_size: int = 8) -> None:
    images = np.zeros((16, 8, 8, 3), np.uint8)
    training = Training(
        stage="stage2", constant_epochs=2, decay_epochs=1, batch_size=batch_size, minimum_batch=1,
        betas=(0.5, 0.999), seed=0,
    )  # fmt: skip
    net = nn.Linear(1, 1)
    nn.init.ones_(net.weight)
    nn.init.ones_(net.bias)
    groups = [
        {"params": [net.weight], "lr": 1e-3, "name": "classifier"},
        {"params": [net.bias], "lr": 1e-5, "name": "mask_generator"},
    ]
    faces = FaceTensors(images, np.zeros(16, np.int64), None, "cpu")
    names = [f"S{number:03d}" for number in range(16)]
    items = FaceItems(faces, augmentation="none", crop_size_pixels=6, names=names)
    train_stage(net, [Player(groups=groups, loss=loss)], items, training, report=lambda values: None)


@pytest.mark.parametrize(("value", "shown"), [(float("nan"), "nan"), (float("inf"), "inf")])
def test_a_loss_that_is_not_finite_names_epoch_batch_and_rates(value: float, shown: str) -> None:
    calls = iter(range(99))

    def loss(module: nn.Module, batch: Batch) -> dict[str, Tensor]:
        weight = module.get_parameter("weight").sum() + module.get_parameter("bias").sum()
        return {"loss": weight * (value if next(calls) == 1 else 1.0)}

    with pytest.raises(DivergedError) as caught:
        train(loss)
    message, _, images = str(caught.value).partition("; its images: ")
    assert f"the loss is {shown} in batch 2 of epoch 1 of stage2" in message
    assert "(learning rates: classifier 0.001, mask_generator 1e-05)" in message
    assert len(set(images.split(", ")) & {f"S{number:03d}" for number in range(16)}) == 8


@pytest.mark.parametrize("step", [1, 6])
def test_a_gradient_that_is_not_finite_stops_the_stage_even_in_its_last_step(step: int) -> None:
    """The square root of 0 has an infinite slope; no later batch would show what became of the weights."""
    calls = iter(range(1, 99))

    def loss(module: nn.Module, batch: Batch) -> dict[str, Tensor]:
        weight = module.get_parameter("weight").sum() + module.get_parameter("bias").sum()
        return {"loss": (0 * weight).sqrt() + 2 if next(calls) == step else weight}

    with pytest.raises(DivergedError) as caught:
        train(loss)
    place = f"in batch {(step + 1) % 2 + 1} of epoch {(step + 1) // 2} of stage2"
    assert f"the loss is 2, but the gradient norm is nan, {place}" in str(caught.value)


def test_of_several_players_the_one_whose_loss_is_not_finite_is_named() -> None:
    error = DivergedError(
        stage="gan", player="critic", epoch=1, batch=2, loss=float("nan"), gradient_norm=1.0, rates={}
    )
    assert str(error).startswith("the loss of critic is nan in batch 2 of epoch 1 of gan")
    assert "images:" not in str(error)


def test_memory_that_runs_out_names_batch_size_and_the_largest_that_fits() -> None:
    def loss(module: nn.Module, batch: Batch) -> dict[str, Tensor]:
        if len(batch.labels) > 3:
            raise RuntimeError(CPU_MESSAGE)
        return {"loss": module.get_parameter("weight").sum()}

    with pytest.raises(TooLargeBatchError) as caught:
        train(loss)
    assert "out of memory in stage2 with a batch of 8 images of 6 pixels" in str(caught.value)
    assert "the largest batch size found to fit is 2: pass --stage2-batch-size 2" in str(caught.value)


def test_another_error_passes_through_as_it_is() -> None:
    def loss(module: nn.Module, batch: Batch) -> dict[str, Tensor]:
        raise RuntimeError("something else")

    with pytest.raises(RuntimeError, match=r"^something else$"):
        train(loss)


@pytest.mark.parametrize(
    ("limit", "batch", "expected"), [(99, 16, 8), (5, 16, 4), (1, 16, 1), (0, 16, 0), (9, 1, 0)]
)
def test_the_largest_batch_is_found_by_halving(limit: int, batch: int, expected: int) -> None:
    assert largest_batch_that_fits(lambda size: size <= limit, batch) == expected


def test_where_not_even_one_image_fits_the_remedy_is_another() -> None:
    message = str(too_large("stage1", 4, "images of 299 pixels", 0))
    assert "not even one fits: pass a smaller --image-size-pixels" in message


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (torch.OutOfMemoryError("CUDA out of memory"), True),
        (RuntimeError(CPU_MESSAGE), True),
        (RuntimeError("could not create a primitive"), True),  # oneDNN, seen under `ulimit -v`
        (RuntimeError("std::bad_alloc"), True),
        (MemoryError(), True),
        (RuntimeError("could not create a primitive descriptor for a convolution"), False),
        (RuntimeError("shapes do not match"), False),
        (ValueError("can't allocate memory"), False),
    ],
)
def test_memory_errors_are_told_from_others(error: Exception, expected: bool) -> None:
    assert is_out_of_memory(error) is expected
