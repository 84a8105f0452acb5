from __future__ import annotations

import dataclasses

import pytest

from platform.aggregation.aggregate import aggregate_experiment
from platform.aggregation.seeds import seed_groups
from platform.aggregation.table_row import TableRow
from platform.runs.store import ResultsStore
from tests.fake_runs import fake_predictions, write_experiment, write_fold_run, write_row


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> list[TableRow]:
    """One configuration under seeds 0, 1 and 2; the predictions differ, too."""
    store = ResultsStore(tmp_path_factory.mktemp("runs"))
    written = []
    for seed in (0, 1, 2):
        row = write_row(store, folds=2)
        for fold, run in enumerate(row["runs"]):
            run["identity"] = write_fold_run(store, fake_predictions(0.7, fold, seed=seed), seed=seed)
        written.append(row)
    return [made.row for made in aggregate_experiment(store, write_experiment(store, written))]


def test_rows_that_differ_in_the_seed_alone_are_a_group_with_mean_and_spread(rows: list[TableRow]) -> None:
    (group,) = seed_groups(rows[::-1])
    assert group.seeds == (0, 1, 2)
    values = [row.scores.mean_of_folds for row in rows if row.scores]
    mean = sum(values) / 3
    assert group.mean_of_folds.mean == pytest.approx(mean)
    variance = sum((value - mean) ** 2 for value in values) / 2
    assert group.mean_of_folds.standard_deviation == pytest.approx(variance**0.5)


def test_one_seed_twice_is_one_seed(rows: list[TableRow]) -> None:
    again = dataclasses.replace(rows[0], experiment="second")
    assert seed_groups([rows[0], again]) == ()
    (group,) = seed_groups([rows[0], again, rows[1]])
    assert group.seeds == (0, 1)


@pytest.mark.parametrize(
    "change",
    [
        {"method": "cnn"},
        {"dataset": "mmi"},
        {"selection_rule": "paper"},
        {"kind": "transfer"},
        {"masks": "released"},
        {"fold_rule": "holdout"},
        {"data_hash": "e" * 64},
        {"result_version": 1},
        {"configurations": "other"},
        {"problems": {0: "is missing"}},
    ],
)
def test_rows_that_differ_in_anything_else_are_no_group(
    rows: list[TableRow], change: dict[str, object]
) -> None:
    assert seed_groups([rows[0], dataclasses.replace(rows[1], **change)]) == ()  # type: ignore[arg-type]
