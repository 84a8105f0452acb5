"""Counts by subject: the same for any order of the images, and small."""

from __future__ import annotations

import dataclasses

import numpy as np

from platform.aggregation.paired_images import paired_images
from platform.evaluation.predictions import Predictions, concatenate
from tests.fake_runs import fake_predictions


def predictions() -> Predictions:
    return concatenate([fake_predictions(0.6, fold, seed=1) for fold in (1, 0)])


def test_subjects_are_counted_with_their_fold() -> None:
    made, found = predictions(), paired_images(predictions())
    names = np.unique(made.subject)
    assert found.images.tolist() == [int((made.subject == name).sum()) for name in names]
    assert found.correct.tolist() == [int(made.correct[made.subject == name].sum()) for name in names]
    assert found.fold.tolist() == [0, 0, 0, 1, 1, 1]
    assert (found.count, found.accuracy) == (len(made), float(made.correct.mean()))


def test_the_order_of_images_changes_nothing() -> None:
    made = predictions()
    order = np.random.default_rng(0).permutation(len(made))
    columns = ("dataset", "fold", "subject", "sequence", "image", "true", "predicted", "scores")
    shuffled = dataclasses.replace(made, **{name: getattr(made, name)[order] for name in columns})
    first, second = paired_images(made), paired_images(shuffled)
    assert first.same_division(second)
    assert first.correct.tolist() == second.correct.tolist()


def test_another_division_of_the_subjects_is_seen() -> None:
    made = predictions()
    found, other = paired_images(made), paired_images(dataclasses.replace(made, fold=1 - made.fold))
    assert found.tested == other.tested
    assert not found.same_division(other)


def test_a_row_takes_at_most_five_bytes_an_image() -> None:
    """Also where every image is of another subject, as in AffectNet."""
    count = 3000
    made = fake_predictions(0.6, 0, subjects=-(-count // 21))
    alone = dataclasses.replace(made, subject=np.array([f"S{n}" for n in range(len(made))]))
    for one in (made, alone):
        found = paired_images(one)
        assert sum(part.nbytes for part in (found.correct, found.images, found.fold)) <= 5 * len(one)
