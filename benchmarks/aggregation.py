"""Time and memory of `python -m platform.table` with many fold runs (docs/table.md).

    python -m benchmarks.aggregation                       10,000 fold runs of 100 predictions
    python -m benchmarks.aggregation --rows 100 --folds 10   1,000 fold runs
    python -m benchmarks.aggregation --runs build/many       keep the fold runs for another measurement

The results store writes the fold runs. The command then runs in a separate process, whose wall time and peak
resident memory are read from the operating system. Limits for 10,000 fold runs on two cores: 20 s and 1 GiB;
exit status 1 if one is exceeded.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from platform.aggregation.parallel import MOST_PROCESSES
from platform.cli.progress_line import ProgressLine
from platform.evaluation.predictions import Predictions, to_bytes
from platform.files.writing import write_atomically
from platform.host.machine_limits import usable_cpus
from platform.runs.identity import RESULT_VERSION, identity
from platform.runs.store import ResultsStore

CLASSES = ("anger", "contempt", "disgust", "fear", "happiness", "sadness", "surprise")
SUBJECTS_PER_FOLD = 10
ROWS_PER_EXPERIMENT = 100
LIMIT_SECONDS = 20.0
LIMIT_GIB = 1.0


def main() -> int:
    """Write missing fold runs, run the command, print its time and memory."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=1000, help="rows of the table (default: 1000)")
    parser.add_argument("--folds", type=int, default=10, help="fold runs per row (default: 10)")
    parser.add_argument("--images", type=int, default=100, help="predictions per fold run (default: 100)")
    parser.add_argument("--runs", type=Path, help="keep the fold runs there (default: a temporary folder)")
    arguments = parser.parse_args()
    if arguments.runs is not None:
        return measure(arguments.runs, arguments)
    with tempfile.TemporaryDirectory() as folder:
        return measure(Path(folder), arguments)


def measure(runs: Path, arguments: argparse.Namespace) -> int:
    """Exit status 1 if time or memory exceeds its limit."""
    store = ResultsStore(runs)
    if not store.experiments():
        write_experiments(store, arguments)
    out = runs / "table.csv"
    command = [sys.executable, "-m", "platform.table", "--runs", str(runs), "--format", "csv"]
    started = time.monotonic()
    process = subprocess.Popen([*command, "--out", str(out)])
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.monotonic() - started
    if status:
        return 1
    with out.open(newline="") as file:
        rows = list(csv.DictReader(file))
    fold_runs, images = (sum(int(row[name]) for row in rows) for name in ("fold_count", "images"))
    processes = min(MOST_PROCESSES, usable_cpus())
    # Only the largest process is known; none of the others uses more.
    gib = usage.ru_maxrss / 2**20 * (1 + processes)
    print(
        f"{fold_runs:,} fold runs, {images:,} predictions, {len(rows):,} rows: {seconds:.1f} s wall "
        f"({usage.ru_utime + usage.ru_stime:.1f} s of processor), at most {gib:.2f} GiB in "
        f"{1 + processes} processes; limits {LIMIT_SECONDS:.0f} s, {LIMIT_GIB:.0f} GiB"
    )
    return int(seconds > LIMIT_SECONDS or gib > LIMIT_GIB)


def write_experiments(store: ResultsStore, arguments: argparse.Namespace) -> None:
    """Write experiments of at most ROWS_PER_EXPERIMENT rows, as a search with baselines would."""
    progress = ProgressLine("writing fold runs")
    rows: list[dict[str, Any]] = []
    for number in range(arguments.rows):
        runs = [
            {"fold": fold, "identity": write_fold_run(store, number, fold, arguments.images)}
            for fold in range(arguments.folds)
        ]
        rows.append(described_row(number, runs))
        progress((number + 1) * arguments.folds, arguments.rows * arguments.folds)
        if len(rows) == ROWS_PER_EXPERIMENT or number == arguments.rows - 1:
            write_experiment(store, f"many-{number // ROWS_PER_EXPERIMENT:03d}", rows)
            rows = []


def write_fold_run(store: ResultsStore, row: int, fold: int, images: int) -> str:
    """Write a fold run whose accuracy depends on the row, and return its identity."""
    record = {
        "kind": "fold_run",
        "result_version": RESULT_VERSION,
        "method": "fmpn" if row % ROWS_PER_EXPERIMENT == 0 else "cnn",
        "config": {"backbone": "resnet18", "row": row, "seed": 0},
        "data": {"dataset": "synthetic", "hash": "0" * 64},
        "fold": {"rule": "paper", "index": fold, "role": "final", "part": None},
        "masks": None,
        "stage1": None,
        "seed": 0,
    }
    name = identity(record)
    predictions = made_up_predictions(np.random.default_rng([row, fold]), fold, images)
    files = {"predictions.parquet": to_bytes(predictions)}
    store.write("fold_runs", name, record, files, image_count=images)
    return name


def made_up_predictions(random: np.random.Generator, fold: int, images: int) -> Predictions:
    """Predictions with ten subjects per fold, sequences of three images and seven classes."""
    place = np.arange(images)
    sequence, subject = place // 3, place * SUBJECTS_PER_FOLD // images
    names, true = np.array(CLASSES), sequence % len(CLASSES)
    scores = random.dirichlet(np.ones(len(CLASSES)), images).astype(np.float32)
    scores[place, true] += np.float32(random.uniform(0, 0.6))
    subjects = np.array([f"S{fold * SUBJECTS_PER_FOLD + number:03d}" for number in subject])
    sequences = np.array([f"{s}_{number:03d}" for s, number in zip(subjects, sequence, strict=True)])
    return Predictions(
        dataset=np.full(images, "synthetic"),
        fold=np.full(images, fold, dtype=np.int64),
        subject=subjects,
        sequence=sequences,
        image=np.array([f"{s}_{number:08d}" for s, number in zip(sequences, place, strict=True)]),
        true=names[true],
        predicted=names[scores.argmax(axis=1)],
        scores=scores / scores.sum(axis=1, keepdims=True),
        class_names=CLASSES,
    )


def described_row(number: int, runs: list[dict[str, Any]]) -> dict[str, Any]:
    """A row as stored in experiment.json."""
    method = "fmpn" if number % ROWS_PER_EXPERIMENT == 0 else "cnn"
    return {
        "method": method,
        "title": "FMPN" if method == "fmpn" else f"CNN {number}",
        "dataset": "synthetic",
        "backbone": "resnet18",
        "selection_rule": "inner",
        "kind": "crossval",
        "masks": "none",
        "fold_rule": "paper",
        "fold_count": len(runs),
        "runs": runs,
    }


def write_experiment(store: ResultsStore, name: str, rows: list[dict[str, Any]]) -> None:
    """Write experiment.json with these rows."""
    content = {
        "format": "experiment",
        "name": name,
        "command": "python -m benchmarks.aggregation",
        "dataset": "synthetic",
        "preset": "quick",
        "selection_rule": "inner",
        "config": {},
        "rows": rows,
        "study": None,
    }
    write_atomically(store.experiment_folder(name) / "experiment.json", json.dumps(content))


if __name__ == "__main__":
    raise SystemExit(main())
