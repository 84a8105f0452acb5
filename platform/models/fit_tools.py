"""What a method's `fit` may use beside its data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol

from platform.models.artifact import Content
from platform.models.fitted import Fitted
from platform.models.recipe import Recipe

if TYPE_CHECKING:
    import numpy as np


class FitTools(Protocol):
    """The training loop on the run's device."""

    def fit_net(self, method: Any, settings: Any, inputs: Mapping[str, Content]) -> Fitted:
        """Train the net of a `NetMethod` on the training faces and keep the last epoch.

        settings: the method's options. inputs: the run's artifacts by name.
        """
        ...

    def cached(self, recipe: Recipe, images: np.ndarray) -> np.ndarray:
        """Features [n, ...] of faces uint8 [n, S, S, 3], computed once for all folds and trials.

        Bit for bit those of `recipe.of(images)`; a trained method gets them by `Faces.features`.
        """
        ...
