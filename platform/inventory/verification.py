"""Verification of a bundle: its hashes, and its table recomputed from its predictions."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from platform.aggregation.aggregate import aggregate_row
from platform.aggregation.mask_errors import FILE as MASK_ERRORS
from platform.errors import UserError
from platform.experiments.experiment_file import EXPERIMENT_FILE, verified_experiment
from platform.files.json_files import parse_json
from platform.files.opening import read_bytes
from platform.files.stored_zip import LARGEST_BYTES, read_stored_zip
from platform.inventory.bundle import (
    ALLOWED,
    CONTENTS_FILE,
    FORMAT,
    TABLE_FILE,
    VERSION,
    hashes,
    needed_runs,
)
from platform.inventory.bundle_storage import BundleStorage
from platform.runs.identity import identity as identity_of
from platform.runs.store import ResultsStore
from platform.tables.render import render
from platform.tables.table import Table, build_table

SHOWN = 3
MOST_PREDICTIONS = 5_000_000
"""Of one fold run: AffectNet has 450,000 labelled images."""
MOST_BYTES_OF_PREDICTIONS = 2**30


@dataclass(frozen=True, kw_only=True)
class Verified:
    """A bundle whose hashes are right and whose table follows from its predictions."""

    experiment: str
    table: Table
    """Recomputed."""
    fold_runs: int
    predictions: int
    """Of all rows."""
    sha256: str
    """Of the whole file: compare it with the one that was published."""


def verify_bundle(path: Path) -> Verified:
    """Recompute hashes and table. UserError: no bundle, or it was changed, with what differs."""
    files, damaged = read_stored_zip(path, ALLOWED)
    contents = _contents(path, files)
    others = {name: content for name, content in files.items() if name != CONTENTS_FILE}
    differing = _differing_files(contents["sha256"], others, damaged)
    if differing:
        raise _changed(path, differing)
    store = ResultsStore(path, BundleStorage(path.absolute(), files))
    where = f"experiments/{contents['experiment']}/{EXPERIMENT_FILE}"
    experiment = verified_experiment(_json(files, where, path), f"{where} of {path}")
    runs = sorted(set(needed_runs(experiment)))
    of_rows = {run["identity"] for row in experiment["rows"] for run in row["runs"]}
    for identity in runs:
        _check_run(store, identity, path, identity in of_rows)
    table, predictions = _recomputed(store, experiment, path)
    stated, found = _json(files, TABLE_FILE, path), parse_json(render(table, "json"), TABLE_FILE)
    different = list(_differences(stated, found))
    if different:
        raise _changed(path, different)
    return Verified(
        experiment=str(experiment["name"]),
        table=table,
        fold_runs=len(runs),
        predictions=predictions,
        sha256=hashlib.sha256(read_bytes(path, largest_bytes=LARGEST_BYTES)).hexdigest(),
    )


def _recomputed(store: ResultsStore, experiment: Mapping[str, Any], path: Path) -> tuple[Table, int]:
    """The table and its number of predictions. UserError as `aggregate_row`, and for anything that no
    experiment of ours contains."""
    try:
        aggregated = [aggregate_row(store, experiment, row) for row in experiment["rows"]]
        table = build_table(aggregated)
        return table, sum(row.row.scores.image_count for row in aggregated if row.row.scores)
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        raise UserError(f"{path}: its table cannot be computed ({error!r}); get the bundle again.") from error


def _contents(path: Path, files: Mapping[str, bytes]) -> dict[str, Any]:
    contents = _json(files, CONTENTS_FILE, path)
    stated = contents.get("sha256")
    sound = isinstance(contents.get("experiment"), str) and isinstance(stated, dict)
    if contents.get("format") != FORMAT or not sound:
        raise UserError(f"{path} is no bundle of an experiment: its {CONTENTS_FILE} is of another kind.")
    if contents.get("version") != VERSION:
        raise UserError(
            f"{path} is a bundle of version {contents.get('version')!r}, but this program reads version "
            f"{VERSION}; verify it with the program that made it."
        )
    return contents


def _json(files: Mapping[str, bytes], name: str, path: Path) -> dict[str, Any]:
    if name not in files:
        raise UserError(f"{path} is no bundle of an experiment: it has no {name}.")
    value = parse_json(files[name], f"{name} of {path}", remedy="get the bundle again.")
    if not isinstance(value, dict):
        raise UserError(f"{path} is no bundle of an experiment: its {name} is no JSON object.")
    return value


def _differing_files(
    stated: Mapping[str, Any], files: Mapping[str, bytes], damaged: tuple[str, ...]
) -> list[str]:
    actual = hashes(files)
    return [
        *(f"{name} was changed" for name in damaged),
        *(
            f"{name} was changed"
            for name in sorted(actual)
            if name in stated and stated[name] != actual[name]
        ),
        *(f"{name} is missing" for name in sorted(stated) if name not in (*actual, *damaged)),
        *(f"{name} was added" for name in actual if name not in stated),
    ]


def _check_run(store: ResultsStore, identity: str, path: Path, of_a_row: bool) -> None:
    """UserError: a run is missing, its record is not the one that it is named after, or too much to read."""
    manifest = store.manifest("fold_runs", identity)
    if manifest is None:
        raise _changed(path, [f"fold run {identity} is missing"])
    if identity_of(store.record("fold_runs", identity)) != identity:
        raise _changed(path, [f"the record of fold run {identity} has another identity"])
    for name in ("predictions.parquet", MASK_ERRORS):
        # Of a run that chose, a bundle has no errors of masks.
        if name != MASK_ERRORS or (name in manifest["sha256"] and of_a_row):
            _check_size(store.read("fold_runs", identity, name, manifest), identity, path)


def _check_size(content: bytes, identity: str, path: Path) -> None:
    """UserError for predictions, or errors of masks, that would fill the memory: Parquet can hold a million
    equal lines in a few bytes."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        facts = pq.ParquetFile(io.BytesIO(content)).metadata
    except (OSError, pa.ArrowException) as error:
        raise _changed(path, [f"the predictions of fold run {identity} cannot be read"]) from error
    unpacked = sum(facts.row_group(number).total_byte_size for number in range(facts.num_row_groups))
    if facts.num_rows > MOST_PREDICTIONS or unpacked > MOST_BYTES_OF_PREDICTIONS:
        raise UserError(
            f"{path}: the predictions of fold run {identity} have {facts.num_rows:,} lines and {unpacked:,} "
            f"bytes, but at most {MOST_PREDICTIONS:,} and {MOST_BYTES_OF_PREDICTIONS:,} are read."
        )


def _differences(stated: Mapping[str, Any], found: Mapping[str, Any]) -> Iterator[str]:
    """Where the stored table differs from the recomputed one, in keys that both have: a later version may
    have further columns, but no other numbers."""
    theirs, ours = _rows_of(stated), _rows_of(found)
    if len(theirs) != len(ours):
        yield f"its table has {len(theirs)} rows, but its predictions give {len(ours)}"
        return
    for one, other in zip(theirs, ours, strict=True):
        for key in (key for key in other if key in one):
            if one[key] != other[key]:
                row = f"{other.get('title')} on {other.get('dataset')}"
                yield f"its table states {key} {one[key]!r} for {row}, its predictions give {other[key]!r}"


def _rows_of(table: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    try:
        return [dict(row) for section in table["sections"] for row in section["rows"]]
    except (KeyError, TypeError, ValueError) as error:
        raise UserError(
            f"the table in the bundle has another form ({error!r}); get the bundle again."
        ) from error


def _changed(path: Path, differing: list[str]) -> UserError:
    shown = "; ".join(differing[:SHOWN])
    more = f"; and {len(differing) - SHOWN} more" if len(differing) > SHOWN else ""
    return UserError(f"{path} was changed after it was made: {shown}{more}. Get it again from its source.")
