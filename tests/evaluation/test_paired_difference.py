from __future__ import annotations

import numpy as np
import pytest
import scipy.stats

from platform.evaluation.paired_difference import (
    PairedDifference,
    SeedCounts,
    paired_difference,
    seed_counts,
)
from platform.evaluation.paired_tests import sign_flip_p
from platform.evaluation.variance_parts import satterthwaite, unseen_share
from tests.evaluation.counted_images import paired_images_of


def counts_of(first: list[list[int]], second: list[list[int]], images: list[int]) -> SeedCounts:
    """First and second by seed and subject; all in one fold."""
    return SeedCounts(
        first=np.array(first),
        second=np.array(second),
        images=np.array(images),
        fold=np.zeros(len(images), dtype=np.int64),
    )


def drawn_counts(seeds: int, subjects: int, random: np.random.Generator, most: int = 9) -> SeedCounts:
    images = random.integers(1, most, subjects)
    return SeedCounts(
        first=random.binomial(images, 0.8, (seeds, subjects)),
        second=random.binomial(images, 0.6, (seeds, subjects)),
        images=images,
        fold=random.integers(0, 10, subjects),
    )


def test_one_seed_by_hand() -> None:
    """Four subjects of four images, +2, +1, -1, +2: t over the four shares, which are .5, .25, -.25, .5."""
    found = paired_difference(counts_of([[4, 3, 2, 4]], [[2, 2, 3, 2]], [4, 4, 4, 4]))
    shares = np.array([0.5, 0.25, -0.25, 0.5])
    assert found.difference == pytest.approx(0.25)
    assert found.standard_error == pytest.approx(scipy.stats.sem(shares))
    assert found.freedom == 3.0
    assert found.interval is not None
    expected = scipy.stats.t.interval(0.95, 3, loc=0.25, scale=scipy.stats.sem(shares))
    assert (found.interval.low, found.interval.high) == pytest.approx(expected)
    assert found.p_value == pytest.approx(6 / 16)  # sums of at least 4 of (2, 1, 1, 2): 6, 4, 4 and mirrored
    assert (found.smallest_p, found.differing_subjects, found.seed_count) == (0.125, 4, 1)


def test_subjects_who_agree_leave_room_for_those_unseen() -> None:
    """Six of eight agree, the others differ by 1/4: 3/4 of the bound for eight, times (1/4)^(1/2 - 3/8),
    joins the t half-width, as in a right triangle."""
    counts = np.array([1, 1, 0, 0, 0, 0, 0, 0])
    found = paired_difference(counts_of([counts.tolist()], [[0] * 8], [4] * 8))
    influences = (counts / 4 - 0.0625) / 8
    half = scipy.stats.sem(counts / 4) * scipy.stats.t.ppf(0.975, satterthwaite(influences))
    unseen = 0.75 * 0.25**0.125 * unseen_share(8)
    assert found.interval is not None
    assert found.interval.high - found.difference == pytest.approx(np.hypot(half, unseen))


@pytest.mark.parametrize(("subjects", "exponent"), [(6, 0.0), (4, 0.0), (20, 0.35), (300, 0.49)])
def test_those_unseen_are_taken_to_differ_less_where_many_differ_little(
    subjects: int, exponent: float
) -> None:
    counts = [1, -1] + [0] * (subjects - 2)
    first, second = [max(0, one) for one in counts], [max(0, -one) for one in counts]
    found = paired_difference(counts_of([first], [second], [9] * subjects))
    half = scipy.stats.sem(np.array(counts) / 9) * scipy.stats.t.ppf(
        0.975, satterthwaite(np.array(counts, dtype=float))
    )
    unseen = (1 - 2 / subjects) * (1 / 9) ** exponent * unseen_share(subjects)
    assert found.interval is not None
    assert found.interval.high == pytest.approx(np.hypot(half, unseen))


def test_three_seeds_by_hand() -> None:
    """Two subjects of ten images; seeds' differences .2, .3, .4; subjects' means .4 and .2."""
    found = paired_difference(counts_of([[6, 4], [7, 5], [8, 6]], [[3, 3], [3, 3], [3, 3]], [10, 10]))
    assert found.difference == pytest.approx(0.3)
    between_subjects, between_seeds = 0.1**2, 0.1**2 / 3
    assert found.standard_error == pytest.approx(np.sqrt(between_subjects + between_seeds))
    assert found.interval is not None
    quantiles = scipy.stats.t.ppf(0.975, [1, 2])
    half = np.sqrt(between_subjects * quantiles[0] ** 2 + between_seeds * quantiles[1] ** 2)
    assert found.interval.low == pytest.approx(max(-1.0, 0.3 - half))
    assert (found.seed_count, found.differing_subjects, found.smallest_p) == (3, 2, 0.5)


