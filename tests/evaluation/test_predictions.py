from __future__ import annotations

import dataclasses
import io
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from platform.errors import UserError
from platform.evaluation.predictions import (
    TEXT_COLUMNS,
    Predictions,
    concatenate,
    counts_in,
    from_bytes,
    to_bytes,
)
from platform.files.opening import read_bytes

CLASSES = ("anger", "fear")


def write_parquet(predictions: Predictions, path: Path) -> None:
    path.write_bytes(to_bytes(predictions, str(path)))


def read_parquet(path: Path) -> Predictions:
    return from_bytes(read_bytes(path), str(path))


def some_predictions(images: tuple[str, ...] = ("a_1", "a_2", "b_1"), fold: int = 0) -> Predictions:
    count = len(images)
    predicted = np.array((["anger", "fear"] * count)[:count])
    return Predictions(
        dataset=np.array(["synthetic"] * count),
        fold=np.full(count, fold, dtype=np.int64),
        subject=np.array([image[0] for image in images]),
        sequence=np.array([image[0] + "_seq" for image in images]),
        image=np.array(images),
        true=np.array(["anger"] * count),
        predicted=predicted,
        scores=np.where(predicted[:, None] == np.array(CLASSES), 0.75, 0.25).astype(np.float32),
        class_names=CLASSES,
    )


def test_what_was_written_is_read_back_exactly(tmp_path: Path) -> None:
    written = some_predictions()
    write_parquet(written, tmp_path / "p.parquet")
    read = read_parquet(tmp_path / "p.parquet")
    assert read.class_names == CLASSES
    assert read.scores.dtype == np.float32
    assert read.fold.dtype == np.int64
    for name in (*TEXT_COLUMNS, "fold", "scores"):
        np.testing.assert_array_equal(getattr(read, name), getattr(written, name))


def test_columns_are_those_of_the_contract_and_bytes_repeat(tmp_path: Path) -> None:
    import pyarrow.parquet as pq

    write_parquet(some_predictions(), tmp_path / "one.parquet")
    write_parquet(some_predictions(), tmp_path / "two.parquet")
    assert (tmp_path / "one.parquet").read_bytes() == (tmp_path / "two.parquet").read_bytes()
    assert pq.ParquetFile(tmp_path / "one.parquet").schema_arrow.names == [
        "dataset", "fold", "subject", "sequence", "image", "true", "predicted", "score_anger", "score_fear",
    ]  # fmt: skip


@pytest.mark.parametrize("column", ["true", "predicted"])
def test_an_unknown_class_is_named(tmp_path: Path, column: str) -> None:
    wrong = dataclasses.replace(some_predictions(), **{column: np.array(["anger", "joy", "fear"])})
    with pytest.raises(UserError, match=f"p.parquet.*{column} classes.*anger, fear.*joy"):
        write_parquet(wrong, tmp_path / "p.parquet")
    assert not (tmp_path / "p.parquet").exists()


def test_a_doubled_image_is_named() -> None:
    with pytest.raises(UserError, match=r"predicted once.*a_2"):
        concatenate([some_predictions(("a_1", "a_2")), some_predictions(("a_2", "b_1"), fold=1)])


def test_one_image_name_in_two_data_sets_is_no_duplicate() -> None:
    other = dataclasses.replace(some_predictions(), dataset=np.array(["mmi"] * 3))
    assert len(concatenate([some_predictions(), other])) == 6


def test_scores_that_are_no_numbers_are_refused() -> None:
    scores = np.array([[0.5, 0.5], [np.nan, 0.5], [1, 0]], dtype=np.float32)
    with pytest.raises(UserError, match=r"finite.*a_2"):
        concatenate([dataclasses.replace(some_predictions(), scores=scores)])


def test_a_predicted_class_that_another_one_outscores_is_refused(tmp_path: Path) -> None:
    wrong = dataclasses.replace(some_predictions(), predicted=np.array(["anger", "fear", "fear"]))
    with pytest.raises(UserError, match=r"p.parquet: the predicted class must be .* but for b_1 it is not"):
        write_parquet(wrong, tmp_path / "p.parquet")
    even = np.full((3, 2), 0.5, dtype=np.float32)
    write_parquet(dataclasses.replace(wrong, scores=even), tmp_path / "p.parquet")


def test_folds_with_other_classes_are_not_joined() -> None:
    other = dataclasses.replace(some_predictions(("c_1",), fold=1), class_names=("anger", "sadness"))
    with pytest.raises(UserError, match="equal classes"):
        concatenate([some_predictions(), other])


def test_a_file_that_is_no_parquet_is_named(tmp_path: Path) -> None:
    (tmp_path / "p.parquet").write_bytes(b"PAR1 but not really")
    with pytest.raises(UserError, match=r"p\.parquet: predictions must be a Parquet file"):
        read_parquet(tmp_path / "p.parquet")
    with pytest.raises(UserError, match=r"missing.parquet"):
        read_parquet(tmp_path / "missing.parquet")


def test_a_missing_column_is_named(tmp_path: Path) -> None:
    import pyarrow.parquet as pq

    write_parquet(some_predictions(), tmp_path / "p.parquet")
    pq.write_table(
        pq.ParquetFile(tmp_path / "p.parquet").read().drop_columns(["subject"]), tmp_path / "q.parquet"
    )
    with pytest.raises(UserError, match=r"q.parquet: predictions must have the column subject"):
        read_parquet(tmp_path / "q.parquet")


@pytest.mark.parametrize(
    "change",
    [
        {"image": np.array(["a"])},
        {"scores": np.zeros((3, 1), dtype=np.float32)},
        {"scores": np.zeros((3, 2))},
        {"class_names": ("anger", "anger")},
    ],
)
def test_columns_that_do_not_fit_are_a_programming_error(change: dict[str, object]) -> None:
    with pytest.raises(ValueError):
        dataclasses.replace(some_predictions(), **change)


def test_each_subject_is_counted_from_three_columns_alone() -> None:
    content = to_bytes(some_predictions(("a_1", "a_2", "b_1")))
    assert counts_in(content, "it") == {"a": (1, 2), "b": (1, 1)}
    with pytest.raises(UserError, match="it: predictions must be a Parquet file"):
        counts_in(b"none", "it")
    sink = io.BytesIO()
    pq.write_table(pa.table({"subject": ["a"], "true": ["anger"]}), sink)
    with pytest.raises(UserError, match="it: predictions must have the column predicted"):
        counts_in(sink.getvalue(), "it")


def test_facts_stand_in_the_files_metadata_and_change_nothing_else() -> None:
    import io

    import pyarrow.parquet as pq

    content = to_bytes(some_predictions(), "here", {"method": "fmpn", "seed": "0", "role": "final"})
    metadata = pq.ParquetFile(io.BytesIO(content)).schema_arrow.metadata
    assert metadata == {b"method": b"fmpn", b"seed": b"0", b"role": b"final"}
    assert from_bytes(content, "here").predicted.tolist() == some_predictions().predicted.tolist()
    assert pq.ParquetFile(io.BytesIO(to_bytes(some_predictions()))).schema_arrow.metadata is None
