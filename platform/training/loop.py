"""The training loop of a stage, without device synchronisation within an epoch."""

from __future__ import annotations

import dataclasses
import gc
import math
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from datasets.augmentation.draw import augmentation_policy, centre_draw
from datasets.batches import Batch, FaceTensors, epoch_order, split_batches
from platform.training.averaging import AveragedNet
from platform.training.batch_norm import set_training
from platform.training.checkpoint import Checkpoints, Curve
from platform.training.health import DivergedError, is_out_of_memory, largest_batch_that_fits, too_large
from platform.training.optimizer import make_optimizer
from platform.training.schedule import learning_rate_factor
from platform.training.seeding import generator, torch_seeded
from platform.training.stage_settings import Precision, Training
from platform.training.workers import ALONE, Workers

Report = Callable[[dict[str, Any]], None]
"""Receives one dictionary per epoch: stage, epoch, epochs, and the epoch's means."""

Loss = Callable[[nn.Module, Batch], dict[str, Tensor]]
"""Scalars of a batch: `loss`, which is minimised, its terms, and optionally the count `correct`."""


def train_stage(
    module: nn.Module,
    groups: Sequence[dict[str, Any]],
    loss: Loss,
    faces: FaceTensors,
    training: Training,
    *,
    report: Report,
    checkpoints: Checkpoints | None = None,
    workers: Workers = ALONE,
) -> Curve:
    """Train `module` in place on all of `faces`, by default with Adam and the released schedule.

    `groups` are the optimizer's parameter groups, each with its full learning rate (`lr`) and an optional
    `name`. Frozen parameters (without `requires_grad`) and their batch-norm statistics do not change. Each
    epoch seeds its own order, crops, flips and dropout, so that on the CPU a resumed run equals an
    uninterrupted one bit for bit. Returns one dictionary per epoch: the mean of every scalar over images,
    gradient norm, learning rates and images per second. Raises DivergedError if a loss or gradient is not
    finite, TooLargeBatchError if memory runs out.
    """
    if training.batch_size < workers.count:
        raise ValueError(
            f"each of {workers.count} workers needs an image of every batch, but the batch size of "
            f"{training.stage} is {training.batch_size}"
        )
    with products_in(training.precision):
        return _train(module, groups, loss, faces, training, report, checkpoints, workers)


def _train(
    module: nn.Module,
    groups: Sequence[dict[str, Any]],
    loss: Loss,
    faces: FaceTensors,
    training: Training,
    report: Report,
    checkpoints: Checkpoints | None,
    workers: Workers,
) -> Curve:
    optimizer = make_optimizer(groups, training)
    full_rates = [group["lr"] for group in optimizer.param_groups]
    averaged = AveragedNet(module, training.ema_decay) if training.ema_decay else None
    kept = averaged or module
    first, curve = (0, []) if checkpoints is None else checkpoints.load(training.stage, kept, optimizer)
    step = _Step(_called(module, training, workers), optimizer, loss, faces, training, workers, averaged)
    for epoch in range(first + 1, training.epochs + 1):
        factor = learning_rate_factor(
            epoch,
            constant_epochs=training.constant_epochs,
            decay_epochs=training.decay_epochs,
            schedule=training.schedule,
        )
        for group, rate in zip(optimizer.param_groups, full_rates, strict=True):
            group["lr"] = rate * factor
        started = time.monotonic()
        with torch_seeded(training.seed, training.stage, epoch, "dropout"):
            means = _train_epoch(module, step, epoch)
        means |= _rates(optimizer)
        means["images_per_second"] = len(faces) / max(time.monotonic() - started, 1e-9)
        curve.append({"epoch": epoch, **means})
        report({"stage": training.stage, "epochs": training.epochs, **curve[-1]})
        if checkpoints is not None and checkpoints.due(epoch, training.epochs):
            checkpoints.save(training.stage, epoch, kept, optimizer, curve)
    if averaged is not None:
        averaged.finish()
    return curve


def _rates(optimizer: torch.optim.Optimizer) -> dict[str, float]:
    """The learning rate of each named group, and the highest of all groups."""
    rates = {
        f"learning_rate_{group['name']}": float(group["lr"])
        for group in optimizer.param_groups
        if "name" in group
    }
    return {"learning_rate": max(float(group["lr"]) for group in optimizer.param_groups), **rates}


def _called(module: nn.Module, training: Training, workers: Workers) -> nn.Module:
    """`module` as a step calls it: wrapped to average gradients over workers, compiled if configured."""
    wrapped = workers.wrapped(module)
    return torch.compile(wrapped, dynamic=False) if training.compiled else wrapped  # type: ignore[return-value]


def _train_epoch(module: nn.Module, step: _Step, epoch: int) -> dict[str, float]:
    """One pass over all faces; the mean of every scalar over images."""
    training, faces = step.training, step.faces
    set_training(module)
    random = generator(training.seed, training.stage, epoch, "order")
    order = split_batches(epoch_order(len(faces), random), training.batch_size)
    # Every worker needs an image of every batch.
    batches = join_short_tail(order, max(training.minimum_batch * step.workers.count, step.workers.count))
    policy = augmentation_policy(training.augmentation)
    sums: dict[str, Tensor] = {}
    measured: list[Tensor] = []
    for rows in batches:
        values = step(rows, policy(len(rows), random))
        measured.append(torch.stack([values["loss"], values["gradient_norm"]]))
        for name, value in values.items():
            sums[name] = sums.get(name, torch.zeros((), device=value.device)) + value
    _check_finite(measured, batches, step, epoch)
    means = {name: float(value) / len(faces) for name, value in sums.items() if name != "gradient_norm"}
    means["gradient_norm"] = float(sums["gradient_norm"]) / len(batches)
    if "correct" in means:
        means["training_accuracy"] = means.pop("correct")
    return means


