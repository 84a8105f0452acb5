"""The tools of what trains nets: the training loop on the run's faces, device and checkpoints."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import torch
from torch import nn

from datasets.folds.view import FoldView
from platform.models.artifact import ClassImages, Content, Trained
from platform.models.fitted import Fitted
from platform.models.items import Items
from platform.models.method import Settings
from platform.models.net_fitted import on_cpu
from platform.models.net_method import NetMethod
from platform.models.player import Player
from platform.models.recipe import Cached, computed
from platform.models.train_view import TrainView
from platform.training.batch_norm import synchronised
from platform.training.checkpoint import Checkpoints, Curve
from platform.training.last_stage import last_stage_augmentation, last_stage_training
from platform.training.loop import Report, train_stage
from platform.training.seeding import torch_seeded
from platform.training.stage_settings import Training, shared_training
from platform.training.units import UNITS
from platform.training.workers import ALONE, Workers


@dataclass(frozen=True, kw_only=True)
class RunTools:
    """The training loop for one run: its faces, its device and its checkpoints."""

    view: FoldView
    settings: Settings
    """Only declared fields can be read: those that all stages share are among them."""
    device: torch.device
    report: Report
    minimum_batch: int = 1
    """The smallest batch that a shared stage's net can be trained on (`Task.costs`)."""
    checkpoints: Checkpoints | None = None
    workers: Workers = ALONE
    cached: Cached = computed
    """As `FitTools.cached`."""
    curves: dict[str, Curve] = field(default_factory=dict)
    """Of the stages that have been trained, by name."""

    def fit_net(self, method: NetMethod, settings: Settings, inputs: Mapping[str, Content]) -> Fitted:
        """As `FitTools.fit_net`."""
        class_names = self.view.class_names
        module = self.built(method.last_stage, lambda: method.build(settings, len(class_names)))
        method.load_artifacts(module, inputs)
        class_images = method.class_images(inputs, class_names)
        single = UNITS[method.unit].single_items(
            self.view,
            settings,
            augmentation=last_stage_augmentation(settings),
            class_images=class_images,
            device=self.device,
            balanced=settings.class_weights == "balanced",
        )
        self.train_module(
            module,
            method.players(module, settings),
            method.items(single, TrainView(self.view), settings, inputs),
            last_stage_training(settings, method.last_stage, self.minimum_batch),
        )
        return method.fitted(module, settings, inputs, class_images)

    def train(
        self,
        stage: str,
        build: Callable[[], nn.Module],
        players: Callable[[nn.Module], Sequence[Player]],
        items: Callable[[Items, TrainView], Items] = lambda single, train: single,
        *,
        constant_epochs: int,
        decay_epochs: int,
        batch_size: int,
        class_images: ClassImages | None = None,
        unit: Literal["image", "sequence"] = "image",
    ) -> Trained:
        """As `Tools.train`."""
        module = self.built(stage, build)
        training = shared_training(
            self.settings, stage, constant_epochs=constant_epochs, decay_epochs=decay_epochs,
            batch_size=batch_size, minimum_batch=self.minimum_batch,
        )  # fmt: skip
        single = UNITS[unit].single_items(
            self.view,
            self.settings,
            augmentation=self.settings.augmentation,
            class_images=class_images,
            device=self.device,
        )
        made = items(single, TrainView(self.view))
        curve = self.train_module(module, players(module), made, training)
        return Trained(state=on_cpu(module), curve=curve)

    def built(self, stage: str, build: Callable[[], nn.Module]) -> nn.Module:
        """A new module on the device; its random numbers depend on the seed and the stage's name."""
        with torch_seeded(self.settings.seed, stage, "initialisation"):
            made = build()
        placed: nn.Module = made.to(self.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        if self.workers.count > 1 and self.settings.synchronised_batch_norm:
            return synchronised(placed, self.device)
        return placed

    def train_module(
        self,
        module: nn.Module,
        players: Sequence[Player],
        items: Items,
        training: Training,
    ) -> Curve:
        """Train in place and return the curve."""
        curve = train_stage(
            module,
            players,
            items,
            training,
            report=self.report,
            checkpoints=self.checkpoints,
            workers=self.workers,
        )
        self.curves[training.stage] = curve
        return curve
