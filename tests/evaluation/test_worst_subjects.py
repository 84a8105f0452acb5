from __future__ import annotations

import numpy as np
import pytest

from platform.evaluation.scored_items import ScoredItems
from platform.evaluation.worst_subjects import worst_count, worst_tenth_accuracy
from tests.evaluation.drawn_items import drawn_items, taken


@pytest.mark.parametrize(("subjects", "count"), [(1, 1), (9, 1), (10, 1), (19, 1), (20, 2), (118, 11)])
def test_a_tenth_is_at_least_one_subject(subjects: int, count: int) -> None:
    assert worst_count(subjects) == count


def test_subjects_count_alike_whatever_their_number_of_images() -> None:
    items = drawn_items(0, subjects=20)
    unequal = taken(items, (items.subject > 0) | (np.arange(len(items)) < 2))
    accuracies = sorted(float(unequal.correct[unequal.subject == s].mean()) for s in range(20))
    assert worst_tenth_accuracy(unequal) == pytest.approx(np.mean(accuracies[:2]))


def test_one_subject_is_the_worst() -> None:
    items = drawn_items(0, subjects=1)
    assert worst_tenth_accuracy(items) == pytest.approx(float(items.correct.mean()))


def test_subjects_of_one_image_each_have_no_worst_tenth() -> None:
    items = ScoredItems(
        true=np.zeros(3, dtype=np.int64),
        predicted=np.array([0, 1, 1]),
        subject=np.arange(3),
        scores=np.full((3, 2), 0.5),
        class_names=("a", "b"),
        subject_names=("s", "t", "u"),
    )
    assert worst_tenth_accuracy(items) is None
