"""Confidence interval of an accuracy over subjects; chosen by simulated coverage (docs/statistics.md)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from platform.evaluation.subjects import check_images
from platform.evaluation.variance_parts import satterthwaite, seeds_part

METHOD = "Korn-Graubard over subjects"
FEW_SUBJECTS = 10
"""Below this number of subjects, or of subjects with errors or with correct images, a caveat is due."""

ROUNDING = 1e-14
"""Below this, a subject's contribution to the accuracy is rounding of a zero sum."""


@dataclass(frozen=True, kw_only=True)
class Interval:
    """A confidence interval of an accuracy; both ends in [0, 1]."""

    low: float
    high: float

    def overlaps(self, other: Interval) -> bool:
        """Whether the two share at least one point."""
        return self.low <= other.high and other.low <= self.high


@dataclass(frozen=True, kw_only=True)
class AccuracyInterval(Interval):
    """An interval with its method and its limits."""

    method: str
    caveat: str | None
    """A sentence to show with the interval; None without a special limit."""


@dataclass(frozen=True, kw_only=True)
class SubjectSpread:
    """An accuracy and its variation between subjects, as estimated from images."""

    accuracy: float
    """Pooled, or the mean of folds; in [0, 1]."""
    variance: float
    """Of `accuracy` over draws of subjects (linearised)."""
    freedom: float
    """Satterthwaite's degrees of freedom of `variance`; from 1 to subject_count - 1."""
    subject_count: int
    erring_subjects: int
    """Subjects with at least one wrong image."""
    answering_subjects: int
    """Subjects with at least one correct image."""
    fewest_effective: float
    """Effective number of independent images if all images of a subject share their outcome."""
    most_effective: float
    """Effective number of images if the images of a subject are independent."""
    of_seeds: tuple[float, ...]
    """The accuracy of each training seed, sorted."""


def accuracy_interval(
    correct: np.ndarray,
    subject: np.ndarray,
    fold: np.ndarray | None = None,
    *,
    confidence: float = 0.95,
) -> AccuracyInterval:
    """Interval of the pooled accuracy (`fold` None) or of the mean of folds, for new subjects.

    correct: bool (n,). subject: str (n,). fold: int (n,), the fold that tested each image. Not
    random. Raises ValueError with fewer than two subjects and for a `correct` that is not bool.

    An accuracy A of n images with variance V over subjects is as precise as one of m = A (1 - A) / V
    independent images; the interval is Clopper and Pearson's for A m correct of m.
    Source: Korn and Graubard (1998), Survey Methodology 24:193-201, with these departures:
    - They shrink m by (t of n - 1 / t of S - 1)^2, here (z / t)^2. Near 100 % only the few subjects with
      errors inform V, so the degrees of freedom of t are Satterthwaite's ((1946), Biometrics Bulletin
      2:110-114), at most S - 1: 2 (sum of r^2)^2 / (sum of r^4), r each subject's contribution to A.
    - They limit m to n; here the limit applies before the shrinking, and m is never below its value when all
      images of a subject share their outcome: S for S subjects of equal size. A score without errors, for
      which V is uninformative, has that m: its 95 % CI reaches down to about 1 - 3.7 / S.

    Assumes that subjects are independent draws from the target population, and that accuracy does not depend
    on the number of images of a subject. Excludes the variation of training (seeds, training subjects). In
    the mean of folds, differences between folds count as differences between subjects, so the interval is too
    wide when folds truly differ.
    """
    return seed_accuracy_interval(correct[None], subject, fold, confidence=confidence)


def seed_accuracy_interval(
    correct: np.ndarray, subject: np.ndarray, fold: np.ndarray | None = None, *, confidence: float = 0.95
) -> AccuracyInterval:
    """Interval of the mean over training seeds of such an accuracy, for new subjects and new seeds.

    correct: bool (R, n), row = seed, the same images in every row; the rest, and errors, as of
    `accuracy_interval`, whose interval one seed gives: one seed says nothing of others.

    The squared half-widths of a t interval over subjects (of the seeds' mean) and of one over seeds (of each
    seed's accuracy, R - 1 degrees of freedom) are added, and the interval is that of as many independent
    images as would have this half-width: m = z^2 A (1 - A) / (their sum), with the limits of
    `accuracy_interval` on the part of the subjects.
    Source: as `accuracy_interval`; the sum: Banerjee (1960), see `variance_parts.half_width`. Assumes
    moreover that seeds are independent draws, and that their effects do not depend on the subjects drawn.
    """
    spread = subject_spread(correct, subject, fold)
    low, high = clopper_pearson(spread.accuracy, _effective_images(spread, confidence), confidence)
    return AccuracyInterval(low=low, high=high, method=METHOD, caveat=_caveat(spread))


