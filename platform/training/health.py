"""Errors that stop training, with actionable messages."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import torch
from torch import Tensor

NAMES_SHOWN = 32


class DivergedError(RuntimeError):
    """A loss or a gradient is not finite."""

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
        """Which value is not finite, and where; with the names of the batch's images if given."""
        rates = ", ".join(f"{name} {rate:g}" for name, rate in self.rates.items())
        images = "" if names is None else f"; its images: {', '.join(names[:NAMES_SHOWN])}"
        fault = f"the loss is {self.loss}"
        if math.isfinite(self.loss):
            fault = f"the loss is {self.loss:g}, but the gradient norm is {self.gradient_norm},"
        return (
            f"{fault} in batch {self.batch} of epoch {self.epoch} of {self.stage} "
            f"(learning rates: {rates}); lower the learning rates, or check the images of this "
            f"batch{images}"
        )


class TooLargeBatchError(RuntimeError):
    """A batch does not fit in memory."""


WHOLE_MESSAGES = ("could not create a primitive", "std::bad_alloc")
"""Complete out-of-memory messages of oneDNN and C++. After the same words, oneDNN names any other cause."""


def is_out_of_memory(error: BaseException) -> bool:
    """Whether torch raised `error` because memory ran out, on a GPU or on the CPU."""
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    if not isinstance(error, RuntimeError):
        return False
    return "can't allocate memory" in str(error) or str(error) in WHOLE_MESSAGES


def largest_batch_that_fits(fits: Callable[[int], bool], batch_size: int) -> int:
    """The largest of batch_size / 2, batch_size / 4, ... for which `fits` holds; 0 if not even 1 fits."""
    size = batch_size // 2
    while size and not fits(size):
        size //= 2
    return size


def too_large(stage: str, batch_size: int, size_pixels: int, largest: int) -> TooLargeBatchError:
    """The error for a batch that does not fit; `largest`: the largest batch that does, or 0."""
    advice = (
        f"the largest batch size found to fit is {largest}: pass --{stage}-batch-size {largest}"
        if largest
        else "not even one image fits: pass a smaller --image-size-pixels or --generator-width"
    )
    return TooLargeBatchError(
        f"out of memory in {stage} with a batch of {batch_size} images of {size_pixels} pixels; {advice}"
    )
