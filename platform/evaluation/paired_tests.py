"""Two methods on the same images: tests that respect subjects or folds, and Holm's correction.

Which test answers which question: docs/statistics.md. Sizes: n images, S subjects, J scored folds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from platform.evaluation.subjects import paired_counts

EXACT_WILCOXON_SUBJECTS = 50
"""As in scipy, which however is exact without ties only."""


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


@dataclass(frozen=True, kw_only=True)
class FoldDifference:
    """Two methods on the same folds: the first's mean of folds minus the second's."""

    difference: float
    statistic: float | None
    """Student's t with `freedom` degrees of freedom; None where all folds differ by the same amount."""
    p_value: float | None
    """Two-sided; 1 where no fold differs, None where all differ by the same amount other than zero."""
    freedom: int


def sign_flip_test(
    first_correct: np.ndarray, second_correct: np.ndarray, subject: np.ndarray
) -> PairedDifference:
    """Exact two-sided sign-flip permutation test over subjects of a pooled accuracy difference.

    first_correct, second_correct: bool (n,), two methods on the same n images. subject: str (n,).
    Assumes that under the null hypothesis the two methods are exchangeable within each subject, so that
    each subject's difference of correct images d_s keeps its size and takes either sign with probability
    1/2, independently of other subjects. p = P(|sum of signed d_s| >= |observed sum|).
    Because every d_s is a whole number, the distribution over all 2^S flips is a convolution and no
    sampling is needed. Source: Fisher (1935), The Design of Experiments, section 21, for the test; Pagano
    and Tritchler (1983), JASA 78:435-440, for the polynomial computation. With one image a subject it is
    the exact McNemar test. With fewer than six differing subjects no p is below 0.05.
    """
    counts = paired_counts(first_correct, second_correct, subject)
    differences = counts[:, 0] - counts[:, 1]
    sizes = np.abs(differences[differences != 0])
    return _paired_difference(counts, _sign_flip_tail(sizes, int(abs(differences.sum()))))


def clustered_mcnemar_test(
    first_correct: np.ndarray, second_correct: np.ndarray, subject: np.ndarray
) -> PairedDifference:
    """McNemar's test for images in subjects: chi-square with one degree of freedom, two-sided.

    first_correct, second_correct: bool (n,), two methods on the same n images. subject: str (n,).
    X^2 = (S - 1) / S * (sum of d_s)^2 / (sum of d_s^2), d_s a subject's difference of correct images.
    Source: Obuchowski (1998), Statistics in Medicine 17:1495-1507; she writes the variance under the null
    hypothesis as variances and a covariance around the common accuracy, which cancels on paired images
    (Yang, Sun and Hardin (2010), Biometrical Journal 52:638-652). Assumes independent subjects and enough
    differing ones (some 20) for chi-square; p = 1 with one subject or none that differs. With one image a
    subject it is McNemar's test without continuity correction, but for the factor (S - 1) / S.
    """
    from scipy.special import chdtrc

    counts = paired_counts(first_correct, second_correct, subject)
    differences = (counts[:, 0] - counts[:, 1]).astype(np.float64)
    squares = float((differences**2).sum())
    if squares == 0.0:
        return _paired_difference(counts, 1.0)
    statistic = (len(counts) - 1) / len(counts) * float(differences.sum()) ** 2 / squares
    return _paired_difference(counts, float(chdtrc(1, statistic)))


