from __future__ import annotations

import numpy as np
import pytest
import scipy.stats

from platform.evaluation.paired_tests import (
    clustered_mcnemar_test,
    corrected_resampled_t_test,
    holm,
    sign_flip_test,
    wilcoxon_test,
)
from tests.evaluation.counted_images import images_of, paired_images_of

DARWIN = [49, -67, 8, 16, 6, 23, 28, 41, 14, 29, 56, 24, 75, 60, -48]
"""Cross- minus self-fertilised plants in eighths of an inch: Fisher (1935), section 17."""


def test_sign_flip_by_hand() -> None:
    """d = +2, +1: the four signed sums are 3, 1, -1, -3, and two of them are as far out as 3."""
    first = np.array([True, True, True, False])
    second = np.array([False, False, False, False])
    result = sign_flip_test(first, second, np.array(["A", "A", "B", "C"]))
    assert result.difference == 0.75
    assert result.p_value == pytest.approx(0.5)
    assert (result.subject_count, result.differing_subjects) == (3, 2)


def test_sign_flip_equals_scipy_permutation_test() -> None:
    random = np.random.default_rng(5)
    subject = np.repeat([f"S{index}" for index in range(11)], 6)
    first, second = random.random(66) < 0.8, random.random(66) < 0.6
    differences = np.array(
        [(first[subject == s].sum() - second[subject == s].sum()) for s in np.unique(subject)]
    )
    expected = scipy.stats.permutation_test(
        (differences.astype(float), np.zeros(11)),
        lambda a, b: (a - b).sum(),
        vectorized=False,
        permutation_type="samples",
        n_resamples=np.inf,
    )
    result = sign_flip_test(first, second, subject)
    assert result.p_value == pytest.approx(expected.pvalue, rel=1e-9)
    assert result.difference == pytest.approx(differences.sum() / 66)


def test_sign_flip_with_one_image_a_subject_is_exact_mcnemar() -> None:
    first = np.array([True] * 20 + [False] * 4 + [True] * 76)
    second = np.array([False] * 20 + [True] * 4 + [True] * 76)
    result = sign_flip_test(first, second, np.arange(100).astype(str))
    assert result.p_value == pytest.approx(scipy.stats.binomtest(4, 24, 0.5).pvalue)


def test_sign_flip_is_symmetric_and_equal_methods_do_not_differ() -> None:
    correct, subject = images_of([(1, 3), (3, 3), (0, 2)])
    forth = sign_flip_test(correct, ~correct, subject)
    back = sign_flip_test(~correct, correct, subject)
    assert forth.p_value == back.p_value
    assert forth.difference == -back.difference
    same = sign_flip_test(correct, correct, subject)
    assert (same.p_value, same.difference, same.differing_subjects) == (1.0, 0.0, 0)
    with pytest.raises(ValueError, match="same images"):
        sign_flip_test(correct, correct[:-1], subject)


def test_sign_flip_stays_exact_with_thousands_of_subjects() -> None:
    first = np.arange(6000) % 3 != 0
    second = np.arange(6000) % 4 != 0
    only_first, only_second = int((first & ~second).sum()), int((~first & second).sum())
    result = sign_flip_test(first, second, np.arange(6000).astype(str))
    expected = scipy.stats.binomtest(only_first, only_first + only_second, 0.5).pvalue
    assert result.p_value == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize(
    ("p_values", "adjusted"),
    [
        ([], []),
        ([0.2], [0.2]),
        ([0.01, 0.04, 0.03, 0.005], [0.03, 0.06, 0.06, 0.02]),  # a step-down example by hand
        ([0.5, 0.9, 0.6], [1.0, 1.0, 1.0]),
    ],
)
def test_holm_by_hand(p_values: list[float], adjusted: list[float]) -> None:
    assert holm(p_values) == pytest.approx(adjusted)


def test_sign_flip_gives_fishers_published_p_value() -> None:
    """Fisher (1935), section 21: 1,726 of the 32,768 arrangements are as extreme."""
    assert sign_flip_test(*paired_images_of(DARWIN, 100)).p_value == pytest.approx(1726 / 32768)


def test_wilcoxon_gives_the_published_p_value() -> None:
    """The same plants, worked in scipy's documentation of `wilcoxon`."""
    assert wilcoxon_test(*paired_images_of(DARWIN, 100)).p_value == pytest.approx(0.041259765625)


