"""The part `stability` in every format, and what a table with further divisions shows without it."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest

from platform.aggregation.aggregate import aggregate_experiment
from platform.runs.store import ResultsStore
from platform.tables.details import absent_parts
from platform.tables.notes import section_notes
from platform.tables.render import render
from platform.tables.screen import render_screen
from platform.tables.stability_part import order_sentences, stability_grids
from platform.tables.table import Table, build_table
from tests.divided_rows import divided_experiment

METHODS = {"fmpn": 0.9, "cnn": 0.6, "cnn_no_mask_loss": 0.3}


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Table:
    """Three methods that are far apart, under three divisions with one seed."""
    store = ResultsStore(tmp_path_factory.mktemp("runs"))
    return build_table(aggregate_experiment(store, divided_experiment(store, METHODS)))


def test_further_divisions_are_no_lines_of_the_table(table: Table) -> None:
    (section,) = table.sections
    assert [line.first.method for line in section.lines] == list(METHODS)
    assert all(line.first.repeat == 0 for line in section.lines)
    assert [row.repeat for row in section.every_row] == [0] * 3 + [1] * 3 + [2] * 3
    assert "repeat 1" not in render_screen(table)


def test_the_grids_have_each_division_and_each_pair(table: Table) -> None:
    lines, pairs = stability_grids(table.sections[0])
    assert lines.header == (
        "Row", "Seeds", "paper", "stratified 1", "stratified 2", "Mean", "Lowest", "Highest", "Rank",
    )  # fmt: skip
    assert [row[-1] for row in lines.rows] == ["1 (1 to 1)", "2 (2 to 2)", "3 (3 to 3)"]
    assert [(row[0][:4], row[1][:4], row[2], row[4]) for row in pairs.rows] == [
        ("FMPN", "CNN ", "3 of 3", "29.2–100.0"),
        ("FMPN", "CNN ", "3 of 3", "29.2–100.0"),
        ("CNN ", "CNN ", "0 of 3", "0.0–70.8"),  # the line first, then the reference
    ]


def test_a_note_says_the_order_and_that_the_people_are_the_same(table: Table) -> None:
    (note,) = [note for note in section_notes(table.sections[0]) if note.startswith("Order under")]
    said = (
        "FMPN (resnet18) is above CNN (baseline) (resnet18) in 3 of 3, "
        "CNN (no mask loss) (resnet18) in 0 of 3"
    )
    assert f"counted over divisions x seeds: {said}. All divisions test the same people" in note
    (sentence,) = order_sentences(table.sections[0])
    assert said in sentence
    assert "nothing of other people" in sentence


@pytest.mark.parametrize("form", ["screen", "markdown", "latex"])
def test_formats_for_people_show_the_part(table: Table, form: str) -> None:
    assert "P better /" in render(table, form, ["stability"])
    assert "P better / equal / worse" not in render(table, form, [])


def test_csv_and_json_hold_all_rows_and_all_pairs(table: Table) -> None:
    rows = list(csv.DictReader(io.StringIO(render(table, "csv"))))
    assert [row["repeat"] for row in rows] == [""] * 3 + ["1"] * 3 + ["2"] * 3 + [""] * (len(rows) - 9)
    pairs = list(csv.DictReader(io.StringIO(render(table, "csv", ["stability"]))))
    assert [(pair["first_above"], pair["tied"], pair["second_above"]) for pair in pairs] == [
        ("3", "0", "0"), ("3", "0", "0"), ("3", "0", "0"),
    ]  # fmt: skip
    (section,) = json.loads(render(table, "json"))["sections"]
    assert [row.get("repeat", 0) for row in section["rows"]] == [0] * 3 + [1] * 3 + [2] * 3
    found = section["stability"]
    assert found["divisions"] == ["paper", "stratified 1", "stratified 2"]
    assert [line["median_rank"] for line in found["lines"]] == [1.0, 2.0, 3.0]
    assert found["pairs"][0]["first_above_share"] == 1.0
    assert found["pairs"][0]["probability_better"] > 0.9


def test_without_further_divisions_there_is_nothing_to_say(tmp_path: Path) -> None:
    store = ResultsStore(tmp_path)
    plain = build_table(aggregate_experiment(store, divided_experiment(store, METHODS, repeats=1)))
    (section,) = plain.sections
    assert section.stability is None
    assert stability_grids(section) == []
    assert order_sentences(section) == ()
    assert not [note for note in section_notes(section) if "division" in note]
    assert "stability" not in json.loads(render(plain, "json"))["sections"][0]
    assert render(plain, "csv", ["stability"]).strip() == ""
    (seeds, stability) = absent_parts(plain, ["seeds", "stability", "folds"])
    assert "part seeds is empty" in seeds
    assert "part stability is empty" in stability
    assert absent_parts(plain, []) == []


def test_an_incomplete_row_of_a_further_division_is_named(tmp_path: Path) -> None:
    store = ResultsStore(tmp_path)
    content = divided_experiment(store, METHODS, repeats=2)
    content["rows"][-1]["runs"][1]["identity"] = None
    made = build_table(aggregate_experiment(store, content, partial=True))
    (note,) = [note for note in section_notes(made.sections[0]) if note.startswith("INCOMPLETE")]
    assert "CNN (no mask loss)" in note
    assert "repeat 1" in note
    assert "fold 1 is missing" in note
