"""A trial step of a net of the user's own, on torch's meta device: what is wrong with it, in one message."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

from platform.errors import UserError
from platform.models.costs.trial_items import trial_items_batch, trial_single_batch
from platform.models.method import Method, Settings
from platform.models.net_method import NetMethod
from platform.models.plugins import line_of
from platform.models.shared_stage import SharedStage

Made = TypeVar("Made")
IMAGES = 2


def check_net(method: NetMethod, settings: Settings, class_count: int) -> None:
    """Build the net, make a batch of its items, take one step of every player and score two images.

    UserError for the first thing that is wrong: a function that raises, no net, items of another shape, no
    loss, a loss without a gradient, scores of another shape. The method is a plug-in's.
    """
    module = _check_training(method, method, settings, class_count)
    batch = trial_single_batch(IMAGES, settings.image_size_pixels, class_count, _frames(method, settings))
    with torch.no_grad():
        scores = _called(method, "scores", lambda: method.scores(module, batch))
    shape = tuple(scores.shape) if isinstance(scores, Tensor) else None
    wanted = (
        f"a tensor of shape ({IMAGES}, {class_count}) for {IMAGES} {method.unit}s of {class_count} classes"
    )
    _require(method, "scores", shape == (IMAGES, class_count), wanted, scores)


def check_stage(method: Method, stage: SharedStage, settings: Settings, class_count: int) -> None:
    """As `check_net`, for a shared stage of a plug-in's method: its net, its items and one step."""
    _check_training(method, stage, settings, class_count, stage.name)


def _check_training(
    method: Method, trained: NetMethod | SharedStage, settings: Settings, class_count: int, stage: str = ""
) -> nn.Module:
    """Build the net, make a batch of its items and take one step of every player."""
    with torch.device("meta"):
        module = _called(method, "build", lambda: trained.build(settings, class_count), stage)
    _require(method, "build", isinstance(module, nn.Module), "a torch.nn.Module", module, stage)
    whole = f"the method {method.name}"
    batch = _called(
        method,
        "items",
        lambda: trial_items_batch(
            lambda single, train, inputs: trained.items(single, train, settings, inputs),
            items=IMAGES,
            size_pixels=settings.image_size_pixels,
            class_count=class_count,
            stage=f"the stage {stage} of {whole}" if stage else whole,
            frames=_frames(trained, settings),
        ),
        stage,
    )
    for player in _called(method, "parameter_groups", lambda: list(trained.players(module, settings)), stage):
        _check_groups(method, player.groups, stage)
        _check_loss(method, _called(method, "loss", partial(player.loss, module, batch), stage), stage)
    return module


def _frames(trained: NetMethod | SharedStage, settings: Settings) -> int:
    """Of each sequence; 0 for what trains on faces."""
    return settings.frames if trained.unit == "sequence" else 0


def _check_groups(method: Method, groups: Any, stage: str = "") -> None:
    fit = isinstance(groups, list | tuple) and all({"params", "lr"} <= set(one) for one in groups)
    _require(method, "parameter_groups", fit, "a list of dicts with params and lr", groups, stage)


def _check_loss(method: Method, values: Any, stage: str = "") -> None:
    fit = isinstance(values, Mapping) and "loss" in values
    _require(method, "loss", fit, "a dict with the key loss", values, stage)
    loss = values["loss"]
    _require(
        method, "loss", isinstance(loss, Tensor) and loss.ndim == 0, "a scalar tensor as loss", loss, stage
    )
    _require(method, "loss", loss.requires_grad, "a loss that depends on the net's parameters", loss, stage)


def _called(method: Method, function: str, call: Callable[[], Made], stage: str = "") -> Made:
    try:
        return call()
    except UserError:
        raise
    except Exception as error:
        message = " ".join(str(error).split())
        raise UserError(
            f"{_named(function, stage)} of the method {method.name} must work on {IMAGES} images, but raised "
            f"{type(error).__name__}: {message}{line_of(error, method.plugin)}; correct "
            f"{method.plugin.place} (docs/extending.md)."
        ) from error


def _require(method: Method, function: str, holds: bool, what: str, got: Any, stage: str = "") -> None:
    if not holds:
        shown = f"a tensor of shape {tuple(got.shape)}" if isinstance(got, Tensor) else type(got).__name__
        if isinstance(got, Mapping):
            shown = f"a dict with the keys {', '.join(map(str, got)) or '(none)'}"
        raise UserError(
            f"{_named(function, stage)} of the method {method.name} must return {what}, but returned "
            f"{shown}; correct {method.plugin.place} (docs/extending.md)."
        )


def _named(function: str, stage: str) -> str:
    return f"{function} of the stage {stage}" if stage else function