def test_wilcoxon_is_exact_with_ties_and_with_subjects_that_do_not_differ() -> None:
    """All 2^13 signs of Pratt's ranks are listed; three subjects without a difference took ranks 1 to 3."""
    differences = np.array([0, 0, 0, 1, 2, -1, 3, 4, 4, 5, -2, 6, 7, 8, 9, -10])
    ranks = scipy.stats.rankdata(np.abs(differences))[3:]
    signs = 1 - 2 * ((np.arange(2**13)[:, None] >> np.arange(13)) & 1)
    observed = abs((np.sign(differences[3:]) * ranks).sum())
    result = wilcoxon_test(*paired_images_of(differences.tolist(), 12))
    assert result.p_value == pytest.approx((np.abs(signs @ ranks) >= observed).mean())
    assert (result.subject_count, result.differing_subjects) == (16, 13)


def test_wilcoxon_of_many_subjects_is_scipys() -> None:
    differences = np.random.default_rng(6).integers(-3, 5, size=80)
    expected = scipy.stats.wilcoxon(differences, zero_method="pratt", correction=False)
    assert wilcoxon_test(*paired_images_of(differences.tolist(), 6)).p_value == pytest.approx(expected.pvalue)


def test_wilcoxon_nearly_agrees_where_it_stops_being_exact() -> None:
    differences = np.random.default_rng(8).integers(-4, 6, size=50)
    normal = scipy.stats.wilcoxon(differences, zero_method="pratt", method="asymptotic").pvalue
    assert wilcoxon_test(*paired_images_of(differences.tolist(), 6)).p_value == pytest.approx(normal, rel=0.1)


def test_wilcoxon_counts_every_subject_alike() -> None:
    """Ten small subjects gain, one large one loses more images than they all win.

    The loss has rank 11, each gain 5.5. A sum of 55 - 11 = 44 or more has the 11 and at most two of the ten
    against it (56 ways), or all ten without the 11 (one way).
    """
    first, subject = images_of([(2, 2)] * 10 + [(0, 60)])
    second, _ = images_of([(1, 2)] * 10 + [(60, 60)])
    result = wilcoxon_test(first, second, subject)
    assert result.difference < 0
    assert result.p_value == pytest.approx(2 * (56 + 1) / 2**11)


def obuchowski_long_form(first: np.ndarray, second: np.ndarray, subject: np.ndarray) -> float:
    """p as the paper writes it: variances and covariance of both proportions around the common one."""
    names = np.unique(subject)
    images = np.array([(subject == name).sum() for name in names])
    right = [np.array([method[subject == name].sum() for name in names]) for method in (first, second)]
    common = (right[0].sum() + right[1].sum()) / (2 * images.sum())
    scale = len(names) / (len(names) - 1) / images.sum() ** 2
    covariance = [
        [scale * ((one - images * common) * (other - images * common)).sum() for other in right]
        for one in right
    ]
    variance = covariance[0][0] + covariance[1][1] - 2 * covariance[0][1]
    statistic = ((right[0].sum() - right[1].sum()) / images.sum()) ** 2 / variance
    return float(scipy.stats.chi2.sf(statistic, 1))


def test_clustered_mcnemar_equals_the_papers_long_form() -> None:
    random = np.random.default_rng(3)
    subject = np.repeat([f"S{index:02d}" for index in range(30)], random.integers(1, 9, 30))
    first, second = random.random(len(subject)) < 0.8, random.random(len(subject)) < 0.7
    result = clustered_mcnemar_test(first, second, subject)
    assert result.p_value == pytest.approx(obuchowski_long_form(first, second, subject))
    assert result.difference == pytest.approx(first.mean() - second.mean())


def test_clustered_mcnemar_by_hand() -> None:
    """d = 2, 1, -1, 0: X^2 = 3/4 * 2^2 / 6 = 0.5, and P(chi-square > 0.5) = 0.4795."""
    result = clustered_mcnemar_test(*paired_images_of([2, 1, -1, 0], 3))
    assert result.p_value == pytest.approx(0.4795, abs=5e-5)
    assert (result.subject_count, result.differing_subjects) == (4, 3)


def test_clustered_mcnemar_with_one_image_a_subject_is_mcnemar() -> None:
    """But for the factor (S - 1) / S: 20 against 4 of 100 pairs give 0.99 * 16^2 / 24."""
    differences = [1] * 20 + [-1] * 4 + [0] * 76
    result = clustered_mcnemar_test(*paired_images_of(differences, 1))
    assert result.p_value == pytest.approx(scipy.stats.chi2.sf(0.99 * 16**2 / 24, 1))


