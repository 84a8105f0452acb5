"""Scores of a trial's inner fold runs, from the stored predictions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from platform.results.store import ResultsStore
from platform.results.tasks import FoldTask

Counts = Mapping[str, tuple[int, int]]
"""Subject to (images right, images)."""


@dataclass(frozen=True, kw_only=True)
class InnerScores:
    """Of each fold done: how many validation images of each subject were right."""

    folds: Mapping[int, Counts]

    @property
    def mean_of_folds(self) -> float:
        """The unweighted mean of the folds' accuracies: a search's objective."""
        accuracies = [
            sum(right for right, _ in counts.values()) / sum(total for _, total in counts.values())
            for counts in self.folds.values()
        ]
        return sum(accuracies) / len(accuracies)

    @property
    def mean_or_none(self) -> float | None:
        """The mean of the folds there are; None where there is none."""
        return self.mean_of_folds if self.folds else None

    def subject_accuracies(self, folds: Sequence[int]) -> dict[str, float]:
        """Each subject's accuracy over these folds, all of which must be done."""
        sums: dict[str, tuple[int, int]] = {}
        for fold in folds:
            for subject, (right, total) in self.folds[fold].items():
                before = sums.get(subject, (0, 0))
                sums[subject] = (before[0] + right, before[1] + total)
        return {subject: right / total for subject, (right, total) in sums.items()}


def inner_scores(store: ResultsStore, tasks: Sequence[FoldTask], *, partial: bool = False) -> InnerScores:
    """Scores of these fold runs; with `partial`, those that are there.

    KeyError when a fold run is missing and `partial` is not set.
    """
    folds: dict[int, Counts] = {}
    for task in tasks:
        if store.is_complete("fold_runs", task.identity):
            folds[task.fold_index] = _counts(store.root, task.identity)
        elif not partial:
            raise KeyError(f"fold run {task.identity} (fold {task.fold_index}) has no result")
    return InnerScores(folds=folds)


@lru_cache(maxsize=100_000)
def _counts(root: Path, identity: str) -> Counts:
    """A finished result never changes, so it is read once."""
    from platform.evaluation.predictions import from_bytes

    content = ResultsStore(root).read("fold_runs", identity, "predictions.parquet")
    predictions = from_bytes(content, f"fold run {identity}")
    counts: dict[str, tuple[int, int]] = {}
    for subject, right in zip(predictions.subject.tolist(), predictions.correct.tolist(), strict=True):
        before = counts.get(subject, (0, 0))
        counts[subject] = (before[0] + int(right), before[1] + 1)
    return counts
