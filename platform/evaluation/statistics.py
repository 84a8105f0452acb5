"""Intervals and tests that respect subjects: images of one person are never independent.

All functions are pure; randomness comes in as a NumPy generator. Sizes: n images, S subjects,
F folds, R resamples.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

DEFAULT_RESAMPLES = 10_000


@dataclass(frozen=True, kw_only=True)
class Interval:
    """A confidence interval of an accuracy; both ends in [0, 1]."""

    low: float
    high: float

    def overlaps(self, other: Interval) -> bool:
        """True when the two share at least one point."""
        return self.low <= other.high and other.low <= self.high


@dataclass(frozen=True, kw_only=True)
class PairedDifference:
    """Two methods on the same images: the first's pooled accuracy minus the second's."""

    difference: float
    """In [-1, 1]."""
    p_value: float
    """Two-sided, in (0, 1]."""
    subject_count: int
    differing_subjects: int
    """Subjects on whom the two methods have different numbers of correct images."""


def bootstrap_pooled_accuracy(
    correct: np.ndarray,
    subject: np.ndarray,
    generator: np.random.Generator,
    *,
    resamples: int = DEFAULT_RESAMPLES,
    confidence: float = 0.95,
) -> Interval:
    """Percentile interval of the pooled accuracy, whole subjects drawn with replacement.

    correct: bool (n,). subject: str (n,). Raises ValueError with fewer than two subjects.
    Source: Davison and Hinkley (1997), Bootstrap Methods and Their Application, sections 3.8 and 5.3
    (resampling of clusters; percentile interval). Assumes that subjects are independent draws of the
    population one speaks about. Does not see the variance of training (seeds, training subjects).
    Covers too little with few subjects, and near 100 % it is too short: errors nobody made in the
    sample cannot be drawn.
    """
    counts = _subject_counts(correct, subject)
    if len(counts) < 2:
        raise ValueError(f"a bootstrap over subjects needs two or more of them, got {len(counts)}")
    return _percentiles(_resampled_accuracies(counts, generator, resamples), confidence)


def bootstrap_mean_of_folds(
    correct: np.ndarray,
    subject: np.ndarray,
    fold: np.ndarray,
    generator: np.random.Generator,
    *,
    resamples: int = DEFAULT_RESAMPLES,
    confidence: float = 0.95,
) -> Interval:
    """Percentile interval of the mean of folds: subjects drawn with replacement within each fold.

    correct: bool (n,). subject: str (n,). fold: int (n,). Raises ValueError when a fold tests fewer
    than two subjects (drawing one of one shows no variance at all).
    Source: as `bootstrap_pooled_accuracy`, stratified (Davison and Hinkley, section 3.2): the folds
    are strata of fixed sizes. With three or four subjects a fold (MMI) the strata understate the
    variance by about a factor (s - 1) / s.
    """
    folds = np.unique(fold)
    total = np.zeros(resamples)
    for index in folds:
        inside = fold == index
        counts = _subject_counts(correct[inside], subject[inside])
        if len(counts) < 2:
            raise ValueError(
                f"fold {index} tests {len(counts)} subject; a bootstrap within folds needs two or more"
            )
        total += _resampled_accuracies(counts, generator, resamples)
    return _percentiles(total / len(folds), confidence)


def sign_flip_test(
    first_correct: np.ndarray, second_correct: np.ndarray, subject: np.ndarray
) -> PairedDifference:
    """Exact two-sided sign-flip permutation test over subjects of a pooled accuracy difference.

    first_correct, second_correct: bool (n,), two methods on the same n images. subject: str (n,).
    Under the null hypothesis the two methods are exchangeable within each subject, so that each
    subject's difference of correct images d_s keeps its size and takes either sign with probability
    1/2, independently of other subjects. p = P(|sum of signed d_s| >= |observed sum|).
    Because every d_s is a whole number, the distribution over all 2^S flips is a convolution and no
    sampling is needed: Fisher (1935), The Design of Experiments, section 21, for the test; Pagano and
    Tritchler (1983), JASA 78:435-440, for the polynomial computation. With one image a subject it is
    the exact McNemar test.
    """
    if not first_correct.shape == second_correct.shape == subject.shape:
        raise ValueError("both methods need the same images: arrays of one length")
    if not len(subject):
        raise ValueError("a paired difference needs at least one image")
    names, group = np.unique(subject, return_inverse=True)
    signed = first_correct.astype(np.int64) - second_correct.astype(np.int64)
    differences = np.bincount(group, weights=signed, minlength=len(names)).astype(np.int64)
    sizes = np.abs(differences[differences != 0])
    return PairedDifference(
        difference=float(signed.mean()),
        p_value=_sign_flip_tail(sizes, int(abs(differences.sum()))),
        subject_count=len(names),
        differing_subjects=len(sizes),
    )


def holm(p_values: Sequence[float]) -> list[float]:
    """Holm's step-down adjusted p values, in the order given; controls the family-wise error rate.

    Source: Holm (1979), Scandinavian Journal of Statistics 6:65-70. Assumes nothing on dependence.
    """
    adjusted = [0.0] * len(p_values)
    largest = 0.0
    for rank, index in enumerate(sorted(range(len(p_values)), key=lambda position: p_values[position])):
        largest = max(largest, min(1.0, (len(p_values) - rank) * p_values[index]))
        adjusted[index] = largest
    return adjusted


def _subject_counts(correct: np.ndarray, subject: np.ndarray) -> np.ndarray:
    """int64 (S, 2): correct images and images of each subject."""
    names, group = np.unique(subject, return_inverse=True)
    right = np.bincount(group, weights=correct, minlength=len(names))
    return np.stack([right.astype(np.int64), np.bincount(group, minlength=len(names))], axis=1)


def _resampled_accuracies(counts: np.ndarray, generator: np.random.Generator, resamples: int) -> np.ndarray:
    """float64 (R,): accuracies of S subjects drawn with replacement. counts: int64 (S, 2).

    Subjects with equal counts are interchangeable, so the draw is a multinomial over the distinct
    pairs: the same distribution, and memory stays small where each of 24,530 images is a subject.
    """
    pairs, multiplicity = np.unique(counts, axis=0, return_counts=True)
    draws = generator.multinomial(len(counts), multiplicity / len(counts), size=resamples)
    return (draws @ pairs[:, 0]) / (draws @ pairs[:, 1])


def _percentiles(values: np.ndarray, confidence: float) -> Interval:
    tail = (1.0 - confidence) / 2.0
    low, high = np.quantile(values, [tail, 1.0 - tail])
    return Interval(low=float(low), high=float(high))


def _sign_flip_tail(sizes: np.ndarray, observed: int) -> float:
    """P(|sum of independently signed `sizes`| >= observed). sizes: positive int (s,)."""
    from scipy.stats import binom

    distribution = np.ones(1)
    for size, count in zip(*np.unique(sizes, return_counts=True), strict=True):
        kernel = np.zeros(2 * size * count + 1)
        kernel[:: 2 * size] = binom.pmf(np.arange(count + 1), count, 0.5)
        distribution = np.convolve(distribution, kernel)
    sums = np.arange(len(distribution)) - len(distribution) // 2
    return float(min(1.0, distribution[np.abs(sums) >= observed].sum()))
