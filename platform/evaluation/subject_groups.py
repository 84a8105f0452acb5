"""Accuracy of a method on groups of subjects, and tests between groups.

A subject belongs to one group of each grouping (sex, ancestry). Groups have different subjects, so the tests
are unpaired: whole subjects are permuted between two groups.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import combinations
from math import comb

import numpy as np

from platform.evaluation.accuracy_interval import AccuracyInterval, Interval, accuracy_interval
from platform.evaluation.paired_tests import holm
from platform.evaluation.scored_items import ScoredItems

Groups = Mapping[str, Mapping[str, str]]
"""Grouping to subject to its group; a subject whose group is not known is absent."""
ALL_PERMUTATIONS = 20_000
"""Up to so many divisions of the subjects are all computed; beyond, DRAWN_PERMUTATIONS random ones."""
DRAWN_PERMUTATIONS = 9_999
SEED = 0
TIE = 1e-9
"""Test statistics closer than this are equal but for rounding."""


@dataclass(frozen=True, kw_only=True)
class GroupAccuracy:
    """One group's part of a row's predictions."""

    grouping: str
    group: str
    subject_count: int
    item_count: int
    """Images, or sequences for a method that scores those."""
    accuracy: float
    """Pooled, in [0, 1]."""
    interval: AccuracyInterval | None
    """95 % CI for new subjects; None with one subject."""


@dataclass(frozen=True, kw_only=True)
class GroupDifference:
    """The first group's pooled accuracy minus the second's."""

    grouping: str
    first: str
    second: str
    difference: float
    """In [-1, 1]."""
    interval: Interval | None
    """95 % CI; None where a group has one subject, or the subjects of both groups do not vary."""
    p_value: float | None
    """Two-sided; None where a group has one subject, which cannot be tested."""
    smallest_p: float | None
    """The smallest p that these numbers of subjects permit."""
    holm_p_value: float | None = None
    """Corrected over all tested pairs of groups of the row."""


@dataclass(frozen=True, kw_only=True)
class GroupScores:
    """A row by groups of subjects."""

    accuracies: tuple[GroupAccuracy, ...]
    """By grouping and group, sorted by name."""
    differences: tuple[GroupDifference, ...]
    """All pairs within a grouping."""
    unknown_subjects: Mapping[str, int]
    """Grouping to the number of tested subjects whose group is not known, where there are any."""


def group_scores(items: ScoredItems, groups: Groups) -> GroupScores | None:
    """Accuracies and differences by group; None where no tested subject has a known group."""
    right = items.by_subject(items.correct.astype(np.float64))
    counts = items.by_subject(np.ones(len(items)))
    accuracies: list[GroupAccuracy] = []
    differences: list[GroupDifference] = []
    unknown: dict[str, int] = {}
    for grouping in sorted(groups):
        of_subject = [groups[grouping].get(name, "") for name in items.subject_names]
        if not any(of_subject):
            continue
        if not all(of_subject):
            unknown[grouping] = of_subject.count("")
        group_of = np.array(of_subject, dtype=str)
        names = sorted(set(of_subject) - {""})
        accuracies += [_accuracy(items, grouping, name, group_of == name) for name in names]
        differences += [
            _difference(grouping, pair, group_of, right, counts) for pair in combinations(names, 2)
        ]
    if not accuracies:
        return None
    return GroupScores(
        accuracies=tuple(accuracies), differences=tuple(_corrected(differences)), unknown_subjects=unknown
    )


def _accuracy(items: ScoredItems, grouping: str, group: str, inside: np.ndarray) -> GroupAccuracy:
    """inside: bool (S,), the subjects of the group."""
    tested = inside[items.subject]
    correct, subject = items.correct[tested], items.subject[tested]
    return GroupAccuracy(
        grouping=grouping,
        group=group,
        subject_count=int(inside.sum()),
        item_count=int(tested.sum()),
        accuracy=float(correct.mean()),
        interval=accuracy_interval(correct, subject) if inside.sum() > 1 else None,
    )


def _difference(
    grouping: str, pair: tuple[str, str], group_of: np.ndarray, right: np.ndarray, counts: np.ndarray
) -> GroupDifference:
    first, second = (group_of == name for name in pair)
    difference = right[first].sum() / counts[first].sum() - right[second].sum() / counts[second].sum()
    interval = p_value = smallest = None
    if min(first.sum(), second.sum()) > 1:
        both = first | second
        p_value, smallest = permutation_test(right[both], counts[both], first[both])
        interval = _welch(right, counts, first, second)
    return GroupDifference(
        grouping=grouping,
        first=pair[0],
        second=pair[1],
        difference=float(difference),
        interval=interval,
        p_value=p_value,
        smallest_p=smallest,
    )


def _corrected(differences: list[GroupDifference]) -> list[GroupDifference]:
    tested = [one for one in differences if one.p_value is not None]
    adjusted = dict(zip(map(id, tested), holm([one.p_value or 0.0 for one in tested]), strict=True))
    return [replace(one, holm_p_value=adjusted.get(id(one))) for one in differences]


def permutation_test(right: np.ndarray, counts: np.ndarray, first: np.ndarray) -> tuple[float, float]:
    """Two-sided p of equal pooled accuracy of two groups of subjects, and the smallest p possible.

    right, counts: float64 (S,), correct items and items of each subject, sorted by name. first: bool (S,),
    the subjects of the first group; each group has at least two. The statistic is the difference of the
    pooled accuracies over its standard error (each group's by linearisation over its subjects), so that
    groups whose subjects vary differently are not mistaken for groups of different accuracy. Exact under the
    hypothesis that subjects of both groups are draws from one population: all divisions of the S subjects
    where there are at most ALL_PERMUTATIONS, else DRAWN_PERMUTATIONS of them, from a fixed seed, counting the
    observed one.
    Source: Janssen (1997), Statistics & Probability Letters 36:9-21; Phipson and Smyth (2010), Statistical
    Applications in Genetics and Molecular Biology 9:39, for p from drawn permutations.
    """
    size, total = int(first.sum()), len(first)
    observed = _studentised(first[None].astype(np.float64), right, counts)[0]
    if comb(total, size) <= ALL_PERMUTATIONS:
        chosen = np.array(list(combinations(range(total), size)))
        members = np.zeros((len(chosen), total))
        np.put_along_axis(members, chosen, 1.0, axis=1)
        sizes = _studentised(members, right, counts)
        smallest = float(np.mean(sizes >= sizes.max() - TIE))
        return float(np.mean(sizes >= observed - TIE)), smallest
    drawn = np.random.default_rng(SEED).random((DRAWN_PERMUTATIONS, total))
    members = (drawn.argsort(axis=1) < size).astype(np.float64)
    above = int((_studentised(members, right, counts) >= observed - TIE).sum())
    return (above + 1) / (DRAWN_PERMUTATIONS + 1), 1 / (DRAWN_PERMUTATIONS + 1)


def _studentised(members: np.ndarray, right: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """float64 (P,): absolute difference over its standard error for each division of the subjects.

    members: float64 (P, S), 1 for the subjects of the first group. A difference without variation within the
    groups is infinitely far from none.
    """
    sides = [_group_parts(side, right, counts) for side in (members, 1.0 - members)]
    difference = np.abs(sides[0][0] - sides[1][0])
    error = np.sqrt(sides[0][1] + sides[1][1])
    infinite = np.where(difference > TIE, np.inf, 0.0)
    return np.divide(difference, error, out=infinite, where=error > TIE)


def _group_parts(members: np.ndarray, right: np.ndarray, counts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Pooled accuracy of the members and its variance over them, each float64 (P,)."""
    size, items = members.sum(axis=1), members @ counts
    accuracy = members @ right / items
    squares = members @ right**2 - 2 * accuracy * (members @ (right * counts))
    squares += accuracy**2 * (members @ counts**2)
    return accuracy, size / (size - 1) * np.maximum(squares, 0.0) / items**2


def _welch(right: np.ndarray, counts: np.ndarray, first: np.ndarray, second: np.ndarray) -> Interval | None:
    """95 % CI of the difference: Student's t with Welch and Satterthwaite's degrees of freedom.

    None where the subjects of each group are all alike: they say nothing about the variation of others.
    """
    from scipy.special import stdtrit

    values, variances, freedoms = [], [], []
    for side in (first, second):
        accuracy, variance = _group_parts(side[None].astype(np.float64), right, counts)
        values.append(float(accuracy[0]))
        variances.append(float(variance[0]))
        freedoms.append(int(side.sum()) - 1)
    spread = sum(variances)
    if spread <= TIE**2:
        return None
    freedom = spread**2 / sum(one**2 / count for one, count in zip(variances, freedoms, strict=True))
    half = float(stdtrit(freedom, 0.975)) * spread**0.5
    difference = values[0] - values[1]
    return Interval(low=max(-1.0, difference - half), high=min(1.0, difference + half))
