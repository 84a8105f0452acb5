"""A row that scores sequences: no number of images in any format, and its comparisons are of sequences."""

from __future__ import annotations

import csv
import dataclasses
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from platform.aggregation.aggregate import AggregatedRow, aggregate_experiment
from platform.aggregation.comparisons import compare_lines, paired
from platform.aggregation.parallel import aggregate_experiments
from platform.aggregation.seeds import seed_groups
from platform.evaluation.paired_tests import sign_flip_p
from platform.reports.conclusions import conclusions
from platform.runs.store import ResultsStore
from platform.tables.column import READ, STORED
from platform.tables.columns import all_columns, columns_of
from platform.tables.render import render
from platform.tables.section_lines import text_table
from platform.tables.table import Section, build_table
from tests.fake_runs import write_experiment, write_row

OF_IMAGES = {
    "images", "image_errors", "pooled_image_accuracy", "pooled_image_95_percent_low",
    "pooled_image_95_percent_high", "mean_of_folds_image_accuracy", "macro_f1_of_pooled_images",
    "majority_sequence_accuracy", "balanced_accuracy_of_images", "brier_score_of_images",
}  # fmt: skip


@pytest.fixture(scope="module")
def experiment(tmp_path_factory: pytest.TempPathFactory) -> tuple[ResultsStore, dict[str, Any]]:
    store = ResultsStore(tmp_path_factory.mktemp("runs"))
    rows = [
        write_row(store, accuracy=0.8),
        write_row(store, "pairs", "Sequence pairs", 0.5, seed=1, unit="sequence"),
        write_row(store, "cnn", "CNN (baseline)", 0.6, seed=2),
    ]
    return store, write_experiment(store, rows)


@pytest.fixture(scope="module")
def rows(experiment: tuple[ResultsStore, dict[str, Any]]) -> list[AggregatedRow]:
    return aggregate_experiment(*experiment)


@pytest.fixture(scope="module")
def section(rows: list[AggregatedRow]) -> Section:
    return build_table(rows).sections[0]


def cells(section: Section, form: str, line: int) -> dict[str, str]:
    table = text_table(section, form)
    return dict(zip([column.key for column in table.columns], table.lines[line].cells, strict=True))


@pytest.mark.parametrize("form", READ)
def test_columns_of_images_show_a_dash_and_the_others_numbers_of_sequences(
    section: Section, form: str
) -> None:
    found, fmpn = cells(section, form, 1), cells(section, form, 0)
    of_images = {column.key for column in columns_of(form) if column.of_images}
    assert {found[key] for key in of_images} == {"–"}
    assert all(fmpn[key] != "–" for key in of_images)
    scores = section.rows[1].scores
    assert scores is not None
    assert scores.pooled_image_interval is not None
    assert found["pooled_sequence_accuracy"] == f"{100 * scores.pooled_sequence_accuracy:.2f}"
    assert found["mean_of_folds_image_accuracy"] == f"{100 * scores.mean_of_folds:.2f}"
    ends = scores.pooled_image_interval
    assert found["pooled_sequence_interval"] == f"{100 * ends.low:.1f}–{100 * ends.high:.1f}"
    assert fmpn["pooled_sequence_interval"] == "–"
    for key in ("macro_f1", "balanced_accuracy", "macro_auc"):
        if key in found:
            assert found[key] not in ("–", fmpn[key])
    if "images_and_subjects" in found:
        assert (found["images_and_subjects"], fmpn["images_and_subjects"]) == ("–/9", "189/9")


def test_without_such_a_row_no_column_is_there_for_it(rows: list[AggregatedRow]) -> None:
    alone = build_table([rows[0], rows[2]])
    for form in READ:
        assert "pooled_sequence_interval" not in {
            one.key for one in text_table(alone.sections[0], form).columns
        }
    header = render(alone, "csv").splitlines()[0].split(",")
    assert not {"unit", "pooled_sequence_95_percent_low", "mean_of_folds_sequence_accuracy"} & set(header)


def test_every_column_that_counts_images_says_so() -> None:
    """By its stored keys; a metric counts images unless it says otherwise."""
    silent = {column.key for column in all_columns() if column.of_images}
    assert {"images", "image_errors", "pooled_image_accuracy"} <= silent
    stored = [column.key for column in all_columns() if set(STORED) & {*column.formats}]
    named = {key for key in stored if "image" in key}
    assert named - silent == {"mean_of_folds_image_accuracy"}  # which has a key of its own for sequences


