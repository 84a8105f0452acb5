"""Predictions, scores and curves of an experiment as pandas data frames, for notebooks.

    from platform.reports.data_frames import predictions, scores, curves
    frame = predictions("runs", "tune-ckplus-paper")

Every line says which row of the table it belongs to (`row`, from 0, and `title`), the `method`, its `seed`,
the `fold` and the `role` of the fold run. What is read is checked against the stored hashes. Work from the
repository root, like the commands. docs/results_on_disk.md says what lies where.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from platform.aggregation.row_runs import FinishedRun, read_row_runs
from platform.evaluation.predictions import SCORE_PREFIX, TEXT_COLUMNS, from_bytes
from platform.experiments.experiment_file import read_experiment
from platform.inventory.runs_folder import experiment_folder, open_runs
from platform.reports.tensorboard import read_curves
from platform.runs.store import ResultsStore

if TYPE_CHECKING:
    import pandas


def predictions(runs: str | Path, experiment: str) -> pandas.DataFrame:
    """One line an image that a row tested: `dataset`, `subject`, `sequence`, `image`, the `true` and the
    `predicted` class, whether that is `correct`, and `score_CLASS` in [0, 1] of every class.

    Finished folds only. A row that cannot predict a class has no score for it. UserError: no runs folder, an
    unknown experiment, a changed file.
    """
    import pandas

    store = open_runs(Path(runs))
    frames = []
    for labels, run in _finished_runs(store, experiment):
        content = store.read("fold_runs", run.identity, "predictions.parquet", run.manifest)
        found = from_bytes(content, f"fold run {run.identity}")
        columns: dict[str, Any] = {name: getattr(found, name) for name in TEXT_COLUMNS}
        columns["correct"] = found.correct
        columns |= {SCORE_PREFIX + name: found.scores[:, k] for k, name in enumerate(found.class_names)}
        frames.append(pandas.DataFrame({**dict.fromkeys(labels), **columns}).assign(**labels))
    return pandas.concat(frames, ignore_index=True) if frames else pandas.DataFrame()


def scores(runs: str | Path, experiment: str) -> pandas.DataFrame:
    """One line a finished fold run: `dataset`, `backbone`, `images` (or `sequences`, if the method scores
    those), `accuracy` in [0, 1], `seconds`, and the `identity` under which it is stored.

    The mean of `accuracy` over the folds of a row is the table's mean of folds. UserError as `predictions`.
    """
    import pandas

    store = open_runs(Path(runs))
    lines = [
        {
            **labels,
            "dataset": run.record["data"]["dataset"],
            "backbone": run.record["config"].get("backbone", ""),
            **_counted(run.manifest),
            "accuracy": run.manifest.get("accuracy"),
            "seconds": run.manifest.get("seconds"),
            "identity": run.identity,
        }
        for labels, run in _finished_runs(store, experiment)
    ]
    return pandas.DataFrame(lines)


def _counted(manifest: Mapping[str, Any]) -> dict[str, Any]:
    if "sequence_count" in manifest:
        return {"sequences": manifest["sequence_count"]}
    return {"images": manifest.get("image_count")}


def curves(runs: str | Path, experiment: str) -> pandas.DataFrame:
    """One line an epoch of a stage of a finished fold run: `stage`, `epoch`, and a column a measure (`loss`,
    `training_accuracy` and others; empty where a stage does not have it).

    Stages that fold runs share appear with each of them. UserError as `predictions`.
    """
    import pandas

    store = open_runs(Path(runs))
    return pandas.DataFrame(
        [
            {**labels, "stage": stage, **epoch}
            for labels, run in _finished_runs(store, experiment)
            for stage, epochs in read_curves(store, run.identity).items()
            for epoch in epochs
        ]
    )


def _finished_runs(store: ResultsStore, name: str) -> Iterator[tuple[dict[str, Any], FinishedRun]]:
    experiment_folder(store, name)
    experiment = read_experiment(store, name)
    for number, row in enumerate(experiment["rows"]):
        for run in read_row_runs(store, experiment, row).finished:
            labels = {
                "row": number,
                "title": row["title"],
                "method": run.record["method"],
                "seed": run.record["seed"],
                "fold": run.fold,
                "role": run.record["fold"]["role"],
            }
            yield labels, run
