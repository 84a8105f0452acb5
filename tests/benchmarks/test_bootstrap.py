from __future__ import annotations

import itertools

import numpy as np
import pytest
import scipy.stats

from benchmarks.bootstrap import resample_mean_of_folds, resample_pooled
from platform.evaluation.accuracy_interval import Interval
from tests.evaluation.counted_images import images_of

UNEVEN = [(0, 2), (1, 4), (6, 6), (3, 3), (8, 9)]


def generator() -> np.random.Generator:
    return np.random.default_rng(7)


def pooled_interval(correct: np.ndarray, subject: np.ndarray, confidence: float = 0.95) -> Interval:
    return resample_pooled(correct, subject, generator(), 10_000).percentile(confidence)


def mean_of_folds_interval(
    correct: np.ndarray, subject: np.ndarray, fold: np.ndarray, confidence: float = 0.95
) -> Interval:
    return resample_mean_of_folds(correct, subject, fold, generator(), 10_000).percentile(confidence)


def test_pooled_interval_has_the_quantiles_of_the_exact_bootstrap_distribution() -> None:
    """Three subjects: all 27 equally likely draws are listed by hand."""
    counts = [(0, 2), (1, 4), (6, 6)]
    draws = [np.array(draw).sum(axis=0) for draw in itertools.product(counts, repeat=3)]
    exact = np.sort([right / total for right, total in draws])
    correct, subject = images_of(counts)
    interval = pooled_interval(correct, subject, confidence=0.7)
    low, high = np.quantile(exact, [0.15, 0.85], method="inverted_cdf")
    assert (interval.low, interval.high) == (pytest.approx(low), pytest.approx(high))


def test_pooled_interval_agrees_with_scipy_where_subjects_have_equal_sizes() -> None:
    right = np.random.default_rng(1).integers(0, 7, size=40)
    correct, subject = images_of([(int(count), 6) for count in right])
    ours = pooled_interval(correct, subject)
    theirs = scipy.stats.bootstrap(
        (right / 6,), np.mean, method="percentile", n_resamples=10_000, rng=np.random.default_rng(3)
    ).confidence_interval
    assert ours.low == pytest.approx(theirs.low, abs=0.01)
    assert ours.high == pytest.approx(theirs.high, abs=0.01)


def test_interval_does_not_depend_on_the_order_of_rows_or_names() -> None:
    correct, subject = images_of([(1, 3), (3, 3), (0, 2), (2, 5)])
    order = np.random.default_rng(0).permutation(len(correct))
    first = pooled_interval(correct, subject)
    assert first == pooled_interval(correct[order], subject[order])
    renamed = np.char.add("Z", subject[::-1])
    assert first == pooled_interval(correct[::-1], renamed)


def test_images_of_one_subject_are_not_counted_as_independent() -> None:
    """Ten subjects, each all right or all wrong: thirty copies of an image bring no certainty."""
    single = pooled_interval(*images_of([(1, 1)] * 7 + [(0, 1)] * 3))
    thirty = pooled_interval(*images_of([(30, 30)] * 7 + [(0, 30)] * 3))
    assert single == thirty


def test_a_perfect_score_has_no_width_and_one_subject_no_interval() -> None:
    interval = pooled_interval(*images_of([(3, 3)] * 5))
    assert (interval.low, interval.high) == (1.0, 1.0)
    with pytest.raises(ValueError, match="two or more"):
        pooled_interval(*images_of([(3, 9)]))


def test_mean_of_folds_interval_draws_within_folds() -> None:
    """Fold 0 has two equal subjects, so only fold 1 varies: draws of its two subjects give 0, 1/2, 1."""
    correct, subject = images_of([(1, 2), (1, 2), (0, 1), (1, 1)])
    fold = np.array([0, 0, 0, 0, 1, 1])
    interval = mean_of_folds_interval(correct, subject, fold)
    assert (interval.low, interval.high) == ((0.5 + 0) / 2, (0.5 + 1) / 2)
    # Inside the middle half of the draws fold 1 is exactly one half.
    middle = mean_of_folds_interval(correct, subject, fold, confidence=0.4)
    assert (middle.low, middle.high) == (0.5, 0.5)


