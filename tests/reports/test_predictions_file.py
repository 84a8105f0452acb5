from __future__ import annotations

import csv
import dataclasses
import io
from pathlib import Path
from typing import Any

import numpy as np
import pandas
import pytest

from platform.errors import UserError
from platform.evaluation.predictions import Predictions
from platform.reports import predictions_file
from platform.reports.predictions_file import COLUMNS, check_suffix, write_predictions
from platform.runs.store import ResultsStore
from tests.fake_runs import (
    CLASSES,
    demo_experiment,
    fake_predictions,
    write_experiment,
    write_fold_run,
    write_row,
)

HEADER = [*COLUMNS, *(f"score_{name}" for name in CLASSES)]
IMAGES = 63
"""Of one fold."""


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> tuple[ResultsStore, list[dict[str, Any]]]:
    store, first = demo_experiment(tmp_path_factory.mktemp("runs"))
    row = write_row(store, "pairs", "=Pairs", 0.5, seed=3, folds=2, unit="sequence", repeat=1, variation="v")
    return store, [first, write_experiment(store, [row], name="second")]


def written(path: Path, stored: tuple[ResultsStore, list[dict[str, Any]]]) -> pandas.DataFrame:
    count = write_predictions(path, *stored)
    read = pandas.read_csv if path.suffix == ".csv" else pandas.read_parquet
    frame = read(path)
    assert len(frame) == count
    return frame


@pytest.mark.parametrize("name", ["p.csv", "p.parquet", "p.CSV"])
def test_one_line_an_image_and_row_in_the_order_of_rows_and_folds(
    tmp_path: Path, stored: tuple[ResultsStore, list[dict[str, Any]]], name: str
) -> None:
    path = tmp_path / name
    assert write_predictions(path, *stored) == 3 * 3 * IMAGES + IMAGES + 2 * 21
    frame = pandas.read_csv(path) if name != "p.parquet" else pandas.read_parquet(path)
    assert list(frame.columns) == HEADER
    keys = frame[["experiment", "row", "fold"]].drop_duplicates().to_numpy().tolist()
    assert keys[:4] == [["tune-synthetic-quick", 0, 0], ["tune-synthetic-quick", 0, 1],
                        ["tune-synthetic-quick", 0, 2], ["tune-synthetic-quick", 1, 0]]  # fmt: skip
    assert keys[-2:] == [["second", 0, 0], ["second", 0, 1]]
    assert (frame.correct == (frame.true == frame.predicted)).all()
    first = fake_predictions(0.85, 0)
    lines = frame[(frame.experiment == "tune-synthetic-quick") & (frame.row == 0) & (frame.fold == 0)]
    assert lines.image.tolist() == first.image.tolist()
    scores = lines[[f"score_{one}" for one in CLASSES]].to_numpy().astype(np.float32)
    np.testing.assert_array_equal(scores, first.scores)
    last = frame.iloc[-1]
    assert (last.unit, last["repeat"], last.variation, last.method) == ("sequence", 1, "v", "pairs")
    assert last.image == last.sequence


def test_both_formats_hold_the_same(
    tmp_path: Path, stored: tuple[ResultsStore, list[dict[str, Any]]]
) -> None:
    first, second = (written(tmp_path / f"p.{suffix}", stored) for suffix in ("csv", "parquet"))
    first = first.fillna({"variation": ""})
    first["title"] = first["title"].str.removeprefix("'")
    assert first.drop(columns=[c for c in HEADER if c.startswith("score_")]).equals(
        second.drop(columns=[c for c in HEADER if c.startswith("score_")])
    )


def test_equal_results_give_equal_bytes_and_replace_the_file(
    tmp_path: Path, stored: tuple[ResultsStore, list[dict[str, Any]]]
) -> None:
    for suffix in ("csv", "parquet"):
        path = tmp_path / f"p.{suffix}"
        write_predictions(path, *stored)
        before = path.read_bytes()
        path.write_text("something else")
        write_predictions(path, *stored)
        assert path.read_bytes() == before


def test_what_a_spreadsheet_would_run_is_text(
    tmp_path: Path, stored: tuple[ResultsStore, list[dict[str, Any]]]
) -> None:
    write_predictions(tmp_path / "p.csv", *stored)
    lines = list(csv.DictReader(io.StringIO((tmp_path / "p.csv").read_text())))
    assert lines[-1]["title"] == "'=Pairs"
    assert {line["score_anger"] for line in lines[:IMAGES]} == {"0.7", "0.05"}  # as short as a float32 is


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_a_class_that_a_row_cannot_predict_has_no_score(tmp_path: Path, suffix: str) -> None:
    store = ResultsStore(tmp_path / "runs")
    fold = fake_predictions(1.0, 0)
    anger = np.isin(fold.true, CLASSES[:6])
    columns = ("dataset", "fold", "subject", "sequence", "image", "true", "predicted")
    fewer = dataclasses.replace(
        fold,
        **{name: getattr(fold, name)[anger] for name in columns},
        scores=fold.scores[anger, :6],
        class_names=CLASSES[:6],
    )
    runs = [{"fold": 0, "identity": write_fold_run(store, fewer)}]
    rows = [write_row(store, folds=1), write_row(store, folds=1) | {"runs": runs}]
    experiment = write_experiment(store, rows)
    frame = written(tmp_path / f"p.{suffix}", (store, [experiment]))
    assert frame.groupby("row").score_surprise.count().tolist() == [IMAGES, 0]


def test_each_fold_run_is_written_before_the_next_one_is_read(
    tmp_path: Path, stored: tuple[ResultsStore, list[dict[str, Any]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    real, sizes = predictions_file.from_bytes, []

    def watched(content: bytes, where: str) -> Predictions:
        (partial,) = tmp_path.glob(".p.csv.*") if sizes else [None]
        sizes.append(partial.stat().st_size if partial else 0)
        return real(content, where)

    classes = predictions_file.class_names_of(*stored)
    monkeypatch.setattr(predictions_file, "class_names_of", lambda *given: classes)
    monkeypatch.setattr(predictions_file, "from_bytes", watched)
    write_predictions(tmp_path / "p.csv", *stored)
    assert len(sizes) == 12
    assert sizes == sorted(sizes)
    assert sizes[-1] > sizes[1]


def test_incomplete_rows_give_what_is_finished(tmp_path: Path) -> None:
    store = ResultsStore(tmp_path / "runs")
    row = write_row(store, folds=2)
    row["runs"].pop()
    assert len(written(tmp_path / "p.csv", (store, [write_experiment(store, [row])]))) == IMAGES


def test_another_suffix_is_refused() -> None:
    with pytest.raises(UserError, match=r"written as \.csv or \.parquet, but --predictions is p\.xlsx"):
        check_suffix(Path("p.xlsx"))


def test_a_place_that_cannot_be_written_is_one_error(
    tmp_path: Path, stored: tuple[ResultsStore, list[dict[str, Any]]]
) -> None:
    (tmp_path / "file").write_text("in the way")
    for suffix in ("csv", "parquet"):
        with pytest.raises(UserError, match="cannot write"):
            write_predictions(tmp_path / "file" / f"p.{suffix}", *stored)
