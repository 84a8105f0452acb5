"""Counts of images by subject, which every interval and test over subjects starts from."""

from __future__ import annotations

import numpy as np
import pytest

from platform.evaluation.subjects import check_images, subject_counts

SUBJECT = np.array(["b", "a", "b", "c", "b"])
FIRST = np.array([True, True, False, False, True])


def test_counts_come_by_subject_sorted_by_name() -> None:
    assert subject_counts(FIRST, SUBJECT).tolist() == [[1, 1], [2, 3], [0, 1]]


def test_the_order_of_the_images_changes_nothing() -> None:
    order = np.array([4, 2, 0, 3, 1])
    np.testing.assert_array_equal(
        subject_counts(FIRST[order], SUBJECT[order]), subject_counts(FIRST, SUBJECT)
    )


@pytest.mark.parametrize(
    ("subject", "correct", "rule"),
    [
        (SUBJECT[:0], FIRST[:0], "at least one image"),
        (SUBJECT, FIRST.astype(float), "must be bool, got float64"),
        (SUBJECT, FIRST[:4], "correct has 4, subject 5"),
    ],
)
def test_columns_that_do_not_fit_are_refused(subject: np.ndarray, correct: np.ndarray, rule: str) -> None:
    with pytest.raises(ValueError, match=rule):
        check_images(subject, correct=correct)