@pytest.mark.parametrize("seed", range(5))
def test_one_seed_has_the_p_value_of_the_sign_flip_test(seed: int) -> None:
    random = np.random.default_rng(seed)
    subject = np.repeat([f"S{index}" for index in range(13)], random.integers(1, 7, 13))
    first, second = random.random(len(subject)) < 0.8, random.random(len(subject)) < 0.6
    found = paired_difference(seed_counts(first, second, subject))
    each = [first[subject == name].sum() - second[subject == name].sum() for name in np.unique(subject)]
    assert found.p_value == sign_flip_p(np.array(each, dtype=np.int64))
    assert found.difference == pytest.approx(sum(each) / len(subject))
    assert (found.subject_count, found.differing_subjects) == (13, np.count_nonzero(each))


@pytest.mark.parametrize("seeds", [1, 2, 5])
@pytest.mark.parametrize("subjects", [2, 6, 31])
def test_interval_error_and_freedom_agree_and_swapping_mirrors(seeds: int, subjects: int) -> None:
    counts = drawn_counts(seeds, subjects, np.random.default_rng(subjects))
    found = paired_difference(counts)
    swapped = paired_difference(
        SeedCounts(first=counts.second, second=counts.first, images=counts.images, fold=counts.fold)
    )
    assert found.interval is not None
    assert swapped.interval is not None
    assert found.standard_error is not None
    half = found.standard_error * scipy.stats.t.ppf(0.975, found.freedom)
    assert found.interval.low == pytest.approx(max(-1.0, found.difference - half), abs=1e-7)
    assert found.interval.high == pytest.approx(min(1.0, found.difference + half), abs=1e-7)
    assert (swapped.interval.low, swapped.interval.high) == pytest.approx(
        (-found.interval.high, -found.interval.low)
    )
    assert swapped.p_value == pytest.approx(found.p_value)


@pytest.mark.parametrize("seeds", [2, 3])
def test_with_several_seeds_a_small_p_value_means_an_interval_without_zero(seeds: int) -> None:
    random = np.random.default_rng(seeds)
    small = 0
    for _ in range(60):
        found = paired_difference(drawn_counts(seeds, int(random.integers(2, 20)), random))
        assert found.interval is not None
        assert found.p_value is not None
        if found.p_value < 0.05:
            small += 1
            assert not found.interval.low <= 0.0 <= found.interval.high
        assert found.p_value >= (found.smallest_p or 0.0)
    assert small


def test_neither_order_of_subjects_nor_order_of_seeds_matters() -> None:
    random = np.random.default_rng(8)
    counts = drawn_counts(4, 17, random)
    found = paired_difference(counts)
    subjects, seeds = random.permutation(17), random.permutation(4)
    other = SeedCounts(
        first=counts.first[seeds],
        second=counts.second[seeds],
        images=counts.images,
        fold=counts.fold,
    )
    assert paired_difference(other) == found
    moved = paired_difference(
        SeedCounts(
            first=counts.first[:, subjects],
            second=counts.second[:, subjects],
            images=counts.images[subjects],
            fold=counts.fold[subjects],
        )
    )
    assert moved.p_value == pytest.approx(found.p_value, rel=1e-9)
    assert moved.standard_error == pytest.approx(found.standard_error, rel=1e-12)


def test_equal_seeds_say_no_more_of_subjects_than_one() -> None:
    one = drawn_counts(1, 12, np.random.default_rng(1))
    three = SeedCounts(
        first=np.repeat(one.first, 3, axis=0),
        second=np.repeat(one.second, 3, axis=0),
        images=one.images,
        fold=one.fold,
    )
    found, expected = paired_difference(three), paired_difference(one)
    assert found.standard_error == pytest.approx(expected.standard_error)
    assert found.freedom == pytest.approx(expected.freedom)


def test_seeds_that_disagree_widen_the_interval_and_raise_p() -> None:
    agree = counts_of([[9] * 20] * 3, [[7] * 19 + [6]] * 3, [10] * 20)
    apart = counts_of([[10] * 20, [9] * 20, [8] * 20], [[7] * 19 + [6]] * 3, [10] * 20)
    calm, wild = paired_difference(agree), paired_difference(apart)
    assert calm.difference == pytest.approx(wild.difference)
    assert calm.p_value is not None
    assert wild.p_value is not None
    assert calm.p_value < 0.001 < 0.05 < wild.p_value
    assert wild.interval is not None
    assert wild.interval.low < 0.0


def test_one_subject_cannot_be_tested() -> None:
    assert paired_difference(counts_of([[3], [4]], [[1], [1]], [4])) == PairedDifference(
        difference=0.625,
        interval=None,
        p_value=None,
        smallest_p=None,
        subject_count=1,
        differing_subjects=1,
        seed_count=2,
        standard_error=None,
        freedom=None,
    )


