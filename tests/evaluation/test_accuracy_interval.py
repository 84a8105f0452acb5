from __future__ import annotations

import numpy as np
import pytest
import scipy.stats

from platform.evaluation.accuracy_interval import (
    Interval,
    accuracy_interval,
    clopper_pearson,
    seed_accuracy_interval,
    subject_spread,
)
from tests.evaluation.counted_images import images_of

UNEVEN = [(0, 2), (1, 4), (6, 6), (3, 3), (8, 9)]


@pytest.mark.parametrize(("one", "other", "overlap"), [((0, 1), (1, 2), True), ((0, 1), (1.1, 2), False)])
def test_overlap_is_symmetric(one: tuple[float, float], other: tuple[float, float], overlap: bool) -> None:
    first = Interval(low=one[0], high=one[1])
    second = Interval(low=other[0], high=other[1])
    assert first.overlaps(second) is overlap
    assert second.overlaps(first) is overlap


@pytest.mark.parametrize(("right", "images"), [(0, 7), (7, 7), (3, 10), (963, 981)])
@pytest.mark.parametrize("confidence", [0.9, 0.95])
def test_clopper_pearson_equals_scipy_on_whole_counts(right: int, images: int, confidence: float) -> None:
    expected = scipy.stats.binomtest(right, images).proportion_ci(confidence, method="exact")
    assert clopper_pearson(right / images, images, confidence) == pytest.approx(
        (expected.low, expected.high), rel=1e-9
    )


def test_pooled_variance_is_that_of_a_mean_where_subjects_have_equal_sizes() -> None:
    right = np.array([0, 3, 6, 6, 5, 2])
    spread = subject_spread(*images_of([(int(count), 6) for count in right]))
    assert spread.accuracy == pytest.approx(22 / 36)
    assert spread.variance == pytest.approx(scipy.stats.sem(right / 6) ** 2)
    assert spread.fewest_effective == pytest.approx(6)
    assert spread.most_effective == pytest.approx(36)


@pytest.mark.parametrize(("wrong", "freedom"), [([4], 2.0), ([4, 4], 4.0), ([8, 1, 1], 2 * 66**2 / 4098)])
def test_freedom_counts_the_subjects_that_tell_something(wrong: list[int], freedom: float) -> None:
    """Satterthwaite: 2 (sum of squares)^2 / (sum of fourth powers), of the errors among many subjects."""
    counts = [(8 - errors, 8) for errors in wrong] + [(8, 8)] * 5000
    assert subject_spread(*images_of(counts)).freedom == pytest.approx(freedom, rel=0.01)
    assert subject_spread(*images_of([(0, 2), (1, 2), (2, 2)])).freedom == 2.0  # never above S - 1


def test_mean_of_folds_with_one_subject_a_fold_is_the_mean_over_subjects() -> None:
    correct, subject = images_of(UNEVEN)
    _, fold = np.unique(subject, return_inverse=True)
    spread = subject_spread(correct, subject, fold)
    accuracies = np.array([right / total for right, total in UNEVEN])
    assert spread.accuracy == pytest.approx(accuracies.mean())
    assert spread.variance == pytest.approx(scipy.stats.sem(accuracies) ** 2)
    assert spread.fewest_effective == pytest.approx(5)


def test_folds_of_equal_size_change_nothing() -> None:
    correct, subject = images_of([(1, 4), (4, 4), (3, 4), (4, 4)])
    fold = np.repeat([0, 1], 8)
    pooled, mean = accuracy_interval(correct, subject), accuracy_interval(correct, subject, fold)
    assert (mean.low, mean.high) == (pytest.approx(pooled.low), pytest.approx(pooled.high))


def test_a_subject_tested_in_two_folds_stays_one_subject() -> None:
    """As in repeated cross-validation: twice the same predictions bring no certainty."""
    correct, subject = images_of(UNEVEN)
    once = subject_spread(correct, subject)
    twice = subject_spread(np.tile(correct, 2), np.tile(subject, 2), np.repeat([0, 1], len(correct)))
    assert (twice.accuracy, twice.variance) == (pytest.approx(once.accuracy), pytest.approx(once.variance))


