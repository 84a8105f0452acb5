from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from platform.aggregation.scores import score
from platform.evaluation.predictions import concatenate
from platform.evaluation.row_metrics import METRICS
from tests.fake_runs import fake_predictions


def test_scores_do_not_depend_on_the_order_of_folds() -> None:
    folds = [fake_predictions(0.7, fold) for fold in range(3)]
    assert score(concatenate(folds)) == score(concatenate(folds[::-1]))


def test_mean_of_folds_weighs_a_small_fold_like_a_large_one() -> None:
    large, small = fake_predictions(1.0, 0, subjects=5), fake_predictions(0.0, 1, subjects=2)
    scores = score(concatenate([large, small]))
    assert scores.mean_of_folds == 0.5
    assert scores.pooled_image_accuracy == pytest.approx(5 / 7)


def test_one_subject_has_no_interval() -> None:
    scores = score(fake_predictions(0.7, 0, subjects=1))
    assert scores.pooled_image_interval is None
    assert scores.mean_of_folds_interval is None


def test_one_class_or_a_class_that_is_never_predicted_still_gives_every_number() -> None:
    fold = fake_predictions(0.7, 0)
    anger = fold.true == "anger"
    columns = ("dataset", "fold", "subject", "sequence", "image", "true", "predicted", "scores")
    one_class = dataclasses.replace(fold, **{name: getattr(fold, name)[anger] for name in columns})
    scores = score(one_class)
    assert scores.folds[0].class_count == 1
    assert scores.metrics["macro_f1_of_pooled_images"] == 1
    assert scores.pooled_image_interval is not None
    assert scores.pooled_image_interval.low < 1
    never = dataclasses.replace(fold, predicted=np.where(fold.predicted == "fear", "anger", fold.predicted))
    fear = next(one for one in score(never).classes if one.name == "fear")
    assert (fear.predicted_count, fear.precision, fear.f1) == (0, None, 0)


def test_every_metric_has_a_value() -> None:
    scores = score(fake_predictions(0.7, 0))
    assert list(scores.metrics) == [metric.key for metric in METRICS]
    assert all(value is not None and 0 < value <= 1 for value in scores.metrics.values())
