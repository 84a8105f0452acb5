from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from platform.evaluation.calibration import (
    BINS,
    bin_numbers,
    brier_score,
    expected_calibration_error,
    not_probabilities,
    overconfidence,
    reliability_bins,
)
from platform.evaluation.scored_items import ScoredItems
from tests.evaluation.drawn_items import drawn_items


def two_classes(first_score: list[float], true: list[int]) -> ScoredItems:
    scores = np.array([[one, 1.0 - one] for one in first_score])
    return ScoredItems(
        true=np.array(true),
        predicted=scores.argmax(axis=1),
        subject=np.arange(len(true)),
        scores=scores,
        class_names=("a", "b"),
        subject_names=tuple(map(str, range(len(true)))),
    )


def test_a_score_of_exactly_1_lies_in_the_last_bin_and_an_upper_end_in_its_own() -> None:
    assert bin_numbers(np.array([0.0, 1e-9, 1.0, 0.999])).tolist() == [0, 0, BINS - 1, BINS - 1]
    ends = np.arange(1, BINS + 1) / BINS
    assert bin_numbers(ends).tolist() == list(range(BINS))
    assert bin_numbers(np.nextafter(ends[:-1], 1.0)).tolist() == list(range(1, BINS))


def test_a_method_that_is_certain_and_right_is_calibrated_and_one_that_is_wrong_is_not() -> None:
    right, wrong = two_classes([1.0, 0.0], [0, 1]), two_classes([1.0, 0.0], [1, 0])
    assert expected_calibration_error(right) == brier_score(right).value == overconfidence(right).value == 0
    assert (expected_calibration_error(wrong), overconfidence(wrong).value) == (1, 1)
    assert brier_score(wrong).value == 2


def test_tied_scores_count_with_their_confidence() -> None:
    tied = two_classes([0.5, 0.5], [0, 1])  # the first class is answered twice, right once
    assert expected_calibration_error(tied) == 0
    assert brier_score(tied).value == 0.5


@pytest.mark.parametrize("seed", range(3))
def test_the_numbers_are_those_of_plain_loops(seed: int) -> None:
    items = drawn_items(seed)
    sure = items.scores.max(axis=1)
    error = brier = 0.0
    for low in range(BINS):
        inside = [i for i, one in enumerate(sure) if low / BINS < one <= (low + 1) / BINS]
        if inside:
            gap = np.mean([items.correct[i] for i in inside]) - np.mean([sure[i] for i in inside])
            error += len(inside) / len(items) * abs(gap)
    for i, row in enumerate(items.scores):
        brier += sum((p - (k == items.true[i])) ** 2 for k, p in enumerate(row)) / len(items)
    assert expected_calibration_error(items) == pytest.approx(error)
    assert brier_score(items).value == pytest.approx(brier)
    assert overconfidence(items).value == pytest.approx(sure.mean() - items.correct.mean())


def test_brier_of_two_classes_is_twice_scikit_learns() -> None:
    from sklearn.metrics import brier_score_loss

    items = two_classes([0.9, 0.3, 0.6, 0.2], [0, 1, 1, 0])
    assert brier_score(items).value == pytest.approx(
        2 * brier_score_loss(items.true == 0, items.scores[:, 0])
    )


def test_bins_hold_all_items_and_an_empty_one_has_no_accuracy() -> None:
    items = drawn_items(1)
    bins = reliability_bins(items)
    assert len(bins) == BINS
    assert sum(one.count for one in bins) == len(items)
    assert (bins[0].count, bins[0].accuracy, bins[0].mean_confidence) == (0, None, None)  # below 1 in 4
    assert all(one.low < one.mean_confidence <= one.high for one in bins if one.mean_confidence is not None)


@pytest.mark.parametrize(
    ("scores", "reason"),
    [
        ([[0.25, 0.75]], ""),
        ([[0.25, 0.7504]], ""),
        ([[1.0, 0.0], [0.5, 0.5]], ""),
        ([[2.0, -1.0]], "not all in [0, 1]"),
        ([[0.7, 0.7]], "do not sum to 1"),
        ([[np.nan, 1.0]], "not all in [0, 1]"),
        ([[1.0, 0.0], [0.0, 1.0]], "decisions without probabilities"),
    ],
)
def test_what_is_no_probability_says_why(scores: list[list[float]], reason: str) -> None:
    found = not_probabilities(np.array(scores))
    assert (found == "") == (reason == "")
    assert reason in found


def test_the_order_of_classes_does_not_matter() -> None:
    items = drawn_items(2)
    turned = dataclasses.replace(
        items, true=3 - items.true, predicted=3 - items.predicted, scores=items.scores[:, ::-1]
    )
    assert brier_score(turned).value == pytest.approx(brier_score(items).value)
    assert expected_calibration_error(turned) == pytest.approx(expected_calibration_error(items))
