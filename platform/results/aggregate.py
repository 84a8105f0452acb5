"""From the fold runs of an experiment to rows: every number recomputed from stored predictions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from platform.errors import UserError
from platform.evaluation import metrics, statistics
from platform.evaluation.mask_quality import MaskQuality
from platform.evaluation.predictions import Predictions, concatenate, from_bytes
from platform.evaluation.statistics import Interval

if TYPE_CHECKING:
    from platform.results.store import ResultsStore

BOOTSTRAP_SEED = 0
"""The same predictions always get the same interval; at 10,000 resamples its ends move by about
0.1 points between seeds."""


@dataclass(frozen=True, kw_only=True)
class FoldScore:
    """One finished fold of a row."""

    fold: int
    accuracy: float
    """In [0, 1]."""
    image_count: int
    subject_count: int


@dataclass(frozen=True, kw_only=True)
class Scores:
    """What the predictions of a row's finished folds say. Accuracies in [0, 1]."""

    image_count: int
    sequence_count: int
    subject_count: int
    error_count: int
    """Images answered wrongly."""
    subjects_with_errors: int
    class_counts: dict[str, int]
    """Images of each true class."""
    folds: tuple[FoldScore, ...]
    mean_of_folds: float
    mean_of_folds_interval: Interval | None
    """95 %, subjects drawn within folds; None where a fold tests one subject only."""
    fold_standard_deviation: float | None
    """Spread of the fold accuracies (n - 1); never a standard error. None for a single fold."""
    pooled_image_accuracy: float
    pooled_image_interval: Interval | None
    """95 %, subjects drawn; None with one subject."""
    pooled_sequence_accuracy: float
    """Of sequences, each voted by its images' mean scores."""
    macro_f1: float
    """Of images, from pooled predictions."""


@dataclass(frozen=True, kw_only=True)
class TableRow:
    """One method on one data set in one experiment."""

    experiment: str
    preset: str
    command: str
    """Completes the row when it is run again."""
    method: str
    title: str
    dataset: str
    backbone: str
    selection_rule: str
    kind: str
    """`crossval` or `transfer`."""
    masks: str
    """`own`: masks of the fold's own training subjects; else the data set that lent them."""
    fold_rule: str
    fold_count: int
    problems: dict[int, str]
    """Fold to what is wrong with it (missing, failed); empty for a complete row."""
    data_hash: str | None
    """Of the prepared data set; None when no fold is finished."""
    scores: Scores | None
    """None when no fold is finished."""
    mask_quality: dict[int, MaskQuality]
    """Finished fold to the quality of its predicted masks; empty for a method that has no target masks."""

    @property
    def complete(self) -> bool:
        """Whether every fold's run is there."""
        return not self.problems


@dataclass(frozen=True, kw_only=True)
class AggregatedRow:
    """A row and the predictions that it was made of."""

    row: TableRow
    predictions: Predictions | None


def aggregate_experiment(
    store: ResultsStore, experiment: Mapping[str, Any], *, partial: bool = False
) -> list[AggregatedRow]:
    """All rows of an experiment, in its order. Raises UserError as `aggregate_row` does."""
    return [aggregate_row(store, experiment, row, partial=partial) for row in experiment["rows"]]


def aggregate_row(
    store: ResultsStore, experiment: Mapping[str, Any], row: Mapping[str, Any], *, partial: bool = False
) -> AggregatedRow:
    """One row of an experiment (a mapping as in experiment.json), from its fold runs.

    Raises UserError naming the folds when one is missing, failed or doubled, or when the folds do
    not belong together; `partial=True` lets missing and failed ones pass, and the row says so.
    """
    name = f"{row['title']} ({row['backbone']}, {row['dataset']}) of experiment {experiment['name']!r}"
    identities = _identity_of_fold(row, name)
    problems = _problems(store, identities)
    if problems and not partial:
        listed = "; ".join(f"fold {fold} {problem}" for fold, problem in problems.items())
        raise UserError(
            f"{name}: a row needs all {row['fold_count']} folds, but {listed}. Complete it with "
            f"`{experiment['command']}` (finished folds are kept), or pass --partial to see it incomplete."
        )
    finished = {fold: identity for fold, identity in identities.items() if fold not in problems and identity}
    data_hash = _check_records(store, row, name, finished)
    predictions = _read_folds(store, row, name, finished) if finished else None
    return AggregatedRow(
        row=TableRow(
            experiment=experiment["name"],
            preset=experiment["preset"],
            command=experiment["command"],
            **{
                key: row[key]
                for key in (
                    "method",
                    "title",
                    "dataset",
                    "backbone",
                    "selection_rule",
                    "kind",
                    "masks",
                    "fold_rule",
                )
            },
            fold_count=int(row["fold_count"]),
            problems=problems,
            data_hash=data_hash,
            scores=score(predictions) if predictions is not None else None,
            mask_quality=_mask_quality(store, finished),
        ),
        predictions=predictions,
    )