def wilcoxon_test(
    first_correct: np.ndarray, second_correct: np.ndarray, subject: np.ndarray
) -> PairedDifference:
    """Wilcoxon's signed-rank test on the subjects' accuracy differences, two-sided.

    first_correct, second_correct: bool (n,), two methods on the same n images. subject: str (n,).
    Every subject counts the same, however many images it has: the question is whether a typical subject
    is better off. Subjects without a difference are ranked and then left out (Pratt (1959), JASA 54:655-667;
    `zero_method="pratt"` in scipy). Source: Wilcoxon (1945), Biometrics Bulletin 1:80-83. Assumes that
    differences are symmetric around their median. Up to EXACT_WILCOXON_SUBJECTS the p value is exact, ties
    and zeros included, by the convolution of `sign_flip_test`; beyond, `scipy.stats.wilcoxon`'s normal
    approximation with its correction for ties. p = 1 where no subject differs. The difference returned is
    still that of the pooled accuracies.
    """
    from scipy.stats import rankdata, wilcoxon

    counts = paired_counts(first_correct, second_correct, subject)
    differences = (counts[:, 0] - counts[:, 1]) / counts[:, 2]
    if not differences.any():
        return _paired_difference(counts, 1.0)
    if len(counts) > EXACT_WILCOXON_SUBJECTS:
        result = wilcoxon(differences, zero_method="pratt", correction=False, method="asymptotic")
        return _paired_difference(counts, float(result.pvalue))
    # Twice the ranks: whole numbers, although tied subjects share a rank between two.
    ranks = np.rint(2 * rankdata(np.abs(differences))).astype(np.int64)
    observed = abs(int((np.sign(differences) * ranks).sum()))
    return _paired_difference(counts, _sign_flip_tail(ranks[differences != 0], observed))


def corrected_resampled_t_test(
    differences: np.ndarray, test_counts: np.ndarray, training_counts: np.ndarray
) -> FoldDifference:
    """Student's t over folds, its variance corrected for training sets that overlap; two-sided.

    differences: float (J,), the two methods' accuracies on each fold subtracted; J folds, or the folds of
    all repeats. test_counts, training_counts: int (J,), real sizes of each fold, both in subjects (the
    independent units) or both in images.
    t = mean / sqrt((1 / J + q) s^2), s^2 with J - 1, q = test / training size. Source: Nadeau and Bengio
    (2003), Machine Learning 52:239-281; Bouckaert and Frank (2004), PAKDD, for repeated
    cross-validation. Departure: folds differ in size, so q is the mean of the folds' ratios.
    Assumes that the correlation between folds is test / (test + training size), a rule of thumb.
    Raises ValueError with fewer than two folds, unequal lengths, sizes below 1, or NaN.
    """
    from scipy.special import stdtr

    differences = np.asarray(differences, dtype=np.float64)
    _check_folds(differences, test_counts, training_counts)
    mean, deviation = float(differences.mean()), float(differences.std(ddof=1))
    freedom = len(differences) - 1
    if np.ptp(differences) == 0.0:
        equal = mean == 0.0
        return FoldDifference(
            difference=mean, statistic=None, p_value=1.0 if equal else None, freedom=freedom
        )
    ratio = float(np.mean(np.asarray(test_counts) / np.asarray(training_counts)))
    statistic = mean / (deviation * np.sqrt(1.0 / len(differences) + ratio))
    return FoldDifference(
        difference=mean,
        statistic=float(statistic),
        p_value=float(2.0 * stdtr(freedom, -abs(statistic))),
        freedom=freedom,
    )


def holm(p_values: Sequence[float]) -> list[float]:
    """Holm's step-down adjusted p values, in the order given; controls the family-wise error rate.

    Source: Holm (1979), Scandinavian Journal of Statistics 6:65-70. Assumes nothing on dependence.
    Raises ValueError on a value outside of [0, 1], NaN too.
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


def _paired_difference(counts: np.ndarray, p_value: float) -> PairedDifference:
    """counts: int64 (S, 3) as of `paired_counts`."""
    return PairedDifference(
        difference=float((counts[:, 0] - counts[:, 1]).sum() / counts[:, 2].sum()),
        p_value=p_value,
        subject_count=len(counts),
        differing_subjects=int((counts[:, 0] != counts[:, 1]).sum()),
    )


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


def _check_folds(differences: np.ndarray, test_counts: np.ndarray, training_counts: np.ndarray) -> None:
    if not differences.shape == np.shape(test_counts) == np.shape(training_counts):
        raise ValueError("every fold needs a difference, a test size and a training size")
    if len(differences) < 2:
        raise ValueError(f"a test over folds needs two or more of them, got {len(differences)}")
    if np.isnan(differences).any():
        raise ValueError("the differences of the folds must be numbers, got NaN")
    if np.min(test_counts) < 1 or np.min(training_counts) < 1:
        raise ValueError("test and training sizes must be 1 or more")
