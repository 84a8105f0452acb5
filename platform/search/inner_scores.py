"""Scores of a trial's fold runs, computed from stored predictions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from platform.runs.store import ResultsStore
from platform.runs.tasks import FoldTask

Counts = Mapping[str, tuple[int, int]]
"""Subject to (correct images, images)."""


@dataclass(frozen=True, kw_only=True)
class InnerScores:
    """Correct and total images per subject for each finished step (fold run) of a trial."""

    steps: Mapping[int, Counts]
    """Index of the step in the trial, from 0, to its counts."""

    @property
    def mean_of_steps(self) -> float:
        """The unweighted mean of the steps' accuracies, one step per fold: the objective of a search."""
        accuracies = [_accuracy(counts) for counts in self.steps.values()]
        return sum(accuracies) / len(accuracies)

    @property
    def mean_or_none(self) -> float | None:
        """The mean of the finished steps; None without any."""
        return self.mean_of_steps if self.steps else None

    def subject_accuracies(self, steps: Iterable[int]) -> dict[str, float]:
        """Each subject's accuracy over `steps`, all of which must be finished."""
        sums: dict[str, tuple[int, int]] = {}
        for step in steps:
            for subject, (right, total) in self.steps[step].items():
                before = sums.get(subject, (0, 0))
                sums[subject] = (before[0] + right, before[1] + total)
        return {subject: right / total for subject, (right, total) in sums.items()}


def inner_scores(store: ResultsStore, tasks: Sequence[FoldTask], *, partial: bool = False) -> InnerScores:
    """Scores of these fold runs, a trial's steps in order; with `partial`, only of the stored ones.

    KeyError if a fold run is missing and `partial` is not set.
    """
    steps: dict[int, Counts] = {}
    for step, task in enumerate(tasks):
        if store.is_complete("fold_runs", task.identity):
            steps[step] = _counts(store, task.identity)
        elif not partial:
            raise KeyError(f"fold run {task.identity} (fold {task.fold_index}) has no result")
    return InnerScores(steps=steps)


def accuracy_of_run(store: ResultsStore, identity: str) -> float:
    """Accuracy in [0, 1] of a finished fold run. UserError if its stored predictions were modified."""
    return _accuracy(_counts(store, identity))


def _accuracy(counts: Counts) -> float:
    return sum(right for right, _ in counts.values()) / sum(total for _, total in counts.values())


@lru_cache(maxsize=100_000)
def _counts(store: ResultsStore, identity: str) -> Counts:
    """Cached, because a finished result never changes."""
    from platform.evaluation.predictions import counts_in

    content = store.read("fold_runs", identity, "predictions.parquet")
    return counts_in(content, f"fold run {identity}")
