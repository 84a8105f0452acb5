from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from platform.errors import UserError
from platform.evaluation.measured_values import MeasuredValues, file_name, from_bytes, to_bytes

VALUES = MeasuredValues(
    fold=np.full(3, 2),
    subject=np.array(["S1", "S1", "Sé"]),
    image=np.array(["a", "b", "c"]),
    true=np.array(["fear", "anger", "fear"]),
    values={"error": np.array([0.1, 1e-300, 1 / 3]), "constant": np.full(3, 0.04)},
)


def rewritten(**columns: Any) -> bytes:
    """The file with other columns; None leaves one out."""
    table = pq.ParquetFile(pa.BufferReader(to_bytes(VALUES))).read()
    found = {name: table[name] for name in table.column_names} | columns
    sink = pa.BufferOutputStream()
    pq.write_table(pa.table({name: one for name, one in found.items() if one is not None}), sink)
    content: bytes = sink.getvalue().to_pybytes()
    return content


def test_all_numbers_come_back_bit_for_bit() -> None:
    content = to_bytes(VALUES, {"fold": "2"})
    found = from_bytes(content, "x")
    for name in ("fold", "subject", "image", "true"):
        np.testing.assert_array_equal(getattr(found, name), getattr(VALUES, name))
    assert list(found.values) == ["error", "constant"]
    for name, values in VALUES.values.items():
        np.testing.assert_array_equal(found.values[name], values)
    assert to_bytes(VALUES, {"fold": "2"}) == content
    assert file_name("mask_quality") == "mask_quality.parquet"


def test_a_column_that_is_the_same_for_all_takes_a_few_bytes() -> None:
    count = 20_000
    many = MeasuredValues(
        fold=np.zeros(count, dtype=np.int64),
        subject=np.full(count, "S1"),
        image=np.full(count, "a"),
        true=np.full(count, "fear"),
        values={"constant": np.full(count, 0.1234)},
    )
    assert len(to_bytes(many)) < 8 * count / 2


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"true": None}, "must have the column true"),
        ({"error": pa.array([0.1, None, 0.3])}, "column error must be double without empty cells"),
        ({"error": pa.array([1, 2, 3])}, "column error must be double"),
        ({"error": pa.array([0.1, float("inf"), 0.3])}, "error must be finite"),
        ({"fold": pa.array(["0", "1", "2"])}, "column fold must be int64"),
    ],
)
def test_a_file_of_another_form_is_refused_with_its_place(columns: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError, match=f"^somewhere: .*{message}"):
        from_bytes(rewritten(**columns), "somewhere")


def test_what_is_no_parquet_file_is_refused() -> None:
    with pytest.raises(UserError, match="must be a Parquet file"):
        from_bytes(b"PAR1", "x")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"true": np.array(["fear"])}, r"'true' must have shape \(3,\)"),
        ({"values": {"error": np.zeros(2)}}, r"'error' must have shape \(3,\)"),
        ({"values": {"image": np.zeros(3)}}, "cannot be named image"),
    ],
)
def test_columns_that_do_not_fit_are_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        dataclasses.replace(VALUES, **change)