def test_one_fold_is_the_pooled_interval_and_a_fold_of_one_subject_is_refused() -> None:
    correct, subject = images_of([(1, 3), (3, 3), (0, 2)])
    one_fold = np.zeros(len(correct), dtype=int)
    assert mean_of_folds_interval(correct, subject, one_fold) == pooled_interval(correct, subject)
    with pytest.raises(ValueError, match="fold 4 tests 1 subject"):
        mean_of_folds_interval(correct, subject, np.where(subject == "S000", 4, 0))


def test_bca_agrees_with_scipy_where_subjects_have_equal_sizes() -> None:
    right = np.random.default_rng(2).binomial(12, 0.9, size=40)
    correct, subject = images_of([(int(count), 12) for count in right])
    ours = resample_pooled(correct, subject, generator(), 10_000).bca()
    theirs = scipy.stats.bootstrap(
        (right / 12,), np.mean, method="BCa", n_resamples=10_000, rng=np.random.default_rng(3)
    ).confidence_interval
    assert ours.low == pytest.approx(theirs.low, abs=0.003)
    assert ours.high == pytest.approx(theirs.high, abs=0.003)


def test_bca_acceleration_of_a_ratio_agrees_with_the_jackknife() -> None:
    """Efron's (1987) own: the sixth of the skewness of the values with each subject left out."""
    counts = np.array([(5, 6), (9, 9), (2, 6), (12, 12), (8, 9), (3, 3), (6, 9), (15, 15)] * 6)
    total = counts.sum(axis=0)
    left_out = (total[0] - counts[:, 0]) / (total[1] - counts[:, 1])
    moved = left_out.mean() - left_out
    influence = resample_pooled(*images_of(counts.tolist()), generator(), 10).influence
    ours, expected = ((v**3).sum() / (v**2).sum() ** 1.5 for v in (influence, moved))
    assert ours == pytest.approx(expected, rel=0.05)


def test_bca_is_pulled_towards_the_errors_near_the_ceiling() -> None:
    correct, subject = images_of([(0, 9), (3, 9)] + [(9, 9)] * 38)
    sample = resample_pooled(correct, subject, generator(), 4_000)
    assert sample.bca().low < sample.percentile().low
    assert sample.bca(0.8).high < sample.percentile(0.8).high


def test_influence_sums_to_zero_and_gives_the_variance_of_the_resamples() -> None:
    correct, subject = images_of(UNEVEN * 30)
    fold = np.where(np.char.strip(subject, "S").astype(int) < 75, 0, 1)
    for sample in (
        resample_pooled(correct, subject, generator(), 20_000),
        resample_mean_of_folds(correct, subject, fold, generator(), 20_000),
    ):
        assert sample.influence.sum() == pytest.approx(0.0, abs=1e-12)
        assert len(sample.influence) == 150
        assert sample.resampled.std() == pytest.approx(np.sqrt((sample.influence**2).sum()), rel=0.05)


@pytest.mark.parametrize("right", [0, 3])
def test_bca_without_spread_is_the_accuracy_itself(right: int) -> None:
    interval = resample_pooled(*images_of([(right, 3)] * 5), generator(), 10_000).bca()
    assert (interval.low, interval.high) == (right / 3, right / 3)


def test_many_subjects_of_one_image_are_drawn_as_a_binomial() -> None:
    """24,530 subjects (AffectNet): drawn by distinct counts, not one by one."""
    correct, subject = images_of([(1, 1)] * 15_000 + [(0, 1)] * 9_530)
    interval = pooled_interval(correct, subject)
    expected = scipy.stats.binom(24_530, 15_000 / 24_530).ppf([0.025, 0.975]) / 24_530
    assert (interval.low, interval.high) == pytest.approx(tuple(expected), abs=0.0005)


def test_a_correct_that_is_not_bool_is_refused() -> None:
    with pytest.raises(ValueError, match="bool"):
        pooled_interval(np.array([1.0, np.nan]), np.array(["A", "B"]))