class _Step:
    """One optimizer step on one batch."""

    def __init__(
        self,
        called: nn.Module,
        optimizer: torch.optim.Optimizer,
        loss: Loss,
        faces: FaceTensors,
        training: Training,
        workers: Workers,
        averaged: AveragedNet | None = None,
    ) -> None:
        self.called, self.optimizer, self.loss, self.faces = called, optimizer, loss, faces
        self.training, self.workers, self.averaged = training, workers, averaged
        self.parameters = [parameter for group in optimizer.param_groups for parameter in group["params"]]

    def __call__(self, rows: Tensor, draw: Any) -> dict[str, Tensor]:
        """Sums of every scalar over the batch, and the gradient norm; all on the device."""
        try:
            return self._run(rows, draw)
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
        # Outside the handler, because the traceback keeps the tensors that filled the memory alive.
        raise self._too_large(rows)

    def _run(self, rows: Tensor, draw: Any) -> dict[str, Tensor]:
        batch = self._batch(rows, draw)
        own = len(batch.labels)
        self.optimizer.zero_grad(set_to_none=True)
        with autocast(self.faces.device, self.training.precision):
            values = self.loss(self.called, batch)
        loss = values["loss"]
        (loss * self.workers.loss_factor(own, len(rows)) if self.workers.count > 1 else loss).backward()
        gradients = [parameter.grad for parameter in self.parameters if parameter.grad is not None]
        norm = torch.nn.utils.get_total_norm(gradients)
        self.optimizer.step()
        if self.averaged is not None:
            self.averaged.update()
        names = sorted(values)
        sums = torch.stack(
            [values[name].detach().float() * (1 if name == "correct" else own) for name in names]
        )
        return {**dict(zip(names, self.workers.summed(sums), strict=True)), "gradient_norm": norm}

    def _batch(self, rows: Tensor, draw: Any) -> Batch:
        """This worker's share of the batch."""
        shared = dataclasses.replace(
            draw,
            **{
                field.name: self.workers.share(value)
                for field in dataclasses.fields(draw)
                if isinstance(value := getattr(draw, field.name), Tensor)
            },
        )
        return channels_last(
            self.faces.batch(self.workers.share(rows), shared, self.training.crop_size_pixels)
        )

    def _too_large(self, rows: Tensor) -> RuntimeError:
        """The error, with the largest batch that fits, found by trial."""

        def fits(count: int) -> bool:
            self.optimizer.zero_grad(set_to_none=True)
            gc.collect()
            if self.faces.device.type == "cuda":
                torch.cuda.empty_cache()
            try:
                batch = self._batch(rows[:count], centre_draw(count))
                with autocast(self.faces.device, self.training.precision):
                    self.loss(self.called, batch)["loss"].backward()
            except (RuntimeError, MemoryError) as error:
                if not is_out_of_memory(error):
                    raise
                return False
            return True

        largest = largest_batch_that_fits(fits, len(rows))
        return too_large(
            self.training.stage, self.training.batch_size, self.training.crop_size_pixels, largest
        )


def _check_finite(measured: Sequence[Tensor], batches: Sequence[Tensor], step: _Step, epoch: int) -> None:
    """Raise DivergedError for the first batch whose loss or gradient is not finite.

    `measured`: [2] per batch, the loss summed over its images and the gradient norm. The gradient is checked
    too, because the last gradient of a stage would corrupt weights without any later loss to show it. The
    values are read once per epoch, to avoid a synchronisation per step.
    """
    values = torch.stack(list(measured)).tolist()
    for number, ((loss, norm), rows) in enumerate(zip(values, batches, strict=True), start=1):
        if not (math.isfinite(loss) and math.isfinite(norm)):
            rates = {
                str(group.get("name", f"group {place}")): float(group["lr"])
                for place, group in enumerate(step.optimizer.param_groups)
            }
            raise DivergedError(
                stage=step.training.stage,
                epoch=epoch,
                batch=number,
                loss=loss / len(rows),
                gradient_norm=norm,
                rates=rates,
                rows=rows,
            )


@contextmanager
def products_in(precision: Precision) -> Iterator[None]:
    """Context in which float32 convolutions and matrix products on a GPU use TF32 only if `precision` is
    `tf32`. By default PyTorch uses TF32 for convolutions."""
    matmul, convolution = torch.backends.cuda.matmul, torch.backends.cudnn
    before = matmul.allow_tf32, convolution.allow_tf32
    matmul.allow_tf32 = convolution.allow_tf32 = precision == "tf32"
    try:
        yield
    finally:
        matmul.allow_tf32, convolution.allow_tf32 = before


def autocast(device: torch.device, precision: Precision) -> torch.autocast:
    """The autocast context of `precision`."""
    return torch.autocast(device.type, dtype=torch.bfloat16, enabled=precision == "bf16")


def channels_last(batch: Batch) -> Batch:
    """The same batch in channels-last memory format, the fastest layout for convolutions."""
    return dataclasses.replace(
        batch,
        image=batch.image.contiguous(memory_format=torch.channels_last),
        gray=batch.gray.contiguous(memory_format=torch.channels_last),
    )


def join_short_tail(batches: Sequence[Tensor], minimum_batch: int) -> list[Tensor]:
    """Append a last batch of fewer than `minimum_batch` images to the previous batch.

    The released code keeps every partial batch, and so does this one where possible. Batch norm rejects a
    single image only if the network's last feature map is a single pixel.
    """
    batches = list(batches)
    if len(batches) > 1 and len(batches[-1]) < minimum_batch:
        tail = batches.pop()
        batches[-1] = torch.cat([batches[-1], tail])
    return batches
