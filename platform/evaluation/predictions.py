"""Stored predictions of fold runs: one row an evaluated image, with class names and all class scores."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from platform.errors import UserError

TEXT_COLUMNS = ("dataset", "subject", "sequence", "image", "true", "predicted")
SCORE_PREFIX = "score_"
_REPEATED = [name for name in TEXT_COLUMNS if name != "image"]
"""Columns with few distinct texts, stored as indices into a dictionary."""
_NAMED_IN_ERRORS = 5


@dataclass(frozen=True, kw_only=True, eq=False)
class Predictions:
    """n evaluated images of one data set or several, K classes. Columns have length n."""

    dataset: np.ndarray
    """str (n,): registry name of the data set the image is from."""
    fold: np.ndarray
    """int64 (n,): index of the fold that tested the image."""
    subject: np.ndarray
    """str (n,)"""
    sequence: np.ndarray
    """str (n,): unique in the data set."""
    image: np.ndarray
    """str (n,): unique in the data set."""
    true: np.ndarray
    """str (n,): the labelled class."""
    predicted: np.ndarray
    """str (n,): the predicted class."""
    scores: np.ndarray
    """float32 (n, K): softmax scores in [0, 1], columns in the order of `class_names`."""
    class_names: tuple[str, ...]
    """The K classes that the method can predict."""

    def __post_init__(self) -> None:
        count = len(self.image)
        for name in (*TEXT_COLUMNS, "fold"):
            if getattr(self, name).shape != (count,):
                raise ValueError(
                    f"column {name!r} must have shape ({count},), got {getattr(self, name).shape}"
                )
        if self.scores.shape != (count, len(self.class_names)):
            raise ValueError(f"scores must be ({count}, {len(self.class_names)}), got {self.scores.shape}")
        if self.scores.dtype != np.float32:
            raise ValueError(f"scores must be float32, got {self.scores.dtype}")
        if len(set(self.class_names)) != len(self.class_names):
            raise ValueError(f"class names must be unique, got {self.class_names}")

    def __len__(self) -> int:
        return len(self.image)

    @property
    def correct(self) -> np.ndarray:
        """bool (n,): whether the predicted class is the labelled one."""
        return self.true == self.predicted


def check(predictions: Predictions, where: str) -> None:
    """Raise UserError for unknown classes, images predicted twice, non-finite scores, and predicted classes
    without the highest score.

    where: a file, or a description of joined parts; opens the error message.
    """
    for column in ("true", "predicted"):
        unknown = sorted(set(getattr(predictions, column).tolist()) - set(predictions.class_names))
        if unknown:
            known = ", ".join(predictions.class_names)
            raise UserError(
                f"{where}: the {column} classes must be among the scored ones ({known}), but include "
                f"{', '.join(unknown)}; run the fold again."
            )
    doubled = _doubled_images(predictions)
    if doubled:
        raise UserError(
            f"{where}: an image must be predicted once, but {_some(doubled)} occurs more than once; "
            "the folds overlap or a fold was counted twice."
        )
    if not np.isfinite(predictions.scores).all():
        bad = predictions.image[~np.isfinite(predictions.scores).all(axis=1)]
        raise UserError(f"{where}: class scores must be finite, but those of {_some(bad.tolist())} are not.")
    outscored = predictions.image[~_has_highest_score(predictions)]
    if len(outscored):
        raise UserError(
            f"{where}: the predicted class must be the one with the highest score, but for "
            f"{_some(outscored.tolist())} it is not; run the fold again."
        )


def _has_highest_score(predictions: Predictions) -> np.ndarray:
    """bool (n,): whether the predicted class, which must be a scored one, has the highest score."""
    column_of_class = {name: column for column, name in enumerate(predictions.class_names)}
    columns = np.array([column_of_class[name] for name in predictions.predicted.tolist()], dtype=np.int64)
    of_predicted = np.take_along_axis(predictions.scores, columns[:, None], axis=1)[:, 0]
    highest: np.ndarray = predictions.scores.max(axis=1, initial=-np.inf)
    return of_predicted == highest


def _doubled_images(predictions: Predictions) -> list[str]:
    """Sorted names of images that occur more than once within their data set."""
    keys = list(zip(predictions.dataset.tolist(), predictions.image.tolist(), strict=True))
    if len(set(keys)) == len(keys):
        return []
    return sorted({image for (_, image), count in Counter(keys).items() if count > 1})


def _some(names: Sequence[str]) -> str:
    shown = ", ".join(names[:_NAMED_IN_ERRORS])
    more = len(names) - _NAMED_IN_ERRORS
    return f"{shown} and {more} more" if more > 0 else shown


def to_bytes(
    predictions: Predictions, where: str = "predictions", facts: Mapping[str, str] | None = None
) -> bytes:
    """`predictions` as a Parquet file's contents, after `check`; equal predictions give equal bytes.

    facts: stored in the file's metadata, for those who meet the file without its record.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    check(predictions, where)
    columns: dict[str, pa.Array] = {"dataset": pa.array(predictions.dataset.tolist(), pa.string())}
    columns["fold"] = pa.array(predictions.fold, pa.int64())
    for name in TEXT_COLUMNS[1:]:
        columns[name] = pa.array(getattr(predictions, name).tolist(), pa.string())
    for index, name in enumerate(predictions.class_names):
        columns[SCORE_PREFIX + name] = pa.array(predictions.scores[:, index], pa.float32())
    table = pa.table(columns).replace_schema_metadata(dict(facts) if facts else None)
    sink = pa.BufferOutputStream()
    # For a few hundred rows, snappy reads four times faster than zstd, and files are no larger.
    pq.write_table(table, sink, compression="snappy", use_dictionary=_REPEATED, write_statistics=False)
    content: bytes = sink.getvalue().to_pybytes()
    return content


