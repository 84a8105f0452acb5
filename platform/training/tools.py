"""The tools of an artifact that trains: the training loop on the run's faces, device and checkpoints."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from datasets.batches import FaceTensors
from datasets.folds.view import FoldView
from platform.models.artifact import ClassImages, Trained
from platform.models.method import Settings
from platform.training.batch_norm import synchronised
from platform.training.checkpoint import Checkpoints, Curve
from platform.training.face_items import FaceItems
from platform.training.loop import Report, train_stage
from platform.training.player import Loss, Player
from platform.training.seeding import torch_seeded
from platform.training.stage_settings import Training
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

    def train(
        self,
        stage: str,
        build: Callable[[], nn.Module],
        groups: Callable[[nn.Module], list[dict[str, Any]]],
        loss: Loss,
        *,
        constant_epochs: int,
        decay_epochs: int,
        batch_size: int,
        class_images: ClassImages | None = None,
    ) -> Trained:
        """As `Tools.train`."""
        module = self.built(stage, build)
        training = shared_training(
            self.settings, stage, constant_epochs=constant_epochs, decay_epochs=decay_epochs,
            batch_size=batch_size, minimum_batch=self.minimum_batch,
        )  # fmt: skip
        faces = faces_of(self.view, self.view.training_rows, class_images, self.device)
        curve = self.train_module(
            module, groups(module), loss, faces, training, augmentation=self.settings.augmentation
        )
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
        groups: list[dict[str, Any]],
        loss: Loss,
        faces: FaceTensors,
        training: Training,
        *,
        augmentation: str,
    ) -> Curve:
        """Train in place on the view's training faces and return the curve. Errors name the images."""
        items = FaceItems(
            faces,
            augmentation=augmentation,
            crop_size_pixels=self.settings.image_size_pixels,
            names=self.view.image_names(self.view.training_rows),
        )
        return train_stage(
            module,
            [Player(groups=groups, loss=loss)],
            items,
            training,
            report=self.report,
            checkpoints=self.checkpoints,
            workers=self.workers,
        )


def shared_training(
    settings: Settings,
    stage: str,
    *,
    constant_epochs: int,
    decay_epochs: int,
    batch_size: int,
    minimum_batch: int = 1,
) -> Training:
    """The training settings that all stages share, and a stage's own epochs and batches."""
    return Training(
        stage=stage,
        constant_epochs=constant_epochs,
        decay_epochs=decay_epochs,
        batch_size=batch_size,
        minimum_batch=minimum_batch,
        betas=(settings.adam_beta1, settings.adam_beta2),
        seed=settings.seed,
        precision=settings.precision,
        compiled=settings.compiled,
    )


def faces_of(
    view: FoldView,
    rows: np.ndarray,
    class_images: ClassImages | None,
    device: torch.device,
    weights: np.ndarray | None = None,
) -> FaceTensors:
    """The view's faces of these rows on the device. ValueError: class images of other classes."""
    if class_images is not None and class_images.class_names != view.class_names:
        raise ValueError(f"class images of {class_images.class_names} do not match {view.class_names}")
    images = None if class_images is None else class_images.images
    return FaceTensors(
        view.read(rows), view.labels(rows), images, device, weights, rectangles=view.rectangles(rows)
    )


def on_cpu(module: nn.Module) -> dict[str, Tensor]:
    """Copies of the module's weights."""
    return {name: value.detach().cpu().contiguous() for name, value in module.state_dict().items()}
