"""Accuracy of the tenth of the subjects on whom a method is worst."""

from __future__ import annotations

import numpy as np

from platform.evaluation.scored_items import ScoredItems


def worst_count(subject_count: int) -> int:
    """A tenth of the subjects, rounded down; at least one."""
    return max(1, subject_count // 10)


def worst_tenth_accuracy(items: ScoredItems) -> float | None:
    """Unweighted mean of the accuracies of the `worst_count` subjects with the lowest ones, in [0, 1].

    Subjects are chosen by the very images that are then averaged, so chance makes it lower than the accuracy
    that these subjects would have on new images, the more so the fewer images a subject has. For the same
    reason it has no interval. None where every subject has a single item: it would count errors and nothing
    else.
    """
    counts = np.bincount(items.subject)
    if counts.max(initial=0) < 2:
        return None
    accuracies = np.sort(items.by_subject(items.correct.astype(np.float64)) / counts)
    return float(accuracies[: worst_count(len(counts))].mean())
