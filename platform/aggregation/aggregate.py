"""From the fold runs of an experiment to rows: every number recomputed from stored predictions.

Only mask quality is not, because predicted masks are not stored: it was measured when the fold run ended, and
stands in the run's manifest, which is held against its own hash.

A row's predictions are dropped as soon as its numbers are made, so that memory does not grow with them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from datasets.raw.fmpn_labels import release_of
from platform.aggregation.answers import Answers, answers_of
from platform.aggregation.choosing_score import choosing_score
from platform.aggregation.row_runs import RowRuns, read_predictions, read_row_runs
from platform.config.net_name import net_name, only_width, preset_text
from platform.errors import UserError
from platform.evaluation import metrics
from platform.evaluation.mask_quality import MaskQuality
from platform.evaluation.metrics import ClassScore
from platform.evaluation.predictions import Predictions
from platform.evaluation.statistics import AccuracyInterval, accuracy_interval
from platform.runs.identity import RESULT_VERSION

if TYPE_CHECKING:
    from platform.runs.store import ResultsStore


@dataclass(frozen=True, kw_only=True)
class FoldScore:
    """One finished fold of a row."""

    fold: int
    accuracy: float
    """In [0, 1]."""
    image_count: int
    subject_count: int
    class_count: int
    """Classes among its test images."""


Confusion = tuple[tuple[int, ...], ...]
"""Counts: a row a true class, a column an answered one, both in the order of `Scores.class_names`."""


@dataclass(frozen=True, kw_only=True)
class Scores:
    """What the predictions of a row's finished folds say. Accuracies in [0, 1]."""

    image_count: int
    sequence_count: int
    subject_count: int
    error_count: int
    """Images answered wrongly."""
    subjects_with_errors: int
    class_names: tuple[str, ...]
    """The classes that the method can answer."""
    classes: tuple[ClassScore, ...]
    """Of pooled images, in the order of `class_names`."""
    folds: tuple[FoldScore, ...]
    mean_of_folds: float
    mean_of_folds_interval: AccuracyInterval | None
    """95 %, for new subjects; None with one subject."""
    fold_standard_deviation: float | None
    """Spread of the fold accuracies (n - 1); never a standard error. None for a single fold."""
    pooled_image_accuracy: float
    pooled_image_interval: AccuracyInterval | None
    """95 %, for new subjects; None with one subject."""
    pooled_sequence_accuracy: float
    """Of sequences, each voted by its images' mean scores."""
    majority_sequence_accuracy: float
    """Of sequences, each voted by the majority of its images."""
    macro_f1: float
    """Of images, from pooled predictions."""
    image_confusion: Confusion
    sequence_confusion: Confusion
    """Voted by mean scores."""
    majority_confusion: Confusion
    """Of sequences, voted by the majority."""


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
    seed: int | None
    """Of all folds; None when no fold is finished."""
    result_version: int | None
    """Of the code that computed the fold runs; None when no fold is finished."""
    configurations: str | None
    """Hash over the settings of all folds without the seed; None for an incomplete row."""
    selection_score: float | None
    """Mean accuracy by which the configuration was chosen, in [0, 1]; None where none was chosen here."""
    scores: Scores | None
    """None when no fold is finished."""
    stands_for: str = ""
    """The data set that a release is of; empty for others."""
    width: float | None = 1.0
    """Share of the classification net's channels that is kept; None where folds differ."""
    preset_changes: str = ""
    """What was changed of the preset, as it follows the preset's name."""
    chosen_folds: tuple[int, ...] = ()
    """The folds that were asked for, where not all were."""
    chosen_of: int = 0
    """Folds in all, where only some were asked for."""
    mask_quality: dict[int, MaskQuality]
    """Finished fold to the quality of its predicted masks; empty for a method that has no target masks."""

    @property
    def complete(self) -> bool:
        """Whether every fold's run is there."""
        return not self.problems

    @property
    def preset_text(self) -> str:
        """The preset, and what was changed of it."""
        return self.preset + self.preset_changes

    @property
    def reported_as(self) -> str:
        """The data set whose reported numbers belong beside it."""
        return self.stands_for or self.dataset

    @property
    def fold_numbers(self) -> tuple[int, ...]:
        """Folds that the row consists of."""
        return self.chosen_folds or tuple(range(self.fold_count))

    @property
    def net(self) -> str:
        """The classification net, with its width where it is not the published one."""
        return net_name(self.backbone, self.width)

    @property
    def leaks(self) -> bool:
        """Whether the test folds themselves chose the configuration."""
        return self.selection_rule == "test" and not self.chosen_elsewhere

    @property
    def chosen_elsewhere(self) -> bool:
        """Whether a search chose the configuration on the data set that the masks come from, not on this."""
        return self.kind == "transfer" and self.selection_rule != "paper"

    @property
    def of_other_version(self) -> bool:
        """Whether another version of the code computed the fold runs."""
        return self.result_version not in (None, RESULT_VERSION)

    @property
    def repeat_count(self) -> int:
        """How often each image is tested: once, since a row with an image tested twice is refused."""
        return 1

    @property
    def optimism_gap(self) -> float | None:
        """The score that chose the configuration minus the mean of the test folds, in [-1, 1].

        None where no score chose it. 0 by construction where the test folds did.
        """
        if self.scores is None or not self.complete:
            return None
        if self.leaks:
            return 0.0
        return None if self.selection_score is None else self.selection_score - self.scores.mean_of_folds


@dataclass(frozen=True, kw_only=True)
class AggregatedRow:
    """A row, and what paired tests need of its predictions."""

    row: TableRow
    answers: Answers | None
    """None when no fold is finished."""


