"""Classification nets (CN): torchvision's, with the head replaced, at any width.

torchvision is imported when a net is built: the table of names must be cheap for `--help`.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from platform.errors import UserError, unknown_name
from platform.models.networks.imagenet import imagenet_file, read_imagenet
from platform.models.networks.weights import load_strictly, read_weights, require_match, weights_file

if TYPE_CHECKING:
    from torch import Tensor, nn


@dataclass(frozen=True, kw_only=True)
class Backbone:
    """Facts of one torchvision net that we need before building it."""

    head: str
    """Dotted name of the last Linear."""
    weights: str
    """Name of torchvision's weights enum; its IMAGENET1K_V1 is used."""
    minimum_size_pixels: int
    """Smallest image side that the net's pooling accepts."""
    single_image_size_pixels: int
    """From this side on, batch norm in training sees more than one value of a single image."""
    dropout: float | None = None
    """Share that is dropped in the head; None: the net has no dropout there."""


BACKBONES = {
    "inception_v3": Backbone(
        head="fc",
        weights="Inception_V3_Weights",
        minimum_size_pixels=75,
        single_image_size_pixels=107,
        dropout=0.5,
    ),
    "resnet18": Backbone(
        head="fc", weights="ResNet18_Weights", minimum_size_pixels=16, single_image_size_pixels=33
    ),
    "resnet50": Backbone(
        head="fc", weights="ResNet50_Weights", minimum_size_pixels=16, single_image_size_pixels=33
    ),
    "resnet152": Backbone(
        head="fc", weights="ResNet152_Weights", minimum_size_pixels=16, single_image_size_pixels=33
    ),
    "densenet121": Backbone(
        head="classifier", weights="DenseNet121_Weights", minimum_size_pixels=29, single_image_size_pixels=61
    ),
    "vgg16": Backbone(
        head="classifier.6",
        weights="VGG16_Weights",
        minimum_size_pixels=32,
        single_image_size_pixels=32,
        dropout=0.5,
    ),
    "vgg16_bn": Backbone(
        head="classifier.6",
        weights="VGG16_BN_Weights",
        minimum_size_pixels=32,
        single_image_size_pixels=32,
        dropout=0.5,
    ),
    "vgg19": Backbone(
        head="classifier.6",
        weights="VGG19_Weights",
        minimum_size_pixels=32,
        single_image_size_pixels=32,
        dropout=0.5,
    ),
}

IMAGENET_CLASSES = 1000
OWN_DROPOUT = -1.0
"""As a share of dropout: the net's own."""


def check_backbone(name: str, image_size_pixels: int, width: float, weights: str) -> None:
    """UserError for an unknown net, too small an image, a width, or ImageNet weights for a narrowed net."""
    if name not in BACKBONES:
        raise unknown_name("backbone", name, BACKBONES)
    minimum = BACKBONES[name].minimum_size_pixels
    if image_size_pixels < minimum:
        raise UserError(
            f"{name} needs images of at least {minimum} px, but gets {image_size_pixels}; raise "
            f"--image-size-pixels (or --enlarge-below-pixels), or choose another --backbone."
        )
    if not 0 < width <= 1 or (16 * width) % 1:
        raise UserError(
            f"backbone_width must be a multiple of 1/16 up to 1, but got {width}; every channel count has to "
            f"stay whole: pass --backbone-width 1, 0.5, 0.25 or 0.125."
        )
    if weights == "imagenet" and width != 1:
        raise UserError(
            f"ImageNet weights fit only backbone_width 1, but got {width}; pass --weights none or "
            f"--backbone-width 1."
        )


