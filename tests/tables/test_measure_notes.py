from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from platform.aggregation.aggregate import aggregate_experiment
from platform.aggregation.scores import Scores, score
from platform.aggregation.table_row import TableRow
from platform.evaluation.predictions import Predictions
from platform.runs.store import ResultsStore
from platform.tables.measure_notes import measure_notes
from tests.fake_runs import fake_predictions, write_experiment, write_row


@pytest.fixture(scope="module")
def row(tmp_path_factory: pytest.TempPathFactory) -> TableRow:
    store = ResultsStore(tmp_path_factory.mktemp("runs"))
    return aggregate_experiment(store, write_experiment(store, [write_row(store)]))[0].row


def chosen(predictions: Predictions, kept: np.ndarray) -> Scores:
    columns = ("dataset", "fold", "subject", "sequence", "image", "true", "predicted", "scores")
    return score(dataclasses.replace(predictions, **{c: getattr(predictions, c)[kept] for c in columns}))


def notes(row: TableRow, scores: Scores | None) -> str:
    return " ".join(measure_notes(dataclasses.replace(row, scores=scores)))


def test_classes_without_images_are_named(row: TableRow) -> None:
    fold = fake_predictions(0.7, 0)
    text = notes(row, chosen(fold, ~np.isin(fold.true, ["fear", "anger"])))
    assert "no test images of anger, fear; UAR, macro F1 and macro AUC are means over the other 5" in text
    assert "no macro AUC" not in text
    assert "no macro AUC, because only one class" in notes(row, chosen(fold, fold.true == "fear"))


def test_subjects_of_one_image_each_have_no_worst_tenth(row: TableRow) -> None:
    fold = fake_predictions(0.7, 0)
    _, first = np.unique(fold.subject, return_index=True)
    kept = np.isin(np.arange(len(fold)), first)
    assert "no worst tenth of subjects, because each has a single test item" in notes(row, chosen(fold, kept))


def test_a_row_that_lacks_nothing_has_no_note(row: TableRow) -> None:
    assert notes(row, row.scores) == ""


def test_a_row_without_scores_has_no_note(row: TableRow) -> None:
    assert notes(row, None) == ""
