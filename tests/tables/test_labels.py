"""Labels of rows and lines are unique wherever the rows differ."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from platform.aggregation.aggregate import AggregatedRow, aggregate_experiment
from platform.aggregation.seeds import seed_groups
from platform.runs.store import ResultsStore
from platform.tables.labels import line_labels, row_labels
from tests.fake_runs import write_experiment, write_seeds


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> list[AggregatedRow]:
    store = ResultsStore(Path(tmp_path_factory.mktemp("runs")))
    written = [*write_seeds(store, folds=1), *write_seeds(store, "cnn", "CNN", 0.5, folds=1, draw=1)]
    return aggregate_experiment(store, write_experiment(store, written))


def changed(one: AggregatedRow, **change: object) -> AggregatedRow:
    return dataclasses.replace(one, row=dataclasses.replace(one.row, **change))  # type: ignore[arg-type]


def test_rows_that_differ_in_the_seed_are_told_apart_by_it(rows: list[AggregatedRow]) -> None:
    labels = row_labels([one.row for one in rows[:4]])
    assert labels[:3] == tuple(f"FMPN (resnet18), seed {seed}" for seed in (0, 1, 2))
    assert labels[3] == "CNN (resnet18)", "no other row could be taken for it"


def test_a_line_of_several_seeds_needs_none_in_its_label(rows: list[AggregatedRow]) -> None:
    assert line_labels(seed_groups(rows)) == ("FMPN (resnet18)", "CNN (resnet18)")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"repeat": 1}, "FMPN (resnet18, repeat 1)"),
        ({"generator": "mmi"}, "FMPN (resnet18, generator of mmi)"),
        ({"masks": "released"}, "FMPN (resnet18, released masks)"),
        ({"width": 0.5}, "FMPN (resnet18, width 0.5)"),
        ({"fold_rule": "holdout"}, "FMPN (resnet18), fold rule holdout"),
        ({"selection_rule": "nested"}, "FMPN (resnet18), selected by nested"),
        ({"variation": "lambda_G 0"}, "FMPN (resnet18), lambda_G 0"),
        ({"fold_count": 5}, "FMPN (resnet18), 5 folds"),
        ({"result_version": 1}, "FMPN (resnet18), version 1"),
        ({"experiment": "second", "fold_runs": "other"}, "FMPN (resnet18), of second"),
        ({"configurations": "abcdefgh"}, "FMPN (resnet18), configuration abcdef"),
        ({"data_hash": "e" * 64}, "FMPN (resnet18), data eeeeee"),
    ],
)
def test_lines_of_one_method_differ_by_what_sets_them_apart(
    rows: list[AggregatedRow], change: dict[str, object], said: str
) -> None:
    lines = seed_groups([rows[0], changed(rows[0], **change)])
    assert len(lines) == 2
    labels = line_labels(lines)
    assert labels[1] == said
    assert labels[0] != labels[1]
