"""The training subjects of a fold run, as a method's `fit` may see them: no other subject can be reached."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from datasets.folds.rules import count_classes, inner_parts

if TYPE_CHECKING:
    from datasets.folds.view import FoldView


class TrainView:
    """Faces, labels and subjects of the training subjects; n expressive images, K classes."""

    def __init__(self, view: FoldView) -> None:
        self._view = view

    @property
    def class_names(self) -> tuple[str, ...]:
        """K names; labels are indices into them."""
        return self._view.class_names

    @property
    def images(self) -> np.ndarray:
        """uint8 [n, S, S, 3] RGB: a copy of the prepared faces, S = `load_size_pixels`."""
        return self._view.read(self._view.training_rows)

    @property
    def labels(self) -> np.ndarray:
        """int64 [n]."""
        return self._view.labels(self._view.training_rows)

    @property
    def subjects(self) -> np.ndarray:
        """str [n]."""
        return self._view.subjects(self._view.training_rows)

    def parts(self, count: int, *, seed: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """`count` splits for choosing a setting: positions that train and positions that validate, int64.

        Grouped by subject, stratified by class, seeded; every image validates once. UserError: too few
        subjects.
        """
        subjects = self.subjects
        names = np.array(self.class_names)[self.labels]
        classes = count_classes(subjects, names)
        for validating in inner_parts(sorted(classes), classes, seed=seed, part_count=count):
            chosen = np.isin(subjects, list(validating))
            yield np.flatnonzero(~chosen), np.flatnonzero(chosen)
