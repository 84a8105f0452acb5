"""The part of a row's predictions that paired tests use: counts by subject, at most five bytes an image."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np

from platform.evaluation.predictions import Predictions


@dataclass(frozen=True, kw_only=True, eq=False)
class PairedImages:
    """How many of its images, or sequences, of each of S subjects a row predicted correctly.

    Subjects are sorted by name. Counts are stored as the smallest unsigned integers that hold them.
    """

    tested: str
    """Hash over data set, name, true class and subject of all images; rows with equal hashes are paired."""
    correct: np.ndarray
    """(S,): correct images."""
    images: np.ndarray
    """(S,): images; at least 1 each."""
    fold: np.ndarray
    """(S,): the fold that tested the subject, the lowest of several."""

    @property
    def count(self) -> int:
        """Images of all subjects."""
        return int(self.images.sum())

    @property
    def accuracy(self) -> float:
        """Share of correct images, in [0, 1]."""
        return float(self.correct.sum() / self.images.sum())

    def same_division(self, other: PairedImages) -> bool:
        """Whether both tested the same images with the same division of the subjects into folds."""
        return self.tested == other.tested and bool(np.array_equal(self.fold, other.fold))


def paired_images(predictions: Predictions) -> PairedImages:
    """The counts of `predictions`, which do not depend on the order of the images."""
    order = np.lexsort((predictions.image, predictions.dataset))
    columns = [getattr(predictions, name)[order] for name in ("dataset", "image", "true", "subject")]
    text = "\n".join("\t".join(column.tolist()) for column in columns)
    names, subject = np.unique(columns[-1], return_inverse=True)
    fold = np.full(len(names), predictions.fold.max())
    np.minimum.at(fold, subject, predictions.fold[order])
    return PairedImages(
        tested=hashlib.sha256(text.encode()).hexdigest(),
        correct=_small(np.bincount(subject, weights=predictions.correct[order], minlength=len(names))),
        images=_small(np.bincount(subject)),
        fold=_small(fold),
    )


def _small(counts: np.ndarray) -> np.ndarray:
    return counts.astype(np.min_scalar_type(int(counts.max(initial=0))))
