"""Rows of a table by the subjects of one fold run: which train, which are evaluated, and when."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal, get_args

import numpy as np

from platform.errors import LeakageError, unknown_name

FoldRole = Literal["inner", "final"]


class FoldSubjects:
    """The subjects of one fold run, and whether its training has finished.

    Images, sequences and landmarks of a run share one object, so that none opens before another.
    """

    def __init__(self, training: Iterable[str], evaluation: Iterable[str], role: FoldRole) -> None:
        """Raises UserError for an unknown role, LeakageError if a subject both trains and evaluates."""
        if role not in get_args(FoldRole):
            raise unknown_name("fold role", role, get_args(FoldRole))
        self.training = subject_set(training)
        self.evaluation = subject_set(evaluation)
        refuse(self.training & self.evaluation, "both train and evaluate in this fold")
        self.role: FoldRole = role
        self._training_finished = False

    def finish_training(self) -> None:
        """Unlock the evaluation subjects of a "final" run; nothing may be fitted or chosen afterwards."""
        self._training_finished = True

    @property
    def may_evaluate(self) -> bool:
        """Whether evaluation subjects are accessible now: always in role "inner", in role "final" only after
        training."""
        return self.role == "inner" or self._training_finished


class GuardedRows:
    """The N rows of one table, each of one subject."""

    def __init__(self, fold: FoldSubjects, subjects: np.ndarray) -> None:
        """subjects: str [N], the subject of each row."""
        self._fold = fold
        self._subjects = subjects
        self.trains = np.isin(subjects, sorted(fold.training))
        """bool [N]: rows of training subjects."""
        self._evaluates = np.isin(subjects, sorted(fold.evaluation))

    def evaluates(self) -> np.ndarray:
        """bool [N]: rows of evaluation subjects. Raises LeakageError if called too early."""
        if not self._fold.may_evaluate:
            raise LeakageError("the test rows of a final fold run were asked for before finish_training()")
        return self._evaluates

    def checked(self, rows: Sequence[int] | np.ndarray) -> np.ndarray:
        """`rows` as int64 [n]. Raises LeakageError if one of them is not accessible now."""
        indices = np.asarray(rows)
        if indices.ndim != 1 or (indices.size and indices.dtype.kind not in "iu"):
            raise TypeError(f"rows must be integers [n], but got {indices.dtype} {list(indices.shape)}")
        indices = indices.astype(np.int64)
        if indices.size and not (indices.min() >= 0 and indices.max() < len(self.trains)):
            raise IndexError(f"0 <= row < {len(self.trains)} must hold for every row")
        seen = self.trains[indices] | self._evaluates[indices]
        refuse(subject_set(self._subjects[indices[~seen]]), "neither train nor evaluate in this fold")
        if not self._fold.may_evaluate:
            tested = indices[self._evaluates[indices]]
            refuse(subject_set(self._subjects[tested]), "are tested, and training has not finished")
        return indices


def subject_set(subjects: Iterable[str]) -> set[str]:
    """The subjects as plain text."""
    return {str(subject) for subject in subjects}


def refuse(subjects: set[str], reason: str) -> None:
    """Raises LeakageError with the `reason` if there are `subjects`."""
    if subjects:
        raise LeakageError(f"subjects {', '.join(sorted(subjects))} {reason}")
