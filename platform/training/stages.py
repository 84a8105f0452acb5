"""A fold run's last stage as a function of a fold view, which limits the data that it can read."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from datasets.augmentation.draw import centre_draw
from datasets.batches import FaceTensors
from datasets.folds.view import FoldView
from platform.models.artifact import ClassImages, Content
from platform.models.method import Method, Settings
from platform.training.checkpoint import Checkpoints
from platform.training.class_weights import balanced_image_weights
from platform.training.loop import Report
from platform.training.player import Loss
from platform.training.scoring import score_faces
from platform.training.stage_settings import Training
from platform.training.tools import RunTools, faces_of, on_cpu, shared_training
from platform.training.workers import ALONE, Workers

SCORING_BATCH_SIZE = 64
PICTURED_FACES = 8


@dataclass(frozen=True, kw_only=True)
class FoldOutcome:
    """The outcome of a fold run."""

    evaluation_rows: np.ndarray
    """int64 [N]: row indices in the prepared store, in the order of the scores."""
    class_names: tuple[str, ...]
    """K class names, in the order of the scores' columns."""
    scores: np.ndarray
    """float32 [N, K]: class probabilities."""
    curve: list[dict[str, float]]
    """One dictionary per epoch of stage 2."""
    pictures: dict[str, np.ndarray]
    """Name to float32 [n, 1 or 3, S, S] in [0, 1], for a few evaluated faces."""
    state: dict[str, Tensor]
    """The trained module's weights."""
    diagnostics: dict[str, Any]
    """Facts about the trained module on the evaluated faces (`Method.diagnostics`)."""


def train_and_evaluate(
    method: Method,
    settings: Settings,
    view: FoldView,
    inputs: Mapping[str, Content],
    *,
    minimum_batch: int,
    device: torch.device,
    report: Report,
    checkpoints: Checkpoints | None = None,
    workers: Workers = ALONE,
) -> FoldOutcome:
    """Stage 2: train on the view's training subjects, keep the last epoch, score the evaluation subjects.

    inputs: the run's artifacts by name. minimum_batch: the smallest batch that the method's net can be
    trained on (`Task.costs`).
    """
    tools = RunTools(
        view=view, settings=settings, device=device, report=report, checkpoints=checkpoints, workers=workers
    )
    method.check_artifacts(settings, inputs.keys(), "this fold run")
    module = tools.built("stage2", lambda: method.build(settings, len(view.class_names)))
    method.load_artifacts(module, inputs)
    class_images = method.class_images(inputs, view.class_names)
    faces = _training_faces(settings, view, class_images, device)
    loss: Loss = lambda module, batch: method.loss(module, batch, settings)  # noqa: E731
    own = settings.stage2_augmentation
    curve = tools.train_module(
        module,
        method.parameter_groups(module, settings),
        loss,
        faces,
        _training(settings, minimum_batch),
        augmentation=settings.augmentation if own == "same" else own,
    )
    training_counts = np.bincount(view.labels(view.training_rows), minlength=len(view.class_names))
    del faces
    view.finish_training()
    rows = view.evaluation_rows
    evaluated = faces_of(view, rows, class_images, device)
    sizes = {"crop_size_pixels": settings.image_size_pixels, "batch_size": SCORING_BATCH_SIZE}
    scores = score_faces(module, method.scores, evaluated, **sizes)
    return FoldOutcome(
        evaluation_rows=rows,
        class_names=view.class_names,
        scores=scores.numpy(),
        curve=curve,
        diagnostics=method.diagnostics(module, inputs, evaluated, view.class_names, training_counts, **sizes),
        pictures=_pictures(module, method, evaluated, settings),
        state=on_cpu(module),
    )


def _training_faces(
    settings: Settings, view: FoldView, class_images: ClassImages | None, device: torch.device
) -> FaceTensors:
    """The training faces of stage 2, with class weights if configured."""
    weights = None
    if settings.class_weights == "balanced":
        weights = balanced_image_weights(view.labels(view.training_rows))
    return faces_of(view, view.training_rows, class_images, device, weights)


@torch.inference_mode()
def _pictures(
    module: nn.Module, method: Method, faces: FaceTensors, settings: Settings
) -> dict[str, np.ndarray]:
    module.eval()
    count = min(PICTURED_FACES, len(faces))
    chosen = torch.linspace(0, len(faces) - 1, count).long()
    pictures = method.pictures(module, faces.batch(chosen, centre_draw(count), settings.image_size_pixels))
    return {name: value.float().cpu().numpy() for name, value in pictures.items()}


def _training(settings: Settings, minimum_batch: int) -> Training:
    """The training settings of stage 2: those that all stages share, and its own options."""
    shared = shared_training(
        settings,
        "stage2",
        constant_epochs=settings.stage2_constant_epochs,
        decay_epochs=settings.stage2_decay_epochs,
        batch_size=settings.stage2_batch_size,
        minimum_batch=minimum_batch,
    )
    return dataclasses.replace(
        shared,
        optimizer=settings.optimizer,
        weight_decay=settings.weight_decay,
        momentum=settings.momentum,
        schedule=settings.schedule,
        ema_decay=settings.ema_decay,
    )
