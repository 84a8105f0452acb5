"""The training loop of a stage, and the scoring of faces. Nothing is read back inside an epoch."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from datasets.augmentation import augmentation_policy, centre_draw
from datasets.batches import Batch, FaceTensors, epoch_order, split_batches
from platform.training.schedule import learning_rate_factor
from platform.training.seeding import generator, torch_seeded

Report = Callable[[dict[str, Any]], None]
"""Receives one dictionary an epoch: stage, epoch, epochs, and the epoch's mean values."""


class DivergedError(RuntimeError):
    """The loss of an epoch was not finite."""


def train_stage(
    module: nn.Module,
    groups: Sequence[dict[str, Any]],
    loss: Callable[[nn.Module, Batch], dict[str, Tensor]],
    faces: FaceTensors,
    *,
    stage: str,
    constant_epochs: int,
    decay_epochs: int,
    batch_size: int,
    minimum_batch: int,
    betas: tuple[float, float],
    crop_size_pixels: int,
    augmentation: str,
    seed: int,
    report: Report,
) -> list[dict[str, float]]:
    """Train `module` in place on all of `faces` with Adam and the released schedule.

    `groups` are Adam's, each with its full learning rate; `loss` returns scalars with the key
    `loss`. Each epoch draws order, crops, flips and dropout from a seed of its own. Returns one
    dictionary an epoch: means over images of every scalar, learning rate, images a second.
    Raises DivergedError when an epoch's loss is not finite.
    """
    optimizer = torch.optim.Adam([dict(group) for group in groups], betas=betas, fused=True)
    full_rates = [group["lr"] for group in groups]
    epochs = constant_epochs + decay_epochs
    curve: list[dict[str, float]] = []
    for epoch in range(1, epochs + 1):
        factor = learning_rate_factor(epoch, constant_epochs=constant_epochs, decay_epochs=decay_epochs)
        for group, rate in zip(optimizer.param_groups, full_rates, strict=True):
            group["lr"] = rate * factor
        started = time.monotonic()
        with torch_seeded(seed, stage, epoch, "dropout"):
            random = generator(seed, stage, epoch, "order")
            means = _train_epoch(
                module,
                optimizer,
                loss,
                faces,
                batch_size,
                minimum_batch,
                crop_size_pixels,
                augmentation,
                random,
            )
        means["learning_rate"] = max(full_rates) * factor
        if not torch.isfinite(torch.tensor(means["loss"])):
            raise DivergedError(
                f"the loss is {means['loss']} in epoch {epoch} of {stage}; lower the learning rates"
            )
        means["images_per_second"] = len(faces) / max(time.monotonic() - started, 1e-9)
        curve.append({"epoch": epoch, **means})
        report({"stage": stage, "epochs": epochs, **curve[-1]})
    return curve


def _train_epoch(
    module: nn.Module,
    optimizer: torch.optim.Optimizer,
    loss: Callable[[nn.Module, Batch], dict[str, Tensor]],
    faces: FaceTensors,
    batch_size: int,
    minimum_batch: int,
    crop_size_pixels: int,
    augmentation: str,
    random: torch.Generator,
) -> dict[str, float]:
    module.train()
    policy = augmentation_policy(augmentation)
    sums: dict[str, Tensor] = {}
    for rows in join_short_tail(split_batches(epoch_order(len(faces), random), batch_size), minimum_batch):
        batch = channels_last(faces.batch(rows, policy(len(rows), random), crop_size_pixels))
        values = loss(module, batch)
        optimizer.zero_grad(set_to_none=True)
        values["loss"].backward()
        optimizer.step()
        for name, value in values.items():
            weight = 1 if name == "correct" else len(rows)
            sums[name] = sums.get(name, torch.zeros((), device=value.device)) + value.detach() * weight
    means = {name: float(value) / len(faces) for name, value in sums.items()}
    if "correct" in means:
        means["training_accuracy"] = means.pop("correct")
    return means


def channels_last(batch: Batch) -> Batch:
    """The same batch with its images stored channels last: the layout that convolutions run fastest in."""
    return dataclasses.replace(
        batch,
        image=batch.image.contiguous(memory_format=torch.channels_last),
        gray=batch.gray.contiguous(memory_format=torch.channels_last),
    )


def join_short_tail(batches: Sequence[Tensor], minimum_batch: int) -> list[Tensor]:
    """Join a last batch of fewer than `minimum_batch` images to the one before.

    The released code keeps every partial batch, and so do we wherever it can run: only where a
    net's last feature map is a single pixel does batch norm refuse a single image.
    """
    batches = list(batches)
    if len(batches) > 1 and len(batches[-1]) < minimum_batch:
        tail = batches.pop()
        batches[-1] = torch.cat([batches[-1], tail])
    return batches


@torch.inference_mode()
def score_faces(
    module: nn.Module,
    scores: Callable[[nn.Module, Batch], Tensor],
    faces: FaceTensors,
    *,
    crop_size_pixels: int,
    batch_size: int,
) -> Tensor:
    """float32 [N, K] on the CPU: the class probabilities of all faces, from their centre crops."""
    module.eval()
    parts = [
        scores(module, channels_last(faces.batch(rows, centre_draw(len(rows)), crop_size_pixels)))
        for rows in split_batches(torch.arange(len(faces)), batch_size)
    ]
    return torch.cat(parts).cpu()
