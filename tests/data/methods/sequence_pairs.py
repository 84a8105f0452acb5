"""A method that scores sequences: a small net over the frames in order, trained on pairs of sequences of one
subject.

A subject's sequences share everything but the expression. The net is trained to classify both sequences of a
pair, and to keep them apart where their classes differ.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from platform.models.artifact import Content
from platform.models.items import Items, TupleItems, Tuples
from platform.models.method import Settings
from platform.models.net_method import NetMethod
from platform.models.options.classification import CrossEntropy
from platform.models.options.faces import Faces
from platform.models.options.fields import check_rule
from platform.models.options.optimisation import AdamMoments, LastStage
from platform.models.options.sequences import SequenceFrames
from platform.models.train_view import TrainView

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn

    from datasets.sequence_batches import SequenceBatch


@dataclass(frozen=True, kw_only=True)
class SequencePairsOptions(CrossEntropy, LastStage, SequenceFrames, Faces, AdamMoments):
    """Options of the net and of its pairs."""

    pair_rate: float = 1e-2
    """Learning rate."""
    apart: float = 0.1
    """Weight of the term that keeps sequences of different classes apart."""
    margin: float = 1.0
    """Distance from which a pair adds nothing to that term."""

    def check(self) -> None:
        """UserError: a value that breaks a rule of this group."""
        check_rule(self, "pair_rate", 0 < self.pair_rate < 10, "> 0 and < 10")
        check_rule(self, "apart", 0 <= self.apart < 100, ">= 0 and < 100")
        check_rule(self, "margin", 0 < self.margin < 100, "> 0 and < 100")


class SubjectPairs(TupleItems):
    """Every sequence once an epoch, with a random other one of its subject (itself, if there is no other)."""

    def __init__(self, single: Items, subjects: list[str]) -> None:
        super().__init__(single)
        self.others = [
            [place for place, other in enumerate(subjects) if other == subject and place != own] or [own]
            for own, subject in enumerate(subjects)
        ]

    def epoch(self, random: torch.Generator) -> Tensor:
        import torch

        first = self.single.epoch(random)
        choices = torch.rand(len(first), generator=random).tolist()
        second = [
            self.others[place][int(choice * len(self.others[place]))]
            for place, choice in zip(first.tolist(), choices, strict=True)
        ]
        return torch.stack([first, torch.tensor(second)], dim=1)


SMALL = {
    "load_size_pixels": 34,
    "image_size_pixels": 32,
    "augmentation": "none",
    "frames": 4,
    "stage2_constant_epochs": 1,
    "stage2_decay_epochs": 1,
    "stage2_batch_size": 8,
}


class SequencePairs(NetMethod):
    """Filters of single frames, and then filters over three frames in order."""

    title = "Sequence pairs"
    unit = "sequence"
    needs = frozenset({"sequences"})
    options = SequencePairsOptions
    presets: ClassVar = {"quick": {**SMALL, "frames": 8}, "smoke": SMALL}
    space = "sequence_pairs"

    def build(self, settings: Settings, class_count: int) -> nn.Module:
        from torch import nn

        frame = nn.Sequential(nn.Conv2d(3, 8, 5, stride=4), nn.ReLU(), nn.AdaptiveAvgPool2d(2), nn.Flatten())
        return nn.ModuleDict(
            {"frame": frame, "course": nn.Conv1d(32, 16, 3, padding=1), "head": nn.Linear(16, class_count)}
        )

    def features(self, module: nn.Module, batch: SequenceBatch) -> Tensor:
        """[b, 16]: the mean over a sequence's frames of what their order shows."""
        frames = module.get_submodule("frame")(batch.image.flatten(0, 1)).unflatten(0, batch.image.shape[:2])
        present = batch.present[:, :, None]
        course = module.get_submodule("course")((frames * present).transpose(1, 2)).relu().transpose(1, 2)
        mean: Tensor = (course * present).sum(1) / batch.lengths[:, None]
        return mean

    def parameter_groups(self, module: nn.Module, settings: Settings) -> list[dict[str, Any]]:
        return [{"params": list(module.parameters()), "lr": settings.pair_rate, "name": "net"}]

    def items(
        self, single: Items, train: TrainView, settings: Settings, inputs: Mapping[str, Content]
    ) -> Items:
        return SubjectPairs(single, train.sequences.subjects.tolist())

    def loss(self, module: nn.Module, batch: Tuples, settings: Settings) -> Mapping[str, Tensor]:
        from platform.models.networks.classification_loss import classification_loss

        features = self.features(module, batch.single)
        logits = module.get_submodule("head")(features)
        first, second = features.unflatten(0, (-1, batch.size)).unbind(1)
        labels = batch.single.labels.unflatten(0, (-1, batch.size))
        differ = labels[:, 0] != labels[:, 1]
        distance = (first - second).square().sum(1).add(1e-8).sqrt()
        near = ((settings.margin - distance).relu().square() * differ).mean()
        classification = classification_loss(logits, batch.single, settings)
        return {
            "loss": classification + settings.apart * near,
            "classification_loss": classification,
            "near_loss": near,
            "correct": (logits.argmax(1) == batch.single.labels).sum() / batch.size,
        }

    def scores(self, module: nn.Module, batch: SequenceBatch) -> Tensor:
        logits = module.get_submodule("head")(self.features(module, batch))
        scores: Tensor = logits.float().softmax(1)
        return scores


def suggest(trial: Any) -> dict[str, Any]:
    """The rate, and how far pairs are kept apart."""
    return {
        "pair_rate": trial.suggest_float("pair_rate", 1e-3, 1e-1, log=True),
        "apart": trial.suggest_float("apart", 0.0, 1.0),
    }


def first(base: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The preset's values."""
    return [{name: base[name] for name in ("pair_rate", "apart")}]
