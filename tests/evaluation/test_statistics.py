from __future__ import annotations

import itertools

import numpy as np
import pytest
import scipy.stats

from platform.evaluation import statistics


def generator() -> np.random.Generator:
    return np.random.default_rng(7)


def images_of(counts: list[tuple[int, int]]) -> tuple[np.ndarray, np.ndarray]:
    """correct (n,) and subject (n,) for subjects with (correct, total) images."""
    correct = np.concatenate([np.arange(total) < right for right, total in counts])
    subject = np.repeat([f"S{index:03d}" for index in range(len(counts))], [total for _, total in counts])
    return correct, subject


def test_pooled_interval_has_the_quantiles_of_the_exact_bootstrap_distribution() -> None:
    """Three subjects: all 27 equally likely draws are listed by hand."""
    counts = [(0, 2), (1, 4), (6, 6)]
    draws = [np.array(draw).sum(axis=0) for draw in itertools.product(counts, repeat=3)]
    exact = np.sort([right / total for right, total in draws])
    correct, subject = images_of(counts)
    interval = statistics.bootstrap_pooled_accuracy(correct, subject, generator(), confidence=0.7)
    low, high = np.quantile(exact, [0.15, 0.85], method="inverted_cdf")
    assert (interval.low, interval.high) == (pytest.approx(low), pytest.approx(high))


def test_pooled_interval_agrees_with_scipy_where_subjects_have_equal_sizes() -> None:
    right = np.random.default_rng(1).integers(0, 7, size=40)
    correct, subject = images_of([(int(count), 6) for count in right])
    ours = statistics.bootstrap_pooled_accuracy(correct, subject, generator())
    theirs = scipy.stats.bootstrap(
        (right / 6,), np.mean, method="percentile", n_resamples=10_000, rng=np.random.default_rng(3)
    ).confidence_interval
    assert ours.low == pytest.approx(theirs.low, abs=0.01)
    assert ours.high == pytest.approx(theirs.high, abs=0.01)


def test_interval_does_not_depend_on_the_order_of_rows_or_names() -> None:
    correct, subject = images_of([(1, 3), (3, 3), (0, 2), (2, 5)])
    order = np.random.default_rng(0).permutation(len(correct))
    first = statistics.bootstrap_pooled_accuracy(correct, subject, generator())
    assert first == statistics.bootstrap_pooled_accuracy(correct[order], subject[order], generator())
    renamed = np.char.add("Z", subject[::-1])
    assert first == statistics.bootstrap_pooled_accuracy(correct[::-1], renamed, generator())


def test_images_of_one_subject_are_not_counted_as_independent() -> None:
    """Ten subjects, each all right or all wrong: thirty copies of an image bring no certainty."""
    single = statistics.bootstrap_pooled_accuracy(*images_of([(1, 1)] * 7 + [(0, 1)] * 3), generator())
    thirty = statistics.bootstrap_pooled_accuracy(*images_of([(30, 30)] * 7 + [(0, 30)] * 3), generator())
    assert single == thirty


def test_a_perfect_score_has_no_width_and_one_subject_no_interval() -> None:
    interval = statistics.bootstrap_pooled_accuracy(*images_of([(3, 3)] * 5), generator())
    assert (interval.low, interval.high) == (1.0, 1.0)
    with pytest.raises(ValueError, match="two or more"):
        statistics.bootstrap_pooled_accuracy(*images_of([(3, 9)]), generator())


def test_mean_of_folds_interval_draws_within_folds() -> None:
    """Fold 0 has two equal subjects, so only fold 1 varies: draws of its two subjects give 0, 1/2, 1."""
    correct, subject = images_of([(1, 2), (1, 2), (0, 1), (1, 1)])
    fold = np.array([0, 0, 0, 0, 1, 1])
    interval = statistics.bootstrap_mean_of_folds(correct, subject, fold, generator())
    assert (interval.low, interval.high) == ((0.5 + 0) / 2, (0.5 + 1) / 2)
    # Inside the middle half of the draws fold 1 is exactly one half.
    middle = statistics.bootstrap_mean_of_folds(correct, subject, fold, generator(), confidence=0.4)
    assert (middle.low, middle.high) == (0.5, 0.5)


def test_one_fold_is_the_pooled_interval_and_a_fold_of_one_subject_is_refused() -> None:
    correct, subject = images_of([(1, 3), (3, 3), (0, 2)])
    one_fold = np.zeros(len(correct), dtype=int)
    assert statistics.bootstrap_mean_of_folds(
        correct, subject, one_fold, generator()
    ) == statistics.bootstrap_pooled_accuracy(correct, subject, generator())
    with pytest.raises(ValueError, match="fold 4 tests 1 subject"):
        statistics.bootstrap_mean_of_folds(correct, subject, np.where(subject == "S000", 4, 0), generator())


def test_sign_flip_by_hand() -> None:
    """d = +2, +1: the four signed sums are 3, 1, -1, -3, and two of them are as far out as 3."""
    first = np.array([True, True, True, False])
    second = np.array([False, False, False, False])
    result = statistics.sign_flip_test(first, second, np.array(["A", "A", "B", "C"]))
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
    result = statistics.sign_flip_test(first, second, subject)
    assert result.p_value == pytest.approx(expected.pvalue, rel=1e-9)
    assert result.difference == pytest.approx(differences.sum() / 66)


def test_sign_flip_with_one_image_a_subject_is_exact_mcnemar() -> None:
    first = np.array([True] * 20 + [False] * 4 + [True] * 76)
    second = np.array([False] * 20 + [True] * 4 + [True] * 76)
    result = statistics.sign_flip_test(first, second, np.arange(100).astype(str))
    assert result.p_value == pytest.approx(scipy.stats.binomtest(4, 24, 0.5).pvalue)


def test_sign_flip_is_symmetric_and_equal_methods_do_not_differ() -> None:
    correct, subject = images_of([(1, 3), (3, 3), (0, 2)])
    forth = statistics.sign_flip_test(correct, ~correct, subject)
    back = statistics.sign_flip_test(~correct, correct, subject)
    assert forth.p_value == back.p_value
    assert forth.difference == -back.difference
    same = statistics.sign_flip_test(correct, correct, subject)
    assert (same.p_value, same.difference, same.differing_subjects) == (1.0, 0.0, 0)
    with pytest.raises(ValueError, match="same images"):
        statistics.sign_flip_test(correct, correct[:-1], subject)


def test_sign_flip_stays_exact_with_thousands_of_subjects() -> None:
    first = np.arange(6000) % 3 != 0
    second = np.arange(6000) % 4 != 0
    only_first, only_second = int((first & ~second).sum()), int((~first & second).sum())
    result = statistics.sign_flip_test(first, second, np.arange(6000).astype(str))
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
    assert statistics.holm(p_values) == pytest.approx(adjusted)


@pytest.mark.parametrize(("one", "other", "overlap"), [((0, 1), (1, 2), True), ((0, 1), (1.1, 2), False)])
def test_overlap_is_symmetric(one: tuple[float, float], other: tuple[float, float], overlap: bool) -> None:
    first = statistics.Interval(low=one[0], high=one[1])
    second = statistics.Interval(low=other[0], high=other[1])
    assert first.overlaps(second) is overlap
    assert second.overlaps(first) is overlap
