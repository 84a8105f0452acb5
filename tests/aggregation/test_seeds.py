from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from platform.aggregation.aggregate import AggregatedRow, aggregate_experiment
from platform.aggregation.seeds import (
    IDENTIFYING,
    NOT_IDENTIFYING,
    UNKNOWN_UNTIL_FINISHED,
    identity_of,
    repeated_rows,
    seed_groups,
)
from platform.aggregation.table_row import TableRow
from platform.config.settings_source import SettingsSource
from platform.evaluation.accuracy_interval import seed_accuracy_interval
from platform.runs.store import ResultsStore
from tests.fake_runs import fake_predictions, write_experiment, write_row, write_seeds


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> list[AggregatedRow]:
    """One configuration under seeds 0, 1 and 2; the predictions differ, too."""
    store = ResultsStore(tmp_path_factory.mktemp("runs"))
    return aggregate_experiment(store, write_experiment(store, write_seeds(store, accuracy=0.7, folds=2)))


def changed(one: AggregatedRow, **change: object) -> AggregatedRow:
    return dataclasses.replace(one, row=dataclasses.replace(one.row, **change))  # type: ignore[arg-type]


def test_rows_that_differ_in_the_seed_alone_are_a_line_with_mean_and_spread(
    rows: list[AggregatedRow],
) -> None:
    (group,) = seed_groups(rows[::-1])
    assert group.seeds == (0, 1, 2)
    values = [one.row.scores.mean_of_folds for one in rows if one.row.scores]
    mean = sum(values) / 3
    assert group.mean_of_folds is not None
    assert group.mean_of_folds.mean == pytest.approx(mean)
    variance = sum((value - mean) ** 2 for value in values) / 2
    assert group.mean_of_folds.standard_deviation == pytest.approx(variance**0.5)


def test_its_intervals_are_those_of_the_predictions_over_subjects_and_seeds(
    rows: list[AggregatedRow],
) -> None:
    (group,) = seed_groups(rows)
    parts = [[fake_predictions(0.7, fold, seed=seed) for fold in (0, 1)] for seed in (0, 1, 2)]
    correct = np.stack([np.concatenate([one.correct for one in part]) for part in parts])
    subject, fold = (np.concatenate([getattr(one, key) for one in parts[0]]) for key in ("subject", "fold"))
    assert group.pooled_interval == seed_accuracy_interval(correct, subject)
    assert group.mean_of_folds_interval == seed_accuracy_interval(correct, subject, fold)


def test_a_row_alone_is_a_line_of_one_seed_without_a_spread(rows: list[AggregatedRow]) -> None:
    (line,) = seed_groups(rows[:1])
    assert (line.seeds, line.pooled_interval) == ((0,), None)
    assert line.pooled_image_accuracy is not None
    assert line.pooled_image_accuracy.standard_deviation is None


def test_one_seed_twice_is_one_seed(rows: list[AggregatedRow]) -> None:
    again = changed(rows[0], experiment="second")
    (line,) = seed_groups([rows[0], again])
    assert line.rows == (rows[0].row,)
    assert repeated_rows([rows[0], again]) == (again.row,)
    (line,) = seed_groups([rows[0], again, rows[1]])
    assert line.seeds == (0, 1)


def test_a_seed_trained_again_elsewhere_is_another_line(rows: list[AggregatedRow]) -> None:
    """Other fold runs of the same configuration and seed: another kind of machine."""
    there = [changed(one, experiment="second", fold_runs="other") for one in rows[:2]]
    here, second = seed_groups([*rows, *there])
    assert (here.seeds, second.seeds) == ((0, 1, 2), (0, 1))
    assert second.experiments == ("second",)


OTHER = {
    "method": "cnn", "title": "FMPN, without stage 1", "dataset": "mmi", "backbone": "vgg16_bn",
    "selection_rule": "paper", "kind": "transfer", "masks": "released", "fold_rule": "holdout",
    "fold_count": 5, "data_hash": "e" * 64, "result_version": 1, "configurations": "other",
    "stands_for": "ckplus", "width": 0.5, "chosen_folds": (0,), "chosen_of": 10, "unit": "sequence",
    "generator": "mmi", "repeat": 1, "variation": "without stage 1",
}  # fmt: skip
"""Each identifying field with another value than the rows have."""


def test_a_rows_identity_is_every_field_but_the_seed_the_place_and_the_result() -> None:
    """A new field of TableRow has to be put into one of the two lists, and here."""
    names = {field.name for field in dataclasses.fields(TableRow)}
    assert names == {*IDENTIFYING, *NOT_IDENTIFYING}
    assert not {*IDENTIFYING} & {*NOT_IDENTIFYING}
    assert {*OTHER} == {*IDENTIFYING}
    assert {*UNKNOWN_UNTIL_FINISHED} <= {*IDENTIFYING}


@pytest.mark.parametrize("name", IDENTIFYING)
def test_rows_that_differ_in_anything_else_are_never_averaged(rows: list[AggregatedRow], name: str) -> None:
    other = changed(rows[1], **{name: OTHER[name]})
    assert identity_of(other.row) != identity_of(rows[0].row)
    assert [len(line.members) for line in seed_groups([rows[0], other])] == [1, 1]


def test_where_a_configuration_came_from_sets_no_rows_apart(rows: list[AggregatedRow]) -> None:
    """The winner of a search, and its configuration trained with a further seed by its file."""
    given = changed(rows[1], experiment="seed-1", preset="released", settings=SettingsSource(whose="given"))
    (line,) = seed_groups([rows[0], given])
    assert line.seeds == (0, 1)
    assert line.experiments == ("tune-synthetic-quick", "seed-1")


def test_an_incomplete_seed_belongs_to_its_line_and_enters_no_mean(rows: list[AggregatedRow]) -> None:
    lacking = changed(rows[2], problems={1: "is missing"})
    (line,) = seed_groups([*rows[:2], lacking])
    assert (line.complete, line.seeds, line.finished_seeds) == (False, (0, 1, 2), (0, 1))
    (two,) = seed_groups(rows[:2])
    assert line.pooled_image_accuracy == two.pooled_image_accuracy


def test_a_row_without_a_finished_fold_belongs_to_the_line_that_it_fits(rows: list[AggregatedRow]) -> None:
    unknown = {"data_hash": None, "result_version": None, "configurations": None, "scores": None}
    unknown |= {"problems": {0: "is missing", 1: "is missing"}, "fold_runs": "", "width": 1.0}
    empty = dataclasses.replace(changed(rows[2], **unknown), images=None)
    (line,) = seed_groups([*rows[:2], empty])
    assert (line.seeds, line.finished_seeds) == ((0, 1, 2), (0, 1))
    assert len(seed_groups([*rows[:2], changed(empty, repeat=1)])) == 2
    assert len(seed_groups([*rows[:2], changed(empty, experiment="second")])) == 2


def test_stored_rows_carry_what_identifies_them(tmp_path_factory: pytest.TempPathFactory) -> None:
    store = ResultsStore(tmp_path_factory.mktemp("runs"))
    stored = {"generator": "mmi", "repeat": 2, "variation": "lambda_G 0"}
    row = aggregate_experiment(store, write_experiment(store, [write_row(store, folds=1, **stored)]))[0].row
    assert (row.generator, row.repeat, row.variation) == ("mmi", 2, "lambda_G 0")
