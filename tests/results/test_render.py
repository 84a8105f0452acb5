from __future__ import annotations

import csv
import dataclasses
import io
import json
import re

import pytest

from platform.errors import UserError
from platform.results.aggregate import AggregatedRow, aggregate_experiment
from platform.results.render import FORMATS, render
from platform.results.table import build_table
from tests.results.fake_runs import demo_experiment


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> list[AggregatedRow]:
    store, experiment = demo_experiment(tmp_path_factory.mktemp("runs"))
    made = aggregate_experiment(store, experiment)
    # As on CK+, so that reported rows stand beside ours.
    return [
        dataclasses.replace(m, row=dataclasses.replace(m.row, dataset="ckplus")) for m in made[:3]
    ] + made[3:]


@pytest.fixture(scope="module")
def empty_row(rows: list[AggregatedRow]) -> AggregatedRow:
    """A row none of whose folds is finished."""
    row = dataclasses.replace(rows[0].row, scores=None, problems=dict.fromkeys(range(3), "is missing"))
    return AggregatedRow(row=row, predictions=None)


@pytest.mark.parametrize("form", FORMATS)
def test_the_same_rows_give_the_same_text_that_ends_in_one_newline(
    rows: list[AggregatedRow], form: str
) -> None:
    text = render(build_table(rows), form)
    assert text == render(build_table(rows), form)
    assert text.endswith("\n")
    assert not text.endswith("\n\n")


@pytest.mark.parametrize("form", FORMATS)
def test_every_form_shows_our_number_and_the_reported_one(rows: list[AggregatedRow], form: str) -> None:
    scores = rows[0].row.scores
    assert scores is not None
    ours, reported = (
        (f"{100 * scores.mean_of_folds:.2f}", "98.06")
        if form in ("screen", "markdown")
        else (f"{scores.mean_of_folds:.6f}".rstrip("0"), "0.9806")
    )
    text = render(build_table(rows), form)
    assert ours in text
    assert reported in text


@pytest.mark.parametrize("form", FORMATS)
def test_a_row_without_numbers_is_shown_without_numbers(empty_row: AggregatedRow, form: str) -> None:
    text = render(build_table([empty_row]), form)
    assert not re.search(r"\bnan\b", text, re.IGNORECASE)
    assert "is missing" in text


def test_an_unknown_form_lists_the_known_ones(rows: list[AggregatedRow]) -> None:
    with pytest.raises(UserError, match=r"unknown format 'latex'.*csv, json, markdown, screen"):
        render(build_table(rows), "latex")


def test_screen_lines_are_aligned_and_fit(rows: list[AggregatedRow]) -> None:
    text = render(build_table(rows), "screen")
    assert max(map(len, text.splitlines())) <= 118
    lines = [line for line in text.splitlines() if line.startswith(("FMPN  ", "CNN (", "IACNN"))]
    ends = {line.index("98.06") + 5 for line in lines if "98.06" in line}
    # Reported numbers with the mark of an unstated averaging keep their digits in the same column.
    assert ends == {line.index("95.37") + 5 for line in lines if "95.37†" in line}


def test_screen_tells_what_reported_rows_scored_and_who_is_incomplete(empty_row: AggregatedRow) -> None:
    text = render(build_table([empty_row]), "screen")
    assert "sequence-based" in text
    assert "FMPN INCOMPLETE" in text
    assert "0/0/0/0 of 3" in text


def test_leakage_is_called_so_in_the_row(rows: list[AggregatedRow]) -> None:
    leaking = dataclasses.replace(rows[0], row=dataclasses.replace(rows[0].row, selection_rule="test"))
    assert "test (LEAKS)" in render(build_table([leaking]), "screen")
    assert "test (LEAKS)" in render(build_table([leaking]), "markdown")


def test_markdown_tables_have_as_many_cells_in_every_row_and_escape_pipes(rows: list[AggregatedRow]) -> None:
    piped = dataclasses.replace(rows[0], row=dataclasses.replace(rows[0].row, title="A|B"))
    text = render(build_table([piped, *rows[1:]]), "markdown")
    assert "A\\|B" in text
    for block in text.split("\n\n"):
        if block.startswith("|"):
            assert len({line.replace("\\|", "").count("|") for line in block.splitlines()}) == 1


def test_markdown_bolds_a_row_only_where_intervals_separate(rows: list[AggregatedRow]) -> None:
    """By construction FMPN (.85) is far from the baseline (.6), and not from the third row (.8)."""
    assert "**" not in render(build_table(rows), "markdown")
    assert "**FMPN**" in render(build_table(rows[:2]), "markdown")
    assert "*" in render(build_table(rows[:2]), "screen")


def test_csv_has_a_line_a_row_and_json_the_same_numbers(rows: list[AggregatedRow]) -> None:
    table = build_table(rows)
    lines = list(csv.DictReader(io.StringIO(render(table, "csv"))))
    document = json.loads(render(table, "json"))
    records = [record for section in document["sections"] for record in section["rows"] + section["reported"]]
    assert len(lines) == len(records) == 4 + 9
    for line, record in zip(lines, records, strict=True):
        assert line["title"] == record["title"]
        if record["source"] == "ours":
            assert float(line["pooled_image_accuracy"]) == record["pooled_image_accuracy"]
            assert record["pooled_image_95_percent_low"] <= record["pooled_image_accuracy"]
        else:
            assert line["pooled_image_accuracy"] == ""
            assert float(line["reported_accuracy"]) == record["reported_accuracy"]
    assert len(document["sections"][0]["comparisons"]) == 2
