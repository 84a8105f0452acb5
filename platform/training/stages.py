"""FMPN's two training stages as functions of a fold view, which limits the data that they can read."""

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
from datasets.masks.motion_masks import MaskSet
from platform.errors import UserError
from platform.models.method import Method, Settings
from platform.models.networks.generator_pretraining import build_generator, pretraining_loss
from platform.models.networks.weights import is_released
from platform.training.batch_norm import synchronised
from platform.training.checkpoint import Checkpoints, Curve
from platform.training.class_weights import balanced_image_weights
from platform.training.face_items import FaceItems
from platform.training.loop import Report, train_stage
from platform.training.mask_distances import MaskDistances, measure_masks
from platform.training.player import Loss, Player
from platform.training.scoring import score_faces
from platform.training.seeding import torch_seeded
from platform.training.stage_settings import Training
from platform.training.workers import ALONE, Workers

SCORING_BATCH_SIZE = 64
PICTURED_FACES = 8


@dataclass(frozen=True, kw_only=True)
class Stage1Outcome:
    """The pretrained mask generator's weights and its training curve."""

    generator_state: dict[str, Tensor]
    curve: Curve


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
    mask_distances: MaskDistances | None
    """Distances of the evaluated faces' predicted masks from the class masks; None without a generator."""


def pretrain_generator(
    settings: Settings,
    view: FoldView,
    masks: MaskSet,
    *,
    device: torch.device,
    report: Report,
    checkpoints: Checkpoints | None = None,
    workers: Workers = ALONE,
) -> Stage1Outcome:
    """Stage 1: train the mask generator alone, with the mean squared error to each face's class mask."""
    with torch_seeded(settings.seed, "stage1", "initialisation"):
        generator = build_generator(settings)
    module = _placed(generator, device, settings, workers)
    faces = _faces(view, view.training_rows, masks, device)
    groups = [
        {"params": list(module.parameters()), "lr": settings.stage1_learning_rate, "name": "mask_generator"}
    ]
    training = _training(
        settings,
        "stage1",
        (settings.stage1_constant_epochs, settings.stage1_decay_epochs),
        settings.stage1_batch_size,
    )
    curve = train_stage(
        module,
        [Player(groups=groups, loss=pretraining_loss)],
        _items(settings, settings.augmentation, faces, view),
        training,
        report=report,
        checkpoints=checkpoints,
        workers=workers,
    )
    return Stage1Outcome(generator_state=_on_cpu(module), curve=curve)


def train_and_evaluate(
    method: Method,
    settings: Settings,
    view: FoldView,
    masks: MaskSet | None,
    generator_state: Mapping[str, Tensor] | None,
    *,
    minimum_batch: int,
    device: torch.device,
    report: Report,
    checkpoints: Checkpoints | None = None,
    workers: Workers = ALONE,
) -> FoldOutcome:
    """Stage 2: train on the view's training subjects, keep the last epoch, score the evaluation subjects.

    minimum_batch: the smallest batch that the method's net can be trained on (`TrainingTask.costs`).
    """
    with torch_seeded(settings.seed, "stage2", "initialisation"):
        built = method.build(settings, len(view.class_names))
    module = _placed(built, device, settings, workers)
    if generator_state is not None:
        method.load_generator(module, generator_state)
    elif _is_frozen(method.mask_generator(module)) and not is_released(settings.weights):
        raise UserError(
            "freeze_generator keeps the mask generator of stage 1, but this run has none (with transferred "
            "masks there is no stage 1); pass --freeze-generator no."
        )
    faces = _training_faces(settings, view, masks if method.uses_masks else None, device)
    loss: Loss = lambda module, batch: method.loss(module, batch, settings)  # noqa: E731
    own = settings.stage2_augmentation
    items = _items(settings, settings.augmentation if own == "same" else own, faces, view)
    curve = train_stage(
        module,
        [Player(groups=method.parameter_groups(module, settings), loss=loss)],
        items,
        _stage2_training(settings, minimum_batch),
        report=report,
        checkpoints=checkpoints,
        workers=workers,
    )
    del faces, items
    view.finish_training()
    rows = view.evaluation_rows
    evaluated = _faces(view, rows, masks if method.uses_masks else None, device)
    scores = score_faces(
        module,
        method.scores,
        evaluated,
        crop_size_pixels=settings.image_size_pixels,
        batch_size=SCORING_BATCH_SIZE,
    )
    distances = measure_masks(
        method,
        module,
        generator_state,
        evaluated,
        masks if method.uses_masks else None,
        crop_size_pixels=settings.image_size_pixels,
        batch_size=SCORING_BATCH_SIZE,
    )
    return FoldOutcome(
        evaluation_rows=rows,
        class_names=view.class_names,
        scores=scores.numpy(),
        curve=curve,
        pictures=_pictures(module, method, evaluated, settings),
        state=_on_cpu(module),
        mask_distances=distances,
    )


