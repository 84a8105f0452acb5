"""A fold run's view of the layers `sequences` and `landmarks`, with the guard of the images' view."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from datasets.folds.guarded_rows import FoldSubjects, GuardedRows
from datasets.prepared.landmark_layer import LandmarkLayer
from datasets.prepared.sequence_layer import SequenceLayer


class SequenceView:
    """The sequences that one fold run may access; items are numbers of sequences.

    As in a `FoldView`, sequences of subjects that neither train nor evaluate are always refused, and those of
    evaluation subjects in role "final" until training has finished. Refused access raises LeakageError.
    """

    def __init__(self, layer: SequenceLayer, fold: FoldSubjects, class_names: Sequence[str]) -> None:
        """class_names: the classes of the run, in the order of their labels; sequences of other classes do
        not exist for this view."""
        self.class_names = tuple(class_names)
        self._layer = layer
        self._rows = GuardedRows(fold, layer.subjects)
        self._wanted = np.isin(layer.expressions, self.class_names)

    @property
    def training_items(self) -> np.ndarray:
        """int64 [n], ascending: the sequences of the training subjects."""
        return np.flatnonzero(self._rows.trains & self._wanted)

    @property
    def evaluation_items(self) -> np.ndarray:
        """int64 [e], ascending: the sequences of the evaluation subjects. Raises LeakageError if called too
        early."""
        return np.flatnonzero(self._rows.evaluates() & self._wanted)

    def read(self, item: int) -> np.ndarray:
        """All frames of one sequence, in order: uint8 [n, S, S, 3] RGB, a copy."""
        return self._layer.read(self._one(item))

    def frame_numbers(self, item: int) -> np.ndarray:
        """int64 [n]: the numbers of its frames, ascending; where the data set lacks frames they have gaps."""
        start, length = self._span(item)
        return np.array(self._layer.frame_numbers[start : start + length])

    def image_names(self, item: int) -> np.ndarray:
        """str [n]: the name of each of its frames, by which its landmarks are found."""
        name = self.names([item])[0]
        return np.array([f"{name}_{number:08d}" for number in self.frame_numbers(item).tolist()])

    def lengths(self, items: Sequence[int] | np.ndarray) -> np.ndarray:
        """int64 [n]: the number of frames of each sequence."""
        return np.array(self._layer.lengths[self._rows.checked(items)])

    def apexes(self, items: Sequence[int] | np.ndarray) -> np.ndarray:
        """int64 [n]: the place of each sequence's apex among its frames; -1 where the data set does not
        say."""
        return np.array(self._layer.apexes[self._rows.checked(items)])

    def labels(self, items: Sequence[int] | np.ndarray) -> np.ndarray:
        """int64 [n]: the index into `class_names` of each sequence's class."""
        index_of = {name: index for index, name in enumerate(self.class_names)}
        shown = self._layer.expressions[self._rows.checked(items)].tolist()
        other = sorted(set(shown) - set(self.class_names))
        if other:
            raise ValueError(f"sequences of {', '.join(other)} have no label in this fold run")
        return np.array([index_of[name] for name in shown], dtype=np.int64)

    def subjects(self, items: Sequence[int] | np.ndarray) -> np.ndarray:
        """str [n]: the subject of each sequence."""
        return np.array(self._layer.subjects[self._rows.checked(items)])

    def names(self, items: Sequence[int] | np.ndarray) -> np.ndarray:
        """str [n]: the name of each sequence, as in the images' view."""
        return np.array(self._layer.names[self._rows.checked(items)])

    def _one(self, item: int) -> int:
        return int(self._rows.checked([item])[0])

    def _span(self, item: int) -> tuple[int, int]:
        row = self._one(item)
        return int(self._layer.first[row]), int(self._layer.lengths[row])


class FramesOfSequences:
    """n sequences of a view, without labels, subjects and names; read one at a time."""

    def __init__(self, view: SequenceView, items: np.ndarray) -> None:
        """items: int64 [n], numbers of sequences of the view. LeakageError: one is not accessible now."""
        self._view, self._items = view, np.array(items, dtype=np.int64)
        self._lengths = view.lengths(self._items)

    def __len__(self) -> int:
        return len(self._items)

    @property
    def lengths(self) -> np.ndarray:
        """int64 [n]: the number of frames of each."""
        return self._lengths.copy()

    def read(self, place: int) -> np.ndarray:
        """All frames of the sequence at a place, 0 to n - 1, in order: uint8 [l, S, S, 3] RGB, a copy."""
        return self._view.read(int(self._items[place]))


class LandmarkView:
    """The 68 landmarks that one fold run may access, by image name; guarded like the images."""

    def __init__(self, layer: LandmarkLayer, fold: FoldSubjects) -> None:
        self._layer = layer
        self._rows = GuardedRows(fold, layer.subjects)

    def points(self, image_names: Sequence[str] | np.ndarray) -> np.ndarray:
        """float32 [n, 68, 2], x and y in pixels of the aligned face, a copy. Raises UserError for a face
        without landmarks, LeakageError for one of a subject that is not accessible now."""
        return np.array(self._layer.points[self._rows.checked(self._layer.rows_of(image_names))])
