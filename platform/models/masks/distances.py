"""Distances between the predicted masks of a fold run and the class masks, computed in batches on the device.

platform/models/masks/face_errors.py turns them into mask quality, and into what is stored of each face.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from datasets.augmentation.draw import apply_draw, centre_draw
from datasets.batches import FaceTensors, split_batches
from datasets.masks.motion_masks import MaskSet
from platform.models.masks.face_errors import MaskErrors
from platform.models.masks.quality import constant_distances


@dataclass(frozen=True, kw_only=True)
class MaskDistances:
    """Distances of masks for n evaluated faces, K classes and masks of S x S pixels in [0, 1].

    A distance is the mean squared error over pixels.
    """

    labels: np.ndarray
    """int64 [n]: the true classes."""
    class_masks: np.ndarray
    """float64 [K, S, S]: centre crops of the class masks."""
    distances: np.ndarray
    """float64 [n, K]: between the trained module's mask of each face and each class mask."""
    stage1_distances: np.ndarray | None
    """float64 [n, K]: the same for the generator after stage 1; None without a stage 1."""
    drift: np.ndarray | None
    """float64 [n]: between the masks after stage 1 and after stage 2; None without a stage 1."""

    def errors(self, training_counts: np.ndarray) -> MaskErrors:
        """With those of the mean training mask; training_counts: int64 [K], training images of each class."""
        return MaskErrors(
            labels=self.labels,
            distances=self.distances,
            constant_distances=constant_distances(self.class_masks, training_counts),
            stage1_distances=self.stage1_distances,
            drift=self.drift,
        )


@torch.inference_mode()
def measure_masks(
    trained: nn.Module,
    generator_state: Mapping[str, Tensor] | None,
    faces: FaceTensors,
    masks: MaskSet,
    *,
    crop_size_pixels: int,
    batch_size: int,
) -> MaskDistances:
    """Distances of the masks that the generator `trained` predicts for the centre crops of `faces`.

    generator_state: the generator's weights after stage 1. Sets `trained` to evaluation mode.
    """
    trained.eval()
    generators = [trained]
    if generator_state is not None:
        generators.append(copy.deepcopy(trained))
        generators[1].load_state_dict(dict(generator_state))
    targets = torch.tensor(masks.images, device=faces.device)[:, None]
    targets = apply_draw(targets, centre_draw(len(targets)), crop_size_pixels).double() / 255
    labels, drifts = [], []
    distances: list[list[Tensor]] = [[] for _ in generators]
    for rows in split_batches(torch.arange(len(faces)), batch_size):
        batch = faces.batch(rows, centre_draw(len(rows)), crop_size_pixels)
        gray = batch.gray.contiguous(memory_format=torch.channels_last)
        predicted = [generator(gray).double() for generator in generators]
        labels.append(batch.labels)
        drifts.append(_distance(predicted[0], predicted[-1]))
        for found, mask in zip(distances, predicted, strict=True):
            found.append(torch.stack([_distance(mask, target) for target in targets], dim=1))
    measured = [torch.cat(found).cpu().numpy() for found in distances]
    return MaskDistances(
        labels=torch.cat(labels).cpu().numpy(),
        class_masks=targets[:, 0].cpu().numpy(),
        distances=measured[0],
        stage1_distances=measured[1] if len(measured) > 1 else None,
        drift=torch.cat(drifts).cpu().numpy() if len(measured) > 1 else None,
    )


def _distance(first: Tensor, second: Tensor) -> Tensor:  # [B, 1, S, S], broadcast -> [B]
    return (first - second).square().mean(dim=(1, 2, 3))
