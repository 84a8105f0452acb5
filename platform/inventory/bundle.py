"""A bundle: one file with all that the table of an experiment is computed from, and no face.

It holds experiment.json, settings and folds, and of each fold run that the table needs the predictions, the
record and the manifest, whose hashes bind them together. Weights, pictures and curves stay. Equal
experiments give equal bytes.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from platform.aggregation.aggregate import aggregate_experiment
from platform.aggregation.mask_errors import FILE as MASK_ERRORS
from platform.aggregation.selection_score import winners_only
from platform.experiments.experiment_file import EXPERIMENT_FILE, read_experiment
from platform.experiments.winner_file import winner_files
from platform.files.opening import read_bytes
from platform.files.stored_zip import stored_zip
from platform.inventory.protection import FOLDS_FILE
from platform.inventory.runs_folder import SETTINGS_FILE, experiment_folder
from platform.runs.store import ResultsStore
from platform.tables.render import render
from platform.tables.table import build_table

FORMAT, VERSION = "experiment-bundle", 1
CONTENTS_FILE, TABLE_FILE, SCREEN_FILE, README_FILE = "bundle.json", "table.json", "table.txt", "README.txt"
OF_A_RUN = ("manifest.json", "record.json", "predictions.parquet")
"""Files of a fold run that a bundle holds; with MASK_ERRORS, where a row's fold run has it."""
ALLOWED = re.compile(
    r"(bundle\.json|table\.json|table\.txt|README\.txt"
    r"|experiments/[A-Za-z0-9][A-Za-z0-9._-]{0,199}/[A-Za-z0-9][A-Za-z0-9._-]{0,199}"
    r"|fold_runs/[0-9a-f]{8,64}/(manifest\.json|record\.json|predictions\.parquet|mask_quality\.parquet))"
)
"""Names of files in a bundle; none leads out of a folder."""
README = """\
Results of one experiment: everything that its table is computed from, and no image of a face.

table.txt, table.json             the table
experiments/NAME/                 rows, settings, folds
fold_runs/IDENTITY/               of each fold run: what ran (record.json), what it predicted for every test
                                  image (predictions.parquet), how far its predicted masks are from the
                                  class masks (mask_quality.parquet, of methods that predict masks), and the
                                  SHA-256 of all three (manifest.json)
bundle.json                       the SHA-256 of every other file

To check the hashes and to recompute the table: python -m platform.runs verify FILE

Without that program: the accuracy of a row is the mean over its fold runs, which are listed in
experiment.json, of the share of lines of predictions.parquet in which `true` and `predicted` are equal.
An identity is the first 24 digits of the SHA-256 of record.json.
"""


def bundle_of(store: ResultsStore, name: str) -> bytes:
    """The bundle of a complete experiment. UserError: unknown, incomplete or damaged."""
    folder = experiment_folder(store, name)
    experiment = read_experiment(store, name)
    table = build_table(aggregate_experiment(store, experiment))
    files = {
        TABLE_FILE: render(table, "json").encode(),
        SCREEN_FILE: render(table, "screen").encode(),
        README_FILE: README.encode(),
    }
    for path in _texts(folder):
        files[f"experiments/{name}/{path.name}"] = read_bytes(path)
    of_rows = {run["identity"] for row in experiment["rows"] for run in row["runs"]}
    for identity in sorted(set(needed_runs(experiment))):
        # Read through the store, so that each file is checked against the manifest.
        manifest = store.manifest("fold_runs", identity) or {}
        with_masks = identity in of_rows and MASK_ERRORS in manifest["sha256"]
        for file in (*OF_A_RUN[1:], *((MASK_ERRORS,) if with_masks else ())):
            files[f"fold_runs/{identity}/{file}"] = store.read("fold_runs", identity, file, manifest)
        path = store.folder("fold_runs", identity) / OF_A_RUN[0]
        files[f"fold_runs/{identity}/{path.name}"] = read_bytes(path)
    contents = {"format": FORMAT, "version": VERSION, "experiment": name, "sha256": hashes(files)}
    return stored_zip({**files, CONTENTS_FILE: (json.dumps(contents, indent=1) + "\n").encode()})


def needed_runs(experiment: Mapping[str, Any]) -> Iterator[str]:
    """Identities of the fold runs that the table needs: those of rows, and of the trials that won."""
    for row in experiment["rows"]:
        yield from (run["identity"] for run in row["runs"])
    for study in winners_only(experiment):
        for trial in study["trials"]:
            yield from (run["identity"] for run in trial.get("runs", ()))


def hashes(files: Mapping[str, bytes]) -> dict[str, str]:
    """The SHA-256 of each file, by name."""
    return {name: hashlib.sha256(files[name]).hexdigest() for name in sorted(files)}


def _texts(folder: Path) -> list[Path]:
    """experiment.json, settings, winners and folds; links are left out."""
    paths = [folder / EXPERIMENT_FILE, folder / SETTINGS_FILE, *winner_files(folder)]
    paths += [path for path in sorted(folder.glob("folds-*.json")) if FOLDS_FILE.fullmatch(path.name)]
    return [path for path in paths if path.is_file() and not path.is_symlink()]
