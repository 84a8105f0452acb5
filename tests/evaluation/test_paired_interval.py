from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import bootstrap

from platform.evaluation.paired_interval import difference_interval


def images(seed: int, subjects: int = 30, each: int = 4) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    subject = np.repeat(np.arange(subjects), each)
    return random.random(len(subject)) < 0.8, random.random(len(subject)) < 0.6, subject


def test_with_equal_subjects_it_is_the_percentile_bootstrap_of_subject_means() -> None:
    first, second, subject = images(0)
    found = difference_interval(first, second, subject, np.random.default_rng(0))
    of_subject = (first.astype(float) - second).reshape(30, 4).mean(axis=1)
    expected = bootstrap((of_subject,), np.mean, n_resamples=10_000, method="percentile", rng=0)
    assert found.low == pytest.approx(expected.confidence_interval.low, abs=0.01)
    assert found.high == pytest.approx(expected.confidence_interval.high, abs=0.01)


def test_a_method_against_itself_differs_by_nothing() -> None:
    first, _, subject = images(1)
    found = difference_interval(first, first, subject, np.random.default_rng(0))
    assert (found.low, found.high) == (0.0, 0.0)


def test_swapped_methods_give_the_mirrored_interval() -> None:
    first, second, subject = images(2)
    one = difference_interval(first, second, subject, np.random.default_rng(0))
    other = difference_interval(second, first, subject, np.random.default_rng(0))
    assert (one.low, one.high) == pytest.approx((-other.high, -other.low))


def test_images_of_a_subject_stay_together() -> None:
    """Four equal answers of each subject say no more than one: were they apart, it would be half as long."""
    first, second, _ = images(3, subjects=40, each=1)
    together, apart = (
        difference_interval(np.repeat(first, 4), np.repeat(second, 4), subject, np.random.default_rng(0))
        for subject in (np.repeat(np.arange(40), 4), np.arange(160))
    )
    assert (together.high - together.low) / (apart.high - apart.low) == pytest.approx(2, rel=0.15)


def test_one_subject_is_refused() -> None:
    with pytest.raises(ValueError, match="needs two or more"):
        difference_interval(np.array([True]), np.array([False]), np.array(["A"]), np.random.default_rng(0))