@pytest.mark.parametrize("test", [sign_flip_test, clustered_mcnemar_test, wilcoxon_test])
def test_tests_over_subjects_are_symmetric_and_defined_at_the_edges(test) -> None:  # type: ignore[no-untyped-def]
    first, second, subject = paired_images_of([3, 1, -2, 0, 2, 2], 4)
    forth, back = test(first, second, subject), test(second, first, subject)
    assert (forth.p_value, forth.difference) == (pytest.approx(back.p_value), -back.difference)
    same = test(first, first, subject)
    assert (same.p_value, same.difference, same.differing_subjects) == (1.0, 0.0, 0)
    alone = test(*paired_images_of([3], 4))
    assert (alone.p_value, alone.subject_count) == (pytest.approx(1.0), 1)
    with pytest.raises(ValueError, match="same images"):
        test(first, second[:-1], subject)
    with pytest.raises(ValueError, match="bool"):
        test(first, second.astype(float), subject)
    with pytest.raises(ValueError, match="at least one image"):
        test(first[:0], second[:0], subject[:0])


def test_corrected_t_gives_the_published_example() -> None:
    """scikit-learn's documentation compares two SVMs by ten times ten folds of 10 and 90 samples.

    It prints t = 0.750, one-sided p = 0.227 (uncorrected 2.611). The hundred differences of the areas
    under the curve, recomputed with its code, are 25ths.
    """
    differences = np.repeat([-3, -2, -1, 0, 1, 2, 5], [1, 2, 10, 53, 29, 4, 1]) / 25
    result = corrected_resampled_t_test(differences, np.full(100, 10), np.full(100, 90))
    assert result.statistic == pytest.approx(0.750, abs=5e-4)
    assert result.p_value == pytest.approx(2 * 0.227, abs=1e-3)
    assert result.freedom == 99


def test_corrected_t_takes_the_mean_of_real_ratios() -> None:
    """By hand: mean 0.2, s 0.1, q = (1/9 + 1/9 + 1/4) / 3; t = 2 / sqrt(1/3 + q)."""
    result = corrected_resampled_t_test(
        np.array([0.1, 0.2, 0.3]), np.array([10, 10, 20]), np.array([90, 90, 80])
    )
    assert result.statistic == pytest.approx(2 / np.sqrt(1 / 3 + (1 / 9 + 1 / 9 + 1 / 4) / 3))
    assert result.p_value == pytest.approx(2 * scipy.stats.t.sf(result.statistic, 2))


def test_corrected_t_without_overlap_is_students() -> None:
    differences = np.array([0.01, 0.04, -0.02, 0.03, 0.00])
    result = corrected_resampled_t_test(differences, np.ones(5, dtype=int), np.full(5, 10**12))
    expected = scipy.stats.ttest_1samp(differences, 0.0)
    assert (result.statistic, result.p_value) == pytest.approx((expected.statistic, expected.pvalue))


@pytest.mark.parametrize(("difference", "p_value"), [(0.0, 1.0), (0.1, None)])
def test_folds_that_all_differ_alike_have_no_t(difference: float, p_value: float | None) -> None:
    result = corrected_resampled_t_test(np.full(4, difference), np.full(4, 10), np.full(4, 30))
    assert (result.statistic, result.p_value) == (None, p_value)
    assert result.difference == pytest.approx(difference)


@pytest.mark.parametrize(
    ("differences", "test_counts", "training_counts", "message"),
    [
        ([0.1], [3], [9], "two or more"),
        ([0.1, np.nan], [3, 3], [9, 9], "NaN"),
        ([0.1, 0.2], [3, 0], [9, 9], "1 or more"),
        ([0.1, 0.2], [3], [9, 9], "every fold needs"),
    ],
)
def test_folds_that_cannot_be_tested_are_refused(
    differences: list[float], test_counts: list[int], training_counts: list[int], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        corrected_resampled_t_test(np.array(differences), np.array(test_counts), np.array(training_counts))


@pytest.mark.parametrize("p_value", [float("nan"), -0.1, 1.1])
def test_holm_refuses_what_is_no_p_value(p_value: float) -> None:
    with pytest.raises(ValueError, match=r"\[0, 1\]"):
        holm([0.01, p_value])
