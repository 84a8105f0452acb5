"""Options of the classification net and its loss."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar, Literal

from platform.errors import UserError
from platform.models.networks.backbones import check_backbone, check_dropout
from platform.models.networks.weights import is_pinned, is_released, pin_weights
from platform.models.options.configuration import Configuration
from platform.models.options.faces import Faces
from platform.models.options.fields import check_rule


@dataclass(frozen=True, kw_only=True)
class ClassificationNet(Faces):
    """The classification net (platform/models/networks/classifier.py) and its learning rate."""

    starts_from_release: ClassVar[bool] = False
    """Whether `weights` may name a released checkpoint of all of a method's nets."""

    backbone: str = "inception_v3"
    """Classification net: an entry of platform/models/networks/backbones.py."""
    backbone_width: float = 1.0
    """Fraction of the backbone's channels to keep: 1 is the published net, 0.25 a fast one."""
    weights: str = "imagenet"
    """Initial weights of the backbone: imagenet (torchvision), none (random), or a safetensors or torch file
    of the same net. Its head must have ImageNet's 1000 classes, and is then replaced, or those of the data.
    A file is stored as `/absolute/path@sha256:<digits>`, so its content is part of a run's identity.
    `released:FILE`, method fmpn only: all three nets from a checkpoint of FMPN's release, where FILE is
    `<epoch>_net_cls.pth`; stage 1 is skipped."""
    enlarge_below_pixels: int = 0
    """Smallest side of the backbone's input: smaller faces are enlarged to it (bilinear); 0: never. Not in
    the paper. Fast runs need it: the mask generator works on small faces, but Inception needs 75 px."""
    transform_input: bool = True
    """Inception only: rescale the input as torchvision does for ImageNet weights (as released)."""
    dropout: float = -1.0
    """Dropout before the last layer of inception_v3 or in the head of a VGG; -1: the net's default, 0.5."""
    freeze_backbone: bool = False
    """Stage 2: freeze the classification net, batch-norm statistics included, except its head."""
    classifier_learning_rate: float = 1e-4
    """Stage 2: learning rate of the classification net and the prior fusion net."""

    def check(self) -> None:
        """UserError: a value that breaks a rule of this group. A weights file gets its content's SHA-256."""
        check_rule(self, "enlarge_below_pixels", 0 <= self.enlarge_below_pixels <= 2048, "0 to 2048")
        check_rule(self, "classifier_learning_rate", 0 < self.classifier_learning_rate < 10, "> 0 and < 10")
        check_backbone(self.backbone, self.backbone_width, self.weights)
        check_dropout(self.backbone, self.dropout)
        if self.freeze_backbone and self.weights == "none":
            raise UserError(
                "freeze_backbone keeps the weights that the backbone starts from, but weights is none, which "
                "are random; pass --weights imagenet or a file, or --freeze-backbone no."
            )
        if is_released(self.weights):
            self._refuse_release()
            return
        pinned = pin_weights(self.weights)
        # A new path: the only time that the file is read here.
        if is_pinned(pinned) and pinned != self.weights:
            from platform.models.networks.backbone_nets import check_weights

            check_weights(self.backbone, width=self.backbone_width, weights=pinned)
        object.__setattr__(self, "weights", pinned)

    def _refuse_release(self) -> None:
        if not self.starts_from_release:
            raise UserError(
                "weights released:FILE starts the three nets of fmpn, but method is "
                f'{self.method}; pass --method fmpn and --baselines "", or --weights imagenet.'
            )

    def check_weights(self, class_counts: Iterable[int]) -> None:
        """UserError: initial weights that cannot be read, or fit neither the net nor these class counts.

        Reads the whole file, and may download ImageNet weights.
        """
        from platform.models.networks.backbone_nets import check_weights

        check_weights(
            self.backbone, width=self.backbone_width, weights=self.weights, class_counts=class_counts
        )


@dataclass(frozen=True, kw_only=True)
class CrossEntropy(Configuration):
    """The loss of classification (platform/models/networks/classification_loss.py)."""

    label_smoothing: float = 0.0
    """Stage 2: label smoothing, the fraction of the target spread evenly over all classes."""
    class_weights: Literal["none", "balanced"] = "none"
    """Stage 2: class weights in the cross entropy. `balanced`: proportional to 1 / (training images of the
    class in this fold), with mean 1; `none`: equal."""

    def check(self) -> None:
        """UserError: a value that breaks a rule of this group."""
        check_rule(self, "label_smoothing", 0 <= self.label_smoothing < 1, ">= 0 and < 1")
