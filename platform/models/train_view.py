"""The training subjects of a fold run, as a method's `fit` may see them: no other subject can be reached."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from datasets.folds.rules import count_classes, inner_parts
from datasets.folds.sequence_view import FramesOfSequences

if TYPE_CHECKING:
    from datasets.folds.sequence_view import SequenceView
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
        return _parts(self.subjects, self.labels, self.class_names, count, seed)

    @cached_property
    def sequences(self) -> TrainSequences:
        """The training subjects' sequences. UserError: the set has none, or lacks the layer."""
        return TrainSequences(self._view.sequence_view)


class TrainSequences(FramesOfSequences):
    """n sequences of the training subjects, with labels and subjects; frames are read one sequence at a
    time."""

    def __init__(self, view: SequenceView) -> None:
        super().__init__(view, view.training_items)

    @property
    def labels(self) -> np.ndarray:
        """int64 [n]."""
        return self._view.labels(self._items)

    @property
    def subjects(self) -> np.ndarray:
        """str [n]."""
        return self._view.subjects(self._items)

    @property
    def apexes(self) -> np.ndarray:
        """int64 [n]: the place of the apex among the frames; -1 where the data set does not say."""
        return self._view.apexes(self._items)

    def parts(self, count: int, *, seed: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """As `TrainView.parts`, of sequences."""
        return _parts(self.subjects, self.labels, self._view.class_names, count, seed)


def _parts(
    subjects: np.ndarray, labels: np.ndarray, class_names: Sequence[str], count: int, seed: int
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    classes = count_classes(subjects, np.array(class_names)[labels])
    for validating in inner_parts(sorted(classes), classes, seed=seed, part_count=count):
        chosen = np.isin(subjects, list(validating))
        yield np.flatnonzero(~chosen), np.flatnonzero(chosen)
