"""FERAtt's baseline: PreActResNet-18 alone on the gray face (docs/methods/preactresnet18.md)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from platform.models.method import Settings
from platform.models.net_method import NetMethod
from platform.models.options.classification import CrossEntropy
from platform.models.options.configuration import Configuration
from platform.models.options.faces import Faces
from platform.models.options.fields import check_rule
from platform.models.options.optimisation import AdamMoments, LastStage
from platform.models.options.presets import QUICK, SMOKE, Preset

if TYPE_CHECKING:
    from torch import Tensor, nn

    from datasets.batches import Batch


@dataclass(frozen=True, kw_only=True)
class PreActNet(Configuration):
    """The pre-activation net (platform/models/networks/preactresnet.py) and its learning rate."""

    backbone_width: float = 1.0
    """Fraction of the net's channels to keep: 1 is the published net, 0.25 a fast one."""
    classifier_learning_rate: float = 1e-4
    """Learning rate of the net."""

    def check(self) -> None:
        """UserError: a value that breaks a rule of this group."""
        width = self.backbone_width
        check_rule(
            self, "backbone_width", 0 < width <= 1 and not (16 * width) % 1, "a multiple of 1/16 up to 1"
        )
        check_rule(self, "classifier_learning_rate", 0 < self.classifier_learning_rate < 10, "> 0 and < 10")


@dataclass(frozen=True, kw_only=True)
class PreActResNet18Options(CrossEntropy, PreActNet, Faces, LastStage, AdamMoments):
    """Options of PreActResNet-18: those of its net, its loss and its single stage."""


PUBLISHED: Preset = {
    "load_size_pixels": 137,
    "image_size_pixels": 128,
    "adam_beta1": 0.9,
    "amsgrad": True,
    "schedule": "step",
    "stage2_constant_epochs": 60,
    "stage2_decay_epochs": 0,
    "stage2_batch_size": 200,
    "drop_last": True,
}
"""Verified or read in the paper: 128 px, amsgrad, × 0.1 every 30 epochs, 60 epochs of batch 200, without the
last partial batch. Inferred: torch's usual moments of Adam, and faces of 137 px, from which crops of 128 px
are taken as FMPN takes 299 px from 320 (docs/methods/preactresnet18.md)."""

OTHER_NETS = ("backbone", "weights", "enlarge_below_pixels")
"""Options of the quick presets that this net does not have: it needs no smallest image."""


def _without_other_nets(preset: Preset) -> Preset:
    return {name: value for name, value in preset.items() if name not in OTHER_NETS}


class PreActResNet18Baseline(NetMethod):
    """A pre-activation ResNet-18 of the standardised gray face, trained by cross entropy."""

    title = "PreActResNet18"
    options = PreActResNet18Options
    presets: Mapping[str, Preset] = {
        "paper": PUBLISHED,
        "released": {**PUBLISHED, "stage2_constant_epochs": 65, "stage2_batch_size": 250},
        "quick": {**_without_other_nets(QUICK), "space": "preactresnet18_quick"},
        "smoke": {**_without_other_nets(SMOKE), "space": "preactresnet18_quick"},
    }
    space = "preactresnet18"

    def net(self, configuration: Configuration) -> str:
        """As every method's."""
        return "preactresnet18"

    def build(self, settings: Settings, class_count: int) -> nn.Module:
        from torch import nn

        from platform.models.networks.preactresnet import PreActResNet18
        from platform.models.networks.standardisation import Standardisation

        return nn.Sequential(Standardisation(), PreActResNet18(class_count, settings.backbone_width))

    def parameter_groups(self, module: nn.Module, settings: Settings) -> list[dict[str, Any]]:
        rate = settings.classifier_learning_rate
        return [{"params": list(module.parameters()), "lr": rate, "name": "classifier"}]

    def loss(self, module: nn.Module, batch: Batch, settings: Settings) -> dict[str, Tensor]:
        from platform.models.networks.classification_loss import classification_loss

        logits = module(batch.gray)
        loss = classification_loss(logits, batch, settings)
        return {"loss": loss, "correct": (logits.argmax(1) == batch.labels).sum()}

    def scores(self, module: nn.Module, batch: Batch) -> Tensor:
        scores: Tensor = module(batch.gray).float().softmax(1)
        return scores


METHOD = PreActResNet18Baseline()
