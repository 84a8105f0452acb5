"""Errors that stop training, with actionable messages."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

import torch

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
        names: Sequence[str] = (),
        player: str = "",
    ) -> None:
        """`names`: of the batch's images, if known; `player`: whose loss it is, if there are several."""
        shown = ", ".join(f"{name} {rate:g}" for name, rate in rates.items())
        images = f"; its images: {', '.join(names[:NAMES_SHOWN])}" if names else ""
        whose = f"the loss of {player}" if player else "the loss"
        fault = f"{whose} is {loss}"
        if math.isfinite(loss):
            fault = f"{whose} is {loss:g}, but the gradient norm is {gradient_norm},"
        super().__init__(
            f"{fault} in batch {batch} of epoch {epoch} of {stage} "
            f"(learning rates: {shown}); lower the learning rates, or check the images of this "
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


def too_large(stage: str, batch_size: int, kind: str, largest: int) -> TooLargeBatchError:
    """The error for a batch of `kind` (in the plural) that does not fit; `largest`: the largest batch that
    does, or 0."""
    advice = (
        f"the largest batch size found to fit is {largest}: pass --{stage}-batch-size {largest}"
        if largest
        else "not even one fits: pass a smaller --image-size-pixels or a narrower network"
    )
    return TooLargeBatchError(f"out of memory in {stage} with a batch of {batch_size} {kind}; {advice}")
