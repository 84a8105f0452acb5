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


@dataclass(frozen=True, kw_only=True, eq=False)
class Measured:
    """A fact about the n scored faces, and the numbers of each face that it is computed from.

    A fold run stores the fact in its manifest and the numbers beside its predictions, in a file of the fact's
    name. From these the fact can be recomputed, and its interval over subjects computed.
    """

    fact: Any
    """A JSON value."""
    values: Mapping[str, np.ndarray]
    """Column to float64 [n], finite, in the order of the faces. Computed in batches and kept as numbers: of
    450,000 faces a column takes 3.6 MB."""

    def check(self, name: str, count: int, title: str) -> None:
        """ValueError that names the method, the fact and the rule: columns, shape, type or range."""
        where = f"the numbers of each face behind {name!r} of {title} must be"
        if not name.isidentifier() or name == "predictions":
            raise ValueError(f"{where} named by an identifier other than 'predictions'")
        if not self.values:
            raise ValueError(f"{where} one column or more, but there is none")
        for column, values in self.values.items():
            if not isinstance(values, np.ndarray) or values.shape != (count,) or values.dtype != np.float64:
                found = (getattr(values, "dtype", type(values).__name__), getattr(values, "shape", ""))
                raise ValueError(f"{where} float64 of shape ({count},), but {column!r} is {found}")
            if not np.isfinite(values).all():
                raise ValueError(f"{where} finite, but those of {column!r} are not")


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
        """Facts for the manifest about the scored faces by name: JSON values, or `Measured`."""
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