def check_dropout(name: str, dropout: float) -> None:
    """UserError for a share outside [0, 1) but OWN_DROPOUT, and for a net without dropout in its head."""
    if dropout == OWN_DROPOUT:
        return
    if not 0 <= dropout < 1:
        raise UserError(
            f"dropout must be >= 0 and < 1, or -1 for the net's own, but got {dropout:g}; change --dropout."
        )
    if BACKBONES[name].dropout is None:
        having = ", ".join(sorted(net for net in BACKBONES if BACKBONES[net].dropout is not None))
        raise UserError(
            f"{name} has no dropout in its head, but got dropout {dropout:g}; pass --dropout -1, or one of "
            f"these as --backbone: {having}."
        )


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
    `dropout`: share that is dropped in the head, or OWN_DROPOUT. A head for ImageNet's 1000 classes is
    replaced after loading (METHODS 2.4); one of `class_count` outputs is kept. UserError when the weights
    can be neither found nor fetched, or do not fit.
    """
    net = _bare(name, width)
    if name == "inception_v3":
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
    """Whether the weights can be had and fit: to be asked once, before any fold run is started.

    Reads the whole file and fetches ImageNet weights that are not there. UserError names what is
    wrong: no such file, other bytes than the SHA-256 says, keys or shapes of another net, a head
    for another number of classes than those of the data sets in `class_counts`.
    """
    import torch

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
    import torch
    import torchvision.models

    options = {"aux_logits": False, "init_weights": True} if name == "inception_v3" else {}
    # A net to be narrowed is only a plan: every layer is replaced, so none of it is worth filling in.
    with torch.device("meta") if width != 1 else contextlib.nullcontext():
        net: nn.Module = getattr(torchvision.models, name)(weights=None, **options)
    if width != 1:
        _narrow(net, width)
    return net


def _set_dropout(net: nn.Module, name: str, dropout: float) -> None:
    from torch import nn

    check_dropout(name, dropout)
    for layer in net.modules():
        if isinstance(layer, nn.Dropout):
            layer.p = dropout


def head_of(net: nn.Module, name: str) -> nn.Linear:
    """The last Linear of the net of that name."""
    from torch import nn

    head = net.get_submodule(BACKBONES[name].head)
    assert isinstance(head, nn.Linear)
    return head


def replace_head(net: nn.Module, name: str, class_count: int) -> None:
    """Give the net of that name a new last Linear: Xavier normal 0.02, bias 0, as released."""
    from torch import nn

    from platform.models.networks.initialisation import initialise_as_released

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
    from torch.nn import functional

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
    file = weights_file(weights)
    state = read_imagenet(BACKBONES[name].weights) if file is None else read_weights(file)
    if name == "inception_v3":  # FMPN's has no auxiliary classifier, torchvision's file has one
        state = {key: value for key, value in state.items() if not key.startswith("AuxLogits.")}
    if name == "densenet121":  # torchvision's file has `norm.1` for what its net calls `norm1`
        state = {_DENSENET_KEY.sub(r"\1\2", key): value for key, value in state.items()}
    return state


_DENSENET_KEY = re.compile(r"^(features\.denseblock\d+\.denselayer\d+\.(?:norm|conv))\.([12]\.)")


def _narrow(net: nn.Module, width: float) -> None:
    """Replace every layer by one with `width` of its channels; ours, for quick runs, not published.

    All channel counts of the supported nets are multiples of 16 (DenseNet's growth is 32), so
    concatenations and additions still fit. Convolutions restart from He initialisation (fan out),
    Linear layers from fan in.
    """
    from torch import nn

    from platform.models.networks.strided_pointwise import convolution

    def scaled(count: int) -> int:
        return count if count == 3 else round(count * width)

    for parent in list(net.modules()):
        for name, layer in list(parent.named_children()):
            if isinstance(layer, nn.Conv2d):
                new: nn.Module = convolution(
                    scaled(layer.in_channels),
                    scaled(layer.out_channels),
                    layer.kernel_size,  # type: ignore[arg-type]
                    layer.stride,  # type: ignore[arg-type]
                    layer.padding,  # type: ignore[arg-type]
                    bias=layer.bias is not None,
                )
                nn.init.kaiming_normal_(new.weight, mode="fan_out", nonlinearity="relu")  # type: ignore[arg-type]
            elif isinstance(layer, nn.BatchNorm2d):
                new = nn.BatchNorm2d(scaled(layer.num_features), eps=layer.eps)
            elif isinstance(layer, nn.Linear):
                new = nn.Linear(scaled(layer.in_features), scaled(layer.out_features))
            else:
                continue
            setattr(parent, name, new)