def score(predictions: Predictions) -> Scores:
    """Every number of a row. Deterministic: the bootstrap's seed is BOOTSTRAP_SEED."""
    correct, subject, fold = predictions.correct, predictions.subject, predictions.fold
    accuracies = metrics.fold_accuracies(correct, fold)
    subjects_of_fold = {index: len(np.unique(subject[fold == index])) for index in accuracies}
    pooled_interval = mean_interval = None
    if len(np.unique(subject)) > 1:
        pooled_interval = statistics.bootstrap_pooled_accuracy(
            correct, subject, np.random.default_rng(BOOTSTRAP_SEED)
        )
    if min(subjects_of_fold.values()) > 1:
        mean_interval = statistics.bootstrap_mean_of_folds(
            correct, subject, fold, np.random.default_rng(BOOTSTRAP_SEED)
        )
    sequences = metrics.sequence_predictions(predictions)
    classes, counts = np.unique(predictions.true, return_counts=True)
    return Scores(
        image_count=len(predictions),
        sequence_count=len(sequences),
        subject_count=len(np.unique(subject)),
        error_count=int((~correct).sum()),
        subjects_with_errors=len(np.unique(subject[~correct])),
        class_counts=dict(zip(classes.tolist(), counts.tolist(), strict=True)),
        folds=tuple(
            FoldScore(
                fold=index,
                accuracy=accuracy,
                image_count=int((fold == index).sum()),
                subject_count=subjects_of_fold[index],
            )
            for index, accuracy in accuracies.items()
        ),
        mean_of_folds=metrics.mean_of_folds(accuracies),
        mean_of_folds_interval=mean_interval,
        fold_standard_deviation=metrics.fold_standard_deviation(accuracies),
        pooled_image_accuracy=metrics.pooled_accuracy(correct),
        pooled_image_interval=pooled_interval,
        pooled_sequence_accuracy=metrics.pooled_accuracy(sequences.correct),
        macro_f1=metrics.macro_f1(predictions.true, predictions.predicted),
    )


def _identity_of_fold(row: Mapping[str, Any], name: str) -> dict[int, str | None]:
    """Fold index to identity of its fold run, None where the row lists none; folds 0 to fold_count - 1."""
    identities: dict[int, str | None] = dict.fromkeys(range(int(row["fold_count"])))
    for run in row["runs"]:
        fold = run["fold"]
        if fold not in identities:
            raise UserError(
                f"{name}: folds must be 0 to {row['fold_count'] - 1}, but there is a fold {fold}."
            )
        if identities[fold] is not None:
            raise UserError(f"{name}: each fold must be there once, but fold {fold} is listed twice.")
        identities[fold] = run["identity"]
    return identities


def _problems(store: ResultsStore, identities: Mapping[int, str | None]) -> dict[int, str]:
    """Fold to `is missing` or `failed (last line of its traceback)`, for each unfinished fold."""
    problems = {}
    for fold, identity in identities.items():
        manifest = store.manifest("fold_runs", identity) if identity else None
        if manifest is None:
            problems[fold] = "is missing"
        elif manifest["status"] != "complete":
            lines = manifest.get("traceback", "").strip().splitlines()
            problems[fold] = f"failed ({lines[-1] if lines else 'no traceback'})"
    return problems


def _mask_quality(store: ResultsStore, finished: Mapping[int, str]) -> dict[int, MaskQuality]:
    """Of the folds whose manifest holds it, by fold."""
    found = {}
    for fold, identity in finished.items():
        stored = (store.manifest("fold_runs", identity) or {}).get("mask_quality")
        if stored is not None:
            found[fold] = MaskQuality.from_dict(stored)
    return found


def _check_records(
    store: ResultsStore, row: Mapping[str, Any], name: str, finished: Mapping[int, str]
) -> str | None:
    """The one data hash of all finished folds; UserError when the runs do not make up this row."""
    fold_of_hash: dict[str, int] = {}
    for fold, identity in finished.items():
        record = store.record("fold_runs", identity)
        wanted = {
            "method": (row["method"], record["method"]),
            "data set": (row["dataset"], record["data"]["dataset"]),
            "fold": (fold, record["fold"]["index"]),
            "fold rule": (row["fold_rule"], record["fold"]["rule"]),
            "fold's role": ("final", record["fold"]["role"]),
        }
        for what, (expected, found) in wanted.items():
            if expected != found:
                raise UserError(
                    f"{name}, fold {fold}: the {what} of fold run {identity} must be {expected!r}, "
                    f"but it is {found!r}; this fold run does not belong here."
                )
        fold_of_hash.setdefault(record["data"]["hash"], fold)
    if len(fold_of_hash) > 1:
        listed = ", ".join(f"fold {fold} has {data_hash[:12]}" for data_hash, fold in fold_of_hash.items())
        raise UserError(
            f"{name}: the folds of a row must be of one prepared data set, but the data hashes differ "
            f"({listed}); the data was prepared anew in between: "
            "run the experiment's command again under a new name."
        )
    return next(iter(fold_of_hash), None)


def _read_folds(
    store: ResultsStore, row: Mapping[str, Any], name: str, finished: Mapping[int, str]
) -> Predictions:
    """The joined predictions of the finished folds, with file hash, data set and fold checked."""
    parts = []
    for fold, identity in finished.items():
        path = store.folder("fold_runs", identity) / "predictions.parquet"
        part = from_bytes(store.read("fold_runs", identity, path.name), str(path))
        folds, datasets = sorted(set(part.fold.tolist())), sorted(set(part.dataset.tolist()))
        if folds != [fold] or datasets != [row["dataset"]]:
            raise UserError(
                f"{name}, fold {fold}: {path} must hold images of {row['dataset']} tested by fold {fold} "
                f"only, but has folds {folds} of {', '.join(datasets)}; remove its folder "
                "to compute it again."
            )
        parts.append(part)
    try:
        joined = concatenate(parts)
        metrics.sequence_predictions(joined)
    except (UserError, ValueError) as error:
        raise UserError(f"{name}: {error}") from error
    return joined
