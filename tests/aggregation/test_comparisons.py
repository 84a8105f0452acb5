from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from platform.aggregation.aggregate import AggregatedRow, aggregate_experiment
from platform.aggregation.comparisons import best_row, compare
from platform.aggregation.paired_images import paired_images
from platform.aggregation.table_row import TableRow
from platform.evaluation.accuracy_interval import AccuracyInterval
from platform.evaluation.paired_tests import sign_flip_test
from platform.evaluation.predictions import Predictions, concatenate
from platform.runs.store import ResultsStore
from tests.fake_runs import fake_predictions, write_experiment, write_row


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> list[AggregatedRow]:
    store = ResultsStore(tmp_path_factory.mktemp("runs"))
    written = [
        write_row(store, "cnn", "CNN (baseline)", 0.5, seed=1),
        write_row(store, accuracy=0.9),
        write_row(store, "cnn_no_mask_loss", "CNN (no mask loss)", 0.85, seed=2),
    ]
    return aggregate_experiment(store, write_experiment(store, written))


def test_fmpn_is_compared_with_each_other_row_and_holm_corrected(rows: list[AggregatedRow]) -> None:
    results = compare(rows)
    assert [(c.first.method, c.second.method) for c in results] == [
        ("fmpn", "cnn"),
        ("fmpn", "cnn_no_mask_loss"),
    ]
    fmpn, cnn = rows[1].images, rows[0].images
    assert fmpn is not None
    assert cnn is not None
    expected = sign_flip_test(fmpn.correct, cnn.correct, fmpn.subject)
    assert results[0].difference == expected.difference > 0
    assert results[0].p_value == expected.p_value
    assert results[0].holm_p_value == pytest.approx(min(1.0, 2 * expected.p_value))
    assert (results[0].image_count, results[0].subject_count) == (189, 9)


def joined(accuracy: float = 0.5, folds: int = 3) -> Predictions:
    return concatenate([fake_predictions(accuracy, fold, seed=1) for fold in range(folds)])


def test_pairing_is_by_image_and_not_by_position(rows: list[AggregatedRow]) -> None:
    predictions = joined()
    order = np.random.default_rng(0).permutation(len(predictions))
    columns = ("dataset", "fold", "subject", "sequence", "image", "true", "predicted", "scores")
    shuffled = dataclasses.replace(
        predictions, **{name: getattr(predictions, name)[order] for name in columns}
    )
    of_both = [
        compare([dataclasses.replace(rows[0], images=paired_images(one)), *rows[1:]])
        for one in (predictions, shuffled)
    ]
    assert of_both[0] == of_both[1] == compare(rows)


@pytest.mark.parametrize("column", ["image", "true", "subject", "dataset"])
def test_rows_on_other_images_are_not_compared(rows: list[AggregatedRow], column: str) -> None:
    predictions = joined()
    changed = getattr(predictions, column).astype("U40")
    changed[5] += "x"
    other = paired_images(dataclasses.replace(predictions, **{column: changed}))
    results = compare([dataclasses.replace(rows[0], images=other), *rows[1:]])
    assert [comparison.second.method for comparison in results] == ["cnn_no_mask_loss"]


def test_incomplete_rows_and_tables_without_fmpn_have_no_comparison(rows: list[AggregatedRow]) -> None:
    incomplete = dataclasses.replace(
        rows[1], row=dataclasses.replace(rows[1].row, problems={0: "is missing"})
    )
    assert compare([rows[0], incomplete]) == []
    assert compare([rows[0], rows[2]]) == []


def with_interval(row: TableRow, accuracy: float, low: float, high: float) -> TableRow:
    assert row.scores is not None
    interval = AccuracyInterval(low=low, high=high, method="by hand", caveat=None)
    scores = dataclasses.replace(row.scores, pooled_image_accuracy=accuracy, pooled_image_interval=interval)
    return dataclasses.replace(row, scores=scores)


def test_a_best_row_is_named_only_where_its_interval_overlaps_no_other(rows: list[AggregatedRow]) -> None:
    low, middle = (with_interval(rows[0].row, a, a - 0.1, a + 0.1) for a in (0.3, 0.45))
    top = with_interval(rows[1].row, 0.8, 0.7, 0.9)
    assert best_row([low, middle, top]) is top
    assert best_row([low, middle]) is None
    assert best_row([top, with_interval(rows[0].row, 0.6, 0.5, 0.7)]) is None  # touching is overlapping
    assert best_row([top]) is None


@pytest.mark.parametrize(
    "change",
    [
        {"problems": {1: "is missing"}},
        {"selection_rule": "test"},
        {"scores": None},
        {"data_hash": "e" * 64},
        {"fold_rule": "holdout"},
    ],
)
def test_no_best_row_beside_incomplete_leaking_empty_or_otherwise_tested_rows(
    rows: list[AggregatedRow], change: dict[str, object]
) -> None:
    top = with_interval(rows[1].row, 0.8, 0.7, 0.9)
    low = with_interval(rows[0].row, 0.3, 0.2, 0.4)
    assert best_row([top, low]) is top
    assert best_row([top, dataclasses.replace(low, **change)]) is None  # type: ignore[arg-type]
