"""Trained methods: what `Method.fit` returns. Imports no torch."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from platform.models.recipe import Cached, Recipe, computed


@dataclass(frozen=True, kw_only=True)
class Faces:
    """n prepared faces to be scored: no label, no subject, no name."""

    images: np.ndarray
    """uint8 [n, S, S, 3] RGB, S = `load_size_pixels`."""
    rectangles: tuple[np.ndarray, np.ndarray] | None = None
    """Faces scaled as in FMPN's release (`FoldView.rectangles`); None if the set has squares only."""

    cached: Cached = field(default=computed, repr=False, compare=False)
    """Where features come from."""

    def __len__(self) -> int:
        return len(self.images)

    def features(self, recipe: Recipe) -> np.ndarray:
        """The faces' features [n, ...]: bit for bit those of `recipe.of(images)`."""
        return self.cached(recipe, self.images)


class Sequences(Protocol):
    """n prepared sequences to be scored: no label, no subject, no name. They are read one at a time, so that
    memory stays bounded."""

    def __len__(self) -> int: ...

    @property
    def lengths(self) -> np.ndarray:
        """int64 [n]: the number of frames of each."""
        ...

    def read(self, place: int) -> np.ndarray:
        """All frames of the sequence at a place, 0 to n - 1, in order: uint8 [l, S, S, 3] RGB, a copy."""
        ...


@dataclass(frozen=True, kw_only=True)
class Evaluated:
    """n faces or sequences that have been scored, and what is known of them and of the training."""

    faces: Any
    """`Faces`, or `Sequences` of a method whose unit they are."""
    labels: np.ndarray
    """int64 [n]: indices into `class_names`."""
    class_names: tuple[str, ...]
    """K names."""
    training_counts: np.ndarray
    """int64 [K]: training images, or sequences, of each class."""


class Fitted(ABC):
    """A trained method. It is stored as arrays and JSON, never as a pickle."""

    @abstractmethod
    def scores(self, faces: Any) -> np.ndarray:
        """Class probabilities, float32 [n, K]; each row sums to 1 and depends on its face alone.

        faces: `Faces`, or `Sequences` of a method whose unit they are.
        """

    @abstractmethod
    def save(self) -> Mapping[str, bytes]:
        """File names to contents, from which `Method.load` makes the same trained method again."""

    def pictures(self, evaluated: Evaluated) -> dict[str, np.ndarray]:
        """Images of a few faces for visual inspection: name -> float32 [m, 1 or 3, S, S] in [0, 1]."""
        return {}

    def diagnostics(self, evaluated: Evaluated) -> dict[str, Any]:
        """Facts for the manifest about the scored faces, as JSON values."""
        return {}


def check_scores(scores: np.ndarray, count: int, class_count: int, title: str) -> np.ndarray:
    """The scores. ValueError that names the method and the rule: shape, type, range or sum."""
    where = f"the scores of {title} must be"
    if not isinstance(scores, np.ndarray) or scores.shape != (count, class_count):
        shape = getattr(scores, "shape", type(scores).__name__)
        raise ValueError(f"{where} an array of shape ({count}, {class_count}), but got {shape}")
    if scores.dtype != np.float32:
        raise ValueError(f"{where} float32, but got {scores.dtype}")
    if not (np.isfinite(scores).all() and (scores >= 0).all()):
        raise ValueError(f"{where} finite and not negative")
    if count and not np.allclose(scores.sum(1), 1, atol=1e-3):
        raise ValueError(f"{where} probabilities, but a row sums to {float(scores.sum(1).max()):.3f}")
    return scores
