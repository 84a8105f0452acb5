"""Stored numbers of the scored images of a fold run: what a fact in its manifest was computed from.

One file a fact, beside the predictions and with the same lines: fold, subject, image and true class say which
face a line is of, the other columns are the method's (`platform.models.fitted.Measured`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from platform.errors import UserError

WHICH = ("subject", "image", "true")
"""Columns of text that say, with `fold`, which face a line is of."""


@dataclass(frozen=True, kw_only=True, eq=False)
class MeasuredValues:
    """n scored images, or sequences of a method that scores those. Columns have length n."""

    fold: np.ndarray
    """int64 (n,): index of the fold that tested the image."""
    subject: np.ndarray
    """str (n,)"""
    image: np.ndarray
    """str (n,): unique in the data set."""
    true: np.ndarray
    """str (n,): the labelled class."""
    values: Mapping[str, np.ndarray]
    """Column to float64 (n,), finite."""

    def __post_init__(self) -> None:
        count = len(self.image)
        named = {name: getattr(self, name) for name in ("fold", *WHICH)} | dict(self.values)
        for name, column in named.items():
            if column.shape != (count,):
                raise ValueError(f"column {name!r} must have shape ({count},), got {column.shape}")
        taken = sorted(set(self.values) & {"fold", *WHICH})
        if taken:
            raise ValueError(f"a method's column cannot be named {', '.join(taken)}")

    def __len__(self) -> int:
        return len(self.image)


def file_name(fact: str) -> str:
    """Name of the file of that fact in the fold run's folder."""
    return f"{fact}.parquet"


def to_bytes(measured: MeasuredValues, facts: Mapping[str, str] | None = None) -> bytes:
    """The contents of a Parquet file; equal numbers give equal bytes.

    facts: stored in the file's metadata, for those who meet the file without its record.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    columns: dict[str, pa.Array] = {"fold": pa.array(measured.fold, pa.int64())}
    for name in WHICH:
        columns[name] = pa.array(getattr(measured, name).tolist(), pa.string())
    for name, values in measured.values.items():
        columns[name] = pa.array(values, pa.float64())
    repeated = ["subject", "true", *(name for name, one in measured.values.items() if _is_constant(one))]
    table = pa.table(columns).replace_schema_metadata(dict(facts) if facts else None)
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, compression="snappy", use_dictionary=repeated, write_statistics=False)
    content: bytes = sink.getvalue().to_pybytes()
    return content


def _is_constant(values: np.ndarray) -> bool:
    """Whether a dictionary stores the column in a few bytes."""
    return bool(len(values)) and bool((values == values[0]).all())


def from_bytes(content: bytes, where: str) -> MeasuredValues:
    """Read and check the output of `to_bytes`. Raises UserError that opens with `where`."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        # As predictions are read: one thread, and without pyarrow's data set layer.
        table = pq.ParquetFile(pa.BufferReader(content)).read(use_threads=False)
    except (OSError, pa.ArrowException) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise UserError(f"{where}: it must be a Parquet file, but reading failed ({reason}).") from error
    columns = dict(zip(table.column_names, table.columns, strict=True))
    missing = [name for name in ("fold", *WHICH) if name not in columns]
    if missing:
        raise UserError(f"{where}: it must have the column {', '.join(missing)}; run the fold again.")
    for name, column in columns.items():
        wanted = pa.string() if name in WHICH else pa.int64() if name == "fold" else pa.float64()
        if column.type != wanted or column.null_count:
            raise UserError(
                f"{where}: the column {name} must be {wanted} without empty cells, but is {column.type} with "
                f"{column.null_count}; run the fold again."
            )
    numbers = {
        name: np.from_dlpack(column.combine_chunks()) for name, column in columns.items() if name not in WHICH
    }
    infinite = [name for name, values in numbers.items() if not np.isfinite(values).all()]
    if infinite:
        raise UserError(f"{where}: {', '.join(infinite)} must be finite; run the fold again.")
    texts = {name: np.array(columns[name].to_pylist(), dtype=str) for name in WHICH}
    return MeasuredValues(fold=numbers.pop("fold"), **texts, values=numbers)
