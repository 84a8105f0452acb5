"""Interval of the optimism gap: the score that selected a configuration minus the mean of the test folds.

Both are made of the same people in different roles: under the rule `inner` a subject is validated in some
folds and tested in one. Each subject's part in the gap is therefore its part in the validation score minus
its part in the test score, so that a subject who is easy in both roles cancels.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from platform.evaluation.subject_interval import StatisticInterval, interval_of_influences
from platform.search.inner_scores import Counts


@dataclass(frozen=True, kw_only=True, eq=False)
class GapSubjects:
    """What each of S subjects contributes to an optimism gap."""

    gap: float
    subjects: tuple[str, ...]
    """Sorted; everyone who was validated or tested."""
    influence: np.ndarray
    """float64 [S]: sums to 0."""
    validated: int
    """Subjects in a validation split of the winner."""
    tested: int
    """Subjects in a test fold."""
    both: int


def gap_subjects(validation: Sequence[tuple[float, Counts]], test: Mapping[int, Counts]) -> GapSubjects:
    """The gap of a row and each subject's part in it.

    validation: of each inner run of the winner (of each winner under `nested`) its weight in the validation
    score and its counts; weights sum to 1. test: fold to its counts. ValueError: one of them is empty.

    A mean A of accuracies of groups with weights w: subject s contributes, over its groups, the sum of
    w (correct - A * images) / (images of the group), as in `accuracy_interval.subject_spread`: differences
    between groups count as differences between subjects, because a group has only a few.
    """
    of_test = [(1.0 / len(test), counts) for counts in test.values()]
    first, second = (_parts(groups) for groups in (validation, of_test))
    names = sorted(first.of_subject.keys() | second.of_subject.keys())
    return GapSubjects(
        gap=first.mean - second.mean,
        subjects=tuple(names),
        influence=np.array(
            [first.of_subject.get(name, 0.0) - second.of_subject.get(name, 0.0) for name in names]
        ),
        validated=len(first.of_subject),
        tested=len(second.of_subject),
        both=len(first.of_subject.keys() & second.of_subject.keys()),
    )


def gap_interval(seeds: Sequence[GapSubjects]) -> StatisticInterval | None:
    """95 % interval of the gap of one row, or of the mean gap of rows that differ only in the seed.

    For new subjects, and new seeds of the final runs where there are several; the search keeps its one seed.
    None with one subject. ValueError: no row, or rows of other subjects.
    """
    if any(one.subjects != seeds[0].subjects for one in seeds):
        raise ValueError("gaps of several seeds are of the same subjects, but these are of others")
    if len(seeds[0].subjects) < 2:
        return None
    influence = np.mean([one.influence for one in seeds], axis=0)
    return interval_of_influences(np.array([one.gap for one in seeds]), influence, limits=(-1.0, 1.0))


@dataclass(frozen=True)
class _Parts:
    mean: float
    of_subject: dict[str, float]


def _parts(groups: Sequence[tuple[float, Counts]]) -> _Parts:
    if not groups:
        raise ValueError("a gap needs validation runs and test folds")
    sizes = [sum(images for _, images in counts.values()) for _, counts in groups]
    mean = sum(
        weight * sum(right for right, _ in counts.values()) / size
        for (weight, counts), size in zip(groups, sizes, strict=True)
    )
    of_subject: dict[str, float] = {}
    for (weight, counts), size in zip(groups, sizes, strict=True):
        for subject, (right, images) in counts.items():
            part = weight * (right - mean * images) / size
            of_subject[subject] = of_subject.get(subject, 0.0) + part
    return _Parts(mean, of_subject)
