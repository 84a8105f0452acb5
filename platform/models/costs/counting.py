"""Costs counted on torch's meta device, whose tensors have shapes but no memory and no numbers."""

from __future__ import annotations

from collections.abc import Callable, Sequence, Sized
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry

from platform.models.costs.facts import Costs
from platform.models.costs.trial_items import trial_batch
from platform.models.player import Player

Build = Callable[[], nn.Module]
Players = Callable[[nn.Module], Sequence[Player]]
BatchOf = Callable[[int, int], Sized]
"""(items, size in pixels) -> a batch on the meta device; it may have fewer items."""

LARGEST_SIZE_PIXELS = 2048
"""No smallest image size is searched beyond it."""


class TooSmallImagesError(Exception):
    """Images too small for the net; `least_pixels` is the smallest side that it accepts."""

    def __init__(self, least_pixels: int) -> None:
        super().__init__(f"images of at least {least_pixels} px are needed")
        self.least_pixels = least_pixels


def count(
    build: Build, players: Players, *, size_pixels: int, class_count: int, batch_of: BatchOf | None = None
) -> Costs:
    """The costs of training the module that `build` makes, by all of its players, on images of `size_pixels`.

    The players take their turns one after the other, so their arithmetic adds up; of what their backward
    passes keep, the largest counts. One training step of a single image is taken; of two images where batch
    norm cannot train on one, and the figures are then halved. The few bytes that do not grow with the batch
    (statistics of batch norms) are thus counted for each image. The module is in training mode throughout,
    its frozen batch norms too. batch_of: None for batches of single faces; the figures are for each item.

    TooSmallImagesError: it fails on images of `size_pixels`, but not on larger ones. Where it fails on those
    too, its own error is raised.
    """
    module = _built(build)
    batch_of = batch_of or (lambda items, size: trial_batch(items, size, class_count))
    try:
        return _step(module, players, batch_of(1, size_pixels))
    except (RuntimeError, ValueError):
        pass
    try:
        return _step(module, players, batch_of(2, size_pixels))
    except (RuntimeError, ValueError) as error:
        least = _smallest_size(module, players, size_pixels, batch_of)
        if least is None:
            raise
        raise TooSmallImagesError(least) from error


def _built(build: Build) -> nn.Module:
    with torch.device("meta"):
        return build().train()


def _step(module: nn.Module, players: Players, batch: Sized) -> Costs:
    turns = players(module)
    own = {part.untyped_storage()._cdata for part in (*module.parameters(), *module.buffers())}
    flop, kept_bytes = 0, 0
    for player in turns:
        with _Operations() as operations:
            kept = _kept_bytes(module, player, own, batch, len(turns))
        flop += operations.flop
        kept_bytes = max(kept_bytes, kept)
    parameters = list(module.parameters())
    return Costs(
        parameters=sum(one.numel() for one in parameters),
        trained_parameters=sum(one.numel() for one in parameters if one.requires_grad),
        gflop_an_image=flop / len(batch) / 1e9,
        kept_bytes_an_image=kept_bytes / len(batch),
        minimum_batch=len(batch),
    )


def _kept_bytes(module: nn.Module, player: Player, own: set[int], batch: Sized, players: int) -> int:
    """Take the player's turn; the bytes that its forward pass keeps for its backward pass, without the
    module's `own` tensors."""
    kept: dict[int, torch.UntypedStorage] = {}

    def keep(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        if storage._cdata not in own:
            kept[storage._cdata] = storage  # held, so that its address is not used again
        return tensor

    # Of several players, each leaves the others' gradients alone, as in training.
    inputs = None if players == 1 else [one for group in player.groups for one in group["params"]]
    module.zero_grad(set_to_none=True)
    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        player.loss(module, batch)["loss"].backward(inputs=inputs)
    module.zero_grad(set_to_none=True)
    return sum(storage.nbytes() for storage in kept.values())


def _smallest_size(module: nn.Module, players: Players, size_pixels: int, batch_of: BatchOf) -> int | None:
    """The smallest side above `size_pixels` on which the losses of two images can be computed.

    None: there is none, or `size_pixels` is not too small for it.
    """

    turns = players(module)

    def accepts(size: int) -> bool:
        try:
            with torch.no_grad(), _Operations():
                for player in turns:
                    player.loss(module, batch_of(2, size))
        except (RuntimeError, ValueError):
            return False
        return True

    if accepts(size_pixels):
        return None  # it is the backward pass that fails
    refused, accepted = size_pixels, 2 * size_pixels
    while not accepts(accepted):
        refused, accepted = accepted, 2 * accepted
        if accepted > LARGEST_SIZE_PIXELS:
            return None
    while accepted - refused > 1:
        middle = (refused + accepted) // 2
        refused, accepted = (refused, middle) if accepts(middle) else (middle, accepted)
    return accepted


class _Operations(TorchDispatchMode):
    """Counts floating-point operations by torch's own formulas, as FlopCounterMode does for whole modules.

    Batch norm has no formula, and on the meta device torch takes it apart into dozens of operations: four
    fifths of the time. So its outputs are made here, by their shapes alone.
    """

    def __init__(self) -> None:
        super().__init__()
        self.flop = 0

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        shaped = _SHAPED.get(func)
        if shaped is not None and args[0].device.type == "meta":
            return shaped(*args, **kwargs)
        result = func(*args, **kwargs)
        formula = flop_registry.get(func._overloadpacket)
        if formula is not None:
            self.flop += formula(*args, **kwargs, out_val=result)
        return result


def _normalised(images: Tensor, *_: Any) -> tuple[Tensor, Tensor, Tensor]:
    """Shapes of batch norm in training: the result, and mean and spread of each channel."""
    channels = images.new_empty(images.shape[1])
    return torch.empty_like(images), channels, torch.empty_like(channels)


def _normalised_backward(gradient: Tensor, images: Tensor, *others: Any) -> tuple[Tensor | None, ...]:
    """Shapes of its gradients for images, scales and shifts: those that the last argument asks for."""
    channels = images.new_empty(images.shape[1])
    made = (torch.empty_like(images), channels, torch.empty_like(channels))
    return tuple(one if wanted else None for one, wanted in zip(made, others[-1], strict=True))


_SHAPED: dict[Any, Callable[..., Any]] = {
    torch.ops.aten.native_batch_norm.default: _normalised,
    torch.ops.aten.native_batch_norm_backward.default: _normalised_backward,
}
