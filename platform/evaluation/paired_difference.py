"""Difference between two methods on the same images and training seeds: interval and p value over subjects.

Chosen by simulated coverage: benchmarks/paired_coverage.py, docs/statistics.md. Sizes: R seeds, S subjects,
n images.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from platform.evaluation.accuracy_interval import Interval
from platform.evaluation.paired_tests import sign_flip_p
from platform.evaluation.subjects import check_images
from platform.evaluation.variance_parts import (
    VariancePart,
    equivalent_freedom,
    half_width,
    seeds_part,
    subjects_part,
    two_sided_p,
    unseen_part,
)

FEW_DIFFERING = 6
"""Below this number of differing subjects the sign-flip test cannot reach p < .05."""

ROUNDING = 1e-14
"""Below this, a subject's contribution to the difference is rounding of a zero sum."""


@dataclass(frozen=True, kw_only=True)
class SeedCounts:
    """Correct images of two methods by training seed and subject; seed r of both is row r."""

    first: np.ndarray
    """int64 (R, S)."""
    second: np.ndarray
    """int64 (R, S)."""
    images: np.ndarray
    """int64 (S,), at least 1 each: a subject's images, the same in every seed."""
    fold: np.ndarray
    """int64 (S,): the fold that tested each subject, or the lowest of them."""

    def __post_init__(self) -> None:
        """Raise ValueError for shapes that do not fit, no seed, no subject, or impossible counts."""
        if self.first.ndim != 2 or self.first.shape != self.second.shape or not self.first.size:
            raise ValueError(
                f"counts must be two equal arrays (seeds, subjects), got {self.first.shape} and "
                f"{self.second.shape}"
            )
        subjects = self.first.shape[1:]
        if self.images.shape != subjects or self.fold.shape != subjects:
            raise ValueError(
                f"{subjects[0]} subjects need as many images and folds, got {self.images.shape} and "
                f"{self.fold.shape}"
            )
        for name in ("first", "second", "images", "fold"):
            if not np.issubdtype(getattr(self, name).dtype, np.integer):
                raise ValueError(f"{name} must be whole numbers, got {getattr(self, name).dtype}")
        if self.images.min() < 1:
            raise ValueError("every subject needs at least one image")
        for counts in (self.first, self.second):
            if counts.min() < 0 or (counts > self.images).any():
                raise ValueError("a subject's correct images must lie between 0 and its images")


@dataclass(frozen=True, kw_only=True)
class PairedDifference:
    """The first method's pooled accuracy minus the second's, mean over seeds; all in [-1, 1]."""

    difference: float
    interval: Interval | None
    """95 %, difference +- t(freedom) * standard_error within [-1, 1]. None with one subject."""
    p_value: float | None
    """Two-sided, in (0, 1]. None with one subject: it cannot be tested."""
    smallest_p: float | None
    """The smallest p value that the subjects who differ allow; None where six or more differ, or with one
    subject."""
    subject_count: int
    differing_subjects: int
    """Subjects on whom the two methods have different numbers of correct images, all seeds together."""
    seed_count: int
    standard_error: float | None
    """Of `difference`: over new subjects, and over new seeds where there are several. None with one
    subject."""
    freedom: float | None
    """Degrees of freedom of the interval. None with one subject."""


def seed_counts(
    first_correct: np.ndarray, second_correct: np.ndarray, subject: np.ndarray, fold: np.ndarray | None = None
) -> SeedCounts:
    """Counts of images, subjects sorted by name.

    first_correct, second_correct: bool (R, n), or (n,) for one seed: the same images and seeds in the same
    order. subject: str (n,). fold: int (n,), None for one fold. Raises ValueError for what does not fit.
    """
    first, second = np.atleast_2d(first_correct), np.atleast_2d(second_correct)
    if first.shape != second.shape:
        raise ValueError(f"both methods need the same seeds and images: {first.shape}, {second.shape}")
    for one, other in zip(first, second, strict=True):
        check_images(subject, first_correct=one, second_correct=other)
    names, group = np.unique(subject, return_inverse=True)
    lowest = np.zeros(len(names), dtype=np.int64)
    if fold is not None:
        if fold.shape != subject.shape:
            raise ValueError(f"every image needs a fold: {len(fold)} folds, {len(subject)} images")
        lowest[:] = fold.max()
        np.minimum.at(lowest, group, fold)

    def counted(correct: np.ndarray) -> np.ndarray:
        rows = [np.bincount(group, weights=row, minlength=len(names)) for row in correct]
        return np.stack(rows).astype(np.int64)

    return SeedCounts(first=counted(first), second=counted(second), images=np.bincount(group), fold=lowest)


