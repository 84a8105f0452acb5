"""Fold runs and experiments as the training would store them, made in milliseconds, for tests."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import numpy as np

from platform.evaluation.measured_values import MeasuredValues, file_name
from platform.evaluation.measured_values import to_bytes as measured_bytes
from platform.evaluation.metrics import sequence_predictions
from platform.evaluation.predictions import Predictions, to_bytes
from platform.models.masks.face_errors import MASK_QUALITY, MaskErrors
from platform.runs.identity import RESULT_VERSION, identity
from platform.runs.store import ResultsStore

CLASSES = ("anger", "contempt", "disgust", "fear", "happiness", "sadness", "surprise")
COMMAND = "python -m platform.tune --dataset synthetic --preset quick"


def fake_predictions(
    accuracy: float, fold: int, *, dataset: str = "synthetic", subjects: int = 3, seed: int = 0
) -> Predictions:
    """`subjects` subjects of one fold, each with a sequence of three images per class."""
    random = np.random.default_rng([seed, fold])
    names = np.array(CLASSES)
    rows = [
        (f"S{fold * 10 + s:03d}", f"S{fold * 10 + s:03d}_{c:03d}", c, frame)
        for s in range(subjects)
        for c in range(7)
        for frame in range(3)
    ]
    true = np.array([row[2] for row in rows])
    answers = np.where(
        random.random(len(rows)) < accuracy, true, (true + random.integers(1, 7, len(rows))) % 7
    )
    scores = np.full((len(rows), 7), 0.05, dtype=np.float32)
    scores[np.arange(len(rows)), answers] = 0.7
    return Predictions(
        dataset=np.full(len(rows), dataset),
        fold=np.full(len(rows), fold),
        subject=np.array([row[0] for row in rows]),
        sequence=np.array([row[1] for row in rows]),
        image=np.array([f"{row[1]}_{row[3]:08d}" for row in rows]),
        true=names[true],
        predicted=names[answers],
        scores=scores,
        class_names=CLASSES,
    )


def _as_stored(predictions: Predictions, unit: str | None) -> Predictions:
    """One line a sequence, if that is what the method scores."""
    return sequence_predictions(predictions) if unit == "sequence" else predictions


def _of_sequences(predictions: Predictions) -> bool:
    return bool((predictions.image == predictions.sequence).all())


def png_bytes(pixels: np.ndarray) -> bytes:
    from PIL import Image

    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, format="PNG")
    return buffer.getvalue()


def fake_mask_errors(predictions: Predictions, excess: float, *, seed: int = 0) -> MaskErrors:
    """Predicted masks whose error exceeds the constant mask's by `excess` on average, after a stage 1."""
    random = np.random.default_rng([seed, int(predictions.fold[0]), 7])
    count, classes = len(predictions), len(predictions.class_names)
    names, subject = np.unique(predictions.subject, return_inverse=True)
    labels = np.array([predictions.class_names.index(name) for name in predictions.true.tolist()])
    constant = 0.04 + 0.002 * np.arange(classes)
    of_subject = random.normal(0.0, 0.003, len(names))[subject][:, None]
    distances = constant + excess + of_subject + random.normal(0.0, 0.004, (count, classes))
    return MaskErrors(
        labels=labels,
        distances=distances,
        constant_distances=constant,
        stage1_distances=distances + 0.02,
        drift=np.full(count, 0.023),
    )


def mask_file(predictions: Predictions, errors: MaskErrors) -> bytes:
    return values_file(predictions, errors.values(predictions.class_names))


def values_file(predictions: Predictions, values: dict[str, np.ndarray]) -> bytes:
    """Numbers of each predicted face, as a fold run stores them."""
    return measured_bytes(
        MeasuredValues(
            fold=predictions.fold, subject=predictions.subject, image=predictions.image,
            true=predictions.true, values=values,
        )
    )  # fmt: skip


