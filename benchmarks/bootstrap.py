"""Bootstrap intervals over subjects, the alternatives that benchmarks/interval_coverage.py compares.

Percentile and BCa intervals, pooled or stratified by fold. Sources: Davison and Hinkley (1997), Bootstrap
Methods and Their Application, sections 3.2, 3.8 and 5.3; Efron (1987). They assume that subjects are
independent draws of the population and exclude the variation between training seeds. With few subjects and
near 100 % their coverage is too low: a bootstrap cannot resample errors that did not occur, so a score
without errors gets [1, 1]. With three or four subjects a fold, drawing within folds understates the variance
by about (s - 1) / s.

Randomness comes in as a NumPy generator. Sizes: n images, S subjects, F folds, R resamples.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from platform.evaluation.accuracy_interval import Interval
from platform.evaluation.subjects import check_images, subject_counts

SUBJECTS_A_PAIR = 4
"""Subjects a distinct (correct, images) pair up to which drawing subjects is faster than drawing pairs."""
DRAWS_AT_ONCE = 2**21
"""Counts held in memory at a time (16 MiB)."""


@dataclass(frozen=True, kw_only=True)
class BootstrapSample:
    """An accuracy and its values in R resamples of the subjects."""

    accuracy: float
    resampled: np.ndarray
    """float64 (R,), in [0, 1]."""
    influence: np.ndarray
    """float64 (S,): how the accuracy moves with each subject's weight; sums to zero."""

    def percentile(self, confidence: float = 0.95) -> Interval:
        """The resampled quantiles. Source: Davison and Hinkley (1997), section 5.3.1."""
        tail = (1.0 - confidence) / 2.0
        return self._quantiles(tail, 1.0 - tail)

    def bca(self, confidence: float = 0.95) -> Interval:
        """Bias-corrected and accelerated: quantiles moved for bias and skewness.

        Source: Efron (1987), JASA 82:171-185; Davison and Hinkley (1997), section 5.3.2, with the
        acceleration from the influence values. Departure: resamples equal to the accuracy count as half
        below it (accuracies are few distinct numbers), and the bias stays finite when all lie on one side.
        """
        from scipy.special import ndtr, ndtri

        squares = float((self.influence**2).sum())
        if squares == 0.0:
            return Interval(low=self.accuracy, high=self.accuracy)
        acceleration = float((self.influence**3).sum()) / (6.0 * squares**1.5)
        equal = np.isclose(self.resampled, self.accuracy, rtol=0.0, atol=1e-12)
        below = float(((self.resampled < self.accuracy) & ~equal).mean() + equal.mean() / 2.0)
        edge = 1.0 / (len(self.resampled) + 1)
        bias = float(ndtri(min(max(below, edge), 1.0 - edge)))
        tail = (1.0 - confidence) / 2.0
        moved = bias + ndtri(np.array([tail, 1.0 - tail]))
        low, high = ndtr(bias + moved / (1.0 - acceleration * moved))
        return self._quantiles(float(low), float(high))

    def _quantiles(self, low: float, high: float) -> Interval:
        ends = np.quantile(self.resampled, [low, high])
        return Interval(low=float(ends[0]), high=float(ends[1]))


def resample_pooled(
    correct: np.ndarray, subject: np.ndarray, generator: np.random.Generator, resamples: int
) -> BootstrapSample:
    """The pooled accuracy when whole subjects are drawn with replacement.

    correct: bool (n,). subject: str (n,). Raises ValueError with fewer than two subjects.
    """
    counts = subject_counts(correct, subject)
    if len(counts) < 2:
        raise ValueError(f"a bootstrap over subjects needs two or more of them, got {len(counts)}")
    return _resample(counts, generator, resamples)


def resample_mean_of_folds(
    correct: np.ndarray,
    subject: np.ndarray,
    fold: np.ndarray,
    generator: np.random.Generator,
    resamples: int,
) -> BootstrapSample:
    """The mean of folds when subjects are drawn with replacement within each fold.

    correct: bool (n,). subject: str (n,). fold: int (n,). Raises ValueError when a fold tests fewer than two
    subjects, because drawing one subject of one shows no variance.
    """
    check_images(subject, correct=correct)
    parts = []
    for index in np.unique(fold):
        inside = fold == index
        counts = subject_counts(correct[inside], subject[inside])
        if len(counts) < 2:
            raise ValueError(
                f"fold {index} tests {len(counts)} subject; a bootstrap within folds needs two or more"
            )
        parts.append(_resample(counts, generator, resamples))
    return BootstrapSample(
        accuracy=float(np.mean([part.accuracy for part in parts])),
        resampled=sum((part.resampled for part in parts), np.zeros(resamples)) / len(parts),
        influence=np.concatenate([part.influence for part in parts]) / len(parts),
    )


def _resample(counts: np.ndarray, generator: np.random.Generator, resamples: int) -> BootstrapSample:
    """Of one stratum. counts: int64 (S, 2), correct images and images of each subject."""
    right, images = counts.sum(axis=0)
    accuracy = float(right / images)
    return BootstrapSample(
        accuracy=accuracy,
        resampled=_resampled_accuracies(counts, generator, resamples),
        influence=(counts[:, 0] - accuracy * counts[:, 1]) / images,
    )


def _resampled_accuracies(counts: np.ndarray, generator: np.random.Generator, resamples: int) -> np.ndarray:
    """float64 (R,): accuracies of S subjects drawn with replacement. counts: int64 (S, 2).

    Subjects with equal counts are interchangeable, so with many subjects the draw is a multinomial over
    the distinct pairs: the same distribution, and memory stays small where each of 24,530 images is a
    subject. With few subjects, drawing them one by one is faster.
    """
    pairs, multiplicity = np.unique(counts, axis=0, return_counts=True)
    one_by_one = len(counts) <= SUBJECTS_A_PAIR * len(pairs)
    at_once = max(1, DRAWS_AT_ONCE // (len(counts) if one_by_one else len(pairs)))
    accuracies = np.empty(resamples)
    for start in range(0, resamples, at_once):
        rows = accuracies[start : start + at_once]
        if one_by_one:
            drawn = generator.integers(len(counts), size=(len(rows), len(counts)))
            right, images = counts[:, 0][drawn].sum(axis=1), counts[:, 1][drawn].sum(axis=1)
        else:
            draws = generator.multinomial(len(counts), multiplicity / len(counts), size=len(rows))
            right, images = draws @ pairs[:, 0], draws @ pairs[:, 1]
        rows[:] = right / images
    return accuracies
