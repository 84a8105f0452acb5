from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from platform.aggregation.scores import score
from platform.evaluation.predictions import concatenate
from platform.evaluation.row_metrics import METRICS
from platform.evaluation.unit_metrics import UNIT_METRICS
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
    for key in ("macro_f1", "balanced_accuracy"):
        found = scores.measures.values[key]
        assert found is not None
        assert found.interval is not None
    assert scores.measures.values["macro_auc"] is None
    assert scores.pooled_image_interval is not None
    assert scores.pooled_image_interval.low < 1
    never = dataclasses.replace(fold, predicted=np.where(fold.predicted == "fear", "anger", fold.predicted))
    fear = next(one for one in score(never).classes if one.name == "fear")
    assert (fear.predicted_count, fear.precision, fear.f1) == (0, None, 0)


def test_every_metric_has_a_value() -> None:
    scores = score(fake_predictions(0.7, 0))
    assert list(scores.metrics) == [metric.key for metric in METRICS]
    assert all(value is not None and 0 < value <= 1 for value in scores.metrics.values())


def test_every_unit_metric_has_a_value_of_images_and_of_sequences() -> None:
    scores = score(fake_predictions(0.7, 0))
    for measured in (scores.measures, scores.sequence_measures):
        assert list(measured.values) == [metric.key for metric in UNIT_METRICS]
        assert all(value is not None for value in measured.values.values())
    assert scores.sequence_measures.classes == ()
    assert len(scores.measures.classes) == 7


def test_a_method_whose_scores_are_no_probabilities_has_no_calibration() -> None:
    predictions = fake_predictions(0.7, 0)
    declared = score(predictions, probabilities=False)
    assert declared.measures.no_calibration == "the method says that its scores are no probabilities"
    certain = (predictions.predicted[:, None] == np.array(predictions.class_names)).astype(np.float32)
    decided = score(dataclasses.replace(predictions, scores=certain))
    # The mean of three images' decisions is no decision, but no probability either.
    for scores in (declared, decided):
        for measured in (scores.measures, scores.sequence_measures):
            assert measured.no_calibration
            assert measured.values["brier_score"] is None
            assert measured.values["macro_auc"] is not None
        assert scores.measures.bins == ()


def test_groups_are_scored_where_they_are_known() -> None:
    predictions = fake_predictions(0.7, 0, subjects=4)
    names = sorted(set(predictions.subject.tolist()))
    scores = score(predictions, {"sex": dict(zip(names, ("female", "male") * 2, strict=True))})
    assert scores.groups is not None
    assert [one.group for one in scores.groups.accuracies] == ["female", "male"]
    assert score(predictions).groups is None
