"""Reading and writing of `experiment.json`: the rows of an experiment and their fold runs."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from platform.errors import UserError, unknown_name
from platform.experiments.led_files import write_as_leader
from platform.files.json_files import read_json_object
from platform.runs.identity import canonical_json

if TYPE_CHECKING:
    from platform.runs.store import ResultsStore

EXPERIMENT_FILE = "experiment.json"
EXPERIMENT_KEYS = ("name", "command", "dataset", "preset", "selection_rule", "config", "rows")
ROW_KEYS = (
    "method",
    "title",
    "dataset",
    "backbone",
    "selection_rule",
    "kind",
    "masks",
    "fold_rule",
    "fold_count",
    "runs",
)
IDENTIFYING_KEYS = (
    "method", "title", "dataset", "backbone", "kind", "masks", "generator", "repeat", "variation", "classes",
    "seed", "fold_rule", "fold_count",
)  # fmt: skip
"""Keys of experiment.json that distinguish the rows of an experiment."""


def read_experiment(store: ResultsStore, name: str) -> dict[str, Any]:
    """The checked contents of an experiment's `experiment.json`.

    Raises UserError on an unknown name (the known ones are listed), a file that is not JSON or was changed
    after it was written, another format, or a missing key.
    """
    if name not in store.experiments():
        raise unknown_name("experiment", name, store.experiments())
    path = store.experiment_folder(name) / EXPERIMENT_FILE
    return verified_experiment(
        read_json_object(path, remedy="run the command that made it again."), str(path)
    )


def verified_experiment(content: Mapping[str, Any], where: str) -> dict[str, Any]:
    """The checked contents of an experiment.json without their hash. Raises UserError as `read_experiment`;
    `where` names the file in messages."""
    experiment = dict(content)
    stated = experiment.pop("hash", None)  # experiments made before 28 November 2026 have none
    if stated is not None and stated != _hash(experiment):
        raise UserError(
            f"{where} was changed after it was written (the hash in it does not match the rest); remove it "
            "and run the command that made it again: finished fold runs are kept."
        )
    check_experiment(experiment, where)
    return experiment


def write_experiment(store: ResultsStore, experiment: Mapping[str, Any]) -> None:
    """Write experiment.json with a hash of its contents. Raises UserError as `write_as_leader`."""
    text = json.dumps({**experiment, "hash": _hash(experiment)}, indent=1)
    write_as_leader(store.experiment_folder(experiment["name"]) / EXPERIMENT_FILE, text + "\n")


def _hash(experiment: Mapping[str, Any]) -> str:
    return hashlib.sha256(canonical_json(experiment).encode()).hexdigest()


def studies_of(experiment: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The studies that chose the configurations: none, one, or one for each fold.

    Experiments made before 22 November 2026 hold a single study as `study`.
    """
    return list(experiment.get("studies") or filter(None, [experiment.get("study")]))


def seed_words(row: Mapping[str, Any], experiment: Mapping[str, Any]) -> str:
    """`, seed 1`, to follow the row's name where the experiment's rows have several seeds; else empty."""
    several = len({one.get("seed") for one in experiment.get("rows", ())}) > 1
    return f", seed {row['seed']}" if several and "seed" in row else ""


def rows_of_line(row: Mapping[str, Any], rows: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Those of the rows of an experiment.json that differ from `row` in the seed alone, itself among them."""
    keys = [key for key in IDENTIFYING_KEYS if key != "seed"]
    wanted = [row.get(key) for key in keys]
    return [one for one in rows if [one.get(key) for key in keys] == wanted]


def check_experiment(experiment: Mapping[str, Any], where: str) -> None:
    """Refuse an experiment that lacks what its aggregation needs. Raises UserError."""
    found = experiment.get("format") if isinstance(experiment, Mapping) else None
    if found != "experiment":
        raise UserError(
            f"{where}: the format must be 'experiment', but it is {found!r}; "
            "run the command that made it again."
        )
    _check_keys(experiment, EXPERIMENT_KEYS, where)
    rows = experiment["rows"]
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise UserError(f"{where}: rows must be a list of objects; run the command that made it again.")
    if not rows:
        raise UserError(
            f"{where}: an experiment must have one row or more; `{experiment['command']}` makes them."
        )
    for row in rows:
        _check_keys(row, ROW_KEYS, f"{where}, row {row.get('title', '?')!r}")
        _check_runs(row["runs"], f"{where}, row {row['title']!r}")


def _check_runs(runs: Any, where: str) -> None:
    sound = isinstance(runs, list) and all(
        isinstance(run, dict) and type(run.get("fold")) is int and isinstance(run.get("identity"), str | None)
        for run in runs
    )
    if not sound:
        raise UserError(
            f"{where}: runs must be folds with their identities; run the command that made it again."
        )


def _check_keys(mapping: Mapping[str, Any], keys: tuple[str, ...], where: str) -> None:
    missing = [key for key in keys if key not in mapping]
    if missing:
        raise UserError(
            f"{where}: the keys {', '.join(keys)} are needed, but {', '.join(missing)} is missing; "
            "run the command that made it again."
        )