def write_fold_run(
    store: ResultsStore, predictions: Predictions, *, method: str = "fmpn", **changes: Any
) -> str:
    """One finished final fold run with curves, masks and pictures; returns its identity.

    `mask_errors`: of its predicted masks, stored as by a method that offers them. `keep_mask_errors` False:
    as by versions before 28 November 2026, in the manifest alone.
    `changes`: `data_hash`, `rule`, `role`, `index`, `seed`, `config`, `result_version` of the record.
    """
    fold, dataset = int(predictions.fold[0]), str(predictions.dataset[0])
    with_masks = method != "cnn"
    record = {
        "kind": "fold_run",
        "result_version": changes.get("result_version", RESULT_VERSION),
        "method": method,
        "config": {"backbone": "resnet18", "seed": changes.get("seed", 0), **changes.get("config", {})},
        "seed": changes.get("seed", 0),
        "data": {"dataset": dataset, "hash": changes.get("data_hash", "d" * 64)},
        "fold": {
            "rule": changes.get("rule", "paper"),
            "index": changes.get("index", fold),
            "role": changes.get("role", "final"),
        },
        "masks": write_masks(store, fold) if with_masks else None,
        "stage1": write_stage1(store, fold) if method == "fmpn" else None,
        "predicted": "".join(predictions.predicted.tolist()),
    }
    curve = [
        {"epoch": e, "loss": 2 / e, "classification_loss": 1.5 / e, "training_accuracy": 1 - 0.7 / e}
        for e in range(1, 6)
    ]
    files = {
        "predictions.parquet": to_bytes(predictions),
        "curves.json": json.dumps({"stage2": curve}).encode(),
    }
    if with_masks:
        files["pictures.png"] = png_bytes(np.full((40, 60, 3), 90, dtype=np.uint8))
    facts: dict[str, Any] = {}
    errors: MaskErrors | None = changes.get("mask_errors")
    if errors is not None:
        facts[MASK_QUALITY] = errors.quality().to_dict()
        if changes.get("keep_mask_errors", True):
            files[file_name(MASK_QUALITY)] = mask_file(predictions, errors)
    name = identity(record)
    store.write(
        "fold_runs",
        name,
        record,
        files,
        seconds=1.0,
        accuracy=float(predictions.correct.mean()),
        **{"sequence_count" if _of_sequences(predictions) else "image_count": len(predictions)},
        **facts,
    )
    return name


def write_masks(store: ResultsStore, fold: int) -> str:
    record = {"kind": "masks", "fold": fold}
    ramp = np.linspace(0, 255, 24 * 24).reshape(24, 24)
    images = np.stack([np.roll(ramp, 3 * k + fold, axis=1) for k in range(7)]).astype(np.uint8)
    buffer = io.BytesIO()
    np.save(buffer, images)
    store.write("masks", identity(record), record, {"masks.npy": buffer.getvalue()}, classes=list(CLASSES))
    return identity(record)


def write_stage1(store: ResultsStore, fold: int) -> str:
    record = {"kind": "stage1", "fold": fold}
    curve = [{"epoch": e, "loss": 0.3 / e} for e in range(1, 4)]
    store.write("stage1", identity(record), record, {"curves.json": json.dumps({"stage1": curve}).encode()})
    return identity(record)


def write_row(
    store: ResultsStore,
    method: str = "fmpn",
    title: str = "FMPN",
    accuracy: float = 0.8,
    *,
    dataset: str = "synthetic",
    folds: int = 3,
    seed: int = 0,
    **row: Any,
) -> dict[str, Any]:
    """A finished row of `folds` fold runs, as in experiment.json."""
    runs = [
        {
            "fold": fold,
            "identity": write_fold_run(
                store,
                _as_stored(fake_predictions(accuracy, fold, dataset=dataset, seed=seed), row.get("unit")),
                method=method,
            ),
        }
        for fold in range(folds)
    ]
    return {
        "method": method,
        "title": title,
        "dataset": dataset,
        "backbone": "resnet18",
        "selection_rule": "inner",
        "kind": "crossval",
        "masks": "own" if method != "cnn" else "none",
        "fold_rule": "paper",
        "fold_count": folds,
        "runs": runs,
        **row,
    }


