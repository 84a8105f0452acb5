"""Errors of the predicted masks of single faces: what mask quality is computed from, as a fold run stores it.

Shapes: n test faces, K classes. A distance is the mean squared difference over pixels, in [0, 1].
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from platform.models.masks.quality import MaskQuality, quality_of_distances

MASK_QUALITY = "mask_quality"
"""The fact in a fold run's manifest, and the name of the file of its faces. A method that predicts masks
offers both (`platform.models.fitted.Measured`), whatever it is called."""
TO_MASK, STAGE1_TO_MASK, CONSTANT_TO_MASK = "distance_", "stage1_distance_", "constant_distance_"
"""Columns of the distances to the mask of the class whose name follows: of the final predicted mask, of the
one after stage 1, and of the mean training mask, which is the same for every face of a fold."""
DRIFT = "drift"
"""Column of the distance between a face's masks after stage 1 and after stage 2."""


@dataclass(frozen=True, kw_only=True, eq=False)
class MaskErrors:
    """Distances of the masks that one fold run predicts."""

    labels: np.ndarray
    """int64 [n]: the true classes."""
    distances: np.ndarray
    """float64 [n, K]: from each face's final mask to each class mask."""
    constant_distances: np.ndarray
    """float64 [K]: from the mean training mask to each class mask."""
    stage1_distances: np.ndarray | None
    """float64 [n, K]: of the masks after stage 1; None without a stage 1."""
    drift: np.ndarray | None
    """float64 [n]: between the masks after stage 1 and after stage 2; None without a stage 1."""

    def quality(self) -> MaskQuality:
        """Their quality. ValueError: shapes or ranges are inconsistent."""
        return quality_of_distances(
            self.distances,
            self.labels,
            self.constant_distances,
            stage1_distances=self.stage1_distances,
            drift=self.drift,
        )

    @property
    def excess(self) -> np.ndarray:
        """float64 [n]: each face's error minus that of the constant mask; below 0 the prediction is closer to
        the mask of the true class."""
        own: np.ndarray = self.distances[np.arange(len(self.labels)), self.labels]
        return own - self.constant_distances[self.labels]

    def values(self, class_names: Sequence[str]) -> dict[str, np.ndarray]:
        """Columns as `Measured` stores them; class_names: the K classes in the order of the distances."""
        constant, before = self.constant_distances, self.stage1_distances
        found = {TO_MASK + name: self.distances[:, k] for k, name in enumerate(class_names)}
        if before is not None and self.drift is not None:
            found |= {STAGE1_TO_MASK + name: before[:, k] for k, name in enumerate(class_names)}
            found[DRIFT] = self.drift
        for k, name in enumerate(class_names):
            found[CONSTANT_TO_MASK + name] = np.full(len(self.labels), constant[k])
        return found

    @classmethod
    def of_values(
        cls, values: Mapping[str, np.ndarray], labels: np.ndarray, class_names: Sequence[str]
    ) -> MaskErrors:
        """The inverse of `values`, for one face or more. ValueError: columns are missing, or the constant
        mask is not the same for all faces."""
        constant = _columns(values, CONSTANT_TO_MASK, class_names)
        if not len(constant) or (constant != constant[0]).any():
            raise ValueError("the constant mask must be the same for every face of a fold")
        has_stage1 = DRIFT in values
        return cls(
            labels=labels,
            distances=_columns(values, TO_MASK, class_names),
            constant_distances=constant[0],
            stage1_distances=_columns(values, STAGE1_TO_MASK, class_names) if has_stage1 else None,
            drift=values[DRIFT] if has_stage1 else None,
        )


def _columns(values: Mapping[str, np.ndarray], start: str, class_names: Sequence[str]) -> np.ndarray:
    """float64 [n, K]: the columns of these classes."""
    missing = [start + name for name in class_names if start + name not in values]
    if missing or not class_names:
        raise ValueError(f"distances of every class are needed, but there is no {', '.join(missing)}")
    return np.stack([values[start + name] for name in class_names], axis=1)
