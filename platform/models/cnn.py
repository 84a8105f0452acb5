"""The paper's "CNN (baseline)": the classifier alone on the RGB face (docs/methods.md, §2.7)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from platform.models.method import Settings
from platform.models.net_method import NetMethod
from platform.models.options.classification import ClassificationNet, CrossEntropy
from platform.models.options.optimisation import AdamMoments, LastStage
from platform.models.options.presets import QUICK, SMOKE, Preset

if TYPE_CHECKING:
    from torch import Tensor, nn

    from datasets.batches import Batch


@dataclass(frozen=True, kw_only=True)
class CnnOptions(CrossEntropy, ClassificationNet, LastStage, AdamMoments):
    """Options of the CNN: those of its net, its loss and its single stage."""


class Cnn(NetMethod):
    """A classifier of the unmasked face, trained by cross entropy with the settings of stage 2."""

    title = "CNN (baseline)"
    options = CnnOptions
    presets: Mapping[str, Preset] = {
        "paper": {},
        "released": {},
        "quick": {**QUICK, "space": "baseline_quick"},
        "smoke": {**SMOKE, "space": "baseline_quick"},
    }
    space = "baseline"

    def build(self, settings: Settings, class_count: int) -> nn.Module:
        from platform.models.networks.classifier import Classifier

        return Classifier(settings, class_count)

    def parameter_groups(self, module: nn.Module, settings: Settings) -> list[dict[str, Any]]:
        rate = settings.classifier_learning_rate
        return [{"params": list(module.parameters()), "lr": rate, "name": "classifier"}]

    def loss(self, module: nn.Module, batch: Batch, settings: Settings) -> dict[str, Tensor]:
        from platform.models.networks.classification_loss import classification_loss

        logits = module(batch.image)
        loss = classification_loss(logits, batch, settings)
        return {"loss": loss, "correct": (logits.argmax(1) == batch.labels).sum()}

    def scores(self, module: nn.Module, batch: Batch) -> Tensor:
        scores: Tensor = module(batch.image).float().softmax(1)
        return scores


METHOD = Cnn()
