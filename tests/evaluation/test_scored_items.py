from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from platform.evaluation.predictions import Predictions
from platform.evaluation.scored_items import scored_items
from tests.evaluation.drawn_items import drawn_predictions


def shuffled(predictions: Predictions, seed: int) -> Predictions:
    order = np.random.default_rng(seed).permutation(len(predictions))
    columns = ("dataset", "fold", "subject", "sequence", "image", "true", "predicted", "scores")
    return dataclasses.replace(predictions, **{name: getattr(predictions, name)[order] for name in columns})


def test_the_order_of_the_predictions_changes_nothing() -> None:
    predictions = drawn_predictions(0)
    first, second = scored_items(predictions), scored_items(shuffled(predictions, 1))
    for name in ("true", "predicted", "subject", "scores", "correct"):
        np.testing.assert_array_equal(getattr(first, name), getattr(second, name))
    assert first.subject_names == second.subject_names


def test_numbers_stand_for_the_names() -> None:
    predictions = drawn_predictions(0)
    reversed_names = dataclasses.replace(
        predictions, class_names=predictions.class_names[::-1], scores=predictions.scores[:, ::-1].copy()
    )
    items = scored_items(reversed_names)
    names = np.array(items.class_names)
    assert (names[items.true] == predictions.true).all()
    assert (names[items.predicted] == predictions.predicted).all()
    assert (np.array(items.subject_names)[items.subject] == predictions.subject).all()
    assert (items.correct == predictions.correct).all()


def test_sums_are_by_subject() -> None:
    items = scored_items(drawn_predictions(0, subjects=3))
    assert items.by_subject(np.ones(len(items))).tolist() == [20, 20, 20]
    assert items.by_subject(items.indicators).tolist() == [[5, 5, 5, 5]] * 3


def test_an_unknown_class_is_refused() -> None:
    predictions = drawn_predictions(0)
    with pytest.raises(ValueError, match="classes must be among"):
        scored_items(dataclasses.replace(predictions, true=np.full(len(predictions), "zzz")))
