"""Classification nets (CN): torchvision's, with the head replaced, at any width.

torchvision is imported when a net is built: the table of names must be cheap for `--help`.
"""

from __future__ import annotations

import contextlib
import pickle
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from platform.errors import UserError, unknown_name

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


BACKBONES = {
    "inception_v3": Backbone(
        head="fc", weights="Inception_V3_Weights", minimum_size_pixels=75, single_image_size_pixels=107
    ),
    "resnet18": Backbone(
        head="fc", weights="ResNet18_Weights", minimum_size_pixels=16, single_image_size_pixels=33
    ),
    "resnet50": Backbone(
        head="fc", weights="ResNet50_Weights", minimum_size_pixels=16, single_image_size_pixels=33
    ),
    "vgg16": Backbone(
        head="classifier.6", weights="VGG16_Weights", minimum_size_pixels=32, single_image_size_pixels=32
    ),
    "vgg16_bn": Backbone(
        head="classifier.6", weights="VGG16_BN_Weights", minimum_size_pixels=32, single_image_size_pixels=32
    ),
}


def check_backbone(name: str, image_size_pixels: int, width: float, weights: str) -> None:
    """UserError for an unknown net, too small an image, or ImageNet weights for a narrowed net."""
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


def build_backbone(
    name: str, class_count: int, *, width: float, weights: str, transform_input: bool
) -> nn.Module:
    """The net: image [B, 3, S, S] in [0, 1] -> logits [B, class_count]; head Xavier normal 0.02, bias 0.

    Raises UserError when ImageNet weights are asked for and can be neither found nor fetched.
    """
    import torch
    import torchvision.models
    from torch import nn

    from platform.models.networks.initialisation import initialise_as_released

    facts = BACKBONES[name]
    options = {"aux_logits": False, "init_weights": True} if name == "inception_v3" else {}
    # A net to be narrowed is only a plan: every layer is replaced, so none of it is worth filling in.
    with torch.device("meta") if width != 1 else contextlib.nullcontext():
        net = getattr(torchvision.models, name)(weights=None, **options)
    if weights == "imagenet":
        _load_imagenet(net, name)
    if width != 1:
        _narrow(net, width)
    if name == "inception_v3":
        net.transform_input = transform_input
    parent_name, _, attribute = facts.head.rpartition(".")
    parent = net.get_submodule(parent_name)
    head = nn.Linear(getattr(parent, attribute).in_features, class_count)
    setattr(parent, attribute, initialise_as_released(head))
    return net


def enlarged(image: Tensor, enlarge_below_pixels: int) -> Tensor:
    """image [B, 3, S, S] -> the same, or enlarged to `enlarge_below_pixels` where S is smaller (bilinear)."""
    from torch.nn import functional

    if image.shape[-1] >= enlarge_below_pixels:
        return image
    size = (enlarge_below_pixels, enlarge_below_pixels)
    return functional.interpolate(image, size=size, mode="bilinear", align_corners=False)


def imagenet_file(name: str) -> Path:
    """Where torchvision looks for the ImageNet weights of that net."""
    import torch
    import torchvision.models

    enum = getattr(torchvision.models, BACKBONES[name].weights).IMAGENET1K_V1
    return Path(torch.hub.get_dir()) / "checkpoints" / enum.url.rsplit("/", 1)[-1]


def _load_imagenet(net: nn.Module, name: str) -> None:
    """Strict, but for Inception's auxiliary classifier, which FMPN does not have."""
    import torchvision.models

    enum = getattr(torchvision.models, BACKBONES[name].weights).IMAGENET1K_V1
    try:
        # `weights_only`: a file that someone placed there must not be able to run code.
        state = enum.get_state_dict(progress=False, check_hash=True, weights_only=True)
    except (OSError, RuntimeError, EOFError, pickle.UnpicklingError) as error:
        raise UserError(
            f"the ImageNet weights of {name} could neither be read from {imagenet_file(name)} nor fetched "
            f"({type(error).__name__}); place the file {imagenet_file(name).name} there, "
            "or pass --weights none."
        ) from error
    if name == "inception_v3":
        state = {key: value for key, value in state.items() if not key.startswith("AuxLogits.")}
    net.load_state_dict(state)


def _narrow(net: nn.Module, width: float) -> None:
    """Replace every layer by one with `width` of its channels; ours, for quick runs, not published.

    All channel counts of the supported nets are multiples of 16, so concatenations and additions
    still fit. Convolutions restart from He initialisation (fan out), Linear layers from fan in.
    """
    from torch import nn

    def scaled(count: int) -> int:
        return count if count == 3 else round(count * width)

    for parent in list(net.modules()):
        for name, layer in list(parent.named_children()):
            if isinstance(layer, nn.Conv2d):
                new: nn.Module = nn.Conv2d(
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
