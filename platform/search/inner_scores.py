"""Scores of a trial's fold runs, from the stored predictions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from platform.runs.store import ResultsStore
from platform.runs.tasks import FoldTask

Counts = Mapping[str, tuple[int, int]]
"""Subject to (images right, images)."""


@dataclass(frozen=True, kw_only=True)
class InnerScores:
    """Of each step done (a fold run of the trial): how many images of each subject were right."""

    steps: Mapping[int, Counts]
    """Place of the step in the trial, from 0, to its counts."""

    @property
    def mean_of_steps(self) -> float:
        """The unweighted mean of the steps' accuracies: a search's objective. A step is one fold's."""
        accuracies = [_accuracy(counts) for counts in self.steps.values()]
        return sum(accuracies) / len(accuracies)

    @property
    def mean_or_none(self) -> float | None:
        """The mean of the steps there are; None where there is none."""
        return self.mean_of_steps if self.steps else None

    def subject_accuracies(self, steps: Iterable[int]) -> dict[str, float]:
        """Each subject's accuracy over these steps, all of which must be done."""
        sums: dict[str, tuple[int, int]] = {}
        for step in steps:
            for subject, (right, total) in self.steps[step].items():
                before = sums.get(subject, (0, 0))
                sums[subject] = (before[0] + right, before[1] + total)
        return {subject: right / total for subject, (right, total) in sums.items()}


def inner_scores(store: ResultsStore, tasks: Sequence[FoldTask], *, partial: bool = False) -> InnerScores:
    """Scores of these fold runs, a trial's steps in order; with `partial`, those that are there.

    KeyError when a fold run is missing and `partial` is not set.
    """
    steps: dict[int, Counts] = {}
    for step, task in enumerate(tasks):
        if store.is_complete("fold_runs", task.identity):
            steps[step] = _counts(store.root, task.identity)
        elif not partial:
            raise KeyError(f"fold run {task.identity} (fold {task.fold_index}) has no result")
    return InnerScores(steps=steps)


def accuracy_of_run(store: ResultsStore, identity: str) -> float:
    """Accuracy in [0, 1] of one finished fold run. UserError when its predictions were changed."""
    return _accuracy(_counts(store.root, identity))


def _accuracy(counts: Counts) -> float:
    return sum(right for right, _ in counts.values()) / sum(total for _, total in counts.values())


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