def test_with_one_image_a_subject_it_is_close_to_the_exact_binomial_interval() -> None:
    interval = accuracy_interval(*images_of([(1, 1)] * 300 + [(0, 1)] * 100))
    expected = scipy.stats.binomtest(300, 400).proportion_ci()
    assert interval.low == pytest.approx(expected.low, abs=0.002)
    assert interval.high == pytest.approx(expected.high, abs=0.002)
    assert interval.caveat is None


def test_images_of_one_subject_are_not_counted_as_independent() -> None:
    """Subjects all right or all wrong: thirty copies of an image bring no certainty."""
    single = accuracy_interval(*images_of([(1, 1)] * 20 + [(0, 1)] * 20))
    thirty = accuracy_interval(*images_of([(30, 30)] * 20 + [(0, 30)] * 20))
    assert (thirty.low, thirty.high) == (
        pytest.approx(single.low, abs=0.01),
        pytest.approx(single.high, abs=0.01),
    )


def test_it_does_not_depend_on_the_order_of_rows_or_names() -> None:
    correct, subject = images_of(UNEVEN)
    fold = np.arange(len(correct)) % 3
    order = np.random.default_rng(0).permutation(len(correct))
    first = accuracy_interval(correct, subject, fold)
    assert first == accuracy_interval(correct[order], subject[order], fold[order])
    renamed = np.char.add("Z", subject)
    assert first == accuracy_interval(correct, renamed, fold)


def test_right_and_wrong_are_mirrored() -> None:
    correct, subject = images_of(UNEVEN)
    right, wrong = accuracy_interval(correct, subject), accuracy_interval(~correct, subject)
    assert (right.low, right.high) == (pytest.approx(1 - wrong.high), pytest.approx(1 - wrong.low))


@pytest.mark.parametrize("folds", [None, 10])
def test_without_an_error_the_subjects_alone_bound_it(folds: int | None) -> None:
    """118 subjects of nine images: as 118 images without an error, whatever the number of images."""
    correct, subject = images_of([(9, 9)] * 118)
    fold = None if folds is None else np.repeat(np.arange(118) % folds, 9)
    interval = accuracy_interval(correct, subject, fold)
    assert interval.high == 1.0
    assert interval.low == pytest.approx(0.025 ** (1 / 118), abs=0.0005)
    assert interval.caveat is not None
    assert interval.caveat.startswith("No image is wrong, so the interval is that of 118 equal subjects")


def test_with_nothing_but_errors_it_starts_at_zero() -> None:
    interval = accuracy_interval(*images_of([(0, 3)] * 20))
    assert (interval.low, interval.high) == (0.0, pytest.approx(1 - 0.025 ** (1 / 20)))
    assert interval.caveat is not None
    assert interval.caveat.startswith("No image is right")


@pytest.mark.parametrize(
    ("counts", "caveat"),
    [
        (
            [(5, 6)] * 2 + [(6, 6)] * 30,
            "Only 2 subjects have errors, so the variation between people is poorly known",
        ),
        ([(5, 6)] + [(6, 6)] * 30, "Only 1 subject has errors, so"),
        # All err: not the errors are few, but the people.
        ([(3, 6)] * 6, "With 6 subjects the variation between people is poorly known"),
        ([(1, 6)] * 3 + [(0, 6)] * 30, "Only 3 subjects have correct images, so"),
        ([(3, 6)] * 30, None),
    ],
)
def test_few_telling_subjects_are_said(counts: list[tuple[int, int]], caveat: str | None) -> None:
    found = accuracy_interval(*images_of(counts)).caveat
    assert found is None if caveat is None else found is not None and found.startswith(caveat)


