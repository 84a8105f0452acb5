from __future__ import annotations

import numpy as np
import pytest
import scipy.stats

from platform.evaluation.accuracy_interval import accuracy_interval, clopper_pearson
from platform.evaluation.paired_difference import SeedCounts, paired_difference
from platform.evaluation.subject_interval import (
    interval_of_influences,
    paired_subject_interval,
    subject_interval,
)
from platform.evaluation.variance_parts import unseen_share
from tests.evaluation.counted_images import images_of


def ratio(sums: np.ndarray) -> np.ndarray:
    """First sum over the second."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(sums[..., 0] / sums[..., 1])


def mean_of_recalls(sums: np.ndarray) -> np.ndarray:
    """(..., 2 C): correct images of each class, then images of each."""
    classes = sums.shape[-1] // 2
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray((sums[..., :classes] / sums[..., classes:]).mean(axis=-1))


def test_a_mean_of_equal_subjects_is_the_t_interval() -> None:
    values = np.array([0.1, 0.4, 0.2, 0.7, 0.3, 0.3])
    found = subject_interval(np.stack([values, np.ones(6)], axis=1), ratio)
    assert found is not None
    assert (found.estimate, found.standard_error) == pytest.approx((values.mean(), scipy.stats.sem(values)))
    expected = scipy.stats.t.interval(0.95, found.freedom, loc=values.mean(), scale=scipy.stats.sem(values))
    assert (found.low, found.high) == pytest.approx(expected)
    assert found.p_value == pytest.approx(
        2 * scipy.stats.t.sf(found.estimate / found.standard_error, found.freedom)
    )
    assert (found.subject_count, found.seed_count) == (6, 1)


def test_deleting_subjects_by_hand() -> None:
    """Sums (1, 2), (3, 4), (0, 4): 0.4; without each 3/8, 1/6, 2/3."""
    found = subject_interval(np.array([[1, 2], [3, 4], [0, 4]]), ratio)
    without = np.array([3 / 8, 1 / 6, 2 / 3])
    assert found is not None
    assert found.standard_error == pytest.approx(np.sqrt(2 / 3 * ((without - without.mean()) ** 2).sum()))
    assert found.estimate == pytest.approx(0.4)


def test_for_an_accuracy_it_is_close_to_the_accuracy_interval() -> None:
    random = np.random.default_rng(0)
    counts = [(int(right), 9) for right in random.binomial(9, random.beta(4, 1, 80))]
    found = subject_interval(np.array(counts), ratio, share=True)
    expected = accuracy_interval(*images_of(counts))
    assert found is not None
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high), abs=1e-6)


def test_paired_accuracies_are_close_to_the_paired_difference() -> None:
    random = np.random.default_rng(1)
    images = random.integers(3, 9, 60)
    first, second = random.binomial(images, 0.8, (3, 60)), random.binomial(images, 0.6, (3, 60))
    sizes = np.broadcast_to(images, (3, 60))
    found = paired_subject_interval(np.stack([first, sizes], -1), np.stack([second, sizes], -1), ratio)
    expected = paired_difference(SeedCounts(first=first, second=second, images=images, fold=0 * images))
    assert found is not None
    assert found.estimate == pytest.approx(expected.difference)
    assert found.standard_error == pytest.approx(expected.standard_error, rel=0.02)
    assert found.seed_count == 3


def test_two_groups_are_a_function_of_sums_too() -> None:
    random = np.random.default_rng(4)
    values = random.normal(0.5, 0.1, 24)
    sums = np.zeros((24, 4))
    sums[:12, 0], sums[:12, 1], sums[12:, 2], sums[12:, 3] = values[:12], 1, values[12:], 1
    found = subject_interval(sums, lambda total: ratio(total[..., :2]) - ratio(total[..., 2:]))
    welch = scipy.stats.ttest_ind(values[:12], values[12:], equal_var=False)
    assert found is not None
    assert found.estimate == pytest.approx(values[:12].mean() - values[12:].mean())
    assert found.p_value == pytest.approx(welch.pvalue, abs=0.03)


@pytest.mark.parametrize("seeds", [1, 3])
def test_orders_do_not_matter(seeds: int) -> None:
    random = np.random.default_rng(2)
    sums = np.stack([random.integers(0, 5, (seeds, 15)), np.full((seeds, 15), 5)], axis=-1)
    found = subject_interval(sums, ratio)
    moved = subject_interval(sums[random.permutation(seeds)][:, random.permutation(15)], ratio)
    assert found is not None
    assert moved is not None
    assert (moved.low, moved.high) == pytest.approx((found.low, found.high), rel=1e-12)


def test_seeds_that_disagree_widen_it() -> None:
    random = np.random.default_rng(2)
    one = np.stack([random.integers(2, 5, 15), np.full(15, 6)], axis=-1)
    calm = subject_interval(np.stack([one, one, one]), ratio)
    wild = subject_interval(np.stack([one - [1, 0], one, one + [1, 0]]), ratio)
    alone = subject_interval(one, ratio)
    assert calm is not None
    assert wild is not None
    assert alone is not None
    assert (calm.low, calm.high) == pytest.approx((alone.low, alone.high))
    assert wild.high - wild.low > 1.2 * (calm.high - calm.low)


def test_without_variation_the_subjects_bound_it() -> None:
    perfect = np.tile([4.0, 4.0], (9, 1))
    share = subject_interval(perfect, ratio, share=True)
    assert share is not None
    assert (share.low, share.high) == pytest.approx(clopper_pearson(1.0, 9, 0.95))
    real = subject_interval(perfect, ratio, limits=(0.0, 1.0))
    assert real is not None
    assert (real.low, real.high) == pytest.approx((1.0 - unseen_share(9), 1.0))


def test_ends_stay_within_limits() -> None:
    sums = np.array([[5.0, 5.0], [5.0, 5.0], [1.0, 5.0]])
    open_ended, limited = subject_interval(sums, ratio), subject_interval(sums, ratio, limits=(0.0, 1.0))
    share = subject_interval(sums, ratio, share=True)
    assert open_ended is not None
    assert limited is not None
    assert share is not None
    assert open_ended.high > 1.0
    assert (limited.low, limited.high) == (0.0, 1.0)
    assert 0.0 <= share.low < open_ended.estimate < share.high <= 1.0


def test_nothing_is_said_where_one_subject_carries_the_statistic() -> None:
    assert subject_interval(np.array([[1.0, 2.0]]), ratio) is None
    rare = np.array([[1.0, 0.0, 2.0, 0.0], [1.0, 0.0, 2.0, 0.0], [1.0, 1.0, 2.0, 1.0]])
    assert subject_interval(rare, mean_of_recalls) is None
    with pytest.raises(ValueError, match="undefined for these images"):
        subject_interval(rare[:2], mean_of_recalls)


def test_influences_may_be_given() -> None:
    values = np.array([0.1, 0.4, 0.2, 0.7, 0.3, 0.3])
    found = interval_of_influences(np.array([values.mean()]), (values - values.mean()) / 6)
    expected = subject_interval(np.stack([values, np.ones(6)], axis=1), ratio)
    assert expected is not None
    assert (found.low, found.high, found.freedom) == pytest.approx(
        (expected.low, expected.high, expected.freedom)
    )
    with pytest.raises(ValueError, match="two or more"):
        interval_of_influences(np.array([0.5]), np.zeros(1))


def test_hundreds_of_thousands_of_subjects() -> None:
    random = np.random.default_rng(0)
    sums = np.zeros((290_000, 16))
    label = random.integers(0, 8, 290_000)
    sums[np.arange(290_000), 8 + label] = 1
    sums[np.arange(290_000), label] = random.random(290_000) < 0.6
    found = subject_interval(sums, mean_of_recalls, share=True)
    assert found is not None
    assert found.high - found.low == pytest.approx(2 * 1.96 * np.sqrt(0.24 / 290_000), rel=0.02)


def test_shapes_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match="must have the shape"):
        subject_interval(np.zeros(3), ratio)
    with pytest.raises(ValueError, match="same subjects and sums"):
        paired_subject_interval(np.ones((3, 2)), np.ones((4, 2)), ratio)
