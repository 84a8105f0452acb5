from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from platform.errors import UserError
from platform.evaluation.predictions import concatenate, to_bytes
from platform.results.aggregate import aggregate_experiment, aggregate_row, score
from platform.results.store import ResultsStore
from tests.results.fake_runs import (
    COMMAND,
    fake_predictions,
    write_experiment,
    write_fold_run,
    write_row,
)


@pytest.fixture
def store(tmp_path: Path) -> ResultsStore:
    return ResultsStore(tmp_path / "runs")


def test_every_number_is_recomputed_from_the_predictions(store: ResultsStore) -> None:
    experiment = write_experiment(store, [write_row(store, accuracy=0.7)])
    (made,) = aggregate_experiment(store, experiment)
    scores, folds = made.row.scores, [fake_predictions(0.7, fold) for fold in range(3)]
    assert scores is not None
    assert made.row.complete
    assert (scores.image_count, scores.sequence_count, scores.subject_count) == (189, 63, 9)
    accuracies = [fold.correct.mean() for fold in folds]
    np.testing.assert_allclose([fold.accuracy for fold in scores.folds], accuracies)
    assert scores.mean_of_folds == pytest.approx(np.mean(accuracies))
    assert scores.fold_standard_deviation == pytest.approx(np.std(accuracies, ddof=1))
    assert scores.error_count == sum(int((~fold.correct).sum()) for fold in folds)
    assert scores.pooled_image_accuracy == pytest.approx(1 - scores.error_count / 189)
    interval = scores.pooled_image_interval
    assert interval is not None
    assert interval.low <= scores.pooled_image_accuracy <= interval.high
    assert scores.class_counts == dict.fromkeys(folds[0].class_names, 27)


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


def test_a_missing_fold_is_refused_with_the_command_that_completes_it(store: ResultsStore) -> None:
    row = write_row(store)
    row["runs"][1]["identity"] = "0123456789abcdef"  # planned, and not finished
    experiment = write_experiment(store, [row])
    with pytest.raises(UserError, match=rf"FMPN \(resnet18.*fold 1 is missing.*`{COMMAND}`.*--partial"):
        aggregate_experiment(store, experiment)
    del row["runs"][0]  # not even planned
    with pytest.raises(UserError, match="fold 0 is missing; fold 1 is missing"):
        aggregate_experiment(store, experiment)
    (made,) = aggregate_experiment(store, experiment, partial=True)
    assert made.row.problems == {0: "is missing", 1: "is missing"}
    assert not made.row.complete
    assert made.row.scores is not None
    assert made.row.scores.image_count == 63


def test_a_failed_fold_is_refused_with_its_error_and_never_averaged_in(store: ResultsStore) -> None:
    row = write_row(store)
    failed = "f" * 24
    store.write_failure(
        "fold_runs", failed, {"kind": "fold_run"}, "Traceback ...\nMemoryError: 3 GiB wanted\n"
    )
    row["runs"][2]["identity"] = failed
    experiment = write_experiment(store, [row])
    with pytest.raises(UserError, match=r"fold 2 failed \(MemoryError: 3 GiB wanted\)"):
        aggregate_experiment(store, experiment)
    (made,) = aggregate_experiment(store, experiment, partial=True)
    assert made.row.scores is not None
    assert [fold.fold for fold in made.row.scores.folds] == [0, 1]


def test_a_row_without_any_finished_fold_has_no_scores(store: ResultsStore) -> None:
    experiment = write_experiment(store, [write_row(store) | {"runs": []}])
    (made,) = aggregate_experiment(store, experiment, partial=True)
    assert made.row.scores is None
    assert made.predictions is None
    assert len(made.row.problems) == 3


@pytest.mark.parametrize("partial", [False, True])
def test_an_image_tested_by_two_folds_is_named(store: ResultsStore, partial: bool) -> None:
    row = write_row(store, folds=2)
    again = dataclasses.replace(fake_predictions(0.8, 0), fold=np.ones(63, dtype=np.int64))
    row["runs"][1]["identity"] = write_fold_run(store, again)
    with pytest.raises(UserError, match=r"predicted once.*S000_000_00000000"):
        aggregate_row(store, write_experiment(store, [row]), row, partial=partial)


def test_mixed_data_hashes_are_named_by_fold(store: ResultsStore) -> None:
    row = write_row(store, folds=2)
    row["runs"][1]["identity"] = write_fold_run(store, fake_predictions(0.8, 1), data_hash="e" * 64)
    with pytest.raises(UserError, match="fold 0 has dddddddddddd, fold 1 has eeeeeeeeeeee"):
        aggregate_row(store, write_experiment(store, [row]), row)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"role": "inner"}, "role.*'final'.*'inner'"),
        ({"rule": "holdout"}, "fold rule.*'paper'.*'holdout'"),
        ({"index": 5}, "fold of fold run .* must be 1.*is 5"),
        ({"method": "cnn"}, "method.*'fmpn'.*'cnn'"),
    ],
)
def test_a_fold_run_that_is_not_of_this_row_is_refused(
    store: ResultsStore, change: dict[str, object], message: str
) -> None:
    row = write_row(store, folds=2)
    row["runs"][1]["identity"] = write_fold_run(store, fake_predictions(0.8, 1), **change)  # type: ignore[arg-type]
    with pytest.raises(UserError, match=message):
        aggregate_row(store, write_experiment(store, [row]), row)


def test_predictions_of_another_fold_under_this_record_are_refused(store: ResultsStore) -> None:
    row = write_row(store, folds=2)
    row["runs"][1]["identity"] = write_fold_run(store, fake_predictions(0.8, 4), index=1)
    with pytest.raises(UserError, match=r"tested by fold 1 only, but has folds \[4\] of synthetic"):
        aggregate_row(store, write_experiment(store, [row]), row)


def test_changed_predictions_are_refused_by_name(store: ResultsStore) -> None:
    row = write_row(store, folds=2)
    path = store.folder("fold_runs", row["runs"][0]["identity"]) / "predictions.parquet"
    path.write_bytes(to_bytes(fake_predictions(1.0, 0)))
    with pytest.raises(UserError, match=r"predictions\.parquet does not match its manifest"):
        aggregate_row(store, write_experiment(store, [row]), row)


@pytest.mark.parametrize(("fold", "message"), [(0, "fold 0 is listed twice"), (7, "there is a fold 7")])
def test_folds_are_listed_once_and_in_range(store: ResultsStore, fold: int, message: str) -> None:
    row = write_row(store, folds=2)
    row["runs"][1]["fold"] = fold
    with pytest.raises(UserError, match=message):
        aggregate_row(store, write_experiment(store, [row]), row, partial=True)
