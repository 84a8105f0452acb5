from __future__ import annotations

import dataclasses
import json
import re
from pathlib import Path

import pytest

from platform.aggregation.aggregate import aggregate_experiment
from platform.aggregation.table_row import TableRow
from platform.tables.gap_note import gap_note, gap_points, seeds_gap_note
from platform.tables.notes import section_notes
from platform.tables.render import render
from platform.tables.stored_facts import optimism_interval
from platform.tables.table import build_table
from tests.aggregation.test_optimism_gap import row_of, searched
from tests.fake_runs import write_experiment, write_seeds


@pytest.fixture
def row(tmp_path: Path) -> TableRow:
    return row_of(*searched(tmp_path))


def test_the_gap_is_said_with_its_interval_over_people_in_both_roles(row: TableRow) -> None:
    text = gap_note("FMPN", row)
    assert re.search(
        r"optimism gap [+-]\d+\.\d\d points \(95 % CI [+-]\d+\.\d\d to [+-]\d+\.\d\d, over 12 subjects, 6 of "
        r"whom were validated and tested; one seed\)\.$",
        text,
    )
    assert re.fullmatch(r"-\d+\.\d\d points, 95 % CI [+-]\d+\.\d\d to [+-]\d+\.\d\d", gap_points(row))


def test_a_gap_that_rounds_to_zero_has_no_minus_sign(row: TableRow) -> None:
    assert row.scores is not None
    tied = dataclasses.replace(row, selection_score=row.scores.mean_of_folds - 1e-9)
    assert gap_points(tied).startswith("+0.00 points")


def test_without_the_fold_runs_of_the_validation_it_says_why_there_is_no_interval(tmp_path: Path) -> None:
    store, experiment = searched(tmp_path)
    experiment["studies"][0]["trials"][5]["runs"] = []
    row = row_of(store, experiment)
    assert gap_note("FMPN", row).endswith(
        "points (no interval: the fold runs of the validation splits are not known)."
    )
    assert gap_points(row).endswith(" points")
    assert optimism_interval(row) == {}


def test_it_is_stored_with_its_ends(row: TableRow) -> None:
    found, interval = optimism_interval(row), row.optimism_gap_interval
    assert interval is not None
    assert found["optimism_gap_95_percent_low"] == pytest.approx(interval.low, abs=1e-6)
    assert found["optimism_gap_95_percent_high"] == pytest.approx(interval.high, abs=1e-6)


def test_a_table_with_a_gap_says_that_it_contains_the_learning_curve(tmp_path: Path) -> None:
    store, experiment = searched(tmp_path)
    notes = section_notes(build_table(aggregate_experiment(store, experiment)).sections[0])
    assert any("contains the learning curve" in note for note in notes)
    del experiment["rows"][0]["selection_score"]
    notes = section_notes(build_table(aggregate_experiment(store, experiment)).sections[0])
    assert not any("learning curve" in note for note in notes)


def test_several_seeds_have_a_mean_gap_over_subjects_and_seeds(tmp_path: Path) -> None:
    store, experiment = searched(tmp_path)
    score = experiment["rows"][0]["selection_score"]
    rows = write_seeds(store, accuracy=0.85, seeds=(0, 1), selection_score=score)
    experiment = write_experiment(store, rows, studies=experiment["studies"])
    (section,) = build_table(aggregate_experiment(store, experiment)).sections
    (line,) = section.lines
    gaps = [one.optimism_gap for one in line.rows]
    assert line.optimism_gap_interval is not None
    assert line.optimism_gap_interval.seed_count == 2
    assert line.optimism_gap_interval.estimate == pytest.approx(sum(gaps) / 2)  # type: ignore[arg-type]
    (stored,) = json.loads(render(build_table(aggregate_experiment(store, experiment)), "json"))["sections"]
    assert stored["over_seeds"][0]["optimism_gap"] == pytest.approx(sum(gaps) / 2, abs=1e-6)  # type: ignore[arg-type]
    text = seeds_gap_note(line, "FMPN")
    assert "mean optimism gap" in " ".join(section_notes(section))
    assert text.endswith("over 12 subjects and 2 seeds (0, 1) of the final runs; the search has one seed).")