@pytest.mark.parametrize("seeds", [1, 3])
def test_without_any_difference_the_subjects_bound_what_was_not_seen(seeds: int) -> None:
    found = paired_difference(counts_of([[3] * 8] * seeds, [[3] * 8] * seeds, [4] * 8))
    assert found.interval is not None
    assert (found.difference, found.p_value, found.smallest_p) == (0.0, 1.0, 1.0)
    assert (found.interval.low, found.interval.high) == pytest.approx((-unseen_share(8), unseen_share(8)))
    always = paired_difference(counts_of([[4] * 8] * seeds, [[0] * 8] * seeds, [4] * 8))
    assert always.interval is not None
    assert (always.difference, always.interval.high) == (1.0, 1.0)
    assert always.interval.low == pytest.approx(1.0 - unseen_share(8))
    assert always.p_value == pytest.approx(2**-7, rel=0.3)


@pytest.mark.parametrize(("differing", "smallest"), [(1, 1.0), (2, 0.5), (5, 0.0625), (6, None)])
def test_few_differing_subjects_have_a_smallest_p(differing: int, smallest: float | None) -> None:
    found = paired_difference(
        counts_of([[2] * differing + [1] * 30], [[1] * (differing + 30)], [2] * (differing + 30))
    )
    assert found.smallest_p == smallest
    assert found.p_value is not None
    assert found.p_value == pytest.approx(smallest or 2**-5)


def test_images_become_counts() -> None:
    first, second, subject = paired_images_of([2, -1, 0], 3)
    fold = np.array([1, 1, 1, 0, 2, 2, 2, 2, 2])
    order = np.random.default_rng(0).permutation(9)
    counts = seed_counts(first[order], second[order], subject[order], fold[order])
    assert counts.first.tolist() == [[2, 0, 0]]
    assert counts.second.tolist() == [[0, 1, 0]]
    assert (counts.images.tolist(), counts.fold.tolist()) == ([3, 3, 3], [1, 0, 2])
    two = seed_counts(np.stack([first, second]), np.stack([second, first]), subject)
    assert two.first.tolist() == [[2, 0, 0], [0, 1, 0]]
    assert two.fold.tolist() == [0, 0, 0]


def test_hundreds_of_thousands_of_subjects() -> None:
    """As many as AffectNet's images, each its own subject."""
    random = np.random.default_rng(0)
    subjects = 290_000
    images = np.ones(subjects, dtype=np.int64)
    for seeds in (1, 3):
        first = random.binomial(1, 0.61, (seeds, subjects))
        second = random.binomial(1, 0.60, (seeds, subjects))
        found = paired_difference(SeedCounts(first=first, second=second, images=images, fold=0 * images))
        assert found.standard_error == pytest.approx(np.sqrt(0.48 / subjects / seeds), rel=0.9)
        assert found.p_value is not None
        assert 0.0 < found.p_value <= 1.0


def test_the_normal_approximation_meets_the_exact_p_value(monkeypatch: pytest.MonkeyPatch) -> None:
    differences = np.random.default_rng(2).integers(-3, 4, 4_000)
    differences[:60] = 2
    exact = sign_flip_p(differences)
    monkeypatch.setattr("platform.evaluation.paired_tests.STEPS", 1.0)
    assert exact != sign_flip_p(differences)
    assert sign_flip_p(differences) == pytest.approx(exact, rel=0.01)


@pytest.mark.parametrize(
    ("first", "images", "message"),
    [
        (np.zeros((0, 3), dtype=int), [1, 1, 1], "two equal arrays"),
        (np.zeros(3, dtype=int), [1, 1, 1], "two equal arrays"),
        (np.zeros((1, 3)), [1, 1, 1], "whole numbers"),
        (np.zeros((1, 3), dtype=int), [1, 1], "as many images"),
        (np.zeros((1, 3), dtype=int), [1, 0, 1], "at least one image"),
        (np.full((1, 3), 2), [1, 2, 2], "between 0 and its images"),
    ],
)
def test_impossible_counts_are_refused(first: np.ndarray, images: list[int], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        SeedCounts(
            first=first,
            second=np.zeros_like(first),
            images=np.array(images),
            fold=np.zeros(len(images), dtype=int),
        )


def test_images_that_do_not_fit_are_refused() -> None:
    first, second, subject = paired_images_of([2, -1, 0], 3)
    with pytest.raises(ValueError, match="same seeds and images"):
        seed_counts(np.stack([first, first]), second, subject)
    with pytest.raises(ValueError, match="must be bool"):
        seed_counts(first.astype(float), second.astype(float), subject)
    with pytest.raises(ValueError, match="every image needs a fold"):
        seed_counts(first, second, subject, np.zeros(2, dtype=int))
