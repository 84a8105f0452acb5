"""A method of a user's own: one small convolution, options of its own, no backbone and no mask."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from platform.models.method import Settings
from platform.models.net_method import NetMethod
from platform.models.options.classification import CrossEntropy
from platform.models.options.faces import Faces
from platform.models.options.fields import added_later, check_rule
from platform.models.options.optimisation import AdamMoments, LastStage

if TYPE_CHECKING:
    from torch import Tensor, nn

    from datasets.batches import Batch


@dataclass(frozen=True, kw_only=True)
class TinyNetOptions(CrossEntropy, LastStage, Faces, AdamMoments):
    """Options of the tiny net."""

    filters: int = 8
    """Number of filters."""
    tiny_learning_rate: float = 1e-2
    """Learning rate."""
    stride: int = added_later(4)
    """Stride of the convolution."""

    def check(self) -> None:
        """UserError: a value that breaks a rule of this group."""
        check_rule(self, "filters", 1 <= self.filters <= 64, "1 to 64")


SMALL = {
    "load_size_pixels": 34,
    "image_size_pixels": 32,
    "augmentation": "none",
    "stage2_constant_epochs": 1,
    "stage2_decay_epochs": 1,
    "stage2_batch_size": 8,
}


class TinyNet(NetMethod):
    """One convolution, a mean over places and a linear layer."""

    title = "Tiny net"
    options = TinyNetOptions
    presets: ClassVar = {"quick": {**SMALL, "filters": 16}, "smoke": SMALL}
    space = "tiny_net"

    def build(self, settings: Settings, class_count: int) -> nn.Module:
        from torch import nn

        return nn.Sequential(
            nn.Conv2d(3, settings.filters, 5, stride=settings.stride),
            nn.ReLU(),
            nn.AdaptiveAvgPool2d(2),
            nn.Flatten(),
            nn.Linear(4 * settings.filters, class_count),
        )

    def parameter_groups(self, module: nn.Module, settings: Settings) -> list[dict[str, Any]]:
        return [{"params": list(module.parameters()), "lr": settings.tiny_learning_rate, "name": "net"}]

    def loss(self, module: nn.Module, batch: Batch, settings: Settings) -> dict[str, Tensor]:
        from platform.models.networks.classification_loss import classification_loss

        logits = module(batch.image)
        return {
            "loss": classification_loss(logits, batch, settings),
            "correct": (logits.argmax(1) == batch.labels).sum(),
        }

    def scores(self, module: nn.Module, batch: Batch) -> Tensor:
        scores: Tensor = module(batch.image).float().softmax(1)
        return scores


def suggest(trial: Any) -> dict[str, Any]:
    """The learning rate on a log scale."""
    return {"tiny_learning_rate": trial.suggest_float("tiny_learning_rate", 1e-3, 1e-1, log=True)}


def first(base: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The preset's rate."""
    return [{"tiny_learning_rate": base["tiny_learning_rate"]}]