def counts_in(content: bytes, where: str) -> dict[str, tuple[int, int]]:
    """Each subject's correct images and images in the output of `to_bytes`, in the order of its rows.

    For content that is known to be unchanged since `to_bytes` checked it: reads three columns and checks no
    other. UserError as `from_bytes` where these are absent or empty.
    """
    names = ("subject", "true", "predicted")
    columns = _columns(content, where, names)
    lacking = [name for name in names if name not in columns or columns[name].null_count]
    if lacking:
        raise UserError(f"{where}: predictions must have the column {lacking[0]}; run the fold again.")
    counts: dict[str, tuple[int, int]] = {}
    for subject, true, predicted in zip(*(columns[name].to_pylist() for name in names), strict=True):
        right, total = counts.get(subject, (0, 0))
        counts[subject] = (right + (true == predicted), total + 1)
    return counts


def _columns(content: bytes, where: str, names: Sequence[str] | None = None) -> dict[str, Any]:
    """The columns of a Parquet file, or those of these names that it has."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        # ParquetFile, because read_table imports pyarrow's data set layer, which takes 0.3 s.
        # One thread, because distributing the columns of a small file takes longer than reading them.
        wanted = None if names is None else list(names)
        table = pq.ParquetFile(pa.BufferReader(content)).read(wanted, use_threads=False)
    except (OSError, pa.ArrowException) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise UserError(
            f"{where}: predictions must be a Parquet file, but reading failed ({reason})."
        ) from error
    return dict(zip(table.column_names, table.columns, strict=True))


def from_bytes(content: bytes, where: str) -> Predictions:
    """Read and check the output of `to_bytes`. Raises UserError that opens with `where`."""
    columns = _columns(content, where)
    missing = [name for name in (*TEXT_COLUMNS, "fold") if name not in columns]
    class_names = tuple(name.removeprefix(SCORE_PREFIX) for name in columns if name.startswith(SCORE_PREFIX))
    if missing or not class_names:
        wanted = ", ".join(missing or [SCORE_PREFIX + "<class>"])
        raise UserError(f"{where}: predictions must have the column {wanted}; run the fold again.")
    with_nulls = [name for name, column in columns.items() if column.null_count]
    if with_nulls:
        raise UserError(
            f"{where}: predictions must have no empty cells, but {', '.join(with_nulls)} has some."
        )
    # from_dlpack, because to_numpy() would import pandas.
    numbers = {
        name: np.from_dlpack(columns[name].combine_chunks())
        for name in ("fold", *(SCORE_PREFIX + name for name in class_names))
    }
    predictions = Predictions(
        **{name: np.array(columns[name].to_pylist(), dtype=str) for name in TEXT_COLUMNS},
        fold=numbers.pop("fold").astype(np.int64),
        scores=np.stack(list(numbers.values()), axis=1).astype(np.float32),
        class_names=class_names,
    )
    check(predictions, where)
    return predictions


def concatenate(parts: Sequence[Predictions]) -> Predictions:
    """Concatenate the predictions of several folds. UserError for duplicate images or different classes."""
    if not parts:
        raise ValueError("concatenate needs at least one part")
    class_names = parts[0].class_names
    for part in parts[1:]:
        if part.class_names != class_names:
            raise UserError(
                f"predictions can only be concatenated over equal classes, but got {', '.join(class_names)} "
                f"and {', '.join(part.class_names)}; run the folds with one prepared data set."
            )
    joined = Predictions(
        **{
            name: np.concatenate([getattr(part, name) for part in parts])
            for name in (*TEXT_COLUMNS, "fold", "scores")
        },
        class_names=class_names,
    )
    check(joined, f"{len(parts)} folds joined")
    return joined
