from __future__ import annotations

import csv
import dataclasses
import io
import json
import re

import pytest

from platform.aggregation.aggregate import AggregatedRow, aggregate_experiment
from platform.errors import UserError
from platform.tables.render import FORMATS, render
from platform.tables.table import build_table
from tests.fake_runs import demo_experiment


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
    problems = dict.fromkeys(range(3), "is missing")
    row = dataclasses.replace(rows[0].row, scores=None, problems=problems, configurations=None)
    return AggregatedRow(row=row, images=None)


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
        if form in ("screen", "markdown", "latex")
        else (f"{scores.mean_of_folds:.6f}".rstrip("0"), "0.9806")
    )
    text = render(build_table(rows), form)
    assert ours in text
    assert reported in text


@pytest.mark.parametrize("form", FORMATS)
def test_a_row_without_numbers_is_shown_without_numbers(empty_row: AggregatedRow, form: str) -> None:
    text = render(build_table([empty_row]), form)
    assert not re.search(r"\bnan\b", text, re.IGNORECASE)
    assert "is missing" in text or "are missing" in text


def test_an_unknown_form_lists_the_known_ones(rows: list[AggregatedRow]) -> None:
    with pytest.raises(UserError, match=r"unknown format 'html'.*csv, json, latex, markdown, screen"):
        render(build_table(rows), "html")


def test_screen_lines_are_aligned_and_fit(rows: list[AggregatedRow]) -> None:
    text = render(build_table(rows), "screen")
    assert max(map(len, text.splitlines())) <= 118
    lines = [line for line in text.splitlines() if line.startswith(("FMPN  ", "CNN (", "IACNN"))]
    ends = {line.index("98.06") + 5 for line in lines if "98.06" in line}
    # Reported numbers with the mark of an unstated averaging keep their digits in the same column.
    assert ends == {line.index("95.37") + 5 for line in lines if "95.37†" in line}


@pytest.mark.parametrize("width", [100, 80, 70])
def test_a_narrow_terminal_gets_fewer_columns_and_a_note_on_them(
    rows: list[AggregatedRow], width: int
) -> None:
    text = render(build_table(rows), "screen", ["seeds", "folds"], width=width)
    too_long = [line for line in text.splitlines() if len(line) > width]
    assert not too_long
    said = f"Left out, because the terminal is {width} characters wide: Pooled sequences"
    assert said in " ".join(text.split())
    assert "Pooled seq." not in text
    assert "98.06" in text


def test_screen_tells_what_reported_rows_scored_and_who_is_incomplete(empty_row: AggregatedRow) -> None:
    text = render(build_table([empty_row]), "screen")
    assert re.search(r"LBP-TOP +– +sequences +– +88.99†", text)
    assert re.search(r"FMPN +– +images +– +98.06", text)
    assert "FMPN (INCOMPLETE)" in text
    assert "0 of 3/1/1" in text


@pytest.mark.parametrize("form", FORMATS)
def test_leakage_is_called_so_in_every_form(rows: list[AggregatedRow], form: str) -> None:
    leaking = dataclasses.replace(rows[0], row=dataclasses.replace(rows[0].row, selection_rule="test"))
    text = " ".join(render(build_table([leaking]), form).split())
    assert "selected on the test folds: leakage" in text
    if form in ("csv", "json"):
        (record, *_) = csv.DictReader(io.StringIO(render(build_table([leaking]), "csv")))
        assert record["optimism_gap"] == "0.0"
        assert record["optimism_gap_is_zero_by_construction"] == "True"
    else:
        # On the screen the words stand below one another.
        assert "0 by construction" in text or ("0 by" in text and "construction" in text)
        assert "(selected on the test folds: leakage)" in text or "FMPN (selected on" in text


@pytest.mark.parametrize("form", FORMATS)
def test_the_gap_between_choice_and_test_is_shown(rows: list[AggregatedRow], form: str) -> None:
    scores = rows[0].row.scores
    assert scores is not None
    chosen = dataclasses.replace(rows[0].row, selection_score=scores.mean_of_folds + 0.0321)
    text = render(build_table([dataclasses.replace(rows[0], row=chosen)]), form)
    assert ("0.0321" if form in ("csv", "json") else "+3.21") in text


@pytest.mark.parametrize("form", FORMATS)
def test_our_row_is_set_against_the_reported_one(rows: list[AggregatedRow], form: str) -> None:
    scores = rows[0].row.scores
    assert scores is not None
    difference = scores.mean_of_folds - 0.9806
    as_published = dataclasses.replace(rows[0].row, preset="paper", preset_changes="")
    text = render(build_table([dataclasses.replace(rows[0], row=as_published)]), form)
    assert (f"{difference:.6f}" if form in ("csv", "json") else f"{100 * difference:+.2f}") in text


