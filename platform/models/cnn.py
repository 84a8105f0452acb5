"""The paper's "CNN (baseline)": the classifier alone on the RGB face (docs/methods.md, §2.7)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from platform.models.method import Method, Settings
from platform.models.networks.classification_loss import LOSS_FIELDS, classification_loss
from platform.models.networks.classifier import CLASSIFIER_FIELDS, Classifier

if TYPE_CHECKING:
    from datasets.batches import Batch


class Cnn(Method):
    """A classifier of the unmasked face, trained by cross entropy with the settings of stage 2."""

    title = "CNN (baseline)"
    fields = (*CLASSIFIER_FIELDS, *LOSS_FIELDS, "classifier_learning_rate")
    uses_masks = False
    pretrains_generator = False

    def build(self, settings: Settings, class_count: int) -> nn.Module:
        return Classifier(settings, class_count)

    def parameter_groups(self, module: nn.Module, settings: Settings) -> list[dict[str, Any]]:
        rate = settings.classifier_learning_rate
        return [{"params": list(module.parameters()), "lr": rate, "name": "classifier"}]

    def loss(self, module: nn.Module, batch: Batch, settings: Settings) -> dict[str, Tensor]:
        logits = module(batch.image)
        loss = classification_loss(logits, batch, settings)
        return {"loss": loss, "correct": (logits.argmax(1) == batch.labels).sum()}

    def scores(self, module: nn.Module, batch: Batch) -> Tensor:
        return torch.softmax(module(batch.image).float(), 1)


METHOD = Cnn()
