"""Classification nets (CN): one table entry each, with the facts that are needed before the net is built.

Nothing heavy is imported here: `--help` and planning read the table. The nets themselves are torchvision's
and are built by platform/models/networks/backbone_nets.py; what they cost is counted from what it builds
(platform/models/costs/).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from platform.errors import UserError, unknown_name


@dataclass(frozen=True, kw_only=True)
class Backbone:
    """Facts of one torchvision net."""

    head: str
    """Dotted name of the last Linear."""
    weights: str
    """Name of torchvision's weights enum; its IMAGENET1K_V1 is used."""
    dropout: float | None = None
    """Dropout probability in the head; None: the net has no dropout there."""
    narrows: bool = True
    """Whether `backbone_width` may scale its channels: plain convolutions, batch norms and Linear layers
    alone (platform/models/networks/narrowing.py)."""
    has_transform_input: bool = False
    """Whether the net can rescale its input as torchvision does for ImageNet weights."""
    options: Mapping[str, Any] = field(default_factory=dict)
    """Arguments of torchvision's builder beside `weights`."""
    left_out_weights: str = ""
    """Prefix of keys in torchvision's file that FMPN's net does not have."""
    renamed_weights: tuple[str, str] | None = None
    """Pattern and replacement that turn the keys of torchvision's file into those of its net."""


BACKBONES = {
    "inception_v3": Backbone(
        head="fc",
        weights="Inception_V3_Weights",
        dropout=0.5,
        has_transform_input=True,
        # FMPN's net has no auxiliary classifier; torchvision's file has one.
        options={"aux_logits": False, "init_weights": True},
        left_out_weights="AuxLogits.",
    ),
    "resnet18": Backbone(
        head="fc",
        weights="ResNet18_Weights",
    ),
    "resnet50": Backbone(
        head="fc",
        weights="ResNet50_Weights",
    ),
    "resnet152": Backbone(
        head="fc",
        weights="ResNet152_Weights",
    ),
    "densenet121": Backbone(
        head="classifier",
        weights="DenseNet121_Weights",
        # torchvision's file says `norm.1` where its net says `norm1`.
        renamed_weights=(r"^(features\.denseblock\d+\.denselayer\d+\.(?:norm|conv))\.([12]\.)", r"\1\2"),
    ),
    "vgg16": Backbone(
        head="classifier.6",
        weights="VGG16_Weights",
        dropout=0.5,
    ),
    "vgg16_bn": Backbone(
        head="classifier.6",
        weights="VGG16_BN_Weights",
        dropout=0.5,
    ),
    "vgg19": Backbone(
        head="classifier.6",
        weights="VGG19_Weights",
        dropout=0.5,
    ),
}
"""Name of the net, torchvision's function and the value of `--backbone`, to its facts."""

OWN_DROPOUT = -1.0
"""Value of the setting `dropout` that keeps the net's own probability."""


def check_backbone(name: str, width: float, weights: str) -> None:
    """UserError: unknown net, invalid width, or ImageNet weights for a narrowed net."""
    if name not in BACKBONES:
        raise unknown_name("backbone", name, BACKBONES)
    if not 0 < width <= 1 or (16 * width) % 1:
        raise UserError(
            f"backbone_width must be a multiple of 1/16 up to 1, but got {width}; every channel count has to "
            f"stay whole: pass --backbone-width 1, 0.5, 0.25 or 0.125."
        )
    if width != 1 and not BACKBONES[name].narrows:
        raise UserError(
            f"{name} cannot be narrowed, but got backbone_width {width}; pass --backbone-width 1, or one of "
            f"these as --backbone: {', '.join(net for net in BACKBONES if BACKBONES[net].narrows)}."
        )
    if weights == "imagenet" and width != 1:
        raise UserError(
            f"ImageNet weights fit only backbone_width 1, but got {width}; pass --weights none or "
            f"--backbone-width 1."
        )


def check_dropout(name: str, dropout: float) -> None:
    """UserError: a probability outside [0, 1) but OWN_DROPOUT, or a net without dropout in its head."""
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
