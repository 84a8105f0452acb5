"""Accuracies, macro F1 and confusion counts, as pure functions of predictions.

Two accuracies must not be confused. The *mean of folds* is the unweighted mean of the fold accuracies, which
the FMPN paper reports; the *pooled* accuracy is the share of correct images over all folds. The released
folds of CK+ give 98.06 and 98.17, those of MMI 82.74 and 80.13.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from platform.errors import UserError
from platform.evaluation.predictions import Predictions


def fold_accuracies(correct: np.ndarray, fold: np.ndarray) -> dict[int, float]:
    """Accuracy in [0, 1] of each fold, by ascending fold index.

    correct: bool (n,). fold: int (n,), the fold that tested the image.
    """
    return {int(index): float(correct[fold == index].mean()) for index in np.unique(fold)}


def mean_of_folds(accuracies: Mapping[int, float]) -> float:
    """Unweighted mean of the fold accuracies, whatever the size of the folds. ValueError without a fold."""
    if not accuracies:
        raise ValueError("the mean of folds needs at least one fold")
    return float(np.mean(list(accuracies.values())))


def fold_standard_deviation(accuracies: Mapping[int, float]) -> float | None:
    """Standard deviation of the fold accuracies (n - 1 in the denominator), None for a single fold.

    Not a standard error of the mean: training sets overlap, and test folds differ in size.
    """
    return float(np.std(list(accuracies.values()), ddof=1)) if len(accuracies) > 1 else None


def pooled_accuracy(correct: np.ndarray) -> float:
    """Share of correct images over all folds, in [0, 1]. correct: bool (n,), n >= 1, else ValueError."""
    if not len(correct):
        raise ValueError("the pooled accuracy needs at least one image")
    return float(np.mean(correct))


@dataclass(frozen=True, kw_only=True)
class ClassScore:
    """Precision, recall and F1 of one class, in [0, 1]."""

    name: str
    true_count: int
    """Items of this class."""
    predicted_count: int
    """Items predicted as this class."""
    precision: float | None
    """None for a class that was never predicted."""
    recall: float | None
    """None for a class without items."""
    f1: float | None
    """0 for a class never predicted; None for a class without items."""


def class_scores(
    true: np.ndarray, predicted: np.ndarray, class_names: Sequence[str]
) -> tuple[ClassScore, ...]:
    """Precision, recall and F1 of each class, in the order of `class_names`. Both arrays str (n,)."""
    counts = confusion_counts(true, predicted, class_names)
    right, labelled, answered = counts.diagonal().tolist(), counts.sum(axis=1), counts.sum(axis=0)
    return tuple(
        ClassScore(
            name=name,
            true_count=true_count,
            predicted_count=predicted_count,
            precision=correct / predicted_count if predicted_count else None,
            recall=correct / true_count if true_count else None,
            f1=2.0 * correct / (true_count + predicted_count) if true_count else None,
        )
        for name, correct, true_count, predicted_count in zip(
            class_names, right, labelled.tolist(), answered.tolist(), strict=True
        )
    )


def macro_f1(classes: Sequence[ClassScore]) -> float:
    """Unweighted mean over classes of F1 in [0, 1], of pooled predictions.

    Averaged over the classes that occur among the true ones; a class never predicted has F1 = 0.
    (Averaging the folds' F1 would be undefined where a fold lacks a class, as in MMI's fold 8.)
    """
    return float(np.mean([score.f1 for score in classes if score.f1 is not None]))


Vote = Literal["mean_score", "majority"]


def sequence_predictions(predictions: Predictions, vote: Vote = "mean_score") -> Predictions:
    """One row a sequence, predicted by a vote of its images; ordered by data set and sequence.

    vote: `mean_score` takes the class with the highest mean score; `majority` the class predicted for most
    images, and among several such the one with the highest mean score. Remaining ties go to the class that
    comes first in `class_names`. The `image` column holds the sequence's name,
    `scores` the mean scores. Raises UserError when the images of one sequence differ in label, subject
    or fold.
    """
    keys = list(zip(predictions.dataset.tolist(), predictions.sequence.tolist(), strict=True))
    place = {key: index for index, key in enumerate(sorted(set(keys)))}
    group = np.array([place[key] for key in keys], dtype=np.int64)
    first = np.zeros(len(place), dtype=np.int64)
    first[group[::-1]] = np.arange(len(group))[::-1]
    for column in ("true", "subject", "fold"):
        values = getattr(predictions, column)
        differs = values != values[first][group]
        if differs.any():
            raise UserError(
                f"the images of a sequence must agree in {column!r}, but those of sequence "
                f"{str(predictions.sequence[differs][0])!r} differ; prepare the data set again."
            )
    # float64 sums, so that the order of a sequence's images cannot change the vote.
    sums = np.zeros((len(first), len(predictions.class_names)))
    np.add.at(sums, group, predictions.scores.astype(np.float64))
    means = sums / np.bincount(group, minlength=len(first))[:, None]
    names = np.array(predictions.class_names, dtype=str)
    merit = means
    if vote == "majority":
        votes = np.zeros(sums.shape, dtype=np.int64)
        np.add.at(votes, group, predictions.predicted[:, None] == names)
        merit = np.where(votes == votes.max(axis=1, keepdims=True), means, -1.0)
    return Predictions(
        dataset=predictions.dataset[first],
        fold=predictions.fold[first],
        subject=predictions.subject[first],
        sequence=predictions.sequence[first],
        image=predictions.sequence[first],
        true=predictions.true[first],
        predicted=names[merit.argmax(axis=1)],
        scores=means.astype(np.float32),
        class_names=predictions.class_names,
    )


def confusion_counts(true: np.ndarray, predicted: np.ndarray, class_names: Sequence[str]) -> np.ndarray:
    """int64 (K, K): cell [i, j] counts images of class i (row) predicted as class j (column).

    Raises ValueError on a class that is not in `class_names`.
    """
    index = {name: position for position, name in enumerate(class_names)}
    unknown = sorted((set(true.tolist()) | set(predicted.tolist())) - set(index))
    if unknown:
        raise ValueError(f"classes outside of class_names: {', '.join(unknown)}")
    counts = np.zeros((len(index), len(index)), dtype=np.int64)
    rows = [index[name] for name in true.tolist()]
    columns = [index[name] for name in predicted.tolist()]
    np.add.at(counts, (rows, columns), 1)
    return counts
