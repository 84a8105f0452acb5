"""A fold run's view of a prepared store, which refuses access to the rows of all other subjects."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal, Protocol, get_args

import numpy as np

from platform.errors import LeakageError, UserError, unknown_name

FoldRole = Literal["inner", "final"]


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
        """`class_names`: a
        subset of the store's classes, in the order of their labels; faces of other classes do not exist for
        this view (None: all classes). `evaluation_subjects` may be empty (masks and stage 1 score nothing).
        Raises UserError without a training image, and for a subject that the store does not have."""
        if role not in get_args(FoldRole):
            raise unknown_name("fold role", role, get_args(FoldRole))
        training = _subject_set(train_subjects)
        evaluation = _subject_set(evaluation_subjects)
        _refuse(training & evaluation, "both train and evaluate in this fold")
        unknown = sorted((training | evaluation) - _subject_set(np.unique(store.subjects)))
        if unknown:
            raise UserError(
                f"each subject of a fold must be in the store, but it has no {', '.join(unknown)}; "
                "make the folds from this store's subjects."
            )
        self.class_names: tuple[str, ...] = tuple(store.class_names if class_names is None else class_names)
        """The classes of this view; labels are indices into them."""
        absent = sorted(set(self.class_names) - set(store.class_names))
        if absent:
            raise unknown_name("class", absent[0], store.class_names)
        self.role: FoldRole = role
        self._store = store
        self._trains = np.isin(store.subjects, sorted(training))
        self._evaluates = np.isin(store.subjects, sorted(evaluation))
        self._expressive = (np.asarray(store.roles) == "expressive") & np.isin(
            store.expressions, self.class_names
        )
        self._neutral = np.asarray(store.roles) == "neutral"
        self._training_finished = False
        if not self.training_rows.size:
            raise UserError("a fold needs at least one training image, but its training subjects have none.")

    @property
    def training_rows(self) -> np.ndarray:
        """int64 [n], ascending: the expressive rows of the training subjects."""
        return np.flatnonzero(self._trains & self._expressive)

    @property
    def neutral_rows(self) -> np.ndarray:
        """int64 [m], ascending: the neutral rows of the training subjects."""
        return np.flatnonzero(self._trains & self._neutral)

    @property
    def evaluation_rows(self) -> np.ndarray:
        """int64 [e], ascending: the expressive rows of the evaluation subjects. Raises LeakageError if called
        too early."""
        if not self._may_evaluate:
            raise LeakageError("the test rows of a final fold run were asked for before finish_training()")
        return np.flatnonzero(self._evaluates & self._expressive)

    def finish_training(self) -> None:
        """Unlock the evaluation rows of a "final" view; nothing may be fitted or chosen after this call."""
        self._training_finished = True

    def read(self, rows: Sequence[int] | np.ndarray) -> np.ndarray:
        """The faces of `rows` (integers, any order): uint8 [n, S, S, 3] RGB, a copy."""
        # A copy, because a view would keep the whole store alive as its `base`.
        return np.array(self._store.images[self._checked(rows)])

    def rectangles(self, rows: Sequence[int] | np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
        """The faces of `rows` scaled as in FMPN's release; None if the store has squares only.

        Canvases uint8 [n, H, W, 4] with RGB and gray in the upper left corner, and their heights and widths,
        int64 [n, 2].
        """
        checked, found = self._checked(rows), getattr(self._store, "rectangles", None)
        if found is None:
            return None
        sizes: np.ndarray = self._store.rectangle_sizes  # type: ignore[attr-defined]  # comes with them
        return np.array(found[checked]), np.array(sizes[checked])

    def labels(self, rows: Sequence[int] | np.ndarray) -> np.ndarray:
        """int64 [n]: the index into `class_names` of each (expressive) row's class."""
        expressions = self._store.expressions[self._checked(rows)]
        unlabelled = sorted(set(expressions.tolist()) - set(self.class_names))
        if unlabelled:
            raise ValueError(f"rows of {', '.join(unlabelled)} have no label; only expressive rows have one")
        index_of = {name: index for index, name in enumerate(self.class_names)}
        return np.array([index_of[name] for name in expressions.tolist()], dtype=np.int64)

    def subjects(self, rows: Sequence[int] | np.ndarray) -> np.ndarray:
        """str [n]: the subject id of each row."""
        return np.array(self._store.subjects[self._checked(rows)])

    def sequences(self, rows: Sequence[int] | np.ndarray) -> np.ndarray:
        """str [n]: the sequence id of each row."""
        return np.array(self._store.sequences[self._checked(rows)])

    def image_names(self, rows: Sequence[int] | np.ndarray) -> np.ndarray:
        """str [n]: the image name of each row."""
        return np.array(self._store.image_names[self._checked(rows)])

    @property
    def _may_evaluate(self) -> bool:
        return self.role == "inner" or self._training_finished

    def _checked(self, rows: Sequence[int] | np.ndarray) -> np.ndarray:
        """`rows` as int64 [n]. Raises LeakageError if one of them is not accessible now."""
        indices = np.asarray(rows)
        if indices.ndim != 1 or (indices.size and indices.dtype.kind not in "iu"):
            raise TypeError(f"rows must be integers [n], but got {indices.dtype} {list(indices.shape)}")
        indices = indices.astype(np.int64)
        if indices.size and not (indices.min() >= 0 and indices.max() < len(self._trains)):
            raise IndexError(f"0 <= row < {len(self._trains)} must hold for every row")
        seen = self._trains[indices] | self._evaluates[indices]
        _refuse(_subject_set(self._store.subjects[indices[~seen]]), "neither train nor evaluate in this fold")
        if not self._may_evaluate:
            tested = indices[self._evaluates[indices]]
            _refuse(_subject_set(self._store.subjects[tested]), "are tested, and training has not finished")
        return indices


def _subject_set(subjects: Iterable[str]) -> set[str]:
    return {str(subject) for subject in subjects}


def _refuse(subjects: set[str], reason: str) -> None:
    if subjects:
        raise LeakageError(f"subjects {', '.join(sorted(subjects))} {reason}")
