"""What stops a training, said so that a person can act on it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import torch
from torch import Tensor

NAMES_SHOWN = 32


class DivergedError(RuntimeError):
    """A loss, or a gradient, was not finite."""

    def __init__(
        self,
        *,
        stage: str,
        epoch: int,
        batch: int,
        loss: float,
        gradient_norm: float,
        rates: Mapping[str, float],
        rows: Tensor,
    ) -> None:
        self.stage, self.epoch, self.batch = stage, epoch, batch
        self.loss, self.gradient_norm = loss, gradient_norm
        self.rates, self.rows = dict(rates), rows
        """int64 [b]: positions of the batch's images among the training images."""
        super().__init__(self.message())

    def message(self, names: list[str] | None = None) -> str:
        """What happened, with the images' names where they are known."""
        rates = ", ".join(f"{name} {rate:g}" for name, rate in self.rates.items())
        images = "" if names is None else f"; its images: {', '.join(names[:NAMES_SHOWN])}"
        fault = f"the loss is {self.loss}"
        if math.isfinite(self.loss):
            fault = f"the loss is {self.loss:g}, but its gradient's norm is {self.gradient_norm},"
        return (
            f"{fault} in batch {self.batch} of epoch {self.epoch} of {self.stage} "
            f"(learning rates: {rates}); lower the learning rates, or look at the images of that "
            f"batch{images}"
        )


class TooLargeBatchError(RuntimeError):
    """A batch did not fit into memory."""


WHOLE_MESSAGES = ("could not create a primitive", "std::bad_alloc")
"""Of oneDNN, which says more after these words where the reason is another, and of C++."""


def is_out_of_memory(error: BaseException) -> bool:
    """Whether torch raised `error` because memory ran out, on a GPU or on the CPU."""
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    if not isinstance(error, RuntimeError):
        return False
    return "can't allocate memory" in str(error) or str(error) in WHOLE_MESSAGES


def largest_batch_that_fits(fits: Callable[[int], bool], batch_size: int) -> int:
    """The largest of batch_size / 2, / 4, ... for which `fits` is true; 0 where not even 1 does."""
    size = batch_size // 2
    while size and not fits(size):
        size //= 2
    return size


def too_large(stage: str, batch_size: int, size_pixels: int, largest: int) -> TooLargeBatchError:
    """The error for a batch that does not fit."""
    advice = (
        f"the largest batch tried that fits is {largest}: pass --{stage}-batch-size {largest}"
        if largest
        else "not even one image fits: pass a smaller --image-size-pixels or --generator-width"
    )
    return TooLargeBatchError(
        f"memory ran out in {stage} with batches of {batch_size} images of {size_pixels} pixels; {advice}"
    )
