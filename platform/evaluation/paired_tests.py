"""Paired test over subjects of two methods on the same images, and Holm's correction.

Choice of test: docs/statistics.md. Sizes: n images, S subjects.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

STEPS = 2e9
"""Multiplications up to which the distribution of the flipped sum is computed exactly (some seconds)."""


def sign_flip_p(differences: np.ndarray) -> float:
    """Exact two-sided p value, in (0, 1], of a sign-flip permutation test over subjects.

    differences: int (S,), each subject's correct images of one method minus those of the other.
    Assumes that under the null hypothesis the two methods are exchangeable within each subject, so that
    each difference d_s keeps its size and takes either sign with probability 1/2, independently of other
    subjects. p = P(|sum of signed d_s| >= |observed sum|). Because every d_s is an integer, the distribution
    over all 2^S flips is a convolution, and no sampling is needed. Source: Fisher (1935), The Design of
    Experiments, section 21, for the test; Pagano and Tritchler (1983), JASA 78:435-440, for the polynomial
    computation. With one image a subject it is the exact McNemar test. With fewer than six differing subjects
    p cannot fall below 0.05.
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
    distribution = np.ones(1)
    for size, count in zip(*np.unique(sizes, return_counts=True), strict=True):
        kernel = np.zeros(2 * size * count + 1)
        kernel[:: 2 * size] = _coins(int(count))
        distribution = np.convolve(distribution, kernel)
    sums = np.arange(len(distribution)) - len(distribution) // 2
    return float(min(1.0, distribution[np.abs(sums) >= observed].sum()))


def _coins(count: int) -> np.ndarray:
    """float (count + 1,): the probability of each number of heads of `count` coins.

    From the middle outwards by the ratio of neighbours, (count - k) / (k + 1).
    """
    middle = count // 2
    before = np.arange(middle, count)
    weights = np.ones(count + 1)
    weights[middle + 1 :] = np.cumprod((count - before) / (before + 1.0))
    weights[:middle] = weights[: count - middle : -1]
    return weights / weights.sum()