def test_subjects_that_are_all_alike_count_as_independent_images() -> None:
    """No spread at all between 30 subjects with errors: n images, shrunk for 29 degrees of freedom."""
    interval = accuracy_interval(*images_of([(5, 6)] * 30))
    images = 180 * (scipy.stats.norm.ppf(0.975) / scipy.stats.t.ppf(0.975, 29)) ** 2
    assert (interval.low, interval.high) == pytest.approx(clopper_pearson(5 / 6, images, 0.95))
    fold = np.repeat(np.arange(30) % 7, 6)
    assert subject_spread(*images_of([(5, 6)] * 30), fold).variance == 0.0


@pytest.mark.parametrize(
    ("correct", "subject", "fold", "message"),
    [
        ([True, False], ["A", "A"], None, "two or more"),
        ([1.0, np.nan], ["A", "B"], None, "correct must be bool, got float64"),
        ([True, False], ["A", "B"], [0], "every image needs a fold"),
        ([True], ["A", "B"], None, "correct has 1, subject 2"),
    ],
)
def test_what_it_cannot_work_with_is_refused(
    correct: list[float], subject: list[str], fold: list[int] | None, message: str
) -> None:
    folds = None if fold is None else np.array(fold)
    with pytest.raises(ValueError, match=message):
        accuracy_interval(np.array(correct), np.array(subject), folds)


def test_no_images_are_refused() -> None:
    with pytest.raises(ValueError, match="at least one image"):
        accuracy_interval(np.zeros(0, dtype=bool), np.zeros(0, dtype=str))


@pytest.mark.parametrize("accuracy", [0.62, 0.98])
def test_it_covers_where_the_bootstrap_does_not(accuracy: float) -> None:
    """Beta-binomial subjects, very different ones; the full study is benchmarks/interval_coverage.py."""
    generator = np.random.default_rng(11)
    held = 0
    for _ in range(300):
        probability = generator.beta(2 * accuracy, 2 * (1 - accuracy), 31)
        interval = accuracy_interval(*images_of([(right, 9) for right in generator.binomial(9, probability)]))
        held += interval.low <= accuracy <= interval.high
    assert held >= 0.93 * 300


def test_one_seed_gives_the_interval_of_one_seed() -> None:
    correct, subject = images_of(UNEVEN)
    fold = np.arange(len(correct)) % 3
    for folds in (None, fold):
        expected = accuracy_interval(correct, subject, folds)
        assert seed_accuracy_interval(correct[None], subject, folds) == expected
        copies = seed_accuracy_interval(np.tile(correct, (3, 1)), subject, folds)
        assert (copies.low, copies.high) == pytest.approx((expected.low, expected.high))


def test_seeds_that_disagree_widen_the_interval_of_their_mean() -> None:
    """Squared half-widths add: that of 400 images, and t(2)^2 variance / 3 of the seeds."""
    calm = np.tile(np.arange(10) < 6, (3, 40))
    wild = np.stack([np.tile(np.arange(10) < right, 40) for right in (5, 6, 7)])
    subject = np.repeat(np.arange(40), 10)
    images = 400 * (scipy.stats.norm.ppf(0.975) / scipy.stats.t.ppf(0.975, 39)) ** 2
    seeds = 0.01 / 3 * (scipy.stats.t.ppf(0.975, 2) / scipy.stats.norm.ppf(0.975)) ** 2
    expected = clopper_pearson(0.6, 1 / (1 / images + seeds / 0.24), 0.95)
    found = seed_accuracy_interval(wild, subject)
    assert (found.low, found.high) == pytest.approx(expected)
    narrow = seed_accuracy_interval(calm, subject)
    assert narrow.high - narrow.low < 0.6 * (found.high - found.low)
    assert seed_accuracy_interval(wild[::-1], subject) == found


def test_seeds_without_an_error_are_bounded_by_the_subjects() -> None:
    found = seed_accuracy_interval(np.ones((3, 118 * 9), dtype=bool), np.repeat(np.arange(118), 9))
    assert (found.low, found.high) == (pytest.approx(0.025 ** (1 / 118), abs=0.0005), 1.0)


def test_seeds_of_other_images_are_refused() -> None:
    with pytest.raises(ValueError, match="correct has 3, subject 4"):
        seed_accuracy_interval(np.ones((2, 3), dtype=bool), np.arange(4))
