"""The training loop of a stage, without device synchronisation within an epoch."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from datasets.batches import split_batches
from platform.errors import UserError
from platform.models.items import Items, check_epoch
from platform.models.player import Player, check_players
from platform.training.averaging import AveragedNet
from platform.training.batch_norm import set_training
from platform.training.checkpoint import Checkpoints, Curve
from platform.training.health import DivergedError
from platform.training.precision import products_in
from platform.training.schedule import learning_rate_factor
from platform.training.seeding import generator, torch_seeded
from platform.training.stage_settings import Training
from platform.training.step import Step, Turn
from platform.training.workers import ALONE, Workers

Report = Callable[[dict[str, Any]], None]
"""Receives one dictionary per epoch: stage, epoch, epochs, and the epoch's means."""


def train_stage(
    module: nn.Module,
    players: Sequence[Player],
    items: Items,
    training: Training,
    *,
    report: Report,
    checkpoints: Checkpoints | None = None,
    workers: Workers = ALONE,
) -> Curve:
    """Train `module` in place on the epochs of `items`, by default with Adam and the released schedule.

    In every step the `players` take their turns in order, each on the same batch. Frozen parameters (without
    `requires_grad`) and their batch-norm statistics do not change, nor do parameters that get no gradient.
    Each epoch seeds its own order, draws and dropout, so that on the CPU a resumed run equals an
    uninterrupted one bit for bit. Returns one dictionary per epoch: the mean of every scalar over the
    epoch's items, gradient norm and learning rates, with the player's name before them if there are several
    players, and items per second. Raises DivergedError if a loss or gradient is not finite,
    TooLargeBatchError if memory runs out.
    """
    check_players(players)
    if training.batch_size < workers.count:
        raise ValueError(
            f"each of {workers.count} workers needs an item of every batch, but the batch size of "
            f"{training.stage} is {training.batch_size}"
        )
    with products_in(training.precision):
        return _train(module, players, items, training, report, checkpoints, workers)


def _train(
    module: nn.Module,
    players: Sequence[Player],
    items: Items,
    training: Training,
    report: Report,
    checkpoints: Checkpoints | None,
    workers: Workers,
) -> Curve:
    turns = [Turn(player, training, workers, only=len(players) == 1) for player in players]
    optimizers = {turn.name: turn.optimizer for turn in turns}
    workers.start_alike(module)
    averaged = AveragedNet(module, training.ema_decay) if training.ema_decay else None
    kept = averaged or module
    first, curve = (0, []) if checkpoints is None else checkpoints.load(training.stage, kept, optimizers)
    called = torch.compile(module, dynamic=False) if training.compiled else module
    step = Step(called, turns, items, training, workers, averaged)  # type: ignore[arg-type]
    for epoch in range(first + 1, training.epochs + 1):
        factor = learning_rate_factor(
            epoch,
            constant_epochs=training.constant_epochs,
            decay_epochs=training.decay_epochs,
            schedule=training.schedule,
            step_epochs=training.step_epochs,
            step_factor=training.step_factor,
        )
        for turn in turns:
            turn.set_rates(factor)
        with torch_seeded(training.seed, training.stage, epoch, "dropout"):
            means = _train_epoch(module, step, epoch)
        curve.append({"epoch": epoch, **means})
        report({"stage": training.stage, "epochs": training.epochs, **curve[-1]})
        if checkpoints is not None and checkpoints.due(epoch, training.epochs):
            checkpoints.save(training.stage, epoch, kept, optimizers, curve)
    if averaged is not None:
        averaged.finish()
    return curve