def row_with_masks(
    store: ResultsStore, excess: float, *, subjects: int = 3, seed: int = 0, old: tuple[int, ...] = ()
) -> dict[str, Any]:
    """A row whose fold runs store errors of masks, but for the folds `old`."""
    row = write_row(store, seed=seed)
    for fold, run in enumerate(row["runs"]):
        predictions = fake_predictions(0.8, fold, subjects=subjects)
        run["identity"] = write_fold_run(
            store,
            predictions,
            mask_errors=fake_mask_errors(predictions, excess, seed=seed),
            keep_mask_errors=fold not in old,
            config={"excess": excess, "old": str(old)},
            seed=seed,
        )
    return row


def write_experiment(
    store: ResultsStore, rows: list[dict[str, Any]], name: str = "tune-synthetic-quick", **changes: Any
) -> dict[str, Any]:
    """experiment.json of these rows; returns its contents."""
    experiment = {
        "format": "experiment",
        "name": name,
        "command": COMMAND,
        "dataset": rows[0]["dataset"],
        "preset": "quick",
        "selection_rule": "inner",
        "config": {"method": "fmpn", "stage2_batch_size": 16},
        "rows": rows,
        "study": None,
        **changes,
    }
    folder = store.experiment_folder(name)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "experiment.json").write_text(json.dumps(experiment))
    return experiment


def fake_study() -> dict[str, Any]:
    """Six trials: four finished on three backbones, one pruned, one failed."""
    backbones = ("inception_v3", "resnet18", "vgg16_bn", "resnet18", "vgg16_bn", "inception_v3")
    states = ("COMPLETE", "COMPLETE", "COMPLETE", "PRUNED", "FAIL", "COMPLETE")
    scores = (0.41, 0.53, 0.48, 0.35, None, 0.57)
    trials = [
        {
            "number": number,
            "state": state,
            "params": {
                "backbone": backbone,
                "lambda_mask": 10.0 / (number + 1),
                "pretrain": True,
                "crop": None,
            },
            "score": score,
            "folds": 3 if score else 0,
            "runs": [],
        }
        for number, (backbone, state, score) in enumerate(zip(backbones, states, scores, strict=True))
    ]
    return {
        "name": "study-1",
        "storage": "journal",
        "objective": "inner accuracy, mean of folds",
        "winner": 5,
        "trials": trials,
    }


def demo_experiment(root: Path) -> tuple[ResultsStore, dict[str, Any]]:
    """FMPN, both baselines and a transfer row, with a study."""
    store = ResultsStore(root)
    rows = [
        write_row(store, accuracy=0.85),
        write_row(store, "cnn", "CNN (baseline)", 0.6, seed=1),
        write_row(store, "cnn_no_mask_loss", "CNN (no mask loss)", 0.8, seed=2),
        write_row(
            store, accuracy=0.7, dataset="synthetic_wild", folds=1, kind="transfer", masks="synthetic",
        ),
    ]  # fmt: skip
    return store, write_experiment(store, rows, study=fake_study())


def write_seeds(
    store: ResultsStore,
    method: str = "fmpn",
    title: str = "FMPN",
    accuracy: float = 0.8,
    *,
    seeds: tuple[int, ...] = (0, 1, 2),
    folds: int = 3,
    draw: int = 0,
    **row: Any,
) -> list[dict[str, Any]]:
    """Finished rows of one configuration under several seeds. draw: another one, other predictions."""
    rows = []
    for seed in seeds:
        runs = [
            {
                "fold": fold,
                "identity": write_fold_run(
                    store, fake_predictions(accuracy, fold, seed=100 * draw + seed), method=method, seed=seed
                ),
            }
            for fold in range(folds)
        ]
        made = write_row(store, method, title, accuracy, folds=0, seed=seed, **row)
        rows.append({**made, "seed": seed, "fold_count": folds, "runs": runs})
    return rows
