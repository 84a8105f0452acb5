from __future__ import annotations

import numpy as np
import pytest
import scipy.stats

from platform.evaluation.paired_difference import PairedDifference, paired_difference, seed_counts
from platform.evaluation.paired_tests import holm, sign_flip_p
from tests.evaluation.counted_images import images_of, paired_images_of

DARWIN = [49, -67, 8, 16, 6, 23, 28, 41, 14, 29, 56, 24, 75, 60, -48]
"""Cross- minus self-fertilised plants in eighths of an inch: Fisher (1935), section 17."""


def sign_flip(first: np.ndarray, second: np.ndarray, subject: np.ndarray) -> PairedDifference:
    """One seed of two methods, whose p value is that of the sign-flip test."""
    return paired_difference(seed_counts(first, second, subject))


def test_sign_flip_by_hand() -> None:
    """d = +2, +1: the four signed sums are 3, 1, -1, -3, and two of them are as far out as 3."""
    first = np.array([True, True, True, False])
    second = np.array([False, False, False, False])
    result = sign_flip(first, second, np.array(["A", "A", "B", "C"]))
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
    result = sign_flip(first, second, subject)
    assert result.p_value == pytest.approx(expected.pvalue, rel=1e-9)
    assert result.difference == pytest.approx(differences.sum() / 66)


def test_sign_flip_with_one_image_a_subject_is_exact_mcnemar() -> None:
    first = np.array([True] * 20 + [False] * 4 + [True] * 76)
    second = np.array([False] * 20 + [True] * 4 + [True] * 76)
    result = sign_flip(first, second, np.arange(100).astype(str))
    assert result.p_value == pytest.approx(scipy.stats.binomtest(4, 24, 0.5).pvalue)


def test_sign_flip_is_symmetric_and_equal_methods_do_not_differ() -> None:
    correct, subject = images_of([(1, 3), (3, 3), (0, 2)])
    forth = sign_flip(correct, ~correct, subject)
    back = sign_flip(~correct, correct, subject)
    assert forth.p_value == back.p_value
    assert forth.difference == -back.difference
    same = sign_flip(correct, correct, subject)
    assert (same.p_value, same.difference, same.differing_subjects) == (1.0, 0.0, 0)
    with pytest.raises(ValueError, match="same seeds and images"):
        sign_flip(correct, correct[:-1], subject)


def test_sign_flip_stays_exact_with_thousands_of_subjects() -> None:
    first = np.arange(6000) % 3 != 0
    second = np.arange(6000) % 4 != 0
    only_first, only_second = int((first & ~second).sum()), int((~first & second).sum())
    result = sign_flip(first, second, np.arange(6000).astype(str))
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
    assert sign_flip(*paired_images_of(DARWIN, 100)).p_value == pytest.approx(1726 / 32768)


def test_sign_flip_is_defined_at_the_edges() -> None:
    first, second, subject = paired_images_of([3, 1, -2, 0, 2, 2], 4)
    assert sign_flip_p(np.array([3])) == pytest.approx(1.0)
    with pytest.raises(ValueError, match="bool"):
        sign_flip(first, second.astype(float), subject)
    with pytest.raises(ValueError, match="at least one image"):
        sign_flip(first[:0], second[:0], subject[:0])


@pytest.mark.parametrize("p_value", [float("nan"), -0.1, 1.1])
def test_holm_refuses_what_is_no_p_value(p_value: float) -> None:
    with pytest.raises(ValueError, match=r"\[0, 1\]"):
        holm([0.01, p_value])


@pytest.mark.parametrize("count", [1, 2, 7, 40, 5_001])
def test_of_subjects_who_differ_alike_the_tail_is_binomial(count: int) -> None:
    """All in one direction but one in ten: p is that of the sign test."""
    differences = np.full(count, 3)
    differences[: count // 10] = -3
    expected = scipy.stats.binomtest(count // 10, count, 0.5).pvalue
    assert sign_flip_p(differences) == pytest.approx(expected, rel=1e-11, abs=1e-300)
