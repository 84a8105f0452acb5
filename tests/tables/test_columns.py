"""The registry of columns: one entry is all that a new column or metric needs."""

from __future__ import annotations

import csv
import dataclasses
import io
import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from platform.aggregation.aggregate import AggregatedRow, aggregate_experiment
from platform.evaluation import row_metrics
from platform.evaluation.row_metrics import Metric
from platform.reports.html import report_html
from platform.runs.store import ResultsStore
from platform.tables import columns
from platform.tables.column import ALL, NARROW, READ, SCREEN, STORED, Column, PerLine, wrapped
from platform.tables.formatting import ABSENT, difference_text
from platform.tables.records import KEY_ORDER, record_of
from platform.tables.render import FORMATS, render
from platform.tables.table import build_table
from tests.fake_runs import demo_experiment

EXPERIMENT = {
    "name": "n", "dataset": "d", "preset": "p", "selection_rule": "inner", "command": "c", "config": {},
}  # fmt: skip


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Callable[[], list[AggregatedRow]]:
    """Aggregates the rows of a stored experiment anew."""
    store, experiment = demo_experiment(tmp_path_factory.mktemp("runs"))
    one = {**experiment, "rows": experiment["rows"][:1]}
    return lambda: aggregate_experiment(ResultsStore(store.root), one)


def outputs(rows: list[AggregatedRow]) -> dict[str, str]:
    """Format to what it shows of `rows`, in one line."""
    table = build_table(rows)
    texts = {form: render(table, form, []) for form in FORMATS}
    texts["html"] = report_html(EXPERIMENT, table, {}, {}).replace("<br>", " ")
    return {form: " ".join(text.replace(r"\%", "%").split()) for form, text in texts.items()}


def test_a_column_is_one_entry_for_all_six_formats(
    demo: Callable[[], list[AggregatedRow]], monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong = Column(
        key="subjects_with_errors",
        formats=ALL,
        heading="Erring subjects",
        definition="Erring subjects: tested subjects with at least one misclassified image.",
        text=PerLine(row=lambda row: f"{row.scores.subjects_with_errors} people" if row.scores else "0"),
        record=PerLine(
            row=lambda row: {"subjects_with_errors": row.scores.subjects_with_errors if row.scores else 0}
        ),
    )
    rows = demo()
    assert rows[0].row.scores is not None
    monkeypatch.setattr(columns, "COLUMNS", (*columns.COLUMNS, wrong))
    texts = outputs(rows)
    assert texts.keys() == set(ALL)
    count = rows[0].row.scores.subjects_with_errors
    for form in READ:
        assert f"{count} people" in texts[form], form
        assert "Erring subjects: tested subjects with" in texts[form], form
    (line,) = csv.DictReader(io.StringIO(render(build_table(rows), "csv")))
    assert line["subjects_with_errors"] == str(count)
    (record,) = json.loads(render(build_table(rows), "json", []))["sections"][0]["rows"]
    assert record["subjects_with_errors"] == count
    keys = [key for key in record if key in KEY_ORDER]  # keys of existing files keep their places
    assert list(record)[: len(keys)] == keys


def test_a_metric_is_one_entry_for_all_six_formats(
    demo: Callable[[], list[AggregatedRow]], monkeypatch: pytest.MonkeyPatch
) -> None:
    worst = Metric(
        key="lowest_recall",
        heading="Lowest recall %",
        definition="Lowest recall: that of the class that is recognised worst.",
        compute=lambda pooled: min(one.recall for one in pooled.classes if one.recall is not None),
    )
    monkeypatch.setattr(row_metrics, "METRICS", (*row_metrics.METRICS, worst))
    rows = demo()
    scores = rows[0].row.scores
    assert scores is not None
    value = min(one.recall for one in scores.classes if one.recall is not None)
    texts = outputs(rows)
    for form in READ:
        assert f"{100 * value:.2f}" in texts[form], form
        assert "Lowest recall: that of the class" in texts[form], form
    for form in STORED:
        assert "lowest_recall" in texts[form], form
        assert f"{value:.6f}".rstrip("0") in texts[form], form


def test_a_format_defines_the_columns_that_it_shows(demo: Callable[[], list[AggregatedRow]]) -> None:
    rows = demo()
    on_ckplus = [dataclasses.replace(one, row=dataclasses.replace(one.row, dataset="ckplus")) for one in rows]
    for data, beside_reported in ((rows, False), (on_ckplus, True)):
        for form, text in outputs(data).items():
            if form == "csv":
                continue
            for sentence in ("Mean of folds: ", "Pooled images: ", "95 % CI: "):
                assert text.count(sentence) == 1, (form, sentence)
            # No row has a gap, so formats of limited width leave its column out.
            assert ("Optimism gap: " in text) == (form not in NARROW), form
            assert ("vs. reported: our mean" in text) == (beside_reported or form == "json"), form
            assert ("Macro F1: " in text) == (form in ("markdown", "latex", "json")), form


def test_keys_are_unique_and_text_comes_before_numbers() -> None:
    keys = [column.key for column in columns.all_columns()]
    assert len(keys) == len(set(keys))
    for form in READ:
        left = [column.left for column in columns.columns_of(form)]
        assert left == sorted(left, reverse=True), form


def test_every_key_of_the_fixed_order_is_stored_by_a_column(demo: Callable[[], list[AggregatedRow]]) -> None:
    row = demo()[0].row
    on_ckplus = dataclasses.replace(row, dataset="ckplus", width=0.5, chosen_folds=(0,), chosen_of=3)
    section = build_table([AggregatedRow(row=on_ckplus, images=None)]).sections[0]
    stored = {*record_of(on_ckplus, "json"), *record_of(section.reported[0], "json")}
    rest = set(KEY_ORDER) - stored
    assert rest == {key for key in KEY_ORDER if key == "seeds" or key.endswith("_seed_standard_deviation")}


def test_a_column_of_no_known_format_or_without_a_heading_is_refused() -> None:
    with pytest.raises(ValueError, match="formats of column 'x'"):
        Column(key="x", formats=("xml",))
    with pytest.raises(ValueError, match="needs a heading"):
        Column(key="x", formats=(SCREEN,))


def test_cells_wrap_between_words_and_keep_short_brackets_together() -> None:
    assert wrapped("58.10 (SD 4.89)", 9) == "58.10\n(SD 4.89)"
    assert wrapped("Pooled images %", 9) == "Pooled\nimages %"
    assert wrapped("", 9) == ""


def test_every_defined_column_is_documented(root: Path) -> None:
    text = (root / "docs" / "table.md").read_text(encoding="utf-8").lower()
    for sentence in columns.definitions(columns.all_columns()):
        assert re.split(": ", sentence)[0].lower() in text


@pytest.mark.parametrize(
    ("preset", "changes", "shown"),
    [("paper", "", True), ("quick", "", False), ("paper", ", changed: seed 5", False)],
)
def test_a_row_that_is_not_comparable_shows_no_difference_from_the_reported_number(
    demo: Callable[[], list[AggregatedRow]], preset: str, changes: str, shown: bool
) -> None:
    row = dataclasses.replace(demo()[0].row, dataset="ckplus", preset=preset, preset_changes=changes)
    assert (difference_text(row) != ABSENT) == shown
