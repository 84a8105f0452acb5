"""Runs folders for the tests of platform/inventory, made in milliseconds."""

from __future__ import annotations

import dataclasses
import json
import os
import tempfile
import time
from functools import cache
from pathlib import Path
from typing import Any

from platform.experiments.driver_lease import lease_slot
from platform.experiments.lease import Lease, kernel_id
from platform.runs.store import ResultsStore
from tests.fake_runs import CLASSES, fake_predictions, write_experiment, write_fold_run

LIVING = Lease(owner="a", host="here", process=1, kernel=kernel_id(), counter=3, beat_at=0.0)


def write_lease(folder: Path, *, age_seconds: float = 0.0, **changes: Any) -> Lease:
    """The lease of a driver under this kernel whose last heartbeat was so long ago."""
    lease = dataclasses.replace(LIVING, beat_at=time.monotonic() - age_seconds, **changes)
    lease_slot(folder).write(lease)
    return lease


def two_experiments(root: Path) -> ResultsStore:
    """`first` and `second` of three folds each, which share their second fold run; `first` is better."""
    for name, content in _two_experiments().items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(content)
    return ResultsStore(root)


@cache
def _two_experiments() -> dict[str, bytes]:
    """Their files by name, made once: a store syncs every file that it writes."""
    with tempfile.TemporaryDirectory() as folder:
        store = ResultsStore(Path(folder))
        shared = write_fold_run(store, fake_predictions(0.6, 1), config={"side": 1})
        for name, accuracy, seed in (("first", 0.9, 1), ("second", 0.5, 2)):
            own = {
                fold: write_fold_run(store, fake_predictions(accuracy, fold, seed=seed), config={"side": 1})
                for fold in (0, 2)
            }
            runs = [{"fold": fold, "identity": {**own, 1: shared}[fold]} for fold in range(3)]
            config = {"method": "fmpn", "side": 1, "seed": seed}
            write_experiment(store, [row_of(runs)], name=name, config=config)
        files = [path for path in store.root.rglob("*") if path.is_file()]
        return {path.relative_to(store.root).as_posix(): path.read_bytes() for path in files}


def row_of(runs: list[dict[str, Any]], **changes: Any) -> dict[str, Any]:
    """A row of experiment.json with these fold runs."""
    return {
        "method": "fmpn",
        "title": "FMPN",
        "dataset": "synthetic",
        "backbone": "resnet18",
        "selection_rule": "inner",
        "kind": "crossval",
        "masks": "own",
        "fold_rule": "paper",
        "fold_count": len(runs),
        "classes": list(CLASSES),
        "runs": runs,
        **changes,
    }


def rewrite(path: Path, **changes: Any) -> None:
    """Change keys of a JSON file."""
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def make_older(path: Path, days: float) -> None:
    """Set the time of the last change of everything below `path` back."""
    then = time.time() - days * 86400
    for one in [path, *path.rglob("*")]:
        os.utime(one, (then, then), follow_symlinks=False)
