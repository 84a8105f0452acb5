"""Recall, precision, F1 and AUC of each class over pooled predictions, and their unweighted means.

A class without test items has neither recall nor AUC. It is left out of the means, and the table names it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from platform.evaluation.scored_items import ScoredItems
from platform.evaluation.statistic import Statistic, mean_of, ratio


def recalls(items: ScoredItems) -> list[Statistic | None]:
    """The recall of each class: the share of its items that are predicted as it."""
    right = items.by_subject(items.indicators * items.correct[:, None])
    labelled = items.by_subject(items.indicators)
    return [ratio(right[:, k], labelled[:, k]) for k in range(len(items.class_names))]


def f1_scores(items: ScoredItems) -> list[Statistic | None]:
    """The F1 of each class, as `metrics.class_scores` defines it: None for a class without items."""
    count = len(items.class_names)
    right = items.by_subject(items.indicators * items.correct[:, None])
    labelled = items.by_subject(items.indicators)
    answered = items.by_subject(np.eye(count)[items.predicted])
    return [
        ratio(2.0 * right[:, k], labelled[:, k] + answered[:, k]) if labelled[:, k].any() else None
        for k in range(count)
    ]


def class_aucs(items: ScoredItems) -> list[Statistic | None]:
    """The area under the ROC curve of each class against all others, by the score of that class.

    The share of pairs, one item of the class and one of another, in which the item of the class has the
    higher score; a tie counts one half. None for a class without items, or without items of other classes.
    Source: Mann and Whitney (1947), Annals of Mathematical Statistics 18:50-60.
    """
    return [_auc(items, k) for k in range(len(items.class_names))]


def _auc(items: ScoredItems, number: int) -> Statistic | None:
    ours = items.true == number
    if not ours.any() or ours.all():
        return None
    _, rank = np.unique(items.scores[:, number], return_inverse=True)
    positive, negative = rank[ours], rank[~ours]
    # Items of each subject, and its won pairs as owner of either item; those within a subject count twice.
    positives = items.by_subject(ours.astype(np.float64))
    negatives = items.by_subject(1.0 - ours)
    won = np.zeros(len(items))
    won[ours] = _below(np.sort(negative), positive)
    won[~ours] = len(positive) - _below(np.sort(positive), negative)
    total = float(won[ours].sum())
    pairs = (positives.sum() - positives) * (negatives.sum() - negatives)
    rest = total - items.by_subject(won) + _won_within(items, ours, rank)
    without = np.divide(rest, pairs, out=np.full(len(pairs), np.nan), where=pairs > 0.0)
    return Statistic(value=total / (len(positive) * len(negative)), without=without)


def _won_within(items: ScoredItems, ours: np.ndarray, rank: np.ndarray) -> np.ndarray:
    """float64 (S,): won pairs both of whose items are the subject's. ours: bool (n,). rank: int (n,)."""
    place = items.subject * (int(rank.max()) + 1) + rank  # ordered by subject, then by score
    others = np.sort(place[~ours])
    first = np.searchsorted(others, items.subject * (int(rank.max()) + 1), side="left")
    won = np.zeros(len(items))
    won[ours] = _below(others, place[ours]) - first[ours]
    return items.by_subject(won)


def _below(ordered: np.ndarray, values: np.ndarray) -> np.ndarray:
    """float64 (n,): how many of `ordered` lie below each of `values`; equal ones count one half."""
    left: np.ndarray = np.searchsorted(ordered, values, side="left")
    right: np.ndarray = np.searchsorted(ordered, values, side="right")
    return (left + right) / 2.0


@dataclass(frozen=True, kw_only=True, eq=False)
class ClassStatistics:
    """Recall, F1 and AUC of each class, in the order of `class_names`."""

    recalls: list[Statistic | None]
    f1_scores: list[Statistic | None]
    aucs: list[Statistic | None]

    @property
    def balanced_accuracy(self) -> Statistic | None:
        """Unweighted mean of the recalls of the classes that have items (unweighted average recall)."""
        return mean_of(self.recalls)

    @property
    def macro_f1(self) -> Statistic | None:
        """Unweighted mean of the F1 of the classes that have items."""
        return mean_of(self.f1_scores)

    @property
    def macro_auc(self) -> Statistic | None:
        """Unweighted mean of the AUC of the classes that have one; None with one class only."""
        return mean_of(self.aucs)


def class_statistics(items: ScoredItems) -> ClassStatistics:
    """The statistics of every class."""
    return ClassStatistics(recalls=recalls(items), f1_scores=f1_scores(items), aucs=class_aucs(items))