def subject_spread(correct: np.ndarray, subject: np.ndarray, fold: np.ndarray | None = None) -> SubjectSpread:
    """Accuracy, mean over seeds, and its variance over subjects.

    correct: bool (n,), or (R, n) for R seeds; other arguments and errors as of `accuracy_interval`.

    V = S / (S - 1) * sum of r^2, where a subject's r is the sum of w (correct - A) over its images and w an
    image's share of A: 1 / n pooled, 1 / (folds * images of its fold) for the mean of folds.
    Source: Cochran (1977), Sampling Techniques, chapter 3 (a proportion from clusters of unequal size).
    """
    rows = np.atleast_2d(correct)
    for row in rows:
        check_images(subject, correct=row)
    names, subject_index = np.unique(subject, return_inverse=True)
    if len(names) < 2:
        raise ValueError(f"an interval over subjects needs two or more of them, got {len(names)}")
    fold = np.zeros(len(subject), dtype=np.int64) if fold is None else fold
    if fold.shape != subject.shape:
        raise ValueError(f"every image needs a fold: {len(fold)} folds, {len(subject)} images")
    folds, fold_index = np.unique(fold, return_inverse=True)
    # Integer counts by (subject, fold) first, so that the order of the images cannot change the result.
    cells, cell_index = np.unique(subject_index * len(folds) + fold_index, return_inverse=True)
    images = np.bincount(cell_index)
    # (R, cells). Its mean over seeds is of whole numbers too: the order of the seeds cannot change it.
    right_of_seeds = np.stack([np.bincount(cell_index, weights=row) for row in rows])
    right = right_of_seeds.sum(axis=0) / len(rows)
    cell_subject, cell_fold = np.divmod(cells, len(folds))
    fold_images = np.bincount(cell_fold, weights=images)
    share = 1.0 / (len(folds) * fold_images[cell_fold])
    accuracy = float((np.bincount(cell_fold, weights=right) / fold_images).mean())
    residual = np.bincount(cell_subject, weights=share * (right - accuracy * images))
    residual[np.abs(residual) < ROUNDING] = 0.0
    weight = np.bincount(cell_subject, weights=share * images)
    return SubjectSpread(
        accuracy=accuracy,
        variance=len(names) / (len(names) - 1) * float((residual**2).sum()),
        freedom=satterthwaite(residual),
        subject_count=len(names),
        erring_subjects=len(np.unique(cell_subject[right < images])),
        answering_subjects=len(np.unique(cell_subject[right > 0])),
        fewest_effective=float(1.0 / (weight**2).sum()),
        most_effective=float(len(folds) ** 2 / (1.0 / fold_images).sum()),
        of_seeds=tuple(sorted(float((row * share).sum()) for row in right_of_seeds)),
    )


def clopper_pearson(accuracy: float, images: float, confidence: float) -> tuple[float, float]:
    """The exact binomial interval of `accuracy * images` correct of `images`; both may be fractions.

    Source: Clopper and Pearson (1934), Biometrika 26:404-413, by quantiles of the beta distribution.
    """
    from scipy.special import betaincinv

    tail = (1.0 - confidence) / 2.0
    right, wrong = accuracy * images, (1.0 - accuracy) * images
    low = float(betaincinv(right, wrong + 1.0, tail)) if accuracy > 0.0 else 0.0
    high = float(betaincinv(right + 1.0, wrong, 1.0 - tail)) if accuracy < 1.0 else 1.0
    return low, high


def _effective_images(spread: SubjectSpread, confidence: float) -> float:
    from scipy.special import ndtri, stdtrit

    if min(spread.erring_subjects, spread.answering_subjects) == 0:
        return spread.fewest_effective
    independent = spread.accuracy * (1.0 - spread.accuracy) / spread.most_effective
    design_effect = max(1.0, spread.variance / independent)
    level = 1.0 - (1.0 - confidence) / 2.0
    shrinkage = float(ndtri(level) / stdtrit(spread.freedom, level)) ** 2
    images = max(spread.most_effective / design_effect * shrinkage, spread.fewest_effective)
    seeds = seeds_part(np.array(spread.of_seeds))
    if seeds is None:
        return images
    of_seeds = seeds.variance * float(stdtrit(seeds.freedom, level) / ndtri(level)) ** 2
    return 1.0 / (1.0 / images + of_seeds / (spread.accuracy * (1.0 - spread.accuracy)))


_POORLY_KNOWN = "the variation between people is poorly known."


def _caveat(spread: SubjectSpread) -> str | None:
    erring, answering = spread.erring_subjects, spread.answering_subjects
    if min(erring, answering) == 0:
        return (
            f"No image is {'wrong' if erring == 0 else 'right'}, so the interval is that of "
            f"{spread.fewest_effective:.0f} equal subjects, each with all images right or all wrong."
        )
    if spread.subject_count < FEW_SUBJECTS:
        return f"With {spread.subject_count} subjects {_POORLY_KNOWN}"
    if min(erring, answering) < FEW_SUBJECTS:
        count, which = (erring, "errors") if erring <= answering else (answering, "correct images")
        return f"Only {count} subject{'s have' if count > 1 else ' has'} {which}, so {_POORLY_KNOWN}"
    return None
