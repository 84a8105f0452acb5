"""Classification nets (CN): one table entry each, with every fact that is needed before the net is built.

Nothing heavy is imported here: `--help` and planning read the table. The nets themselves are torchvision's
and are built by platform/models/networks/backbone_nets.py.
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
    minimum_size_pixels: int
    """Smallest image side that the net's pooling accepts."""
    single_image_size_pixels: int
    """From this side on, batch norm in training sees more than one value of a single image."""
    reference_size_pixels: int = 224
    """Image side that `forward_gflop` and `kept_mib_an_image` refer to."""
    forward_gflop: float
    """GFLOP of one forward pass of one image, as torchvision's documentation states."""
    million_parameters: float
    """Parameters of the whole net with a head for seven classes, in millions (benchmarks/footprint.py)."""
    kept_mib_an_image: float
    """MiB of float32 activations that one training image keeps for the backward pass
    (benchmarks/footprint.py)."""
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
        minimum_size_pixels=75,
        single_image_size_pixels=107,
        reference_size_pixels=299,
        forward_gflop=5.71,
        million_parameters=21.8,
        kept_mib_an_image=93.6,
        dropout=0.5,
        has_transform_input=True,
        # FMPN's net has no auxiliary classifier; torchvision's file has one.
        options={"aux_logits": False, "init_weights": True},
        left_out_weights="AuxLogits.",
    ),
    "resnet18": Backbone(
        head="fc",
        weights="ResNet18_Weights",
        minimum_size_pixels=16,
        single_image_size_pixels=33,
        forward_gflop=1.81,
        million_parameters=11.2,
        kept_mib_an_image=21.2,
    ),
    "resnet50": Backbone(
        head="fc",
        weights="ResNet50_Weights",
        minimum_size_pixels=16,
        single_image_size_pixels=33,
        forward_gflop=4.09,
        million_parameters=23.5,
        kept_mib_an_image=81.9,
    ),
    "resnet152": Backbone(
        head="fc",
        weights="ResNet152_Weights",
        minimum_size_pixels=16,
        single_image_size_pixels=33,
        forward_gflop=11.51,
        million_parameters=58.2,
        kept_mib_an_image=169.2,
    ),
    "densenet121": Backbone(
        head="classifier",
        weights="DenseNet121_Weights",
        minimum_size_pixels=29,
        single_image_size_pixels=61,
        forward_gflop=2.83,
        million_parameters=7.0,
        kept_mib_an_image=124.3,
        # torchvision's file says `norm.1` where its net says `norm1`.
        renamed_weights=(r"^(features\.denseblock\d+\.denselayer\d+\.(?:norm|conv))\.([12]\.)", r"\1\2"),
    ),
    "vgg16": Backbone(
        head="classifier.6",
        weights="VGG16_Weights",
        minimum_size_pixels=32,
        single_image_size_pixels=32,
        forward_gflop=15.47,
        million_parameters=134.3,
        kept_mib_an_image=70.0,
        dropout=0.5,
    ),
    "vgg16_bn": Backbone(
        head="classifier.6",
        weights="VGG16_BN_Weights",
        minimum_size_pixels=32,
        single_image_size_pixels=32,
        forward_gflop=15.47,
        million_parameters=134.3,
        kept_mib_an_image=121.6,
        dropout=0.5,
    ),
    "vgg19": Backbone(
        head="classifier.6",
        weights="VGG19_Weights",
        minimum_size_pixels=32,
        single_image_size_pixels=32,
        forward_gflop=19.63,
        million_parameters=139.6,
        kept_mib_an_image=74.9,
        dropout=0.5,
    ),
}
"""Name of the net, torchvision's function and the value of `--backbone`, to its facts."""

OWN_DROPOUT = -1.0
"""Value of the setting `dropout` that keeps the net's own probability."""


def check_backbone(name: str, image_size_pixels: int, width: float, weights: str) -> None:
    """UserError: unknown net, image too small, invalid width, or ImageNet weights for a narrowed net."""
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
