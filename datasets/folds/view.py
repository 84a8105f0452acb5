"""A fold run's view of a prepared store, which refuses access to the rows of all other subjects."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import Literal, Protocol, overload

import numpy as np

from datasets.folds.guarded_rows import FoldRole, FoldSubjects, GuardedRows, subject_set
from datasets.folds.sequence_view import LandmarkView, SequenceView
from datasets.prepared.landmark_layer import LandmarkLayer
from datasets.prepared.neutral_layer import NeutralLayer
from datasets.prepared.sequence_layer import SequenceLayer
from platform.errors import UserError, unknown_name

NEUTRAL = "neutral"
"""The class of a view's neutral faces, for methods that distinguish them (the layer `neutral`)."""


class FaceStore(Protocol):
    """The part of a prepared store that a view reads; N rows, one per image."""

    @property
    def images(self) -> np.ndarray: ...  # uint8 [N, S, S, 3] RGB
    @property
    def subjects(self) -> np.ndarray: ...  # str [N]
    @property
    def sequences(self) -> np.ndarray: ...  # str [N]
    @property
    def expressions(self) -> np.ndarray: ...  # str [N]
    @property
    def roles(self) -> np.ndarray: ...  # str [N], "expressive" or "neutral"
    @property
    def image_names(self) -> np.ndarray: ...  # str [N]
    @property
    def class_names(self) -> tuple[str, ...]: ...
    @overload
    def layer(self, name: Literal["sequences"]) -> SequenceLayer: ...
    @overload
    def layer(self, name: Literal["landmarks"]) -> LandmarkLayer: ...
    @overload
    def layer(self, name: Literal["neutral"]) -> NeutralLayer: ...


class FoldView:
    """The rows of a store that one fold run may access.

    Rows of subjects that neither train nor evaluate are always refused. Rows of evaluation subjects are
    accessible at any time in role "inner" (a search scores a validation split), and only after
    `finish_training()` in role "final" (the outer test fold), so that no test image can affect masks, weights
    or choices. The guard covers labels and names as well as pixels. Refused access raises LeakageError.
    """

    def __init__(
        self,
        store: FaceStore,
        *,
        train_subjects: Iterable[str],
        evaluation_subjects: Iterable[str],
        role: FoldRole,
        class_names: Sequence[str] | None = None,
    ) -> None:
        """`class_names`: a subset of the store's classes, in the order of their labels; faces of other
        classes do not exist for this view (None: all classes). With `neutral` among them, the faces of the
        layer `neutral` have that label. `evaluation_subjects` may be empty (masks and stage 1 score nothing).
        Raises UserError without a training image, for a subject that the store does not have, and for a class
        `neutral` without that layer."""
        self._fold = FoldSubjects(train_subjects, evaluation_subjects, role)
        subjects = self._fold.training | self._fold.evaluation
        unknown = sorted(subjects - subject_set(np.unique(store.subjects)))
        if unknown:
            raise UserError(
                f"each subject of a fold must be in the store, but it has no {', '.join(unknown)}; "
                "make the folds from this store's subjects."
            )
        self.class_names: tuple[str, ...] = tuple(store.class_names if class_names is None else class_names)
        """The classes of this view; labels are indices into them."""
        absent = sorted(set(self.class_names) - {NEUTRAL, *store.class_names})
        if absent:
            raise unknown_name("class", absent[0], store.class_names)
        self.role: FoldRole = role
        self._store = store
        self._rows = GuardedRows(self._fold, store.subjects)
        self._expressive = (np.asarray(store.roles) == "expressive") & np.isin(
            store.expressions, self.class_names
        )
        if NEUTRAL in self.class_names:
            self._expressive[store.layer("neutral").rows] = True
        self._neutral = np.asarray(store.roles) == "neutral"
        if not self.training_rows.size:
            raise UserError("a fold needs at least one training image, but its training subjects have none.")

    @property
    def training_rows(self) -> np.ndarray:
        """int64 [n], ascending: the labelled rows of the training subjects (expressive ones, and neutral ones
        where neutral is a class)."""
        return np.flatnonzero(self._rows.trains & self._expressive)

    @property
    def neutral_rows(self) -> np.ndarray:
        """int64 [m], ascending: the neutral rows of the training subjects."""
        return np.flatnonzero(self._rows.trains & self._neutral)

    @property
    def evaluation_rows(self) -> np.ndarray:
        """int64 [e], ascending: the labelled rows of the evaluation subjects. Raises LeakageError if called
        too early."""
        return np.flatnonzero(self._rows.evaluates() & self._expressive)

    def finish_training(self) -> None:
        """Unlock the evaluation rows of a "final" view; nothing may be fitted or chosen after this call."""
        self._fold.finish_training()

    @cached_property
    def sequence_view(self) -> SequenceView:
        """The sequences of these subjects and classes. Raises UserError if the store lacks the layer."""
        return SequenceView(self._store.layer("sequences"), self._fold, self.class_names)

    @cached_property
    def landmark_view(self) -> LandmarkView:
        """The 68 landmarks of these subjects. Raises UserError if the store lacks the layer."""
        return LandmarkView(self._store.layer("landmarks"), self._fold)

    def read(self, rows: Sequence[int] | np.ndarray) -> np.ndarray:
        """The faces of `rows` (integers, any order): uint8 [n, S, S, 3] RGB, a copy."""
        # A copy, because a view would keep the whole store alive as its `base`.
        return np.array(self._store.images[self._rows.checked(rows)])

    def rectangles(self, rows: Sequence[int] | np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
        """The faces of `rows` scaled as in FMPN's release; None if the store has squares only.

        Canvases uint8 [n, H, W, 4] with RGB and gray in the upper left corner, and their heights and widths,
        int64 [n, 2].
        """
        checked, found = self._rows.checked(rows), getattr(self._store, "rectangles", None)
        if found is None:
            return None
        sizes: np.ndarray = self._store.rectangle_sizes  # type: ignore[attr-defined]  # comes with them
        return np.array(found[checked]), np.array(sizes[checked])

    def labels(self, rows: Sequence[int] | np.ndarray) -> np.ndarray:
        """int64 [n]: the index into `class_names` of each (expressive) row's class."""
        expressions = self._store.expressions[self._rows.checked(rows)]
        unlabelled = sorted(set(expressions.tolist()) - set(self.class_names))
        if unlabelled:
            raise ValueError(f"rows of {', '.join(unlabelled)} have no label; only expressive rows have one")
        index_of = {name: index for index, name in enumerate(self.class_names)}
        return np.array([index_of[name] for name in expressions.tolist()], dtype=np.int64)

    def subjects(self, rows: Sequence[int] | np.ndarray) -> np.ndarray:
        """str [n]: the subject id of each row."""
        return np.array(self._store.subjects[self._rows.checked(rows)])

    def sequences(self, rows: Sequence[int] | np.ndarray) -> np.ndarray:
        """str [n]: the sequence id of each row."""
        return np.array(self._store.sequences[self._rows.checked(rows)])

    def image_names(self, rows: Sequence[int] | np.ndarray) -> np.ndarray:
        """str [n]: the image name of each row."""
        return np.array(self._store.image_names[self._rows.checked(rows)])
