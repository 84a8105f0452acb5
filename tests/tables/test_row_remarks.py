"""Remarks on rows: those of equal words stand together."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from platform.aggregation.aggregate import AggregatedRow, aggregate_experiment
from platform.aggregation.seeds import seed_groups
from platform.evaluation.accuracy_interval import AccuracyInterval
from platform.runs.store import ResultsStore
from platform.tables.row_remarks import NamedLine, error_notes, row_remarks
from tests.fake_runs import write_experiment, write_row, write_seeds


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> list[AggregatedRow]:
    """Three seeds of one method, one of another."""
    store = ResultsStore(tmp_path_factory.mktemp("runs"))
    written = [*write_seeds(store), write_row(store, "cnn", "CNN (baseline)", 0.5, seed=1)]
    return aggregate_experiment(store, write_experiment(store, written))


def lines(rows: list[AggregatedRow]) -> list[NamedLine]:
    return [NamedLine(line.first.title, line) for line in seed_groups(rows)]


def without_fear(one: AggregatedRow) -> AggregatedRow:
    """The row as if it had never predicted fear."""
    scores = one.row.scores
    assert scores is not None
    classes = tuple(
        dataclasses.replace(each, predicted_count=0) if each.name == "fear" else each
        for each in scores.classes
    )
    made = dataclasses.replace(one.row, scores=dataclasses.replace(scores, classes=classes))
    return dataclasses.replace(one, row=made)


def test_rows_that_lack_nothing_have_no_remark(rows: list[AggregatedRow]) -> None:
    assert row_remarks(lines(rows)) == []


def test_equal_remarks_name_their_rows_and_seeds_once(rows: list[AggregatedRow]) -> None:
    some = [without_fear(rows[0]), rows[1], without_fear(rows[2]), without_fear(rows[3])]
    said = "never predicted fear; F1 of such a class counts as 0."
    assert row_remarks(lines(some)) == [f"FMPN, seeds 0, 2; CNN (baseline): {said}"]
    assert row_remarks(lines([*some[:3], rows[3]])) == [f"FMPN, seeds 0, 2: {said}"]
    assert row_remarks(lines([without_fear(one) for one in rows])) == [f"All rows: {said}"]


def test_errors_stand_before_the_caveat_that_they_share(rows: list[AggregatedRow], tmp_path: Path) -> None:
    poor = AccuracyInterval(low=0.5, high=0.9, method="by hand", caveat="Poorly known.")
    named = [
        NamedLine(one.name, dataclasses.replace(one.line, pooled_interval=poor)) for one in lines(rows[:3])
    ]
    store = ResultsStore(tmp_path)
    perfect = write_row(store, "cnn", "CNN (baseline)", 1.0)
    other = aggregate_experiment(store, write_experiment(store, [perfect]))
    shared, alone = error_notes([*named, *lines(other)])
    assert shared.startswith("FMPN: ")
    assert shared.endswith(" errors in 189 images, by seed. Poorly known.")
    assert alone.startswith("CNN (baseline): 0 errors in 189 images, by 0 of 9 subjects.")