@pytest.mark.parametrize("form", FORMATS)
def test_rows_that_differ_in_the_seed_alone_get_a_mean(rows: list[AggregatedRow], form: str) -> None:
    first = rows[0].row
    assert first.scores is not None
    scores = dataclasses.replace(first.scores, mean_of_folds=first.scores.mean_of_folds - 0.02)
    second = dataclasses.replace(first, experiment="again", seed=1, scores=scores)
    text = render(build_table([rows[0], dataclasses.replace(rows[0], row=second)]), form)
    mean, deviation = first.scores.mean_of_folds - 0.01, 0.02 / 2**0.5
    if form in ("csv", "json"):
        assert f"{mean:.6f}".rstrip("0") in text
        assert f"{deviation:.6f}" in text
    else:
        assert f"{100 * mean:.2f}" in text
        assert f"SD {100 * deviation:.2f}" in text
        assert "0, 1" in text


@pytest.mark.parametrize("form", ["screen", "markdown", "latex"])
def test_another_version_of_the_code_is_marked_in_the_row(rows: list[AggregatedRow], form: str) -> None:
    older = dataclasses.replace(rows[0], row=dataclasses.replace(rows[0].row, result_version=1))
    assert "FMPN (version 1)" in render(build_table([older]), form)


def test_markdown_tables_have_as_many_cells_in_every_row_and_escape_pipes(rows: list[AggregatedRow]) -> None:
    piped = dataclasses.replace(rows[0], row=dataclasses.replace(rows[0].row, title="A|B"))
    text = render(build_table([piped, *rows[1:]]), "markdown")
    assert "A\\|B" in text
    for block in text.split("\n\n"):
        if block.startswith("|"):
            assert len({line.replace("\\|", "").count("|") for line in block.splitlines()}) == 1


def test_markdown_bolds_a_row_only_where_intervals_separate(rows: list[AggregatedRow]) -> None:
    """By construction FMPN (.85) is far from the baseline (.6), and not from the third row (.8)."""
    assert "**" not in render(build_table(rows[:3]), "markdown")
    assert "**FMPN**" in render(build_table(rows[:2]), "markdown")
    assert re.search(r"FMPN .*\d\*", render(build_table(rows[:2]), "screen"))
    assert r"\textbf{FMPN}" in render(build_table(rows[:2]), "latex")
    assert r"\textbf" not in render(build_table(rows[:3]), "latex")


def test_csv_has_a_line_a_row_and_json_the_same_numbers(rows: list[AggregatedRow]) -> None:
    table = build_table(rows)
    lines = list(csv.DictReader(io.StringIO(render(table, "csv"))))
    document = json.loads(render(table, "json"))
    records = [record for section in document["sections"] for record in section["rows"] + section["reported"]]
    assert len(lines) == len(records) == 4 + 20
    for line, record in zip(lines, records, strict=True):
        assert line["title"] == record["title"]
        if record["source"] == "ours":
            assert float(line["pooled_image_accuracy"]) == record["pooled_image_accuracy"]
            assert record["pooled_image_95_percent_low"] <= record["pooled_image_accuracy"]
        else:
            assert line["pooled_image_accuracy"] == ""
            assert float(line["reported_accuracy"]) == record["reported_accuracy"]
    assert len(document["sections"][0]["comparisons"]) == 2


@pytest.mark.parametrize(
    ("part", "lines"), [("folds", 3 * 3 + 1), ("classes", 4 * 7), ("confusions", 4 * 3 * 49)]
)
def test_csv_holds_one_line_a_fold_class_or_cell(rows: list[AggregatedRow], part: str, lines: int) -> None:
    found = list(csv.DictReader(io.StringIO(render(build_table(rows), "csv", [part]))))
    assert len(found) == lines
    assert found[0]["experiment"] == rows[0].row.experiment


def test_json_holds_the_parts_below_each_row_and_leaves_out_what_is_not_asked_for(
    rows: list[AggregatedRow],
) -> None:
    everything = json.loads(render(build_table(rows), "json"))["sections"][0]["rows"][0]
    scores = rows[0].row.scores
    assert scores is not None
    assert [fold["image_accuracy"] for fold in everything["folds"]] == pytest.approx(
        [fold.accuracy for fold in scores.folds], abs=1e-6
    )
    assert everything["confusions"]["images"] == [list(counts) for counts in scores.image_confusion]
    assert len(everything["classes"]) == 7
    some = json.loads(render(build_table(rows), "json", ["folds"]))["sections"][0]["rows"][0]
    assert "folds" in some
    assert "classes" not in some
