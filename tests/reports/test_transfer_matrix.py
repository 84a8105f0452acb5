from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest

from platform.aggregation.aggregate import aggregate_experiment
from platform.reports.publish import present
from platform.reports.transfer_matrix import TransferMatrix, matrix_figure, matrix_grid, transfer_matrices
from platform.runs.store import ResultsStore
from tests.fake_runs import write_experiment, write_row

TRANSFER = {"kind": "transfer", "generator": "none"}


def transferred(root: Path, rows: list[dict[str, Any]]) -> tuple[ResultsStore, dict[str, Any]]:
    store = ResultsStore(root)
    made = [write_row(store, folds=2, **row) for row in rows]
    return store, write_experiment(store, made, name="transfer-a-to-b")


def matrices(root: Path, rows: list[dict[str, Any]]) -> list[TransferMatrix]:
    store, experiment = transferred(root, rows)
    return transfer_matrices(experiment, aggregate_experiment(store, experiment))


OWN_A = {"dataset": "a", "generator": "own", "accuracy": 0.9}
A_TO_B = {"dataset": "b", "masks": "a", "accuracy": 0.7, **TRANSFER}
A_TO_C = {"dataset": "c", "masks": "a", "accuracy": 0.6, **TRANSFER}
B_TO_C = {"dataset": "c", "masks": "b", "accuracy": 0.5, **TRANSFER}


def test_a_cell_for_each_pair_and_a_dash_for_an_impossible_one(tmp_path: Path) -> None:
    cnn = {"dataset": "b", "method": "cnn", "title": "CNN (baseline)"}
    (matrix,) = matrices(tmp_path, [cnn, OWN_A, A_TO_B, A_TO_C, B_TO_C])
    grid = matrix_grid(matrix)
    assert grid.header == ("Source", "a", "b", "c")
    assert [line[0] for line in grid.rows] == ["a", "b"]
    assert "–" not in grid.rows[0]
    assert grid.rows[1][1:3] == ("–", "–")
    assert all(cell.endswith("(n 126)") for cell in (*grid.rows[0][1:], grid.rows[1][3]))
    assert matrix.cells["a", "b"].mean_of_folds == matrix.cells["a", "b"].rows[0].scores.mean_of_folds  # type: ignore[union-attr]


def test_draws_of_a_split_are_averaged_and_counted(tmp_path: Path) -> None:
    again = {**A_TO_B, "seed": 0, "repeat": 1, "accuracy": 0.4}
    (matrix,) = matrices(tmp_path, [A_TO_B, again, A_TO_C])
    cell = matrix.cells["a", "b"]
    scores = [row.scores.mean_of_folds for row in cell.rows if row.scores]
    assert cell.mean_of_folds == pytest.approx(sum(scores) / 2)
    assert cell.text.endswith("(2 draws)")


@pytest.mark.parametrize(
    "rows",
    [
        [OWN_A, A_TO_B],
        [OWN_A, {**OWN_A, "dataset": "b"}],
        [A_TO_B, {**A_TO_C, "variation": "lambda_G 0"}],
        [A_TO_B, {"dataset": "c", "masks": "permuted"}],
    ],
    ids=["one transfer", "no transfer", "a variation", "a control"],
)
def test_less_than_two_transfers_make_no_matrix(rows: list[dict[str, Any]], tmp_path: Path) -> None:
    assert matrices(tmp_path, rows) == []


def test_every_seed_has_a_matrix_of_its_own_name(tmp_path: Path) -> None:
    """Their names become the titles of the figures, by which these are kept apart."""
    store, experiment = transferred(tmp_path, [A_TO_B, A_TO_C, A_TO_B, A_TO_C])
    rows = aggregate_experiment(store, experiment)
    seeded = [
        dataclasses.replace(made, row=dataclasses.replace(made.row, seed=seed))
        for made, seed in zip(rows, (0, 0, 1, 1), strict=True)
    ]
    found = transfer_matrices(experiment, seeded)
    assert [matrix.name for matrix in found] == ["FMPN (resnet18, seed 0)", "FMPN (resnet18, seed 1)"]
    assert all(len(cell.rows) == 1 for matrix in found for cell in matrix.cells.values())


def test_a_transferred_generator_is_named_by_its_source(tmp_path: Path) -> None:
    generator = {"masks": "own", "kind": "transfer"}
    rows = [{"dataset": name, "generator": "a", **generator} for name in ("b", "c")]
    (matrix,) = matrices(tmp_path, rows)
    assert list(matrix.cells) == [("a", "b"), ("a", "c")]


def test_it_is_printed_and_drawn_with_its_experiment(tmp_path: Path) -> None:
    store, experiment = transferred(tmp_path, [OWN_A, A_TO_B, A_TO_C, B_TO_C])
    made = present(store, experiment)
    assert "by source and target" in made.text
    path = next(path for title, path in made.figures.items() if title.startswith("Transfer of FMPN"))
    assert path.read_bytes().startswith(b"\x89PNG")
    (matrix,) = transfer_matrices(experiment, aggregate_experiment(store, experiment))
    texts = [text.get_text() for text in matrix_figure(matrix).axes[0].texts]
    assert len(texts) == len(matrix.cells) == 4
