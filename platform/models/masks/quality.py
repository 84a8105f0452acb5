"""Quality of predicted motion masks against trivial baselines, and the change that stage 2 makes.

A fold has only six or seven masks, one a class, so a small mean squared error alone is not informative: the
mean of the masks, equal for every face, has a small error too. The quality therefore compares with that
constant mask, and counts how often a predicted mask is nearest to the mask of the face's true class.

Shapes: n test faces, K classes, masks of S x S pixels in [0, 1]. Distance: mean squared difference over
pixels. Means over faces are exact sums, so the order of the faces cannot change a bit.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

TIE_TOLERANCE = 1e-9
"""Distances this close to the smallest count as ties, so that rounding cannot decide between equal masks."""


@dataclass(frozen=True, kw_only=True)
class MaskQuality:
    """Quality of the masks that a fold run predicts for its test faces. Errors in [0, 1], lower is better."""

    face_count: int
    """n: test faces."""
    class_count: int
    """K: classes that have a mask."""
    error: float
    """Mean squared error of the final predicted masks against the mask of each face's true class."""
    constant_error: float
    """The same error of the mean training mask: the class masks, averaged over training images."""
    nearest_share: float
    """Share of faces whose final mask is nearest to the mask of their true class, in [0, 1]; a tie of t
    masks counts 1/t."""
    constant_nearest_share: float
    """The same share of the mean training mask, whose nearest class is the same for every face."""
    chance_level: float
    """1/K: the share for a mask drawn uniformly among the K."""
    stage1_error: float | None = None
    """`error` of the masks by the generator after stage 1; None without a stage 1."""
    stage1_nearest_share: float | None = None
    """`nearest_share` of the masks by the generator after stage 1; None without a stage 1."""
    drift: float | None = None
    """Mean squared difference between a face's masks after stage 1 and after stage 2; None without one."""

    @property
    def error_change(self) -> float | None:
        """Change of the error by stage 2: positive is worse. None without a stage 1."""
        return None if self.stage1_error is None else self.error - self.stage1_error

    @property
    def nearest_share_change(self) -> float | None:
        """Change of the nearest share by stage 2: negative is worse. None without a stage 1."""
        return None if self.stage1_nearest_share is None else self.nearest_share - self.stage1_nearest_share

    def to_dict(self) -> dict[str, float | None]:
        """Fields and the two changes by name, as a fold run's manifest stores them under `mask_quality`."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return values | {
            "error_change": self.error_change,
            "nearest_share_change": self.nearest_share_change,
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> MaskQuality:
        """The inverse of `to_dict`; the changes are recomputed. KeyError when a field is missing."""
        return cls(**{field.name: values[field.name] for field in fields(cls)})


def quality_of_distances(
    distances: np.ndarray,
    labels: np.ndarray,
    of_constant: np.ndarray,
    *,
    stage1_distances: np.ndarray | None = None,
    drift: np.ndarray | None = None,
) -> MaskQuality:
    """Quality of the masks of n faces, from distances, so that the masks need not be in memory at once.

    distances, stage1_distances: float [n, K] of `mask_distances`, stage1_distances of the generator before
    stage 2. labels: int [n] in [0, K), the true classes. of_constant: float [K] of `constant_distances`.
    drift: float [n], mean squared difference of each face's two masks, given with stage1_distances.
    ValueError when shapes or ranges are inconsistent.
    """
    if of_constant.ndim != 1 or not np.isfinite(of_constant).all():
        raise ValueError(f"distances of the constant mask must be finite [K], but are {of_constant!r}")
    _check(distances, labels, len(of_constant))
    if (stage1_distances is None) != (drift is None):
        raise ValueError("distances after stage 1 and drift belong together, but one of them is missing")
    if stage1_distances is not None and drift is not None:
        _check(stage1_distances, labels, len(of_constant))
        if drift.shape != labels.shape or not np.isfinite(drift).all():
            raise ValueError(f"drift must be {len(labels)} finite numbers, but is {list(drift.shape)}")
    repeated = np.repeat(of_constant[None], len(labels), axis=0)
    return MaskQuality(
        face_count=len(labels),
        class_count=len(of_constant),
        error=_own_error(distances, labels),
        constant_error=_own_error(repeated, labels),
        nearest_share=_nearest_share(distances, labels),
        constant_nearest_share=_nearest_share(repeated, labels),
        chance_level=1 / len(of_constant),
        stage1_error=None if stage1_distances is None else _own_error(stage1_distances, labels),
        stage1_nearest_share=None if stage1_distances is None else _nearest_share(stage1_distances, labels),
        drift=None if drift is None else _mean(drift),
    )


def constant_distances(class_masks: np.ndarray, training_counts: np.ndarray) -> np.ndarray:
    """float64 [K]: distances of the mean of the training faces' class masks to each class mask.

    class_masks: [K, S, S] in [0, 1], made from training subjects and cropped like the predicted ones.
    training_counts: int [K], training images of each class. ValueError: no counts, or masks out of range.
    """
    if training_counts.shape != (len(class_masks),) or training_counts.min() < 0 or not training_counts.any():
        raise ValueError(
            f"training counts must be {len(class_masks)} numbers >= 0, not all 0, but are {training_counts!r}"
        )
    weights = training_counts / training_counts.sum()
    constant = np.tensordot(weights, class_masks.astype(np.float64), axes=1)
    found: np.ndarray = mask_distances(constant[None], class_masks)[0]
    return found


def mask_distances(predicted: np.ndarray, class_masks: np.ndarray) -> np.ndarray:
    """float64 [n, K]: mean squared difference over pixels of each predicted mask to each class's mask.

    predicted: [n, S, S]; class_masks: [K, S, S]; both in [0, 1], else ValueError.
    """
    for name, masks in (("predicted masks", predicted), ("class masks", class_masks)):
        if masks.ndim != 3 or masks.shape[1:] != class_masks.shape[1:] or not masks.size:
            raise ValueError(
                f"{name} must be [count, S, S] with the S of the class masks, {list(class_masks.shape)}, "
                f"but are {list(masks.shape)}"
            )
        if not (masks.min() >= 0 and masks.max() <= 1):  # NaN fails too
            raise ValueError(f"{name} must be in [0, 1], but reach from {masks.min()} to {masks.max()}")
    masks = class_masks.astype(np.float64)
    # One face at a time, so that a pair's distance cannot depend on the rest of the batch.
    return np.array([[_mean_square(face - mask) for mask in masks] for face in predicted])


def average_over_folds(qualities: Sequence[MaskQuality]) -> MaskQuality:
    """Unweighted mean of the folds' numbers; face counts are summed. ValueError without a fold.

    A number that is None in one fold is None in the mean, so that stages are never mixed.
    """
    if not qualities:
        raise ValueError("the mean of folds needs at least one fold")
    means: dict[str, Any] = {}
    for field in fields(MaskQuality):
        values = [getattr(quality, field.name) for quality in qualities]
        means[field.name] = None if None in values else _mean(values)
    means["face_count"] = sum(quality.face_count for quality in qualities)
    means["class_count"] = max(quality.class_count for quality in qualities)
    return MaskQuality(**means)


def _own_error(distances: np.ndarray, labels: np.ndarray) -> float:
    return _mean(distances[np.arange(len(labels)), labels])


def _nearest_share(distances: np.ndarray, labels: np.ndarray) -> float:
    nearest = distances <= distances.min(axis=1, keepdims=True) + TIE_TOLERANCE
    return _mean(nearest[np.arange(len(labels)), labels] / nearest.sum(axis=1))


def _mean_square(difference: np.ndarray) -> float:
    return float(np.square(difference).mean())


def _mean(values: Sequence[float] | np.ndarray) -> float:
    return math.fsum(values) / len(values)


def _check(distances: np.ndarray, labels: np.ndarray, classes: int) -> None:
    count = len(labels)
    if not count or labels.dtype.kind not in "iu" or not (labels.min() >= 0 and labels.max() < classes):
        raise ValueError(f"labels must be one or more integers from 0 to {classes - 1}, but are {labels!r}")
    if distances.shape != (count, classes) or not np.isfinite(distances).all():
        raise ValueError(
            f"distances must be finite [{count}, {classes}] for {count} faces and {classes} masks, "
            f"but are {list(distances.shape)}"
        )
