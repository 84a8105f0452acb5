"""docs/results_on_disk.md and its notebook: the code gives the numbers of the table."""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path
from typing import Any

import pytest

from platform.aggregation.aggregate import aggregate_experiment
from platform.experiments.experiment_file import read_experiment
from platform.runs.store import ResultsStore
from tests.fake_runs import demo_experiment, row_with_masks, write_experiment

NAME = "tune-synthetic-quick"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A working directory with `runs`."""
    root = tmp_path_factory.mktemp("here")
    demo_experiment(root / "runs")
    return root


@pytest.fixture(scope="module")
def means(folder: Path) -> list[float]:
    """Means of folds of the demo's rows, in percent."""
    store = ResultsStore(folder / "runs")
    rows = [one.row for one in aggregate_experiment(store, read_experiment(store, NAME))]
    return [100 * row.scores.mean_of_folds for row in rows if row.scores]


@pytest.fixture
def blocks(root: Path) -> list[str]:
    text = (root / "docs/results_on_disk.md").read_text(encoding="utf-8").replace("NAME", NAME)
    return re.findall(r"^```python\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def test_the_five_lines_give_the_tables_numbers(
    blocks: list[str],
    folder: Path,
    means: list[float],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(folder)
    join = blocks[0]
    assert len(ast.parse(join).body) == 5
    run(join, {})
    shown = re.findall(r"^\d\s+(\d+\.\d+)$", capsys.readouterr().out, re.MULTILINE)
    assert [float(value) for value in shown] == pytest.approx(means, abs=1e-5)


def test_the_lines_on_masks_give_the_differences_of_the_table(
    blocks: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import pathlib

    import pandas

    store = ResultsStore(tmp_path / "runs")
    row = row_with_masks(store, 0.01)
    (made,) = aggregate_experiment(store, write_experiment(store, [row]))
    assert made.row.mask_comparison is not None
    monkeypatch.chdir(tmp_path)
    (code,) = (block for block in blocks if "mask_quality" in block)
    run(code, {"pandas": pandas, "pathlib": pathlib})
    shown = dict(line.split()[:2] for line in capsys.readouterr().out.splitlines())
    for one in row["runs"]:
        expected = made.row.mask_comparison.folds[one["fold"]].difference
        assert float(shown[one["identity"]]) == pytest.approx(expected, abs=1e-12)


def run(code: str, names: dict[str, Any]) -> None:
    """Execute code of the document as a reader would."""
    exec(compile(code, "docs/results_on_disk", "exec"), names)


def test_the_data_frames_are_as_described(
    blocks: list[str], folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import pandas

    monkeypatch.chdir(folder)
    names: dict[str, Any] = {"pandas": pandas}
    run(blocks[1], names)
    assert "stage2" in capsys.readouterr().out
    for function in ("predictions", "scores", "curves"):
        assert len(names[function]("runs", NAME))


def test_the_notebook_runs_and_ends_with_the_numbers_of_the_table(
    root: Path, folder: Path, means: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    notebook = json.loads((root / "docs/results_on_disk.ipynb").read_text(encoding="utf-8"))
    cells = ["".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "code"]
    assert all(cell["outputs"] == [] for cell in notebook["cells"] if cell["cell_type"] == "code")
    names: dict[str, Any] = {}
    for cell in cells:
        run(cell, names)
    assert names["mean_of_folds"].tolist() == pytest.approx(means)
    assert names["confusions"].to_numpy().sum() == len(names["first"])
    assert names["hours"].gt(0).all()
