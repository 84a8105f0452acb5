"""Paired test over subjects of two methods on the same images, and Holm's correction.

Choice of test: docs/statistics.md. Sizes: n images, S subjects.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from platform.evaluation.subjects import paired_counts

STEPS = 2e9
"""Multiplications up to which the distribution of the flipped sum is computed exactly (some seconds)."""


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


def sign_flip_test(
    first_correct: np.ndarray, second_correct: np.ndarray, subject: np.ndarray
) -> PairedDifference:
    """Exact two-sided sign-flip permutation test over subjects of a pooled accuracy difference.

    first_correct, second_correct: bool (n,), two methods on the same n images. subject: str (n,).
    Assumes that under the null hypothesis the two methods are exchangeable within each subject, so that
    each subject's difference of correct images d_s keeps its size and takes either sign with probability
    1/2, independently of other subjects. p = P(|sum of signed d_s| >= |observed sum|).
    Because every d_s is an integer, the distribution over all 2^S flips is a convolution, and no sampling is
    needed. Source: Fisher (1935), The Design of Experiments, section 21, for the test; Pagano
    and Tritchler (1983), JASA 78:435-440, for the polynomial computation. With one image a subject it is
    the exact McNemar test. With fewer than six differing subjects p cannot fall below 0.05.
    """
    counts = paired_counts(first_correct, second_correct, subject)
    return PairedDifference(
        difference=float((counts[:, 0] - counts[:, 1]).sum() / counts[:, 2].sum()),
        p_value=sign_flip_p(counts[:, 0] - counts[:, 1]),
        subject_count=len(counts),
        differing_subjects=int((counts[:, 0] != counts[:, 1]).sum()),
    )


def sign_flip_p(differences: np.ndarray) -> float:
    """p of `sign_flip_test` for the subjects' differences of correct images, int (S,); in (0, 1].

    Where exactness would take minutes (above `STEPS`, tens of thousands of subjects of several images), the
    sum is taken as normal, with half a step of its lattice as correction for continuity.
    """
    sizes = np.abs(differences[differences != 0])
    observed = int(abs(differences.sum()))
    values, counts = np.unique(sizes, return_counts=True)
    lengths = np.cumsum(2 * values * counts)
    if float((lengths * 2.0 * values * counts)[1:].sum()) > STEPS:
        return _normal_tail(sizes, observed)
    return _sign_flip_tail(sizes, observed)


def holm(p_values: Sequence[float]) -> list[float]:
    """Holm's step-down adjusted p values, in the order given; controls the family-wise error rate.

    Source: Holm (1979), Scandinavian Journal of Statistics 6:65-70. Assumes nothing about dependence.
    Raises ValueError for a value outside [0, 1] or NaN.
    """
    for value in p_values:
        if not 0.0 <= value <= 1.0:
            raise ValueError(f"p values must lie in [0, 1], got {value}")
    adjusted = [0.0] * len(p_values)
    largest = 0.0
    for rank, index in enumerate(sorted(range(len(p_values)), key=lambda position: p_values[position])):
        largest = max(largest, min(1.0, (len(p_values) - rank) * p_values[index]))
        adjusted[index] = largest
    return adjusted


def _normal_tail(sizes: np.ndarray, observed: int) -> float:
    """Normal approximation of `_sign_flip_tail`."""
    from scipy.special import ndtr

    # All sums have the parity of the sum of sizes, so neighbours lie two times their common divisor apart.
    step = float(np.gcd.reduce(sizes))
    spread = float(np.sqrt((sizes.astype(np.float64) ** 2).sum()))
    return float(min(1.0, 2.0 * ndtr(-max(0.0, observed - step) / spread)))


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
