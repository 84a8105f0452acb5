"""The paper's "CNN (no mask loss)": FMPN's network without stage 1 and without the mask loss.

docs/methods.md, §2.7 (inferred): stage 2 trains the mask generator at its usual learning rate, by the
classification loss alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from platform.models.fmpn import GENERATOR_QUICK, GENERATOR_SMOKE, Fmpn, JointTraining, MaskGeneratorNet
from platform.models.method import Settings
from platform.models.options.classification import ClassificationNet, CrossEntropy
from platform.models.options.optimisation import AdamMoments, LastStage
from platform.models.options.presets import QUICK, SMOKE, Preset

if TYPE_CHECKING:
    from torch import Tensor, nn

    from datasets.batches import Batch
    from platform.models.artifact import Artifact


@dataclass(frozen=True, kw_only=True)
class CnnNoMaskLossOptions(
    JointTraining, MaskGeneratorNet, CrossEntropy, ClassificationNet, LastStage, AdamMoments
):
    """FMPN's options without those of stage 1 and of the mask loss."""


class CnnNoMaskLoss(Fmpn):
    """FMPN's network, trained by cross entropy alone."""

    title = "CNN (no mask loss)"
    options = CnnNoMaskLossOptions  # type: ignore[assignment]
    presets: Mapping[str, Preset] = {
        "paper": {},
        "released": {},
        "quick": {**QUICK, **GENERATOR_QUICK, "space": "no_mask_loss_quick"},
        "smoke": {**SMOKE, **GENERATOR_SMOKE, "space": "no_mask_loss_quick"},
    }
    space = "no_mask_loss"
    only_artifacts = ()
    starts_from_release = False

    def artifacts(self, options: Any) -> Mapping[str, Artifact]:
        return {}

    def loss(self, module: nn.Module, batch: Batch, settings: Settings) -> dict[str, Tensor]:
        from platform.models.networks.classification_loss import classification_loss

        logits = module(batch.image, batch.gray)[2]
        loss = classification_loss(logits, batch, settings)
        return {"loss": loss, "correct": (logits.argmax(1) == batch.labels).sum()}


METHOD = CnnNoMaskLoss()
