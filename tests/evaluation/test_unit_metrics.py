from __future__ import annotations

import numpy as np
import pytest

from platform.evaluation.calibration import BINS
from platform.evaluation.scored_items import scored_items
from platform.evaluation.unit_metrics import UNIT_METRICS, measures
from tests.evaluation.drawn_items import drawn_items, drawn_predictions, taken
from tests.evaluation.test_scored_items import shuffled


def test_no_measure_depends_on_the_order_of_the_predictions() -> None:
    predictions = drawn_predictions(0)
    first = measures(scored_items(predictions), "")
    for seed in range(3):
        assert measures(scored_items(shuffled(predictions, seed)), "") == first


def test_every_interval_holds_its_value_and_stays_within_the_limits() -> None:
    found = measures(drawn_items(0), "")
    for metric in UNIT_METRICS:
        measure = found.values[metric.key]
        assert measure is not None
        assert (measure.interval is not None) == metric.has_interval
        low, high = metric.limits
        assert low <= measure.value <= high
        if measure.interval is not None:
            assert low <= measure.interval.low <= measure.value <= measure.interval.high <= high


def test_one_subject_has_values_and_no_interval() -> None:
    found = measures(drawn_items(0, subjects=1), "")
    assert all(one is not None and one.interval is None for one in found.values.values())
    for one in found.classes:
        assert (one.precision_interval, one.recall_interval, one.f1_interval) == (None, None, None)
    assert all(one.interval is None for one in found.bins)


def test_all_right_does_not_give_an_interval_of_no_width() -> None:
    items = drawn_items(0)
    right = taken(items, items.correct)
    uar = measures(right, "").values["balanced_accuracy"]
    assert uar is not None
    assert uar.interval is not None
    assert (uar.value, uar.interval.high) == (1, 1)
    assert uar.interval.low < 0.9


def test_classes_and_bins_have_intervals_over_the_subjects_who_have_any() -> None:
    found = measures(drawn_items(0), "")
    assert len(found.classes) == 4
    assert len(found.bins) == BINS
    assert all(one.recall_interval is not None and one.auc is not None for one in found.classes)
    assert found.bins[0].interval is None  # no item is that unsure
    assert measures(drawn_items(0), "", details=False).classes == ()


def test_scores_that_are_no_probabilities_have_no_calibration_but_an_auc() -> None:
    found = measures(drawn_items(0), "because")
    without = {metric.key for metric in UNIT_METRICS if found.values[metric.key] is None}
    assert without == {"expected_calibration_error", "overconfidence", "brier_score"}
    assert (found.no_calibration, found.bins) == ("because", ())


def test_classes_without_auc_are_named() -> None:
    items = drawn_items(0)
    assert measures(taken(items, items.true != 2), "").without_auc == ("happiness",)
    one_class = measures(taken(items, items.true == 2), "")
    assert one_class.values["macro_auc"] is None
    assert len(one_class.without_auc) == 4


@pytest.mark.parametrize("sequences", [False, True])
def test_stored_keys_name_the_unit(sequences: bool) -> None:
    keys = [metric.sequence_key if sequences else metric.image_key for metric in UNIT_METRICS]
    assert keys[:2] == (
        ["macro_f1_of_pooled_sequences", "balanced_accuracy_of_sequences"]
        if sequences
        else ["macro_f1_of_pooled_images", "balanced_accuracy_of_images"]
    )
    assert len(set(keys)) == len(np.unique(keys)) == len(UNIT_METRICS)
