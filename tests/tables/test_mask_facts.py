"""Mask numbers in CSV and JSON."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest

from platform.aggregation.aggregate import aggregate_experiment
from platform.runs.store import ResultsStore
from platform.tables.render import render
from platform.tables.table import Table, build_table
from tests.fake_runs import row_with_masks, write_experiment, write_row

KEYS = (
    "mask_folds", "mask_folds_recomputed", "mask_faces", "mask_error", "constant_mask_error",
    "mask_nearest_share", "constant_mask_nearest_share", "stage1_mask_error", "stage1_mask_nearest_share",
    "mask_drift", "mask_error_difference", "mask_error_difference_95_percent_low",
    "mask_error_difference_95_percent_high",
)  # fmt: skip


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Table:
    """FMPN with stored errors, then a method without masks."""
    store = ResultsStore(tmp_path_factory.mktemp("runs"))
    rows = [row_with_masks(store, 0.012), write_row(store, "cnn", "CNN (baseline)", 0.6, seed=0)]
    return build_table(aggregate_experiment(store, write_experiment(store, rows)))


def lines(table: Table, *parts: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(render(table, "csv", parts=parts))))


def test_json_has_them_for_a_row_with_masks_alone(table: Table) -> None:
    first, second = json.loads(render(table, "json"))["sections"][0]["rows"]
    row = table.sections[0].rows[0]
    assert row.mask_comparison is not None
    assert set(KEYS) <= first.keys()
    assert not set(KEYS) & second.keys()
    assert (first["mask_folds"], first["mask_folds_recomputed"], first["mask_faces"]) == (3, 3, 189)
    found = row.mask_comparison.pooled
    assert first["mask_error_difference"] == pytest.approx(found.difference, rel=1e-5)
    assert found.interval is not None
    assert first["mask_error_difference_95_percent_low"] == pytest.approx(found.interval.low, rel=1e-5)
    assert first["mask_drift"] == 0.023


def test_csv_has_them_and_empty_cells_for_other_rows(table: Table) -> None:
    first, second = (line for line in lines(table) if line["source"] == "ours")
    assert float(first["mask_error"]) > float(first["constant_mask_error"])
    assert {second[key] for key in KEYS} == {""}


def test_folds_and_classes_have_their_own(table: Table) -> None:
    row = table.sections[0].rows[0]
    assert row.mask_comparison is not None
    folds, classes = lines(table, "folds"), lines(table, "classes")
    assert [line["mask_faces"] for line in folds] == ["63"] * 3 + [""] * 3
    of_fold = row.mask_comparison.folds[2].difference
    assert float(folds[2]["mask_error_difference"]) == pytest.approx(of_fold, rel=1e-5)
    fear = next(line for line in classes if line["class"] == "fear")
    of_fear = row.mask_comparison.classes["fear"].difference
    assert float(fear["mask_error_difference"]) == pytest.approx(of_fear, rel=1e-5)
    assert fear["mask_error_difference_95_percent_high"]


def test_the_numbers_of_earlier_versions_have_no_difference(tmp_path: Path) -> None:
    store = ResultsStore(tmp_path)
    row = row_with_masks(store, 0.012, old=(0, 1, 2))
    made = build_table(aggregate_experiment(store, write_experiment(store, [row])))
    record: dict[str, Any] = json.loads(render(made, "json"))["sections"][0]["rows"][0]
    assert record["mask_folds_recomputed"] == 0
    assert record["mask_error"] > 0.05
    assert record["mask_error_difference"] is None


def test_several_seeds_have_one_difference(tmp_path: Path) -> None:
    store = ResultsStore(tmp_path)
    rows = [row_with_masks(store, 0.012, seed=seed) for seed in (0, 1)]
    made = build_table(aggregate_experiment(store, write_experiment(store, rows)))
    section = json.loads(render(made, "json"))["sections"][0]
    (together,) = section["over_seeds"]
    of_seeds = [row["mask_error_difference"] for row in section["rows"]]
    assert together["mask_error_difference"] == pytest.approx(sum(of_seeds) / 2, rel=1e-4)
    ends = [together[f"mask_error_difference_95_percent_{end}"] for end in ("low", "high")]
    assert ends[0] < together["mask_error_difference"] < ends[1]
    assert "Masks of FMPN" in " ".join(section["notes"])
