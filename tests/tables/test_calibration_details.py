from __future__ import annotations

import json
from pathlib import Path

import pytest

from platform.aggregation.aggregate import AggregatedRow, aggregate_experiment
from platform.runs.store import ResultsStore
from platform.tables.calibration_details import bin_records, calibration_grids
from platform.tables.render import FORMATS, render
from platform.tables.table import build_table
from tests.fake_runs import write_experiment, write_row


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> list[AggregatedRow]:
    """One row with probabilities, and one whose method says that it has none."""
    store = ResultsStore(tmp_path_factory.mktemp("runs"))
    made = [write_row(store), write_row(store, "svm", "SVM", 0.6, seed=1, probabilities=False)]
    return aggregate_experiment(store, write_experiment(store, made))


def test_a_row_without_probabilities_shows_dashes_and_a_note_says_why(rows: list[AggregatedRow]) -> None:
    section = build_table(rows).sections[0]
    summary, *bins = calibration_grids(section)
    assert summary.header == ("Row", "Experiment", "ECE", "Overconfidence", "95 % CI", "Brier", "95 % CI")
    assert "–" not in summary.rows[0]
    assert summary.rows[1][2:] == ("–",) * 5
    assert len(bins) == 1
    text = render(build_table(rows), "screen")
    assert "SVM (resnet18): no ECE, overconfidence or Brier score: the method says" in " ".join(text.split())


def test_bins_hold_every_image_and_empty_ones_are_stored_only(rows: list[AggregatedRow]) -> None:
    section = build_table(rows).sections[0]
    grid = calibration_grids(section)[1]
    scores = rows[0].row.scores
    assert scores is not None
    assert sum(int(row[1]) for row in grid.rows) == scores.image_count
    records = bin_records(rows[0].row)
    assert len(records) == 15
    assert records[0]["count"] == 0
    assert records[0]["accuracy"] is None
    assert bin_records(rows[1].row) == []


@pytest.mark.parametrize("form", FORMATS)
def test_every_format_has_the_part(rows: list[AggregatedRow], form: str) -> None:
    text = render(build_table(rows), form, ["calibration"])
    if form == "json":
        stored = json.loads(text)["sections"][0]["rows"]
        assert [len(row["calibration"]) for row in stored] == [15, 0]
        assert [row["brier_score_of_images"] is None for row in stored] == [False, True]
    elif form == "csv":
        assert len(text.splitlines()) == 16
    else:
        assert "Reliability: FMPN (resnet18) of tune-synthetic-quick" in text.replace(r"\_", "_")


def test_a_section_without_scores_has_no_grid(rows: list[AggregatedRow], tmp_path: Path) -> None:
    store = ResultsStore(tmp_path)
    row = write_row(store) | {"runs": [{"fold": 0, "identity": None}]}
    (made,) = aggregate_experiment(store, write_experiment(store, [row]), partial=True)
    assert calibration_grids(build_table([made]).sections[0]) == []
