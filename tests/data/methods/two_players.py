"""Two players that play against each other: a classifier, and a critic that guesses the class from its
features alone; the classifier is also trained to leave the critic in doubt about blurred faces."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from platform.models.method import Settings
from platform.models.net_method import NetMethod
from platform.models.options.classification import CrossEntropy
from platform.models.options.faces import Faces
from platform.models.options.fields import check_rule
from platform.models.options.optimisation import AdamMoments, LastStage
from platform.models.player import Player

if TYPE_CHECKING:
    from torch import Tensor, nn

    from datasets.batches import Batch


@dataclass(frozen=True, kw_only=True)
class TwoPlayersOptions(CrossEntropy, LastStage, Faces, AdamMoments):
    """Options of both players."""

    player_rate: float = 1e-2
    """Learning rate of the classifier."""
    critic_rate: float = 1e-2
    """Learning rate of the critic."""
    doubt: float = 0.1
    """Weight of the critic's doubt in the classifier's loss."""

    def check(self) -> None:
        """UserError: a value that breaks a rule of this group."""
        for name in ("player_rate", "critic_rate"):
            check_rule(self, name, 0 < getattr(self, name) < 10, "> 0 and < 10")
        check_rule(self, "doubt", 0 <= self.doubt < 100, ">= 0 and < 100")


SMALL = {
    "load_size_pixels": 34,
    "image_size_pixels": 32,
    "augmentation": "none",
    "stage2_constant_epochs": 1,
    "stage2_decay_epochs": 1,
    "stage2_batch_size": 16,
}


class TwoPlayers(NetMethod):
    """Classifier against critic."""

    title = "Two players"
    options = TwoPlayersOptions
    presets: ClassVar = {"quick": SMALL, "smoke": SMALL}
    space = "two_players"

    def build(self, settings: Settings, class_count: int) -> nn.Module:
        from torch import nn

        features = nn.Sequential(
            nn.Conv2d(3, 8, 5, stride=4), nn.ReLU(), nn.AdaptiveAvgPool2d(2), nn.Flatten()
        )
        return nn.ModuleDict(
            {"features": features, "head": nn.Linear(32, class_count), "critic": nn.Linear(32, class_count)}
        )

    def parameter_groups(self, module: nn.Module, settings: Settings) -> list[dict[str, Any]]:
        ours = [*module.get_submodule("features").parameters(), *module.get_submodule("head").parameters()]
        return [{"params": ours, "lr": settings.player_rate, "name": "classifier"}]

    def loss(self, module: nn.Module, batch: Batch, settings: Settings) -> Mapping[str, Tensor]:
        from platform.models.networks.classification_loss import classification_loss

        features = module.get_submodule("features")(batch.image)
        logits = module.get_submodule("head")(features)
        guesses = module.get_submodule("critic")(features).log_softmax(1)
        classification = classification_loss(logits, batch, settings)
        return {
            "loss": classification - settings.doubt * guesses.mean(),
            "classification_loss": classification,
            "correct": (logits.argmax(1) == batch.labels).sum(),
        }

    def critics_loss(self, module: nn.Module, batch: Batch, settings: Settings) -> Mapping[str, Tensor]:
        """The critic guesses the class from features that it cannot change."""
        from torch.nn import functional

        features = module.get_submodule("features")(batch.image).detach()
        return {"loss": functional.cross_entropy(module.get_submodule("critic")(features), batch.labels)}

    def players(self, module: nn.Module, settings: Settings) -> Sequence[Player]:
        critic = list(module.get_submodule("critic").parameters())
        return [
            Player(
                name="critic",
                groups=[{"params": critic, "lr": settings.critic_rate, "name": "critic"}],
                loss=lambda module, batch: self.critics_loss(module, batch, settings),
            ),
            Player(
                name="classifier",
                groups=self.parameter_groups(module, settings),
                loss=lambda module, batch: self.loss(module, batch, settings),
            ),
        ]

    def scores(self, module: nn.Module, batch: Batch) -> Tensor:
        features = module.get_submodule("features")(batch.image)
        scores: Tensor = module.get_submodule("head")(features).float().softmax(1)
        return scores


def suggest(trial: Any) -> dict[str, Any]:
    """The rates of both players."""
    return {
        "player_rate": trial.suggest_float("player_rate", 1e-3, 1e-1, log=True),
        "critic_rate": trial.suggest_float("critic_rate", 1e-3, 1e-1, log=True),
    }


def first(base: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The preset's rates."""
    return [{name: base[name] for name in ("player_rate", "critic_rate")}]
