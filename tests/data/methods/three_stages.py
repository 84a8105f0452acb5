"""A method of a user's own with three stages, two of them shared, options of its own, no backbone, no mask.

A mean face of the training subjects is subtracted from every face; the first stage learns filters that tell
one class's mean brightness, the second one classifies with them, and the third one starts from both.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from platform.models.artifact import Artifact, Content, Tools
from platform.models.method import Settings
from platform.models.net_method import NetMethod
from platform.models.options.classification import CrossEntropy
from platform.models.options.configuration import Configuration
from platform.models.options.faces import Faces
from platform.models.options.optimisation import AdamMoments, LastStage
from platform.models.shared_stage import SharedStage

if TYPE_CHECKING:
    from torch import Tensor, nn

    from datasets.batches import Batch
    from datasets.folds.view import FoldView


@dataclass(frozen=True, kw_only=True)
class Filters(Configuration):
    """The net that all three stages train."""

    filter_count: int = 4
    """Number of filters."""


@dataclass(frozen=True, kw_only=True)
class First(Configuration):
    """The first stage alone."""

    first_epochs: int = 1
    """Epochs at a constant rate."""
    first_decay_epochs: int = 0
    """Epochs of decay."""
    first_batch_size: int = 8
    """Images a step."""
    first_rate: float = 1e-2
    """Learning rate."""


@dataclass(frozen=True, kw_only=True)
class Second(Configuration):
    """The second stage alone."""

    second_epochs: int = 1
    """Epochs at a constant rate."""
    second_decay_epochs: int = 1
    """Epochs of decay."""
    second_batch_size: int = 8
    """Images a step."""
    second_rate: float = 1e-2
    """Learning rate."""


@dataclass(frozen=True, kw_only=True)
class ThreeStagesOptions(First, Second, Filters, CrossEntropy, LastStage, Faces, AdamMoments):
    """Options of all stages."""

    third_rate: float = 1e-2
    """Learning rate of the third stage."""


@dataclass(frozen=True)
class MeanFace(Artifact):
    """The mean gray level of the training faces; trains nothing."""

    name = "mean_face"
    title = "mean face"

    def make(self, view: FoldView, settings: Any, inputs: Mapping[str, Content], tools: Tools) -> Content:
        import numpy as np

        buffer = io.BytesIO()
        np.save(buffer, view.read(view.training_rows).mean(axis=(0, 3)), allow_pickle=False)
        return Content(files={"mean.npy": buffer.getvalue()}, facts={})


def load_mean(module: nn.Module, content: Content) -> None:
    """Set the module's mean gray level."""
    import numpy as np
    import torch

    mean = np.load(io.BytesIO(content.files["mean.npy"]), allow_pickle=False).mean()
    module.get_buffer("mean").copy_(torch.tensor(mean / 255))


class Stage(SharedStage):
    """What both shared stages have in common."""

    def build(self, settings: Any, class_count: int) -> nn.Module:
        return net(settings.filter_count, class_count)

    def parameter_groups(self, module: nn.Module, settings: Any) -> list[dict[str, Any]]:
        rate = getattr(settings, f"{self.name}_rate")
        return [{"params": list(module.parameters()), "lr": rate, "name": "net"}]


@dataclass(frozen=True)
class FirstStage(Stage):
    """Brightness of a face from its filters."""

    name = "first"
    title = "first stage"
    groups = (Configuration, Faces, AdamMoments, Filters, First)
    rests_on = ("mean_face",)
    epoch_fields = ("first_epochs", "first_decay_epochs")
    batch_field = "first_batch_size"

    def load_artifacts(self, module: nn.Module, inputs: Mapping[str, Content]) -> None:
        load_mean(module, inputs["mean_face"])

    def loss(self, module: nn.Module, batch: Batch, settings: Any) -> dict[str, Tensor]:
        return {"loss": (module(batch.image).mean(1) - batch.gray.mean((1, 2, 3))).square().mean()}


@dataclass(frozen=True)
class SecondStage(Stage):
    """Classes from the filters of the first stage."""

    name = "second"
    title = "second stage"
    groups = (Configuration, Faces, AdamMoments, Filters, Second)
    rests_on = ("first",)
    by_class = True
    epoch_fields = ("second_epochs", "second_decay_epochs")
    batch_field = "second_batch_size"

    def load_artifacts(self, module: nn.Module, inputs: Mapping[str, Content]) -> None:
        module.load_state_dict(FIRST.state_of(inputs["first"]))

    def loss(self, module: nn.Module, batch: Batch, settings: Any) -> dict[str, Tensor]:
        from torch.nn import functional

        return {"loss": functional.cross_entropy(module(batch.image), batch.labels)}


FIRST, SECOND = FirstStage(), SecondStage()

SMALL = {
    "load_size_pixels": 34,
    "image_size_pixels": 32,
    "augmentation": "none",
    "stage2_constant_epochs": 1,
    "stage2_decay_epochs": 0,
    "stage2_batch_size": 8,
}


class ThreeStages(NetMethod):
    """A third stage that starts from the second one's net."""

    title = "Three stages"
    options = ThreeStagesOptions
    presets: ClassVar = {"quick": {**SMALL, "filter_count": 6}, "smoke": SMALL}
    space = "three_stages"
    only_artifacts = (First, Second)

    def artifacts(self, options: Any) -> Mapping[str, Artifact]:
        return {"second": SECOND, "first": FIRST, "mean_face": MeanFace()}

    def load_artifacts(self, module: nn.Module, inputs: Mapping[str, Content]) -> None:
        module.load_state_dict(SECOND.state_of(inputs["second"]))

    def build(self, settings: Settings, class_count: int) -> nn.Module:
        return net(settings.filter_count, class_count)

    def parameter_groups(self, module: nn.Module, settings: Settings) -> list[dict[str, Any]]:
        return [{"params": list(module.parameters()), "lr": settings.third_rate, "name": "net"}]

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


def net(filter_count: int, class_count: int) -> nn.Module:
    """image [B, 3, S, S] -> logits [B, K], of filters on the difference from a mean gray level."""
    import torch
    from torch import nn

    class Net(nn.Module):
        """One convolution, a mean over places, a linear layer."""

        def __init__(self) -> None:
            super().__init__()
            self.register_buffer("mean", torch.zeros(()))
            self.filters = nn.Conv2d(3, filter_count, 5, stride=4)
            self.head = nn.Linear(filter_count, class_count)

        def forward(self, image: Tensor) -> Tensor:
            logits: Tensor = self.head(self.filters(image - self.mean).relu().mean((2, 3)))
            return logits

    return Net()


def suggest(trial: Any) -> dict[str, Any]:
    """The rate of the third stage, and that of the first, of which trials with the same value share it."""
    return {
        "third_rate": trial.suggest_float("third_rate", 1e-3, 1e-1, log=True),
        "first_rate": trial.suggest_categorical("first_rate", (1e-2, 1e-3)),
    }


def first(base: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The preset's rates."""
    return [{name: base[name] for name in ("third_rate", "first_rate")}]
