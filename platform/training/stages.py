"""The two stages of FMPN's schedule, as functions of what they are allowed to see."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from datasets.augmentation import centre_draw
from datasets.batches import Batch, FaceTensors
from datasets.fold_view import FoldView
from datasets.masks import MaskSet
from platform.models.method import Method, Settings
from platform.models.networks.backbones import BACKBONES
from platform.models.networks.mask_generator import MaskGenerator
from platform.training.loop import Report, score_faces, train_stage
from platform.training.seeding import torch_seeded

SCORING_BATCH_SIZE = 64
PICTURED_FACES = 8


@dataclass(frozen=True, kw_only=True)
class Stage1Outcome:
    """The pretrained mask generator's weights and the curve of its training."""

    generator_state: dict[str, Tensor]
    curve: list[dict[str, float]]


@dataclass(frozen=True, kw_only=True)
class FoldOutcome:
    """What a fold run produces."""

    evaluation_rows: np.ndarray
    """int64 [N]: rows of the prepared store, in the order of the scores."""
    class_names: tuple[str, ...]
    """K class names, in the order of the scores' columns."""
    scores: np.ndarray
    """float32 [N, K]: class probabilities."""
    curve: list[dict[str, float]]
    """One dictionary an epoch of stage 2."""
    pictures: dict[str, np.ndarray]
    """Name to float32 [n, 1 or 3, S, S] in [0, 1] of the first evaluated faces."""
    state: dict[str, Tensor]
    """The trained module's weights."""


def pretrain_generator(
    settings: Settings, view: FoldView, masks: MaskSet, *, device: torch.device, report: Report
) -> Stage1Outcome:
    """Stage 1: the mask generator alone, by the mean squared error to its class's motion mask."""
    with torch_seeded(settings.seed, "stage1", "initialisation"):
        module = _placed(MaskGenerator(settings.generator_width, gain=settings.initialisation_gain), device)
    faces = _faces(view, view.training_rows, masks, device)

    def loss(module: nn.Module, batch: Batch) -> dict[str, Tensor]:
        assert batch.target_mask is not None
        return {"loss": functional.mse_loss(module(batch.gray), batch.target_mask)}

    curve = train_stage(
        module,
        [{"params": list(module.parameters()), "lr": settings.stage1_learning_rate}],
        loss,
        faces,
        stage="stage1",
        constant_epochs=settings.stage1_constant_epochs,
        decay_epochs=settings.stage1_decay_epochs,
        batch_size=settings.stage1_batch_size,
        minimum_batch=1,
        betas=(settings.adam_beta1, settings.adam_beta2),
        crop_size_pixels=settings.image_size_pixels,
        augmentation=settings.augmentation,
        seed=settings.seed,
        report=report,
    )
    return Stage1Outcome(generator_state=_on_cpu(module), curve=curve)


def train_and_evaluate(
    method: Method,
    settings: Settings,
    view: FoldView,
    masks: MaskSet | None,
    generator_state: Mapping[str, Tensor] | None,
    *,
    device: torch.device,
    report: Report,
) -> FoldOutcome:
    """Stage 2 on the view's training subjects, last epoch kept, then its evaluation subjects scored."""
    with torch_seeded(settings.seed, "stage2", "initialisation"):
        module = _placed(method.build(settings, len(view.class_names)), device)
    if generator_state is not None:
        method.load_generator(module, generator_state)
    faces = _faces(view, view.training_rows, masks if method.uses_masks else None, device)
    seen_pixels = max(settings.image_size_pixels, settings.enlarge_below_pixels)
    curve = train_stage(
        module,
        method.parameter_groups(module, settings),
        lambda module, batch: method.loss(module, batch, settings),
        faces,
        stage="stage2",
        constant_epochs=settings.stage2_constant_epochs,
        decay_epochs=settings.stage2_decay_epochs,
        batch_size=settings.stage2_batch_size,
        minimum_batch=2 if seen_pixels < BACKBONES[settings.backbone].single_image_size_pixels else 1,
        betas=(settings.adam_beta1, settings.adam_beta2),
        crop_size_pixels=settings.image_size_pixels,
        augmentation=settings.augmentation,
        seed=settings.seed,
        report=report,
    )
    del faces
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
    return FoldOutcome(
        evaluation_rows=rows,
        class_names=view.class_names,
        scores=scores.numpy(),
        curve=curve,
        pictures=_pictures(module, method, evaluated, settings.image_size_pixels),
        state=_on_cpu(module),
    )


def _faces(view: FoldView, rows: np.ndarray, masks: MaskSet | None, device: torch.device) -> FaceTensors:
    if masks is not None and masks.class_names != view.class_names:
        raise ValueError(f"masks of {masks.class_names} do not fit the classes {view.class_names}")
    return FaceTensors(view.read(rows), view.labels(rows), None if masks is None else masks.images, device)


@torch.inference_mode()
def _pictures(
    module: nn.Module, method: Method, faces: FaceTensors, crop_size_pixels: int
) -> dict[str, np.ndarray]:
    module.eval()
    count = min(PICTURED_FACES, len(faces))
    chosen = torch.linspace(0, len(faces) - 1, count).long()
    pictures = method.pictures(module, faces.batch(chosen, centre_draw(count), crop_size_pixels))
    return {name: value.float().cpu().numpy() for name, value in pictures.items()}


def _placed(module: nn.Module, device: torch.device) -> nn.Module:
    return module.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]


def _on_cpu(module: nn.Module) -> dict[str, Any]:
    return {name: value.detach().cpu().contiguous() for name, value in module.state_dict().items()}