def test_csv_and_json_have_no_value_where_there_are_no_images(
    section: Section, rows: list[AggregatedRow]
) -> None:
    table = build_table(rows)
    stored = json.loads(render(table, "json"))["sections"][0]["rows"]
    lines = list(csv.DictReader(io.StringIO(render(table, "csv"))))
    assert stored[1]["unit"] == "sequence"
    assert "unit" not in stored[0]
    scores = section.rows[1].scores
    assert scores is not None
    for key in OF_IMAGES:
        assert stored[1][key] is None
        assert lines[1][key] == ""
        assert stored[0][key] is not None
    assert stored[1]["mean_of_folds_sequence_accuracy"] == round(scores.mean_of_folds, 6)
    assert stored[1]["sequences"] == 63
    uar = scores.measures.values["balanced_accuracy"]
    assert uar is not None
    assert stored[1]["balanced_accuracy_of_sequences"] == round(uar.value, 6)
    assert stored[0]["balanced_accuracy_of_sequences"] != stored[0]["balanced_accuracy_of_images"]
    assert stored[1]["pooled_sequence_95_percent_low"] < stored[1]["pooled_sequence_accuracy"]
    assert "pooled_sequence_95_percent_low" not in stored[0]


@pytest.mark.parametrize("part", ["folds", "classes", "confusions"])
def test_parts_count_sequences(rows: list[AggregatedRow], part: str) -> None:
    table = build_table(rows)
    for form in ("markdown", "latex", "screen", "csv", "json"):
        assert render(table, form, parts=[part])
    stored = json.loads(render(table, "json", parts=[part]))["sections"][0]["rows"]
    found = stored[1][part]
    if part == "confusions":
        assert found["images"] is found["sequences by majority"] is None
        assert sum(map(sum, found["sequences by mean score"])) == 63
    else:
        assert {one["images"] for one in found} == {None}
        assert sum(one["sequences"] for one in found) == 63
        assert "sequences" not in stored[0][part][0]


def test_fmpn_is_compared_with_it_on_sequences(rows: list[AggregatedRow]) -> None:
    first, second = compare_lines(seed_groups(rows), "fmpn").to_reference
    assert (first.first.first.method, first.unit, first.image_count) == ("pairs", "sequence", 63)
    assert (second.first.first.method, second.unit, second.image_count) == ("cnn", "image", 189)
    one, other = rows[1].sequences, rows[0].sequences
    assert one is not None
    assert other is not None
    gained = one.correct.astype(np.int64) - other.correct
    assert first.found.difference == pytest.approx(gained.sum() / 63)
    assert first.found.p_value == sign_flip_p(gained)
    stored = json.loads(render(build_table(rows, "fmpn"), "json"))["sections"][0]["comparisons"]
    assert (stored[0]["images"], stored[0]["sequences"]) == (None, 63)
    assert "sequences" not in stored[1]
    text = render(build_table(rows, "fmpn"), "markdown")
    assert "points on the same 63 sequences of 9 subjects" in text


def test_rows_with_other_sequences_are_not_compared_and_a_note_says_why(rows: list[AggregatedRow]) -> None:
    assert rows[1].sequences is not None
    other = dataclasses.replace(rows[1], sequences=dataclasses.replace(rows[1].sequences, tested="other"))
    changed = [rows[0], other, rows[2]]
    found = compare_lines(seed_groups(changed), "fmpn")
    assert [one.first.first.method for one in found.to_reference] == ["cnn"]
    assert [one.line.first.method for one in found.left_out] == ["pairs"]
    assert paired(rows[0], other) is None
    text = render(build_table(changed, "fmpn"), "markdown")
    assert "Not compared with FMPN (resnet18) (tested other sequences): Sequence pairs (resnet18)." in text


def test_no_row_is_best_among_units(rows: list[AggregatedRow]) -> None:
    assert compare_lines(seed_groups(rows)).best is None
    text = render(build_table(rows), "markdown")
    assert "No row is marked as best: some rows score images and others sequences." in text
    assert "Sequence pairs: one prediction a sequence, so accuracies, intervals and tests are of seq" in text


def test_sequences_are_paired_only_where_units_are_mixed(tmp_path: Path) -> None:
    store = ResultsStore(tmp_path)
    alone = write_experiment(store, [write_row(store), write_row(store, "cnn", "CNN")])
    assert all(one.sequences is None for one in aggregate_experiments(store, [alone]))


def test_conclusions_compare_sequences_where_units_are_mixed(
    experiment: tuple[ResultsStore, dict[str, Any]], rows: list[AggregatedRow]
) -> None:
    winner, _, sample = conclusions(aggregate_experiments(experiment[0], [experiment[1]]))
    scores = rows[0].row.scores
    assert scores is not None
    assert f"{100 * scores.pooled_sequence_accuracy:.2f} % pooled accuracy of sequences" in winner
    assert "63 test sequences of 9 subjects" in sample
    alone, _, sample = conclusions(rows[1:2])
    assert "no other row was tested on the same sequences" in alone
    assert "63 test sequences" in sample
