"""Recipes: features that depend on one face alone, and so are the same in every fold and trial.

Imports no torch.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

KINDS = "biuf"
"""NumPy's letters for the types of features: booleans, integers, floating point."""


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """How features of one face are computed: by a function of its pixels and of parameters, nothing else."""

    name: str
    """In messages."""
    function: Callable[..., np.ndarray]
    """Called as `function(face, **parameters)`, face uint8 [S, S, 3] RGB, read-only. It returns an array of
    numbers, whose shape and type are the same for all faces. A function of a module, because the content of
    its file is a part of what names the stored features."""
    parameters: Mapping[str, Any] = field(default_factory=dict)
    """JSON values."""
    version: int = 1
    """Raised when a file other than the function's own changes the features."""

    def __post_init__(self) -> None:
        """TypeError: not a function of a module, which others might call with other results."""
        name = getattr(self.function, "__qualname__", "")
        if not inspect.isfunction(self.function) or "<" in name:
            raise TypeError(
                f"a recipe's function must be defined in a module by `def`, so that its name and its "
                f"parameters say all that it depends on, but {self.name} has {name or self.function!r}"
            )

    def of(self, images: np.ndarray) -> np.ndarray:
        """The features [n, ...] of n >= 1 faces, uint8 [n, S, S, 3], each computed by itself.

        ValueError: shape or type differ between faces, or the same face has other features the second time.
        """
        computed = [self._of_one(face) for face in images]
        self.check_alike(computed)
        self.check_same(computed[0], self._of_one(images[0]))
        return np.stack(computed)

    def _of_one(self, face: np.ndarray) -> np.ndarray:
        own = np.array(face)
        own.setflags(write=False)
        made = self.function(own, **self.parameters)
        if not isinstance(made, np.ndarray) or made.dtype.kind not in KINDS:
            what = getattr(made, "dtype", type(made).__name__)
            raise TypeError(f"the recipe {self.name} must return an array of numbers, but returned {what}")
        return np.array(made, order="C")

    def check_alike(self, features: Sequence[np.ndarray]) -> None:
        """ValueError: they have several shapes or types."""
        found = sorted({f"{one.dtype} {list(one.shape)}" for one in features})
        if len(found) > 1:
            raise ValueError(
                f"the recipe {self.name} must return the same shape and type for every face, but returned "
                f"{' and '.join(found)}"
            )

    def check_same(self, first: np.ndarray, second: np.ndarray) -> None:
        """ValueError: the features of one face differ in a bit."""
        if not same_bits(first, second):
            raise ValueError(
                f"the recipe {self.name} must depend on the face and its parameters alone, but the same face "
                "has other features when they are computed again"
            )


def same_bits(first: np.ndarray, second: np.ndarray) -> bool:
    """Whether both arrays have the same shape, type and bits."""
    alike = first.shape == second.shape and first.dtype == second.dtype
    return alike and first.tobytes() == second.tobytes()


class Cached(Protocol):
    """Features of faces, by a recipe: computed, or read where they have been computed before."""

    def __call__(self, recipe: Recipe, images: np.ndarray) -> np.ndarray:
        """As `Recipe.of`, bit for bit."""
        ...


def computed(recipe: Recipe, images: np.ndarray) -> np.ndarray:
    """As `Recipe.of`: nothing is stored."""
    return recipe.of(images)
