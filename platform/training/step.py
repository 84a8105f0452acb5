"""A training step: the players of a stage take their turns on one batch."""

from __future__ import annotations

import gc
from collections.abc import Mapping, Sequence, Sized
from typing import Any

import torch
from torch import Tensor, nn

from platform.errors import UserError
from platform.models.items import Items, check_batch
from platform.models.player import Player
from platform.training.averaging import AveragedNet
from platform.training.health import is_out_of_memory, largest_batch_that_fits, too_large
from platform.training.optimizer import make_optimizer
from platform.training.precision import autocast
from platform.training.seeding import generator
from platform.training.stage_settings import Training
from platform.training.workers import Workers


class Turn:
    """A player's part of every step: its loss, the gradients of its parameters, its optimizer."""

    def __init__(self, player: Player, training: Training, workers: Workers, *, only: bool) -> None:
        self.name, self.loss = player.name, player.loss
        self.training, self.workers = training, workers
        self.optimizer = make_optimizer(player.groups, player.optimizer or training)
        self._full_rates = [group["lr"] for group in self.optimizer.param_groups]
        self.parameters = [
            parameter for group in self.optimizer.param_groups for parameter in group["params"]
        ]
        # Of several players, each leaves the others' gradients alone.
        self._inputs = None if only else self.parameters

    @property
    def device(self) -> torch.device:
        """Where the player's parameters are."""
        device: torch.device = self.parameters[0].device
        return device

    def set_rates(self, factor: float) -> None:
        """Set each group's learning rate to `factor` of its full rate."""
        for group, rate in zip(self.optimizer.param_groups, self._full_rates, strict=True):
            group["lr"] = rate * factor

    def differentiate(self, called: nn.Module, batch: Sized, factor: float = 1.0) -> Mapping[str, Tensor]:
        """The loss's scalars; the gradients of `factor` times the loss replace those of the last step."""
        self.optimizer.zero_grad(set_to_none=True)
        with autocast(self.device, self.training.precision):
            values = self.loss(called, batch)
        _check_scalars(values, f"{self.name} in {self.training.stage}" if self.name else self.training.stage)
        loss = values["loss"]
        (loss if factor == 1.0 else loss * factor).backward(inputs=self._inputs)
        return values

    def __call__(self, called: nn.Module, batch: Sized, together: int) -> dict[str, Tensor]:
        """Train on this worker's share of `together` items.

        Returns the sum of every scalar over all of them, and the gradient norm; all on the device.
        """
        own = len(batch)
        alone = self.workers.count == 1
        values = self.differentiate(called, batch, 1.0 if alone else self.workers.loss_factor(own, together))
        self.workers.sum_gradients(self.parameters)
        gradients = [parameter.grad for parameter in self.parameters if parameter.grad is not None]
        norm = torch.nn.utils.get_total_norm(gradients)
        self.optimizer.step()
        names = sorted(values)
        sums = torch.stack(
            [values[name].detach().float() * (1 if name == "correct" else own) for name in names]
        )
        return {**dict(zip(names, self.workers.summed(sums), strict=True)), "gradient_norm": norm}


def _check_scalars(values: Any, described: str) -> None:
    """Raise UserError unless a loss returned a dictionary of scalars with `loss` among them."""
    rule = f"the loss of {described} must return a dictionary of scalar tensors, one of them named 'loss'"
    if not isinstance(values, Mapping):
        raise UserError(f"{rule}, but it returned a {type(values).__name__}; return {{'loss': ...}}.")
    if "loss" not in values:
        raise UserError(f"{rule}, but it returned {', '.join(values) or 'nothing'}; add 'loss'.")
    for name, value in values.items():
        if value.ndim:
            raise UserError(
                f"{rule}, but {name!r} has the shape {list(value.shape)}; return its mean over the batch."
            )


class Step:
    """One turn of each player on one batch."""

    def __init__(
        self,
        called: nn.Module,
        turns: Sequence[Turn],
        items: Items,
        training: Training,
        workers: Workers,
        averaged: AveragedNet | None = None,
    ) -> None:
        self.called, self.turns, self.items = called, tuple(turns), items
        self.training, self.workers, self.averaged = training, workers, averaged

    def __call__(self, index: Tensor, draw: Any) -> list[dict[str, Tensor]]:
        """Each turn's result for the items of `index`, a whole batch."""
        try:
            return self._run(index, draw)
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
        # Outside the handler, because the traceback keeps the tensors that filled the memory alive.
        raise self._too_large(index)

    def _run(self, index: Tensor, draw: Any) -> list[dict[str, Tensor]]:
        batch = self._batch(index, draw)
        results = [turn(self.called, batch, len(index)) for turn in self.turns]
        if self.averaged is not None:
            self.averaged.update()
        return results

    def _batch(self, index: Tensor, draw: Any) -> Sized:
        """This worker's share of the batch."""
        share = self.workers.share(index)
        batch: Sized = self.items.batch(share, self.workers.share_of_draw(draw))
        return check_batch(self.items, batch, len(share), self.training.stage)

    def _too_large(self, index: Tensor) -> RuntimeError:
        """The error, with the largest batch that fits, found by trial."""
        random = generator(self.training.seed, self.training.stage, "largest batch")

        def fits(count: int) -> bool:
            for turn in self.turns:
                turn.optimizer.zero_grad(set_to_none=True)
            gc.collect()
            if self.turns[0].device.type == "cuda":
                torch.cuda.empty_cache()
            try:
                batch = self._batch(index[:count], self.items.draw(index[:count], random))
                for turn in self.turns:
                    turn.differentiate(self.called, batch)
            except (RuntimeError, MemoryError) as error:
                if not is_out_of_memory(error):
                    raise
                return False
            return True

        largest = largest_batch_that_fits(fits, len(index))
        return too_large(self.training.stage, self.training.batch_size, self.items.kind, largest)