def aggregate_experiment(
    store: ResultsStore, experiment: Mapping[str, Any], *, partial: bool = False
) -> list[AggregatedRow]:
    """All rows of an experiment, in its order. Raises UserError as `aggregate_row` does."""
    return [aggregate_row(store, experiment, row, partial=partial) for row in experiment["rows"]]


def aggregate_row(
    store: ResultsStore, experiment: Mapping[str, Any], row: Mapping[str, Any], *, partial: bool = False
) -> AggregatedRow:
    """One row of an experiment (a mapping as in experiment.json), from its fold runs.

    Raises UserError naming the folds when one is missing, failed or doubled, when the folds do not belong
    together, and as `choosing_score` does; `partial=True` lets missing and failed ones pass, and the row
    says so.
    """
    runs = read_row_runs(store, experiment, row)
    if runs.problems and not partial:
        listed = "; ".join(f"fold {fold} {problem}" for fold, problem in runs.problems.items())
        raise UserError(
            f"{runs.name}: a row needs all {row['fold_count']} folds, but {listed}. Complete it with "
            f"`{experiment['command']}` (finished folds are kept), or pass --partial to see it incomplete."
        )
    predictions = read_predictions(store, runs, row)
    try:
        scores = None if predictions is None else score(predictions)
    except UserError as error:
        raise UserError(f"{runs.name}: {error}") from error
    return AggregatedRow(
        row=_table_row(experiment, row, runs, scores, choosing_score(store, experiment, row, runs)),
        answers=None if predictions is None else answers_of(predictions),
    )


_COPIED = ("method", "title", "dataset", "backbone", "selection_rule", "kind", "masks", "fold_rule")


def _table_row(
    experiment: Mapping[str, Any],
    row: Mapping[str, Any],
    runs: RowRuns,
    scores: Scores | None,
    selection_score: float | None,
) -> TableRow:
    settings = "\n".join(run.configuration for run in runs.finished)
    return TableRow(
        experiment=experiment["name"],
        preset=experiment["preset"],
        command=experiment["command"],
        **{key: row[key] for key in _COPIED},
        fold_count=int(row["fold_count"]),
        problems=runs.problems,
        data_hash=runs.common(lambda run: run.record["data"]["hash"]),
        seed=runs.common(lambda run: run.record["seed"]),
        result_version=runs.common(lambda run: run.record["result_version"]),
        configurations=None if runs.problems else hashlib.sha256(settings.encode()).hexdigest(),
        selection_score=selection_score,
        scores=scores,
        stands_for=_stands_for(row, scores),
        width=only_width(run.record["config"].get("backbone_width", 1.0) for run in runs.finished),
        preset_changes=preset_text(experiment["preset"], experiment.get("config", {})).removeprefix(
            experiment["preset"]
        ),
        chosen_folds=tuple(row.get("chosen_folds", ())),
        chosen_of=int(row.get("chosen_of", 0)),
        mask_quality={
            run.fold: quality for run in runs.finished if (quality := run.mask_quality) is not None
        },
    )


def _stands_for(row: Mapping[str, Any], scores: Scores | None) -> str:
    """The data set that FMPN's release is of. Rows made before 28 November 2026 do not say it, so their
    classes do."""
    if row["dataset"] != "fmpn_release":
        return ""
    classes = row.get("classes") or (scores.class_names if scores else ())
    return str(row.get("stands_for") or release_of(classes))


def score(predictions: Predictions) -> Scores:
    """Every number of a row, without random numbers. Raises UserError as `sequence_predictions` does."""
    by_mean_score = metrics.sequence_predictions(predictions)
    by_majority = metrics.sequence_predictions(predictions, "majority")
    correct, subject, fold = predictions.correct, predictions.subject, predictions.fold
    accuracies = metrics.fold_accuracies(correct, fold)
    folds = tuple(_fold_score(predictions, fold == index, index) for index in accuracies)
    subject_count = len(set(subject.tolist()))
    pooled_interval = accuracy_interval(correct, subject) if subject_count > 1 else None
    mean_interval = accuracy_interval(correct, subject, fold) if subject_count > 1 else None
    classes = metrics.class_scores(predictions.true, predictions.predicted, predictions.class_names)
    return Scores(
        image_count=len(predictions),
        sequence_count=len(by_mean_score),
        subject_count=subject_count,
        error_count=int((~correct).sum()),
        subjects_with_errors=len(set(subject[~correct].tolist())),
        class_names=predictions.class_names,
        classes=classes,
        folds=folds,
        mean_of_folds=metrics.mean_of_folds(accuracies),
        mean_of_folds_interval=mean_interval,
        fold_standard_deviation=metrics.fold_standard_deviation(accuracies),
        pooled_image_accuracy=metrics.pooled_accuracy(correct),
        pooled_image_interval=pooled_interval,
        pooled_sequence_accuracy=metrics.pooled_accuracy(by_mean_score.correct),
        majority_sequence_accuracy=metrics.pooled_accuracy(by_majority.correct),
        macro_f1=metrics.macro_f1(classes),
        image_confusion=_confusion(predictions),
        sequence_confusion=_confusion(by_mean_score),
        majority_confusion=_confusion(by_majority),
    )


def _fold_score(predictions: Predictions, inside: np.ndarray, index: int) -> FoldScore:
    """inside: bool (n,), the images that fold `index` tested."""
    return FoldScore(
        fold=index,
        accuracy=float(predictions.correct[inside].mean()),
        image_count=int(inside.sum()),
        subject_count=len(set(predictions.subject[inside].tolist())),
        class_count=len(set(predictions.true[inside].tolist())),
    )


def _confusion(predictions: Predictions) -> Confusion:
    counts = metrics.confusion_counts(predictions.true, predictions.predicted, predictions.class_names)
    return tuple(tuple(row) for row in counts.tolist())
