"""Scores of a trial's fold runs, computed from stored predictions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from platform.errors import UserError
from platform.runs.store import ResultsStore
from platform.runs.tasks import FoldTask

Counts = Mapping[str, tuple[int, int]]
"""Subject to (correct images, images)."""
MOST_KEPT = 100_000
_KEPT: dict[tuple[ResultsStore, str], Counts] = {}
"""Counts of the fold runs that this process has read, the latest MOST_KEPT."""


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
        counts = _stored_counts(store, task.identity)
        if counts is not None:
            steps[step] = counts
        elif not partial:
            raise KeyError(f"fold run {task.identity} (fold {task.fold_index}) has no result")
    return InnerScores(steps=steps)


def accuracy_of_run(store: ResultsStore, identity: str) -> float:
    """Accuracy in [0, 1] of a complete fold run. UserError if it is not there, or its stored predictions were
    modified."""
    return _accuracy(counts_of_run(store, identity))


def counts_of_run(store: ResultsStore, identity: str) -> Counts:
    """Each subject's correct images and images in a complete fold run. UserError as `accuracy_of_run`."""
    counts = _stored_counts(store, identity)
    if counts is None:
        raise UserError(f"the fold run {identity} has no result; run the command that made it again.")
    return counts


def _accuracy(counts: Counts) -> float:
    return sum(right for right, _ in counts.values()) / sum(total for _, total in counts.values())


def _stored_counts(store: ResultsStore, identity: str) -> Counts | None:
    """None unless the fold run is complete. Kept, because a finished result never changes; only whether it is
    still there is looked at again."""
    from platform.evaluation.predictions import counts_in

    known = _KEPT.get((store, identity))
    if known is not None:
        return known if store.is_complete("fold_runs", identity) else None
    manifest = store.complete_manifest("fold_runs", identity)
    if manifest is None:
        return None
    content = store.read("fold_runs", identity, "predictions.parquet", manifest)
    counts = counts_in(content, f"fold run {identity}")
    if len(_KEPT) >= MOST_KEPT:
        _KEPT.pop(next(iter(_KEPT)), None)
    _KEPT[store, identity] = counts
    return counts
