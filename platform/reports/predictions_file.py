"""All predictions of the rows of a table as one tidy file, CSV or Parquet.

One line an image (or sequence, if the method scores those) and row, in the order of the experiments, their
rows, the folds and the stored lines. Fold runs are read one after another, so memory does not grow with their
number.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from platform.aggregation.row_runs import FinishedRun, read_row_runs
from platform.errors import UserError
from platform.evaluation.predictions import SCORE_PREFIX, Predictions, from_bytes
from platform.files.large_file import large_file
from platform.tables.csv_text import csv_lines, csv_text

if TYPE_CHECKING:
    import numpy as np

    from platform.runs.store import ResultsStore

SUFFIXES = (".csv", ".parquet")
COLUMNS = {
    "experiment": "text",
    "row": "number",
    "method": "text",
    "title": "text",
    "variation": "text",
    "backbone": "text",
    "masks": "text",
    "unit": "text",
    "seed": "number",
    "repeat": "number",
    "dataset": "text",
    "fold": "number",
    "subject": "text",
    "sequence": "text",
    "image": "text",
    "true": "text",
    "predicted": "text",
    "correct": "truth",
}
"""Columns before the scores, and what they hold. `row` counts the rows of the experiment from 0."""
_OF_PREDICTIONS = ("dataset", "fold", "subject", "sequence", "image", "true", "predicted")
Labels = Mapping[str, Any]
"""The values of the columns that all lines of a fold run share."""
Write = Callable[[Labels, Predictions], None]


def check_suffix(path: Path) -> None:
    """UserError: the file's name says neither CSV nor Parquet."""
    if path.suffix.lower() not in SUFFIXES:
        raise UserError(
            f"predictions are written as {' or '.join(SUFFIXES)}, but --predictions is {path}; pass a name "
            "with one of these endings."
        )


def write_predictions(path: Path, store: ResultsStore, experiments: Sequence[Mapping[str, Any]]) -> int:
    """Write the predictions of all finished fold runs of the experiments' rows; returns the number of lines.

    experiments: contents of experiment.json. A class that a row cannot predict has no score in its lines.
    Replaces the file. UserError: another suffix, a file that cannot be written, a damaged fold run.
    """
    check_suffix(path)
    classes = class_names_of(store, experiments)
    written = 0
    as_csv = path.suffix.lower() == ".csv"
    with large_file(path) as file, (_csv if as_csv else _parquet)(file, classes) as write:
        for labels, run in _fold_runs(store, experiments):
            predictions = _read(store, run)
            write(labels, predictions)
            written += len(predictions)
    return written


def _fold_runs(
    store: ResultsStore, experiments: Sequence[Mapping[str, Any]]
) -> Iterator[tuple[Labels, FinishedRun]]:
    """The finished fold runs in the order of the file."""
    for experiment in experiments:
        for number, row in enumerate(experiment["rows"]):
            for run in read_row_runs(store, experiment, row).finished:
                yield _labels(experiment, number, row, run), run


def _labels(
    experiment: Mapping[str, Any], number: int, row: Mapping[str, Any], run: FinishedRun
) -> dict[str, Any]:
    return {
        "experiment": experiment["name"],
        "row": number,
        "method": row["method"],
        "title": row["title"],
        "variation": row.get("variation", ""),
        "backbone": run.record["config"].get("backbone", row["backbone"]),
        "masks": row["masks"],
        "unit": row.get("unit", "image"),
        "seed": run.record["seed"],
        "repeat": row.get("repeat", 0),
    }


def _read(store: ResultsStore, run: FinishedRun) -> Predictions:
    content = store.read("fold_runs", run.identity, "predictions.parquet", run.manifest)
    return from_bytes(content, f"fold run {run.identity}")


def class_names_of(store: ResultsStore, experiments: Sequence[Mapping[str, Any]]) -> list[str]:
    """The classes of all rows, sorted, from the first finished fold run of each: all folds of a row agree."""
    names: set[str] = set()
    seen: set[tuple[str, int]] = set()
    for labels, run in _fold_runs(store, experiments):
        row = (labels["experiment"], labels["row"])
        if row not in seen:
            seen.add(row)
            names.update(_read(store, run).class_names)
    return sorted(names)


def _columns(labels: Labels, predictions: Predictions) -> dict[str, Any]:
    """Column name to its values, or to the one value of all lines; without scores."""
    columns = {**labels, **{name: getattr(predictions, name) for name in _OF_PREDICTIONS}}
    return {name: columns[name] for name in COLUMNS if name != "correct"} | {"correct": predictions.correct}


def _scores(predictions: Predictions, classes: Sequence[str]) -> list[np.ndarray | None]:
    """The scores of each class, float32 (n,); None for one that the row cannot predict."""
    place = {name: number for number, name in enumerate(predictions.class_names)}
    return [predictions.scores[:, place[name]] if name in place else None for name in classes]


@contextmanager
def _csv(file: IO[bytes], classes: Sequence[str]) -> Iterator[Write]:
    header = [*COLUMNS, *(SCORE_PREFIX + name for name in classes)]
    file.write(csv_text(header, ()).encode())

    def write(labels: Labels, predictions: Predictions) -> None:
        count = len(predictions)
        cells = [
            [value] * count if isinstance(value, str | int) else value.tolist()
            for value in _columns(labels, predictions).values()
        ]
        # A float32's own shortest text: 0.7, not 0.699999988079071.
        scores = [
            [""] * count if one is None else one.astype(str).tolist() for one in _scores(predictions, classes)
        ]
        file.write(csv_lines(zip(*cells, *scores, strict=True)).encode())

    yield write


@contextmanager
def _parquet(file: IO[bytes], classes: Sequence[str]) -> Iterator[Write]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    kinds = {"text": pa.string(), "number": pa.int64(), "truth": pa.bool_()}
    fields = [pa.field(name, kinds[kind]) for name, kind in COLUMNS.items()]
    fields += [pa.field(SCORE_PREFIX + name, pa.float32()) for name in classes]
    schema = pa.schema(fields)
    texts = [name for name, kind in COLUMNS.items() if kind == "text" and name != "image"]

    def write(labels: Labels, predictions: Predictions) -> None:
        count = len(predictions)
        columns = [
            pa.array(
                [value] * count if isinstance(value, str | int) else value.tolist(), kinds[COLUMNS[name]]
            )
            for name, value in _columns(labels, predictions).items()
        ]
        scores = [
            pa.nulls(count, pa.float32()) if one is None else pa.array(one, pa.float32())
            for one in _scores(predictions, classes)
        ]
        parquet.write_table(pa.table([*columns, *scores], schema=schema))

    with pq.ParquetWriter(
        file, schema, compression="snappy", use_dictionary=texts, write_statistics=False
    ) as parquet:
        yield write
