"""The paper's "CNN (no mask loss)": FMPN's network without stage 1 and without the mask loss.

docs/methods.md, §2.7 (inferred): stage 2 trains the mask generator at its usual learning rate, by the
classification loss alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from torch import Tensor, nn

from platform.models.fmpn import Fmpn
from platform.models.method import Settings
from platform.models.networks.classification_loss import classification_loss

if TYPE_CHECKING:
    from datasets.batches import Batch


class CnnNoMaskLoss(Fmpn):
    """FMPN's network, trained by cross entropy alone."""

    title = "CNN (no mask loss)"
    fields: tuple[str, ...] = tuple(
        name for name in Fmpn.fields if not name.startswith("lambda") and name != "freeze_generator"
    )
    uses_masks = False
    pretrains_generator = False
    starts_from_release = False

    def load_generator(self, module: nn.Module, state: Mapping[str, Tensor]) -> None:
        raise TypeError(f"{self.title} has no stage 1")

    def loss(self, module: nn.Module, batch: Batch, settings: Settings) -> dict[str, Tensor]:
        logits = module(batch.image, batch.gray)[2]
        loss = classification_loss(logits, batch, settings)
        return {"loss": loss, "correct": (logits.argmax(1) == batch.labels).sum()}


METHOD = CnnNoMaskLoss()
