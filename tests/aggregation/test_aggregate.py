from __future__ import annotations

import dataclasses
import shutil
from pathlib import Path

import numpy as np
import pytest

from platform.aggregation.aggregate import aggregate_experiment, aggregate_row
from platform.errors import UserError
from platform.evaluation.predictions import to_bytes
from platform.runs.store import ResultsStore
from tests.fake_runs import (
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
    assert {score.name: score.true_count for score in scores.classes} == dict.fromkeys(
        folds[0].class_names, 27
    )
    assert sum(map(sum, scores.image_confusion)) == 189
    assert sum(map(sum, scores.sequence_confusion)) == sum(map(sum, scores.majority_confusion)) == 63
    diagonal = sum(scores.image_confusion[index][index] for index in range(7))
    assert diagonal == 189 - scores.error_count


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
    assert made.images is None
    assert len(made.row.problems) == 3


@pytest.mark.parametrize("partial", [False, True])
def test_an_image_tested_by_two_folds_is_named(store: ResultsStore, partial: bool) -> None:
    row = write_row(store, folds=2)
    again = dataclasses.replace(fake_predictions(0.8, 0), fold=np.ones(63, dtype=np.int64))
    row["runs"][1]["identity"] = write_fold_run(store, again)
    with pytest.raises(UserError, match=r"predicted once.*S000_000_00000000"):
        aggregate_row(store, write_experiment(store, [row]), row, partial=partial)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"data_hash": "e" * 64}, "data hashes differ.*fold 0 has dddddddddddd, fold 1 has eeeeeeeeeeee"),
        ({"seed": 7}, "seeds differ.*fold 0 has 0, fold 1 has 7"),
        ({"result_version": 1}, "result versions differ.*fold 1 has 1"),
        (
            {"config": {"lambda_mask": 3.0}},
            r"settings differ \(fold 0 has lambda_mask None, fold 1 has lambda_mask 3.0\)",
        ),
    ],
)
def test_folds_of_several_kinds_in_one_row_are_refused_by_name(
    store: ResultsStore, change: dict[str, object], message: str
) -> None:
    row = write_row(store, folds=2)
    row["runs"][1]["identity"] = write_fold_run(store, fake_predictions(0.8, 1), **change)  # type: ignore[arg-type]
    with pytest.raises(UserError, match=message):
        aggregate_row(store, write_experiment(store, [row]), row)


def test_a_row_among_several_seeds_is_named_with_its_own(store: ResultsStore) -> None:
    rows = [{**write_row(store, folds=2), "seed": seed} for seed in (0, 1)]
    rows[1]["runs"].pop()
    with pytest.raises(UserError, match=r"FMPN \(resnet18, synthetic, seed 1\) of experiment"):
        aggregate_row(store, write_experiment(store, rows), rows[1])


def test_under_nested_selection_each_fold_has_settings_of_its_own(store: ResultsStore) -> None:
    row = write_row(store, folds=2, selection_rule="nested", backbone="various")
    row["runs"][1]["identity"] = write_fold_run(
        store, fake_predictions(0.8, 1), config={"backbone": "inception_v3"}
    )
    assert aggregate_row(store, write_experiment(store, [row]), row).row.complete


def test_a_whole_row_of_another_version_is_marked(store: ResultsStore) -> None:
    row = write_row(store, folds=2)
    for fold, run in enumerate(row["runs"]):
        run["identity"] = write_fold_run(store, fake_predictions(0.8, fold), result_version=1)
    made = aggregate_row(store, write_experiment(store, [row]), row).row
    assert (made.result_version, made.of_other_version) == (1, True)
    assert not aggregate_row(store, write_experiment(store, [row]), write_row(store)).row.of_other_version


@pytest.mark.parametrize(
    ("rule", "selection_score", "gap"),
    [("inner", 0.9, 0.1), ("nested", 0.7, -0.1), ("inner", None, None), ("test", 0.8, 0.0)],
)
def test_the_optimism_gap_is_what_the_choice_promised_minus_what_the_tests_gave(
    store: ResultsStore, rule: str, selection_score: float | None, gap: float | None
) -> None:
    row = write_row(store, folds=1, selection_rule=rule, selection_score=selection_score)
    made = aggregate_row(store, write_experiment(store, [row]), row).row
    assert made.scores is not None
    made = dataclasses.replace(made, scores=dataclasses.replace(made.scores, mean_of_folds=0.8))
    assert made.optimism_gap == (None if gap is None else pytest.approx(gap))