def paired_difference(counts: SeedCounts, *, confidence: float = 0.95) -> PairedDifference:
    """Difference of pooled accuracies, its interval and p value, for new subjects (and new seeds).

    Not random; does not depend on the order of subjects or seeds. One subject: no interval, no p value.

    One seed. Interval: t over subjects, of a ratio of sums with Satterthwaite's freedom, and `unseen_part` of
    the subjects on whom the methods agree, by Banerjee's rule, `half_width`. It holds for new subjects and
    *these* nets: the variation between seeds is not in it. p: exact sign-flip test over subjects. The two may
    disagree: only the interval allows for subjects unlike those tested.
    Several seeds. The variance of the mean between seeds (of all subjects, R - 1 degrees of freedom) joins
    it, and the interval holds for new subjects and new seeds. p: the larger of that interval's and of the
    sign-flip test of the sums over seeds, so that p < .05 implies that the 95 % interval excludes zero.

    Source: Cochran (1977), Sampling Techniques, chapter 6 (a ratio of sums); Banerjee (1960), Sankhya
    22:357-360; Fisher (1935), The Design of Experiments, section 21. Assumes that subjects and seeds are
    independent draws, and, for p, that the methods are exchangeable within a subject if they do not differ.
    """
    gained = counts.first.sum(axis=0) - counts.second.sum(axis=0)
    seeds, subjects = counts.first.shape
    images = int(counts.images.sum())
    difference = float(gained.sum() / (images * seeds))
    differing = int((gained != 0).sum())
    if subjects == 1:
        return PairedDifference(
            difference=difference,
            interval=None,
            p_value=None,
            smallest_p=None,
            subject_count=1,
            differing_subjects=differing,
            seed_count=seeds,
            standard_error=None,
            freedom=None,
        )
    parts = _parts(counts, gained, difference)
    width = half_width(parts, confidence)
    flipped = sign_flip_p(gained)
    return PairedDifference(
        difference=difference,
        interval=Interval(low=max(-1.0, difference - width), high=min(1.0, difference + width)),
        p_value=flipped if seeds == 1 else max(flipped, two_sided_p(parts, difference)),
        smallest_p=min(1.0, 2.0 ** (1 - differing)) if differing < FEW_DIFFERING else None,
        subject_count=subjects,
        differing_subjects=differing,
        seed_count=seeds,
        standard_error=sum(part.variance for part in parts) ** 0.5,
        freedom=equivalent_freedom(parts, confidence),
    )


def _parts(counts: SeedCounts, gained: np.ndarray, difference: float) -> list[VariancePart]:
    """Variance due to subjects, seeds and unseen subjects. gained: int64 (S,), over all seeds."""
    seeds, subjects = counts.first.shape
    images = int(counts.images.sum())
    influences = (gained / seeds - difference * counts.images) / images
    influences[np.abs(influences) < ROUNDING] = 0.0
    agreeing = float((gained == 0).mean())
    parts = [subjects_part(influences), unseen_part(subjects, agreeing, _size_unseen(counts))]
    # Sorted, so that the order of the seeds cannot change the last digit.
    of_seeds = seeds_part(np.sort((counts.first - counts.second).sum(axis=1)) / images)
    if of_seeds is not None:
        parts.append(of_seeds)
    # Every subject differs by the same: nothing is known of those who do not.
    return parts if any(part.variance > 0.0 for part in parts) else [unseen_part(subjects, 1.0)]


def _size_unseen(counts: SeedCounts) -> float:
    """By how much the methods may differ on a subject of a kind that was not drawn; in (0, 1].

    Between the largest difference d that any subject shows under any seed, and 1, the largest possible one:
    d^(1/2 - 3/S), so that with many subjects it is near the root of d. 1 with up to six subjects, who say
    little of the others, and where the methods agree on everyone. Chosen by simulated coverage.
    """
    largest = float((np.abs(counts.first - counts.second) / counts.images).max())
    return largest ** max(0.0, 0.5 - 3.0 / len(counts.images)) or 1.0