def _train_epoch(module: nn.Module, step: Step, epoch: int) -> dict[str, float]:
    """One pass over the epoch's items; what the curve shows of it."""
    started = time.monotonic()
    training = step.training
    set_training(module)
    random = generator(training.seed, training.stage, epoch, "order")
    batches = _batches(step, random)
    sums: list[dict[str, Tensor]] = [{} for _ in step.turns]
    measured: list[Tensor] = []
    for index in batches:
        results = step(index, step.items.draw(index, random))
        measured.append(torch.stack([one[name] for one in results for name in ("loss", "gradient_norm")]))
        for total, result in zip(sums, results, strict=True):
            for name, value in result.items():
                total[name] = total[name] + value if name in total else value
    _check_finite(measured, batches, step, epoch)
    count = sum(map(len, batches))
    means: dict[str, float] = {}
    for turn, total in zip(step.turns, sums, strict=True):
        prefix = f"{turn.name}_" if len(step.turns) > 1 else ""
        shown = _means(total, count, len(batches)) | _rates(turn.optimizer)
        means |= {f"{prefix}{name}": value for name, value in shown.items()}
    means["images_per_second"] = count / max(time.monotonic() - started, 1e-9)
    return means


def _batches(step: Step, random: torch.Generator) -> list[Tensor]:
    """The rows of one epoch's index, a tensor per step."""
    training = step.training
    index = check_epoch(step.items, step.items.epoch(random), training.stage)
    batches = split_batches(index, training.batch_size)
    if not training.drop_last:
        # Every worker needs an item of every batch.
        return join_short_tail(batches, max(training.minimum_batch, 1) * step.workers.count)
    whole = [batch for batch in batches if len(batch) == training.batch_size]
    if not whole:
        raise UserError(
            f"drop_last leaves no batch of {training.stage}: an epoch has {len(index)} items, and the batch "
            f"size is {training.batch_size}; pass a batch size of {len(index)} or less."
        )
    return whole


def _means(sums: dict[str, Tensor], items: int, steps: int) -> dict[str, float]:
    """The mean of every scalar over items, of the gradient norm over steps."""
    means = {name: float(value) / items for name, value in sums.items() if name != "gradient_norm"}
    means["gradient_norm"] = float(sums["gradient_norm"]) / steps
    if "correct" in means:
        means["training_accuracy"] = means.pop("correct")
    return means


def _rates(optimizer: torch.optim.Optimizer) -> dict[str, float]:
    """The learning rate of each named group, and the highest of all groups."""
    rates = {
        f"learning_rate_{group['name']}": float(group["lr"])
        for group in optimizer.param_groups
        if "name" in group
    }
    return {"learning_rate": max(float(group["lr"]) for group in optimizer.param_groups), **rates}


def _check_finite(measured: Sequence[Tensor], batches: Sequence[Tensor], step: Step, epoch: int) -> None:
    """Raise DivergedError for the first batch with a loss or gradient that is not finite.

    `measured`: [2 p] per batch, of each of p turns the loss summed over the items and the gradient norm. The
    gradient is checked too, because the last gradient of a stage would corrupt weights without any later
    loss to show it. The values are read once per epoch, to avoid a synchronisation per step.
    """
    values = torch.stack(list(measured)).reshape(len(batches), -1, 2).tolist()
    for number, (of_turns, index) in enumerate(zip(values, batches, strict=True), start=1):
        for turn, (loss, norm) in zip(step.turns, of_turns, strict=True):
            if not (math.isfinite(loss) and math.isfinite(norm)):
                groups = enumerate(turn.optimizer.param_groups)
                raise DivergedError(
                    stage=step.training.stage,
                    player=turn.name if len(step.turns) > 1 else "",
                    epoch=epoch,
                    batch=number,
                    loss=loss / len(index),
                    gradient_norm=norm,
                    rates={str(group.get("name", f"group {k}")): float(group["lr"]) for k, group in groups},
                    names=step.items.names(index),
                )


def join_short_tail(batches: Sequence[Tensor], minimum_batch: int) -> list[Tensor]:
    """Append a last batch of fewer than `minimum_batch` items to the previous batch.

    The released code keeps every partial batch, and so does this one where possible. Batch norm rejects a
    single image only if the network's last feature map is a single pixel.
    """
    batches = list(batches)
    if len(batches) > 1 and len(batches[-1]) < minimum_batch:
        tail = batches.pop()
        batches[-1] = torch.cat([batches[-1], tail])
    return batches
