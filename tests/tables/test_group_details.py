from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest

from platform.aggregation.aggregate import AggregatedRow, aggregate_experiment
from platform.runs.store import ResultsStore
from platform.tables.group_details import group_grids, group_notes, group_records
from platform.tables.render import FORMATS, render
from platform.tables.table import build_table
from tests.fake_runs import COMMAND, write_experiment, write_row

SUBJECTS = [f"S{fold * 10 + number:03d}" for fold in range(3) for number in range(3)]
GROUPS = {
    "sex": {"female": SUBJECTS[:4], "male": SUBJECTS[4:]},
    "ancestry": {"BL": SUBJECTS[:1], "WH": SUBJECTS[1:7]},
}


def aggregated(root: Path, dataset: str = "bu3dfe", **row: Any) -> list[AggregatedRow]:
    store = ResultsStore(root)
    return aggregate_experiment(store, write_experiment(store, [write_row(store, dataset=dataset, **row)]))


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> list[AggregatedRow]:
    return aggregated(tmp_path_factory.mktemp("runs"), groups=GROUPS)


def test_groups_and_their_differences_are_two_grids(rows: list[AggregatedRow]) -> None:
    accuracies, differences = group_grids(build_table(rows).sections[0])
    assert [row[:4] for row in accuracies.rows] == [
        ("ancestry", "BL", "1", "21"), ("ancestry", "WH", "6", "126"), ("sex", "female", "4", "84"),
        ("sex", "male", "5", "105"),
    ]  # fmt: skip
    assert accuracies.rows[0][-1] == "–"
    assert "ancestry of 2 subjects not known" in accuracies.caption
    untested, tested = differences.rows
    assert untested[1] == "BL minus WH"
    assert untested[3:] == ("–", "cannot be tested", "–")
    assert tested[1] == "female minus male"
    assert " to " in tested[3]
    assert tested[4] == tested[5]  # the only test


def test_records_hold_groups_and_pairs(rows: list[AggregatedRow]) -> None:
    records = group_records(rows[0].row)
    assert [(one["group"], one["minus"]) for one in records] == [
        ("BL", None), ("WH", None), ("female", None), ("male", None), ("BL", "WH"), ("female", "male"),
    ]  # fmt: skip
    assert all(list(one) == list(records[0]) for one in records)
    assert records[4]["p_value"] is records[4]["difference_95_percent_low"] is None
    assert 0 < records[5]["smallest_p_value"] <= records[5]["p_value"] <= records[5]["holm_p_value"] <= 1
    difference = records[2]["accuracy"] - records[3]["accuracy"]
    assert records[5]["difference"] == pytest.approx(difference, abs=2e-6)


@pytest.mark.parametrize("form", FORMATS)
def test_every_format_has_the_part(rows: list[AggregatedRow], form: str) -> None:
    text = render(build_table(rows), form, ["groups"])
    if form == "json":
        assert len(json.loads(text)["sections"][0]["rows"][0]["groups"]) == 6
    elif form == "csv":
        assert [line["group"] for line in csv.DictReader(io.StringIO(text))][:2] == ["BL", "WH"]
    else:
        assert "female minus male" in text


def test_a_row_stored_before_groups_were_says_what_adds_them(tmp_path: Path) -> None:
    rows = aggregated(tmp_path)
    section = build_table(rows).sections[0]
    assert group_grids(section) == []
    (note,) = group_notes([rows[0].row])
    assert note == (
        "Groups of subjects are not known for tune-synthetic-quick, which was stored before they were. "
        f"`{COMMAND}` adds them; finished folds are kept."
    )
    assert note in json.loads(render(build_table(rows), "json"))["sections"][0]["notes"]


@pytest.mark.parametrize("dataset", ["ckplus", "bu3dfe+mmi", "unknown"])
def test_other_sets_say_nothing(tmp_path: Path, dataset: str) -> None:
    assert group_notes([one.row for one in aggregated(tmp_path, dataset)]) == []


def test_a_p_value_that_cannot_be_small_says_so(tmp_path: Path) -> None:
    few = {"sex": {"female": SUBJECTS[:2], "male": SUBJECTS[2:4]}}
    grid = group_grids(build_table(aggregated(tmp_path, groups=few)).sections[0])[1]
    assert "(smallest possible 0." in grid.rows[0][4]