@pytest.mark.parametrize(
    ("stated", "changes", "gap"),
    [
        (0.9, {}, 0.1),  # a further seed: the test folds of the first one selected
        (None, {"is_baseline": True}, None),
        (None, {"variation": "without stage 1"}, None),
        (None, {}, 0.0),  # stored by an early version
    ],
)
def test_only_the_test_folds_that_selected_have_no_gap_by_construction(
    store: ResultsStore, stated: float | None, changes: dict[str, object], gap: float | None
) -> None:
    row = write_row(store, folds=1, selection_rule="test", selection_score=stated)
    made = aggregate_row(store, write_experiment(store, [row]), row).row
    assert made.scores is not None
    scores = dataclasses.replace(made.scores, mean_of_folds=0.8)
    made = dataclasses.replace(made, scores=scores, **changes)  # type: ignore[arg-type]
    assert made.optimism_gap == (None if gap is None else pytest.approx(gap))
    assert made.gap_is_zero_by_construction == (gap == 0.0)
    assert made.optimism_gap_interval is None


def test_rows_of_older_experiments_have_no_gap(store: ResultsStore) -> None:
    row = write_row(store, folds=1)
    assert "selection_score" not in row
    assert aggregate_row(store, write_experiment(store, [row]), row).row.optimism_gap is None


@pytest.mark.parametrize("name", ["manifest.json", "predictions.parquet"])
def test_an_edited_file_is_named(store: ResultsStore, name: str) -> None:
    row = write_row(store, folds=1)
    path = store.folder("fold_runs", row["runs"][0]["identity"]) / name
    path.write_bytes(path.read_bytes().replace(b"complete", b"Complete") + b"\n ")
    if name == "manifest.json":
        path.write_text(path.read_text().replace('"accuracy": 0.', '"accuracy": 1.'))
    with pytest.raises(UserError, match=name):
        aggregate_row(store, write_experiment(store, [row]), row)


def test_unknown_classes_in_stored_predictions_are_named(store: ResultsStore) -> None:
    """A file whose hash is right, written by something else."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    row = write_row(store, folds=1)
    identity = row["runs"][0]["identity"]
    table = pq.ParquetFile(pa.BufferReader(to_bytes(fake_predictions(0.8, 0)))).read()
    joy = pa.array(["joy"] * len(table))
    sink = pa.BufferOutputStream()
    pq.write_table(table.set_column(table.column_names.index("predicted"), "predicted", joy), sink)
    files = {"predictions.parquet": sink.getvalue().to_pybytes()}
    record = store.record("fold_runs", identity)
    shutil.rmtree(store.folder("fold_runs", identity))  # a result is written once
    store.write("fold_runs", identity, record, files)
    with pytest.raises(UserError, match=r"predicted classes.*anger.*joy"):
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
    with pytest.raises(UserError, match=r"tested by fold 1, but holds folds \[4\] of synthetic"):
        aggregate_row(store, write_experiment(store, [row]), row)


def test_changed_predictions_are_refused_by_name(store: ResultsStore) -> None:
    row = write_row(store, folds=2)
    path = store.folder("fold_runs", row["runs"][0]["identity"]) / "predictions.parquet"
    path.write_bytes(to_bytes(fake_predictions(1.0, 0)))
    with pytest.raises(UserError, match=r"predictions\.parquet does not match its manifest"):
        aggregate_row(store, write_experiment(store, [row]), row)


@pytest.mark.parametrize(("fold", "message"), [(0, "fold 0 is listed twice"), (7, "fold 7 is listed")])
def test_folds_are_listed_once_and_in_range(store: ResultsStore, fold: int, message: str) -> None:
    row = write_row(store, folds=2)
    row["runs"][1]["fold"] = fold
    with pytest.raises(UserError, match=message):
        aggregate_row(store, write_experiment(store, [row]), row, partial=True)
