"""The numbers of a table row, computed from its pooled predictions."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from platform.evaluation import metrics, row_metrics
from platform.evaluation.accuracy_interval import AccuracyInterval, accuracy_interval
from platform.evaluation.calibration import DECLARED, not_probabilities
from platform.evaluation.metrics import ClassScore
from platform.evaluation.predictions import Predictions
from platform.evaluation.row_metrics import PooledPredictions
from platform.evaluation.scored_items import scored_items
from platform.evaluation.subject_groups import Groups, GroupScores, group_scores
from platform.evaluation.unit_metrics import Measures, measures


@dataclass(frozen=True, kw_only=True)
class FoldScore:
    """One finished fold of a row."""

    fold: int
    accuracy: float
    """In [0, 1]."""
    image_count: int
    subject_count: int
    class_count: int
    """Classes among its test images."""


Confusion = tuple[tuple[int, ...], ...]
"""Counts: rows are true classes, columns predicted ones, both in the order of `Scores.class_names`."""


@dataclass(frozen=True, kw_only=True)
class Scores:
    """The numbers of a row's finished folds. Accuracies in [0, 1]."""

    image_count: int
    sequence_count: int
    subject_count: int
    error_count: int
    """Misclassified images."""
    subjects_with_errors: int
    class_names: tuple[str, ...]
    """The classes that the method can predict."""
    classes: tuple[ClassScore, ...]
    """Of pooled images, in the order of `class_names`."""
    folds: tuple[FoldScore, ...]
    mean_of_folds: float
    mean_of_folds_interval: AccuracyInterval | None
    """95 % CI for new subjects; None with one subject."""
    fold_standard_deviation: float | None
    """Of the fold accuracies (n - 1); never a standard error. None for a single fold."""
    pooled_image_accuracy: float
    pooled_image_interval: AccuracyInterval | None
    """95 % CI for new subjects; None with one subject."""
    pooled_sequence_accuracy: float
    """Of sequences, each predicted by the mean of its images' class scores."""
    metrics: dict[str, float | None]
    """Values of `row_metrics.METRICS` by key."""
    image_confusion: Confusion
    sequence_confusion: Confusion
    """Of sequences predicted by the mean of their images' class scores."""
    majority_confusion: Confusion
    """Of sequences predicted by the majority of their images."""
    measures: Measures
    """Beyond accuracy; of images, or of sequences for a method that scores those."""
    sequence_measures: Measures
    """Of sequences, each by the mean of its images' class scores, without details."""
    groups: GroupScores | None = None
    """By groups of subjects; None where they are not known."""


def score(predictions: Predictions, groups: Groups | None = None, *, probabilities: bool = True) -> Scores:
    """All numbers of a row; equal predictions give equal numbers.

    groups: of the subjects, where the data set knows them. probabilities: False for a method that says that
    its scores are none. Raises UserError as `metrics.sequence_predictions`
    does.
    """
    by_mean_score = metrics.sequence_predictions(predictions)
    by_majority = metrics.sequence_predictions(predictions, "majority")
    correct, subject, fold = predictions.correct, predictions.subject, predictions.fold
    accuracies = metrics.fold_accuracies(correct, fold)
    subject_count = len(set(subject.tolist()))
    classes = metrics.class_scores(predictions.true, predictions.predicted, predictions.class_names)
    pooled = PooledPredictions(
        images=predictions, sequences=by_mean_score, majority_sequences=by_majority, classes=classes
    )
    items = scored_items(predictions)
    # Of the method's own scores: a mean of decisions over a sequence only looks like a probability.
    no_calibration = not_probabilities(items.scores) if probabilities else DECLARED
    return Scores(
        image_count=len(predictions),
        sequence_count=len(by_mean_score),
        subject_count=subject_count,
        error_count=int((~correct).sum()),
        subjects_with_errors=len(set(subject[~correct].tolist())),
        class_names=predictions.class_names,
        classes=classes,
        folds=tuple(_fold_score(predictions, fold == index, index) for index in accuracies),
        mean_of_folds=metrics.mean_of_folds(accuracies),
        mean_of_folds_interval=accuracy_interval(correct, subject, fold) if subject_count > 1 else None,
        fold_standard_deviation=metrics.fold_standard_deviation(accuracies),
        pooled_image_accuracy=metrics.pooled_accuracy(correct),
        pooled_image_interval=accuracy_interval(correct, subject) if subject_count > 1 else None,
        pooled_sequence_accuracy=metrics.pooled_accuracy(by_mean_score.correct),
        metrics=row_metrics.measured(pooled),
        image_confusion=_confusion(predictions),
        sequence_confusion=_confusion(by_mean_score),
        majority_confusion=_confusion(by_majority),
        measures=measures(items, no_calibration),
        sequence_measures=measures(scored_items(by_mean_score), no_calibration, details=False),
        groups=group_scores(items, groups) if groups else None,
    )


def _fold_score(predictions: Predictions, inside: np.ndarray, index: int) -> FoldScore:
    """inside: bool (n,), the images tested by fold `index`."""
    return FoldScore(
        fold=index,
        accuracy=float(predictions.correct[inside].mean()),
        image_count=int(inside.sum()),
        subject_count=len(set(predictions.subject[inside].tolist())),
        class_count=len(set(predictions.true[inside].tolist())),
    )


def _confusion(predictions: Predictions) -> Confusion:
    counts = metrics.confusion_counts(predictions.true, predictions.predicted, predictions.class_names)
    return tuple(tuple(row) for row in counts.tolist())
