"""Results that must stay although no experiment.json names them: those of experiments that are not finished.

A driver finds results in the store and names them in experiment.json only later, and the trials of an open
study are verified against their fold runs when the search continues. Which results these are is known only
to whoever plans the experiment; its data sets are known from the files in its folder.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from platform.errors import UserError
from platform.experiments.experiment_file import EXPERIMENT_FILE
from platform.experiments.lease import Lease
from platform.files.json_files import parse_own_json
from platform.files.opening import read_bytes
from platform.inventory.listing import stored_experiment
from platform.inventory.references import Result
from platform.inventory.runs_folder import REMOVAL_FILE
from platform.monitoring.progress_file import read_progress
from platform.runs.store import ResultsStore

FOLDS_FILE = re.compile(r"folds-(.+?)(-\d+)?\.json")
"""Of each data set that an experiment reads, written before anything runs; the last group is the number of a
further split."""


@dataclass(frozen=True, kw_only=True)
class OpenExperiment:
    """An experiment that may need results that it does not name yet."""

    name: str
    datasets: frozenset[str] | None
    """That it reads; None: not known yet, so it may need any result."""
    artifacts_only: bool = False
    """Whether it names all its fold runs, of which some are not stored: which artifacts these rest on is
    known only when they are planned again."""
    why: str
    """`is running`, `is not finished`."""


def open_experiments(
    store: ResultsStore, folders: Mapping[str, Path], drivers: Mapping[str, Lease]
) -> list[OpenExperiment]:
    """The experiments among `folders` that a driver leads, or that are not finished.

    UserError: an experiment.json is damaged.
    """
    found = []
    for name, folder in folders.items():
        datasets = _datasets(folder)
        if name in drivers:
            found.append(OpenExperiment(name=name, datasets=datasets or None, why="is running"))
        elif datasets and _is_searching(folder):
            found.append(OpenExperiment(name=name, datasets=datasets, why="is not finished"))
        elif datasets and _lacks_runs(store, folder):
            found.append(
                OpenExperiment(name=name, datasets=datasets, artifacts_only=True, why="is not finished")
            )
    return found


def _datasets(folder: Path) -> frozenset[str]:
    names = set()
    for path in folder.glob("folds-*.json"):
        parts = FOLDS_FILE.fullmatch(path.name)
        if parts:
            names |= {parts[1], parts[1] + (parts[2] or "")}
    return frozenset(names)


def _is_searching(folder: Path) -> bool:
    if not (folder / EXPERIMENT_FILE).exists():
        return not (folder / REMOVAL_FILE).exists()
    progress = read_progress(folder)
    return progress is not None and progress.phase == "search" and progress.state != "finished"


def _lacks_runs(store: ResultsStore, folder: Path) -> bool:
    content = stored_experiment(folder)
    identities = [run["identity"] for row in content["rows"] for run in row["runs"]] if content else []
    return any(
        not (store.folder("fold_runs", identity) / "manifest.json").exists()
        for identity in identities
        if identity
    )


def who_may_need(store: ResultsStore, result: Result, experiments: list[OpenExperiment]) -> str:
    """Why the result must stay: `NAME is running`; empty if none of the experiments can need it.

    A result without a readable record may be anybody's.
    """
    if not experiments:
        return ""
    kind, identity = result
    path = store.folder(kind, identity) / "record.json"
    try:
        record: Any = parse_own_json(read_bytes(path), str(path))
        dataset = str(record["data"]["dataset"])
    except (UserError, KeyError, TypeError):
        dataset = None
    for one in experiments:
        if one.artifacts_only and kind == "fold_runs":
            continue
        if one.datasets is None or dataset is None or dataset in one.datasets:
            return f"{one.name} {one.why}"
    return ""
