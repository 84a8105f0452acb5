"""Notes on rows that lack fold runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from platform.aggregation.aggregate import aggregate_experiment
from platform.runs.store import ResultsStore
from platform.tables.incomplete_note import incomplete_notes, problems_text
from platform.tables.screen import render_screen
from platform.tables.table import Section, Table, build_table
from tests.fake_runs import COMMAND, write_experiment, write_seeds


def table_of(root: Path, *lacking: tuple[int, tuple[int, ...]]) -> Table:
    """Two methods with three seeds and five folds each; row number and its missing folds."""
    store = ResultsStore(root)
    rows: list[dict[str, Any]] = [
        *write_seeds(store, folds=5),
        *write_seeds(store, "cnn", "CNN (baseline)", 0.5, draw=1, folds=5),
    ]
    for number, folds in lacking:
        for fold in folds:
            rows[number]["runs"][fold]["identity"] = None
    return build_table(aggregate_experiment(store, write_experiment(store, rows), partial=True))


def section_of(root: Path, *lacking: tuple[int, tuple[int, ...]]) -> Section:
    return table_of(root, *lacking).sections[0]


def test_a_complete_section_has_none(tmp_path: Path) -> None:
    assert incomplete_notes(section_of(tmp_path)) == []


def test_one_note_names_rows_of_the_same_problem_together(tmp_path: Path) -> None:
    every = (0, 1, 2, 3, 4)
    (note,) = incomplete_notes(section_of(tmp_path, (1, every), (2, every), (3, every), (4, (0, 2, 3, 4))))
    assert note == (
        "INCOMPLETE. FMPN (resnet18), seeds 1, 2; CNN (baseline) (resnet18), seed 0: all 5 folds are "
        "missing. CNN (baseline) (resnet18), seed 1: folds 0, 2 to 4 are missing. Means over seeds are of "
        f"the complete seeds only. Complete with `{COMMAND}`."
    )


def test_an_experiment_without_a_fold_run_names_no_rows(tmp_path: Path) -> None:
    nothing = [(row, (0, 1, 2, 3, 4)) for row in range(6)]
    (note,) = incomplete_notes(section_of(tmp_path, *nothing))
    assert note == f"INCOMPLETE. Every row: all 5 folds are missing. Complete with `{COMMAND}`."


def test_the_command_stays_in_one_line_of_the_screen(tmp_path: Path) -> None:
    text = render_screen(table_of(tmp_path, (0, (1,)), (3, (2, 3))))
    assert f"`{COMMAND}`." in text


@pytest.mark.parametrize(
    ("folds", "said"),
    [
        ((3,), "fold 3 is missing"),
        ((1, 2), "folds 1, 2 are missing"),
        ((1, 2, 3), "folds 1 to 3 are missing"),
    ],
)
def test_successive_folds_are_a_range(tmp_path: Path, folds: tuple[int, ...], said: str) -> None:
    section = section_of(tmp_path, (0, folds))
    assert problems_text(section.rows[0]) == said
