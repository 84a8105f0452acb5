"""Every form defines the columns that it shows, and no others."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from platform.aggregation.aggregate import AggregatedRow, aggregate_experiment
from platform.reports.html import report_html
from platform.tables.definitions import definitions
from platform.tables.render import render
from platform.tables.table import build_table
from tests.fake_runs import demo_experiment

REPORTED, MACRO = "Minus reported: our mean", "Macro F1: unweighted"
ALWAYS = ("Mean of folds: unweighted", "Pooled images: share", "95 % interval: of", "Optimism gap: the mean")


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> list[AggregatedRow]:
    store, experiment = demo_experiment(tmp_path_factory.mktemp("runs"))
    return aggregate_experiment(store, experiment)


def on_ckplus(rows: list[AggregatedRow]) -> list[AggregatedRow]:
    return [dataclasses.replace(one, row=dataclasses.replace(one.row, dataset="ckplus")) for one in rows[:3]]


@pytest.mark.parametrize(
    ("form", "reported_set", "absent"),
    [
        ("screen", False, {REPORTED, MACRO}),
        ("screen", True, {MACRO}),
        ("markdown", False, set()),
        ("latex", False, set()),
        ("json", False, set()),
    ],
)
def test_a_form_defines_what_it_shows(
    rows: list[AggregatedRow], form: str, reported_set: bool, absent: set[str]
) -> None:
    text = " ".join(render(build_table(on_ckplus(rows) if reported_set else rows), form).split())
    text = text.replace(r"\%", "%")
    assert {sentence for sentence in (REPORTED, MACRO, *ALWAYS) if sentence not in text} == absent


def test_the_page_defines_what_it_shows(rows: list[AggregatedRow]) -> None:
    experiment = {"name": "n", "dataset": "d", "preset": "p", "selection_rule": "inner", "command": "c"}
    for table_rows, shown in ((rows, False), (on_ckplus(rows), True)):
        page = report_html({**experiment, "config": {}}, build_table(table_rows), {}, {})
        assert (REPORTED in page, MACRO in page) == (shown, False)


def test_all_definitions_are_documented_columns(root: Path) -> None:
    text = (root / "docs" / "table.md").read_text(encoding="utf-8").lower()
    for name in ("mean of folds", "pooled images", "macro f1", "minus reported", "optimism gap"):
        assert name in text
        assert any(name in paragraph.lower() for paragraph in definitions([name]))
