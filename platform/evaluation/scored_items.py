"""Predictions as numbers, for metrics: images, or sequences, in an order of their own."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from platform.evaluation.predictions import Predictions


@dataclass(frozen=True, kw_only=True, eq=False)
class ScoredItems:
    """n images or sequences of S subjects, K classes."""

    true: np.ndarray
    """int64 (n,): number of the labelled class."""
    predicted: np.ndarray
    """int64 (n,): number of the predicted class."""
    subject: np.ndarray
    """int64 (n,): number of the subject, by name."""
    scores: np.ndarray
    """float64 (n, K): the class scores, which need not be probabilities."""
    class_names: tuple[str, ...]
    """The K classes."""
    subject_names: tuple[str, ...]
    """The S subjects, sorted."""

    def __len__(self) -> int:
        return len(self.true)

    @cached_property
    def correct(self) -> np.ndarray:
        """bool (n,): whether the predicted class is the labelled one."""
        found: np.ndarray = self.true == self.predicted
        return found

    @cached_property
    def indicators(self) -> np.ndarray:
        """float64 (n, K): 1 for the labelled class, 0 for the others."""
        return np.eye(len(self.class_names))[self.true]

    def by_subject(self, values: np.ndarray) -> np.ndarray:
        """float64 (S,) or (S, m): the sum of `values`, (n,) or (n, m), over the items of each subject."""
        if values.ndim == 1:
            return np.bincount(self.subject, weights=values, minlength=len(self.subject_names))
        return np.stack([self.by_subject(column) for column in values.T], axis=1)


def scored_items(predictions: Predictions) -> ScoredItems:
    """`predictions` by data set and name, so that no metric depends on their order by a rounding.

    Raises ValueError for a class that is not in `class_names`.
    """
    order = np.lexsort((predictions.image, predictions.dataset))
    names = np.array(predictions.class_names, dtype=str)
    place = np.argsort(names)
    numbers = []
    for column in (predictions.true[order], predictions.predicted[order]):
        found = np.minimum(np.searchsorted(names, column, sorter=place), len(names) - 1)
        number = place[found]
        if not (names[number] == column).all():
            raise ValueError(f"classes must be among {', '.join(names)}")
        numbers.append(number.astype(np.int64))
    subject_names, subject = np.unique(predictions.subject[order], return_inverse=True)
    return ScoredItems(
        true=numbers[0],
        predicted=numbers[1],
        subject=subject.astype(np.int64),
        scores=predictions.scores[order].astype(np.float64),
        class_names=predictions.class_names,
        subject_names=tuple(subject_names.tolist()),
    )