def _faces(
    view: FoldView,
    rows: np.ndarray,
    masks: MaskSet | None,
    device: torch.device,
    weights: np.ndarray | None = None,
) -> FaceTensors:
    if masks is not None and masks.class_names != view.class_names:
        raise ValueError(f"classes {masks.class_names} of the masks do not match {view.class_names}")
    images = None if masks is None else masks.images
    return FaceTensors(
        view.read(rows), view.labels(rows), images, device, weights, rectangles=view.rectangles(rows)
    )


def _training_faces(
    settings: Settings, view: FoldView, masks: MaskSet | None, device: torch.device
) -> FaceTensors:
    """The training faces of stage 2, with class weights if configured."""
    weights = None
    if settings.class_weights == "balanced":
        weights = balanced_image_weights(view.labels(view.training_rows))
    return _faces(view, view.training_rows, masks, device, weights)


@torch.inference_mode()
def _pictures(
    module: nn.Module, method: Method, faces: FaceTensors, settings: Settings
) -> dict[str, np.ndarray]:
    module.eval()
    count = min(PICTURED_FACES, len(faces))
    chosen = torch.linspace(0, len(faces) - 1, count).long()
    pictures = method.pictures(module, faces.batch(chosen, centre_draw(count), settings.image_size_pixels))
    return {name: value.float().cpu().numpy() for name, value in pictures.items()}


def _is_frozen(part: nn.Module | None) -> bool:
    return part is not None and not any(parameter.requires_grad for parameter in part.parameters())


def _stage2_training(settings: Settings, minimum_batch: int) -> Training:
    """The training settings of stage 2: those shared by both stages, and its own options."""
    shared = _training(
        settings,
        "stage2",
        (settings.stage2_constant_epochs, settings.stage2_decay_epochs),
        settings.stage2_batch_size,
        minimum_batch,
    )
    return dataclasses.replace(
        shared,
        optimizer=settings.optimizer,
        weight_decay=settings.weight_decay,
        momentum=settings.momentum,
        schedule=settings.schedule,
        ema_decay=settings.ema_decay,
    )


def _training(
    settings: Settings, stage: str, epochs: tuple[int, int], batch_size: int, minimum_batch: int = 1
) -> Training:
    """Training settings shared by both stages; `epochs`: constant and decaying epochs of the stage."""
    return Training(
        stage=stage,
        constant_epochs=epochs[0],
        decay_epochs=epochs[1],
        batch_size=batch_size,
        minimum_batch=minimum_batch,
        betas=(settings.adam_beta1, settings.adam_beta2),
        seed=settings.seed,
        precision=settings.precision,
        compiled=settings.compiled,
    )


def _items(settings: Settings, augmentation: str, faces: FaceTensors, view: FoldView) -> FaceItems:
    """The view's training faces, augmented, for the training loop."""
    return FaceItems(
        faces,
        augmentation=augmentation,
        crop_size_pixels=settings.image_size_pixels,
        names=view.image_names(view.training_rows),
    )


def _placed(module: nn.Module, device: torch.device, settings: Settings, workers: Workers) -> nn.Module:
    placed: nn.Module = module.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    if workers.count > 1 and settings.synchronised_batch_norm:
        return synchronised(placed, device)
    return placed


def _on_cpu(module: nn.Module) -> dict[str, Any]:
    return {name: value.detach().cpu().contiguous() for name, value in module.state_dict().items()}
