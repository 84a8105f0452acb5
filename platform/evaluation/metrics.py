"""Accuracies, macro F1 and confusion counts, as pure functions of predictions.

Two numbers are easily mistaken for one another. The *mean of folds* is the unweighted mean of the
fold accuracies, and what the FMPN paper prints; the *pooled* accuracy is the share of all images.
The released folds of CK+ give 98.06 and 98.17, those of MMI 82.74 and 80.13.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from platform.evaluation.predictions import Predictions


def fold_accuracies(correct: np.ndarray, fold: np.ndarray) -> dict[int, float]:
    """Accuracy in [0, 1] of each fold, by ascending fold index.

    correct: bool (n,). fold: int (n,), the fold that tested the image.
    """
    return {int(index): float(correct[fold == index].mean()) for index in np.unique(fold)}


def mean_of_folds(accuracies: Mapping[int, float]) -> float:
    """Unweighted mean of the fold accuracies: every fold counts the same, whatever its size."""
    if not accuracies:
        raise ValueError("the mean of folds needs at least one fold")
    return float(np.mean(list(accuracies.values())))


def fold_standard_deviation(accuracies: Mapping[int, float]) -> float | None:
    """Spread of the fold accuracies (n - 1 in the denominator), None for a single fold.

    Not a standard error of the mean: training sets overlap, and test folds differ in size.
    """
    return float(np.std(list(accuracies.values()), ddof=1)) if len(accuracies) > 1 else None


def pooled_accuracy(correct: np.ndarray) -> float:
    """Share of all images, whichever fold tested them, in [0, 1]. correct: bool (n,), n >= 1."""
    if not len(correct):
        raise ValueError("the pooled accuracy needs at least one image")
    return float(np.mean(correct))


def macro_f1(true: np.ndarray, predicted: np.ndarray) -> float:
    """Unweighted mean over classes of F1 in [0, 1], from pooled predictions. Both str (n,).

    Averaged over the classes that occur among the true ones; a class never predicted has F1 = 0.
    (Averaging each fold's F1 instead is undefined wherever a fold lacks a class, as MMI's fold 8.)
    """
    from sklearn.metrics import f1_score

    labels = sorted(set(true.tolist()))
    return float(f1_score(true, predicted, labels=labels, average="macro", zero_division=0.0))


def sequence_predictions(predictions: Predictions) -> Predictions:
    """One row a sequence: the class with the highest mean score over the sequence's images.

    Ties go to the class that comes first in `class_names`. The `image` column holds the sequence's
    name. Raises ValueError when the images of one sequence differ in label, subject or fold.
    """
    keys = np.stack([predictions.dataset, predictions.sequence], axis=1)
    _, first, group = np.unique(keys, axis=0, return_index=True, return_inverse=True)
    group = group.reshape(-1)
    for column in ("true", "subject", "fold"):
        values = getattr(predictions, column)
        differs = values != values[first][group]
        if differs.any():
            raise ValueError(
                f"sequence {predictions.sequence[differs][0]!r} has images that differ in {column!r}"
            )
    # float64 sums: the vote must not depend on the order of a sequence's images.
    sums = np.zeros((len(first), len(predictions.class_names)))
    np.add.at(sums, group, predictions.scores.astype(np.float64))
    means = sums / np.bincount(group, minlength=len(first))[:, None]
    names = np.array(predictions.class_names, dtype=str)
    return Predictions(
        dataset=predictions.dataset[first],
        fold=predictions.fold[first],
        subject=predictions.subject[first],
        sequence=predictions.sequence[first],
        image=predictions.sequence[first],
        true=predictions.true[first],
        predicted=names[means.argmax(axis=1)],
        scores=means.astype(np.float32),
        class_names=predictions.class_names,
    )


def confusion_counts(true: np.ndarray, predicted: np.ndarray, class_names: Sequence[str]) -> np.ndarray:
    """int64 (K, K): cell [i, j] counts images of class i (row) answered as class j (column).

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
