"""Construction of the classification nets: torchvision's, at any width, with a new head and their weights."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterable
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

from platform.errors import UserError
from platform.models.networks.backbones import BACKBONES, OWN_DROPOUT, check_dropout
from platform.models.networks.imagenet import imagenet_file, read_imagenet
from platform.models.networks.initialisation import initialise_as_released
from platform.models.networks.narrowing import narrow
from platform.models.networks.weights import load_strictly, read_weights, require_match, weights_file

IMAGENET_CLASSES = 1000


def build_backbone(
    name: str,
    class_count: int,
    *,
    width: float,
    weights: str,
    transform_input: bool,
    dropout: float = OWN_DROPOUT,
) -> nn.Module:
    """The net: image [B, 3, S, S] in [0, 1] -> logits [B, class_count]; head Xavier normal 0.02, bias 0.

    `weights`: `imagenet`, `none`, or a file pinned by its SHA-256 (platform/models/networks/weights.py).
    `dropout`: probability in the head, or OWN_DROPOUT. A head for ImageNet's 1000 classes is replaced after
    loading (docs/methods.md, §2.4); a head with `class_count` outputs is kept. UserError: weights that can be
    neither found nor downloaded, or do not fit; a width that the net cannot have.
    """
    net = _bare(name, width)
    if BACKBONES[name].has_transform_input:
        net.transform_input = transform_input  # type: ignore[assignment]
    if dropout != OWN_DROPOUT:
        _set_dropout(net, name, dropout)
    state = _weights_of(name, weights)
    if state is not None:
        outputs = _check_outputs(name, state, weights, [class_count])
        if outputs != head_of(net, name).out_features:
            replace_head(net, name, outputs)
        load_strictly(net, state, _source(name, weights), f"{name} of width {width:g}")
        if outputs == class_count:
            return net
    replace_head(net, name, class_count)
    return net


def check_weights(name: str, *, width: float, weights: str, class_counts: Iterable[int] = ()) -> None:
    """UserError unless the weights can be read and fit the net; called once, before any fold run starts.

    Reads the whole file, and downloads ImageNet weights that are missing. The error names the cause: no such
    file, bytes that differ from the SHA-256, keys or shapes of another net, a head for another number of
    classes than those of the data sets in `class_counts`.
    """
    state = _weights_of(name, weights)
    if state is None:
        return
    outputs = _check_outputs(name, state, weights, class_counts)
    with torch.device("meta"):
        net = _bare(name, width)
        replace_head(net, name, outputs)
    require_match(net.state_dict(), state, _source(name, weights), f"{name} of width {width:g}")


def _bare(name: str, width: float) -> nn.Module:
    """torchvision's net with its own random start and its head for 1000 classes, narrowed."""
    import torchvision.models  # seconds, which a check of weights `none` does not need

    facts = BACKBONES[name]
    # A net to be narrowed is only a plan: every layer is replaced, so none of it is worth filling in.
    with torch.device("meta") if width != 1 else contextlib.nullcontext():
        net: nn.Module = getattr(torchvision.models, name)(weights=None, **facts.options)
    if width != 1:
        narrow(net, width, name=name, head=facts.head)
    return net


def _set_dropout(net: nn.Module, name: str, dropout: float) -> None:
    check_dropout(name, dropout)
    for layer in net.modules():
        if isinstance(layer, nn.Dropout):
            layer.p = dropout


def head_of(net: nn.Module, name: str) -> nn.Linear:
    """The last Linear of the net of that name."""
    head = net.get_submodule(BACKBONES[name].head)
    assert isinstance(head, nn.Linear)
    return head


def replace_head(net: nn.Module, name: str, class_count: int) -> None:
    """Give the net of that name a new last Linear: Xavier normal 0.02, bias 0, as released."""
    parent_name, _, attribute = BACKBONES[name].head.rpartition(".")
    head = nn.Linear(head_of(net, name).in_features, class_count)
    setattr(net.get_submodule(parent_name), attribute, initialise_as_released(head))


def _check_outputs(name: str, state: dict[str, Tensor], weights: str, class_counts: Iterable[int]) -> int:
    """Outputs of the head in `state`; UserError where they are neither 1000 nor one of the class counts."""
    bias = state.get(f"{BACKBONES[name].head}.bias")
    outputs = len(bias) if bias is not None and bias.ndim == 1 else IMAGENET_CLASSES
    wanted = sorted(set(class_counts))
    if outputs != IMAGENET_CLASSES and any(outputs != count for count in wanted):
        raise UserError(
            f"the weights in {_source(name, weights)} have a head for {outputs} classes, but the labels have "
            f"{' and '.join(map(str, wanted))}; give weights with a head for as many classes, or for "
            f"ImageNet's {IMAGENET_CLASSES}, which is replaced."
        )
    return outputs


def enlarged(image: Tensor, enlarge_below_pixels: int) -> Tensor:
    """image [B, 3, S, S] -> the same, or enlarged to `enlarge_below_pixels` where S is smaller (bilinear)."""
    if image.shape[-1] >= enlarge_below_pixels:
        return image
    size = (enlarge_below_pixels, enlarge_below_pixels)
    return functional.interpolate(image, size=size, mode="bilinear", align_corners=False)


def _source(name: str, weights: str) -> Path:
    file = weights_file(weights)
    return imagenet_file(BACKBONES[name].weights) if file is None else file.path


def _weights_of(name: str, weights: str) -> dict[str, Tensor] | None:
    """The tensors that the net of that name starts from, under its own names; None for `none`."""
    if weights == "none":
        return None
    facts = BACKBONES[name]
    file = weights_file(weights)
    state = read_imagenet(facts.weights) if file is None else read_weights(file)
    if facts.left_out_weights:
        state = {key: value for key, value in state.items() if not key.startswith(facts.left_out_weights)}
    if facts.renamed_weights is not None:
        pattern, replacement = facts.renamed_weights
        state = {re.sub(pattern, replacement, key): value for key, value in state.items()}
    return state
